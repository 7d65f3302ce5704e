"""Many tickets in few requests: those that somebody asks for, and those of a partner's queue.

A listing does not tell what a ticket's newest transaction is. A second request asks for the
transactions since each one's last update; tickets that it leaves open are read one by one.
Fields are never taken for newer than they are: too little costs a read, too much a change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.request_tracker import queries, wire
from connectors.request_tracker.client import (
    TICKETS_PER_REQUEST,
    RequestTrackerClient,
    Shown,
)
from connectors.request_tracker.mapping import hint, is_number, utc
from connectors.request_tracker.thread import ThreadReader
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName, Sighting, TicketId
from syncd.ports import ViewPage

_MOST_PAGES = 3
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


class Listing:
    """The tickets of one RT, many at a time."""

    def __init__(
        self, name: ConnectionName, client: RequestTrackerClient, threads: ThreadReader
    ) -> None:
        self._name = name
        self._client = client
        self._threads = threads

    async def many(self, ticket_ids: Sequence[TicketId]) -> Sequence[Sighting]:
        """The fields of tickets; what a listing leaves out is gone, deleted or merged."""
        found: list[Sighting] = []
        distinct = list(dict.fromkeys(ticket_ids))
        for start in range(0, len(distinct), TICKETS_PER_REQUEST):
            batch = distinct[start : start + TICKETS_PER_REQUEST]
            numbers = [int(ticket_id) for ticket_id in batch if is_number(ticket_id)]
            if not numbers:
                continue
            tickets = (await self._client.tickets(queries.tickets(numbers))).tickets
            found += await self._sightings(tickets, missing=_missing(numbers, tickets))
        return found

    async def view(
        self, queue: str, *, since: datetime | None, cursor: str | None
    ) -> AsyncIterator[ViewPage]:
        """The tickets in a queue now, oldest first.

        `since` leaves out those that nobody has touched since then.
        """
        after = int(cursor) if cursor is not None and is_number(cursor) else 0
        while True:
            page = await self._client.tickets(queries.in_queue(queue, after=after))
            numbers = (*(wire.number(ticket.id) for ticket in page.tickets), *page.unreadable)
            is_end = page.count < TICKETS_PER_REQUEST
            if not is_end and max(numbers, default=0) <= after:
                raise Unintelligible(
                    "page after page says the same", connection=self._name, action="list tickets"
                )
            after = max(numbers, default=after)
            wanted = [t for t in page.tickets if since is None or utc(t.updated) >= since]
            unreadable = (Sighting(ticket_id=_id(n), is_unreadable=True) for n in page.unreadable)
            yield ViewPage(
                sightings=(*await self._sightings(wanted), *unreadable),
                cursor=str(after),
                is_end=is_end,
                total=page.total,
            )
            if is_end:
                return

    async def _sightings(
        self, tickets: Sequence[wire.Ticket], *, missing: Sequence[int] = ()
    ) -> list[Sighting]:
        newest = await self._newest(tickets, missing)
        found: list[Sighting] = []
        for ticket in tickets:
            number = wire.number(ticket.id)
            rows = newest.get(number, ())
            shown = Shown(ticket=ticket, version=_floor(ticket, rows)) if rows else None
            if shown is None:
                shown = await self._threads.settled(str(number))
            if shown is not None:
                found.append(await self._threads.sighting(TicketId(str(number)), shown))
        # Deleted ones still show their transactions, and are then read by themselves.
        found += [
            hint(number, max(row.number for row in newest[number]), is_comment=False)
            for number in missing
            if number in newest
        ]
        return found

    async def _newest(
        self, tickets: Sequence[wire.Ticket], missing: Sequence[int]
    ) -> Mapping[int, Sequence[wire.Transaction]]:
        """The transactions since each ticket's last update, as far as a few pages tell.

        RT reads the time in the zone of the token's user: west of Greenwich nothing is found.
        """
        clauses = []
        if tickets:
            clauses.append(queries.newest((wire.number(t.id), _asked(t)) for t in tickets))
        if missing:
            clauses.append(queries.deletions(missing))
        found: defaultdict[int, list[wire.Transaction]] = defaultdict(list)
        if not clauses:
            return found
        query = f"ObjectType = 'RT::Ticket' AND {queries.any_of(clauses)}"
        wanted = {wire.number(ticket.id) for ticket in tickets}
        for page in range(1, _MOST_PAGES + 1):
            part = await self._client.history(query, page=page)
            for row in part.rows:
                found[wire.number(row.ticket_id)].append(row)
            if not part.is_full or wanted <= found.keys():
                break
        return found


def _id(number: int) -> TicketId:
    return TicketId(str(number))


def _asked(ticket: wire.Ticket) -> str:
    # A transaction may be a second older than the update that it is part of.
    updated = max(utc(ticket.updated), _EARLIEST) - timedelta(seconds=2)
    return f"{updated:%Y-%m-%d %H:%M:%S}"


def _floor(ticket: wire.Ticket, rows: Sequence[wire.Transaction]) -> int:
    """The transaction that the fields certainly include; of one second nobody knows the later."""
    within = [row.number for row in rows if row.created >= ticket.updated]
    return min(within) if within else max(row.number for row in rows)


def _missing(numbers: Sequence[int], tickets: Sequence[wire.Ticket]) -> list[int]:
    shown = {wire.number(ticket.id) for ticket in tickets}
    return [number for number in numbers if number not in shown]
