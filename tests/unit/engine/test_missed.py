"""What counts as missed: news that a poll brought and no webhook told of, in time or at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.core.model import Sighting, TicketId
from syncd.engine.missed import GRACE_SECONDS, SETTLING_SECONDS, Missed, reach
from tests.support.build import AT, PARTNER, PLATFORM, a_comment, a_sighting, a_ticket
from tests.support.clock import FakeClock

T1, T2 = TicketId("T1"), TicketId("T2")


def seen(number: int, ticket_id: TicketId = T1) -> Sighting:
    """The ticket as it was at that number of the desk's own order."""
    return a_sighting(replace(a_ticket(ticket_id), fields_as_of=number))


class Scene:
    """One connection whose feed was walked to its end long enough ago."""

    def __init__(self, *, is_settled: bool = True) -> None:
        self.clock = FakeClock()
        self.missed = Missed(self.clock)
        self.missed.expect(PLATFORM)
        if is_settled:
            self.missed.walked(PLATFORM)
            self.clock.advance(SETTLING_SECONDS)

    def polled(self, *sightings: Sighting) -> None:
        self.missed.found(PLATFORM, {s.ticket_id for s in sightings}, sightings)

    def announced(self, *sightings: Sighting) -> None:
        self.missed.announced(PLATFORM, sightings)

    def count(self, after: float = GRACE_SECONDS) -> int:
        self.clock.advance(after)
        return self.missed.settle(PLATFORM)


def test_what_nobody_announces_within_the_grace_is_missed_once() -> None:
    scene = Scene()
    scene.polled(seen(5))
    assert scene.count(GRACE_SECONDS - 1) == 0
    assert scene.count(1) == 1
    assert scene.count(3600) == 1


def test_what_was_announced_before_is_not_missed() -> None:
    scene = Scene()
    scene.announced(seen(5))
    scene.polled(seen(5))
    assert scene.count() == 0


def test_a_webhook_that_comes_within_the_grace_is_late_and_not_lost() -> None:
    scene = Scene()
    scene.polled(seen(5))
    scene.clock.advance(GRACE_SECONDS - 1)
    scene.announced(seen(5))
    assert scene.count() == 0


def test_a_webhook_after_the_grace_takes_nothing_back() -> None:
    scene = Scene()
    scene.polled(seen(5))
    scene.clock.advance(GRACE_SECONDS)
    scene.announced(seen(5))
    assert scene.count() == 1


def test_a_webhook_of_an_earlier_change_announces_no_later_one() -> None:
    scene = Scene()
    scene.announced(seen(4))
    scene.polled(seen(5))
    assert scene.count() == 1


def test_a_webhook_of_a_later_change_announces_the_earlier_one() -> None:
    scene = Scene()
    scene.announced(seen(6))
    scene.announced(seen(5))
    scene.polled(seen(6))
    assert scene.count() == 0


def test_several_changes_of_one_ticket_within_one_grace_are_one() -> None:
    scene = Scene()
    scene.polled(seen(5), seen(6))
    scene.clock.advance(10)
    scene.polled(seen(7), seen(3, T2))
    assert scene.count() == 2
    scene.polled(seen(8))
    assert scene.count() == 3


def test_a_webhook_of_another_ticket_announces_nothing() -> None:
    scene = Scene()
    scene.announced(seen(5, T2))
    scene.polled(seen(5))
    assert scene.count() == 1


def test_what_happened_while_nobody_listened_is_not_counted() -> None:
    scene = Scene(is_settled=False)
    scene.polled(seen(5))
    assert scene.count() == 0
    scene.missed.walked(PLATFORM)
    scene.clock.advance(SETTLING_SECONDS - 1)
    scene.polled(seen(6))
    assert scene.count(1) == 0
    scene.missed.walked(PLATFORM)
    scene.polled(seen(7))
    assert scene.count() == 1


def test_of_a_connection_without_webhooks_nothing_is_counted() -> None:
    scene = Scene()
    scene.missed.walked(PARTNER)
    scene.clock.advance(SETTLING_SECONDS)
    scene.missed.found(PARTNER, {T1}, [seen(5)])
    assert not scene.missed.expects(PARTNER)
    scene.clock.advance(GRACE_SECONDS)
    assert scene.missed.settle(PARTNER) == 0


def test_a_flood_of_webhooks_is_forgotten_oldest_first() -> None:
    scene = Scene()
    scene.announced(seen(5))
    for number in range(10_000):
        scene.announced(seen(5, TicketId(f"S{number}")))
    scene.polled(seen(5), seen(5, TicketId("S9999")))
    assert scene.count() == 1


@pytest.mark.parametrize(
    ("sighting", "order"),
    [
        (seen(5), 5),
        (Sighting(ticket_id=T1), 0),
        (Sighting(ticket_id=T1, comments=(replace(a_comment("1"), position=7),)), 7),
        (
            Sighting(
                ticket_id=T1,
                comments=(
                    replace(a_comment("1"), position=0, created_at=AT),
                    replace(a_comment("2"), position=0, created_at=AT + timedelta(seconds=9)),
                ),
            ),
            int(AT.timestamp()) + 9,
        ),
    ],
    ids=["fields", "nothing", "a version", "seconds"],
)
def test_a_sighting_reaches_as_far_as_its_latest_part(sighting: Sighting, order: int) -> None:
    assert reach(sighting) == order
