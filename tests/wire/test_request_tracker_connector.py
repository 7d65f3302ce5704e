"""What only a real Request Tracker does: moves, merges, its own openings, refusals in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from connectors.sandbox import Fault
from syncd.core.agreed import FileState
from syncd.core.attachment import Attachment
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    Refusal,
    Rejected,
    Stale,
    Unauthorised,
)
from syncd.core.mirror import merge_snapshot
from syncd.core.model import Audience, CommentId, End, Role, TicketId
from syncd.core.operations import DraftFile, Fate
from syncd.core.policy import LinkPolicy
from syncd.ports import Read
from tests.contract.connector_files import KEY, pieces, with_files
from tests.contract.connector_suite import mirrored, text_of, walk
from tests.contract.desk import LINK, a_draft, an_intent, an_update, look
from tests.support.request_tracker import Place
from tests.support.request_tracker_desk import (
    HAND_OFF,
    RequestTrackerTestDesk,
    a_request_tracker_desk,
)

Desk = RequestTrackerTestDesk
#: Each takes RT some 40 ms.
_MOST_LOOKS = 200


@pytest.fixture
async def desk(request_tracker: Place) -> AsyncIterator[Desk]:
    async with a_request_tracker_desk(request_tracker) as desk:
        yield desk


async def set_field(desk: Desk, ticket_id: TicketId, **values: Any) -> None:
    """An agent changes fields by RT's own names."""
    path = f"/ticket/{ticket_id}"
    await desk.act(desk.people.call, "agent1", "PUT", path, json=values)


def leaving(desk: Desk, ticket_id: TicketId, html: str = "<p>Yours</p>") -> Any:
    draft = a_draft(desk, html, Audience.SHARED)
    return replace(an_update(desk, ticket_id, comment=draft), leave_view=desk.view)


def requests_since(desk: Desk, before: int) -> list[str]:
    """The requests after so many, by method and the first part of their path."""
    entries = desk.sandbox.log.since(before)
    return [f"{entry.method} {entry.path.split('/')[3]}" for entry in entries]


async def past_the_second_of(desk: Desk, ticket_id: TicketId) -> None:
    """Wait until RT's own clock shows a later second than the ticket's last update."""
    updated_at = datetime.fromisoformat(desk.people.ticket(ticket_id)["LastUpdated"])
    for _ in range(_MOST_LOOKS):
        answer = await desk.act(desk.people.call, "root", "GET", "/rt")
        if parsedate_to_datetime(answer.headers["Date"]) > updated_at:
            return
    raise AssertionError("RT's clock does not go on")


# --- hand-off ------------------------------------------------------------------------------------


async def test_a_hand_off_moves_the_ticket_to_the_queue_with_its_comment_and_keeps_it_open(
    desk: Desk,
) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)

    answer = await desk.connector.write(an_intent(desk, leaving(desk, ticket_id), seen))

    shown = answer.sighting.ticket
    assert shown is not None
    assert shown.views == {HAND_OFF}
    assert desk.people.ticket(ticket_id)["Queue"]["Name"] == HAND_OFF
    stored = desk.stored(ticket_id)
    assert (stored.status, stored.comments[-1].text) == ("new", "Yours")
    assert not stored.comments[-1].is_public


async def test_a_hand_off_to_an_owner_takes_the_ticket_out_of_the_view(
    request_tracker: Place,
) -> None:
    async with a_request_tracker_desk(request_tracker, hand_off={"owner": "agent2"}) as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        assert seen.ticket.views == {desk.view}
        answer = await desk.connector.write(an_intent(desk, leaving(desk, ticket_id), seen))
        shown = answer.sighting.ticket
        assert shown is not None
        assert shown.views == frozenset()
        assert desk.people.ticket(ticket_id)["Owner"]["id"] == "agent2"


async def test_a_hand_off_whose_comment_was_lost_has_left_and_owes_the_comment(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    intent = an_intent(desk, leaving(desk, ticket_id), seen)
    desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", skip=1))
    with pytest.raises(OutcomeUnknown):
        await desk.connector.write(intent)
    await desk.outlast()
    assert (await desk.connector.find(intent)).fate is Fate.ABSENT
    after = await look(desk, ticket_id)
    assert after.ticket.views == {HAND_OFF}
    assert desk.stored(ticket_id).count("Yours") == 0


# --- statuses ------------------------------------------------------------------------------------


async def test_a_closed_ticket_that_rt_opens_on_our_comment_ends_with_our_status(
    desk: Desk,
) -> None:
    ticket_id = await desk.open_ticket()
    await desk.answer(ticket_id, "<p>Done</p>", status="resolved")
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>But</p>"), status="stalled")

    answer = await desk.connector.write(an_intent(desk, op, seen))

    assert desk.stored(ticket_id).status == "stalled"
    # RT's own opening in between is nobody's change.
    assert answer.replaced_status == "resolved"


async def test_a_status_that_the_lifecycle_has_not_is_refused_by_name(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    with pytest.raises(Rejected) as caught:
        await desk.connector.write(
            an_intent(desk, an_update(desk, ticket_id, status="nonsense"), seen)
        )
    assert caught.value.refusal is Refusal.STATUS


async def test_a_comment_whose_status_is_refused_arrives_and_says_nothing_of_the_fields(
    desk: Desk,
) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Hello</p>"), status="nonsense")
    answer = await desk.connector.write(an_intent(desk, op, seen))
    assert answer.sighting.ticket is None
    assert desk.stored(ticket_id).comments[-1].text == "Hello"
    known = merge_snapshot(seen, answer.sighting)
    assert known is not None
    # So the ticket is read, and the status is planned again, alone.
    assert known.ticket.is_stale


# --- ends ----------------------------------------------------------------------------------------


async def test_a_deleted_ticket_is_shown_as_deleted_and_takes_no_comment(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    await desk.delete(ticket_id)
    after = await look(desk, ticket_id)
    assert after.ticket.end is End.DELETED
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Hello?</p>"))
    with pytest.raises(Gone):
        await desk.connector.write(an_intent(desk, op, seen))
    # RT itself would have taken it.
    assert desk.stored(ticket_id).count("Hello?") == 0


async def test_the_feed_says_that_a_ticket_was_deleted(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    known = await look(desk, ticket_id)
    _, cursor = await walk(desk.connector, None)
    await desk.delete(ticket_id)
    sightings, _ = await walk(desk.connector, cursor)
    after = mirrored(ticket_id, sightings, known)
    assert after.ticket.is_stale
    (many,) = await desk.connector.fetch_many([ticket_id])
    assert merge_snapshot(known, many) == after


async def test_a_merged_ticket_leads_to_the_other_and_takes_no_comment(desk: Desk) -> None:
    ticket_id, other = await desk.open_ticket(), await desk.open_ticket(subject="Again")
    seen = await look(desk, ticket_id)
    await set_field(desk, ticket_id, MergeInto=other)
    after = await look(desk, ticket_id)
    assert (after.ticket.end, after.ticket.merged_into) == (End.MERGED, other)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Lost?</p>"))
    with pytest.raises(Stale):
        await desk.connector.write(an_intent(desk, op, seen))
    assert desk.stored(other).count("Lost?") == 0


async def test_what_was_said_on_a_ticket_that_was_merged_into_ours_stays_there(
    desk: Desk,
) -> None:
    ticket_id = await desk.open_ticket(html="<p>Ours</p>")
    foreign = await desk.open_ticket(html="<p>Somebody else's</p>")
    await set_field(desk, foreign, MergeInto=ticket_id)
    seen = await look(desk, ticket_id)
    assert [text_of(comment.html) for comment in seen.comments] == ["Ours"]
    assert seen.ticket.comments_as_of >= seen.ticket.fields_as_of


# --- who may read it -----------------------------------------------------------------------------


async def test_a_private_comment_belongs_to_the_queue_in_which_it_was_written(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    _, cursor = await walk(desk.connector, None)
    await desk.answer(ticket_id, "<p>For Acme</p>", is_public=False)
    await set_field(desk, ticket_id, Queue=HAND_OFF)
    await desk.answer(ticket_id, "<p>Among us</p>", is_public=False)

    seen = await look(desk, ticket_id)

    private = [c for c in seen.comments if c.audience is Audience.SHARED]
    assert [(text_of(c.html), c.views) for c in private] == [
        ("For Acme", frozenset({desk.view})),
        ("Among us", frozenset({HAND_OFF})),
    ]
    # The feed does not guess: what moved is read anew.
    sightings, _ = await walk(desk.connector, cursor)
    moved = next(s for s in sightings if s.ticket_id == ticket_id)
    assert moved.is_unreadable
    assert moved.comments == ()


async def test_only_what_people_say_is_a_comment(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    await desk.answer(ticket_id, "<p>Answer</p>", status="stalled")
    await set_field(desk, ticket_id, Subject="Other", Priority=50, Owner="agent1")
    kinds = {row["Type"] for row in desk.people.history(ticket_id)}
    assert {"Status", "EmailRecord", "Set"} <= kinds
    seen = await look(desk, ticket_id)
    assert [text_of(c.html) for c in seen.comments] == ["It is broken.", "Answer"]
    assert seen.comments[0].author.role is Role.CUSTOMER
    assert seen.comments[1].author.role is Role.STAFF


async def test_nobody_is_shown_by_an_address(desk: Desk) -> None:
    made = await desk.act(
        desk.people.open,
        "agent1",
        queue=desk.view,
        subject="By mail",
        html="<p>x</p>",
        requestor="wanda.lost@elsewhere.test",
    )
    seen = await look(desk, TicketId(made))
    requester = seen.ticket.requester
    assert requester.name == "wanda.lost"
    assert "@" not in requester.person_id
    address = await desk.connector.requester_address(TicketId(made))
    assert address == "wanda.lost@elsewhere.test"


async def test_a_plain_text_keeps_its_lines(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    body = {"Content": "One\nTwo <b>\n\nThree", "ContentType": "text/plain"}
    await desk.act(desk.people.call, "agent1", "POST", f"/ticket/{ticket_id}/correspond", json=body)
    seen = await look(desk, ticket_id)
    assert seen.comments[-1].html == "<p>One<br>Two &lt;b&gt;</p><p>Three</p>"


async def test_metadata_is_what_was_named_and_nothing_else(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    await set_field(desk, ticket_id, CustomFields={"App": "shop", "Region": "eu"})
    seen = await look(desk, ticket_id)
    assert seen.ticket.metadata == (("App", "shop"),)


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "content"),
    [("text/plain", "gr\u00fc\u00dfe\r\n".encode("latin-1")), ("message/rfc822", b"Subject: x\n")],
)
async def test_a_file_that_rt_would_rewrite_arrives_byte_by_byte(
    desk: Desk, content_type: str, content: bytes
) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    file = Attachment(
        attachment_id="x", name="a.txt", size=len(content), content_type=content_type, url=""
    )
    assert desk.connector.attachments is not None
    upload = await desk.connector.attachments.upload(
        file, pieces(content), size=len(content), key=KEY
    )
    draft_file = DraftFile(
        comment_id=CommentId("source-1"),
        ordinal=0,
        file=file,
        state=FileState.CARRIED,
        upload=upload,
    )
    op = an_update(desk, ticket_id, comment=with_files(desk, "<p>See</p>", draft_file))
    await desk.connector.write(an_intent(desk, op, seen))
    assert desk.stored(ticket_id).comments[-1].files == (("a.txt", content),)


# --- what it costs -------------------------------------------------------------------------------


async def test_polls_cost_the_same_however_many_tickets_moved(desk: Desk) -> None:
    tickets = [await desk.open_ticket() for _ in range(4)]
    _, cursor = await walk(desk.connector, None)
    await look(desk, tickets[0])
    for ticket_id in tickets:
        await desk.answer(ticket_id, "<p>News</p>")
    await walk(desk.connector, cursor)
    before = desk.sandbox.log.request_count
    _, after = await walk(desk.connector, cursor)
    assert requests_since(desk, before) == [
        "GET transactions",
        "GET tickets",
        "GET attachments",
    ]
    before = desk.sandbox.log.request_count
    sightings, _ = await walk(desk.connector, after)
    assert sightings == []
    assert requests_since(desk, before) == ["GET transactions"]


async def test_a_comment_is_looked_before_written_and_read_back(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    before = 0
    for number in range(2):
        seen = await look(desk, ticket_id)
        before = desk.sandbox.log.request_count
        draft = a_draft(desk, f"<p>No. {number}</p>")
        op = an_update(desk, ticket_id, comment=draft, op_id=f"{number:032x}")
        await desk.connector.write(an_intent(desk, op, seen))
    assert requests_since(desk, before) == ["GET ticket", "POST ticket", "GET transactions"]


async def test_the_feed_costs_nothing_more_for_what_we_wrote_ourselves(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    _, began = await walk(desk.connector, None)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Ours</p>"), status="stalled")
    await desk.connector.write(an_intent(desk, op, seen))
    before = desk.sandbox.log.request_count
    sightings, cursor = await walk(desk.connector, began)
    assert sightings == []
    assert requests_since(desk, before) == ["GET transactions"]
    # A person's word right after it is told.
    await desk.answer(ticket_id, "<p>Theirs</p>")
    sightings, _ = await walk(desk.connector, cursor)
    assert [text_of(c.html) for s in sightings for c in s.comments] == ["Theirs"]
    # Another process knows nothing of our answers.
    other = desk.another()
    try:
        again = (await other.read_changes(began)).sightings
    finally:
        await other.close()
    assert [text_of(c.html) for s in again for c in s.comments] == ["Ours", "Theirs"]


# --- many tickets --------------------------------------------------------------------------------


async def test_a_view_is_listed_in_order_with_its_total(desk: Desk) -> None:
    tickets = [await desk.open_ticket(subject=f"No. {number}") for number in range(3)]
    await desk.delete(tickets[1])
    pages = [page async for page in desk.connector.view(desk.view)]
    shown = [sighting.ticket_id for page in pages for sighting in page.sightings]
    assert shown == [tickets[0], tickets[2]]
    assert (pages[0].total, pages[-1].is_end) == (2, True)
    rest = [page async for page in desk.connector.view(desk.view, cursor=tickets[0])]
    assert [s.ticket_id for page in rest for s in page.sightings] == [tickets[2]]


async def test_a_listing_never_takes_fields_for_newer_than_they_are(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    (listed,) = await desk.connector.fetch_many([ticket_id])
    # Of what lies within one second, a listing cannot tell which transactions it includes.
    await past_the_second_of(desk, ticket_id)
    await desk.answer(ticket_id, "<p>Later</p>", status="stalled")
    (later,) = await desk.connector.fetch_many([ticket_id])
    whole = await look(desk, ticket_id)
    assert listed.ticket is not None
    assert later.ticket is not None
    assert later.ticket.status == "stalled"
    assert listed.ticket.fields_as_of < later.ticket.fields_as_of <= whole.ticket.fields_as_of


async def test_a_user_in_another_time_zone_sees_the_same(desk: Desk) -> None:
    ticket_id = await desk.open_ticket()
    for zone in ("America/Los_Angeles", "Asia/Tokyo", "UTC"):
        await desk.act(desk.people.call, "root", "PUT", "/user/syncbot", json={"Timezone": zone})
        (listed,) = await desk.connector.fetch_many([ticket_id])
        assert listed.ticket is not None
        assert listed.ticket.fields_as_of > 0


# --- what is missing -----------------------------------------------------------------------------


async def test_without_the_stamp_field_no_comment_is_written(request_tracker: Place) -> None:
    async with a_request_tracker_desk(request_tracker, stamp_field="Nowhere") as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Hello</p>"))
        with pytest.raises(Rejected) as caught:
            await desk.connector.write(an_intent(desk, op, seen))
        assert "Nowhere" in caught.value.hint
        assert desk.stored(ticket_id).count("Hello") == 0
        checks = {check.name: check for check in await desk.connector.check()}
        assert not checks["stamp field"].is_ok


async def test_a_view_that_is_not_followed_fails_the_check(desk: Desk) -> None:
    policies = [LinkPolicy(link=LINK, view=desk.view), LinkPolicy(link=LINK, view="Unknown")]
    checks = {check.name: check for check in await desk.connector.check(policies)}
    assert not checks["views"].is_ok
    assert "Unknown" in checks["views"].message


async def test_a_ticket_out_of_sight_is_gone_and_a_blind_token_is_said(
    request_tracker: Place,
) -> None:
    async with a_request_tracker_desk(request_tracker) as desk:
        ticket_id = await desk.open_ticket()
        blind = desk.another(token=desk.people.tokens["cust1"])
        try:
            with pytest.raises(Unauthorised):
                await blind.fetch(TicketId(str(int(ticket_id) + 1000)), Read.FIELDS)
        finally:
            await blind.close()
