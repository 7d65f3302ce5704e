"""Two processes of ours on one account: each has a ledger; only the desk sees what both spend."""

from __future__ import annotations

import asyncio

from syncd.engine.budget import BudgetLedger
from syncd.ports import PRIORITY, Priority, Reading
from syncd.settings import BudgetShare
from tests.support.clock import FakeClock

LIMIT = 100


class Account:
    """A quota of a desk, in one window."""

    def __init__(self) -> None:
        self.used = 0

    async def ask(self, ledger: BudgetLedger) -> None:
        """One request by a ledger, and the figures in its answer."""
        await ledger.spend(("account",))
        self.used += 1
        left = LIMIT - self.used
        ledger.observe([Reading(bucket="account", limit=LIMIT, remaining=left, reset_seconds=60)])


def a_ledger(clock: FakeClock) -> BudgetLedger:
    share = BudgetShare.model_validate({"share": "100%", "per_minute": LIMIT})
    return BudgetLedger(share, clock=clock)


async def test_a_backfill_leaves_room_for_the_daemon_beside_it() -> None:
    clock = FakeClock(is_manual=True)
    account = Account()
    daemon, backfill = a_ledger(clock), a_ledger(clock)

    async def backfilling() -> None:
        PRIORITY.set(Priority.BACKFILL)
        for _ in range(200):
            await account.ask(backfill)

    for _ in range(40):
        await account.ask(daemon)
    work = asyncio.create_task(backfilling())
    for _ in range(500):
        await asyncio.sleep(0)
    assert account.used == 75, "the last quarter is for what people are waiting for"
    for _ in range(25):
        await account.ask(daemon)
    assert account.used == LIMIT
    work.cancel()
