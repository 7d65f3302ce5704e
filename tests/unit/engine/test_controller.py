"""Whose turn it is: runs come back when they said, lanes keep their order, stopping ends it all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.core.errors import LeaseLost, StoreUnavailable
from syncd.core.model import LinkName, PairId, Side, TicketId
from syncd.engine.controller import Controller
from syncd.engine.health import Health
from syncd.engine.lag import Lag
from syncd.engine.lanes import Lanes
from syncd.engine.links import Links
from syncd.engine.outcome import Outcome, Result
from syncd.engine.reconcile import Manner, Reconciler
from syncd.store import SqliteStore, open_store
from syncd.workqueue.memory import MemoryWorkQueue
from tests.support.build import LINK, PARTNER, PLATFORM, a_sighting, a_ticket
from tests.support.clock import FakeClock

from syncd.core.work import Birth  # isort: skip

Act = Callable[[PairId], Outcome]
DONE = Outcome(result=Result.DONE)


class Scripted(Reconciler):
    """Runs that end as a test says, in a lane of one link; `gate` holds them while it is closed."""

    def __init__(self, store: SqliteStore, clock: FakeClock, health: Health, act: Act) -> None:
        super().__init__(
            owner="test",
            store=store,
            links=Links(()),
            clock=clock,
            health=health,
            lag=Lag(clock, lambda link, side, seconds: None),
        )
        self.act = act
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun: list[PairId] = []
        self.most_at_once = 0
        self._running = 0

    async def reconcile(
        self, pair_id: PairId, *, manner: Manner = Manner.LIVE, lanes: Lanes | None = None
    ) -> Outcome:
        assert lanes is not None
        with lanes.place(LinkName(LINK), pair_id) as has_place:
            if not has_place:
                return Outcome(result=Result.CROWDED)
            self.begun.append(pair_id)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            await self.gate.wait()
            self._running -= 1
            return self.act(pair_id)


class Bench:
    """A controller between a real store and scripted runs."""

    def __init__(self, store: SqliteStore) -> None:
        self.clock = FakeClock()
        self.store = store
        self.health = Health(self.clock.now)
        self.queue = MemoryWorkQueue(self.clock)
        self.runs = Scripted(store, self.clock, self.health, lambda _: DONE)
        self.controller = Controller(
            store=store,
            queue=self.queue,
            reconciler=self.runs,
            clock=self.clock,
            health=self.health,
        )

    async def pairs(self, count: int) -> list[PairId]:
        """So many pairs in the store, all dirty."""
        tickets = [TicketId(f"t{number}") for number in range(count)]
        births = [Birth(link=LINK, ticket_id=t, partner_connection=PARTNER) for t in tickets]
        marked = await self.store.record_sightings(
            PLATFORM,
            [a_sighting(a_ticket(ticket_id)) for ticket_id in tickets],
            side=Side.PLATFORM,
            births=births,
            seen_at=self.clock.now(),
        )
        return sorted(marked)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():
                await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def a_bench(folder: Path) -> AsyncIterator[Bench]:
    store = open_store(folder / "syncd.db", is_durable=False)
    try:
        yield Bench(store)
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bench.controller.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_was_left_over_runs_at_the_start(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        left = await bench.pairs(3)
        async with running(bench):
            await bench.until(lambda: len(set(bench.runs.begun)) == 3)
        assert set(bench.runs.begun) == set(left)


async def test_what_another_process_marks_is_found_without_a_wake(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench, running(bench):
        await bench.until(lambda: bench.clock.monotonic() > 0)
        (marked,) = await bench.pairs(1)
        await bench.until(lambda: marked in bench.runs.begun)


async def test_a_run_comes_back_when_it_said(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        pair_id = PairId(7)
        at = bench.clock.now() + timedelta(seconds=90)
        waits = Outcome(result=Result.WAITING, retry_at=at, is_dirty=True)
        bench.runs.act = lambda _: waits if len(bench.runs.begun) == 1 else DONE
        bench.queue.wake(pair_id)
        async with running(bench):
            await bench.until(lambda: len(bench.runs.begun) == 2)
        assert bench.clock.now() >= at


async def test_a_pair_that_was_marked_during_its_run_runs_again(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        dirty = Outcome(result=Result.DONE, is_dirty=True)
        bench.runs.act = lambda _: dirty if len(bench.runs.begun) < 3 else DONE
        bench.queue.wake(PairId(7))
        async with running(bench):
            await bench.until(lambda: len(bench.runs.begun) == 3)
            await asyncio.sleep(0)
        assert bench.runs.begun == [7, 7, 7]


async def test_a_link_has_eight_workers_and_every_pair_gets_its_turn_once(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        everybody = [PairId(number) for number in range(100)]
        bench.runs.gate.clear()
        for pair_id in everybody:
            bench.queue.wake(pair_id)
        async with running(bench):
            await bench.until(lambda: bench.health.counts["run.crowded"] > 40)
            assert len(bench.runs.begun) == 8
            # The scan finds them all again and again, and none of them runs twice for it.
            bench.runs.gate.set()
            await bench.until(lambda: len(bench.runs.begun) >= 100)
        assert bench.runs.most_at_once == 8
        assert sorted(bench.runs.begun) == everybody
        assert bench.health.counts["run.done"] == 100


async def test_a_lost_lease_is_nobodys_trouble(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:

        def lose(pair_id: PairId) -> Outcome:
            if pair_id == 1:
                raise LeaseLost("another worker has it")
            return DONE

        bench.runs.act = lose
        for number in (1, 2):
            bench.queue.wake(PairId(number))
        async with running(bench) as task:
            await bench.until(lambda: bench.health.counts["run.done"] == 1)
            assert not task.done()


async def test_a_store_that_fails_ends_everything(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:

        def fail(_: PairId) -> Outcome:
            raise StoreUnavailable("disk full")

        bench.runs.act = fail
        bench.queue.wake(PairId(1))
        async with running(bench) as task:
            with pytest.raises(ExceptionGroup) as caught:
                await asyncio.wait_for(asyncio.shield(task), 10)
        assert caught.group_contains(StoreUnavailable)


async def test_stopping_begins_nothing_more_and_ends_with_the_last_run(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        bench.runs.gate.clear()
        bench.queue.wake(PairId(1))
        async with running(bench) as task:
            await bench.until(lambda: bench.runs.begun == [1])
            bench.controller.stop()
            bench.queue.wake(PairId(2))
            for _ in range(50):
                await asyncio.sleep(0)
            assert not task.done()
            bench.runs.gate.set()
            await asyncio.wait_for(asyncio.shield(task), 10)
        assert bench.runs.begun == [1]


async def test_workers_that_are_cut_off_leave_nobody_waiting_behind(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        before = asyncio.all_tasks()
        async with running(bench):
            await bench.until(lambda: bench.clock.monotonic() > 0)
        # What was told to end takes a turn or two.
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
