"""One partner's trouble or flood does not hold up another partner's tickets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from syncd.core.model import Side
from tests.engine.both_desks import VIEWS, BothDesks, both_desks, both_know

BOTH = ("acme", "globex")
FLOOD = 60


@contextlib.asynccontextmanager
async def working(desks: BothDesks) -> AsyncIterator[None]:
    """The daemon's own workers run; ended when the block is left."""
    task = asyncio.create_task(desks.controller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def flood_when_born(desks: BothDesks, ticket_id: str) -> int:
    """How many of Acme's twins there are at the moment when Globex has its one.

    The test's clock runs whenever anybody sleeps by it, so seconds would tell nothing.
    """
    async with asyncio.timeout(60):
        while not desks.twins(ticket_id, "globex"):
            await asyncio.sleep(0.002)
    return len(desks.partners["acme"].desk.account.tickets)


async def test_a_partner_who_asks_to_wait_for_an_hour_delays_no_other(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        desks.arm(
            Side.PARTNER, "status", status=429, times=5, kind="write",
            headers=(("retry-after", "3000"),),
        )  # fmt: skip
        waiting = [desks.open_ticket(f"<p>f\u00fcr Acme {n:05}</p>") for n in range(FLOOD)]
        ticket_id = desks.open_ticket("<p>einer f\u00fcr Globex</p>", view=VIEWS["globex"])
        await desks.poll()
        async with working(desks):
            assert await flood_when_born(desks, ticket_id) < FLOOD / 2
        for _ in range(5):
            desks.clock.advance(3001)
            await desks.round()
        await desks.settle()
        for number, each in enumerate(waiting):
            both_know(desks, each, f"f\u00fcr Acme {number:05}")


async def test_a_partner_with_a_small_quota_and_a_flood_delays_no_other(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        await desks.switch("acme", requests_per_minute=20)
        for number in range(FLOOD):
            desks.open_ticket(f"<p>f\u00fcr Acme {number:05}</p>")
        ticket_id = desks.open_ticket("<p>einer f\u00fcr Globex</p>", view=VIEWS["globex"])
        await desks.poll()
        async with working(desks):
            assert await flood_when_born(desks, ticket_id) < FLOOD / 2
