"""Before a deed that cannot be undone, and while a pair is busy: ask, or wait, or say why not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from syncd.cli.failure import Refused
from syncd.cli.plain import visible
from syncd.core.errors import LeaseLost

#: A run holds its pair for a moment; one that waits for a desk's quota may hold it for longer.
PAUSES = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0)

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


def require_yes(question: str, *, is_sure: bool) -> None:
    """Ask on a terminal; elsewhere only `--yes` counts. Raises `Refused` for a no."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise Refused("it cannot be undone, and nobody can be asked", hint="`--yes` does it.")
    if not typer.confirm(visible(question), err=True):
        raise Refused("nothing was done", hint="`--yes` does it without asking.")


async def when_idle(act: Callable[[], Awaitable[bool]]) -> bool:
    """Do it as soon as no run has the pair; raises `Refused` with the last reason."""
    for pause in PAUSES:
        try:
            return await act()
        except LeaseLost:
            await asyncio.sleep(pause)
    try:
        return await act()
    except LeaseLost as error:
        raise Refused(str(error), hint=error.hint) from None
