"""Units of work a second that the store makes durable, one at a time and fifty at once.

A unit is what a webhook brings: one ticket with a changed tag, merged into the mirror, its pair
marked. The floor puts a row of the same size into a bare SQLite table, group-committed alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from syncd.core.model import ConnectionName, Side
from syncd.store import open_store
from tests.bench.figure import Against, Figure, Measured, rounded
from tests.bench.floor.journal import Journal
from tests.bench.measures import Bench
from tests.support.build import AT, PLATFORM, a_birth, a_sighting, a_ticket

_AT_ONCE = (1, 50)
_PAIRS = 200
#: About what the columns of the changed row hold.
_ROW = b"x" * 600

Unit = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run's rate, and how many units shared a commit."""

    rate: float
    per_commit: float


def measure(bench: Bench) -> Measured:
    """Both concurrencies, several runs, the floor after each run."""
    runs = bench.times(5, 2)
    figures: list[Figure] = []
    for at_once in _AT_ONCE:
        bench.say(f"{at_once} at once")
        units = bench.times(400, 100) * (1 if at_once == 1 else 8)
        ours: list[Run] = []
        floor: list[Run] = []
        for number in range(runs):
            ours.append(_ours(bench.folder / f"{at_once}-{number}.db", at_once, units))
            floor.append(_floor(bench.folder / f"{at_once}-{number}.floor", at_once, units))
        figures += _figures(at_once, ours, floor)
    return Measured(
        title="The store",
        figures=tuple(figures),
        conditions=(
            f"{_PAIRS} pairs; WAL and synchronous=FULL on both sides; a unit returns when it is"
            " on disk.",
        ),
    )


def _figures(at_once: int, ours: list[Run], floor: list[Run]) -> tuple[Figure, Figure]:
    return (
        Figure(
            name=f"units of work, {at_once} at once",
            unit="a second",
            runs=rounded([run.rate for run in ours], 1),
            against=Against(
                name="floor: bare sqlite3", runs=rounded([run.rate for run in floor], 1)
            ),
            digits=0,
        ),
        Figure(
            name=f"units that share a commit, {at_once} at once",
            unit="",
            runs=rounded([run.per_commit for run in ours], 2),
            against=Against(
                name="floor: bare sqlite3", runs=rounded([run.per_commit for run in floor], 2)
            ),
        ),
    )


def _ours(path: Path, at_once: int, units: int) -> Run:
    async def run() -> Run:
        store = open_store(path)
        platform = ConnectionName(PLATFORM)
        tickets = [f"T{number}" for number in range(_PAIRS)]
        await store.record_sightings(
            platform,
            [a_sighting(a_ticket(ticket)) for ticket in tickets],
            side=Side.PLATFORM,
            births=[a_birth(ticket) for ticket in tickets],
            seen_at=AT,
        )

        async def unit(number: int) -> object:
            ticket = a_ticket(
                tickets[number % _PAIRS], tags=(f"product-{number}",), fields_as_of=2 + number
            )
            return await store.record_sightings(
                platform, [a_sighting(ticket)], side=Side.PLATFORM, seen_at=AT
            )

        before = store.commit_count
        rate = await _rate(unit, at_once, units)
        commits = store.commit_count - before
        await store.close()
        return Run(rate=rate, per_commit=units / commits)

    return asyncio.run(run())


def _floor(path: Path, at_once: int, units: int) -> Run:
    async def run() -> Run:
        journal = Journal(path)

        async def unit(number: int) -> None:
            await journal.put(f"T{number % _PAIRS}", str(number), _ROW)

        await journal.put("first", "", b"")
        before = journal.commit_count
        rate = await _rate(unit, at_once, units)
        commits = journal.commit_count - before
        journal.close()
        return Run(rate=rate, per_commit=units / commits)

    return asyncio.run(run())


async def _rate(unit: Unit, at_once: int, units: int) -> float:
    numbers = iter(range(units))

    async def work() -> None:
        for number in numbers:
            await unit(number)

    begun_at = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return units / (time.perf_counter() - begun_at)
