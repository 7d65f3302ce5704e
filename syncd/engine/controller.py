"""Runs pairs as they become dirty: one run per pair at a time, many pairs at once.

The pair row is the queue; memory only wakes. A worker costs next to nothing and a quota much: there
are many workers, and each link may have only some of them. Errors of desks and bugs end in
`reconcile`; a store that fails stops the process, and so does one bug after another.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from syncd.core.errors import LeaseLost
from syncd.core.model import PairId
from syncd.engine.convoy import Convoy
from syncd.engine.health import Health
from syncd.engine.lanes import MOST_TOGETHER, Lanes, Queued
from syncd.engine.outcome import Outcome, Result
from syncd.engine.reconcile import Reconciler
from syncd.log import logger
from syncd.ports import Clock, Store, WorkQueue

#: Bugs in a row, without one good run between them, after which the fault is ours and not a pair's.
_MOST_BUGS = 20
#: So many begin, and more as those are taken, up to what all links may have and some.
_WORKERS = 64
#: Of one link at a time: enough to use up the largest quota.
_LANE_WIDTH = 8
#: How often marks are looked for that no wake-up told of: those of another process on the store.
_SCAN_SECONDS = 5.0
#: Pairs that pile up were woken at one moment and come one after the other.
_JOINING_SECONDS = 0.25


class Controller:
    """The workers, and the slow scan behind them."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue,
        reconciler: Reconciler,
        clock: Clock,
        health: Health,
        workers: int = _WORKERS,
        links: int = 0,
    ) -> None:
        """`links` is how many share the workers: one is always left, whichever desks hang."""
        self._store = store
        self._queue = queue
        self._reconciler = reconciler
        self._clock = clock
        self._health = health
        self._workers = workers
        self._most_workers = max(workers, (links + 1) * _LANE_WIDTH)
        self._idle = 0
        self._lanes = Lanes(width=_LANE_WIDTH, let_in=self._let_in, is_behind=reconciler.is_behind)
        self._bugs_in_a_row = 0
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`; raises what stops the process. Runs in progress are finished first."""
        async with asyncio.TaskGroup() as group:
            self._idle = self._workers
            for _ in range(self._workers):
                group.create_task(self._work(group))
            group.create_task(self._scan())

    def stop(self) -> None:
        """Begin no further run."""
        self._stopping.set()

    def _set_out(self, group: asyncio.TaskGroup) -> None:
        """A worker is taken: the last one that was free sees to it that there is another."""
        self._idle -= 1
        if self._idle == 0 and self._workers < self._most_workers:
            self._workers += 1
            self._idle += 1
            group.create_task(self._work(group))

    async def _work(self, group: asyncio.TaskGroup) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        taking: asyncio.Task[PairId] | None = None
        try:
            while not self._stopping.is_set():
                taking = asyncio.create_task(self._queue.take())
                await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not taking.done():
                    return
                pair_id = taking.result()
                self._set_out(group)
                outcome = await self.run_pair(pair_id)
                if outcome.result is not Result.CROWDED:
                    self._queue.done(pair_id)
                while (queued := self._lanes.take()) is not None:
                    await self._catch_up(queued)
                self._idle += 1
        finally:
            stopping.cancel()
            if taking is not None:
                # Also of a worker that was cut off: nobody else would end it.
                taking.cancel()

    def _let_in(self, pair_id: PairId) -> None:
        """A pair that was held back by its lane, and in the queue all the while, may run now."""
        self._queue.wake(pair_id)
        self._queue.done(pair_id)

    async def _catch_up(self, queued: Queued) -> None:
        """Run pairs that piled up, all at once, so that their writes may share requests."""
        convoy = Convoy()

        async def member(pair_id: PairId) -> None:
            with convoy.member():
                await self._run(pair_id, None)
            self._queue.done(pair_id)

        pair_ids = list(queued.pair_ids)
        count = 0
        while count < len(pair_ids) < MOST_TOGETHER:
            count = len(pair_ids)
            await self._clock.sleep(_JOINING_SECONDS)
            pair_ids += self._lanes.more(queued.link, MOST_TOGETHER - count)
        if not self._stopping.is_set():
            logger().debug("link.catching_up", link=queued.link, count=len(pair_ids))
            async with asyncio.TaskGroup() as group:
                for pair_id in pair_ids:
                    group.create_task(member(pair_id))
        self._lanes.give_back(queued)

    async def run_pair(self, pair_id: PairId) -> Outcome:
        """One run with its consequences for the queue. Raises `StoreError`."""
        return await self._run(pair_id, self._lanes)

    async def _run(self, pair_id: PairId, lanes: Lanes | None) -> Outcome:
        try:
            outcome = await self._reconciler.reconcile(pair_id, lanes=lanes)
        except LeaseLost:
            return Outcome(result=Result.IDLE)
        self._bugs_in_a_row = self._bugs_in_a_row + 1 if outcome.is_bug else 0
        if self._bugs_in_a_row > _MOST_BUGS:
            raise RuntimeError("one bug after another: the fault is not in the pairs")
        self._health.counts[f"run.{outcome.result.value}"] += 1
        self._come_back(pair_id, outcome)
        return outcome

    def _come_back(self, pair_id: PairId, outcome: Outcome) -> None:
        if outcome.retry_at is not None:
            self._queue.wake_at(pair_id, self._in_monotonic(outcome.retry_at))
        elif outcome.is_dirty:
            self._queue.wake(pair_id)

    def _in_monotonic(self, at: datetime) -> float:
        return self._clock.monotonic() + (at - self._clock.now()).total_seconds()

    async def look_at_links(self) -> None:
        """Tell of links that were stopped and go on, whoever let them."""
        parked = await self._store.parked_links()
        stopped = {link: park.reason for link, park in parked.items()}
        for link in sorted(self._health.stopped.keys() - stopped.keys()):
            logger().info("link.resumed", link=link)
        self._health.stopped = stopped

    async def _scan(self) -> None:
        """Wake what is due: at the start everything left over, later what others marked."""
        while not self._stopping.is_set():
            await self.look_at_links()
            now = self._clock.now()
            await self._wake_for_returned(now)
            for pair_id, not_before in await self._store.load_due(now):
                if not_before is None or not_before <= now:
                    self._queue.wake(pair_id)
                else:
                    self._queue.wake_at(pair_id, self._in_monotonic(not_before))
            self._reconciler.pulse.scanned()
            await wait_or_stop(self._clock, self._stopping, _SCAN_SECONDS)

    async def _wake_for_returned(self, now: datetime) -> None:
        """Pairs that back off from a desk that is back: all at once, so that they go together."""
        for link in self._reconciler.links_of(self._health.take_returned()):
            for pair_id, _ in await self._store.load_due(now, link=link):
                self._queue.wake(pair_id)


async def wait_or_stop(
    clock: Clock, stopping: asyncio.Event, seconds: float, *others: asyncio.Event
) -> None:
    """Sleep, but no longer than until `stopping`, or one of the others, is set."""
    waiting: set[asyncio.Task[object]] = {
        asyncio.create_task(event.wait()) for event in (stopping, *others)
    }
    waiting.add(asyncio.create_task(clock.sleep(seconds)))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
