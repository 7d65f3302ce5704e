"""Answers that a Request Tracker gives at bad moments, or could give in another version."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.request_tracker import queries
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    Rejected,
    Unauthentic,
    Unauthorised,
    Unintelligible,
)
from syncd.core.model import Audience, ConnectionName, OpId, PairId, Side, TicketId
from syncd.core.operations import Draft, Fate, Intent, UpdateTicket
from syncd.core.stamp import stamp_for
from syncd.ports import Read
from tests.contract.desk import LINK
from tests.support.clock import FakeClock
from tests.support.request_tracker_script import (
    AT,
    a_row,
    a_script,
    a_text,
    a_ticket,
    body_of,
    listing,
    ok,
    refusal,
    scripted,
    ticket,
)

_SECONDS = 20.0
TICKET = TicketId("1")
OP = OpId("0" * 32)
STAMP = stamp_for(LINK, OP)


def an_op(**changed: Any) -> UpdateTicket:
    draft = Draft(html="<p>Ours</p>", audience=Audience.PUBLIC)
    op = UpdateTicket(op_id=OP, side=Side.PLATFORM, ticket_id=TICKET, comment=draft)
    return replace(op, **changed)


def an_intent(op: UpdateTicket | None = None) -> Intent:
    return Intent(
        op=op or an_op(),
        pair_id=PairId(1),
        connection=ConnectionName("rt"),
        stamp=STAMP,
        precondition="7",
        tags_before=frozenset({"vip"}),
        status_before="open",
        highest_comment_id=None,
        known_ids=frozenset(),
        attempt=1,
        sent_at=AT,
    )


WRITTEN = ok(["Correspondence added"], 201, location="/REST/2.0/transaction/8")


# --- writes --------------------------------------------------------------------------------------


async def test_a_write_whose_answer_names_nothing_is_unknown() -> None:
    rt = a_script()
    rt.on("POST ticket", ok(["Correspondence added"], 201))
    with pytest.raises(OutcomeUnknown):
        await scripted(rt, FakeClock()).write(an_intent())
    assert rt.counts("POST ticket") == 1


async def test_a_write_that_cannot_be_read_back_is_unknown() -> None:
    rt = a_script()
    rt.on("POST ticket", WRITTEN)
    rt.on("GET transactions", refusal(500, "Internal Server Error"))
    with pytest.raises(OutcomeUnknown):
        await scripted(rt, FakeClock()).write(an_intent())


@pytest.mark.parametrize(
    ("shown", "expected"), [(refusal(404, "Not Found"), Gone), (ticket(), Rejected)]
)
async def test_a_400_is_about_the_ticket_only_if_it_is_not_there(
    shown: Any, expected: type[Exception]
) -> None:
    rt = a_script()
    rt.on("GET ticket", ticket(), shown)
    rt.on("POST ticket", refusal(400, "Permission Denied"))
    with pytest.raises(expected):
        await scripted(rt, FakeClock()).write(an_intent())


async def test_a_comment_that_lost_its_stamp_is_the_last_until_somebody_asks_again() -> None:
    rt = a_script()
    rt.on("POST ticket", WRITTEN)
    rt.on("GET transactions", listing(a_row(8), a_row(7, "Create")))
    connector = scripted(rt, FakeClock())
    answer = await connector.write(an_intent())
    assert answer.comment_ids == ("8",)
    with pytest.raises(Rejected, match="found again"):
        await connector.write(an_intent())
    assert rt.counts("POST ticket") == 1


async def test_a_public_comment_that_came_out_private_and_the_reverse_are_told() -> None:
    for kind, stored in (("Comment", Audience.SHARED), ("Correspond", Audience.PUBLIC)):
        rt = a_script()
        rt.on("POST ticket", WRITTEN)
        rt.on("GET transactions", listing(a_row(8, kind, stamp=STAMP), a_row(7, "Create")))
        answer = await scripted(rt, FakeClock()).write(an_intent())
        assert answer.stored == (stored,)


async def test_a_comment_of_a_kind_that_is_new_to_us_counts_as_the_most_private() -> None:
    rt = a_script()
    rt.on("POST ticket", WRITTEN)
    rt.on("GET transactions", listing(a_row(8, "Whisper", stamp=STAMP), a_row(7, "Create")))
    answer = await scripted(rt, FakeClock()).write(an_intent())
    assert answer.stored == (Audience.LOCAL,)


async def test_one_post_carries_comment_stamp_status_and_all_tags() -> None:
    rt = a_script()
    rt.on("POST ticket", WRITTEN)
    steps = a_row(9, "Status", OldValue="open", NewValue="stalled", Field="Status")
    rt.on("GET transactions", listing(steps, a_row(8, stamp=STAMP), a_row(7, "Create")))
    op = an_op(status="stalled", add_tags=frozenset({"new"}), remove_tags=frozenset({"vip"}))
    answer = await scripted(rt, FakeClock()).write(an_intent(op))
    (post,) = [request for request in rt.requests if request.method == "POST"]
    assert body_of(post) == {
        "Content": "<p>Ours</p>",
        "ContentType": "text/html",
        "TxnCustomFields": {"SyncOrigin": STAMP},
        "CustomFields": {"Tags": ["new"]},
        "Status": "stalled",
    }
    assert answer.replaced_status == "open"
    shown = answer.sighting.ticket
    assert shown is not None
    assert (shown.status, shown.fields_as_of) == ("stalled", 9)
    assert rt.counts("GET ticket") == 1


async def test_fields_alone_are_guarded_by_the_version() -> None:
    rt = a_script()
    rt.on("PUT ticket", refusal(412, "Precondition Failed"))
    with pytest.raises(Exception, match="412"):
        await scripted(rt, FakeClock()).write(an_intent(an_op(comment=None, status="stalled")))
    (put,) = [request for request in rt.requests if request.method == "PUT"]
    assert put.headers["if-match"] == '"7"'


# --- lost writes ---------------------------------------------------------------------------------


async def test_two_comments_of_one_stamp_are_for_a_person() -> None:
    rt = a_script()
    rt.on("GET transactions", listing(a_row(9, stamp=STAMP), a_row(8, stamp=STAMP)))
    finding = await scripted(rt, FakeClock()).find(an_intent())
    assert finding.fate is Fate.AMBIGUOUS


async def test_a_lost_comment_is_waited_for_and_then_sent_again() -> None:
    rt = a_script()
    rt.on("GET transactions", listing())
    clock = FakeClock(AT)
    connector = scripted(rt, clock, late_writes="2m")
    clock.advance(119)
    with pytest.raises(OutcomeUnknown):
        await connector.find(an_intent())
    clock.advance(1)
    assert (await connector.find(an_intent())).fate is Fate.REPEATABLE
    rt.on("GET ticket", ticket(9))
    assert (await connector.find(an_intent())).fate is Fate.ABSENT


async def test_lost_fields_need_no_wait_because_a_late_put_is_refused() -> None:
    op = an_op(comment=None, status="stalled")
    rt = a_script()
    assert (await scripted(rt, FakeClock(AT)).find(an_intent(op))).fate is Fate.REPEATABLE


# --- reads ---------------------------------------------------------------------------------------


async def test_rts_own_403_is_a_ticket_out_of_sight_while_a_queue_is_in_sight() -> None:
    rt = a_script()
    rt.on("GET ticket", refusal(403, "Forbidden"))
    assert await scripted(rt, FakeClock()).fetch(TICKET, Read.FIELDS) is None
    rt.on("GET queue", refusal(403, "Forbidden"))
    with pytest.raises(Unauthorised):
        await scripted(rt, FakeClock()).fetch(TICKET, Read.FIELDS)


@pytest.mark.parametrize(
    "row", [a_row(8) | {"id": "x"}, a_row(8) | {"Created": "soon"}, {"id": "8"}]
)
async def test_a_transaction_that_cannot_be_read_stops_nothing_silently(row: Any) -> None:
    rt = a_script()
    rt.on("GET transactions", listing(row))
    with pytest.raises(Unintelligible):
        await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE)


async def test_what_has_no_text_and_no_file_is_no_comment_when_the_ticket_was_made() -> None:
    rt = a_script()
    rt.on("GET attachments", listing())
    seen = await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE)
    assert seen is not None
    assert seen.comments == ()


async def test_of_two_forms_of_one_text_the_richer_is_taken_and_files_are_files() -> None:
    rt = a_script()
    root = a_text(1, 7, "", ContentType="multipart/mixed", ContentLength="0")
    plain = a_text(2, 7, "Hi there", ContentType="text/plain")
    rich = a_text(3, 7, "<p>Hi <b>there</b></p>")
    named = a_text(4, 7, "", Filename="notes.txt", ContentType="text/plain", ContentLength="5")
    picture = a_text(5, 7, "", ContentType="image/png", ContentLength="9")
    rt.on("GET attachments", listing(root, plain, rich), listing(root, plain, rich, named, picture))
    seen = await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE)
    assert seen is not None
    (comment,) = seen.comments
    assert comment.html == "<p>Hi <b>there</b></p>"
    assert [(f.attachment_id, f.name, f.size) for f in comment.attachments] == [
        ("4", "notes.txt", 5),
        ("5", "", 9),
    ]


async def test_texts_are_asked_for_while_a_slow_rt_still_answers_for_the_fields() -> None:
    rt = a_script()
    both = asyncio.Barrier(2)

    async def together(request: httpx.Request) -> httpx.Response:
        if request.url.path.split("/")[3] in {"ticket", "attachments"}:
            await both.wait()
        return rt(request)

    connector = scripted(together, FakeClock())
    seen = await asyncio.wait_for(connector.fetch(TICKET, Read.WHOLE), timeout=_SECONDS)
    assert seen is not None
    assert [comment.html for comment in seen.comments] == ["<p>Hi</p>"]


async def test_texts_that_fail_while_the_ticket_is_gone_leave_nothing_behind() -> None:
    rt = a_script()
    rt.on("GET ticket", refusal(404, "Not found"))
    rt.on("GET attachments", listing({"id": "no number"}))
    assert await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE) is None


async def test_never_more_requests_are_on_their_way_than_rt_has_workers_for() -> None:
    rt = a_script()
    busy: list[int] = []
    now = 0

    async def slowly(request: httpx.Request) -> httpx.Response:
        nonlocal now
        now += 1
        busy.append(now)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        now -= 1
        return rt(request)

    connector = scripted(slowly, FakeClock(), at_once=2)
    # The first of a kind goes alone.
    await connector.fetch(TICKET, Read.FIELDS)
    await asyncio.gather(*(connector.fetch(TICKET, Read.FIELDS) for _ in range(6)))
    assert max(busy) == 2


# --- the feed ------------------------------------------------------------------------------------


async def test_a_transaction_that_is_committed_late_is_delivered_once_and_none_twice() -> None:
    rt = a_script()
    connector = scripted(rt, FakeClock())
    began = await connector.read_changes(None)
    rt.on("GET transactions", listing(a_row(7, "Create"), a_row(10)))
    rt.on("GET attachments", listing(a_text(2, 10)))
    first = await connector.read_changes(began.cursor)
    assert [c.comment_id for s in first.sightings for c in s.comments] == ["10"]
    rt.on("GET transactions", listing(a_row(7, "Create"), a_row(9), a_row(10)))
    rt.on("GET attachments", listing(a_text(3, 9)))
    second = await connector.read_changes(first.cursor)
    assert [c.comment_id for s in second.sightings for c in s.comments] == ["9"]
    third = await connector.read_changes(second.cursor)
    assert third.sightings == ()


async def test_young_pages_are_walked_and_old_ones_are_not_asked_for_again() -> None:
    rt = a_script()
    connector = scripted(rt, FakeClock())
    began = await connector.read_changes(None)
    rows = [a_row(number, "SystemError") for number in range(7, 107)]
    rt.on("GET transactions", listing(*rows))
    page = await connector.read_changes(began.cursor)
    assert not page.is_end
    rt.on("GET transactions", listing(a_row(107)))
    rt.on("GET attachments", listing(a_text(2, 107)))
    end = await connector.read_changes(page.cursor)
    assert end.is_end
    assert [c.comment_id for s in end.sightings for c in s.comments] == ["107"]
    old = f"{AT - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    rt.on("GET transactions", listing(*(row | {"Created": old} for row in rows)))
    aged = await connector.read_changes(end.cursor)
    assert aged.sightings == ()
    await connector.read_changes(aged.cursor)
    asked = [r.url.params for r in rt.requests if r.url.path.endswith("transactions")]
    assert [(params["query"].rpartition("> ")[2], params["page"]) for params in asked[1:]] == [
        ("0", "1"),
        ("0", "2"),
        ("0", "1"),
        ("106", "1"),
    ]


async def test_a_busy_desk_is_not_read_from_its_beginning() -> None:
    rt = a_script()
    rt.on("GET transactions", listing(*(a_row(n) for n in range(1100, 1000, -1))))
    connector = scripted(rt, FakeClock())
    began = await connector.read_changes(None)
    await connector.read_changes(began.cursor)
    assert rt.requests[-1].url.params["query"].endswith("id > 1000")


async def test_a_hand_off_that_never_left_goes_again_at_once() -> None:
    rt = a_script()
    rt.on("GET transactions", listing())
    op = an_op(leave_view="Partner-Acme")
    connector = scripted(rt, FakeClock(AT))
    assert (await connector.find(an_intent(op))).fate is Fate.REPEATABLE
    rt.on("GET ticket", ticket(9))
    with pytest.raises(OutcomeUnknown):
        await connector.find(an_intent(op))


async def test_a_row_that_cannot_be_read_stops_its_own_ticket_and_no_other() -> None:
    rt = a_script()
    connector = scripted(rt, FakeClock())
    began = await connector.read_changes(None)
    bad = a_row(8) | {"Created": "soon"}
    rt.on("GET transactions", listing(bad, a_row(9, ObjectId="2")))
    rt.on("GET tickets", listing(a_ticket(), a_ticket(id=2)))
    rt.on("GET attachments", listing(a_text(2, 9)))
    changes = await connector.read_changes(began.cursor)
    by_id = {sighting.ticket_id: sighting for sighting in changes.sightings}
    assert by_id[TICKET].is_unreadable
    assert [c.comment_id for c in by_id[TicketId("2")].comments] == ["9"]
    assert (await connector.read_changes(changes.cursor)).sightings == ()


async def test_texts_and_tickets_that_cannot_be_read_are_read_by_their_own_pairs() -> None:
    rt = a_script()
    connector = scripted(rt, FakeClock())
    began = await connector.read_changes(None)
    rt.on("GET transactions", listing(a_row(9), a_row(10, ObjectId="2")))
    rt.on("GET tickets", listing(a_ticket(), a_ticket(id=2, Status=None)))
    rt.on("GET attachments", listing(a_text(2, 9) | {"Content": 5}))
    changes = await connector.read_changes(began.cursor)
    by_id = {sighting.ticket_id: sighting for sighting in changes.sightings}
    assert by_id[TICKET].is_unreadable
    assert by_id[TicketId("2")].moved_at == 10


async def test_what_hides_behind_a_page_of_hidden_rows_is_found_by_and_by() -> None:
    rt = a_script()
    clock = FakeClock()
    connector = scripted(rt, clock)
    began = await connector.read_changes(None)
    rt.on("GET transactions", listing())
    quiet = await connector.read_changes(began.cursor)
    assert rt.counts("GET transactions") == 2
    clock.advance(700)
    rt.on("GET transactions", listing(), listing(a_row(300)))
    rt.on("GET attachments", listing(a_text(2, 300)))
    found = await connector.read_changes(quiet.cursor)
    assert [c.comment_id for s in found.sightings for c in s.comments] == ["300"]


@pytest.mark.parametrize("cursor", ["", "{}", "nonsense", '{"since":"x","low":1}'])
async def test_a_cursor_of_somebody_elses_starts_at_the_present(cursor: str) -> None:
    changes = await scripted(a_script(), FakeClock()).read_changes(cursor)
    assert (changes.sightings, changes.is_end) == ((), True)


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_a_file_is_unpacked_wherever_its_pieces_are_cut(size: int) -> None:
    content = bytes(range(256)) * 3
    packed = base64.encodebytes(content).decode().replace("\n", "\\n")
    headers = '"Headers" : "x: \\"Content\\" : \\"no\\"",'
    whole = f'{{ {headers} "Content" : "{packed}", "id" : 5 }}'.encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    connector = scripted(a_script(), FakeClock())
    files = connector.attachments
    assert files is not None
    unpacked = b"".join([piece async for piece in files._unpacked(pieces())])
    assert unpacked == content


# --- webhooks and queries ------------------------------------------------------------------------


async def test_a_signed_riddle_is_unintelligible_and_without_a_secret_nothing_is_believed() -> None:
    connector = scripted(a_script(), FakeClock())
    with pytest.raises(Unauthentic):
        connector.read_webhook({}, b"{}", now=AT)


def test_no_name_ends_its_quotes() -> None:
    assert queries.quoted("a' OR 'b\\") == "'a\\' OR \\'b\\\\'"


# --- listings that lie ---------------------------------------------------------------------------


async def test_a_search_for_a_stamp_that_shows_other_rows_finds_nothing_and_repeats_nothing() -> (
    None
):
    rt = a_script()
    rt.on("GET transactions", listing(a_row(7, "Create")))
    clock = FakeClock()
    clock.advance(3600)
    finding = await scripted(rt, clock).find(an_intent())
    assert finding.fate is Fate.AMBIGUOUS


async def test_a_ticket_that_is_gone_after_its_comment_leaves_the_comment_in_doubt() -> None:
    rt = a_script()
    rt.on("POST ticket", WRITTEN)
    rt.on("GET ticket", ticket(), refusal(404, "Not Found"))
    rt.on("GET transactions", listing(a_row(99, "Whatever")))
    with pytest.raises(OutcomeUnknown):
        await scripted(rt, FakeClock()).write(an_intent())


@pytest.mark.parametrize("since", [0, 50])
async def test_a_thread_whose_pages_never_end_is_no_answer(since: int) -> None:
    rt = a_script()
    rt.on("GET transactions", listing(*(a_row(number, "Status") for number in range(101, 201))))
    with pytest.raises(Unintelligible):
        await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE, comments_as_of=since)


async def test_files_whose_pages_never_end_are_no_answer() -> None:
    rt = a_script()
    rt.on("GET attachments", listing(*(a_text(number, 7) for number in range(100))))
    with pytest.raises(Unintelligible):
        await scripted(rt, FakeClock()).fetch(TICKET, Read.WHOLE)


async def test_a_ticket_of_a_view_that_cannot_be_read_hides_no_page_behind_it() -> None:
    rt = a_script()
    rows = [a_ticket(id=number) for number in range(1, 51)]
    rows[7]["Status"] = None
    rt.on("GET tickets", listing(*rows), listing(a_ticket(id=51)))
    pages = [page async for page in scripted(rt, FakeClock()).view("Partner-Acme")]
    told = [sighting for page in pages for sighting in page.sightings]
    assert {sighting.ticket_id for sighting in told} == {str(n) for n in range(1, 52)}
    assert [sighting.ticket_id for sighting in told if sighting.is_unreadable] == ["8"]
    assert [page.is_end for page in pages] == [False, True]


async def test_a_view_whose_pages_never_move_on_is_no_answer() -> None:
    rt = a_script()
    rt.on("GET tickets", listing(*(a_ticket(id=number) for number in range(1, 51))))
    with pytest.raises(Unintelligible):
        _ = [page async for page in scripted(rt, FakeClock()).view("Partner-Acme")]
