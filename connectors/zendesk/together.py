"""Writes that are asked for in the same turn of the event loop go on together.

Whoever wants several to share a request lets them come at once; nobody waits here for company.
Each caller gets its own result or its own error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from syncd.log import leave_run

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Gathers what comes at once; `carry` gives a result or an error for each, in order."""

    def __init__(self, carry: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]) -> None:
        self._carry = carry
        self._gathered: list[tuple[T, asyncio.Future[R]]] = []
        self._leaving: set[asyncio.Task[None]] = set()

    async def add(self, item: T) -> R:
        """Take part in the next departure. Raises what `carry` says of this item."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._gathered.append((item, result))
        if len(self._gathered) == 1:
            task = asyncio.create_task(self._leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        return await result

    async def close(self) -> None:
        """End what is under way; its outcome is then unknown."""
        for task in tuple(self._leaving):
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _leave(self) -> None:
        # Once more to the end of the queue: those who were woken with the first are there by then.
        await asyncio.sleep(0)
        gathered, self._gathered = self._gathered, []
        if len(gathered) > 1:
            leave_run()
        results: Sequence[R | Exception]
        try:
            results = await self._carry([item for item, _ in gathered])
        except Exception as error:  # noqa: BLE001 - it is handed to those who wait
            results = [error] * len(gathered)
        except asyncio.CancelledError:
            for _, waiting in gathered:
                waiting.cancel()
            raise
        for (_, waiting), result in zip(gathered, results, strict=True):
            if waiting.done():
                continue
            if isinstance(result, Exception):
                waiting.set_exception(result)
            else:
                waiting.set_result(result)
