"""Follow the transactions of the partners' queues with one cursor, a watermark.

Numbers are given before their transactions are committed, so a higher one may show before a lower.
What is younger than the horizon is therefore asked for again, and delivered once; by that a status
and the comment that it came with are seen together, too, wherever a page ends.

What a page proves: the feed has been followed without a gap since `since`, every page stored with
its cursor, so of each ticket everything after `since` was seen up to the page's end; of a ticket
that was made since then, everything.
A poll without news is one request, and so is one that only brings what our own answers told. News
cost two or three more, whatever the number of tickets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from connectors.request_tracker import queries, wire
from connectors.request_tracker.client import (
    ROWS_PER_PAGE,
    TICKETS_PER_REQUEST,
    RequestTrackerClient,
    Rows,
)
from connectors.request_tracker.mapping import (
    AUDIENCES,
    Place,
    hint,
    is_comment,
    is_move,
    to_status_update,
    to_ticket,
    utc,
)
from connectors.request_tracker.people import People
from connectors.request_tracker.queues import Queues
from connectors.request_tracker.settings import Settings
from connectors.request_tracker.thread import ThreadReader
from connectors.request_tracker.told import Told
from syncd.core.model import Audience, Sighting, Span
from syncd.ports import Changes, Clock

#: Longer than any request of RT's takes to commit what it has numbered.
HORIZON = timedelta(seconds=60)
_DOUBT_SECONDS = 600.0
_MOST_HIDDEN_PAGES = 4


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Where the reading goes on."""

    #: From here on the feed was followed without a gap.
    since: int
    #: Everything up to here was delivered, and nothing more can come before it.
    low: int
    #: What was delivered behind it.
    seen: tuple[int, ...] = ()


class Feed:
    """The change feed of one RT."""

    def __init__(
        self,
        *,
        client: RequestTrackerClient,
        settings: Settings,
        people: People,
        queues: Queues,
        threads: ThreadReader,
        told: Told,
        clock: Clock,
    ) -> None:
        self._told = told
        self._clock = clock
        self._next_doubt = clock.monotonic() + _DOUBT_SECONDS
        self._client = client
        self._settings = settings
        self._people = people
        self._queues = queues
        self._threads = threads

    async def read(self, cursor: str | None) -> Changes:
        """The next page; None starts at the present, and so does a cursor of another kind."""
        place = None if cursor is None else _read_cursor(cursor)
        if place is None:
            return await self._begin()
        page = await self._client.changes(self._query(place.low))
        if not page.rows:
            page = await self._behind(page, place)
        following = _following(place, page)
        known = {*place.seen, *(row.number for row in page.rows if row.number in self._told)}
        news = [row for row in page.rows if row.number > place.low and row.number not in known]
        return Changes(
            sightings=await self._sightings(page.rows, news, place),
            cursor=wire.write(following).decode(),
            is_end=not page.is_full,
        )

    def _query(self, after: int) -> str:
        return queries.of_queues(self._settings.followed, after=after)

    async def _behind(self, empty: Rows, place: Cursor) -> Rows:
        """What is behind an empty page: RT leaves out rows that we may not see, and a page of
        nothing else would hide the rest for good. Asked now and then.
        """
        now = self._clock.monotonic()
        if now < self._next_doubt:
            return empty
        self._next_doubt = now + _DOUBT_SECONDS
        for number in range(2, _MOST_HIDDEN_PAGES + 1):
            page = await self._client.changes(self._query(place.low), page=number)
            if page.rows:
                return page
        return empty

    async def _begin(self) -> Changes:
        page = await self._client.history(self._query(0))
        newest = max((row.number for row in page.rows), default=0)
        young = _young(page)
        low = max((n for row in page.rows if (n := row.number) not in young), default=0)
        place = Cursor(since=newest, low=low, seen=tuple(sorted(n for n in young if n > low)))
        return Changes(sightings=(), cursor=wire.write(place).decode(), is_end=True)

    async def _sightings(
        self,
        rows: Sequence[wire.Transaction],
        news: Sequence[wire.Transaction],
        place: Cursor,
    ) -> tuple[Sighting, ...]:
        if not news:
            return ()
        all_of: defaultdict[int, list[wire.Transaction]] = defaultdict(list)
        for row in rows:
            all_of[wire.number(row.ticket_id)].append(row)
        new_of: defaultdict[int, list[wire.Transaction]] = defaultdict(list)
        for row in news:
            new_of[wire.number(row.ticket_id)].append(row)
        tickets = await self._tickets(tuple(new_of))
        moved = await self._moved_since(rows, news)
        top = max(row.number for row in rows)
        bodies = await self._threads.bodies([row.number for row in news if is_comment(row)])
        found: list[Sighting] = []
        for number, its_news in new_of.items():
            ticket = tickets.get(number)
            if ticket is None:
                # Deleted or merged: to be read by itself.
                found += [hint(number, row.number, is_comment=is_comment(row)) for row in its_news]
                continue
            its_rows = all_of[number]
            fields = await self._fields(ticket, its_rows)
            if number in moved or any(is_move(row) for row in its_news):
                # Where it was before, we may not have followed it: read anew from its beginning.
                found.append(replace(fields, is_unreadable=True))
                continue
            queue = Place(names=await self._queues.names(), now=str(ticket.queue.id))
            is_new = its_rows[0].kind == "Create"
            found.append(
                replace(
                    fields,
                    comments=await self._threads.comments(its_rows, its_news, queue, bodies=bodies),
                    covers=Span(after=0 if is_new else place.since, to=max(top, place.since)),
                    status_update=to_status_update(its_rows, await self._threads.actors(its_rows)),
                )
            )
        return tuple(found)

    async def _fields(self, ticket: wire.Ticket, rows: Sequence[wire.Transaction]) -> Sighting:
        shown = to_ticket(
            ticket,
            version=max(row.number for row in rows),
            requester=await self._people.requester(ticket),
            settings=self._settings,
        )
        return Sighting(ticket_id=shown.ticket_id, ticket=shown)

    async def _tickets(self, numbers: Sequence[int]) -> Mapping[int, wire.Ticket]:
        """The tickets' fields, read after their transactions: never older than these say."""
        found: dict[int, wire.Ticket] = {}
        for start in range(0, len(numbers), TICKETS_PER_REQUEST):
            batch = numbers[start : start + TICKETS_PER_REQUEST]
            tickets, _ = await self._client.tickets(queries.tickets(batch))
            found |= {wire.number(ticket.id): ticket for ticket in tickets}
        return found

    async def _moved_since(
        self, rows: Sequence[wire.Transaction], news: Sequence[wire.Transaction]
    ) -> frozenset[int]:
        """Tickets that changed their queue behind this page: whose their private comments are,
        cannot be told from where they are now.
        """
        private = {
            wire.number(row.ticket_id)
            for row in news
            if is_comment(row) and AUDIENCES[row.kind] is not Audience.PUBLIC
        }
        if not private:
            return frozenset()
        last = max(row.number for row in rows)
        moves = await self._client.history(queries.moves(private, after=last))
        return frozenset(wire.number(row.ticket_id) for row in moves.rows)


def _read_cursor(text: str) -> Cursor | None:
    try:
        return wire.read(Cursor, text.encode("utf-8", "replace"))
    except wire.NotAsDocumented:
        return None


def _following(place: Cursor, page: Rows) -> Cursor:
    """The cursor behind a page: it leaves what is young, and moves on in any case when full."""
    young = _young(page)
    numbers = sorted(row.number for row in page.rows)
    old = [number for number in numbers if number not in young]
    low = max(old, default=place.low)
    if page.is_full:
        low = max(low, numbers[ROWS_PER_PAGE // 2])
    seen = {number for number in (*place.seen, *numbers) if number > low}
    return Cursor(since=place.since, low=low, seen=tuple(sorted(seen)))


def _young(page: Rows) -> frozenset[int]:
    """The transactions before which another one may still appear, by RT's own clock."""
    if page.date is None:
        return frozenset(row.number for row in page.rows)
    begins: datetime = page.date - HORIZON
    found: set[int] = set()
    for row in sorted(page.rows, key=lambda one: one.number):
        if found or utc(row.created) > begins:
            found.add(row.number)
    return frozenset(found)
