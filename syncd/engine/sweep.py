"""The sweep: compare every open pair with its desks, slowly, whatever the feeds have said.

It repairs what no feed brought; a repair that is not zero means that a webhook or a row was lost.
When the last one ended is on record, so that a daemon that never lives for long sweeps as well.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.core.errors import RemoteError
from syncd.core.model import Side, TicketId
from syncd.core.work import CursorMove, Pair, PairState
from syncd.engine.absences import Absences
from syncd.engine.controller import wait_or_stop
from syncd.engine.health import Health
from syncd.engine.intake import Intake
from syncd.engine.links import Links
from syncd.log import logger
from syncd.ports import PRIORITY, Clock, Priority, Store

FEED = "sweep"
#: For so long Zendesk keeps what was deleted.
_RESTORABLE = timedelta(days=30)


class Sweep:
    """Reads the fields of all open pairs in bulk, again and again."""

    def __init__(
        self,
        *,
        links: Links,
        every_seconds: float,
        store: Store,
        intake: Intake,
        clock: Clock,
        health: Health,
    ) -> None:
        self._links = links
        self._every_seconds = every_seconds
        self._store = store
        self._intake = intake
        self._clock = clock
        self._health = health
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Sweep, wait, sweep again. Raises `StoreUnavailable`."""
        PRIORITY.set(Priority.REPAIR)
        await wait_or_stop(self._clock, self._stopping, await self.seconds_left())
        while not self._stopping.is_set():
            await self.sweep()
            await wait_or_stop(self._clock, self._stopping, self._every_seconds)

    async def seconds_left(self) -> float:
        """Until the next sweep is due; for a store that was never swept, a whole turn."""
        now = self._clock.now()
        ended: list[datetime] = []
        for name in self._links.connectors():
            cursor = await self._store.load_cursor(name, FEED)
            if cursor is None:
                # A connection that is new is not history's: its turn comes with the others'.
                continue
            # A clock that was set back must not put the next one off for long.
            ended.append(min(datetime.fromisoformat(cursor), now))
        if not ended:
            await self._record_end()
            return self._every_seconds
        return max(self._every_seconds - (now - min(ended)).total_seconds(), 0.0)

    async def _record_end(self) -> None:
        move = CursorMove(feed=FEED, cursor=self._clock.now().isoformat())
        for name in self._links.connectors():
            await self._intake.take(name, (), cursor=move)

    async def sweep(self) -> int:
        """One pass over all open pairs; returns how many pairs it marked."""
        repaired = 0
        lost_since = self._clock.now() - _RESTORABLE
        absences = Absences(links=self._links, intake=self._intake, health=self._health)
        async for batch in self._store.open_pairs(lost_since=lost_since):
            for side in Side:
                repaired += await self._compare(side, batch, absences)
            if self._stopping.is_set():
                break
        else:
            # Of all batches together: what is missing in each of them may be few, and many in all.
            await absences.look()
            await self._record_end()
        if repaired:
            self._health.counts["sweep.repaired"] += repaired
            logger().warning("sweep.repaired", pairs=repaired)
        return repaired

    async def _compare(self, side: Side, pairs: Sequence[Pair], absences: Absences) -> int:
        repaired = 0
        for name, connector in self._links.connectors().items():
            held: dict[TicketId, list[Pair]] = defaultdict(list)
            for pair in pairs:
                link = self._links.find(pair.link)
                ticket_id = pair.tickets[side]
                if link is None or link.connectors[side].name != name or ticket_id is None:
                    continue
                held[ticket_id].append(pair)
            if not held:
                continue
            try:
                sightings = await connector.fetch_many(tuple(held))
            except RemoteError as error:
                self._health.failed(error)
                continue
            repaired += len(await self._intake.take(name, sightings))
            for missing in held.keys() - {sighting.ticket_id for sighting in sightings}:
                for pair in held[missing]:
                    if pair.state is PairState.ACTIVE:
                        absences.add(pair.link, side, missing)
        return repaired
