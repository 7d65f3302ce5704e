"""What reading changes costs a Zendesk account: by its exports, and by looks at our own tickets.

Counts and no times: the parts of the daemon on both desks in miniature, under a clock that is
advanced from poll to poll, so that an hour is an hour of requests. Births are not counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from syncd.core.model import Side
from tests.bench.figure import Against, Figure, Json, Measured
from tests.bench.measures import Bench
from tests.engine.both_desks import BothDesks, both_desks

POLL_SECONDS = 10.0
_LOOKS = frozenset(
    {
        "/api/v2/incremental/tickets/cursor",
        "/api/v2/incremental/ticket_events",
        "/api/v2/tickets/show_many",
    }
)
#: Who wrote, is asked for once an hour, whoever many changes there are.
_PEOPLE = "/api/v2/users/show_many"
_CHANGED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one way of reading took."""

    idle_hour: int
    #: Per kind of change, requests beside the looks, for each changed ticket.
    changes: dict[str, float]
    #: Seconds until the last change was on the other desk, by polling alone.
    seconds: dict[str, float]


def measure(bench: Bench) -> Measured:
    """Both ways, with few pairs and with many."""
    counts = bench.times(150, 30)
    raw: Json = {}
    figures: list[Figure] = []
    for pairs in (20, counts):
        costs = {}
        for feed in ("exports", "sweep"):
            bench.say(f"{feed}, {pairs} pairs")
            folder = bench.folder / f"{feed}-{pairs}"
            folder.mkdir(parents=True)
            costs[feed] = asyncio.run(_cost(folder, feed, pairs))
        raw[f"{pairs} pairs"] = {
            feed: {
                "idle hour": cost.idle_hour,
                "requests per change": cost.changes,
                "seconds": cost.seconds,
            }
            for feed, cost in costs.items()
        }
        figures += _figures(pairs, costs["exports"], costs["sweep"])
    return Measured(
        title="Reading by exports and by sweep",
        figures=tuple(figures),
        conditions=(
            f"Polling alone, a look every {POLL_SECONDS:.0f} s; requests to Zendesk, counted by the"
            " sandbox; the hour is the sandbox's, and Zendesk withholds its minute.",
            f"{_CHANGED} tickets change at once, one change each. Looks at the feed are counted in"
            " the idle hour and not again; `users/show_many`, once an hour for everybody, neither.",
            "In the sweep, syncd is an agent in that account and no admin.",
        ),
        raw=raw,
    )


def _figures(pairs: int, exports: Cost, sweep: Cost) -> list[Figure]:
    found = [
        Figure(
            name=f"an idle hour with {pairs} pairs, sweep",
            unit="requests",
            runs=(sweep.idle_hour,),
            against=Against(name="exports", runs=(exports.idle_hour,)),
            digits=0,
        )
    ]
    for kind, count in sweep.changes.items():
        found.append(
            Figure(
                name=f"{kind} with {pairs} pairs, sweep",
                unit="requests",
                runs=(count,),
                against=Against(name="exports", runs=(exports.changes[kind],)),
                detail=f"there after {sweep.seconds[kind]:.0f} s,"
                f" by exports after {exports.seconds[kind]:.0f} s",
                digits=1,
            )
        )
    return found


async def _cost(folder: Path, feed: str, pairs: int) -> Cost:
    async with both_desks(folder, feed=feed) as desks:
        ids = [desks.open_ticket(f"<p>Anliegen {number:05}</p>") for number in range(pairs)]
        await desks.settle()
        before = _counts(desks)
        for _ in range(round(3600 / POLL_SECONDS)):
            await _look(desks)
        idle = (_counts(desks) - before).total()
        changed = ids[:: max(1, pairs // _CHANGED)][:_CHANGED]
        changes: dict[str, float] = {}
        seconds: dict[str, float] = {}
        for kind, act, is_there in _KINDS:
            before = _counts(desks)
            for number, ticket_id in enumerate(changed):
                await act(desks, ticket_id, number)
            seconds[kind] = await _until(desks, changed, is_there)
            await desks.settle()
            spent = _counts(desks) - before
            changes[kind] = sum(
                n for name, n in spent.items() if name not in _LOOKS and name != _PEOPLE
            ) / len(changed)
        return Cost(idle_hour=idle, changes=changes, seconds=seconds)


async def _look(desks: BothDesks) -> None:
    desks.clock.advance(POLL_SECONDS)
    await desks.poll()
    await desks.run_due()


async def _until(
    desks: BothDesks, ids: list[str], is_there: Callable[[BothDesks, str, int], bool]
) -> float:
    """Seconds of polling until every change has arrived."""
    started = desks.clock.monotonic()
    while not all(is_there(desks, ticket_id, number) for number, ticket_id in enumerate(ids)):
        await _look(desks)
    return desks.clock.monotonic() - started


def _counts(desks: BothDesks) -> Counter[str]:
    return Counter(template for _, template in desks.requests(Side.PARTNER))


async def _answer(desks: BothDesks, ticket_id: str, number: int) -> None:
    await desks.answer(ticket_id, f"<p>eine Antwort {number:05}</p>", status="pending")


async def _tag(desks: BothDesks, ticket_id: str, number: int) -> None:
    await desks.answer(ticket_id, add_tags=[f"t-{number}"])


async def _write(desks: BothDesks, ticket_id: str, number: int) -> None:
    desks.write(ticket_id, f"<p>eine Frage {number:05}</p>")


_KINDS: tuple[
    tuple[
        str,
        Callable[[BothDesks, str, int], Awaitable[None]],
        Callable[[BothDesks, str, int], bool],
    ],
    ...,
] = (
    (
        "an answer with a status from Zendesk",
        _answer,
        lambda desks, ticket_id, n: bool(desks.read(ticket_id, f"eine Antwort {n:05}")),
    ),
    (
        "a tag from Zendesk",
        _tag,
        lambda desks, ticket_id, n: f"t-{n}" in desks.ticket(ticket_id).tags,
    ),
    (
        "a comment to Zendesk",
        _write,
        lambda desks, ticket_id, n: bool(desks.heard(ticket_id, f"eine Frage {n:05}")),
    ),
)
