"""A backfill of many tickets: a hundred a request, each comment once, whatever becomes of a job."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.zendesk.sandbox.records import Ticket
from syncd.core.model import Side
from tests.engine.backfilling import a_history, backfilled, kinds, miss, silence
from tests.engine.both_desks import BothDesks, both_desks

_BULK = "/imports/tickets/create_many"


def histories(desks: BothDesks, count: int, *, comments: int = 5) -> list[str]:
    """So many tickets with five comments each."""
    return [a_history(desks, comments) for _ in range(count)]


def hold_all(desks: BothDesks, tickets: list[str], *, comments: int = 5) -> None:
    """Assert that each ticket has one twin with every comment once, in order, and its note."""
    for ticket_id in tickets:
        *copies, note = desks.twin(ticket_id).comments
        said = [f"Satz {number} der Reihe" in copy.body for number, copy in enumerate(copies)]
        assert said == [True] * comments
        assert not note.is_public


async def rest(desks: BothDesks) -> None:
    """What came by itself afterwards: nothing, on either desk."""
    before = desks.writes(), [len(t.comments) for t in _twins(desks)]
    async with silence(desks):
        await desks.settle()
    assert (desks.writes(), [len(t.comments) for t in _twins(desks)]) == before


def _twins(desks: BothDesks) -> list[Ticket]:
    return list(desks.partners["acme"].desk.account.tickets.values())


async def test_a_hundred_tickets_are_imported_in_one_request(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 105)
        desks.forget_requests()
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.born, report.done, report.waiting) == (105, 105, 0)
        hold_all(desks, tickets)
        await rest(desks)


async def test_an_account_whose_imports_make_no_events_costs_one_read_a_ticket(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, import_shows_in_events=False) as desks:
        tickets = histories(desks, 40)
        desks.forget_requests()
        report = await backfilled(desks)
        assert (report.done, report.waiting) == (40, 0)
        assert kinds(desks, Side.PARTNER)["GET /api/v2/tickets/{id}/audits"] == 40
        hold_all(desks, tickets)
        await rest(desks)


async def test_with_events_nothing_of_a_ticket_is_read_by_itself(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 100)
        desks.forget_requests()
        report = await backfilled(desks)
        assert (report.done, report.waiting) == (100, 0)
        assert kinds(desks, Side.PLATFORM) == {"GET /tickets": 1}
        asked = kinds(desks, Side.PARTNER)
        assert asked.pop("GET /api/v2/incremental/ticket_events") <= 8
        assert asked == {
            "GET /api/v2/users/me": 1,
            "GET /api/v2/groups": 1,
            f"POST /api/v2{_BULK}": 1,
            "GET /api/v2/job_statuses/show_many": 1,
            "GET /api/v2/tickets/show_many": 1,
            "GET /api/v2/users/show_many": 2,
            "POST /api/v2/users": 1,
        }
        hold_all(desks, tickets)


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "truncate", "html"])
async def test_a_lost_answer_doubles_and_loses_nothing(tmp_path: Path, action: str) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 60)
        applied: Any = {"is_applied": True} if action == "html" else {}
        desks.arm(Side.PARTNER, action, path=_BULK, times=2, **applied)
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (60, 0, 0)
        hold_all(desks, tickets)
        await rest(desks)


async def test_a_killed_jobs_rest_is_imported_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path, job_dies_after_rows=7) as desks:
        tickets = histories(desks, 30)
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (30, 0, 0)
        hold_all(desks, tickets)
        await rest(desks)


async def test_what_a_customer_says_while_the_twin_is_imported_comes_once(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 30)
        work = asyncio.create_task(backfilled(desks))
        while not _twins(desks):
            await asyncio.sleep(0)
        for ticket_id in tickets[:3]:
            desks.write(ticket_id, "<p>Satz 5 der Reihe</p>")
        await work
        await desks.settle()
        for ticket_id in tickets[:3]:
            assert len(desks.heard(ticket_id, "Satz 5 der Reihe")) == 1
            assert len(desks.read(ticket_id, "Satz 0 der Reihe")) == 1
            assert len(desks.twin(ticket_id).comments) == 7
        hold_all(desks, tickets[3:])


async def test_what_an_agent_says_on_a_fresh_import_comes_back_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 30)
        work = asyncio.create_task(backfilled(desks))
        while len(_twins(desks)) < 30:
            await asyncio.sleep(0)
        await desks.answer(tickets[0], "<p>Antwort vom Partner</p>")
        await work
        await desks.settle()
        assert len(desks.read(tickets[0], "Antwort vom Partner")) == 1
        assert len(desks.twin(tickets[0]).comments) == 7


async def test_a_backfill_that_dies_before_the_names_is_finished_by_the_next(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 30)
        desks.arm(Side.PARTNER, "status", status=503, path="ticket_events", times=1000)
        report = await backfilled(desks)
        assert (report.done, report.waiting) == (0, 30)
        (summary,) = [s for s in await desks.made.store.summaries() if s.pairs]
        assert summary.importing == 30
        desks.disarm()
        report = await backfilled(desks)
        assert (report.done, report.waiting) == (30, 0)
        (summary,) = [s for s in await desks.made.store.summaries() if s.pairs]
        assert summary.importing == 0
        hold_all(desks, tickets)
        await rest(desks)


async def test_the_daemons_feed_names_what_a_dead_backfill_imported(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = histories(desks, 30)
        before = [len(desks.ticket(ticket_id).updates) for ticket_id in tickets]
        await miss(desks)
        desks.arm(Side.PARTNER, "status", status=503, path="ticket_events", times=1000)
        await backfilled(desks)
        desks.disarm()
        async with silence(desks):
            await desks.settle()
        hold_all(desks, tickets)
        assert {len(t.comments) for t in _twins(desks)} == {6}
        assert [len(desks.ticket(ticket_id).updates) for ticket_id in tickets] == before
