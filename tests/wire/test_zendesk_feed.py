"""Zendesk's two exports as one feed: what is dropped, what is proven, what could go in circles."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

import httpx
import pytest
import respx
from structlog.testing import capture_logs

from syncd.core.errors import Unintelligible
from syncd.core.model import End, Role, Sighting, TicketId
from tests.contract.connector_suite import mirrored, walk
from tests.contract.desk import look
from tests.support.clock import FakeClock
from tests.support.zendesk_desk import AGENT, a_connector, a_zendesk_desk

BASE = "https://acme.example"
TICKETS = f"{BASE}/api/v2/incremental/tickets/cursor"
EVENTS = f"{BASE}/api/v2/incremental/ticket_events"


def a_place(**given: Any) -> str:
    return json.dumps({"since": 1000, "events": 1000, "is_past_tickets": True} | given)


def an_event(number: int, timestamp: int, *, ticket_id: int = 7) -> dict[str, Any]:
    return {
        "id": number,
        "ticket_id": ticket_id,
        "timestamp": timestamp,
        "updater_id": 21,
        "child_events": [
            {
                "id": number + 1,
                "event_type": "Comment",
                "author_id": 21,
                "body": "x",
                "public": True,
            }
        ],
    }


def event_page(*events: dict[str, Any], end_time: int | None, is_end: bool) -> dict[str, Any]:
    return {"ticket_events": list(events), "end_time": end_time, "end_of_stream": is_end}


def the_desk_is_scripted() -> None:
    """The people of the script; the exports are each test's own."""
    users = [{"id": 21, "name": "Ada", "role": "agent"}]
    respx.get(url__startswith=f"{BASE}/api/v2/users/show_many").respond(200, json={"users": users})


# --- cost ----------------------------------------------------------------------------------------


async def test_a_poll_without_news_is_two_requests() -> None:
    async with a_zendesk_desk() as desk:
        _, cursor = await walk(desk.connector, None)
        before = desk.sandbox.log.request_count
        for _ in range(3):
            await desk.catch_up()
            _, cursor = await walk(desk.connector, cursor)
        assert desk.sandbox.log.request_count - before == 6


async def test_a_poll_with_news_asks_for_nobody_it_knows() -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        await look(desk, ticket_id)
        await desk.answer(ticket_id, "<p>1</p>")
        await desk.catch_up()
        _, cursor = await walk(desk.connector, None)
        await desk.answer(ticket_id, "<p>2</p>")
        await desk.catch_up()
        _, cursor = await walk(desk.connector, cursor)
        await desk.answer(ticket_id, "<p>3</p>")
        await desk.catch_up()
        before = desk.sandbox.log.request_count
        await walk(desk.connector, cursor)
        assert desk.sandbox.log.request_count - before == 2


async def test_tickets_of_nobody_are_dropped_counted_and_cost_nothing() -> None:
    asked: list[TicketId] = []

    async def nobody(ticket_ids: Sequence[TicketId]) -> Collection[TicketId]:
        asked.extend(ticket_ids)
        return set()

    async with a_zendesk_desk(wanted=nobody) as desk:
        _, cursor = await walk(desk.connector, None)
        ids = [await desk.open_ticket() for _ in range(3)]
        await desk.catch_up()
        before = desk.sandbox.log.request_count
        changes = await desk.connector.read_changes(cursor)
        events = await desk.connector.read_changes(changes.cursor)
        assert (changes.sightings, events.sightings) == ((), ())
        assert (changes.dropped_count, events.dropped_count) == (3, 3)
        assert set(asked) == set(ids)
        assert desk.sandbox.log.request_count - before == 2


async def test_only_the_wanted_tickets_are_decoded() -> None:
    wanted: set[TicketId] = set()

    async def some(ticket_ids: Sequence[TicketId]) -> Collection[TicketId]:
        return wanted

    async with a_zendesk_desk(wanted=some) as desk:
        _, cursor = await walk(desk.connector, None)
        ours = await desk.open_ticket(subject="Ours")
        await desk.open_ticket(subject="Theirs")
        wanted.add(ours)
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        assert {s.ticket_id for s in sightings} == {ours}


# --- what is proven ------------------------------------------------------------------------------


async def test_an_update_and_its_comment_in_the_feed_are_one_update() -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        await desk.answer(ticket_id, "<p>Try</p>", is_public=False, status="pending")
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        after = mirrored(ticket_id, sightings, known)
        assert after.ticket.status_update is not None
        assert after.ticket.status_update.update_id == after.comments[-1].update_id


@respx.mock
async def test_a_page_in_the_middle_proves_all_but_its_last_second() -> None:
    the_desk_is_scripted()
    page = event_page(an_event(1, 1500), an_event(5, 1600), end_time=1600, is_end=False)
    respx.get(url__startswith=EVENTS).respond(200, json=page, headers=dated(FakeClock()))
    changes = await a_connector(BASE, FakeClock(), token="t").read_changes(a_place())
    assert not changes.is_end
    assert changes.sightings[0].covers is not None
    assert (changes.sightings[0].covers.after, changes.sightings[0].covers.to) == (999, 1599)


@respx.mock
async def test_the_end_of_the_stream_proves_all_that_was_over_when_the_minute_began() -> None:
    the_desk_is_scripted()
    clock = FakeClock()
    now = int(clock.time())
    page = event_page(an_event(1, now - 100), end_time=now - 100, is_end=True)
    respx.get(url__startswith=EVENTS).respond(200, json=page, headers=dated(clock))
    changes = await a_connector(BASE, clock, token="t").read_changes(a_place())
    assert changes.is_end
    assert changes.sightings[0].covers is not None
    assert changes.sightings[0].covers.to == now - 61


@respx.mock
async def test_an_event_of_an_unproven_second_comes_again_and_then_with_the_proof() -> None:
    the_desk_is_scripted()
    clock = FakeClock()
    newest = int(clock.time()) - 60
    page = event_page(an_event(1, newest), end_time=newest, is_end=True)
    route = respx.get(url__startswith=EVENTS)
    connector = a_connector(BASE, clock, token="t")
    tickets = {"tickets": [], "after_cursor": "c", "end_of_stream": True}
    respx.get(url__startswith=TICKETS).respond(200, json=tickets)

    route.respond(200, json=page, headers=dated(clock))
    first = await connector.read_changes(a_place())
    assert covered_to(first.sightings) == newest - 1

    clock.advance(10)
    route.respond(200, json=page, headers=dated(clock))
    second, cursor = await walk(connector, first.cursor)
    assert covered_to(second) >= newest

    third, _ = await walk(connector, cursor)
    assert third == []


@respx.mock
async def test_the_start_time_follows_the_desks_word_and_not_the_clock() -> None:
    the_desk_is_scripted()
    clock = FakeClock()
    respx.get(url__startswith=EVENTS).respond(
        200, json=event_page(an_event(1, 1500), end_time=1500, is_end=True), headers=dated(clock)
    )
    changes = await a_connector(BASE, clock, token="t").read_changes(a_place())
    assert json.loads(changes.cursor)["events"] == 1500


@respx.mock
async def test_without_a_date_nothing_is_confirmed_and_nothing_proven_beyond_the_page() -> None:
    the_desk_is_scripted()
    page = event_page(an_event(1, 1500), end_time=1500, is_end=True)
    respx.get(url__startswith=EVENTS).respond(200, json=page)
    changes = await a_connector(BASE, FakeClock(), token="t").read_changes(a_place())
    assert covered_to(changes.sightings) == 1499


async def test_a_deleted_ticket_is_seen_to_be_deleted() -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        _, cursor = await walk(desk.connector, None)
        await desk.delete(ticket_id)
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        shown = [s.ticket for s in sightings if s.ticket is not None]
        assert [ticket.end for ticket in shown] == [End.DELETED]


async def test_a_redacted_comment_is_read_again() -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        written = await desk.answer(ticket_id, "<p>my password is hunter2</p>")
        known = await look(desk, ticket_id)
        _, cursor = await walk(desk.connector, None)
        deed = {"do": "redact", "comment_id": int(written), "text": "hunter2"}
        await desk.act(**{"as": "alice@acme.test", "ticket_id": int(ticket_id)} | deed)
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        after = mirrored(ticket_id, sightings, known)
        assert "hunter2" not in (after.comments[-1].html or "")


async def test_a_comment_made_private_long_after_is_found_in_the_thread() -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        written = await desk.answer(ticket_id, "<p>Oops</p>")
        for number in range(120):
            await desk.answer(ticket_id, f"<p>{number}</p>")
        _, cursor = await walk(desk.connector, None)
        await desk.catch_up()
        _, cursor = await walk(desk.connector, cursor)
        await desk.restrict(ticket_id, written)
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        shown = [c for s in sightings for c in s.comments if c.comment_id == written]
        assert [c.audience.value for c in shown] == ["shared"]


# --- what could go wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("end_time", [None, 1000, 900])
@respx.mock
async def test_an_event_export_that_does_not_move_on_is_not_asked_for_ever(
    end_time: int | None,
) -> None:
    the_desk_is_scripted()
    page = event_page(an_event(1, 1000), end_time=end_time, is_end=False)
    respx.get(url__startswith=EVENTS).respond(200, json=page)
    with pytest.raises(Unintelligible):
        await a_connector(BASE, FakeClock(), token="t").read_changes(a_place())


@pytest.mark.parametrize("after", [None, "same"])
@respx.mock
async def test_a_ticket_export_that_does_not_move_on_is_not_asked_for_ever(
    after: str | None,
) -> None:
    page: dict[str, Any] = {"tickets": [], "after_cursor": after, "end_of_stream": False}
    respx.get(url__startswith=TICKETS).respond(200, json=page)
    place = a_place(tickets="same", is_past_tickets=False)
    with pytest.raises(Unintelligible):
        await a_connector(BASE, FakeClock(), token="t").read_changes(place)


@pytest.mark.parametrize("end_time", [None, 1000])
@respx.mock
async def test_an_empty_page_keeps_its_place(end_time: int | None) -> None:
    page = event_page(end_time=end_time, is_end=True)
    respx.get(url__startswith=EVENTS).respond(200, json=page)
    changes = await a_connector(BASE, FakeClock(), token="t").read_changes(a_place())
    assert changes.is_end
    assert json.loads(changes.cursor)["events"] == 1000


@respx.mock
async def test_the_cursor_of_the_tickets_is_kept_for_ever() -> None:
    page: dict[str, Any] = {"tickets": [], "after_cursor": None, "end_of_stream": True}
    respx.get(url__startswith=TICKETS).respond(200, json=page)
    place = a_place(tickets="kept", is_past_tickets=False)
    changes = await a_connector(BASE, FakeClock(), token="t").read_changes(place)
    assert json.loads(changes.cursor)["tickets"] == "kept"


@respx.mock
async def test_a_broken_row_is_counted_and_its_ticket_is_to_be_read_anew() -> None:
    the_desk_is_scripted()
    row = {"id": 7, "status": "open", "created_at": "2027-01-15T08:00:00Z", "requester_id": 1}
    page = {
        "tickets": [
            row | {"updated_at": "2027-01-15T08:00:00Z"},
            row | {"updated_at": "soon"},
            row | {"updated_at": None},
            {"status": "open"},
        ],
        "after_cursor": "c",
        "end_of_stream": True,
    }
    respx.get(url__startswith=TICKETS).respond(200, json=page)
    broken = [an_event(1, 1500) | change for change in ({"child_events": 7}, {"ticket_id": None})]
    broken.append({"id": 9, "ticket_id": 7})
    events = event_page(an_event(4, 1500), *broken, end_time=1500, is_end=True)
    respx.get(url__startswith=EVENTS).respond(200, json=events)
    connector = a_connector(BASE, FakeClock(), token="t")

    changes = await connector.read_changes(a_place(is_past_tickets=False))
    assert (changes.dropped_count, changes.unreadable_count) == (3, 3)
    assert [s.is_unreadable for s in changes.sightings] == [False, True, True]
    changes = await connector.read_changes(changes.cursor)
    assert (changes.dropped_count, changes.unreadable_count) == (3, 3)
    assert [(s.is_unreadable, len(s.comments), s.covers) for s in changes.sightings] == [
        (False, 1, None),
        (True, 0, None),
    ]
    # The boundary second comes again, and its broken rows were told.
    events = event_page(*broken, end_time=1500, is_end=True)
    respx.get(url__startswith=EVENTS).respond(200, json=events)
    place = json.loads(changes.cursor) | {"is_past_tickets": True}
    changes = await connector.read_changes(json.dumps(place))
    assert (changes.sightings, changes.unreadable_count) == ((), 0)


@respx.mock
async def test_a_cursor_that_the_desk_refuses_is_replaced_by_the_newest_generated_second() -> None:
    row = {"id": 7, "status": "open", "created_at": "2027-01-15T08:00:00Z", "requester_id": 1}
    row |= {"updated_at": "2027-01-15T08:00:00Z", "generated_timestamp": 1_900_000_000}
    tickets = respx.get(url__startswith=TICKETS)
    first = {"tickets": [row], "after_cursor": "lost", "end_of_stream": False}
    again = {"tickets": [row], "after_cursor": "c", "end_of_stream": True}
    tickets.side_effect = [
        httpx.Response(200, json=first),
        httpx.Response(400, json={"error": "InvalidCursor"}),
        httpx.Response(200, json=again),
    ]
    connector = a_connector(BASE, FakeClock(), token="t")
    changes = await connector.read_changes(a_place(is_past_tickets=False))
    with capture_logs() as log:
        changes = await connector.read_changes(changes.cursor)
    assert [line["event"] for line in log] == ["feed.restarted"]
    assert [s.ticket_id for s in changes.sightings] == ["7"]
    asked = dict(tickets.calls.last.request.url.params)
    assert (asked["start_time"], "cursor" in asked) == ("1900000000", False)
    assert json.loads(changes.cursor)["tickets"] == "c"


@respx.mock
async def test_a_refused_start_is_no_reason_to_begin_anew_where_there_is_no_cursor() -> None:
    route = respx.get(url__startswith=TICKETS).respond(422, json={"error": "no"})
    with pytest.raises(Unintelligible):
        await a_connector(BASE, FakeClock(), token="t").read_changes(a_place(is_past_tickets=False))
    assert route.call_count == 1


@pytest.mark.parametrize(("age", "is_too_young"), [(30, True), (3600, False)])
@respx.mock
async def test_a_place_within_the_minute_that_may_not_be_asked_for_waits(
    age: int, is_too_young: bool
) -> None:
    clock = FakeClock()
    respx.get(url__startswith=EVENTS).respond(422, json={"error": "StartTimeTooRecent"})
    me = {"user": {"id": 1}}
    respx.get(f"{BASE}/api/v2/users/me").respond(200, json=me, headers=dated(clock))
    place = a_place(events=int(clock.time()) - age)
    connector = a_connector(BASE, clock, token="t")
    if not is_too_young:
        with pytest.raises(Unintelligible):
            await connector.read_changes(place)
        return
    changes = await connector.read_changes(place)
    assert (changes.is_end, changes.sightings) == (True, ())
    assert json.loads(changes.cursor)["events"] == int(clock.time()) - age


@pytest.mark.parametrize(("events", "place"), [([an_event(1, 1500)], 1501), ([], 1000)])
@respx.mock
async def test_an_end_that_names_the_desks_present_does_not_lead_past_the_withheld_minute(
    events: list[dict[str, Any]], place: int
) -> None:
    the_desk_is_scripted()
    clock = FakeClock()
    page = event_page(*events, end_time=int(clock.time()), is_end=True)
    respx.get(url__startswith=EVENTS).respond(200, json=page, headers=dated(clock))
    changes = await a_connector(BASE, clock, token="t").read_changes(a_place())
    assert json.loads(changes.cursor)["events"] == place


@respx.mock
async def test_a_thread_that_cannot_be_read_does_not_stop_the_feed() -> None:
    the_desk_is_scripted()
    redacted = an_event(1, 1500) | {
        "child_events": [{"id": 2, "event_type": "CommentRedaction", "comment_id": 3}]
    }
    page = event_page(redacted, end_time=1600, is_end=False)
    respx.get(url__startswith=EVENTS).respond(200, json=page)
    respx.get(url__startswith=f"{BASE}/api/v2/tickets/7/audits").respond(200, json={"audits": 7})
    changes = await a_connector(BASE, FakeClock(), token="t").read_changes(a_place())
    assert [s.is_unreadable for s in changes.sightings] == [False, True]


async def test_a_ticket_deleted_for_good_is_seen_to_be_gone() -> None:
    async with a_zendesk_desk() as desk:
        ticket_id = await desk.open_ticket()
        _, cursor = await walk(desk.connector, None)
        await desk.delete(ticket_id)
        await desk.act(**{"as": AGENT, "do": "scrub", "ticket_id": int(ticket_id)})
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        assert [s.ticket.end for s in sightings if s.ticket is not None] == [End.GONE]


@pytest.mark.parametrize("cursor", ["", "{}", "null", a_place(version=2), "not json"])
async def test_a_cursor_of_another_version_is_not_guessed_at(cursor: str) -> None:
    with pytest.raises(Unintelligible):
        await a_connector(BASE, FakeClock(), token="t").read_changes(cursor)


@respx.mock
async def test_the_feed_starts_by_the_desks_clock() -> None:
    clock = FakeClock()
    ahead = FakeClock()
    ahead.advance(5000)
    respx.get(f"{BASE}/api/v2/users/me").respond(
        200, json={"user": {"id": 1}}, headers=dated(ahead)
    )
    page = {"tickets": [], "after_cursor": "c", "end_of_stream": True}
    route = respx.get(url__startswith=TICKETS).respond(200, json=page)
    await a_connector(BASE, clock, token="t").read_changes(None)
    asked = int(dict(route.calls.last.request.url.params)["start_time"])
    assert asked == int(ahead.time()) - 61


@respx.mock
async def test_somebody_whom_the_desk_does_not_show_is_asked_for_once() -> None:
    users = respx.get(url__startswith=f"{BASE}/api/v2/users/show_many")
    users.respond(200, json={"users": []})
    page = event_page(an_event(1, 1500), end_time=1600, is_end=False)
    respx.get(url__startswith=EVENTS).respond(200, json=page)
    connector = a_connector(BASE, FakeClock(), token="t")
    for _ in range(2):
        changes = await connector.read_changes(a_place())
        assert changes.sightings[0].comments[0].author.role is Role.UNKNOWN
    assert users.call_count == 1


def dated(clock: FakeClock) -> dict[str, str]:
    return {"date": clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")}


def covered_to(sightings: Sequence[Sighting]) -> int:
    covers = [s.covers for s in sightings if s.covers is not None]
    assert len(covers) == 1
    return covers[0].to
