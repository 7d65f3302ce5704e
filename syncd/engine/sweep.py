"""The sweep: compare every open pair with its desks, slowly, whatever the feeds have said.

It repairs what no feed brought; a repair that is not zero means that a webhook or a row was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from syncd.core.errors import RemoteError
from syncd.core.model import Side
from syncd.core.work import Pair
from syncd.engine.controller import wait_or_stop
from syncd.engine.health import Health
from syncd.engine.intake import Intake
from syncd.engine.links import Links
from syncd.log import logger
from syncd.ports import PRIORITY, Clock, Priority, Store

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
        await wait_or_stop(self._clock, self._stopping, self._every_seconds)
        while not self._stopping.is_set():
            await self.sweep()
            await wait_or_stop(self._clock, self._stopping, self._every_seconds)

    async def sweep(self) -> int:
        """One pass over all open pairs; returns how many pairs it marked."""
        repaired = 0
        lost_since = self._clock.now() - _RESTORABLE
        async for batch in self._store.open_pairs(lost_since=lost_since):
            for side in Side:
                repaired += await self._compare(side, batch)
            if self._stopping.is_set():
                break
        if repaired:
            self._health.counts["sweep.repaired"] += repaired
            logger().warning("sweep.repaired", pairs=repaired)
        return repaired

    async def _compare(self, side: Side, pairs: Sequence[Pair]) -> int:
        repaired = 0
        for name, connector in self._links.connectors().items():
            ids = [
                ticket_id
                for pair in pairs
                if (link := self._links.find(pair.link)) is not None
                and link.connectors[side].name == name
                and (ticket_id := pair.tickets[side]) is not None
            ]
            if not ids:
                continue
            try:
                sightings = await connector.fetch_many(ids)
            except RemoteError as error:
                self._health.failed(error)
                continue
            repaired += len(await self._intake.take(name, sightings))
        return repaired
