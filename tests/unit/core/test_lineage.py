"""Where a pair goes on when the partner's ticket takes no more: decided from values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState, Known, RefusedStatus
from syncd.core.decision import Circumstances, Decision
from syncd.core.lineage import (
    Kin,
    Succession,
    Successor,
    follow_up,
    go_on,
    join,
    refuse,
    tell_refused,
    without_merge,
)
from syncd.core.model import Audience, CommentId, End, Held, Side, Snapshot, Status, TicketId
from syncd.core.notes import NoteKind
from syncd.core.operations import CreateTicket, Draft, copy_op, note_op
from syncd.core.plan import Plan, plan
from syncd.core.policy import LinkPolicy
from syncd.core.thread import note_keys
from tests.support.build import (
    a_base,
    a_comment,
    a_draft,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_base,
    a_status_update,
    a_tag_base,
    a_ticket,
    an_update,
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
    policy: LinkPolicy = POLICY,
) -> Plan:
    return plan(
        base,
        {Side.PLATFORM: platform, Side.PARTNER: partner},
        policy=policy,
        capabilities=CAN,
        circumstances=circumstances or Circumstances(pair_key=PAIR_KEY),
    )


#: How a follow-up is made of what is owed, and what else is asked when it is decided on.
BOTH = {Side.PLATFORM: a_snapshot(OPENED), Side.PARTNER: a_snapshot(CLOSED)}
QUIET = Circumstances(pair_key=PAIR_KEY, is_quiet=True)
HOW: dict[str, Any] = {
    "policy": POLICY,
    "capabilities": ZENDESK_LIKE,
    "circumstances": Circumstances(pair_key=PAIR_KEY),
}
HOW_ALL: dict[str, Any] = HOW | {"capabilities": CAN}


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


def test_a_follow_up_is_placed_and_tagged_as_a_twin_is() -> None:
    placed = replace(POLICY, placement=(("group", "Heroku"),), partner_tags=("heroku",))
    base = replace(AGREED, tags=a_tag_base({"t-a"}))
    here = replace(OPENED, subject="It is broken", tags=frozenset({"t-a"}))
    asked = a_snapshot(here, a_comment("5"))
    closed = replace(CLOSED, tags=frozenset({"t-a", "heroku"}))
    create = the_follow_up(look(base, asked, a_snapshot(closed), policy=placed))
    assert (create.side, create.subject) == (Side.PARTNER, "It is broken")
    assert create.placement == placed.placement
    assert create.tags == {"t-a", "heroku"}


@pytest.mark.parametrize(
    ("agreed", "status"),
    [(Status.OPEN, "open"), (Status.WITH_CUSTOMER, "pending"), (Status.CLOSED, "open")],
)
def test_a_follow_up_is_as_was_agreed_and_never_begins_closed(agreed: Status, status: str) -> None:
    base = a_base(status=a_status_base(agreed, partner="solved"))
    copied = an_update(comment=a_draft(source_id="5"))
    create = follow_up([copied], base, BOTH, **HOW)
    assert create.status == status


def test_a_status_alone_opens_a_follow_up_with_a_note() -> None:
    closed = replace(CLOSED, url="https://acme.example/9001")
    create = the_follow_up(look(AGREED, a_snapshot(OPENED), a_snapshot(closed)))
    (draft,) = create.comments
    assert draft.source_id is None
    assert draft.note_key == "follow_up:9001@partner"
    assert create.op_id == note_op(PAIR_KEY, Side.PARTNER, "follow_up:9001@partner")
    assert draft.audience is Audience.SHARED
    for fact in (POLICY.platform_name, "Open", closed.url):
        assert fact in draft.html


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
    assert found.left_out == (
        Held(side=Side.PLATFORM, comment_id=CommentId("5"), reason="closed_in_backfill"),
    )


@pytest.mark.parametrize(
    ("draft", "is_worth_it"),
    [
        pytest.param(a_draft(source_id="5"), True, id="a copy"),
        pytest.param(a_draft(source_id=None, note_key="part:5:1@partner"), True, id="a part"),
        pytest.param(
            replace(a_draft(source_id=None), digested_ids=(CommentId("5"),)), True, id="a digest"
        ),
        pytest.param(a_draft(source_id=None, note_key="resumed:1@partner"), False, id="a note"),
    ],
)
def test_only_what_somebody_said_is_worth_a_ticket(draft: Draft, is_worth_it: bool) -> None:
    owed = [an_update(comment=draft)]
    found = go_on(owed, Decision(base=AGREED, travelling={}), BOTH, **HOW_ALL)
    assert [type(operation) for operation in found.operations] == [CreateTicket] * is_worth_it
    left = go_on(
        owed, Decision(base=AGREED, travelling={}), BOTH, **HOW_ALL | {"circumstances": QUIET}
    )
    assert left.operations == ()
    assert [held.comment_id for held in left.left_out] == ["5"] * (draft.source_id is not None)


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
        word = {Kin.MERGED: "The merge was not", Kin.FOLLOW_UP: "The follow-up was not"}[kin]
        assert stop.hint.startswith(word)
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
    stop = refuse(successor, MERGED, None, is_held=False)
    assert stop is not None
    assert ("not known where" if ticket_id is None else "ticket 9005 cannot be read") in stop.hint


def test_a_refusal_is_told_once() -> None:
    successor = Successor(side=Side.PARTNER, kin=Kin.MERGED, ticket_id=TicketId("9005"))
    url = "https://acme.example/9005"
    once = tell_refused(a_base(), successor, url, POLICY)
    (owed,) = once.owed
    assert (owed.side, owed.kind) == (Side.PLATFORM, NoteKind.MERGE_NOT_FOLLOWED.value)
    assert dict(owed.facts) == {"desk": POLICY.partner_name, "url": url}
    assert owed.key == "merge_not_followed:9005@platform"
    assert tell_refused(once, successor, url, POLICY) == once
    unknown = replace(successor, ticket_id=None)
    assert [owed.key for owed in tell_refused(a_base(), unknown, url, POLICY).owed] == [
        "merge_not_followed:unknown@platform"
    ]


def test_what_stood_in_a_target_until_the_merge_is_historic_and_the_rest_is_news() -> None:
    source = a_snapshot(replace(MERGED, updated_at=later(20)))
    older = (a_comment("70", at=later(5)), a_comment("71", at=later(20)))
    target = replace(a_ticket("9005", requester=CORA), url="https://acme.example/9005")
    found = a_snapshot(target, *older, a_comment("72", at=later(21)))
    base, moved = join(a_base(), Kin.MERGED, source, found, POLICY)
    assert [(m.kind, m.comment_id, m.copy_id) for m in base.comments] == [
        (Known.HISTORIC, "70", None),
        (Known.HISTORIC, "71", None),
    ]
    assert {m.audience for m in base.comments} == {Audience.PUBLIC}
    assert (moved.name, moved.side) == ("lineage", Side.PARTNER)
    assert (moved.before, moved.after) == ("9001", "9005")
    (owed,) = base.owed
    assert (owed.key, owed.side) == ("ticket_merged:9005@platform", Side.PLATFORM)
    assert dict(owed.facts) == {"desk": POLICY.partner_name, "url": target.url}
    assert note_keys(base) == frozenset()


def test_a_merge_is_as_old_as_the_update_that_made_it() -> None:
    """Somebody may have tagged the merged ticket since."""
    merge = a_status_update("closed", at=later(10))
    source = a_snapshot(replace(MERGED, status_update=merge, updated_at=later(20)))
    shown = (a_comment("70", at=later(10)), a_comment("71", at=later(15)))
    found = a_snapshot(a_ticket("9005", requester=CORA), *shown)
    base, _ = join(a_base(), Kin.MERGED, source, found, POLICY)
    assert [m.comment_id for m in base.comments] == ["70"]


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


def test_what_is_known_of_the_old_tickets_tags_says_nothing_of_the_new_one() -> None:
    both = {Side.PLATFORM: frozenset({"t-a"}), Side.PARTNER: frozenset({"t-b"})}
    tags = replace(a_tag_base(), seen=both, kept=both, owed_add=both, owed_remove=both)
    found = a_snapshot(a_ticket("9005", requester=CORA, tags={POLICY.ball_tag}))
    base, _ = join(a_base(tags=tags), Kin.FOLLOW_UP, a_snapshot(CLOSED), found, POLICY)
    platforms = {Side.PLATFORM: frozenset({"t-a"})}
    shown = (base.tags.seen, base.tags.kept, base.tags.owed_add, base.tags.owed_remove)
    assert shown == (platforms,) * 4
    assert base.hand_off.is_tag_set


def test_a_pair_on_which_no_status_was_agreed_goes_on_without() -> None:
    found = a_snapshot(a_ticket("9005", requester=CORA))
    base, _ = join(replace(a_base(), status=None), Kin.MERGED, a_snapshot(MERGED), found, POLICY)
    assert base.status is None


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


# --- what else is owed then ----------------------------------------------------------------------

STRAYS = Circumstances(pair_key=PAIR_KEY, strays=(TicketId("9007"),))


def test_a_living_ticket_is_written_to_before_a_stray_is_looked_at() -> None:
    alive = {Side.PLATFORM: a_snapshot(HERE), Side.PARTNER: a_snapshot(a_ticket("9001"))}
    owed = (an_update(comment=a_draft(source_id="5")),)
    decision = Decision(base=AGREED, travelling={})
    asked = HOW_ALL | {"circumstances": STRAYS}
    assert go_on(owed, decision, alive, **asked) == Succession(operations=owed)
    looked = go_on((), decision, alive, **asked)
    assert looked.successor == Successor(
        side=Side.PARTNER, kin=Kin.FOLLOW_UP, ticket_id=TicketId("9007")
    )


def test_a_merged_tickets_thread_is_known_to_its_end_before_its_target_is_looked_at() -> None:
    unread = a_snapshot(replace(MERGED, fields_as_of=9, comments_as_of=5))
    shown = {**BOTH, Side.PARTNER: unread}
    found = go_on((), Decision(base=AGREED, travelling={}), shown, **HOW_ALL)
    assert found == Succession(needs_thread=True)


def test_what_the_platform_is_owed_is_written_by_a_backfill_that_opens_no_follow_up() -> None:
    to_platform = an_update(side=Side.PLATFORM, ticket_id="T1", comment=a_draft(source_id="7"))
    owed = (to_platform, an_update(comment=a_draft(source_id="5")))
    asked = HOW_ALL | {"circumstances": QUIET}
    found = go_on(owed, Decision(base=AGREED, travelling={}), BOTH, **asked)
    assert found.operations == (to_platform,)
    assert [held.comment_id for held in found.left_out] == ["5"]


def test_a_merge_leaves_the_ticket_as_it_was_seen_before() -> None:
    update = a_status_update("closed", update_id="u1")
    merged = replace(MERGED, status_update=update, tags=frozenset({"merged"}))
    base = replace(AGREED, tags=a_tag_base({"t-a"}, kept={"t-bot"}))
    shown = without_merge(base, {**BOTH, Side.PARTNER: a_snapshot(merged)})
    ticket = shown[Side.PARTNER].ticket
    assert (ticket.status, ticket.status_update) == ("solved", None)
    assert ticket.tags == {"t-a", "t-bot"}
    assert without_merge(base, BOTH) == BOTH
