"""Held requests: those a fault has stopped, until somebody releases them or their client goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from connectors.sandbox.call import Call

Where = Literal["before", "after"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """How a held request goes on. One whose client has gone is neither applied nor answered."""

    is_applied: bool = True
    is_answered: bool = True


@dataclass(slots=True)
class _Held:
    call: Call
    where: Where
    released: asyncio.Future[Release]

    def as_json(self) -> dict[str, object]:
        return {
            "number": self.call.number,
            "method": self.call.method,
            "path": self.call.path,
            "where": self.where,
        }


@dataclass(slots=True)
class HoldBook:
    """What is held now, by request number."""

    _held: dict[int, _Held] = field(default_factory=dict)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(
        self, call: Call, where: Where, gone: Callable[[], Awaitable[None]] | None
    ) -> Release:
        """Wait until released, or until `gone` returns because the client has left."""
        held = _Held(call, where, asyncio.get_running_loop().create_future())
        self._held[call.number] = held
        self._arrived.set()
        watch = asyncio.ensure_future(gone()) if gone is not None else None
        waits: set[asyncio.Future[Release] | asyncio.Future[None]] = {held.released}
        if watch is not None:
            waits.add(watch)
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._held.pop(call.number, None)
            if not self._held:
                self._arrived.clear()
            if watch is not None:
                watch.cancel()
        # A client that left in the same turn as the release counts as gone: nothing is applied.
        if watch is not None and watch.done() and not watch.cancelled():
            return Release(is_applied=False, is_answered=False)
        return held.released.result()

    def release(self, how: Release, number: int | None = None) -> int:
        """Let one request go on, or all; returns how many."""
        chosen = [h for n, h in self._held.items() if number is None or n == number]
        waiting = [held for held in chosen if not held.released.done()]
        for held in waiting:
            held.released.set_result(how)
        return len(waiting)

    async def wait(self, seconds: float) -> list[dict[str, object]]:
        """What is held, waiting up to `seconds` for the first to arrive."""
        if not self._held and seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        return [held.as_json() for held in self._held.values()]
