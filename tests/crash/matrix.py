"""Lives of syncd that are cut off, and what is compared afterwards.

A life does one kind of work on tickets of its own; at a chosen point everything of the process is
thrown away, another syncd begins on the same file and goes on to the end.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import httpx

from syncd.core.errors import StoreUnavailable
from syncd.core.operations import Draft, Intent, Operation, drafts_of
from syncd.store.journal import to_intent
from tests.crash.fuses import FuseBox, Fuses, Moment, Point
from tests.crash.kinds import Kind, Tickets
from tests.crash.shown import Shown, counted, shown
from tests.engine.both_desks import BothDesks

_SENT = """
    SELECT operation.*, connection.name AS connection
    FROM operation JOIN connection ON connection.id = operation.connection_ref
    WHERE state = 'sent'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """What became of one kind of work."""

    end: list[Shown]
    #: How many tickets and customers there are more on the desks.
    growth: tuple[int, ...]
    points: Sequence[Point]
    #: What was in the journal, and when it was on its way.
    intents: Sequence[Intent]
    #: Whether it was cut off where it was to be.
    is_cut: bool


async def lived(desks: BothDesks, box: FuseBox, kind: Kind, burns_at: int | None = None) -> Life:
    """Do the kind's work on tickets of its own, with a death at a point of it, if any."""
    before = counted(desks)
    tickets: Tickets = [] if kind.before is None else await kind.before(desks)
    tickets = await kind.deed(desks, tickets)
    # A life of its own, so that what it has in memory does not depend on those before.
    await desks.end_life()
    fuses = box.renew(burns_at)
    await _live(desks, kind, fuses)
    await desks.end_life()
    box.renew()
    await desks.begin_life()
    if fuses.is_cut:
        if fuses.late is not None:
            await desks.round()
            async with httpx.AsyncClient() as line:
                await line.send(fuses.late)
        await kind.work(desks)
    await desks.settle()
    after = counted(desks)
    growth = tuple(late - early for early, late in zip(before, after, strict=True))
    end = await shown(desks, tickets)
    return Life(
        end=end,
        growth=growth,
        points=fuses.points,
        intents=box.intents,
        is_cut=fuses.is_cut,
    )


async def _live(desks: BothDesks, kind: Kind, fuses: Fuses) -> None:
    """Another syncd begins and does the kind's work, to its end or until the power is cut."""
    try:
        await desks.begin_life()
    except StoreUnavailable:
        assert fuses.is_cut
        return
    work = asyncio.ensure_future(kind.work(desks))
    cut = asyncio.create_task(fuses.burnt.wait())
    await asyncio.wait({work, cut}, return_when=asyncio.FIRST_COMPLETED)
    if fuses.is_cut:
        # Whoever waits for something that nobody will do any more is let go.
        work.cancel()
        await asyncio.wait({work})
    else:
        cut.cancel()
        await work


def worth_burning(points: Sequence[Point], kind: Kind, *, every: bool) -> Iterator[int]:
    """The numbers of the points at which a life is to end.

    Between two commits a daemon that only reads changes nothing, neither here nor on a desk: of
    the points that find everything as the one before did, the first stands for all, unless `every`
    is asked for.
    """
    for number, point in enumerate(points):
        if point.moment is Moment.LATE_REQUEST and not kind.may_be_late:
            continue
        if number == 0 or point.is_new or (every and not kind.is_long):
            yield number


def differing(one: Life, other: Life) -> Iterator[str]:
    """What people see otherwise in the second life, by its place."""
    if one.growth != other.growth:
        yield f"grown by {other.growth}, not {one.growth}"
    yield from differing_in(one.end, other.end)


def differing_in(one: list[Shown], other: list[Shown]) -> Iterator[str]:
    """The same of what is shown alone."""
    yield from _differing(one, other, "")


def _differing(one: object, other: object, place: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one:
            yield from _differing(one[key], other[key], f"{place}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _differing(a, b, f"{place}/{index}")
    elif one != other:
        yield f"{place}: {other!r}, not {one!r}"


# --- what the matrix holds -----------------------------------------------------------------------


def journaled(path: Path) -> list[Intent]:
    """The writes that are on their way in a store's file."""
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        return [to_intent(row) for row in connection.execute(_SENT)]


def traits_of(intents: Collection[Intent]) -> set[str]:
    """The kinds of operations among some, and those of their parts that not each one has."""
    values = [intent.op for intent in intents]
    drafts = [draft for op in values for draft in drafts_of(op)]
    found = {type(op).__name__ for op in values}
    for value in (*values, *drafts):
        for name, default in _optional(type(value)):
            if getattr(value, name) != default:
                found.add(f"{type(value).__name__}.{name}")
    return found


def all_traits() -> set[str]:
    """The same of everything that the core can ask for."""
    kinds = [*get_args(Operation), Draft]
    parts = {f"{kind.__name__}.{name}" for kind in kinds for name, _ in _optional(kind)}
    return parts | {kind.__name__ for kind in get_args(Operation)}


def _optional(kind: type) -> list[tuple[str, object]]:
    fields = dataclasses.fields(kind)
    return [(f.name, f.default) for f in fields if f.default is not dataclasses.MISSING]
