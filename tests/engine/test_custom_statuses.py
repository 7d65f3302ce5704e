"""A partner's custom statuses between both desks: read by name, written, and waiting alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.zendesk.sandbox import CustomStatus
from connectors.zendesk.sandbox.custom_statuses import CUSTOM_STATUS, named_status
from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, VIEWS, BothDesks, both_desks, both_know

WAITING = "Waiting for engineering"
ANSWERED = "Waiting for you"
OWN = (
    CustomStatus(label=WAITING, category="open"),
    CustomStatus(label=ANSWERED, category="pending"),
)
PARTNER = f'custom_statuses: {{"{WAITING}": open, "{ANSWERED}": pending}}'
MAP = (
    f'status: {{Open: [open, new, hold], With customer: ["{ANSWERED}", pending],'
    " Closed: [solved, closed]}"
)


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>wer daran arbeitet</p>")
    await desks.settle()
    return ticket_id


def custom(desks: BothDesks, ticket_id: str) -> int:
    return int(desks.twin(ticket_id).values["custom_status_id"])


def the_id(desks: BothDesks, label: str) -> int:
    return named_status(desks.partners["acme"].desk.account.settings, label)


def activate(desks: BothDesks, *, is_active: bool) -> None:
    account = desks.partners["acme"].desk.account
    own = tuple(replace(one, is_active=is_active) for one in account.settings.custom_statuses)
    account.settings = replace(account.settings, custom_statuses=own)


@pytest.mark.parametrize("feed", ["exports", "sweep"])
@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_an_agents_custom_status_stays_and_the_platform_with_it(
    tmp_path: Path, feed: str, has_webhooks: bool
) -> None:
    async with both_desks(
        tmp_path,
        link=MAP,
        partner=PARTNER,
        feed=feed,
        has_webhooks=has_webhooks,
        custom_statuses=OWN,
    ) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, status="open")
        await desks.settle()
        desks.forget_requests()
        await desks.answer(ticket_id, custom_status=WAITING)
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert custom(desks, ticket_id) == the_id(desks, WAITING)

        await desks.answer(ticket_id, status="open")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert custom(desks, ticket_id) == CUSTOM_STATUS["open"]
        both = [*desks.requests(Side.PARTNER), *desks.requests(Side.PLATFORM)]
        assert [r for r in both if r[0] != "GET"] == []

        await desks.answer(ticket_id, custom_status=ANSWERED)
        await desks.settle()
        assert desks.ticket(ticket_id).status == "With customer"
        await desks.answer(ticket_id, custom_status=WAITING)
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert custom(desks, ticket_id) == the_id(desks, WAITING)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_the_maps_first_value_is_written_as_the_custom_status(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=MAP, partner=PARTNER, custom_statuses=OWN) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, custom_status=WAITING)
        await desks.settle()
        desks.write(ticket_id, who=STAFF, status="With customer")
        await desks.settle()
        twin = desks.twin(ticket_id)
        assert (twin.status, custom(desks, ticket_id)) == ("pending", the_id(desks, ANSWERED))
        desks.write(ticket_id, who=STAFF, status="Open")
        await desks.settle()
        assert (twin.status, custom(desks, ticket_id)) == ("open", CUSTOM_STATUS["open"])
        assert desks.ticket(ticket_id).status == "Open"


async def test_an_inactive_one_waits_alone_and_arrives_when_it_is_active_again(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, link=MAP, partner=PARTNER, custom_statuses=OWN) as desks:
        ticket_id = await a_pair(desks)
        activate(desks, is_active=False)
        desks.write(
            ticket_id,
            "<p>nur für uns alle</p>",
            who=STAFF,
            visibility="private",
            views=[VIEWS["acme"]],
            status="With customer",
            add_tags=["t-warten"],
        )
        await desks.settle()

        both_know(desks, ticket_id, "nur für uns alle")
        twin = desks.twin(ticket_id)
        assert "t-warten" in twin.tags
        assert twin.status in ("new", "open")
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        (row,) = await desks.made.store.refused()
        assert (row.side, row.refused.status) == (Side.PARTNER, ANSWERED)
        assert len(desks.read(ticket_id, ANSWERED)) == 1

        activate(desks, is_active=True)
        await desks.answer(ticket_id, priority="high")
        await desks.settle()
        assert custom(desks, ticket_id) == the_id(desks, ANSWERED)
        assert await desks.made.store.refused() == []
