"""Polling: one walk after another along a connection's change feed.

Polling alone suffices; webhooks only make it faster. The cursor moves in the transaction that
stores what it brought, so that a killed daemon reads a page again rather than skipping one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from syncd.core.errors import RateLimited, RemoteError
from syncd.core.model import PairId
from syncd.core.reaction import delay_seconds
from syncd.core.work import CursorMove
from syncd.engine.controller import wait_or_stop
from syncd.engine.health import Health
from syncd.engine.intake import Intake
from syncd.log import logger
from syncd.ports import Clock, Connector, Store

FEED = "changes"
#: After so many pages of one walk the pairs do not wait for its end.
_PAGES_AT_ONCE = 20
#: From the first call about news to the look at the feed.
_GATHERING_SECONDS = 1.0


class Poller:
    """Polls one connection until it is told to stop."""

    def __init__(
        self,
        connector: Connector,
        *,
        every_seconds: float,
        store: Store,
        intake: Intake,
        clock: Clock,
        health: Health,
        relaxed_seconds: float = 0.0,
        is_relaxed: Callable[[], bool] = lambda: False,
        news: asyncio.Event | None = None,
    ) -> None:
        """The pause is `relaxed_seconds` for as long as `is_relaxed` says so, and cut short by
        `news` of what only the feed can tell.
        """
        self._news = news or asyncio.Event()
        self._connector = connector
        self._every_seconds = every_seconds
        self._relaxed_seconds = relaxed_seconds
        self._is_relaxed = is_relaxed
        self._store = store
        self._intake = intake
        self._clock = clock
        self._health = health
        self._stopping = asyncio.Event()
        #: Set once it is known where the feed is followed from, or the desk failed to say.
        self.begun = asyncio.Event()
        #: Set once the feed was read to its end, or the desk failed to give it.
        self.looked = asyncio.Event()
        self._tries = 0

    def stop(self) -> None:
        """End after the page in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Walk, wait, walk again. Raises `StoreUnavailable`; a desk's error only delays."""
        if await self._store.load_cursor(self._connector.name, FEED) is not None:
            self.begun.set()
        while not self._stopping.is_set():
            pause = await self.look()
            self.begun.set()
            self.looked.set()
            await self._pause(pause)
            await self._rest(self._relaxed_seconds - pause)
            if self._news.is_set():
                self._news.clear()
                # Those who call about one thing call together.
                await wait_or_stop(self._clock, self._stopping, min(pause, _GATHERING_SECONDS))

    async def _pause(self, seconds: float) -> None:
        """Wait; a desk that failed is left alone, whatever is new there."""
        calls = () if self._tries else (self._news,)
        await wait_or_stop(self._clock, self._stopping, seconds, *calls)

    async def _rest(self, seconds: float) -> None:
        """Wait longer, but only while nothing speaks against it."""
        while seconds > 0 and self._tries == 0 and self._is_relaxed():
            if self._stopping.is_set() or self._news.is_set():
                return
            pause = min(seconds, self._every_seconds)
            await self._pause(pause)
            seconds -= pause

    async def look(self) -> float:
        """One walk and its consequences; how many seconds to wait before the next one.

        Raises `StoreUnavailable`.
        """
        try:
            await self.walk()
        except RemoteError as error:
            self._tries += 1
            self._health.failed(error)
            logger().debug(
                "feed.stuck", connection=self._connector.name, reason=type(error).__name__
            )
            return max(self._every_seconds, self._pause_seconds(error, self._tries))
        self._tries = 0
        self._intake.walked(self._connector.name)
        self._health.polled(self._connector.name)
        return self._every_seconds

    def _pause_seconds(self, error: RemoteError, tries: int) -> float:
        if isinstance(error, RateLimited):
            return (error.retry_at - self._clock.now()).total_seconds()
        return delay_seconds(tries, spread=0.5)

    async def walk(self) -> int:
        """Read the feed to its present end; returns how many pairs that marked.

        Raises `RemoteError` leaves and `StoreUnavailable`; pages before the error are stored.
        """
        connection = self._connector.name
        cursor = await self._store.load_cursor(connection, FEED)
        marked: set[PairId] = set()
        pages = 0
        try:
            while not self._stopping.is_set():
                page = await self._connector.read_changes(cursor)
                self._health.succeeded(connection)
                move = CursorMove(feed=FEED, cursor=page.cursor) if page.cursor != cursor else None
                marked |= await self._intake.take(
                    connection, page.sightings, cursor=move, is_waking=False
                )
                cursor = page.cursor
                if page.unreadable_count:
                    self._health.counts["feed.unreadable"] += page.unreadable_count
                    rows = page.unreadable_count
                    logger().warning("feed.unreadable", connection=connection, rows=rows)
                pages += 1
                if page.is_end:
                    break
                if pages % _PAGES_AT_ONCE == 0:
                    self._intake.wake(marked)
        finally:
            # Fields and comments come on different pages: a pair that ran between the two would
            # have to read what the next page brings for nothing.
            self._intake.wake(marked)
        if marked:
            self._health.counts["poll.marked"] += len(marked)
            logger().debug("feed.polled", connection=connection, pairs=len(marked))
        return len(marked)
