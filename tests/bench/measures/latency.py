"""From the 202 that was sent to the first byte of the write that reached the other desk.

One change at a time on a quiet daemon, syncd and the floor in turns, with commits as they are and
with commits that take 5 ms longer. All processes read one monotonic clock.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncd.cli.demo.desks import PartnerDesk, PlatformDesk
from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Json, Measured, rounded
from tests.bench.measures import Bench
from tests.bench.stopwatch import percentile, rest
from tests.bench.world import Desks, Engine, Scale, Twin

_TICKETS, _ACCOUNTS = 40, 4
_SLOW_SECONDS = 0.005
#: A Zendesk stamp must be past before its ticket is touched again; nothing is measured meanwhile.
_STAMP_SECONDS = 1.2
#: What follows a write, such as its own webhook, is over before the next change.
_PAUSE_SECONDS = 0.03
_GOALS = {
    0.5: Goal(text="p50 under 25 ms", bound=25.0),
    0.99: Goal(text="p99 under 150 ms", bound=150.0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One kind of change on its way."""

    name: str
    act: Callable[[Desks, Twin, int], None]
    is_to_partner: bool = False


_WAYS = (
    Way(name="comment to Zendesk", act=world.comment, is_to_partner=True),
    Way(name="comment to the platform", act=world.reply),
    Way(name="tags to the platform", act=world.tag_at_partner),
)


@dataclass(kw_only=True, slots=True)
class Stage:
    """Desks with tickets, an engine between them, and when each ticket was last touched."""

    there: Desks
    twins: tuple[Twin, ...]
    engine: Engine
    touched: dict[str, float]

    def sample(self, way: Way, number: int) -> float:
        """Milliseconds from the first 202 of one change to its write."""
        self.engine.accepted()
        arrived_at = self.carry(way, number)
        twin = self.twins[number % len(self.twins)]
        sender = world.PLATFORM if way.is_to_partner else self.there.connection(twin.account)
        # Before the write's own webhooks, and those come from the other desk.
        accepted = [at for path, at in self.engine.accepted() if path.endswith(f"/{sender}")]
        return 1000.0 * (arrived_at - min(accepted))

    def carry(self, way: Way, number: int) -> float:
        """Make one change; the moment when its write arrived at the other desk."""
        twin = self.twins[number % len(self.twins)]
        rest(max(0.0, self.touched.get(twin.platform_id, 0.0) + _STAMP_SECONDS - time.monotonic()))
        partner = self.there.partners[twin.account]
        receiver: PlatformDesk | PartnerDesk = partner if way.is_to_partner else self.there.platform
        known = int(self.there.arrivals(receiver, above=0, wait=0)["count"])
        way.act(self.there, twin, number)
        arrived = self.there.arrivals(receiver, above=known)["arrivals"]
        self.touched[twin.platform_id] = time.monotonic()
        if not arrived:
            raise TimeoutError(f"{way.name}: nothing arrived")
        rest(_PAUSE_SECONDS)
        return float(arrived[0][0])


def measure(bench: Bench) -> Measured:
    """All ways, with and without slow commits."""
    rounds, samples = bench.times(3, 2), bench.times(25, 8)
    figures: list[Figure] = []
    raw: Json = {}
    for label, delay in (("", 0.0), (", each commit 5 ms longer", _SLOW_SECONDS)):
        folder = bench.folder / (f"slow-{delay}" if delay else "plain")
        with _syncd(folder / "syncd", delay) as ours, _floor(folder / "floor", delay) as floor:
            for way in _WAYS:
                taken: dict[str, list[list[float]]] = {"syncd": [], "floor": []}
                for turn in range(rounds):
                    bench.say(f"{way.name}{label}: round {turn + 1} of {rounds}")
                    for name, stage in (("syncd", ours), ("floor", floor)):
                        first = 1 + turn * samples
                        numbers = range(first, first + samples)
                        taken[name].append([stage.sample(way, number) for number in numbers])
                raw[f"{way.name}{label}"] = {
                    name: [rounded(run, 2) for run in runs] for name, runs in taken.items()
                }
                figures += _figures(f"{way.name}{label}", taken)
    return Measured(
        title="From the webhook's 202 to the write",
        figures=tuple(figures),
        conditions=(
            f"{rounds} rounds of {samples} changes each, one at a time, over {_TICKETS} tickets of"
            f" {_ACCOUNTS} Zendesk accounts with the High Volume quotas, after both desks were"
            " quiet; a run is a round, so its p99 is nearly its slowest change.",
            "Measured by the machine's one monotonic clock from the moment when the 202 had been"
            " handed to the socket to the moment when the other desk had the write's headers.",
            "The floor does the same exchange and one durable commit before the write, without any"
            " logic: the same web server, HTTP client and disk.",
        ),
        raw=raw,
    )


def _figures(name: str, taken: dict[str, list[list[float]]]) -> list[Figure]:
    return [
        Figure(
            name=f"{name}, p{share * 100:.0f}",
            unit="ms",
            runs=rounded([percentile(run, share) for run in taken["syncd"]]),
            against=Against(
                name="floor", runs=rounded([percentile(run, share) for run in taken["floor"]])
            ),
            goal=goal,
        )
        for share, goal in _GOALS.items()
    ]


@contextlib.contextmanager
def _syncd(folder: Path, delay: float) -> Iterator[Stage]:
    with world.desks(folder, _scale()) as there:
        config = world.configure(folder, there)
        engine = world.run_syncd(folder, config, commit_delay_seconds=delay)
        try:
            twins = world.bear(there)
            _settle_in(there, twins)
            yield Stage(there=there, twins=twins, engine=engine, touched={})
        finally:
            engine.process.stop()


@contextlib.contextmanager
def _floor(folder: Path, delay: float) -> Iterator[Stage]:
    with world.desks(folder, _scale()) as there:
        twins = world.open_both(there)
        engine = world.run_floor(folder, there, twins, commit_delay_seconds=delay)
        try:
            world.lead_webhooks_to(there, engine)
            _settle_in(there, twins)
            yield Stage(there=there, twins=twins, engine=engine, touched={})
        finally:
            engine.process.stop()


def _settle_in(there: Desks, twins: Sequence[Twin]) -> None:
    """A first answer on each ticket: it sets off a trigger of Zendesk's that later ones do not."""
    for twin in twins:
        world.reply(there, twin, 0)
    world.wait_quiet(there, seconds=1.5)


def _scale() -> Scale:
    return Scale(accounts=_ACCOUNTS, tickets=_TICKETS)
