"""The work queue of one process, for one event loop.

A pair is ready, or waits for its moment, or is held by a worker, or is held and wanted again: wakes
coalesce, no pair is held twice, and a wake during a run is kept for after it.
Nothing here is durable: the pair rows are the truth, and `load_due` fills an empty queue from them.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque

from syncd.core.model import PairId
from syncd.ports import Clock


class MemoryWorkQueue:
    """`limit` pairs may wait; further ones are forgotten and counted, to be found in their rows."""

    def __init__(self, clock: Clock, *, limit: int = 100_000) -> None:
        self._clock = clock
        self._limit = limit
        #: Every element of `_ready` is in `_wanted` and not in `_held`.
        self._ready: deque[PairId] = deque()
        #: To run as soon as nobody holds it.
        self._wanted: set[PairId] = set()
        self._held: set[PairId] = set()
        #: To run at its moment; no element is in `_wanted`.
        self._moments: dict[PairId, float] = {}
        #: The same by moment; an entry that differs from `_moments` has been overtaken.
        self._agenda: list[tuple[float, PairId]] = []
        self._has_changed = asyncio.Event()
        #: One worker at a time watches the clock; the others wait behind it.
        self._watch = asyncio.Lock()
        self.forgotten_count = 0

    def wake(self, pair_id: PairId) -> None:
        """Run this pair soon; while it runs, run it once more afterwards."""
        if pair_id in self._wanted or self._is_full(pair_id):
            return
        self._moments.pop(pair_id, None)
        self._wanted.add(pair_id)
        if pair_id not in self._held:
            self._ready.append(pair_id)
            self._has_changed.set()

    def wake_at(self, pair_id: PairId, at: float) -> None:
        """Run it at this moment of the monotonic clock, unless it is woken earlier."""
        if pair_id in self._wanted or self._is_full(pair_id):
            return
        planned = self._moments.get(pair_id)
        if planned is None or at < planned:
            self._moments[pair_id] = at
            heapq.heappush(self._agenda, (at, pair_id))
            self._tidy()
            self._has_changed.set()

    async def take(self) -> PairId:
        """The next pair that no worker holds; waits for one."""
        async with self._watch:
            self._wake_due()
            while not self._ready:
                await self._wait()
                self._wake_due()
            pair_id = self._ready.popleft()
        self._wanted.remove(pair_id)
        self._held.add(pair_id)
        return pair_id

    def done(self, pair_id: PairId) -> None:
        """The worker lets go of the pair."""
        self._held.remove(pair_id)
        if pair_id in self._wanted:
            self._ready.append(pair_id)
            self._has_changed.set()

    def __len__(self) -> int:
        """How many pairs wait, for a worker or for their moment."""
        return len(self._wanted) + len(self._moments)

    def _is_full(self, pair_id: PairId) -> bool:
        if len(self) < self._limit or pair_id in self._moments:
            return False
        self.forgotten_count += 1
        return True

    def _wake_due(self) -> None:
        """Move the pairs whose moment has come to those that are ready."""
        now = self._clock.monotonic()
        while self._agenda and self._agenda[0][0] <= now:
            at, pair_id = heapq.heappop(self._agenda)
            if self._moments.get(pair_id) == at:
                self.wake(pair_id)

    async def _wait(self) -> None:
        """Until something changes or the earliest moment comes."""
        self._has_changed.clear()
        awaited = [asyncio.ensure_future(self._change())]
        if self._agenda:
            seconds = self._agenda[0][0] - self._clock.monotonic()
            awaited.append(asyncio.ensure_future(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in awaited:
                future.cancel()
            await asyncio.gather(*awaited, return_exceptions=True)

    async def _change(self) -> None:
        await self._has_changed.wait()

    def _tidy(self) -> None:
        """Overtaken entries may not pile up."""
        if len(self._agenda) > 2 * len(self._moments) + 64:
            self._agenda = [(at, pair_id) for pair_id, at in self._moments.items()]
            heapq.heapify(self._agenda)
