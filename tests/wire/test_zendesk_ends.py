"""How Zendesk says that a ticket ended, goes on elsewhere, or lost words: read and written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.zendesk import bodies, kin, mapping, wire
from syncd.core.model import Audience, CommentId, End, TicketId
from syncd.core.operations import CreateTicket, Fate
from syncd.ports import Read
from tests.contract.connector_suite import walk
from tests.contract.desk import look
from tests.support.build import a_creation, a_person, an_intent
from tests.support.zendesk_desk import ZendeskDesk, a_zendesk_desk
from tests.wire.test_zendesk_mapping import BASE, PEOPLE, a_row, an_audit, an_event

MERGE = {"channel": "system", "source": {"from": {"ticket_id": 8}, "to": {}, "rel": "merge"}}
FOLLOW_UP = {"channel": "web", "source": {"from": {"ticket_id": 8}, "to": {}, "rel": "follow_up"}}
CLOSED = {"type": "Change", "field_name": "status", "value": "closed", "previous_value": "open"}
ALICE = "alice@acme.test"


def a_line(**given: Any) -> dict[str, Any]:
    return {"id": 31, "type": "Comment", "author_id": 21, "body": "x", "public": True} | given


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk() as desk:
        yield desk


async def act(desk: ZendeskDesk, deed: str, ticket_id: TicketId, **members: Any) -> int:
    asked = {"as": ALICE, "do": deed, "ticket_id": int(ticket_id), **members}
    answer = await desk.control.post("/_sandbox/act", json=asked)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["ticket"]["id"])


# --- via -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("via", "merged", "followed"),
    [
        (MERGE, "8", None),
        (FOLLOW_UP, None, "8"),
        ({"source": {"from": {"ticket_ids": [8]}, "rel": "merge"}}, "8", None),
        ({"source": {"from": {"ticket_ids": [8, 9]}, "rel": "merge"}}, None, None),
        ({"source": {"from": {"ticket_id": "a/b"}, "rel": "merge"}}, None, None),
        ({"source": {"rel": "trigger", "from": {"ticket_id": 8}}}, None, None),
        ("Web form", None, None),
        ({"source": None}, None, None),
        (None, None, None),
    ],
)
def test_only_an_id_where_one_belongs_relates_two_tickets(
    via: object, merged: str | None, followed: str | None
) -> None:
    assert (kin.merged_with(via), kin.followed(via)) == (merged, followed)


# --- merges --------------------------------------------------------------------------------------


def test_the_update_that_closed_a_merged_ticket_names_its_target() -> None:
    assert mapping.merged_into([an_audit(a_line(), CLOSED, via=MERGE)]) == "8"
    by_line = an_audit(a_line(via=MERGE), CLOSED)
    assert mapping.merged_into([by_line]) == "8"


def test_the_comment_that_a_merge_leaves_in_its_target_names_no_end() -> None:
    assert mapping.merged_into([an_audit(a_line(), via=MERGE)]) is None
    assert mapping.merged_into([an_audit(a_line(), CLOSED)]) is None


@pytest.mark.parametrize("public", [True, False])
def test_what_a_merge_says_by_itself_is_local(public: bool) -> None:
    for update in (
        an_audit(a_line(public=public), via=MERGE),
        an_audit(a_line(public=public, via=MERGE)),
        an_event(a_line(public=public, via=MERGE, event_type="Comment")),
    ):
        (comment,) = mapping.comments_of(update, PEOPLE)
        assert comment.audience is Audience.LOCAL


async def test_a_merged_ticket_is_told_with_its_target_by_feed_and_thread(
    desk: ZendeskDesk,
) -> None:
    source, target = await desk.open_ticket(), await desk.open_ticket()
    await desk.catch_up()
    _, cursor = await walk(desk.connector, None)
    await act(desk, "merge", source, into=int(target))
    await desk.catch_up()
    sightings, _ = await walk(desk.connector, cursor)
    told = {s.merged_into for s in sightings if s.ticket_id == source}
    assert target in told
    assert {s.merged_into for s in sightings if s.ticket_id == target} == {None}
    thread = await desk.connector.fetch(source, Read.WHOLE)
    assert thread is not None
    assert thread.ticket is not None
    assert (thread.ticket.end, thread.merged_into) == (End.MERGED, target)


# --- redactions ----------------------------------------------------------------------------------


def test_blocks_in_the_text_tell_of_a_redaction_that_no_event_names() -> None:
    (comment,) = mapping.comments_of(an_audit(a_line(body="a ▇▇▇ b")), PEOPLE)
    assert comment.is_redacted


async def test_a_redacted_comment_is_shown_as_it_is_now(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    await desk.answer(ticket_id, "<p>the word is hunter2</p>")
    before = (await look(desk, ticket_id)).comments[-1]
    assert not before.is_redacted
    await act(desk, "redact", ticket_id, comment_id=int(before.comment_id), text="hunter2")
    after = (await look(desk, ticket_id)).comments[-1]
    assert after.is_redacted
    assert "hunter2" not in (after.html or "")


def test_a_redacted_file_marks_its_comment() -> None:
    event = {"id": 40, "type": "AttachmentRedaction", "comment_id": 31, "attachment_id": 5}
    assert mapping.redacted_in(an_audit(event)) == {"31"}
    assert mapping.mended_in(an_audit(event)) == {CommentId("31")}


# --- follow-ups ----------------------------------------------------------------------------------


def a_follow_up(source: str, *, person_id: str = "11") -> CreateTicket:
    op = a_creation(external_id=f"syncd:acme:T1/{source}", requester=a_person(person_id=person_id))
    return replace(op, follow_up_of=TicketId(source))


def test_a_follow_up_is_the_closed_tickets_own_requesters() -> None:
    op = a_follow_up("8")
    ticket = json.loads(bodies.creation(op, an_intent(op), placed={}))["ticket"]
    assert (ticket["via_followup_source_id"], ticket["requester_id"]) == (8, 11)
    assert "requester" not in ticket
    assert ticket["comment"]["public"] is True


def test_a_closed_ticket_names_its_follow_ups() -> None:
    row = a_row(status="closed", followup_ids=[12, 13])
    ticket = mapping.to_ticket(row, seen_at=None, people=PEOPLE, base_url=BASE)
    assert ticket.end is End.FINAL
    assert ticket.follow_ups == {TicketId("12"), TicketId("13")}
    assert wire.decode(b'{"id": 5, "via": "odd"}', wire.TicketOfRow).via == "odd"


async def closed(desk: ZendeskDesk) -> TicketId:
    ticket_id = await desk.open_ticket()
    for status in ("solved", "closed"):
        await act(desk, "update", ticket_id, status=status)
    return ticket_id


async def test_a_follow_up_of_a_wanted_ticket_is_told_and_one_of_a_strangers_dropped() -> None:
    wanted: set[TicketId] = set()

    async def ours(ticket_ids: Any) -> set[TicketId]:
        return wanted.intersection(ticket_ids)

    async with a_zendesk_desk(wanted=ours) as desk:
        mine, strange = await closed(desk), await closed(desk)
        await desk.catch_up()
        _, cursor = await walk(desk.connector, None)
        wanted.add(mine)
        comment = {"text": "going on"}
        number = await act(desk, "follow_up", mine, comment=comment)
        await act(desk, "follow_up", strange, comment=comment)
        await desk.catch_up()
        sightings, _ = await walk(desk.connector, cursor)
        told = [s for s in sightings if s.follow_ups]
        assert [(s.ticket_id, s.follow_ups) for s in told] == [(mine, (str(number),))]
        assert {s.ticket_id for s in sightings} == {mine}


@pytest.mark.parametrize("metadata_readable", [True, False])
async def test_a_lost_follow_up_is_found_beside_its_predecessor(metadata_readable: bool) -> None:
    async with a_zendesk_desk(metadata_readable=metadata_readable) as desk:
        ticket_id = await closed(desk)
        seen = await look(desk, ticket_id)
        op = a_follow_up(ticket_id, person_id=seen.ticket.requester.person_id)
        intent = an_intent(
            op, precondition=None, connection=desk.connector.name, sent_at=desk.clock.now()
        )
        assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE
        answer = await desk.connector.write(intent)
        finding = await desk.connector.find(intent)
        assert finding.answer is not None
        assert finding.answer.ticket_id == answer.ticket_id != ticket_id
        assert finding.answer.comment_ids == answer.comment_ids
        again = await desk.connector.write(intent)
        assert again.ticket_id == answer.ticket_id
