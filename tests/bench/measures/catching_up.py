"""What it costs a Zendesk account that its changes piled up while it was away.

Counts and no times: the parts of the daemon on both desks in miniature, under a clock that is
advanced by hand.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from syncd.core.model import Side
from tests.bench.figure import Against, Figure, Measured
from tests.bench.measures import Bench
from tests.engine.both_desks import both_desks
from tests.engine.catching_up import MANY, born, catch_up, change, hold_all, outage, rest


def measure(bench: Bench) -> Measured:
    """Few changes and many, each also with a desk that was there all the time."""
    figures: list[Figure] = []
    raw: dict[str, dict[str, dict[str, int]]] = {}
    for count in (8, 40, bench.times(400, 80)):
        bench.say(f"{count} changes")
        asked = {was_away: asyncio.run(_asked(bench, count, was_away)) for was_away in _WAYS}
        raw[f"{count} changes"] = {
            "after an outage" if was_away else "without": dict(sorted(rows.items()))
            for was_away, rows in asked.items()
        }
        by_jobs = f"{asked[True][MANY]} of them by job"
        costs = {was_away: _costs(rows, count) for was_away, rows in asked.items()}
        for index, kind in enumerate(("writes", "reads")):
            figures.append(
                Figure(
                    name=f"{count} changes, {kind} for each",
                    unit="requests",
                    runs=(costs[True][index],),
                    against=Against(name="without an outage", runs=(costs[False][index],)),
                    detail=by_jobs if kind == "writes" else "",
                    digits=3,
                )
            )
    return Measured(
        title="Catching up after an outage of Zendesk",
        figures=tuple(figures),
        conditions=(
            "Each ticket changed once at the platform while Zendesk answered 503: a public or a"
            " private comment, a status, a tag. Counted from its return to the end of all work.",
            "Reads are the polls too, and the looks at changes whose first attempt had been"
            " answered by an error.",
        ),
        raw=raw,
    )


_WAYS = (True, False)


def _costs(asked: Counter[str], count: int) -> tuple[float, float]:
    writes = sum(n for name, n in asked.items() if not name.startswith("GET"))
    return writes / count, (asked.total() - writes) / count


async def _asked(bench: Bench, count: int, was_away: bool) -> Counter[str]:
    folder = bench.folder / f"{count}-{was_away}"
    folder.mkdir(parents=True)
    async with both_desks(folder) as desks:
        tickets = await born(desks, count)
        if was_away:
            await outage(desks, tickets)
        else:
            desks.forget_requests()
            change(desks, tickets)
        await catch_up(desks)
        await rest(desks)
        hold_all(desks, tickets)
        rows = (f"{method} {path}" for method, path in desks.requests(Side.PARTNER))
        return Counter(row for row in rows if "oauth" not in row)
