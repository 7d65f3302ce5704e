"""The hand-off of a partner whose private comments do not travel: rows of docs/hand-off.md again.

The order is obeyed, its words stay at home, and the platform's staff have a note in their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from syncd.core.agreed import CommentMapping, HandOffState, Known
from syncd.core.attachment import Attachment
from syncd.core.ignoring import call_off, leave_operation
from syncd.core.lineage import Kin
from syncd.core.lines import plain_text
from syncd.core.model import Audience, End, Role, Side
from syncd.core.notes import NoteKind
from syncd.core.operations import UpdateTicket
from syncd.core.policy import Direction
from syncd.core.turns import order_key
from tests.support.build import a_person
from tests.support.twins import Fault, Twins, a_policy
from tests.unit.core.test_hand_off_rows import (
    AGENT,
    CUSTOMER,
    HANDED,
    HINTED,
    NOTHING,
    PHRASE,
    STAFF,
    assert_both_open,
    goes_on,
    hints,
    holds,
    is_handed,
    join_in,
    notes,
    say,
)

SECRET = "between us"
ORDER = f"<p>{SECRET}</p><p>{PHRASE}</p>"
BOTH = Direction.BOTH
AT_HOME = [Direction.NONE, Direction.TO_PARTNER]


@pytest.fixture(params=AT_HOME, ids=[direction.value for direction in AT_HOME])
def twins(request: pytest.FixtureRequest) -> Iterator[Twins]:
    """A pair with a ticket that was escalated and has its twin; nothing private leaves it."""
    made = Twins(replace(a_policy(), private=request.param))
    made.settle_down()
    yield made
    for comment in made.platform.comments:
        assert SECRET not in (comment.html or "")


def leaves(twins: Twins) -> list[UpdateTicket]:
    return [op for op in twins.written if isinstance(op, UpdateTicket) and op.leave_view]


@pytest.mark.parametrize("html", HANDED.values(), ids=HANDED.keys())
def test_an_order_hands_the_ticket_over_and_its_words_stay(twins: Twins, html: str) -> None:
    say(twins, f"<p>{SECRET}</p>{html}")
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)
    customers, ordered, handed = twins.platform.comments
    assert ordered.audience is handed.audience is Audience.SHARED
    assert plain_text(ordered.html or "").startswith("This ticket comes back to Heroku")
    assert "Ada handed it over" in plain_text(ordered.html or "")
    [left] = leaves(twins)
    assert left.comment is not None
    assert left.comment.note_key == order_key(
        twins.base.hand_off.comment_id or customers.comment_id
    )


@pytest.mark.parametrize("html", HINTED.values(), ids=HINTED.keys())
def test_a_near_miss_gets_its_hint_at_home(twins: Twins, html: str) -> None:
    say(twins, f"<p>{SECRET}</p>{html}")
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 1
    assert len(twins.platform.comments) == 1


@pytest.mark.parametrize("html", NOTHING.values(), ids=NOTHING.keys())
def test_what_is_no_order_just_stays(twins: Twins, html: str) -> None:
    say(twins, f"<p>{SECRET}</p>{html}")
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0
    assert len(twins.platform.comments) == 1


@pytest.mark.parametrize("private", Direction)
def test_behind_the_local_marker_nothing_is_an_order(private: Direction) -> None:
    twins = Twins(replace(a_policy(), private=private))
    twins.settle_down()
    say(twins, f"<p>#local {SECRET}</p><p>{PHRASE}</p>")
    say(twins, "<p>#local Reasign to Heroku</p>")
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0
    assert len(twins.platform.comments) == 1


def test_who_can_read_it_unknown_it_is_no_order(twins: Twins) -> None:
    say(twins, ORDER, audience=Audience.LOCAL)
    twins.settle_down()
    assert not is_handed(twins)


def test_a_link_without_phrases_reads_none() -> None:
    twins = Twins(replace(a_policy(), private=Direction.NONE, hand_off_phrases=()))
    twins.settle_down()
    say(twins, ORDER)
    twins.settle_down()
    assert not is_handed(twins)


def test_public_comments_around_it_travel_in_order(twins: Twins) -> None:
    say(twins, "<p>before it</p>", audience=Audience.PUBLIC)
    say(twins, ORDER)
    say(twins, "<p>behind it</p>", audience=Audience.PUBLIC)
    twins.settle_down()
    assert is_handed(twins)
    [first] = holds(twins, Side.PLATFORM, "before it")
    [second] = holds(twins, Side.PLATFORM, "behind it")
    assert twins.platform.comments.index(first) < twins.platform.comments.index(second)


def test_row_19_public_and_alone_it_is_held_and_made_private_it_stays_at_home(
    twins: Twins,
) -> None:
    held = say(twins, f"<p>{PHRASE}</p>", audience=Audience.PUBLIC)
    say(twins, "<p>behind it</p>", audience=Audience.PUBLIC)
    twins.settle_down()
    assert notes(twins, NoteKind.PUBLIC_PHRASE_HELD) == 1
    assert holds(twins, Side.PLATFORM, "behind it") == []
    twins.partner.make_private(held.comment_id)
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.MADE_PRIVATE) == 1
    assert holds(twins, Side.PLATFORM, "behind it")
    assert holds(twins, Side.PLATFORM, PHRASE) == []


def test_row_21_made_private_before_anybody_looked_it_is_no_order(twins: Twins) -> None:
    written = say(twins, ORDER, audience=Audience.PUBLIC)
    twins.partner.make_private(written.comment_id)
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.MADE_PRIVATE) == 1


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.LIGHT_AGENT, Role.SYSTEM, Role.UNKNOWN])
def test_row_24_and_27_only_agents_steer_and_others_are_counted_once(
    twins: Twins, role: Role
) -> None:
    say(twins, "<p>beside it</p>", audience=Audience.PUBLIC)
    say(twins, ORDER, by=a_person("Nobody", role))
    twins.settle_down()
    assert not is_handed(twins)
    assert [t.actor for t in twins.transitions if t.name == "hand_off.ignored"] == [role]


def test_row_25_a_copy_of_the_platforms_private_words_is_no_order() -> None:
    twins = Twins(replace(a_policy(), private=Direction.TO_PARTNER))
    twins.platform.act(CUSTOMER, f"<p>{PHRASE}</p>")
    twins.platform.act(STAFF, f"<p>{PHRASE}</p>", audience=Audience.SHARED, views=["acme"])
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0


def test_row_30_twice_at_once_is_one_hand_off_and_a_note_that_is_true(twins: Twins) -> None:
    say(twins, ORDER)
    say(twins, ORDER)
    twins.settle_down()
    assert is_handed(twins)
    assert len(leaves(twins)) == 1
    assert notes(twins, NoteKind.ALREADY_WITH_PLATFORM) == 1
    assert holds(twins, Side.PARTNER, "already with Heroku")
    assert holds(twins, Side.PARTNER, "passed on") == []


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_row_33_and_35_with_a_status_in_one_update_both_stay_open(
    twins: Twins, status: str
) -> None:
    say(twins, ORDER, status=status)
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)
    assert notes(twins, NoteKind.STAY_OPEN) == 1


def test_row_36_on_a_closed_platform_ticket_it_is_refused_with_a_note(twins: Twins) -> None:
    twins.platform.act(STAFF, status="Closed")
    twins.settle_down()
    say(twins, ORDER)
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.REFUSED_CLOSED) == 1
    assert len(twins.platform.comments) == 1


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("is_journaled", [True, False])
def test_row_39_a_lost_answer_leads_to_one_hand_off_and_one_confirmation(
    twins: Twins, fault: Fault, *, is_journaled: bool
) -> None:
    say(twins, ORDER)
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    assert twins.turn(fault)
    assert not any(notes(twins, NoteKind.HANDED, side) for side in Side)
    if not is_journaled:
        twins.sent = None
    twins.settle_down()
    assert is_handed(twins)
    assert notes(twins, NoteKind.HANDED) == 1
    assert len(twins.platform.comments) == 3


def test_row_39_escalated_again_behind_a_lost_answer_it_was_handed_over_once(
    twins: Twins,
) -> None:
    say(twins, ORDER)
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    assert twins.turn(Fault.AFTER)
    twins.sent = None
    twins.platform.move("acme")
    twins.settle_down()
    assert len(leaves(twins)) == 1
    assert "acme" in twins.platform.views
    assert twins.base.hand_off.state is HandOffState.NONE
    assert notes(twins, NoteKind.RESUMED) == 1


def test_row_40_a_backfill_does_not_run_an_old_order_and_says_so(twins: Twins) -> None:
    twins.circumstances = replace(twins.circumstances, is_quiet=True, is_historic=True)
    say(twins, ORDER)
    twins.settle_down()
    assert notes(twins, NoteKind.HISTORIC) == 1
    twins.circumstances = replace(twins.circumstances, is_quiet=False, is_historic=False)
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.HISTORIC) == 1


def test_row_43_a_comment_deleted_before_it_was_read_is_nothing(twins: Twins) -> None:
    say(twins, ORDER)
    twins.partner.comments.pop()
    twins.settle_down()
    assert not is_handed(twins)


def test_an_order_known_without_its_text_is_read_first(twins: Twins) -> None:
    order = say(twins, ORDER)
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    shown = twins.snapshots[Side.PARTNER]
    bare = tuple(
        replace(c, html=None) if c.comment_id == order.comment_id else c for c in shown.comments
    )
    twins.snapshots[Side.PARTNER] = replace(shown, comments=bare)
    offered = twins.look().base.hand_off
    assert (offered.state, offered.comment_id) == (HandOffState.OFFERED, order.comment_id)


def test_what_an_earlier_version_kept_at_home_is_not_obeyed_now(twins: Twins) -> None:
    order = say(twins, ORDER)
    kept = CommentMapping(
        kind=Known.LOCAL,
        origin=Side.PARTNER,
        comment_id=order.comment_id,
        audience=Audience.SHARED,
    )
    twins.base = replace(twins.base, comments=(*twins.base.comments, kept))
    twins.settle_down()
    assert not is_handed(twins)
    assert len(twins.platform.comments) == 1


def test_a_link_that_stops_carrying_private_words_still_hands_over_what_was_offered() -> None:
    twins = Twins()
    twins.settle_down()
    say(twins, ORDER)
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    assert twins.turn(Fault.BEFORE)
    twins.sent = None
    twins.policy = replace(twins.policy, private=Direction.NONE)
    twins.settle_down()
    assert is_handed(twins)
    assert len(leaves(twins)) == 1
    assert holds(twins, Side.PLATFORM, SECRET) == []
    assert notes(twins, NoteKind.ALREADY_WITH_PLATFORM) == 0


def test_row_37_a_phrase_in_a_follow_up_hands_over_once_the_pair_goes_on_there(
    twins: Twins,
) -> None:
    twins.partner.act(AGENT, status="solved")
    twins.partner.end = End.FINAL
    twins.settle_down()
    twins.platform.act(STAFF, status="Open")
    goes_on(twins, "9002").act(AGENT, ORDER, audience=Audience.SHARED)
    join_in(twins, Kin.FOLLOW_UP)
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)


def test_row_41_what_stood_in_a_merges_target_before_is_no_order(twins: Twins) -> None:
    twins.partner.act(AGENT, status="closed")
    twins.partner.end = End.MERGED
    twins.settle_down()
    desk = goes_on(twins, "9003")
    desk.act(AGENT, ORDER, audience=Audience.SHARED)
    # The merge came after what stood there.
    shown = twins.snapshots[Side.PARTNER]
    merged = replace(shown.ticket, updated_at=desk.comments[-1].created_at, status_update=None)
    twins.snapshots[Side.PARTNER] = replace(shown, ticket=merged)
    join_in(twins, Kin.MERGED)
    twins.settle_down()
    assert not is_handed(twins)


def test_its_files_stay_with_its_words(twins: Twins) -> None:
    order = say(twins, ORDER)
    file = Attachment(
        attachment_id="7",
        name="Reassign to Heroku.txt",
        size=9,
        content_type="text/plain",
        url="https://partner.example/files/7",
    )
    twins.partner.comments[-1] = replace(order, attachments=(file,))
    twins.settle_down()
    assert is_handed(twins)
    assert twins.base.files == ()
    assert holds(twins, Side.PLATFORM, ".txt") == []


def test_a_hand_off_that_is_left_undone_says_nothing_to_the_platform(twins: Twins) -> None:
    say(twins, ORDER)
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    planned = twins.look()
    leave = next(op for op in planned.operations if getattr(op, "leave_view", None))
    left = leave_operation(planned.base, leave, twins.policy)
    assert left is not None
    assert call_off(planned.base).base.owed == ()
    twins.base = left.base
    twins.settle_down()
    assert not is_handed(twins)
    assert len(twins.platform.comments) == 1
