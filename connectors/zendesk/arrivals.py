"""The event export alone, from a moment on: it names the comments of tickets that were imported.

For whoever waits for those names and follows no feed. What it proves is what `feed` proves of the
same pages, from its own beginning on.
https://developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api/
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from connectors.http import Answered
from connectors.zendesk import wire
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.feed import Wanted
from connectors.zendesk.mapping import (
    Update,
    feed_update,
    mended_in,
    people_in,
    second_of,
    status_update_of,
)
from connectors.zendesk.people import People
from connectors.zendesk.thread import ThreadReader
from syncd.core.errors import Unintelligible
from syncd.core.model import CommentId, ConnectionName, Sighting, Span, TicketId
from syncd.ports import Changes, Clock

#: Begun so much earlier than asked for: the moment comes from our clock.
_EARLIER_SECONDS = 30
#: Stands for a comment that was made private or redacted; none has such an id.
MENDED = "(mended)"


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    since: int
    next: int


class Arrivals:
    """A walk along one account's event export."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: ZendeskClient,
        people: People,
        threads: ThreadReader,
        statuses: CustomStatuses,
        present: Callable[[], Awaitable[datetime]],
        clock: Clock,
        wanted: Wanted | None,
        withheld_seconds: float,
    ) -> None:
        self._name = name
        self._client = client
        self._people = people
        self._threads = threads
        self._statuses = statuses
        self._present = present
        self._clock = clock
        self._wanted = wanted
        self._withheld_seconds = withheld_seconds

    async def read(
        self, cursor: str | None, *, since: datetime, about: Sequence[TicketId] = ()
    ) -> Changes:
        """One page; without a cursor the first one. Raises what a read may raise.

        The last page says of the tickets in `about`, too, how far it reaches.
        """
        place = await self._begin(since) if cursor is None else self._place(cursor)
        page = await self._client.event_export(start_time=place.next)
        export = page.value
        end = max(place.next, export.end_time or 0)
        if not export.end_of_stream and end == place.next:
            raise Unintelligible(
                "the event export does not move on", connection=self._name, action="read arrivals"
            )
        updates, dropped = await self._updates(export.ticket_events)
        covers = Span(after=place.since - 1, to=max(place.since - 1, self._proven(page, end)))
        quiet = [n for n in about if n not in updates] if export.end_of_stream else []
        return Changes(
            sightings=(
                *await self._sightings(updates, covers),
                *(Sighting(ticket_id=ticket_id, covers=covers) for ticket_id in quiet),
            ),
            cursor=msgspec.json.encode(_Place(since=place.since, next=end)).decode(),
            is_end=export.end_of_stream,
            dropped_count=dropped,
        )

    async def _begin(self, since: datetime) -> _Place:
        """From `since` by the desk's clock, or the newest start that the export accepts."""
        present = await self._present()
        newest = second_of(present) - math.ceil(self._withheld_seconds) - 1
        ahead = present - self._clock.now()
        start = min(second_of(since + ahead) - _EARLIER_SECONDS, newest)
        return _Place(since=start, next=start)

    def _place(self, cursor: str) -> _Place:
        try:
            return msgspec.json.decode(cursor, type=_Place)
        except msgspec.MsgspecError:
            raise Unintelligible(
                "a place that was never given out", connection=self._name, action="read arrivals"
            ) from None

    def _proven(self, page: Answered[wire.EventExport], end: int) -> int:
        if not page.value.end_of_stream or page.date is None:
            return end - 1
        over = second_of(page.date) - math.ceil(page.elapsed_seconds + self._withheld_seconds) - 1
        return max(end - 1, over)

    async def _updates(
        self, raws: Sequence[msgspec.Raw]
    ) -> tuple[dict[TicketId, list[Update]], int]:
        """The page's updates by ticket, and how many rows are in nobody's interest."""
        rows: list[tuple[TicketId, msgspec.Raw]] = []
        for raw in raws:
            try:
                seen = wire.decode(raw, wire.TicketOfEvent)
            except msgspec.MsgspecError:
                continue
            rows.append((TicketId(str(seen.ticket_id)), raw))
        if self._wanted is not None and rows:
            wanted = await self._wanted(list(dict.fromkeys(number for number, _ in rows)))
            rows = [row for row in rows if row[0] in wanted]
        updates: dict[TicketId, list[Update]] = {}
        for ticket_id, raw in rows:
            try:
                update = feed_update(wire.decode(raw, wire.TicketEvent))
            except (ValueError, msgspec.MsgspecError):
                continue
            updates.setdefault(ticket_id, []).append(update)
        return updates, len(raws) - sum(len(ours) for ours in updates.values())

    async def _sightings(
        self, updates: dict[TicketId, list[Update]], covers: Span
    ) -> list[Sighting]:
        await self._people.resolve(people_in([u for ours in updates.values() for u in ours]))
        sightings = []
        for ticket_id, ours in updates.items():
            given = [status_update_of(update, self._statuses.names) for update in ours]
            is_mended = any(mended_in(update) for update in ours)
            shown = Sighting(
                ticket_id=ticket_id,
                comments=await self._threads.comments(ours),
                covers=covers,
                # The event may only name the comment that it mends: the thread tells the rest.
                hinted=(CommentId(MENDED),) if is_mended else (),
                status_update=next((update for update in reversed(given) if update), None),
            )
            sightings.append(shown)
        return sightings
