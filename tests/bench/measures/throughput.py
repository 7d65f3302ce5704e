"""Changes a second, from the webhook to the durable write, beside the floor's.

Forty Zendesk accounts and one platform. syncd or the floor has one core for itself, the desks and
the load have the other; both go through the same rounds in turns, on desks of their own.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from syncd.cli.demo.desks import PartnerDesk, PlatformDesk
from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Json, Measured, rounded
from tests.bench.load import Recorder, post_all, recorder
from tests.bench.measures import Bench
from tests.bench.stopwatch import cpu_seconds, rest, wait_for
from tests.bench.world import Desks, Engine, Scale, Twin

_ACCOUNTS = 40
#: Webhooks on their way at once; a desk opens about as many connections.
_CONNECTIONS = 64
#: One core for what is measured, the other for the desks and the load.
_OURS, _THEIRS = 0, 1
_STAMP_SECONDS = 1.2
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A direction."""

    name: str
    act: Callable[[Desks, Twin, int], None]
    is_to_partner: bool


_WAYS = (
    Way(name="comments to Zendesk", act=world.comment, is_to_partner=True),
    Way(name="comments to the platform", act=world.reply, is_to_partner=False),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """What one round came to."""

    changes_per_second: float
    cpu_milliseconds: float
    write_bytes: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Desks, an engine, and the recorder that holds back the webhooks of a round."""

    there: Desks
    twins: tuple[Twin, ...]
    engine: Engine
    kept: Recorder
    #: Zendesk's names of its webhooks, by account.
    hooks: tuple[str, ...]

    def play(self, way: Way, number: int) -> Round:
        """One change on every ticket, all webhooks at once; until the last write has arrived."""
        self._lead(to_engine=not way.is_to_partner, is_platforms=True)
        self._lead(to_engine=way.is_to_partner, is_platforms=False)
        rest(_STAMP_SECONDS)
        self.kept.take()
        for twin in self.twins:
            way.act(self.there, twin, number)
        wait_for("every webhook", lambda: len(self.kept) >= len(self.twins))
        receivers: tuple[PlatformDesk | PartnerDesk, ...] = (
            self.there.partners if way.is_to_partner else (self.there.platform,)
        )
        known = [int(self.there.arrivals(d, above=0, wait=0)["count"]) for d in receivers]
        used = cpu_seconds(self.engine.process.pid)
        begun_at = post_all(self.engine.address, self.kept.take(), connections=_CONNECTIONS)
        arrived: list[tuple[float, int]] = []
        for desk, before in zip(receivers, known, strict=True):
            due = len(self.twins) // len(receivers)
            arrived += self._arrived(desk, before, due)
        world.wait_quiet(self.there, seconds=0.3)
        spent = cpu_seconds(self.engine.process.pid) - used
        ended_at = max(at for at, _ in arrived)
        return Round(
            changes_per_second=len(arrived) / (ended_at - begun_at),
            cpu_milliseconds=1000 * spent / len(arrived),
            write_bytes=statistics.mean(size for _, size in arrived),
        )

    def _arrived(
        self, desk: PlatformDesk | PartnerDesk, before: int, due: int
    ) -> list[tuple[float, int]]:
        """When so many writes arrived, and how large each was; waits for the last of them."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            told = self.there.arrivals(desk, above=before + due - 1)
            if told["count"] >= before + due:
                rows = self.there.arrivals(desk, above=before)["arrivals"]
                return [(float(at), int(size)) for at, _, size in rows]
        raise TimeoutError(f"not {due} writes within {_PATIENCE_SECONDS:g} s")

    def _lead(self, *, to_engine: bool, is_platforms: bool) -> None:
        """Have the platform's or the accounts' webhooks go to the engine, or be kept."""
        url = self.engine.address if to_engine else self.kept.address
        if is_platforms:
            world.point_platform(self.there, url)
            return
        for account, hook in enumerate(self.hooks):
            world.point_partner(self.there, account, hook, url)


def measure(bench: Bench) -> Measured:
    """Both directions, several rounds, syncd and the floor in turns."""
    rounds = bench.times(3, 1)
    mine = os.sched_getaffinity(0)
    if len(mine) > _THEIRS:
        os.sched_setaffinity(0, {_THEIRS})
    try:
        with recorder() as kept, _syncd(bench, kept) as ours, _floor(bench, kept) as floor:
            taken: dict[str, dict[str, list[Round]]] = {}
            for way in _WAYS:
                taken[way.name] = {"syncd": [], "floor": []}
                for number in range(1, rounds + 1):
                    bench.say(f"{way.name}: round {number} of {rounds}")
                    taken[way.name]["syncd"].append(ours.play(way, number))
                    taken[way.name]["floor"].append(floor.play(way, number))
    finally:
        os.sched_setaffinity(0, mine)
    tickets = len(ours.twins)
    return Measured(
        title="Durable changes a second",
        figures=tuple(f for name, both in taken.items() for f in _figures(name, both)),
        conditions=(
            f"{_ACCOUNTS} Zendesk accounts, each a connection of its own with the quotas of the"
            " High Volume plan (2500 requests and 300 ticket updates a minute), which limit"
            f" nothing here; the platform's quota is its own to choose and set above the load."
            f" {tickets} tickets, one new comment each a round, {_CONNECTIONS} webhooks at once,"
            f" {world.WORKERS} changes in work at once.",
            "What is measured has one core for itself; the desks and the load have the other."
            " The webhooks of the round were kept and are sent as they are; those that the"
            " writes set off come live and are taken in by both.",
            "The floor makes the same exchanges with bodies of nearly the same size and the same"
            " three durable points for each change, group-committed to SQLite with"
            " synchronous=FULL, by the same web server and HTTP client; it has no logic."
            f" Bytes of a write, syncd and floor: {_sizes(taken)}.",
            "Where the floor waits for the desks' core, faster desks would let it gain more than"
            " syncd: the ratio of the CPU times is the harder comparison, and bears no goal.",
        ),
        raw=_raw(taken),
    )


def _figures(name: str, both: dict[str, list[Round]]) -> tuple[Figure, Figure]:
    def runs(who: str, what: Callable[[Round], float]) -> tuple[float, ...]:
        return rounded([what(one) for one in both[who]], 3)

    def rate(one: Round) -> float:
        return one.changes_per_second

    def cpu(one: Round) -> float:
        return one.cpu_milliseconds

    return (
        Figure(
            name=name,
            unit="changes/s",
            runs=runs("syncd", rate),
            against=Against(name="floor", runs=runs("floor", rate)),
            goal=Goal(text="at least half the floor", bound=0.5, is_upper=False, is_of_ratio=True),
        ),
        Figure(
            name=f"{name}, CPU time of one",
            unit="ms",
            runs=runs("syncd", cpu),
            against=Against(name="floor", runs=runs("floor", cpu)),
        ),
    )


def _sizes(taken: dict[str, dict[str, list[Round]]]) -> str:
    def mean(rounds: list[Round]) -> float:
        return statistics.mean(one.write_bytes for one in rounds)

    return "; ".join(
        f"{name} {mean(both['syncd']):.0f} and {mean(both['floor']):.0f}"
        for name, both in taken.items()
    )


def _raw(taken: dict[str, dict[str, list[Round]]]) -> Json:
    return {
        name: {
            who: [
                {
                    "changes_per_second": round(one.changes_per_second, 2),
                    "cpu_milliseconds": round(one.cpu_milliseconds, 3),
                    "write_bytes": round(one.write_bytes, 1),
                }
                for one in rounds
            ]
            for who, rounds in both.items()
        }
        for name, both in taken.items()
    }


@contextlib.contextmanager
def _syncd(bench: Bench, kept: Recorder) -> Iterator[Stage]:
    folder: Path = bench.folder / "syncd"
    with world.desks(folder, _scale(bench), core=_THEIRS) as there:
        config = world.configure(folder, there)
        engine = world.run_syncd(folder, config, core=_OURS)
        try:
            bench.say(f"{there.scale.tickets} tickets are born")
            twins = world.bear(there)
            hooks = world.partner_hooks(there)
            _settle_in(there, twins)
            yield Stage(there=there, twins=twins, engine=engine, kept=kept, hooks=hooks)
        finally:
            engine.process.stop()


@contextlib.contextmanager
def _floor(bench: Bench, kept: Recorder) -> Iterator[Stage]:
    folder: Path = bench.folder / "floor"
    with world.desks(folder, _scale(bench), core=_THEIRS) as there:
        bench.say("the floor's tickets")
        twins = world.open_both(there)
        engine = world.run_floor(folder, there, twins, core=_OURS)
        try:
            world.lead_webhooks_to(there, engine)
            hooks = world.partner_hooks(there)
            _settle_in(there, twins)
            yield Stage(there=there, twins=twins, engine=engine, kept=kept, hooks=hooks)
        finally:
            engine.process.stop()


def _settle_in(there: Desks, twins: tuple[Twin, ...]) -> None:
    """A first answer on each ticket: it sets off a trigger of Zendesk's that later ones do not."""
    for twin in twins:
        world.reply(there, twin, 0)
    world.wait_quiet(there, seconds=1.5)


def _scale(bench: Bench) -> Scale:
    return Scale(accounts=_ACCOUNTS, tickets=_ACCOUNTS * bench.times(4, 2))
