"""A poller keeps its place: no page is skipped, whatever happens between two of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from syncd.core.errors import RateLimited, RemoteError, Unreachable
from syncd.core.model import ConnectionName, LinkName, Side, Sighting
from syncd.core.policy import LinkPolicy
from syncd.engine.health import ConnectionState, Health
from syncd.engine.intake import Intake
from syncd.engine.links import Link, Links
from syncd.engine.poll import Poller
from syncd.ports import Changes, Connector
from syncd.store import SqliteStore, open_store
from syncd.workqueue.memory import MemoryWorkQueue
from tests.support.build import PARTNER, PLATFORM, a_sighting, a_ticket
from tests.support.clock import FakeClock

ABOUT: Any = {"connection": PLATFORM, "action": "read changes"}


class Feed:
    """A desk's feed: one ticket a page, and an error before the page of that number."""

    def __init__(self, name: ConnectionName, pages: int) -> None:
        self.name = name
        self.pages = pages
        self.errors: dict[int, RemoteError] = {}
        self.read: list[int] = []

    async def read_changes(self, cursor: str | None) -> Changes:
        number = int(cursor or 0)
        if (error := self.errors.pop(number, None)) is not None:
            raise error
        self.read.append(number)
        shown: tuple[Sighting, ...] = ()
        if number < self.pages:
            shown = (a_sighting(a_ticket(f"T{number}", views=["acme"])),)
        after = min(number + 1, self.pages)
        return Changes(sightings=shown, cursor=str(after), is_end=after >= self.pages)


class Bench:
    """A poller between a scripted feed and a real store."""

    def __init__(self, store: SqliteStore, pages: int) -> None:
        self.clock = FakeClock()
        self.store = store
        self.feed = Feed(PLATFORM, pages)
        self.health = Health(self.clock.now)
        self.queue = MemoryWorkQueue(self.clock)
        connectors = {Side.PLATFORM: self.feed, Side.PARTNER: Feed(PARTNER, 0)}
        links = Links(
            [
                Link(
                    policy=LinkPolicy(link=LinkName("one"), view="acme"),
                    connectors={s: cast(Connector, feed) for s, feed in connectors.items()},
                )
            ]
        )
        self.poller = Poller(
            cast(Connector, self.feed),
            every_seconds=10,
            store=store,
            intake=Intake(store=store, queue=self.queue, links=links, clock=self.clock),
            clock=self.clock,
            health=self.health,
        )

    async def tickets(self) -> list[str]:
        return [str(pair.tickets[Side.PLATFORM]) for pair in await self.store.find_pairs()]


@contextlib.asynccontextmanager
async def a_bench(folder: Path, *, pages: int = 3) -> AsyncIterator[Bench]:
    store = open_store(folder / "syncd.db", is_durable=False)
    try:
        yield Bench(store, pages)
    finally:
        await store.close()


async def test_a_walk_goes_to_the_end_and_wakes_what_it_marked(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        assert await bench.poller.walk() == 3
        assert await bench.tickets() == ["T0", "T1", "T2"]
        assert len(bench.queue) == 3
        assert await bench.store.load_cursor(PLATFORM, "changes") == "3"
        assert await bench.poller.walk() == 0


async def test_an_error_between_two_pages_keeps_the_first_and_its_place(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        bench.feed.errors[1] = Unreachable("no answer", **ABOUT)
        pause = await bench.poller.look()
        assert pause >= 10
        assert await bench.tickets() == ["T0"]
        assert len(bench.queue) == 1, "its pair need not wait for the rest"
        assert bench.health.state(PLATFORM) is ConnectionState.DOWN
        assert await bench.poller.look() == 10
        assert bench.feed.read == [0, 1, 2]
        assert await bench.tickets() == ["T0", "T1", "T2"]


async def test_a_desk_that_stays_down_is_asked_less_and_less(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        pauses = []
        for _ in range(12):
            bench.feed.errors[0] = Unreachable("no answer", **ABOUT)
            pauses.append(await bench.poller.look())
        assert pauses == sorted(pauses)
        assert pauses[0] == 10
        assert 200 < pauses[-1] <= 300
        assert await bench.poller.look() == 10
        bench.feed.errors[3] = Unreachable("no answer", **ABOUT)
        assert await bench.poller.look() == 10, "one good walk makes up for all"


async def test_a_429_is_waited_out_as_asked(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        at = bench.clock.now() + timedelta(seconds=1234)
        bench.feed.errors[0] = RateLimited("too many", retry_at=at, **ABOUT)
        assert await bench.poller.look() == pytest.approx(1234)


async def test_a_long_walk_lets_the_first_pairs_run_before_its_end(tmp_path: Path) -> None:
    async with a_bench(tmp_path, pages=45) as bench:
        bench.feed.errors[40] = Unreachable("no answer", **ABOUT)
        woken: list[int] = []
        ordinary = bench.feed.read_changes

        async def watched(cursor: str | None) -> Changes:
            woken.append(len(bench.queue))
            return await ordinary(cursor)

        bench.feed.read_changes = watched  # type: ignore[method-assign]
        await bench.poller.look()
        assert woken[19:22] == [0, 20, 20]


async def test_stopping_ends_the_pause_at_once(tmp_path: Path) -> None:
    async with a_bench(tmp_path) as bench:
        bench.poller.stop()
        await asyncio.wait_for(bench.poller.run(), 5)
        assert bench.feed.read == []


class Relaxation:
    """How often a feed is read in a stretch of time while a webhook is sound, or is not."""

    def __init__(self, bench: Bench) -> None:
        self.is_sound = True
        self.clock = FakeClock(is_manual=True)
        self.feed = bench.feed
        self.news = asyncio.Event()
        self.poller = Poller(
            cast(Connector, bench.feed),
            every_seconds=10,
            relaxed_seconds=60,
            is_relaxed=lambda: self.is_sound,
            news=self.news,
            store=bench.store,
            intake=Intake(store=bench.store, queue=bench.queue, links=Links([]), clock=self.clock),
            clock=self.clock,
            health=bench.health,
        )

    async def reads_in(self, seconds: int) -> int:
        before = len(self.feed.read)
        for _ in range(seconds):
            self.clock.advance(1)
            # A round trip to the store's thread and back takes a few turns of the loop.
            await asyncio.sleep(0.002)
        return len(self.feed.read) - before


@contextlib.asynccontextmanager
async def a_relaxed_poller(folder: Path) -> AsyncIterator[Relaxation]:
    store = open_store(folder / "syncd.db", is_durable=False)
    relaxation = Relaxation(Bench(store, pages=0))
    running = asyncio.create_task(relaxation.poller.run())
    await relaxation.poller.begun.wait()
    await asyncio.sleep(0.05)
    try:
        yield relaxation
    finally:
        relaxation.poller.stop()
        relaxation.clock.advance(60)
        await running
        await store.close()


async def test_the_pause_is_the_longer_one_while_it_may_be(tmp_path: Path) -> None:
    async with a_relaxed_poller(tmp_path) as relaxation:
        assert await relaxation.reads_in(180) in (2, 3)


async def test_a_doubt_ends_the_longer_pause_within_a_short_one(tmp_path: Path) -> None:
    async with a_relaxed_poller(tmp_path) as relaxation:
        assert await relaxation.reads_in(20) == 0
        relaxation.is_sound = False
        assert await relaxation.reads_in(12) == 1
        assert await relaxation.reads_in(60) in (5, 6)


async def test_news_end_either_pause_and_many_at_once_are_one_look(tmp_path: Path) -> None:
    async with a_relaxed_poller(tmp_path) as relaxation:
        for waited in (3, 30):
            assert await relaxation.reads_in(waited) == 0
            relaxation.news.set()
            relaxation.news.set()
            assert await relaxation.reads_in(4) == 1
        assert await relaxation.reads_in(30) == 0


async def test_a_desk_that_failed_is_left_alone_whatever_is_new_there(tmp_path: Path) -> None:
    async with a_relaxed_poller(tmp_path) as relaxation:
        relaxation.feed.errors[0] = Unreachable("down", **ABOUT)
        assert await relaxation.reads_in(62) == 0
        relaxation.news.set()
        assert await relaxation.reads_in(4) == 0
        assert await relaxation.reads_in(30) >= 1
