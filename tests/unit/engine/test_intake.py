"""What is taken in wakes what it should: pairs, and the feed where only the feed can tell."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from syncd.core.model import ConnectionName, LinkName, Side, Sighting, TicketId
from syncd.core.policy import LinkPolicy
from syncd.engine.intake import Intake
from syncd.engine.links import Link, Links
from syncd.ports import Connector
from syncd.store import open_store
from syncd.workqueue.memory import MemoryWorkQueue
from tests.support.build import PARTNER, PLATFORM, a_sighting, a_ticket
from tests.support.clock import FakeClock
from tests.unit.engine.test_poll import Feed


@dataclass(frozen=True)
class Bench:
    intake: Intake
    news: dict[ConnectionName, asyncio.Event]

    async def hear(self, sighting: Sighting, at: ConnectionName = PLATFORM) -> bool:
        """Whether a webhook's word has the feed looked at."""
        await self.intake.take(at, [sighting], is_announced=True)
        return self.news[at].is_set()


@contextlib.asynccontextmanager
async def a_bench(folder: Path) -> AsyncIterator[Bench]:
    store = open_store(folder / "syncd.db", is_durable=False)
    connectors = {Side.PLATFORM: Feed(PLATFORM, 0), Side.PARTNER: Feed(PARTNER, 0)}
    link = Link(
        policy=LinkPolicy(link=LinkName("one"), view="acme"),
        connectors={side: cast(Connector, feed) for side, feed in connectors.items()},
    )
    clock, news = FakeClock(), {PLATFORM: asyncio.Event(), PARTNER: asyncio.Event()}
    queue = MemoryWorkQueue(clock)
    try:
        intake = Intake(store=store, queue=queue, links=Links([link]), clock=clock, news=news)
        yield Bench(intake=intake, news=news)
    finally:
        await store.close()


def named(ticket_id: str) -> Sighting:
    return Sighting(ticket_id=TicketId(ticket_id), moved_at=7)


async def test_a_stranger_that_a_webhook_only_names_is_looked_for_in_the_feed(
    tmp_path: Path,
) -> None:
    async with a_bench(tmp_path) as bench:
        assert await bench.hear(named("T1"))


async def test_a_ticket_that_came_with_the_webhook_is_not(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        assert not await bench.hear(a_sighting(a_ticket("T1", views=["acme"])))
        # By now it has a pair, whose own run reads what was only named.
        assert not await bench.hear(named("T1"))


async def test_a_partners_stranger_is_none_of_ours(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        assert not await bench.hear(named("T1"), PARTNER)


async def test_what_the_feed_itself_names_calls_nobody(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        await bench.intake.take(PLATFORM, [named("T1")])
        assert not bench.news[PLATFORM].is_set()
