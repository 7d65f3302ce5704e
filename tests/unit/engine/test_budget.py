"""The budget in virtual time: our share and no more, live work first, the desk's word obeyed."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syncd.engine.budget import MOST_BUCKETS, BudgetLedger
from syncd.ports import PRIORITY, Priority, Reading
from syncd.quota import BucketFigures
from syncd.settings import BudgetShare
from tests.support.clock import FakeClock


def a_ledger(
    clock: FakeClock | None = None, *, share: float = 0.6, per_minute: int = 10
) -> BudgetLedger:
    given = BudgetShare.model_validate({"share": f"{share:.0%}", "per_minute": per_minute})
    return BudgetLedger(given, clock=clock or FakeClock())


def a_reading(
    bucket: str = "account", *, limit: int = 10, remaining: int = 9, reset_seconds: float = 60.0
) -> Reading:
    return Reading(bucket=bucket, limit=limit, remaining=remaining, reset_seconds=reset_seconds)


async def moments(
    ledger: BudgetLedger, clock: FakeClock, count: int, *, buckets: Sequence[str] = ("account",)
) -> list[float]:
    """When each of `count` requests in a row was let go."""
    found = []
    for _ in range(count):
        await ledger.spend(buckets)
        found.append(clock.monotonic())
    return found


@contextlib.asynccontextmanager
async def a_queue(
    ledger: BudgetLedger, wishes: Sequence[tuple[str, Priority]]
) -> AsyncIterator[list[str]]:
    """Requests by name that came in this order; gives the names in the order of their going."""
    gone: list[str] = []

    async def ask(name: str, priority: Priority) -> None:
        PRIORITY.set(priority)
        await ledger.spend(("account",))
        gone.append(name)

    tasks = [asyncio.create_task(ask(name, priority)) for name, priority in wishes]
    await everybody_waits()
    yield gone
    await asyncio.gather(*tasks)


async def everybody_waits() -> None:
    """Let all tasks run until only time can move them on."""
    for _ in range(10):
        await asyncio.sleep(0)


def figures(ledger: BudgetLedger, bucket: str = "account") -> BucketFigures:
    return next(shown for shown in ledger.snapshot() if shown.bucket == bucket)


# --- our share -----------------------------------------------------------------------------------


async def test_our_share_of_a_minute_goes_at_once_and_the_rest_waits_for_the_next() -> None:
    clock = FakeClock()
    assert await moments(a_ledger(clock), clock, 8) == [0] * 6 + [60] * 2


async def test_the_desks_figures_replace_what_was_assumed() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=10)
    await ledger.spend(("account",))
    found: list[float] = []
    for number in range(60):
        left = 20 - clock.monotonic() if clock.monotonic() < 20 else 60
        ledger.observe([a_reading(limit=100, remaining=99 - number % 59, reset_seconds=left)])
        found += await moments(ledger, clock, 1)
    # A desk that rounds its seconds down ends its window up to a second later than it says.
    assert found == [0] * 59 + [21]
    ledger.observe([a_reading(limit=100, remaining=99, reset_seconds=59)])
    assert await moments(ledger, clock, 1) == [21]


async def test_what_others_used_up_is_not_asked_for_though_our_share_is_not_spent() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock)
    ledger.observe([a_reading(limit=100, remaining=100, reset_seconds=30)])
    ledger.observe([a_reading(limit=100, remaining=2, reset_seconds=30)])
    assert await moments(ledger, clock, 3) == [0, 0, 31]


async def test_what_was_used_before_the_first_look_counts_as_ours_until_the_window_is_over() -> (
    None
):
    clock = FakeClock()
    ledger = a_ledger(clock)
    ledger.observe([a_reading(limit=100, remaining=50, reset_seconds=30)])
    assert await moments(ledger, clock, 12) == [0] * 10 + [31] * 2


async def test_more_used_before_the_first_look_than_is_ours_leaves_us_nothing_of_that_window() -> (
    None
):
    clock = FakeClock()
    ledger = a_ledger(clock)
    ledger.observe([a_reading(limit=100, remaining=30, reset_seconds=30)])
    assert await moments(ledger, clock, 60) == [31] * 2 + [32] * 58


async def test_a_request_counts_in_every_bucket_it_names() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=100)
    ledger.observe([a_reading("updates", limit=5, remaining=5)])
    assert await moments(ledger, clock, 4, buckets=("account", "updates")) == [0, 0, 0, 61]
    assert figures(ledger, "updates").used == 1


async def test_the_smallest_share_still_lets_one_request_go() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, share=0.1, per_minute=1)
    assert await moments(ledger, clock, 2) == [0, 60]


async def test_in_one_window_what_is_left_only_falls() -> None:
    ledger = a_ledger(per_minute=100)
    ledger.observe([a_reading(limit=100, remaining=50, reset_seconds=40)])
    ledger.observe([a_reading(limit=100, remaining=70, reset_seconds=40)])
    assert figures(ledger).left == 50


async def test_an_answer_from_a_window_that_is_over_is_not_believed() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=100)
    ledger.observe([a_reading(limit=100, remaining=99, reset_seconds=60)])
    ledger.observe([a_reading(limit=100, remaining=0, reset_seconds=1)])
    assert figures(ledger).left == 99


async def test_a_window_that_begins_early_is_noticed() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock)
    ledger.observe([a_reading(limit=10, remaining=10, reset_seconds=30)])
    for number in range(6):
        await moments(ledger, clock, 1)
        ledger.observe([a_reading(limit=10, remaining=9 - number, reset_seconds=30)])
    ledger.observe([a_reading(limit=10, remaining=9, reset_seconds=60)])
    assert (figures(ledger).used, figures(ledger).left) == (1, 9)


async def test_what_is_on_its_way_when_a_window_begins_counts_in_it() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock)
    ledger.observe([a_reading(limit=10, remaining=10, reset_seconds=30)])
    await moments(ledger, clock, 6)
    ledger.observe([a_reading(limit=10, remaining=9, reset_seconds=60)])
    assert (figures(ledger).used, figures(ledger).left) == (6, 4)


# --- order ---------------------------------------------------------------------------------------


async def test_the_most_urgent_goes_first_and_equals_in_the_order_of_their_coming() -> None:
    clock = FakeClock(is_manual=True)
    ledger = a_ledger(clock, per_minute=100)
    ledger.pause("account", 5)
    wishes = [
        ("backfill-1", Priority.BACKFILL),
        ("live-1", Priority.LIVE),
        ("repair-1", Priority.REPAIR),
        ("backfill-2", Priority.BACKFILL),
        ("live-2", Priority.LIVE),
    ]
    async with a_queue(ledger, wishes) as gone:
        assert gone == []
        clock.advance(5)
    assert gone == ["live-1", "live-2", "repair-1", "backfill-1", "backfill-2"]


async def test_a_backfill_leaves_room_for_a_change_that_comes_up() -> None:
    clock = FakeClock(is_manual=True)
    ledger = a_ledger(clock, share=1.0, per_minute=100)
    wishes = [(f"backfill-{n}", Priority.BACKFILL) for n in range(200)]
    async with a_queue(ledger, wishes) as gone:
        assert len(gone) == 75
        assert await moments(ledger, clock, 25) == [0] * 25
        clock.advance(60)
        await everybody_waits()
        assert len(gone) == 150
        clock.advance(60)


async def test_a_request_whose_quota_is_free_does_not_wait_for_one_whose_is_not() -> None:
    clock = FakeClock(is_manual=True)
    ledger = a_ledger(clock, per_minute=100)
    ledger.pause("exports", 50)
    polling = asyncio.create_task(ledger.spend(("account", "exports")))
    await everybody_waits()
    PRIORITY.set(Priority.BACKFILL)
    await ledger.spend(("account",))
    assert not polling.done()
    clock.advance(50)
    await polling


async def test_a_request_that_is_given_up_leaves_its_place() -> None:
    clock = FakeClock(is_manual=True)
    ledger = a_ledger(clock, per_minute=100)
    ledger.pause("account", 5)
    first = asyncio.create_task(ledger.spend(("account",)))
    second = asyncio.create_task(ledger.spend(("account",)))
    await everybody_waits()
    first.cancel()
    await everybody_waits()
    clock.advance(5)
    await second
    assert figures(ledger).used == 1


# --- the desk's word -----------------------------------------------------------------------------


async def test_nothing_is_sent_before_the_time_that_the_desk_named() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=100)
    ledger.pause("account", 37)
    assert await moments(ledger, clock, 2) == [37, 37]
    assert figures(ledger).refused_count == 1


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=100)
    ledger.pause("account", 37)
    ledger.pause("account", 0)
    assert await moments(ledger, clock, 1) == [37]


async def test_a_pause_of_one_quota_is_none_of_another() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=100)
    ledger.pause("exports", 37)
    assert await moments(ledger, clock, 1) == [0]
    assert figures(ledger, "exports").paused_seconds == 37


# --- quotas that are not published ---------------------------------------------------------------


async def test_an_unpublished_quota_is_spaced_out_by_our_share() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=1000)
    ledger.assume("exports", per_minute=10)
    found = await moments(ledger, clock, 4, buckets=("account", "exports"))
    assert found == pytest.approx([0, 10, 20, 30])


async def test_a_quota_that_is_published_after_all_is_counted_by_its_window() -> None:
    clock = FakeClock()
    ledger = a_ledger(clock, per_minute=1000)
    ledger.assume("exports", per_minute=10)
    await ledger.spend(("exports",))
    ledger.observe([a_reading("exports", limit=10, remaining=9, reset_seconds=2)])
    ledger.assume("exports", per_minute=10)
    assert await moments(ledger, clock, 6, buckets=("exports",)) == [0] * 5 + [3]


# --- bounds --------------------------------------------------------------------------------------


async def test_a_desk_that_names_ever_new_quotas_does_not_fill_the_memory() -> None:
    ledger = a_ledger()
    for number in range(1000):
        ledger.observe([a_reading(f"b{number}")])
        ledger.pause(f"p{number}", 1)
    assert len(ledger.snapshot()) <= MOST_BUCKETS


async def test_the_figures_can_be_read() -> None:
    ledger = a_ledger()
    await ledger.spend(("account",))
    ledger.observe([a_reading(limit=400, remaining=399, reset_seconds=20)])
    assert figures(ledger) == BucketFigures(
        bucket="account",
        limit=400,
        ours=240,
        used=1,
        left=399,
        paused_seconds=0.0,
        refused_count=0,
    )


# --- against a desk, in virtual time -------------------------------------------------------------


class Account:
    """A desk's quota: fixed windows that began whenever, and what each party used of each."""

    def __init__(self, clock: FakeClock, *, limit: int, began: float) -> None:
        self.clock = clock
        self.limit = limit
        self.began = began
        self.ours: Counter[int] = Counter()
        self.others: Counter[int] = Counter()
        self.refused = 0

    @property
    def window(self) -> int:
        return math.floor((self.clock.monotonic() - self.began) / 60)

    def take(self) -> Reading:
        """One request of ours; counts a refusal when nothing is left."""
        now = self.window
        if self.ours[now] + self.others[now] >= self.limit:
            self.refused += 1
        else:
            self.ours[now] += 1
        ends_at = self.began + (now + 1) * 60
        return Reading(
            bucket="account",
            limit=self.limit,
            remaining=self.limit - self.ours[now] - self.others[now],
            reset_seconds=math.ceil(ends_at - self.clock.monotonic()),
        )

    def take_for_others(self, share: float) -> None:
        """Somebody else's request, as long as they stay within what we leave them."""
        if self.others[self.window] < self.limit - math.floor(self.limit * share):
            self.others[self.window] += 1


@given(
    limit=st.integers(5, 60),
    share=st.sampled_from([0.2, 0.5, 0.6, 0.9, 1.0]),
    began=st.floats(-59, 0),
    pauses=st.lists(st.floats(0, 25), min_size=5, max_size=60),
    ours=st.integers(1, 4),
)
# A small share is taken for one of any minute now and then; that is within each window's, too.
@example(limit=10, share=0.2, began=0.0, pauses=[0.0] * 11 + [12.0, 3.0, 25.0, 25.0], ours=3)
def test_we_stay_within_our_share_and_are_never_refused_while_others_stay_in_theirs(
    limit: int, share: float, began: float, pauses: list[float], ours: int
) -> None:
    async def run() -> Account:
        # What is let go leaves at that moment: nobody's sleep moves the time before.
        clock = FakeClock(is_manual=True)
        account = Account(clock, limit=limit, began=began)
        ledger = a_ledger(clock, share=share, per_minute=limit)

        async def work(count: int) -> None:
            for number in range(count):
                PRIORITY.set(Priority(number % 3))
                await ledger.spend(("account",))
                ledger.observe([account.take()])

        async def live_beside_us() -> None:
            for pause in pauses:
                await clock.sleep(pause)
                for _ in range(3):
                    account.take_for_others(share)

        async with asyncio.TaskGroup() as group:
            group.create_task(live_beside_us())
            for _ in range(ours):
                group.create_task(work(limit))
            await clock.play(math.inf)
        return account

    account = asyncio.run(run())

    assert account.refused == 0
    assert max(account.ours.values()) <= max(1, math.floor(limit * share))
    assert sum(account.ours.values()) == ours * limit
