"""How long changes took: from the oldest one that a side is owed to each write that came of it."""

from __future__ import annotations

from syncd.core.model import LinkName, PairId, Side
from syncd.engine.lag import Lag
from tests.support.clock import FakeClock

LINK = LinkName("acme-postgres")
ONE, OTHER = PairId(1), PairId(2)


class World:
    """A lag with its clock, and all that it told."""

    def __init__(self, *, most: int = 10) -> None:
        self.clock = FakeClock()
        self.told: list[tuple[Side, float]] = []
        self.lag = Lag(self.clock, self._tell, most=most)

    def _tell(self, link: LinkName, side: Side, seconds: float) -> None:
        assert link == LINK
        self.told.append((side, seconds))

    def seen(self, pair_id: PairId = ONE, *, on: Side = Side.PLATFORM) -> None:
        self.lag.seen([pair_id], on=on)

    def delivered(self, to: Side, pair_id: PairId = ONE) -> None:
        self.lag.delivered(pair_id, LINK, to)


def test_a_write_tells_how_long_ago_the_other_desk_showed_the_change() -> None:
    world = World()
    world.seen()
    world.clock.advance(3)
    world.delivered(Side.PARTNER)
    assert world.told == [(Side.PARTNER, 3)]


def test_a_write_that_the_other_desk_did_not_cause_is_not_told() -> None:
    world = World()
    world.seen()
    world.delivered(Side.PLATFORM)
    world.delivered(Side.PARTNER, OTHER)
    assert world.told == []


def test_what_comes_before_the_first_write_counts_from_the_oldest_change() -> None:
    world = World()
    world.seen()
    world.clock.advance(60)
    world.seen()
    world.clock.advance(5)
    world.delivered(Side.PARTNER)
    assert world.told == [(Side.PARTNER, 65)]


def test_a_new_change_beside_one_that_is_not_all_written_has_its_own_time() -> None:
    world = World()
    world.seen()
    world.clock.advance(2)
    world.delivered(Side.PARTNER)
    # Its file is still to come when somebody writes again.
    world.clock.advance(300)
    world.seen()
    world.clock.advance(2)
    world.delivered(Side.PARTNER)
    assert world.told == [(Side.PARTNER, 2), (Side.PARTNER, 2)]


def test_after_rest_nothing_old_is_counted() -> None:
    world = World()
    world.seen()
    # A change that was in sync already: no write came of it.
    world.lag.rested(ONE)
    world.clock.advance(86_400)
    world.seen()
    world.clock.advance(1)
    world.delivered(Side.PARTNER)
    assert world.told == [(Side.PARTNER, 1)]


def test_what_is_remembered_has_a_limit_and_the_oldest_goes_first() -> None:
    world = World(most=3)
    for number in range(1, 11):
        world.seen(PairId(number))
    assert len(world.lag) == 3
    world.delivered(Side.PARTNER, PairId(7))
    world.delivered(Side.PARTNER, PairId(8))
    assert len(world.told) == 1
