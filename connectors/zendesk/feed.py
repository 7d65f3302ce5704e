"""Follow an account's two exports with one cursor: tickets for the fields, events for the comments.

A walk reads the ticket export to its end, then the events. The event export is by time and repeats
its boundary second, so the cursor remembers which events of that second were delivered.

What the events prove. The feed has been followed without a gap since `since`, every page stored
with its cursor, so all comments after `since` were seen up to
- the second before a page's `end_time`: the boundary second may go on with the next page;
- at the end of the stream, also up to the last second that was wholly over when the withheld minute
  began, measured on the desk's clock and counted from when the request left.
`start_time` itself follows `end_time` alone, and at the end of the stream never beyond what was
shown: should the desk withhold for longer than it says, the proof would be wrong for a while, and
still no comment lost.

A row that cannot be understood must not stop the feed for everybody: its ticket is told to be
unreadable, and read anew as a whole by its own pair.
https://developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api/
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from connectors.http import Answered
from connectors.zendesk import kin, wire
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.mapping import (
    Update,
    feed_update,
    mended_in,
    merged_into,
    people_in,
    second_of,
    status_update_of,
    to_ticket,
    to_time,
)
from connectors.zendesk.open_tickets import PREFIX
from connectors.zendesk.people import People
from connectors.zendesk.thread import ThreadReader
from syncd.core.errors import Unintelligible
from syncd.core.model import CommentId, ConnectionName, Sighting, Span, TicketId
from syncd.log import logger
from syncd.ports import Changes, Clock

#: Says which tickets are in anybody's interest; the others are dropped while decoding.
Wanted = Callable[[Sequence[TicketId]], Awaitable[Collection[TicketId]]]

WITHHELD_SECONDS = 60.0
#: How exports refuse a cursor or a start time.
_REFUSED = frozenset({400, 422})
#: Events of one second beyond this are delivered again rather than remembered.
_MOST_REMEMBERED = 500


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk goes on."""

    version: int = 1
    #: From this second on the events were followed without a gap.
    since: int
    #: The ticket export's own cursor; None before its first page.
    tickets: str | None = None
    #: The newest `generated_timestamp` shown there. Should the desk know its cursor no more, the
    #: export begins again with that second; `updated_at` may be older by weeks.
    generated: int | None = None
    #: The next start time of the event export.
    events: int
    #: Events of that very second which were delivered.
    seen: tuple[str, ...] = ()
    #: Those of its rows that could not be understood, by what they look like: told once.
    told: tuple[str, ...] = ()
    #: Whether the walk has reached the end of the tickets.
    is_past_tickets: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    ticket_id: TicketId
    raw: msgspec.Raw
    #: The ticket in somebody's interest from which this one, in nobody's, goes on.
    follows: TicketId | None = None


@dataclass(kw_only=True, slots=True)
class _Tally:
    """How many rows of a page brought nothing."""

    unwanted: int = 0
    unreadable: int = 0
    #: Those that do not even tell their ticket, by their likeness.
    nameless: list[str] = field(default_factory=list)


class Feed:
    """The change feed of one account."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: ZendeskClient,
        people: People,
        threads: ThreadReader,
        statuses: CustomStatuses,
        clock: Clock,
        base_url: str,
        wanted: Wanted | None,
        withheld_seconds: float = WITHHELD_SECONDS,
    ) -> None:
        self._name = name
        self._client = client
        self._people = people
        self._threads = threads
        self._statuses = statuses
        self._clock = clock
        self._base_url = base_url
        self._wanted = wanted
        self._withheld_seconds = withheld_seconds

    async def read(self, cursor: str | None) -> Changes:
        """One page of one of the exports; None starts at the desk's present."""
        # Where our own tickets were looked at before, the exports begin at the present.
        if cursor is None or cursor.startswith(PREFIX):
            place = await self._present()
        else:
            place = self._place(cursor)
        return await (self._events(place) if place.is_past_tickets else self._tickets(place))

    async def _present(self) -> Place:
        """The newest start that the exports accept, by the desk's clock and not by ours."""
        me = await self._client.me()
        second = second_of(me.date or self._clock.now()) - math.ceil(self._withheld_seconds) - 1
        return Place(since=second, events=second)

    def _place(self, cursor: str) -> Place:
        try:
            place = msgspec.json.decode(cursor, type=Place)
        except msgspec.MsgspecError:
            place = None
        if place is None or place.version != 1:
            raise Unintelligible(
                "the stored cursor was written by another version of syncd",
                connection=self._name,
                action="read feed",
            )
        return place

    # --- tickets ---------------------------------------------------------------------------------

    async def _tickets(self, place: Place) -> Changes:
        page = await self._ticket_page(place)
        export = page.value
        after = export.after_cursor or place.tickets
        if not export.end_of_stream and after == place.tickets:
            raise self._stuck("ticket")
        rows, tally = await self._wanted_rows(export.tickets, wire.TicketOfRow)
        sightings = []
        for row in rows:
            try:
                sightings.append(self._ticket(row, page))
            except (ValueError, msgspec.MsgspecError):
                tally.unreadable += 1
                sightings.append(Sighting(ticket_id=row.ticket_id, is_unreadable=True))
        moved = _replace(
            place,
            tickets=after,
            generated=_newest_generated(export.tickets, place.generated),
            is_past_tickets=export.end_of_stream,
        )
        return _changes(sightings, moved, is_end=False, tally=tally)

    async def _ticket_page(self, place: Place) -> Answered[wire.TicketExport]:
        try:
            return await self._client.ticket_export(cursor=place.tickets, start_time=place.since)
        except Unintelligible as error:
            if place.tickets is None or error.status not in _REFUSED:
                raise
        logger().warning("feed.restarted", connection=self._name)
        start_time = place.since if place.generated is None else place.generated
        return await self._client.ticket_export(cursor=None, start_time=start_time)

    def _ticket(self, row: _Row, page: Answered[wire.TicketExport]) -> Sighting:
        if row.follows is not None:
            return Sighting(ticket_id=row.follows, follow_ups=(row.ticket_id,))
        shown = wire.decode(row.raw, wire.Ticket)
        names = self._statuses.names
        if not names.is_told(shown.status.lower(), shown.custom_status_id):
            moved_at = second_of(to_time(shown.updated_at))
            return Sighting(ticket_id=row.ticket_id, moved_at=moved_at)
        people = self._people.known([str(shown.requester_id)])
        ticket = to_ticket(
            shown, seen_at=page.date, people=people, base_url=self._base_url, names=names
        )
        return Sighting(ticket_id=row.ticket_id, ticket=ticket)

    # --- events ----------------------------------------------------------------------------------

    async def _events(self, place: Place) -> Changes:
        page = await self._event_page(place)
        if page is None:
            moved = _replace(place, is_past_tickets=False)
            return _changes((), moved, is_end=True, tally=_Tally())
        export = page.value
        end = _next_start(place, export)
        if not export.end_of_stream and end == place.events:
            raise self._stuck("event")
        rows, tally = await self._wanted_rows(
            export.ticket_events, wire.TicketOfEvent, told=place.told
        )
        updates: dict[TicketId, list[Update]] = {}
        broken: dict[str, TicketId] = {}
        for row in rows:
            try:
                update = feed_update(wire.decode(row.raw, wire.TicketEvent))
            except (ValueError, msgspec.MsgspecError):
                broken[_likeness(row.raw)] = row.ticket_id
                continue
            if str(update.audit.id) not in place.seen:
                updates.setdefault(row.ticket_id, []).append(update)
        covers = Span(after=place.since - 1, to=max(place.since - 1, self._proven(page, end)))
        new = {look: ticket_id for look, ticket_id in broken.items() if look not in place.told}
        tally.unreadable += len(new)
        sightings = await self._sightings(updates, covers, frozenset(new.values()))
        moved = _replace(
            place,
            events=end,
            # Before its second is proven, an event comes again, and then with the proof.
            seen=_boundary(export.ticket_events, place, end) if end <= covers.to else (),
            # Which second such a row is of, it may not tell: it comes again with any page.
            told=tuple(sorted([*broken, *tally.nameless])[:_MOST_REMEMBERED]),
            is_past_tickets=not export.end_of_stream,
        )
        return _changes(sightings, moved, is_end=export.end_of_stream, tally=tally)

    async def _event_page(self, place: Place) -> Answered[wire.EventExport] | None:
        """None where the place is still within the minute that may not be asked for."""
        try:
            return await self._client.event_export(start_time=place.events)
        except Unintelligible as error:
            if error.status not in _REFUSED:
                raise
            now = (await self._client.me()).date
            if now is None or second_of(now) - place.events > self._withheld_seconds + 1:
                raise
            return None

    def _proven(self, page: Answered[wire.EventExport], end: int) -> int:
        if not page.value.end_of_stream or page.date is None:
            return end - 1
        over = second_of(page.date) - math.ceil(page.elapsed_seconds + self._withheld_seconds) - 1
        return max(end - 1, over)

    async def _sightings(
        self,
        updates: Mapping[TicketId, Sequence[Update]],
        covers: Span,
        unreadable: Collection[TicketId],
    ) -> list[Sighting]:
        everything = [update for ours in updates.values() for update in ours]
        await self._people.resolve(people_in(everything))
        sightings: list[Sighting] = []
        for ticket_id, ours in updates.items():
            given = [status_update_of(update, self._statuses.names) for update in ours]
            shown = Sighting(
                ticket_id=ticket_id,
                comments=await self._threads.comments(ours),
                covers=None if ticket_id in unreadable else covers,
                status_update=next((update for update in reversed(given) if update), None),
                merged_into=merged_into(ours),
            )
            sightings.append(shown)
            mended = frozenset[CommentId]().union(*(mended_in(update) for update in ours))
            if mended - {comment.comment_id for comment in shown.comments}:
                # The event only names the comment. Its audience matters too much for a hint.
                sightings += await self._mended(ticket_id, ours, mended)
        sightings += [Sighting(ticket_id=each, is_unreadable=True) for each in unreadable]
        return sightings

    async def _mended(
        self, ticket_id: TicketId, ours: Sequence[Update], mended: Collection[CommentId]
    ) -> list[Sighting]:
        since = min(update.second for update in ours)
        try:
            sighting = await self._threads.sighting(
                ticket_id, since=since, holding=[number for number in mended if number]
            )
        except Unintelligible:
            sighting = Sighting(ticket_id=ticket_id, is_unreadable=True)
        return [] if sighting is None else [sighting]

    # --- rows ------------------------------------------------------------------------------------

    async def _wanted_rows(
        self,
        raws: Sequence[msgspec.Raw],
        kind: type[wire.TicketOfRow | wire.TicketOfEvent],
        *,
        told: Sequence[str] = (),
    ) -> tuple[list[_Row], _Tally]:
        """The rows worth reading, and how many are not; the first look at a row is its id alone."""
        rows: list[_Row] = []
        nameless: list[str] = []
        for raw in raws:
            try:
                seen = wire.decode(raw, kind)
            except msgspec.MsgspecError:
                nameless.append(_likeness(raw))
                continue
            rows.append(_row(seen, raw))
        rows = await self._wanted_of(rows)
        unwanted = len(raws) - len(rows) - len(nameless)
        unreadable = sum(look not in told for look in nameless)
        return rows, _Tally(unwanted=unwanted, unreadable=unreadable, nameless=nameless)

    async def _wanted_of(self, rows: Sequence[_Row]) -> list[_Row]:
        if self._wanted is None or not rows:
            return [replace(row, follows=None) for row in rows]
        asked = [row.ticket_id for row in rows] + [row.follows for row in rows if row.follows]
        wanted = await self._wanted(list(dict.fromkeys(asked)))
        ours = [replace(row, follows=None) for row in rows if row.ticket_id in wanted]
        kin_of_ours = [row for row in rows if row.ticket_id not in wanted and row.follows in wanted]
        return ours + kin_of_ours

    def _stuck(self, which: str) -> Unintelligible:
        return Unintelligible(
            f"the {which} export does not move on", connection=self._name, action="read feed"
        )


class _Boundary(msgspec.Struct, kw_only=True):
    id: wire.Id
    timestamp: int | None = None


def _likeness(raw: msgspec.Raw) -> str:
    """What tells one row from others where its id may be what is broken."""
    return hashlib.sha256(bytes(raw)).hexdigest()[:16]


class _Generated(msgspec.Struct, kw_only=True):
    generated_timestamp: int = 0


def _newest_generated(raws: Sequence[msgspec.Raw], known: int | None) -> int | None:
    """The export is in the order of `generated_timestamp`: the last row that tells it is newest."""
    for raw in reversed(raws):
        try:
            return max(wire.decode(raw, _Generated).generated_timestamp, known or 0) or None
        except msgspec.MsgspecError:
            continue
    return known


def _next_start(place: Place, export: wire.EventExport) -> int:
    """Where the next page begins: as the desk says, and never behind what it may still show.

    A desk that named its present as the end of an unfinished minute would lead past that minute.
    """
    told = export.end_time or 0
    if export.end_of_stream:
        told = min(told, _newest_second(export.ticket_events, place.events) + 1)
    return max(place.events, told)


def _newest_second(raws: Sequence[msgspec.Raw], begun: int) -> int:
    for raw in reversed(raws):
        try:
            event = wire.decode(raw, _Boundary)
        except msgspec.MsgspecError:
            continue
        if event.timestamp is not None:
            return event.timestamp
    return begun - 1


def _boundary(raws: Sequence[msgspec.Raw], place: Place, end: int) -> tuple[str, ...]:
    """The events of the second with which the next page begins."""
    seen = dict.fromkeys(place.seen if end == place.events else ())
    for raw in reversed(raws):
        try:
            event = wire.decode(raw, _Boundary)
        except msgspec.MsgspecError:
            continue
        if event.timestamp != end or len(seen) >= _MOST_REMEMBERED:
            break
        seen[str(event.id)] = None
    return tuple(sorted(seen))


def _row(seen: wire.TicketOfRow | wire.TicketOfEvent, raw: msgspec.Raw) -> _Row:
    if isinstance(seen, wire.TicketOfEvent):
        return _Row(ticket_id=TicketId(str(seen.ticket_id)), raw=raw)
    source = kin.followed(seen.via)
    follows = None if source is None else TicketId(source)
    return _Row(ticket_id=TicketId(str(seen.id)), raw=raw, follows=follows)


def _replace(place: Place, **changes: object) -> Place:
    return msgspec.structs.replace(place, **changes)


def _changes(
    sightings: Sequence[Sighting], place: Place, *, is_end: bool, tally: _Tally
) -> Changes:
    return Changes(
        sightings=tuple(sightings),
        cursor=msgspec.json.encode(place).decode(),
        is_end=is_end,
        dropped_count=tally.unwanted + tally.unreadable,
        unreadable_count=tally.unreadable,
    )
