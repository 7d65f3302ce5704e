"""What 100,000 pairs cost: memory at rest, the start, and one change beside 1,000 pairs.

Both stores are full of copies of a pair that syncd made itself. Two daemons with desks of their own
run side by side and take the same changes in turns, so that the machine's moods meet both.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import world
from tests.bench.figure import Against, Figure, Goal, Measured, rounded
from tests.bench.many import counts, multiply
from tests.bench.measures import Bench
from tests.bench.measures.latency import Stage, Way
from tests.bench.process import start, started
from tests.bench.stopwatch import cpu_seconds, percentile, resident_bytes, rest
from tests.bench.world import Desks, Scale

_MANY, _FEW = 100_000, 1_000
#: Tickets that are really on the desks and get the changes.
_TICKETS = 12
_MIB = 2**20
_CHANGE = Way(name="comment to Zendesk", act=world.comment, is_to_partner=True)


@dataclass(kw_only=True, slots=True)
class Full:
    """Desks, a full store, and the daemon on it."""

    folder: Path
    config: Path
    stage: Stage
    rows: dict[str, int]


def measure(bench: Bench) -> Measured:
    """Starts first, then rest, then changes in turns."""
    many, few = (_MANY, _FEW) if not bench.is_quick else (_MANY // 10, _FEW)
    rounds, changes = bench.times(5, 2), bench.times(_TICKETS, 4)
    with _full(bench, many) as large, _full(bench, few) as small:
        ours, floor = _starts(bench, large)
        rest(1.0)
        pid, small_pid = (full.stage.engine.process.pid for full in (large, small))
        bench.say("at rest")
        idle = [_idle(pid, small_pid) for _ in range(bench.times(2, 1))]
        memory = resident_bytes(pid) / _MIB
        with started("tests.bench.floor.idle", str(bench.folder / "e"), folder=bench.folder) as one:
            empty = resident_bytes(one[0].pid) / _MIB
        small_memory = resident_bytes(small_pid) / _MIB
        costs = []
        for turn in range(rounds):
            bench.say(f"changes: round {turn + 1} of {rounds}")
            numbers = range(1 + 2 * turn * changes, 1 + (2 * turn + 1) * changes)
            costs.append((_cost(large.stage, numbers), _cost(small.stage, numbers)))
        after = resident_bytes(pid) / _MIB
    beside = f"{few:,} pairs"
    return Measured(
        title=f"{many:,} pairs",
        figures=(
            Figure(
                name="resident memory, idle",
                unit="MiB",
                runs=(round(memory, 2),),
                against=Against(name="floor: libraries, idle", runs=(round(empty, 2),)),
                goal=Goal(text="under 150 MB", bound=150e6 / _MIB),
                detail=f"{small_memory:.0f} MiB with {beside}; {after:.0f} MiB after the changes",
            ),
            Figure(
                name="start to ready",
                unit="s",
                runs=rounded(ours, 3),
                against=Against(name="floor: libraries, listening", runs=rounded(floor, 3)),
                goal=Goal(text="under 3 s", bound=3.0),
                digits=2,
            ),
            _beside("CPU time at rest, of a minute", "ms", idle, beside, None),
            _beside(
                "one change, CPU time",
                "ms",
                [(a[0], b[0]) for a, b in costs],
                beside,
                Goal(text="at most 1.3 times", bound=1.3, is_of_ratio=True),
            ),
            _beside(
                "one change, from its 202 to the write, p50",
                "ms",
                [(a[1], b[1]) for a, b in costs],
                beside,
                Goal(text="at most 1.3 times", bound=1.3, is_of_ratio=True),
            ),
        ),
        conditions=(
            f"Rows of the large store: {_listed(large.rows)}; of the small one:"
            f" {_listed(small.rows)}. Copies of a pair that syncd made.",
            f"A change is a comment to Zendesk; {rounds} rounds of {changes} in turns.",
            "The floor of memory and start is a process with the same libraries, the same file"
            " and a listening server, and nothing of syncd.",
        ),
        raw={"store_bytes": {"large": _size(large), "small": _size(small)}},
    )


def _beside(
    name: str, unit: str, runs: list[tuple[float, float]], beside: str, goal: Goal | None
) -> Figure:
    return Figure(
        name=name,
        unit=unit,
        runs=rounded([a for a, _ in runs], 3),
        against=Against(name=beside, runs=rounded([b for _, b in runs], 3)),
        goal=goal,
        digits=2,
    )


def _starts(bench: Bench, large: Full) -> tuple[list[float], list[float]]:
    """Start the daemon on the large store several times; the last one stays."""
    ours, floor = [], []
    for number in range(bench.times(3, 1)):
        bench.say(f"start {number + 1}")
        large.stage.engine.process.stop()
        begun_at = time.monotonic()
        large.stage.engine = world.run_syncd(large.folder, large.config)
        ours.append(time.monotonic() - begun_at)
        begun_at = time.monotonic()
        process, _ = start("tests.bench.floor.idle", str(_store(large.folder)), folder=bench.folder)
        floor.append(time.monotonic() - begun_at)
        process.kill()
    return ours, floor


def _idle(pid: int, other: int) -> tuple[float, float]:
    """Milliseconds of CPU time that a minute at rest would take, from twelve seconds of it."""
    seconds = 12.0
    used = (cpu_seconds(pid), cpu_seconds(other))
    rest(seconds)
    spent = (cpu_seconds(pid) - used[0], cpu_seconds(other) - used[1])
    return 1000 * spent[0] * 60 / seconds, 1000 * spent[1] * 60 / seconds


def _cost(stage: Stage, numbers: range) -> tuple[float, float]:
    """CPU milliseconds of one change, and the median milliseconds from its 202 to its write."""
    pid = stage.engine.process.pid
    used = cpu_seconds(pid)
    for number in numbers:
        stage.carry(_CHANGE, number)
    spent = cpu_seconds(pid) - used
    taken = [stage.sample(_CHANGE, number + len(numbers)) for number in numbers]
    return 1000 * spent / len(numbers), percentile(taken, 0.5)


@contextlib.contextmanager
def _full(bench: Bench, pairs: int) -> Iterator[Full]:
    """A daemon at rest on a store with that many pairs."""
    folder = bench.folder / str(pairs)
    with world.desks(folder, Scale(tickets=_TICKETS, comments=3)) as there:
        config, rows = _fill(bench, folder, there, pairs)
        stage = Stage(
            there=there,
            twins=world.twins_of(there),
            engine=world.run_syncd(folder, config),
            touched={},
        )
        try:
            yield Full(folder=folder, config=config, stage=stage, rows=rows)
        finally:
            stage.engine.process.stop()


def _fill(bench: Bench, folder: Path, there: Desks, pairs: int) -> tuple[Path, dict[str, int]]:
    config = world.configure(folder, there)
    engine = world.run_syncd(folder, config)
    try:
        for twin in world.bear(there):
            world.reply(there, twin, 0)
        world.wait_quiet(there, seconds=1.5)
    finally:
        engine.process.stop()
    bench.say(f"{pairs:,} pairs into the store")
    multiply(_store(folder), pairs=pairs)
    return config, counts(_store(folder))


def _store(folder: Path) -> Path:
    return folder / "syncd.db"


def _size(full: Full) -> int:
    return _store(full.folder).stat().st_size


def _listed(rows: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in rows.items())
