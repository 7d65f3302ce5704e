"""The matrix as a table: each kind of work, and how many points of it are burnt.

`python -m tests.crash.table` does each kind once, undisturbed, and prints Markdown.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.crash.fuses import FuseBox, Moment
from tests.crash.kinds import KINDS, Kind
from tests.crash.matrix import Life, lived, worth_burning
from tests.engine.both_desks import both_desks

HEAD = (
    "| work | commits | requests | writes among them | fuse points | deaths, stamps readable |"
    " deaths, stamps hidden |"
)


async def a_life(kind: Kind, folder: Path) -> Life:
    """One undisturbed life of a kind."""
    box = FuseBox()
    with box.installed():
        async with both_desks(folder, **kind.settings) as desks:
            await lived(desks, box, kind)
            return await lived(desks, box, kind)


def row(name: str, kind: Kind, life: Life) -> str:
    """One line of the table."""
    moments = [point.moment for point in life.points]
    late = moments.count(Moment.LATE_REQUEST)
    cells = (
        moments.count(Moment.AFTER_COMMIT),
        moments.count(Moment.AFTER_REQUEST),
        late,
        len(moments),
        sum(1 for _ in worth_burning(life.points, kind, every=True)),
        sum(1 for _ in worth_burning(life.points, kind, every=False)),
    )
    return f"| {name} | {' | '.join(map(str, cells))} |"


def rows() -> Iterator[str]:
    """The whole table."""
    yield HEAD
    yield "|---|---|---|---|---|---|---|"
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            yield row(name, kind, asyncio.run(a_life(kind, Path(folder))))


if __name__ == "__main__":
    for line in rows():
        sys.stdout.write(line + "\n")
