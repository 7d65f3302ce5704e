"""The task that looks, puts on record, and tells; it never holds up the engine.

Who is to be told of what is durable before anything is sent, and that it was told is noted after:
a daemon that dies in between tells it again, and never forgets it. What cannot be delivered is
tried again with growing pauses, as whatever is so by then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncd.alarms.look import Look
from syncd.alarms.post import Post, Posted
from syncd.core.alarm import (
    Alarm,
    AlarmChanges,
    Condition,
    Found,
    Patience,
    compare,
    conditions,
)
from syncd.core.alarm_news import (
    Ends,
    Message,
    Route,
    messages,
    news_for,
    unaddressed,
)
from syncd.core.alarm_words import written
from syncd.engine.controller import wait_or_stop
from syncd.log import logger
from syncd.ports import Clock, Store

#: Between two looks.
TICK_SECONDS = 5.0
#: After a message that was not sent; twice as long each time.
_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0


@dataclass(kw_only=True)
class _Delivery:
    """One route's, in this process: what it was sent lately, and when it is tried again."""

    route: Route
    sent_at: deque[datetime]
    pause_seconds: float = 0.0
    not_before: float = 0.0
    task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return self.task is not None and not self.task.done()


@dataclass(kw_only=True)
class AlarmWatch:
    """Looks and tells until it is told to stop; does nothing at all where nobody is to be told."""

    store: Store
    clock: Clock
    look: Look
    post: Post
    routes: Sequence[Route]
    patience: Patience
    ends: Ends
    #: What messages call this installation.
    name: str
    _alarms: Sequence[Alarm] = ()
    _is_known: bool = False
    _deliveries: Mapping[str, _Delivery] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    #: Held from a write to the reading of what it made, or an older reading could come last.
    _book: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._deliveries = {
            route.name: _Delivery(route=route, sent_at=deque(maxlen=route.most))
            for route in self.routes
        }

    def stop(self) -> None:
        """End now; what is being sent is not waited for, and told again after the next start."""
        self._stopping.set()

    async def run(self) -> None:
        """Look, tell, wait. Raises `StoreUnavailable`; a route that fails only delays."""
        if not self.routes:
            return
        self.look.crashed_at = await self.store.begin_life(now=self.clock.now())
        try:
            while not self._stopping.is_set():
                await self.tick()
                await wait_or_stop(self.clock, self._stopping, TICK_SECONDS)
        finally:
            tasks = [each.task for each in self._deliveries.values() if each.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def end(self) -> None:
        """All that had begun is durable: the daemon ends in order."""
        if self.routes:
            await self.store.end_life()

    async def tick(self) -> None:
        """One look, with what follows from it; messages leave in tasks of their own."""
        await self._record(conditions(await self.look.now(), self.patience, now=self.clock.now()))
        for delivery in self._deliveries.values():
            self._deliver(delivery)

    async def _record(self, found: Found) -> None:
        async with self._book:
            if not self._is_known:
                await self._read()
            changes = compare(self._alarms, found)
            now = self.clock.now()
            if not changes.is_empty:
                self._log(changes)
                await self.store.note_alarms(changes, now=now)
                await self._read()
            wanted = unaddressed(self._alarms, self.routes, self.ends)
            if wanted or not self._is_known:
                names = [route.name for route in self.routes]
                await self.store.address_alarms(wanted, routes=names, now=now)
                await self._read()
            self._is_known = True

    async def _read(self) -> None:
        self._alarms = await self.store.alarms()

    def _log(self, changes: AlarmChanges) -> None:
        for condition in changes.begun:
            logger().warning("alarm.began", **_figures(condition))
        for alarm in self._alarms:
            if alarm.alarm_id in changes.over:
                logger().info("alarm.over", **_figures(alarm.condition))

    def _deliver(self, delivery: _Delivery) -> None:
        if delivery.task is not None and delivery.task.done():
            # What it raises is the store's, and ends the daemon like everywhere else.
            delivery.task.result()
            delivery.task = None
        if delivery.is_busy or self.clock.monotonic() < delivery.not_before:
            return
        now = self.clock.now()
        news = news_for(delivery.route, self._alarms, now=now)
        if due := messages(news, tuple(delivery.sent_at), delivery.route, now=now):
            delivery.task = asyncio.create_task(self._send(delivery, due))

    async def _send(self, delivery: _Delivery, due: Sequence[Message]) -> None:
        route = delivery.route.name
        for message in due:
            text = written(message, name=self.name, ends=self.ends, now=self.clock.now())
            posted = await self.post.send(route, text)
            if posted is not Posted.SENT:
                self._put_off(delivery, posted)
                return
            now = self.clock.now()
            delivery.sent_at.append(now)
            delivery.pause_seconds = delivery.not_before = 0.0
            told = {news.alarm.alarm_id: news.told for news in message.news}
            async with self._book:
                await self.store.note_told(route, told, now=now)
                await self._read()
            logger().info("alarm.told", route=route, alarms=sorted(told))

    def _put_off(self, delivery: _Delivery, posted: Posted) -> None:
        doubled = max(_PAUSE_SECONDS, 2 * delivery.pause_seconds)
        delivery.pause_seconds = min(doubled, _LONGEST_PAUSE_SECONDS)
        delivery.not_before = self.clock.monotonic() + delivery.pause_seconds
        logger().warning(
            "alarm.untold",
            route=delivery.route.name,
            reason=posted.value,
            retry_seconds=delivery.pause_seconds,
        )


def _figures(condition: Condition) -> dict[str, object]:
    cause = condition.cause
    return {
        "kind": cause.kind.value,
        "connection": cause.connection,
        "link": cause.link,
        "since": condition.since.isoformat(),
        "count": condition.count,
        "reason": condition.reason,
    }
