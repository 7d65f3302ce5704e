"""An event loop whose time jumps from one timer to the next, and never waits.

Nothing in it has a thread, a socket or the machine's clock: what runs in which order depends on
nothing but on what was scheduled. Work that asks for a thread is done in the loop, one turn later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

#: A Friday morning, and not a whole second, so that nothing works by the accident of a round one.
START = datetime(2027, 1, 15, 8, 0, 0, 250_000, tzinfo=UTC)


class Stuck(Exception):
    """Somebody waits for what can never come: no timer is set and nothing is ready."""


class _Jump:
    """Stands where a loop asks its sockets for news: there is none, so the time moves on."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        """As a selector's, but that waiting takes no time."""
        if timeout is None:
            raise Stuck
        if timeout > 0:
            self._loop.seconds += timeout
        self._loop.turned()
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop on virtual time; `on_turn` is called once in each of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.on_turn: Callable[[], None] | None = None
        self._selector = _Jump(self)
        # Sums of fractions are not exact after some days; a microsecond is.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.seconds

    def turned(self) -> None:
        """Tell whoever counts turns."""
        if self.on_turn is not None:
            self.on_turn()

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do the work in the loop, whoever was meant to do it."""
        done: asyncio.Future[T] = self.create_future()

        def work() -> None:
            if done.cancelled():
                return
            try:
                done.set_result(func(*args))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
                done.set_exception(error)

        self.call_soon(work)
        return done

    def _process_events(self, event_list: list[object]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken: nobody waits."""


class LoopExecutor(Executor):
    """Does what it is given in the loop, in order, after a pause."""

    def __init__(self, loop: VirtualLoop, pause_seconds: Callable[[], float]) -> None:
        self._loop = loop
        self._pause_seconds = pause_seconds
        self._free_at = 0.0

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """The work's future; it never begins before this returned."""
        done: Future[T] = Future()

        def work() -> None:
            try:
                done.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
                done.set_exception(error)

        at = max(self._free_at, self._loop.seconds) + self._pause_seconds()
        self._free_at = at
        self._loop.call_at(at, work)
        return done


class LoopClock:
    """The daemon's clock and the desks', both on the loop's time."""

    def __init__(self, loop: VirtualLoop, *, ahead_seconds: float = 0.0) -> None:
        self._loop = loop
        self._start = START + timedelta(seconds=ahead_seconds)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.seconds)

    def time(self) -> float:
        """Unix seconds."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        return self._loop.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
