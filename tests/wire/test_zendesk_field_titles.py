"""The titles of fields that a refusal names: asked once, and never in the way of the refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.sandbox import Fault
from connectors.zendesk.sandbox.settings import CustomField
from syncd.core.errors import Refusal, Rejected
from tests.contract.desk import a_draft, an_intent, an_update, look
from tests.support.zendesk_desk import ZendeskDesk, a_zendesk_desk

CAUSE = CustomField(field_id=77_001, title="Root\n\x1b[31m cause", is_required_to_solve=True)


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk(custom_fields=(CAUSE,), assigns_on_solve=False) as desk:
        yield desk


async def refused(desk: ZendeskDesk) -> Rejected:
    """What the desk says to solving a ticket together with a comment."""
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Done</p>"), status="solved")
    with pytest.raises(Rejected) as raised:
        await desk.connector.write(an_intent(desk, op, seen))
    assert len(desk.stored(ticket_id).comments) == 1
    return raised.value


def looked_up(desk: ZendeskDesk) -> int:
    return sum("ticket_fields" in entry.template for entry in desk.sandbox.log.since(0))


async def test_a_refusal_names_what_is_lacking_as_agents_call_it(desk: ZendeskDesk) -> None:
    error = await refused(desk)
    assert error.refusal is Refusal.STATUS
    assert error.lacks == ("Assignee", "Root [31m cause")
    assert "assign" in error.hint


async def test_a_title_is_asked_for_once(desk: ZendeskDesk) -> None:
    await refused(desk)
    await refused(desk)
    assert looked_up(desk) == 2


async def test_a_title_that_cannot_be_read_is_an_id_and_asked_for_again(desk: ZendeskDesk) -> None:
    desk.sandbox.faults.arm(Fault(action="status", status=403, path="ticket_fields", times=2))
    assert (await refused(desk)).lacks == ("field 33144692252001", "field 77001")
    assert (await refused(desk)).lacks[0] == "Assignee"
