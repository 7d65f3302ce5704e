"""Lanes: a link has its places and no more, and whoever waited comes in by turn."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from syncd.core.model import LinkName, PairId
from syncd.engine.lanes import Lanes

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
