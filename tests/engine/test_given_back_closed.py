"""A ticket that comes back to the partner's view while it is closed: nobody believes in vain that
somebody else has it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.core.model import Ball
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, VIEWS, BothDesks, both_desks
from tests.engine.lineages import a_pair, bodies, follow_ups, newest, partner_ticket

PHRASE = "<p>Reassign to Heroku</p>"
TOLD = "given back to Acme while it is closed"
AGAIN = "is with Acme again"


async def handed_and_closed(desks: BothDesks) -> str:
    """A ticket that the platform's staff took over and closed."""
    ticket_id = await a_pair(desks)
    await desks.answer(ticket_id, PHRASE, public=False)
    await desks.settle()
    assert VIEWS["acme"] not in desks.ticket(ticket_id).views
    desks.write(ticket_id, who=STAFF, status="Closed")
    await desks.settle()
    assert desks.twin(ticket_id).status == "solved"
    return ticket_id


async def give_back(desks: BothDesks, ticket_id: str) -> None:
    desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["acme"])
    await desks.settle()


async def ball(desks: BothDesks, ticket_id: str) -> Ball | None:
    pair = await desks.pair(ticket_id)
    assert pair.state is PairState.ACTIVE
    return pair.ball


@pytest.mark.parametrize("for_good", [False, True], ids=["solved", "closed"])
async def test_given_back_closed_it_stays_closed_and_staff_are_told_what_that_means(
    tmp_path: Path, for_good: bool
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await handed_and_closed(desks)
        if for_good:
            await desks.answer(ticket_id, status="closed")
            await desks.settle()
        await give_back(desks, ticket_id)
        (told,) = desks.read(ticket_id, TOLD)
        assert told.comment is not None
        assert told.comment.visibility == "private"
        twin = desks.twin(ticket_id)
        assert desks.ticket(ticket_id).status == "Closed"
        assert twin.status == ("closed" if for_good else "solved")
        assert follow_ups(desks, twin) == []
        assert sum(AGAIN in body for body in bodies(twin)) == (not for_good)
        assert not any(TOLD in body for body in bodies(twin))
        assert await ball(desks, ticket_id) is Ball.NOBODY
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before


@pytest.mark.parametrize("for_good", [False, True], ids=["solved", "closed"])
async def test_opened_after_that_the_partner_has_it(tmp_path: Path, for_good: bool) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await handed_and_closed(desks)
        closed = desks.twin(ticket_id)
        if for_good:
            await desks.answer(ticket_id, status="closed")
            await desks.settle()
        await give_back(desks, ticket_id)
        desks.write(ticket_id, "<p>es geht wieder los</p>", who=STAFF, status="Open")
        await desks.settle()
        ticket = await newest(desks, ticket_id)
        assert (ticket.id != closed.id) == for_good
        assert ticket.status == "open"
        assert "with-platform" not in ticket.tags
        assert sum(AGAIN in body for body in bodies(ticket)) == 1
        assert sum("es geht wieder los" in body for body in bodies(ticket)) == 1
        assert await ball(desks, ticket_id) is Ball.PARTNER
        await desks.agent_does(
            "acme",
            {"as": "alice@acme.test", "ticket_id": ticket.id, "status": "solved"},
        )
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Closed"
        assert partner_ticket(desks, ticket.id).status == "solved"


async def test_opened_in_the_same_update_nobody_is_told_that_it_is_closed(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await handed_and_closed(desks)
        desks.write(ticket_id, who=STAFF, status="Open")
        await give_back(desks, ticket_id)
        assert desks.read(ticket_id, TOLD) == []
        assert desks.twin(ticket_id).status == "open"
        assert await ball(desks, ticket_id) is Ball.PARTNER


async def test_given_back_closed_a_second_time_staff_are_told_a_second_time(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await handed_and_closed(desks)
        await give_back(desks, ticket_id)
        desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=VIEWS["acme"])
        await desks.settle()
        await give_back(desks, ticket_id)
        assert len(desks.read(ticket_id, TOLD)) == 2
