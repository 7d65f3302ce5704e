"""A store that forgot a hand-off: it is neither lost nor carried out again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, CommentMapping, HandOffState, Known
from syncd.core.forgotten_hand_off import replay_hand_offs
from syncd.core.model import Audience, Side
from syncd.core.notes import NoteKind
from syncd.core.policy import Direction
from syncd.core.recognition import recognise, take_kinds
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
