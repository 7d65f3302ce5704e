"""Where every sighting enters: into the mirror, durably, and only then into the queue.

Feeds, webhooks, the sweep and backfills all come through here; none of them says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd.core.model import ConnectionName, LinkName, PairId, Side, Sighting
from syncd.core.work import CursorMove
from syncd.engine.links import Links
from syncd.ports import Clock, Store, WorkQueue


class Intake:
    """Records sightings and wakes the pairs whose tickets really changed."""

    def __init__(self, *, store: Store, queue: WorkQueue, links: Links, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._links = links
        self._clock = clock

    async def take(
        self,
        connection: ConnectionName,
        sightings: Sequence[Sighting],
        *,
        cursor: CursorMove | None = None,
        backfill: LinkName | None = None,
        is_waking: bool = True,
    ) -> frozenset[PairId]:
        """Take sightings in; returns the pairs that they marked. Durable when it returns.

        A link's `backfill` marks the link's pairs for itself and has twins imported for that link
        only. Without `is_waking` the caller wakes them, once it has taken in what belongs
        together. Raises `StoreUnavailable`. A connection that no link uses brings nothing.
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
        if is_waking:
            self.wake(marked)
        return marked

    def wake(self, pair_ids: Iterable[PairId]) -> None:
        """Have marked pairs run soon."""
        for pair_id in sorted(pair_ids):
            self._queue.wake(pair_id)
