"""Imports of many tickets: what a job's answer tells, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.sandbox import Fault
from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.imports import LATE_JOB, MOST_READ_AT_ONCE
from syncd.core.errors import Gone, OutcomeUnknown, RateLimited, Rejected
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, Snapshot
from syncd.core.operations import Answer, CreateTicket, Fate, Intent
from tests.contract.desk import a_creation, a_draft, an_intent
from tests.support.spoiling import Edited
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk

BULK = "/imports/tickets/create_many"
MANY = MOST_READ_AT_ONCE + 2


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk() as desk:
        yield desk


def intents(desk: ZendeskDesk, count: int) -> list[Intent]:
    """So many imports of three comments each, that go together."""
    return [
        replace(an_intent(desk, a_creation_of(desk, number)), company=count)
        for number in range(count)
    ]


def a_creation_of(desk: ZendeskDesk, number: int) -> CreateTicket:
    drafts = [
        a_draft(desk, f"<p>first {number}</p>"),
        a_draft(desk, f"<p>second {number}</p>", Audience.SHARED),
        a_draft(desk, f"<p>third {number}</p>"),
    ]
    return a_creation(desk, *drafts, is_silent=True, op_id=f"{number:032x}")


async def carried(desk: ZendeskDesk, wanted: Sequence[Intent]) -> list[Answer | BaseException]:
    """What each caller gets when all ask at one moment."""
    writes = (desk.connector.write(intent) for intent in wanted)
    return await asyncio.gather(*writes, return_exceptions=True)


def answers(results: Sequence[Answer | BaseException]) -> list[Answer]:
    assert [r for r in results if not isinstance(r, Answer)] == []
    return [result for result in results if isinstance(result, Answer)]


def asked(desk: ZendeskDesk) -> list[str]:
    """Every request so far without those for tokens, places and our own name."""
    rows = (f"{entry.method} {entry.template}" for entry in desk.sandbox.log.since(0))
    return [r for r in rows if not any(w in r for w in ("oauth", "/users/me", "webhooks"))]


def twins(desk: ZendeskDesk, wanted: Sequence[Intent]) -> list[int]:
    """How many tickets there are of each."""
    creations = [i.op for i in wanted if isinstance(i.op, CreateTicket)]
    return [len(desk.tickets(op.external_id)) for op in creations]


def shown(answer: Answer) -> Snapshot:
    snapshot = merge_snapshot(None, answer.sighting)
    assert snapshot is not None
    return snapshot


async def arrived(desk: ZendeskDesk, snapshot: Snapshot, since: Intent) -> Snapshot:
    """The mirror's ticket after a walk along the events."""
    page = await desk.connector.read_arrivals(None, since=since.sent_at)
    for sighting in page.sightings:
        if sighting.ticket_id == snapshot.ticket.ticket_id:
            snapshot = merge_snapshot(snapshot, sighting) or snapshot
    return snapshot


async def test_a_few_that_go_together_come_back_whole(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 5)
    results = answers(await carried(desk, wanted))
    assert twins(desk, wanted) == [1] * 5
    for intent, answer in zip(wanted, results, strict=True):
        assert isinstance(intent.op, CreateTicket)
        assert desk.tickets(intent.op.external_id) == (answer.ticket_id,)
        stored = desk.stored(answer.ticket_id)
        assert answer.comment_ids == tuple(c.comment_id for c in stored.comments)
        assert answer.stored == (Audience.PUBLIC, Audience.SHARED, Audience.PUBLIC)
    assert asked(desk).count(f"POST /api/v2{BULK}") == 1


async def test_three_are_not_worth_a_job(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 3)
    answers(await carried(desk, wanted))
    assert asked(desk).count("POST /api/v2/imports/tickets") == 3


async def test_a_hundred_are_three_requests_and_have_no_names_yet(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 100)
    results = answers(await carried(desk, wanted))
    assert [answer.is_named for answer in results] == [False] * 100
    assert twins(desk, wanted) == [1] * 100
    assert asked(desk) == [
        f"POST /api/v2{BULK}",
        "GET /api/v2/job_statuses/show_many",
        "GET /api/v2/tickets/show_many",
    ]


async def test_more_than_a_hundred_are_split(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 130)
    answers(await carried(desk, wanted))
    assert twins(desk, wanted) == [1] * 130
    assert asked(desk).count(f"POST /api/v2{BULK}") == 2
    # Both jobs are asked after in one request.
    assert asked(desk).count("GET /api/v2/job_statuses/show_many") <= 2


async def test_a_request_stays_small_however_long_the_histories(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 4)
    long = a_draft(desk, f"<p>{'x' * 59_000}</p>")
    wanted = [
        replace(i, op=replace(i.op, comments=(long,) * 30))
        for i in wanted
        if isinstance(i.op, CreateTicket)
    ]
    answers(await carried(desk, wanted))
    assert asked(desk).count(f"POST /api/v2{BULK}") == 2


async def test_names_come_with_the_events_and_cost_no_read_of_the_ticket(
    desk: ZendeskDesk,
) -> None:
    wanted = intents(desk, MANY)
    first = answers(await carried(desk, wanted))[0]
    early = await desk.connector.find(wanted[0], shown=shown(first))
    assert early.answer is not None
    assert not early.answer.is_named
    await desk.catch_up()
    snapshot = await arrived(desk, shown(first), wanted[0])
    desk.sandbox.log.clear()
    finding = await desk.connector.find(wanted[0], shown=snapshot)
    assert finding.answer is not None
    stored = desk.stored(first.ticket_id)
    assert finding.answer.comment_ids == tuple(c.comment_id for c in stored.comments)
    assert finding.answer.stored == (Audience.PUBLIC, Audience.SHARED, Audience.PUBLIC)
    assert asked(desk) == []


async def test_what_an_agent_wrote_meanwhile_is_not_taken_for_ours(desk: ZendeskDesk) -> None:
    wanted = intents(desk, MANY)
    first = answers(await carried(desk, wanted))[0]
    theirs = await desk.answer(first.ticket_id, "<p>first 0</p>")
    await desk.catch_up()
    snapshot = await arrived(desk, shown(first), wanted[0])
    assert theirs in {comment.comment_id for comment in snapshot.comments}
    finding = await desk.connector.find(wanted[0], shown=snapshot)
    assert finding.answer is not None
    assert len(finding.answer.comment_ids) == 3
    assert theirs not in finding.answer.comment_ids


async def test_a_comment_made_private_meanwhile_has_the_thread_read_again(
    desk: ZendeskDesk,
) -> None:
    wanted = intents(desk, MANY)
    first = answers(await carried(desk, wanted))[0]
    stored = desk.stored(first.ticket_id)
    await desk.restrict(first.ticket_id, stored.comments[0].comment_id)
    await desk.catch_up()
    snapshot = await arrived(desk, shown(first), wanted[0])
    assert snapshot.ticket.is_comment_hinted


async def test_a_mirror_that_holds_only_a_part_of_them_is_not_enough(desk: ZendeskDesk) -> None:
    wanted = intents(desk, MANY)
    first = answers(await carried(desk, wanted))[0]
    await desk.answer(first.ticket_id, "<p>by an agent</p>")
    await desk.catch_up()
    whole = await arrived(desk, shown(first), wanted[0])
    as_of = shown(first).ticket.comments_as_of
    part = replace(
        whole,
        ticket=replace(whole.ticket, comments_as_of=as_of),
        comments=(whole.comments[0], *whole.comments[2:]),
    )
    finding = await desk.connector.find(wanted[0], shown=part)
    assert finding.answer is not None
    assert not finding.answer.is_named


async def test_an_account_whose_imports_make_no_events_has_its_threads_read() -> None:
    async with a_zendesk_desk(import_shows_in_events=False) as desk:
        wanted = intents(desk, MANY)
        first = answers(await carried(desk, wanted))[0]
        # Another ticket's change moves the feed on.
        await desk.catch_up()
        snapshot = await arrived(desk, shown(first), wanted[0])
        assert snapshot.comments == ()
        desk.clock.advance(600)
        finding = await desk.connector.find(wanted[0], shown=snapshot)
        assert finding.answer is not None
        assert finding.answer.is_named
        assert len(finding.answer.comment_ids) == 3


async def test_an_imported_ticket_that_is_gone_says_so(desk: ZendeskDesk) -> None:
    wanted = intents(desk, MANY)
    first = answers(await carried(desk, wanted))[0]
    await desk.delete(first.ticket_id)
    desk.clock.advance(700)
    with pytest.raises(Gone):
        await desk.connector.find(wanted[0], shown=shown(first))


# --- rows that fail ------------------------------------------------------------------------------


async def test_a_refused_row_is_refused_by_itself(desk: ZendeskDesk) -> None:
    wanted = intents(desk, MANY)
    assert isinstance(wanted[3].op, CreateTicket)
    customer = (("assignee", "carl@globex.test"),)
    wanted[3] = replace(wanted[3], op=replace(wanted[3].op, placement=customer))
    results = await carried(desk, wanted)
    assert isinstance(results[3], Rejected)
    assert [type(result) for result in results].count(Rejected) == 1
    assert len(answers([*results[:3], *results[4:]])) == MANY - 1
    assert twins(desk, wanted) == [1, 1, 1, 0] + [1] * (MANY - 4)


async def test_a_request_that_is_refused_whole_is_narrowed_to_the_row_at_fault(
    desk: ZendeskDesk,
) -> None:
    wanted = intents(desk, 8)
    desk.sandbox.faults.arm(Fault(action="status", status=422, path=BULK, times=1))
    results = answers(await carried(desk, wanted))
    assert len(results) == 8
    assert twins(desk, wanted) == [1] * 8
    assert asked(desk).count(f"POST /api/v2{BULK}") == 3


async def test_a_full_job_queue_is_waited_for(desk: ZendeskDesk) -> None:
    await desk.switch(job_seconds=3600)
    for number in range(30):
        body = {"tickets": [{"subject": f"{number}", "comment": {"body": "x"}}]}
        made = await desk.control.post("/api/v2/tickets/create_many", json=body)
        assert made.status_code == 200
    wanted = intents(desk, 5)
    results = await carried(desk, wanted)
    assert [type(result) for result in results] == [RateLimited] * 5
    assert twins(desk, wanted) == [0] * 5


async def test_a_killed_job_leaves_the_rest_to_be_looked_for(desk: ZendeskDesk) -> None:
    await desk.switch(job_dies_after_rows=4)
    wanted = intents(desk, MANY)
    results = await carried(desk, wanted)
    assert len(answers(results[:4])) == 4
    assert {type(result) for result in results[4:]} == {OutcomeUnknown}
    await desk.switch(job_dies_after_rows=None)
    for intent in wanted[4:]:
        assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE
    answers(await carried(desk, wanted[4:]))
    assert twins(desk, wanted) == [1] * MANY


async def test_a_job_that_nobody_can_ask_after_is_looked_for_by_ticket(desk: ZendeskDesk) -> None:
    wanted = intents(desk, MANY)
    desk.sandbox.faults.arm(Fault(action="status", status=503, path="show_many", times=1000))
    results = await carried(desk, wanted)
    assert {type(result) for result in results} == {OutcomeUnknown}
    desk.sandbox.faults.clear()
    desk.sandbox.desk.account.jobs.clear()
    desk.clock.advance(3700)
    for intent in wanted[:2]:
        finding = await desk.connector.find(intent)
        assert finding.answer is not None
        assert len(finding.answer.comment_ids) == 3


# --- lost answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["drop_after", "truncate", "html"])
async def test_a_lost_job_is_found_in_the_listing_of_jobs(desk: ZendeskDesk, action: str) -> None:
    wanted = intents(desk, 100)
    is_applied = {"is_applied": True} if action == "html" else {}
    desk.sandbox.faults.arm(Fault(action=action, path=BULK, **is_applied))  # type: ignore[arg-type]
    results = await carried(desk, wanted)
    assert {type(result) for result in results} == {OutcomeUnknown}
    desk.sandbox.log.clear()
    findings = await asyncio.gather(*(desk.connector.find(intent) for intent in wanted))
    assert {finding.fate for finding in findings} == {Fate.FOUND}
    ids = [finding.answer.ticket_id for finding in findings if finding.answer]
    assert len(set(ids)) == 100
    assert asked(desk) == ["GET /api/v2/job_statuses", "GET /api/v2/tickets/show_many"]


async def test_a_lost_request_that_never_began_a_job_may_go_again(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 100)
    desk.sandbox.faults.arm(Fault(action="drop_before", path=BULK))
    await carried(desk, wanted)
    desk.sandbox.log.clear()
    findings = await asyncio.gather(*(desk.connector.find(intent) for intent in wanted))
    assert {finding.fate for finding in findings} == {Fate.REPEATABLE}
    assert desk.clock.now() - wanted[0].sent_at >= LATE_JOB
    assert asked(desk) == ["GET /api/v2/job_statuses"]
    answers(await carried(desk, wanted))
    assert twins(desk, wanted) == [1] * 100


async def test_nothing_goes_again_while_a_job_is_at_work_that_may_be_ours(
    desk: ZendeskDesk,
) -> None:
    await desk.switch(job_seconds=120)
    wanted = intents(desk, 20)
    desk.sandbox.faults.arm(Fault(action="drop_after", path=BULK))
    await carried(desk, wanted)
    with pytest.raises(OutcomeUnknown):
        await desk.connector.find(wanted[0])
    desk.clock.advance(130)
    finding = await desk.connector.find(wanted[0])
    assert finding.fate is Fate.FOUND
    assert twins(desk, wanted) == [1] * 20


async def test_after_jobs_may_be_forgotten_each_ticket_is_looked_for(desk: ZendeskDesk) -> None:
    wanted = intents(desk, 5)
    desk.clock.advance(timedelta(hours=2).total_seconds())
    assert (await desk.connector.find(wanted[0])).fate is Fate.REPEATABLE
    assert asked(desk).count("GET /api/v2/tickets") == 2


def behind(desk: ZendeskDesk, edit: Callable[[str, Any], Any]) -> ZendeskConnector:
    """Another connector, whose answers somebody changes."""
    line = Edited(desk.sandbox, edit)
    return a_connector(desk.address, desk.clock, token=TOKEN, transport=line)


async def test_tickets_that_were_made_and_cannot_be_read_are_looked_for_and_not_made_again(
    desk: ZendeskDesk,
) -> None:
    def unreadable(path: str, value: Any) -> Any:
        return {} if path.endswith("/audits") else value

    connector = behind(desk, unreadable)
    wanted = intents(desk, 5)
    writes = (connector.write(intent) for intent in wanted)
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [OutcomeUnknown] * 5
    await connector.close()
    fates = [(await desk.connector.find(intent)).fate for intent in wanted]
    assert fates == [Fate.FOUND] * 5
    assert twins(desk, wanted) == [1] * 5


async def lost_and_found(desk: ZendeskDesk, edit: Callable[[str, Any], Any]) -> None:
    """A job's imports, with answers that somebody changes: none is known, and each is found."""
    connector = behind(desk, edit)
    wanted = intents(desk, MANY)
    writes = (connector.write(intent) for intent in wanted)
    answered = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(each) for each in answered] == [OutcomeUnknown] * MANY
    desk.clock.advance(60)
    fates = [(await connector.find(intent)).fate for intent in wanted]
    assert fates == [Fate.FOUND] * MANY
    await connector.close()


@pytest.mark.parametrize(
    "results", [None, {"success": True}, ["created"], [{"index": 0}]], ids=lambda r: str(r)[:12]
)
async def test_a_job_whose_rows_cannot_be_read_does_not_say_that_nothing_was_made(
    desk: ZendeskDesk, results: Any
) -> None:
    def unreadable(path: str, value: Any) -> Any:
        for job in value.get("job_statuses", []) if isinstance(value, dict) else []:
            job["results"] = results
        return value

    await lost_and_found(desk, unreadable)


async def test_a_ticket_of_a_job_that_cannot_be_read_is_looked_for_by_its_external_id(
    desk: ZendeskDesk,
) -> None:
    def unreadable(path: str, value: Any) -> Any:
        if path.endswith("/tickets/show_many"):
            return value | {"tickets": [row | {"status": 7} for row in value["tickets"]]}
        return value

    await lost_and_found(desk, unreadable)


async def test_an_answer_that_shows_another_ticket_says_nothing_about_ours(
    desk: ZendeskDesk,
) -> None:
    other = await desk.open_ticket()

    def another(path: str, value: Any) -> Any:
        if path.endswith(("/tickets", "/imports/tickets")):
            value["ticket"] |= {"id": int(other), "external_id": None}
        return value

    connector = behind(desk, another)
    for is_silent in (True, False):
        op = a_creation(
            desk, a_draft(desk, "<p>x</p>"), is_silent=is_silent, op_id=f"{int(is_silent):032x}"
        )
        with pytest.raises(OutcomeUnknown):
            await connector.write(an_intent(desk, op))
        assert len(desk.tickets(op.external_id)) == 1
    await connector.close()
