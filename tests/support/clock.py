"""Time that a test owns: it stands still until somebody advances it or sleeps by it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

#: Not a whole second, so that nothing works by the accident of a round number.
START = datetime(2027, 1, 15, 8, 0, 0, 250_000, tzinfo=UTC)


#: Of the event loop, in which everybody has done what can be done at one moment.
_TURNS = 8


class FakeClock:
    """A `Clock`, and the clock of a sandbox, on which a sleep takes no time at all.

    Sleeping moves the time when nobody else sleeps for less; with `is_manual` only `advance` does.
    """

    def __init__(self, start: datetime = START, *, is_manual: bool = False) -> None:
        self._start = start
        self._seconds = 0.0
        self._is_manual = is_manual
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._count = itertools.count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def time(self) -> float:
        """Unix seconds, for a sandbox."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Return once the time has come; moves it there itself unless the clock is manual."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self._seconds + seconds, next(self._count), woken))
        while not woken.is_set():
            if self._is_manual:
                await woken.wait()
            else:
                await asyncio.sleep(0)
                self._wake_next()

    def be_manual(self) -> None:
        """From now on only `advance` moves the time."""
        self._is_manual = True

    @property
    def next_wake(self) -> float | None:
        """When the first sleeper wakes, by `monotonic`; None when nobody sleeps."""
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move the time, waking sleepers on the way."""
        until = self._seconds + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            self._wake_next()
        self._seconds = until

    async def play(self, until: float) -> None:
        """Go from moment to moment at which somebody wakes, everybody acting in between."""
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            moment = self._sleepers[0][0] if self._sleepers else until
            if moment >= until:
                self._seconds = max(self._seconds, until)
                return
            self.advance(moment - self._seconds)

    def _wake_next(self) -> None:
        if self._sleepers:
            at, _, woken = heapq.heappop(self._sleepers)
            self._seconds = max(self._seconds, at)
            woken.set()
