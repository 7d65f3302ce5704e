"""Updates of many tickets in one request: what the job tells of each, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox import Fault
from syncd.core.errors import Gone, OutcomeUnknown, RateLimited, Stale
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, OpId, Side, Snapshot, TicketId
from syncd.core.operations import Answer, Fate, Intent, UpdateTicket
from syncd.ports import Read
from tests.contract.desk import a_draft, an_intent
from tests.support.spoiling import Edited
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk

MANY = "PUT /api/v2/tickets/update_many"
ONE = "PUT /api/v2/tickets/{id}"


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk() as desk:
        yield desk


async def snapshots(desk: ZendeskDesk, count: int) -> list[Snapshot]:
    """So many tickets as they are read when their second is over."""
    numbers = [await desk.open_ticket() for _ in range(count)]
    desk.clock.advance(5)
    found = []
    for number in numbers:
        sighting = await desk.connector.fetch(number, Read.WHOLE)
        assert sighting is not None
        snapshot = merge_snapshot(None, sighting)
        assert snapshot is not None
        found.append(snapshot)
    desk.sandbox.log.clear()
    return found


def an_update(desk: ZendeskDesk, snapshot: Snapshot, *, says: bool, company: int) -> Intent:
    number = snapshot.ticket.ticket_id
    draft = a_draft(desk, f"<p>word {number}</p>", Audience.SHARED) if says else None
    op = UpdateTicket(
        op_id=OpId(f"{int(number):032x}"),
        side=Side.PARTNER,
        ticket_id=number,
        comment=draft,
        status=None if says else "pending",
    )
    return replace(an_intent(desk, op, snapshot), company=company)


async def carried(desk: ZendeskDesk, wanted: Sequence[Intent]) -> list[Answer | BaseException]:
    writes = (desk.connector.write(intent) for intent in wanted)
    return await asyncio.gather(*writes, return_exceptions=True)


def asked(desk: ZendeskDesk) -> list[str]:
    rows = (f"{entry.method} {entry.template}" for entry in desk.sandbox.log.since(0))
    return [r for r in rows if not any(w in r for w in ("oauth", "/users/me", "webhooks"))]


async def test_fields_are_settled_at_once_in_three_requests(desk: ZendeskDesk) -> None:
    shown = await snapshots(desk, 30)
    results = await carried(desk, [an_update(desk, s, says=False, company=30) for s in shown])
    assert asked(desk) == [
        MANY,
        "GET /api/v2/job_statuses/show_many",
        "GET /api/v2/tickets/show_many",
    ]
    for result in results:
        assert isinstance(result, Answer)
        assert result.is_named
        assert result.replaced_status is None
        assert result.sighting.ticket is not None
        assert result.sighting.ticket.status == "pending"


async def test_three_go_by_themselves(desk: ZendeskDesk) -> None:
    shown = await snapshots(desk, 3)
    await carried(desk, [an_update(desk, s, says=True, company=3) for s in shown])
    assert asked(desk) == [ONE] * 3


async def test_comments_have_no_names_until_the_feed_tells(desk: ZendeskDesk) -> None:
    shown = await snapshots(desk, 10)
    wanted = [an_update(desk, s, says=True, company=10) for s in shown]
    results = await carried(desk, wanted)
    assert [isinstance(r, Answer) and r.is_named for r in results] == [False] * 10
    for intent, snapshot in zip(wanted, shown, strict=True):
        finding = await desk.connector.find(intent, shown=snapshot)
        assert finding.answer is not None
        assert not finding.answer.is_named
    before = len(asked(desk))
    desk.clock.advance(70)
    page = await desk.connector.read_arrivals(None, since=wanted[0].sent_at)
    told = {sighting.ticket_id: sighting for sighting in page.sightings}
    for intent, snapshot in zip(wanted, shown, strict=True):
        number = snapshot.ticket.ticket_id
        named = merge_snapshot(snapshot, told[number])
        finding = await desk.connector.find(intent, shown=named)
        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        newest = desk.stored(number).comments[-1]
        assert finding.answer.comment_ids == (newest.comment_id,)
        assert finding.answer.stored == (Audience.SHARED,)
    assert not [r for r in asked(desk)[before:] if "audits" in r or r.startswith("PUT")]


async def test_a_conflict_and_a_ticket_that_is_gone_are_those_rows_alone(
    desk: ZendeskDesk,
) -> None:
    shown = await snapshots(desk, 10)
    desk.clock.advance(5)
    await desk.answer(shown[2].ticket.ticket_id, "<p>quicker</p>")
    wanted = [an_update(desk, s, says=False, company=10) for s in shown]
    op = wanted[5].op
    assert isinstance(op, UpdateTicket)
    wanted[5] = replace(wanted[5], op=replace(op, ticket_id=TicketId("999999999")))
    results = await carried(desk, wanted)
    assert isinstance(results[2], Stale)
    assert isinstance(results[5], Gone)
    others = [r for n, r in enumerate(results) if n not in (2, 5)]
    assert all(isinstance(result, Answer) for result in others)


async def test_a_full_job_queue_is_a_wait_and_nothing_is_written(desk: ZendeskDesk) -> None:
    shown = await snapshots(desk, 5)
    desk.sandbox.faults.arm(Fault(action="status", status=429, path="update_many"))
    results = await carried(desk, [an_update(desk, s, says=True, company=5) for s in shown])
    assert all(isinstance(result, RateLimited) for result in results)
    assert [len(desk.stored(s.ticket.ticket_id).comments) for s in shown] == [1] * 5


@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
async def test_a_lost_answer_is_looked_for_ticket_by_ticket(desk: ZendeskDesk, action: str) -> None:
    shown = await snapshots(desk, 5)
    desk.sandbox.faults.arm(Fault(action=action, path="update_many"))  # type: ignore[arg-type]
    wanted = [an_update(desk, s, says=True, company=5) for s in shown]
    results = await carried(desk, wanted)
    assert all(isinstance(result, OutcomeUnknown) for result in results)
    fate = Fate.REPEATABLE if action == "drop_before" else Fate.FOUND
    for intent, snapshot in zip(wanted, shown, strict=True):
        finding = await desk.connector.find(intent, shown=snapshot)
        assert finding.fate is fate
    assert asked(desk).count("GET /api/v2/job_statuses") == 1


async def test_two_rows_of_one_ticket_that_contradict_each_other_settle_nothing(
    desk: ZendeskDesk,
) -> None:
    def contradicting(path: str, value: Any) -> Any:
        for job in value.get("job_statuses", []) if "job_statuses" in path else []:
            refused = [{"id": row["id"], "error": "UpdateConflict"} for row in job["results"]]
            job["results"] += refused
        return value

    line = Edited(desk.sandbox, contradicting)
    connector = a_connector(desk.address, desk.clock, token=TOKEN, transport=line)
    shown = await snapshots(desk, 5)
    wanted = [an_update(desk, each, says=True, company=5) for each in shown]
    writes = (connector.write(intent) for intent in wanted)
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [OutcomeUnknown] * 5
    assert [(await connector.find(intent)).fate for intent in wanted] == [Fate.FOUND] * 5
    await connector.close()
