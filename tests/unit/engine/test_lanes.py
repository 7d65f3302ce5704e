"""Lanes: a link has its places and no more, and whoever waited comes in by turn."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from syncd.core.model import LinkName, PairId
from syncd.engine.lanes import FEWEST_TOGETHER, Lanes

ACME, GLOBEX = LinkName("acme"), LinkName("globex")


def pair(number: int) -> PairId:
    return PairId(number)


def test_a_full_lane_turns_away_its_own_pairs_and_no_others() -> None:
    let_in: list[PairId] = []
    lanes = Lanes(width=2, let_in=let_in.append)
    with ExitStack() as running:
        assert running.enter_context(lanes.place(ACME, pair(1)))
        assert running.enter_context(lanes.place(ACME, pair(2)))
        with lanes.place(ACME, pair(3)) as has_place:
            assert not has_place
        with lanes.place(GLOBEX, pair(4)) as has_place:
            assert has_place
        assert let_in == []
    assert let_in == [pair(3)]


def test_those_who_wait_come_in_one_by_one_in_their_order() -> None:
    let_in: list[PairId] = []
    lanes = Lanes(width=1, let_in=let_in.append)
    with lanes.place(ACME, pair(1)):
        for number in (2, 3, 4):
            with lanes.place(ACME, pair(number)) as has_place:
                assert not has_place
    assert let_in == [pair(2)]
    for number in (2, 3, 4):
        with lanes.place(ACME, pair(number)) as has_place:
            assert has_place
    assert let_in == [pair(2), pair(3), pair(4)]


def test_a_run_that_fails_gives_its_place_back() -> None:
    lanes = Lanes(width=1, let_in=lambda _: None)
    with pytest.raises(ZeroDivisionError), lanes.place(ACME, pair(1)):
        raise ZeroDivisionError
    with lanes.place(ACME, pair(2)) as has_place:
        assert has_place


def crowd(lanes: Lanes, count: int, *, may_share: bool = True) -> None:
    for number in range(count):
        with lanes.place(ACME, PairId(100 + number), may_share=may_share) as has_place:
            assert not has_place


def test_many_that_piled_up_before_a_desk_that_is_back_take_one_place_together() -> None:
    let_in: list[PairId] = []
    lanes = Lanes(width=1, let_in=let_in.append, is_behind=lambda _: True)
    with lanes.place(ACME, PairId(1)):
        crowd(lanes, 112)
    queued = lanes.take()
    assert queued is not None
    assert len(queued.pair_ids) == 56
    crowd(lanes, 1)
    lanes.give_back(queued)
    second = lanes.take()
    assert second is not None
    assert len(second.pair_ids) == 57
    lanes.give_back(second)
    assert (lanes.take(), let_in) == (None, [])
    with lanes.place(ACME, PairId(2)) as has_place:
        assert has_place


@pytest.mark.parametrize(
    ("count", "is_behind", "may_share"),
    [(FEWEST_TOGETHER - 1, True, True), (60, False, True), (60, True, False)],
)
def test_few_or_unhindered_or_unborn_pairs_come_in_one_by_one(
    count: int, is_behind: bool, may_share: bool
) -> None:
    let_in: list[PairId] = []
    lanes = Lanes(width=1, let_in=let_in.append, is_behind=lambda _: is_behind)
    with lanes.place(ACME, PairId(1)):
        crowd(lanes, count, may_share=may_share)
    assert (lanes.take(), let_in) == (None, [PairId(100)])
