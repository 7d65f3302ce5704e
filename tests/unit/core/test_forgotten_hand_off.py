"""A store that forgot a hand-off: it is neither lost nor carried out again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from syncd.core.agreed import Base, CommentMapping, HandOff, HandOffState, Known
from syncd.core.forgotten_hand_off import replay_hand_offs
from syncd.core.model import Audience, Comment, CommentId, Side
from syncd.core.notes import NoteKind, note
from syncd.core.owing import note_key, owe
from syncd.core.policy import Direction, LinkPolicy
from syncd.core.recognition import recognise, take_kinds
from tests.support.build import AT, a_base, a_comment, a_mapping, a_snapshot, a_ticket, an_agent
from tests.support.twins import PAIR_KEY, Twins, a_policy
from tests.unit.core.test_hand_off_at_home import AT_HOME, BOTH, ORDER, leaves
from tests.unit.core.test_hand_off_rows import STAFF, is_handed, notes, say


def recovered(twins: Twins) -> None:
    """What a recovery of the pair does, and then one more look at everything."""
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    before = twins.base
    found = recognise(
        before,
        twins.snapshots,
        policy=twins.policy,
        capabilities={side: desk.capabilities for side, desk in twins.desks.items()},
        pair_key=PAIR_KEY,
        writers={side: frozenset({"robot"}) for side in Side},
    )
    assert found.doubtful == ()
    twins.base = replay_hand_offs(found.base, before, twins.snapshots, twins.policy, PAIR_KEY)
    again = replay_hand_offs(twins.base, twins.base, twins.snapshots, twins.policy, PAIR_KEY)
    assert again == twins.base, "what is known is not worked out once more"
    twins.base = take_kinds(twins.base, twins.look().base)
    twins.settle_down()


def older(*, has_readable_stamps: bool, private: Direction) -> tuple[Twins, Base]:
    """A pair, and what a backup of now will know of it."""
    twins = Twins(replace(a_policy(), private=private), has_readable_stamps=has_readable_stamps)
    twins.settle_down()
    return twins, twins.base


stamps = pytest.mark.parametrize("has_readable_stamps", [True, False])
ways = pytest.mark.parametrize(
    ("private", "has_readable_stamps"),
    [*((direction, is_seen) for direction in AT_HOME for is_seen in (True, False)), (BOTH, True)],
)


@ways
@pytest.mark.parametrize("is_closed", [False, True])
def test_an_older_store_finds_what_was_handed_over(
    *, has_readable_stamps: bool, private: Direction, is_closed: bool
) -> None:
    twins, yesterday = older(has_readable_stamps=has_readable_stamps, private=private)
    say(twins, ORDER)
    twins.settle_down()
    assert is_handed(twins)
    if is_closed:
        twins.platform.act(STAFF, status="Closed")
        twins.settle_down()
    counts = [len(desk.comments) for desk in twins.desks.values()]
    twins.base = yesterday
    recovered(twins)
    assert twins.base.hand_off.state is HandOffState.HANDED
    assert [len(desk.comments) for desk in twins.desks.values()] == counts
    assert len(leaves(twins)) == 1


@ways
def test_an_older_store_does_not_hand_over_again_what_was_escalated_again(
    *, has_readable_stamps: bool, private: Direction
) -> None:
    twins, yesterday = older(has_readable_stamps=has_readable_stamps, private=private)
    say(twins, ORDER)
    twins.settle_down()
    twins.platform.move("acme")
    twins.settle_down()
    assert twins.base.hand_off.state is HandOffState.NONE
    twins.base = yesterday
    recovered(twins)
    assert "acme" in twins.platform.views
    assert len(leaves(twins)) == 1
    assert twins.base.hand_off.state is HandOffState.NONE


@stamps
@pytest.mark.parametrize("is_back", [False, True])
def test_an_older_store_that_had_offered_it_finds_that_it_went(
    *, has_readable_stamps: bool, is_back: bool
) -> None:
    twins, _ = older(has_readable_stamps=has_readable_stamps, private=Direction.NONE)
    say(twins, ORDER)
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    yesterday = twins.look().base
    assert yesterday.hand_off.state is HandOffState.OFFERED
    twins.settle_down()
    if is_back:
        twins.platform.move("acme")
        twins.settle_down()
    counts = [len(desk.comments) for desk in twins.desks.values()]
    twins.base = yesterday
    recovered(twins)
    assert ("acme" in twins.platform.views) is is_back
    assert len(leaves(twins)) == 1
    if not is_back:
        assert [len(desk.comments) for desk in twins.desks.values()] == counts


@stamps
def test_an_older_store_obeys_what_nobody_had_read(*, has_readable_stamps: bool) -> None:
    twins, yesterday = older(has_readable_stamps=has_readable_stamps, private=Direction.NONE)
    say(twins, ORDER)
    twins.base = yesterday
    recovered(twins)
    assert is_handed(twins)
    assert len(leaves(twins)) == 1


@stamps
def test_a_new_order_behind_a_forgotten_one_is_obeyed_or_told_of(
    *, has_readable_stamps: bool
) -> None:
    twins, yesterday = older(has_readable_stamps=has_readable_stamps, private=Direction.NONE)
    say(twins, ORDER)
    twins.settle_down()
    twins.platform.move("acme")
    twins.settle_down()
    say(twins, ORDER)
    twins.base = yesterday
    recovered(twins)
    # Without names, no note says which of the two it is about.
    assert is_out(twins) is has_readable_stamps
    assert len(leaves(twins)) == (2 if has_readable_stamps else 1)
    assert bool(notes(twins, NoteKind.HISTORIC)) is not has_readable_stamps


@stamps
def test_an_older_store_does_not_obey_what_was_refused(*, has_readable_stamps: bool) -> None:
    twins, yesterday = older(has_readable_stamps=has_readable_stamps, private=Direction.NONE)
    twins.platform.act(STAFF, status="Closed")
    twins.settle_down()
    say(twins, ORDER)
    twins.settle_down()
    twins.platform.act(STAFF, status="Open")
    twins.settle_down()
    twins.base = yesterday
    recovered(twins)
    assert not is_out(twins)
    assert leaves(twins) == []


def is_out(twins: Twins) -> bool:
    return "acme" not in twins.platform.views


def test_what_an_earlier_version_kept_at_home_is_not_obeyed_by_a_recovery_either() -> None:
    twins, yesterday = older(has_readable_stamps=True, private=Direction.NONE)
    order = say(twins, ORDER)
    kept = CommentMapping(
        kind=Known.LOCAL,
        origin=Side.PARTNER,
        comment_id=order.comment_id,
        audience=Audience.SHARED,
    )
    twins.base = replace(yesterday, comments=(*yesterday.comments, kept))
    recovered(twins)
    assert not is_out(twins)
    assert leaves(twins) == []
    # Nor is what the platform's staff did by themselves taken for its doing.
    twins.platform.move()
    recovered(twins)
    assert twins.base.hand_off.state is HandOffState.WITHDRAWN


# --- from values ---------------------------------------------------------------------------------


def an_order(comment_id: str) -> Comment:
    return a_comment(comment_id, ORDER, audience=Audience.SHARED, author=an_agent())


def handed(comment_id: str, copy_id: str) -> CommentMapping:
    """The note on the platform's desk that confirms the hand-off ordered in a comment."""
    key = note_key(NoteKind.HANDED, Side.PLATFORM, CommentId(comment_id))
    return a_mapping(copy_id, None, kind=Known.NOTE, origin=Side.PLATFORM, note_key=key)


def a_copy(comment_id: str, copy_id: str) -> CommentMapping:
    return a_mapping(comment_id, copy_id, origin=Side.PARTNER)


def worked_out(
    base: Base,
    before: Base,
    *said: Comment,
    views: Iterable[str] = ("acme",),
    tags: str = "",
    policy: LinkPolicy | None = None,
) -> Base:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(views=views)),
        Side.PARTNER: a_snapshot(a_ticket("9001", status="open", tags=tags.split()), *said),
    }
    return replay_hand_offs(base, before, shown, policy or a_policy(), PAIR_KEY)


@pytest.mark.parametrize("is_noted", [False, True])
def test_an_offer_of_which_the_desks_know_nothing_more_is_still_an_offer(*, is_noted: bool) -> None:
    offer = HandOff(state=HandOffState.OFFERED, comment_id=CommentId("5"), turn=1)
    base = a_base(*[handed("5", "110")] * is_noted, hand_off=offer)
    assert worked_out(base, base, an_order("5")) == base


def test_an_offer_whose_note_is_still_owed_was_not_carried_out() -> None:
    offer = HandOff(state=HandOffState.OFFERED, comment_id=CommentId("5"), turn=1)
    ordered = note(NoteKind.HAND_OFF_ORDERED, platform="Heroku", partner="Acme", who="Ada", at=AT)
    base = owe(a_base(hand_off=offer), ordered, Side.PLATFORM, CommentId("5"))
    assert worked_out(base, base, an_order("5")) == base


@pytest.mark.parametrize("state", [HandOffState.OFFERED, HandOffState.HANDED, HandOffState.ENDED])
@pytest.mark.parametrize(
    "trace", [a_copy("5", "105"), handed("5", "110"), None], ids=["copied", "noted", "gone"]
)
def test_a_hand_off_that_the_store_remembers_is_not_another_one(
    trace: CommentMapping | None, state: HandOffState
) -> None:
    """The partner, whose status was set back once, is not set back again."""
    known = HandOff(state=state, comment_id=CommentId("5"), turn=1, is_reopened=True)
    before = a_base(hand_off=known)
    if trace is None:
        at_home = replace(a_policy(), private=Direction.NONE)
        found = worked_out(before, before, an_order("5"), views=(), policy=at_home)
        assert [mapping.kind for mapping in found.comments] == [Known.LOCAL]
    else:
        after = replace(before, comments=(trace,))
        found = worked_out(after, before, an_order("5"), views=())
    carried = HandOffState.HANDED if state is HandOffState.OFFERED else state
    assert found.hand_off == replace(known, state=carried)


def test_between_two_orders_that_were_carried_out_the_ticket_was_given_back() -> None:
    traces = (a_copy("5", "105"), handed("5", "110"), a_copy("6", "106"), handed("6", "111"))
    found = worked_out(a_base(*traces), a_base(), an_order("5"), an_order("6"), views=())
    assert (found.hand_off.state, found.hand_off.comment_id) == (HandOffState.HANDED, "6")
    assert found.hand_off.turn == 3


def test_a_comment_of_the_platforms_with_the_number_of_an_order_is_not_its_copy() -> None:
    found = worked_out(a_base(a_mapping("5", "105")), a_base(), an_order("5"), views=())
    assert found.hand_off.state is HandOffState.NONE


def test_an_order_that_stayed_at_home_as_any_other_comment_was_not_carried_out() -> None:
    kept = a_mapping("5", None, kind=Known.LOCAL, origin=Side.PARTNER, audience=Audience.SHARED)
    found = worked_out(a_base(kept), a_base(), an_order("5"), views=())
    assert found.hand_off.state is HandOffState.NONE


@pytest.mark.parametrize("is_set", [True, False])
def test_the_balls_tag_is_ours_where_the_partners_ticket_carries_it(*, is_set: bool) -> None:
    base = a_base(hand_off=HandOff(is_tag_set=not is_set))
    found = worked_out(base, base, tags=a_policy().ball_tag if is_set else "t-other")
    assert found.hand_off == HandOff(is_tag_set=is_set)
