"""The work queue in memory keeps the WorkQueue contract."""

from __future__ import annotations

import asyncio

import pytest

from syncd.core.model import PairId
from syncd.ports import WorkQueue
from syncd.workqueue import MemoryWorkQueue
from tests.support.clock import FakeClock

ONE, TWO, THREE = PairId(1), PairId(2), PairId(3)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(is_manual=True)


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue:
    return MemoryWorkQueue(clock)


async def settle() -> None:
    """Let every task run as far as it can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_pairs_come_in_the_order_in_which_they_were_woken(queue: WorkQueue) -> None:
    for pair_id in (TWO, ONE, THREE):
        queue.wake(pair_id)
    assert [await queue.take() for _ in range(3)] == [TWO, ONE, THREE]


async def test_wakes_of_one_pair_coalesce(queue: WorkQueue) -> None:
    for _ in range(5):
        queue.wake(ONE)
    assert len(queue) == 1
    assert await queue.take() == ONE
    assert len(queue) == 0


async def test_a_wake_during_a_run_gives_one_more_run_after_it(queue: WorkQueue) -> None:
    queue.wake(ONE)
    await queue.take()
    queue.wake(ONE)
    queue.wake(ONE)
    queue.wake(TWO)
    assert await queue.take() == TWO, "the first pair is still held"
    queue.done(ONE)
    assert await queue.take() == ONE
    queue.done(ONE)
    assert len(queue) == 0


async def test_a_take_waits_for_a_wake(queue: WorkQueue) -> None:
    taking = asyncio.create_task(queue.take())
    await settle()
    assert not taking.done()
    queue.wake(ONE)
    assert await taking == ONE


async def test_many_workers_never_hold_one_pair_twice(queue: WorkQueue) -> None:
    held: list[PairId] = []
    runs: list[PairId] = []

    async def work() -> None:
        while True:
            pair_id = await queue.take()
            assert pair_id not in held
            held.append(pair_id)
            runs.append(pair_id)
            await asyncio.sleep(0)
            held.remove(pair_id)
            queue.done(pair_id)

    workers = [asyncio.create_task(work()) for _ in range(5)]
    for number in range(60):
        queue.wake(PairId(number % 3))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await settle()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert (len(queue), set(runs)) == (0, {0, 1, 2})


async def test_a_pair_comes_at_its_moment(queue: WorkQueue, clock: FakeClock) -> None:
    queue.wake_at(ONE, 10.0)
    queue.wake_at(TWO, 5.0)
    taking = asyncio.create_task(queue.take())
    await settle()
    assert len(queue) == 2
    clock.advance(4.9)
    await settle()
    assert not taking.done()
    clock.advance(0.2)
    assert await taking == TWO
    clock.advance(5.0)
    assert await queue.take() == ONE


async def test_an_immediate_wake_overtakes_a_later_moment(
    queue: WorkQueue, clock: FakeClock
) -> None:
    queue.wake_at(ONE, 600.0)
    taking = asyncio.create_task(queue.take())
    await settle()
    queue.wake(ONE)
    assert await taking == ONE
    queue.done(ONE)
    clock.advance(600.0)
    assert len(queue) == 0, "the moment was dealt with"


async def test_an_earlier_moment_overtakes_a_later_one_and_not_the_other_way_round(
    queue: WorkQueue, clock: FakeClock
) -> None:
    queue.wake_at(ONE, 60.0)
    taking = asyncio.create_task(queue.take())
    await settle()
    queue.wake_at(ONE, 10.0)
    queue.wake_at(ONE, 90.0)
    await settle()
    clock.advance(10.0)
    assert await taking == ONE
    queue.done(ONE)
    assert len(queue) == 0


async def test_a_moment_for_a_pair_that_is_already_wanted_is_needless(queue: WorkQueue) -> None:
    queue.wake(ONE)
    queue.wake_at(ONE, 60.0)
    assert await queue.take() == ONE
    assert len(queue) == 0


async def test_a_moment_that_comes_during_a_run_gives_one_more_run(
    queue: WorkQueue, clock: FakeClock
) -> None:
    queue.wake(ONE)
    queue.wake(TWO)
    await queue.take()
    queue.wake_at(ONE, 5.0)
    clock.advance(5.0)
    assert await queue.take() == TWO
    queue.done(ONE)
    assert await queue.take() == ONE


async def test_a_worker_that_is_cancelled_takes_nothing_along(
    queue: WorkQueue, clock: FakeClock
) -> None:
    queue.wake_at(ONE, 5.0)
    first, second = (asyncio.create_task(queue.take()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    clock.advance(5.0)
    assert await second == ONE
    assert first.cancelled()


async def test_beyond_its_limit_the_queue_forgets_and_counts(clock: FakeClock) -> None:
    queue = MemoryWorkQueue(clock, limit=2)
    queue.wake(ONE)
    queue.wake_at(TWO, 5.0)
    queue.wake(THREE)
    queue.wake_at(THREE, 5.0)
    queue.wake(TWO)
    assert (len(queue), queue.forgotten_count) == (2, 2)
    assert [await queue.take(), await queue.take()] == [ONE, TWO]


async def test_overtaken_moments_do_not_pile_up(clock: FakeClock) -> None:
    queue = MemoryWorkQueue(clock)
    for at in range(10_000, 0, -1):
        queue.wake_at(ONE, float(at))
    assert len(queue._agenda) < 100
    clock.advance(1.0)
    assert await queue.take() == ONE
