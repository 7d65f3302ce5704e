"""A convoy: pairs whose writes wait for one another, so that they share a request: the imports of
a backfill, and the updates that piled up before one account.

They gather before each is journaled, so that the journal says how many go together, before they
leave, and before one whose answer was lost is looked for. What they share is a matter of the
desk's connector, which sees them arrive at one moment.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from enum import Enum, auto

from syncd.core.model import Side
from syncd.core.operations import CreateTicket, Operation, UpdateTicket

_CONVOY: ContextVar[Convoy | None] = ContextVar("_CONVOY", default=None)


#: Writes of a convoy that share no request and are on their way at one time: a hundred would push
#: back whoever else has work for the account.
_ABREAST = 4


class Halt(Enum):
    """Where a convoy gathers."""

    BEFORE_LOOKING = auto()
    BEFORE_JOURNAL = auto()
    BEFORE_LEAVING = auto()


class Convoy:
    """Those who are under way, and those of them who have arrived and wait for the others."""

    def __init__(self) -> None:
        self._under_way = 0
        self._arrived: list[tuple[Halt, asyncio.Future[int]]] = []
        self.apart = asyncio.Semaphore(_ABREAST)

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
    whatever goes by itself.
    """
    convoy = _CONVOY.get()
    if convoy is None or not _may_share(operation):
        return 1
    return await convoy.gather(halt)


def gathers_anew(operation: Operation) -> bool:
    """Whether a lost write that is to be repeated had better be journaled anew, with how many go
    together: an update, whose precondition lets only one of both attempts land.
    """
    is_update = isinstance(operation, UpdateTicket)
    return is_update and _CONVOY.get() is not None and _may_share(operation)


@contextlib.asynccontextmanager
async def passage(operation: Operation) -> AsyncIterator[None]:
    """The way to the desk: narrow for what a convoy writes one by one, else free."""
    convoy = _CONVOY.get()
    if convoy is None or _may_share(operation):
        yield
        return
    async with convoy.apart:
        yield


def _may_share(operation: Operation) -> bool:
    if isinstance(operation, CreateTicket):
        return operation.is_silent
    return isinstance(operation, UpdateTicket) and operation.side is Side.PARTNER
