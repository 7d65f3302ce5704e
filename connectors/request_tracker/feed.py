"""Follow the transactions of the partners' queues with one cursor, a watermark.

What is young is asked for again, and delivered once; by that a status and the comment that it came
with are seen together, too, although they are two transactions.

What a page proves: the feed has been followed without a gap since `since`, every page stored with
its cursor, so of each ticket everything after `since` was seen up to the page's end; of a ticket
that was made since then, everything.
A poll without news is one request, and so is one that only brings what our own answers told. News
cost two or three more, whatever the number of tickets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.request_tracker import queries, wire
from connectors.request_tracker.bodies import Body
from connectors.request_tracker.client import (
    TICKETS_PER_REQUEST,
    RequestTrackerClient,
    Rows,
)
from connectors.request_tracker.cursor import (
    Cursor,
    Seen,
    following,
    news,
    present,
    read_cursor,
    write_cursor,
)
from connectors.request_tracker.mapping import (
    AUDIENCES,
    first_unplaced,
    hint,
    is_comment,
    is_move,
    to_status_update,
    to_ticket,
    utc,
    views_then,
)
from connectors.request_tracker.people import People
from connectors.request_tracker.settings import Settings
from connectors.request_tracker.thread import ThreadReader
from connectors.request_tracker.told import Told
from syncd.core.errors import Unintelligible
from syncd.core.model import Audience, Sighting, Span
from syncd.ports import Changes, Clock

_DOUBT_SECONDS = 600.0
_MOST_HIDDEN_PAGES = 4


class Feed:
    """The change feed of one RT."""

    def __init__(
        self,
        *,
        client: RequestTrackerClient,
        settings: Settings,
        people: People,
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
        self._threads = threads

    async def read(self, cursor: str | None) -> Changes:
        """The next page; None starts at the present, and so does a cursor of another kind."""
        place = None if cursor is None else read_cursor(cursor)
        if place is None:
            newest = await self._client.history(self._query(0))
            return Changes(sightings=(), cursor=write_cursor(present(_seen(newest))), is_end=True)
        page = await self._client.changes(self._query(place.low), page=place.page)
        if not page.rows and place.page == 1:
            page = await self._behind(page, place)
        shown = _seen(page)
        fresh = news(place, shown)
        untold = [row for row in page.rows if row.number in fresh and row.number not in self._told]
        return Changes(
            sightings=await self._sightings(page.rows, untold, place),
            cursor=write_cursor(following(place, shown)),
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
                # There may be more of them.
                self._next_doubt = now
                return page
        return empty

    async def _sightings(
        self,
        rows: Sequence[wire.Transaction],
        untold: Sequence[wire.Transaction],
        place: Cursor,
    ) -> tuple[Sighting, ...]:
        if not untold:
            return ()
        all_of: defaultdict[int, list[wire.Transaction]] = defaultdict(list)
        for row in rows:
            all_of[wire.number(row.ticket_id)].append(row)
        new_of: defaultdict[int, list[wire.Transaction]] = defaultdict(list)
        for row in untold:
            new_of[wire.number(row.ticket_id)].append(row)
        tickets = await self._tickets(tuple(new_of))
        moves = await self._moves(untold)
        top = max(row.number for row in rows)
        bodies = await self._bodies(untold)
        found: list[Sighting] = []
        for number, its_news in new_of.items():
            ticket = tickets.get(number)
            if ticket is None:
                # Deleted or merged: to be read by itself.
                found += [hint(number, row.number, is_comment=is_comment(row)) for row in its_news]
                continue
            its_rows = all_of[number]
            fields = await self._fields(ticket, its_rows)
            is_silent = bodies is None and any(is_comment(row) for row in its_news)
            where = await self._threads.place(ticket, begin=moves.begin)
            view = views_then((*moves.of(number), *its_rows), where)
            is_moved = any(row.number > top for row in moves.of(number))
            is_open = is_silent or is_moved or any(_is_doubtful(row) for row in its_news)
            if is_open or first_unplaced(its_news, view) is not None:
                # Where it was before, we may not have followed it: read anew from its beginning.
                found.append(replace(fields, is_unreadable=True))
                continue
            is_new = its_rows[0].kind == "Create"
            found.append(
                replace(
                    fields,
                    comments=await self._threads.comments(its_news, view, bodies=bodies or {}),
                    covers=Span(after=0 if is_new else place.since, to=max(top, place.since)),
                    status_update=to_status_update(its_rows, await self._threads.actors(its_rows)),
                )
            )
        return tuple(found)

    async def _bodies(self, rows: Sequence[wire.Transaction]) -> Mapping[int, Body] | None:
        """The comments' texts; None where one cannot be read, and its pair has to say so."""
        try:
            return await self._threads.bodies([row.number for row in rows if is_comment(row)])
        except Unintelligible:
            return None

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
            tickets = (await self._client.tickets(queries.tickets(batch))).tickets
            found |= {wire.number(ticket.id): ticket for ticket in tickets}
        return found

    async def _moves(self, untold: Sequence[wire.Transaction]) -> _Moves:
        """How the tickets with private comments moved: whose these are, cannot be told from where
        the tickets are now.
        """
        private = {
            wire.number(row.ticket_id)
            for row in untold
            if is_comment(row) and AUDIENCES[row.kind] is not Audience.PUBLIC
        }
        if not private:
            return _Moves(rows=(), begin=0)
        page = await self._client.history(queries.moves(private, after=0))
        rows = tuple(reversed(page.rows))
        return _Moves(rows=rows, begin=rows[0].number if page.is_full else 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Moves:
    """Moves from queue to queue, the oldest first; all of them since `begin`."""

    rows: tuple[wire.Transaction, ...]
    begin: int

    def of(self, ticket: int) -> tuple[wire.Transaction, ...]:
        return tuple(row for row in self.rows if wire.number(row.ticket_id) == ticket)


def _is_doubtful(row: wire.Transaction) -> bool:
    return is_move(row) or row.kind == wire.UNREADABLE


def _seen(page: Rows) -> Seen:
    made = {row.number: utc(row.created) for row in page.rows}
    return Seen(made=made, date=page.date, is_full=page.is_full)
