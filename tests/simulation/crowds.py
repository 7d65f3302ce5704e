"""What no person of these links does: a crowd of strangers' webhooks, and machines that answer.

Both are thrown by dice of their own, so that a seed without them plays as it would otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from tests.simulation.desks import PLATFORM
from tests.simulation.script import Event, Terms


def with_crowds(terms: Terms) -> Terms:
    """The world with the crowds that its seed lets into it."""
    dice = _dice(terms)
    strangers = dice.choice([0, 0, 0, 20, 200])
    has_machines = dice.random() < 0.15
    return replace(
        terms,
        strangers=strangers if terms.has_webhooks else 0,
        has_machines=has_machines,
        # So that the cap is met within the hour, also where polling alone brings the news.
        loop_limit=dice.choice([5, 10, 30]) if has_machines else terms.loop_limit,
    )


def crowds(terms: Terms, *, tickets: int, end: float) -> Iterator[Event]:
    """When they come, in a history of so many tickets that ends then."""
    dice = Random(f"{terms.seed} moments of crowds")
    if terms.strangers:
        for desk in (PLATFORM, dice.choice(terms.partners)):
            at = 200 + dice.random() * (end - 200) / 2
            yield Event(at=round(at, 3), do="flood", about={"desk": desk, "count": terms.strangers})
    if terms.has_machines:
        about = {
            "ticket": dice.randint(1, min(tickets, 3)),
            "partner": dice.choice(terms.partners),
        }
        at = 260 + dice.random() * (end - 260) / 4
        yield Event(at=round(at, 3), do="machines", about=about)


def _dice(terms: Terms) -> Random:
    return Random(f"{terms.seed} crowds")
