"""The progress bar of a backfill, with rate and time left; on a terminal only.

It is drawn on standard error, so that the report on standard output stays clean.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from syncd.cli.report import console

if TYPE_CHECKING:
    from rich.progress import Progress

    from syncd.engine.backfill import BackfillReport


class TicketBar:
    """One bar for one walk over a view at a time."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it, so that it is worth a request to know how far it goes."""
        return not self._bar.disable

    @contextlib.contextmanager
    def walk(
        self, what: str, *, total: int | None = None, is_counting: bool = False
    ) -> Iterator[Callable[[BackfillReport], None]]:
        """A function that shows how far a walk has come; `total` where the desk does not tell one.

        A walk that only counts has dealt with a ticket when it has seen it.
        """
        task = self._bar.add_task(what, total=total)

        def show(report: BackfillReport) -> None:
            self._bar.update(task, total=report.total or total, completed=report.handled)

        yield show
        if is_counting:
            self._bar.remove_task(task)
        elif total is not None:
            # One that went on where it was cut off saw only the rest.
            self._bar.update(task, completed=total)


@contextlib.contextmanager
def ticket_bar() -> Iterator[TicketBar]:
    """A bar on standard error, nothing at all where that is no terminal."""
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
        """Tickets a second: of the last half minute, in the end of the whole."""

        def render(self, task: Task) -> Text:
            whole = task.completed / task.elapsed if task.elapsed else None
            speed = whole if task.finished else task.speed or whole
            return Text("" if speed is None else f"{speed:.1f}/s")

    stream = console(is_error=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left", style="dim"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stream, disable=not stream.is_terminal) as bar:
        yield TicketBar(bar)


@contextlib.contextmanager
def count_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function that shows how many of how many are done; nothing where that is no terminal."""
    from rich.progress import Progress

    stream = console(is_error=True)
    with Progress(console=stream, disable=not stream.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
