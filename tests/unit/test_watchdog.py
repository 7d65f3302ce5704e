"""The watchdog is fed while all goes on, and not a moment longer."""

from __future__ import annotations

import asyncio
import contextlib

from syncd.supervisor import Supervisor
from syncd.watchdog import feed
from tests.support.clock import FakeClock


class CountingSupervisor(Supervisor):
    """Hears itself."""

    def __init__(self) -> None:
        super().__init__("/nowhere", watchdog_seconds=1.0)
        self.signs = 0

    def alive(self) -> None:
        self.signs += 1


async def fed(standstill: str | None, *, hangs: bool = False) -> int:
    """How many signs of life there are in ten looks."""
    clock = FakeClock()
    supervisor = CountingSupervisor()
    looks = 0

    def look() -> str | None:
        nonlocal looks
        looks += 1
        return standstill

    async def turn() -> None:
        if hangs:
            await asyncio.Event().wait()

    task = asyncio.create_task(feed(supervisor, standstill=look, turn=turn, clock=clock))
    async with asyncio.timeout(10):
        while looks < (2 if hangs else 10):
            await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return supervisor.signs


async def test_while_all_goes_on_there_are_signs_of_life() -> None:
    assert await fed(None) >= 9


async def test_a_standstill_gives_no_sign() -> None:
    assert await fed("no run has made a step") == 0


async def test_a_store_that_takes_no_write_gives_no_sign() -> None:
    assert await fed(None, hangs=True) == 0


async def test_where_nobody_watches_nothing_is_done() -> None:
    async def turn() -> None:
        raise AssertionError

    await feed(Supervisor(None), standstill=lambda: "", turn=turn, clock=FakeClock())
