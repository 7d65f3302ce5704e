"""Where a pair goes on when the partner's ticket takes no more: decided from values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState, Known, RefusedStatus
from syncd.core.decision import Circumstances
from syncd.core.lineage import Kin, Successor, join, refuse, tell_refused
from syncd.core.model import Audience, End, Side, Snapshot, Status, TicketId
from syncd.core.notes import NoteKind
from syncd.core.operations import CreateTicket, copy_op
from syncd.core.plan import Plan, plan
from syncd.core.thread import note_keys
from tests.support.build import (
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_base,
    a_tag_base,
    a_ticket,
    later,
)
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

POLICY = a_policy()
CORA = a_person(person_id="11")
HERE = a_ticket(views={VIEW})
CLOSED = a_ticket("9001", status="closed", end=End.FINAL, requester=CORA)
MERGED = replace(CLOSED, end=End.MERGED, merged_into=TicketId("9005"))
AGREED = a_base(status=a_status_base(Status.CLOSED, platform="Closed", partner="solved"))
OPENED = replace(HERE, status="Open")
CAN = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}


def look(
    base: Base,
    platform: Snapshot,
    partner: Snapshot,
    circumstances: Circumstances | None = None,
) -> Plan:
    return plan(
        base,
        {Side.PLATFORM: platform, Side.PARTNER: partner},
        policy=POLICY,
        capabilities=CAN,
        circumstances=circumstances or Circumstances(pair_key=PAIR_KEY),
    )


def the_follow_up(found: Plan) -> CreateTicket:
    (operation,) = found.operations
    assert isinstance(operation, CreateTicket)
    return operation


# --- follow-ups ----------------------------------------------------------------------------------


def test_a_follow_up_carries_the_first_words_under_their_own_operation() -> None:
    asked = a_snapshot(OPENED, a_comment("5", audience=Audience.SHARED, views={VIEW}))
    create = the_follow_up(look(AGREED, asked, a_snapshot(CLOSED)))
    assert create.follow_up_of == CLOSED.ticket_id
    assert create.op_id == copy_op(PAIR_KEY, Side.PARTNER, asked.comments[0].comment_id)
    assert create.external_id == f"{PAIR_KEY}/9001"
    assert create.requester == CORA
    assert [draft.audience for draft in create.comments] == [Audience.SHARED]
    assert create.status == "open"


def test_a_status_alone_opens_a_follow_up_with_a_note() -> None:
    create = the_follow_up(look(AGREED, a_snapshot(OPENED), a_snapshot(CLOSED)))
    (note,) = create.comments
    assert note.source_id is None
    assert (note.note_key or "").startswith(NoteKind.FOLLOW_UP.value)
    assert note.audience is Audience.SHARED


def test_tags_and_notes_alone_leave_a_closed_ticket_quiet() -> None:
    done = replace(HERE, status="Closed", tags=frozenset({"t-new"}))
    assert look(AGREED, a_snapshot(done), a_snapshot(CLOSED)).operations == ()


def test_a_status_that_the_partner_has_no_say_in_opens_nothing() -> None:
    away = replace(AGREED, hand_off=HandOff(state=HandOffState.WITHDRAWN, is_tag_set=True))
    shown = a_snapshot(replace(OPENED, views=frozenset()))
    assert look(away, shown, a_snapshot(CLOSED)).operations == ()
    asked = a_snapshot(replace(OPENED, views=frozenset()), a_comment("5"))
    create = the_follow_up(look(away, asked, a_snapshot(CLOSED)))
    assert POLICY.ball_tag in create.tags


def test_a_backfill_opens_no_follow_up_and_tells_what_it_left() -> None:
    quiet = Circumstances(pair_key=PAIR_KEY, is_quiet=True)
    asked = a_snapshot(OPENED, a_comment("5", audience=Audience.SHARED, views={VIEW}))
    found = look(AGREED, asked, a_snapshot(CLOSED), quiet)
    assert found.operations == ()
    assert [held.reason for held in found.left_out] == ["closed_in_backfill"]


def test_the_old_thread_is_known_to_its_end_before_it_is_left() -> None:
    unread = replace(CLOSED, fields_as_of=9, comments_as_of=5)
    found = look(AGREED, a_snapshot(OPENED, a_comment("5")), a_snapshot(unread))
    assert [(need.side, need.thread) for need in found.needs] == [(Side.PARTNER, True)]


# --- successors ----------------------------------------------------------------------------------


def test_a_merge_closes_nothing_and_its_target_is_looked_at() -> None:
    base = a_base()
    found = look(base, a_snapshot(HERE), a_snapshot(replace(MERGED, tags=frozenset({"t-x"}))))
    assert (found.operations, found.base.status) == ((), base.status)
    wanted = Successor(side=Side.PARTNER, kin=Kin.MERGED, ticket_id=TicketId("9005"))
    assert found.successor == wanted


def test_what_the_platform_is_owed_goes_before_a_successor_is_looked_at() -> None:
    said = a_snapshot(MERGED, a_comment("5"))
    found = look(a_base(), a_snapshot(HERE), said)
    assert [operation.side for operation in found.operations] == [Side.PLATFORM]
    assert found.successor is None


def test_a_stray_is_looked_at_before_a_follow_up_is_made() -> None:
    strays = Circumstances(pair_key=PAIR_KEY, strays=(TicketId("9007"),))
    asked = a_snapshot(OPENED, a_comment("5"))
    found = look(AGREED, asked, a_snapshot(CLOSED), strays)
    assert found.operations == ()
    assert found.successor is not None
    assert (found.successor.kin, found.successor.ticket_id) == (Kin.FOLLOW_UP, "9007")


@pytest.mark.parametrize(
    ("kin", "person_id", "predecessor", "is_held", "problem"),
    [
        (Kin.MERGED, "11", MERGED, False, None),
        (Kin.MERGED, "12", MERGED, False, "another requester"),
        (Kin.MERGED, "11", MERGED, True, "another pair"),
        (Kin.FOLLOW_UP, "11", CLOSED, False, None),
        (Kin.FOLLOW_UP, "12", CLOSED, False, "another requester"),
        (Kin.FOLLOW_UP, "11", CLOSED, True, "another pair"),
        (Kin.FOLLOW_UP, "11", replace(CLOSED, end=End.ALIVE), False, "as well as"),
    ],
)
def test_only_the_same_requesters_ticket_in_no_other_pair_is_followed(
    kin: Kin, person_id: str, predecessor: object, is_held: bool, problem: str | None
) -> None:
    successor = Successor(side=Side.PARTNER, kin=kin, ticket_id=TicketId("9005"))
    found = a_snapshot(a_ticket("9005", requester=a_person(person_id=person_id)))
    assert isinstance(predecessor, type(CLOSED))
    stop = refuse(successor, predecessor, found, is_held=is_held)
    if problem is None:
        assert stop is None
    else:
        assert stop is not None
        assert problem in stop.hint
        assert (
            stop.reason
            == {
                Kin.MERGED: "partner_ticket_merged",
                Kin.FOLLOW_UP: "partner_follow_up",
            }[kin]
        )


def test_nobody_is_the_same_person_as_a_stranger_without_a_number() -> None:
    successor = Successor(side=Side.PARTNER, kin=Kin.MERGED, ticket_id=TicketId("9005"))
    nobody = a_person(person_id="-1")
    found = a_snapshot(a_ticket("9005", requester=nobody))
    assert refuse(successor, replace(MERGED, requester=nobody), found, is_held=False)


@pytest.mark.parametrize("ticket_id", [None, TicketId("9005")])
def test_a_target_that_is_not_known_or_not_there_is_not_followed(
    ticket_id: TicketId | None,
) -> None:
    successor = Successor(side=Side.PARTNER, kin=Kin.MERGED, ticket_id=ticket_id)
    assert refuse(successor, MERGED, None, is_held=False) is not None


def test_a_refusal_is_told_once() -> None:
    successor = Successor(side=Side.PARTNER, kin=Kin.MERGED, ticket_id=TicketId("9005"))
    once = tell_refused(a_base(), successor, "", POLICY)
    assert [(owed.side, owed.kind) for owed in once.owed] == [
        (Side.PLATFORM, NoteKind.MERGE_NOT_FOLLOWED.value)
    ]
    assert tell_refused(once, successor, "", POLICY) == once


def test_what_stood_in_a_target_until_the_merge_is_historic_and_the_rest_is_news() -> None:
    source = a_snapshot(replace(MERGED, updated_at=later(20)))
    older = (a_comment("70", at=later(5)), a_comment("71", at=later(20)))
    found = a_snapshot(a_ticket("9005", requester=CORA), *older, a_comment("72", at=later(21)))
    base, moved = join(a_base(), Kin.MERGED, source, found, POLICY)
    assert [(m.kind, m.comment_id, m.copy_id) for m in base.comments] == [
        (Known.HISTORIC, "70", None),
        (Known.HISTORIC, "71", None),
    ]
    assert (moved.before, moved.after) == ("9001", "9005")
    assert [owed.kind for owed in base.owed] == [NoteKind.TICKET_MERGED.value]
    assert note_keys(base) == frozenset()


def test_a_follow_up_is_news_from_its_first_word() -> None:
    found = a_snapshot(a_ticket("9005", requester=CORA), a_comment("70", at=later(-5)))
    base, _ = join(AGREED, Kin.FOLLOW_UP, a_snapshot(CLOSED), found, POLICY)
    assert base.comments == ()
    assert base.owed == ()


def test_a_successor_without_our_tags_takes_none_away() -> None:
    held = a_base(tags=a_tag_base({"t-a"}), hand_off=HandOff(is_tag_set=True))
    found = a_snapshot(a_ticket("9005", status="open", requester=CORA, tags={"t-b"}))
    base, _ = join(held, Kin.MERGED, a_snapshot(MERGED), found, POLICY)
    assert not base.hand_off.is_tag_set
    after = look(base, a_snapshot(replace(HERE, tags=frozenset({"t-a"}))), found).base
    assert after.tags.agreed == {"t-a", "t-b"}


def test_what_the_old_ticket_refused_the_new_one_is_asked() -> None:
    refused = RefusedStatus(status="solved", as_of=7, since=7, lacks=("Assignee",))
    status = replace(a_status_base(), refused={Side.PARTNER: refused})
    found = a_snapshot(a_ticket("9005", requester=CORA))
    base, _ = join(a_base(status=status), Kin.MERGED, a_snapshot(MERGED), found, POLICY)
    assert base.status is not None
    assert base.status.refused == {}


def test_the_comment_map_goes_on() -> None:
    base = replace(AGREED, comments=(a_mapping("1", "101"),))
    found = a_snapshot(a_ticket("9005", requester=CORA))
    after, _ = join(base, Kin.FOLLOW_UP, a_snapshot(CLOSED), found, POLICY)
    assert after.comments == base.comments
