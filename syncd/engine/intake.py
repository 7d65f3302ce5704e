"""Where every sighting enters: into the mirror, durably, and only then into the queue.

Feeds, webhooks, the sweep and backfills all come through here; none of them says what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from syncd.core.model import ConnectionName, LinkName, PairId, Side, Sighting
from syncd.core.work import CursorMove
from syncd.engine.lag import Lag
from syncd.engine.links import Links
from syncd.engine.missed import Missed
from syncd.ports import Clock, Store, WorkQueue


class Intake:
    """Records sightings and wakes the pairs whose tickets really changed."""

    def __init__(
        self,
        *,
        store: Store,
        queue: WorkQueue,
        links: Links,
        clock: Clock,
        missed: Missed | None = None,
        lag: Lag | None = None,
        news: Mapping[ConnectionName, asyncio.Event] | None = None,
    ) -> None:
        """`missed` is told what came by webhook and what did not, `lag` all but a backfill's;
        `news` are set where a webhook spoke of a ticket that only the feed can tell about.
        """
        self._news = news or {}
        self._store = store
        self._queue = queue
        self._links = links
        self._clock = clock
        self._missed = missed
        self._lag = lag

    async def take(
        self,
        connection: ConnectionName,
        sightings: Sequence[Sighting],
        *,
        cursor: CursorMove | None = None,
        backfill: LinkName | None = None,
        is_waking: bool = True,
        is_announced: bool = False,
    ) -> frozenset[PairId]:
        """Take sightings in; returns the pairs that they marked. Durable when it returns.

        A link's `backfill` marks the link's pairs for itself and has twins imported for that link
        only. Without `is_waking` the caller wakes them, once it has taken in what belongs
        together. What a webhook brought `is_announced`. Raises `StoreUnavailable`. A connection
        that no link uses brings nothing.
        """
        side = self._links.side_of(connection)
        if side is None or (not sightings and cursor is None):
            return frozenset()
        births = (
            self._links.births(connection, sightings, backfill=backfill)
            if side is Side.PLATFORM
            else ()
        )
        marked = await self._store.record_sightings(
            connection,
            sightings,
            side=side,
            births=births,
            cursor=cursor,
            quiet_link=backfill,
            seen_at=self._clock.now(),
        )
        if self._lag is not None and backfill is None:
            self._lag.seen(marked, on=side)
        if is_waking:
            self.wake(marked)
        if is_announced and side is Side.PLATFORM:
            await self._call(connection, sightings)
        if backfill is None:
            await self._note(connection, sightings, marked, is_announced=is_announced)
        return marked

    async def _call(self, connection: ConnectionName, sightings: Sequence[Sighting]) -> None:
        """Have the feed looked at soon for a ticket that a webhook only named: it may be wanted.

        Tickets of living pairs are read by their own runs.
        """
        named = {sighting.ticket_id for sighting in sightings if sighting.ticket is None}
        if not named or connection not in self._news:
            return
        if named - await self._store.known_tickets(connection, tuple(named)):
            self._news[connection].set()

    def walked(self, connection: ConnectionName) -> None:
        """A walk along the connection's feed has come to its end."""
        if self._missed is not None:
            self._missed.walked(connection)

    async def _note(
        self,
        connection: ConnectionName,
        sightings: Sequence[Sighting],
        marked: frozenset[PairId],
        *,
        is_announced: bool,
    ) -> None:
        """Remember what a webhook announced, or that none did."""
        missed = self._missed
        if missed is None or not missed.expects(connection):
            return
        if is_announced:
            missed.announced(connection, sightings)
        elif marked:
            held = await self._store.tickets_of(connection, marked)
            missed.found(connection, held & {s.ticket_id for s in sightings}, sightings)

    def wake(self, pair_ids: Iterable[PairId]) -> None:
        """Have marked pairs run soon."""
        for pair_id in sorted(pair_ids):
            self._queue.wake(pair_id)
