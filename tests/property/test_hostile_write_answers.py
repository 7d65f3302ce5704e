"""Desks that spoil the answers to writes and to the searches for them: nobody is told that nothing
was written where something was; all else is a value or one of our errors.
"""

from __future__ import annotations

import asyncio

import httpx
from hypothesis import example, given, settings

from syncd.core.errors import OutcomeUnknown, SyncdError
from syncd.core.operations import Intent
from syncd.ports import Connector
from tests.contract.desk import a_creation, a_draft, an_update, look
from tests.contract.desk import an_intent as an_intent_of
from tests.support.platform_connector import FreeBudget, a_copy, a_rig, an_intent, an_update_op
from tests.support.platform_connector import a_connector as a_platform_connector
from tests.support.spoiling import OFTEN, SEEDS, Spoiling, must_be_ours
from tests.support.zendesk_desk import TOKEN, a_zendesk_desk
from tests.support.zendesk_desk import a_connector as a_zendesk_connector

WORDS = "Only once"


async def written(connector: Connector, intent: Intent) -> SyncdError | None:
    """Write and, whatever came of it, look for it as whoever lost the answer would."""
    failure: SyncdError | None = None
    try:
        await connector.write(intent)
    except SyncdError as error:
        failure = must_be_ours(error)
    try:
        await connector.find(intent)
    except SyncdError as error:
        must_be_ours(error)
    return failure


def hold(failure: SyncdError | None, *, has_landed: bool, often: float) -> None:
    """Assert what the port promises of a write; without spoiling it must have worked."""
    if has_landed:
        assert failure is None or isinstance(failure, OutcomeUnknown), repr(failure)
    if often == 0.0:
        assert has_landed
        assert failure is None


async def _write_to_zendesk(seed: int, often: float) -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        line = Spoiling(httpx.ASGITransport(app=desk.sandbox), seed, often=often)
        connector = a_zendesk_connector(desk.address, desk.clock, token=TOKEN, transport=line)
        comment = a_draft(desk, f"<p>{WORDS}</p>")
        update = an_update(desk, ticket_id, comment=comment, add_tags=frozenset({"neu"}))
        failure = await written(connector, an_intent_of(desk, update, seen))
        has_landed = desk.stored(ticket_id).count(WORDS) == 1
        hold(failure, has_landed=has_landed, often=often)
        creation = a_creation(desk, comment)
        failure = await written(connector, an_intent_of(desk, creation))
        has_landed = bool(desk.tickets(creation.external_id))
        hold(failure, has_landed=has_landed, often=often)
        await connector.close()


async def _write_to_platform(seed: int, often: float) -> None:
    async with a_rig() as rig:
        ticket = await rig.platform.a_ticket()
        line = Spoiling(httpx.ASGITransport(app=rig.platform.sandbox), seed, often=often)
        connector = a_platform_connector(line, clock=rig.clock, budget=FreeBudget())
        op = an_update_op(ticket["id"], comment=a_copy(f"<p>{WORDS}</p>"), status="With customer")
        failure = await written(connector, an_intent(op, version=2))
        has_landed = (await rig.platform.dump(ticket))["status"] == "With customer"
        hold(failure, has_landed=has_landed, often=often)
        await connector.close()


@settings(max_examples=40)
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_a_zendesk_that_spoils_the_answer_to_a_write_is_never_taken_to_have_refused_it(
    seed: int, often: float
) -> None:
    asyncio.run(_write_to_zendesk(seed, often))


@settings(max_examples=40)
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_a_platform_that_spoils_the_answer_to_a_write_is_never_taken_to_have_refused_it(
    seed: int, often: float
) -> None:
    asyncio.run(_write_to_platform(seed, often))
