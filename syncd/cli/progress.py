"""The progress bar of a backfill, with rate and time left; on a terminal only.

It is drawn on standard error, so that the report on standard output stays clean.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from syncd.cli.report import console

if TYPE_CHECKING:
    from syncd.engine.backfill import BackfillReport


@contextlib.contextmanager
def ticket_progress(
    what: str, *, is_counting: bool = False
) -> Iterator[Callable[[BackfillReport], None]]:
    """A function that shows how far a backfill has come; with `is_counting`, a dry run."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Tickets a second, over the last half minute."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f}/s")

    stream = console(is_error=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stream, disable=not stream.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def show(report: BackfillReport) -> None:
            count = report.seen if is_counting else done_count(report)
            bar.update(task, total=report.total, completed=count)

        yield show


def done_count(report: BackfillReport) -> int:
    """How many of the view's tickets are dealt with.

    A page is counted as seen before its new pairs are run; those that still wait are taken off.
    """
    run = report.done + report.waiting + report.parked
    return report.seen - max(report.born - run, 0)
