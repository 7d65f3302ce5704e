"""A convoy: imports of one backfill that wait for one another, so that they share a request.

They gather twice: before each is journaled, so that the journal says how many go together, and
before they leave. What they share is a matter of the desk's connector, which sees them arrive at
one moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from enum import Enum, auto

from syncd.core.operations import CreateTicket, Operation

_CONVOY: ContextVar[Convoy | None] = ContextVar("_CONVOY", default=None)


class Halt(Enum):
    """Where a convoy gathers."""

    BEFORE_JOURNAL = auto()
    BEFORE_LEAVING = auto()


class Convoy:
    """Those who are under way, and those of them who have arrived and wait for the others."""

    def __init__(self) -> None:
        self._under_way = 0
        self._arrived: list[tuple[Halt, asyncio.Future[int]]] = []

    @contextlib.contextmanager
    def member(self) -> Iterator[None]:
        """The task is waited for from here to the end of the block, so it must not rest in it."""
        self._under_way += 1
        token = _CONVOY.set(self)
        try:
            yield
        finally:
            _CONVOY.reset(token)
            self._under_way -= 1
            self._go_on_if_complete()

    async def gather(self, halt: Halt) -> int:
        """Return when everybody who is under way has arrived somewhere; how many were here."""
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._arrived.append((halt, turn))
        self._go_on_if_complete()
        try:
            return await turn
        finally:
            if (halt, turn) in self._arrived:
                self._arrived.remove((halt, turn))

    def _go_on_if_complete(self) -> None:
        if len(self._arrived) < self._under_way:
            return
        arrived, self._arrived = self._arrived, []
        for halt, turn in arrived:
            if not turn.done():
                turn.set_result(sum(place is halt for place, _ in arrived))


async def gather(operation: Operation, halt: Halt) -> int:
    """Wait for the convoy of this task; how many go together. One where there is none, and for
    whatever is no import.
    """
    convoy = _CONVOY.get()
    if convoy is None or not isinstance(operation, CreateTicket) or not operation.is_silent:
        return 1
    return await convoy.gather(halt)
