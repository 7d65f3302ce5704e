"""The budget against desks that count in different ways, beside others, modest or not.

Virtual time throughout: our work never runs out, and each window of the desk is looked at.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from syncd.engine.budget import AGE_SECONDS, BudgetLedger
from syncd.ports import PRIORITY, Priority
from syncd.settings import BudgetShare
from tests.support.clock import FakeClock
from tests.support.quota_desk import (
    MINUTE,
    ROUNDINGS,
    FixedWindows,
    LeakingBucket,
    Meter,
    QuotaDesk,
    SlidingLog,
)

WORKERS = 20
WINDOWS = 8


def a_ledger(clock: FakeClock, *, share: float = 0.6, per_minute: int = 200) -> BudgetLedger:
    given = BudgetShare.model_validate({"share": f"{share:.0%}", "per_minute": per_minute})
    return BudgetLedger(given, clock=clock)


@dataclass(kw_only=True)
class Trial:
    """Our workers and other parties on one account for some minutes."""

    desk: QuotaDesk
    ledger: BudgetLedger
    #: Work that was asked for and done, and by which priority.
    done: list[tuple[Priority, float]] = field(default_factory=list)
    asked: int = 0

    async def work(
        self, until: float, *, priority: Priority, buckets: Sequence[str] = ("account",)
    ) -> None:
        """One worker: a request after the other, each repeated until it is let in."""
        PRIORITY.set(priority)
        clock = self.desk.clock
        while clock.monotonic() < until:
            self.asked += 1
            while True:
                await self.ledger.spend(buckets)
                readings, refused = await self.desk.answer("ours", buckets)
                self.ledger.observe(readings)
                for name in refused.buckets:
                    self.ledger.pause(name, refused.retry_after)
                if not refused.buckets:
                    break
            self.done.append((priority, clock.monotonic()))

    async def others(self, began: float, rng: random.Random, *, most: int) -> None:
        """Somebody else, at random moments, `most` in each window of the desk."""
        clock = self.desk.clock
        for start in itertools.count(began, MINUTE):
            for moment in sorted(start + rng.uniform(0, MINUTE) for _ in range(most)):
                if moment >= clock.monotonic():
                    await clock.sleep(moment - clock.monotonic())
                    self.desk.take("others", ("account",))

    async def others_evenly(self, *, most: int) -> None:
        """Somebody else, `most` in each minute, whenever it begins."""
        while True:
            await self.desk.clock.sleep(MINUTE / most)
            self.desk.take("others", ("account",))


def per_window(moments: Sequence[float], windows: Sequence[float]) -> list[int]:
    """How many fall into each window, by its beginning."""
    return [sum(begin <= at < begin + MINUTE for at in moments) for begin in windows]


def most_in_a_minute(moments: Sequence[float]) -> int:
    return max(sum(at <= other < at + MINUTE for other in moments) for at in moments)


async def run(
    meter: Meter,
    *,
    share: float = 0.6,
    rounding: str = "up",
    others: int = 0,
    priority: Priority | None = Priority.LIVE,
    seed: int = 0,
) -> Trial:
    """Saturating demand for a number of windows; without a priority, a third of each."""
    clock = FakeClock(is_manual=True)
    desk = QuotaDesk(clock=clock, meters={"account": meter}, rounding=ROUNDINGS[rounding])
    trial = Trial(desk=desk, ledger=a_ledger(clock, share=share))
    until = (WINDOWS + 2) * MINUTE
    tasks: list[asyncio.Task[None]] = []
    if others:
        rng = random.Random(seed)
        began = getattr(meter, "began", None)
        beside = (
            trial.others_evenly(most=others)
            if began is None
            else trial.others(began, rng, most=others)
        )
        tasks.append(asyncio.create_task(beside))
    # The HTTP client sends its first request alone.
    tasks.append(asyncio.create_task(trial.work(0.01, priority=Priority.LIVE)))
    await clock.play(1)
    for number in range(WORKERS):
        mine = Priority(number % 3) if priority is None else priority
        tasks.append(asyncio.create_task(trial.work(until, priority=mine)))
    await clock.play(until)
    await stop(*tasks)
    return trial


# --- others inside their share -------------------------------------------------------------------


@pytest.mark.parametrize("began", [0.0, -17.3, -59.9])
@pytest.mark.parametrize("rounding", list(ROUNDINGS))
@pytest.mark.parametrize("priority", [*Priority, None])
@pytest.mark.parametrize(("limit", "share"), [(400, 0.6), (100, 0.9), (10, 0.5)])
async def test_in_fixed_windows_our_share_is_used_and_nothing_is_refused(
    began: float, rounding: str, priority: Priority | None, limit: int, share: float
) -> None:
    ours = math.floor(limit * share)
    meter = FixedWindows(limit=limit, began=began)
    trial = await run(meter, share=share, rounding=rounding, others=limit - ours, priority=priority)
    assert trial.desk.refused.get("ours", []) == []
    windows = [began + number * MINUTE for number in range(2, WINDOWS)]
    used = per_window(trial.desk.taken["ours"], windows)
    assert max(used) <= ours
    assert min(used) >= 0.95 * ours
    assert trial.desk.refused.get("others", []) == []


@pytest.mark.parametrize("kind", [SlidingLog, LeakingBucket])
@pytest.mark.parametrize("rounding", list(ROUNDINGS))
async def test_on_desks_without_windows_our_share_is_used_and_nothing_is_refused(
    kind: type[SlidingLog] | type[LeakingBucket], rounding: str
) -> None:
    trial = await run(kind(limit=400), rounding=rounding, others=160)
    # That such a desk has no windows shows when the first one should be over.
    assert len(trial.desk.refused.get("ours", [])) <= (rounding == "down")
    used = [at for at in trial.desk.taken["ours"] if MINUTE <= at < (WINDOWS + 1) * MINUTE]
    assert len(used) >= 0.95 * 240 * WINDOWS
    # A bucket that leaks forgets what went out of it: only what is left counts there.
    assert most_in_a_minute(used) <= 240 or kind is LeakingBucket
    assert trial.desk.refused.get("others", []) == []


# --- others beyond their share -------------------------------------------------------------------


@pytest.mark.parametrize("rounding", list(ROUNDINGS))
@pytest.mark.parametrize("after", [0.0, 0.3, 1.04, 1.2, 9.0])
async def test_each_refusal_stops_its_bucket_until_its_reset_and_nothing_is_lost(
    rounding: str, after: float
) -> None:
    clock = FakeClock(is_manual=True)
    meter = FixedWindows(limit=100)
    desk = QuotaDesk(clock=clock, meters={"account": meter}, rounding=ROUNDINGS[rounding])
    trial = Trial(desk=desk, ledger=a_ledger(clock, share=0.9))

    async def greedy() -> None:
        """Takes what is left of every second window, all at once."""
        for number in range(1, WINDOWS, 2):
            await clock.sleep(number * MINUTE + after - clock.monotonic())
            while not desk.take("others", ("account",)):
                pass

    until = WINDOWS * MINUTE
    tasks = [asyncio.create_task(greedy())]
    tasks += [
        asyncio.create_task(trial.work(until, priority=Priority(number % 3)))
        for number in range(WORKERS)
    ]
    await clock.play(until - 0.5)
    refused = desk.refused.get("ours", [])
    assert desk.early == 0, "nothing was sent before the time that the desk had named"
    (shown,) = trial.ledger.snapshot()
    assert shown.refused_count == len(refused)
    # Those that were on their way when the first one was refused, and no more.
    assert max(Counter(map(meter.window, refused)).values(), default=0) <= WORKERS
    # What was asked for was done, or is still being asked for.
    assert trial.asked - len(trial.done) <= WORKERS
    calm = per_window(desk.taken["ours"], [number * MINUTE for number in range(2, WINDOWS, 2)])
    assert min(calm) >= 0.95 * 90
    await stop(*tasks)


async def test_greedy_others_do_make_the_desk_refuse_us() -> None:
    """Or else the trial above would try nothing."""
    clock = FakeClock(is_manual=True)
    desk = QuotaDesk(clock=clock, meters={"account": FixedWindows(limit=100)})
    trial = Trial(desk=desk, ledger=a_ledger(clock))
    for _ in range(100):
        desk.take("others", ("account",))
    work = asyncio.create_task(trial.work(90, priority=Priority.LIVE))
    await clock.play(90)
    assert len(desk.refused["ours"]) == 1
    assert len(desk.taken["ours"]) == 60
    await stop(work)


async def test_a_refusal_of_one_bucket_leaves_the_others_alone() -> None:
    clock = FakeClock(is_manual=True)
    meters = {
        "account": FixedWindows(limit=1000),
        "tickets-update": FixedWindows(limit=100, began=-30.0),
    }
    desk = QuotaDesk(clock=clock, meters=meters)
    trial = Trial(desk=desk, ledger=a_ledger(clock))
    for _ in range(95):
        desk.take("others", ("tickets-update",))
    both = ("account", "tickets-update")
    tasks = [
        asyncio.create_task(trial.work(20, priority=Priority.LIVE, buckets=both))
        for _ in range(WORKERS)
    ]
    await clock.play(5)
    refused = len(desk.refused["ours"])
    assert 0 < refused <= WORKERS
    reading = asyncio.create_task(trial.work(20, priority=Priority.BACKFILL))
    await clock.play(20)
    assert len(trial.done) > 100, "reads go on"
    assert len(desk.refused["ours"]) == refused
    figures = {shown.bucket: shown for shown in trial.ledger.snapshot()}
    assert figures["tickets-update"].refused_count == refused
    assert figures["account"].refused_count == 0
    await stop(reading, *tasks)


# --- order ---------------------------------------------------------------------------------------


async def test_a_change_that_comes_up_during_a_backfill_need_not_wait_for_the_next_window() -> None:
    clock = FakeClock(is_manual=True)
    desk = QuotaDesk(clock=clock, meters={"account": FixedWindows(limit=400)})
    trial = Trial(desk=desk, ledger=a_ledger(clock))
    tasks = [
        asyncio.create_task(trial.work(4 * MINUTE, priority=Priority.BACKFILL))
        for _ in range(WORKERS)
    ]
    waited = []
    for moment in (5, 20, 35, 50, 58, 65, 90, 110):
        await clock.play(moment)
        PRIORITY.set(Priority.LIVE)
        live = asyncio.create_task(trial.ledger.spend(("account",)))
        await clock.play(moment + 0.01)
        waited.append(live.done())
        await stop(live)
    # In the last part of a window nothing is kept any more, or it would be wasted.
    assert waited == [True, True, True, True, False, True, True, True]
    await stop(*tasks)


async def test_nobody_starves_however_much_urgent_work_there_is() -> None:
    clock = FakeClock(is_manual=True)
    desk = QuotaDesk(clock=clock, meters={"account": FixedWindows(limit=100)})
    trial = Trial(desk=desk, ledger=a_ledger(clock))
    until = 6 * AGE_SECONDS
    tasks = [
        asyncio.create_task(trial.work(until, priority=Priority.LIVE)) for _ in range(4 * WORKERS)
    ]
    await clock.play(1)
    tasks.append(asyncio.create_task(trial.work(until, priority=Priority.BACKFILL)))
    tasks.append(asyncio.create_task(trial.work(until, priority=Priority.REPAIR)))
    await clock.play(until)
    first: dict[Priority, float] = {}
    for priority, at in trial.done:
        first.setdefault(priority, at)
    assert first[Priority.LIVE] < first[Priority.REPAIR] < first[Priority.BACKFILL]
    assert first[Priority.BACKFILL] <= 2 * AGE_SECONDS + 2 * MINUTE
    await stop(*tasks)


# --- a restart -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [2.0, 15.0, 40.0, 57.0])
@pytest.mark.parametrize("others", [0, 160])
async def test_a_restart_in_the_middle_of_a_window_spends_nothing_twice(
    at: float, others: int
) -> None:
    clock = FakeClock(is_manual=True)
    meter = FixedWindows(limit=400)
    desk = QuotaDesk(clock=clock, meters={"account": meter})
    for begin, end in ((0.0, at), (at + 0.5, 2 * MINUTE)):
        await clock.play(begin)
        trial = Trial(desk=desk, ledger=a_ledger(clock))
        tasks = [asyncio.create_task(trial.work(begin + 0.01, priority=Priority.LIVE))]
        await clock.play(begin + 0.2)
        if others and begin == 0.0:
            for _ in range(others):
                desk.take("others", ("account",))
        tasks += [
            asyncio.create_task(trial.work(end, priority=Priority(number % 3)))
            for number in range(WORKERS)
        ]
        await clock.play(end)
        await stop(*tasks)
    first, second = per_window(desk.taken["ours"], [0.0, MINUTE])
    # The first request of a process cannot know yet; it tells all that follow.
    assert first <= 240 + 1
    assert second == 240
    assert len(desk.refused.get("ours", [])) <= 1


async def stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
