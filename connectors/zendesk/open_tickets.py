"""Follow an account without its exports: look at the tickets of our own pairs, again and again.

One request shows a hundred tickets and needs no more than an agent's rights. Each look takes the
next hundred, so that what it costs does not grow with their number, and a round takes a look for
each hundred. A row tells the fields and when they changed; where the mirror's comments do not reach
as far, the pair reads the thread.
https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#show-multiple-tickets
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from connectors.http import Answered
from connectors.zendesk import wire
from connectors.zendesk.client import IDS_PER_REQUEST, ZendeskClient
from connectors.zendesk.mapping import second_of
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName, Sighting, TicketId
from syncd.ports import Changes

#: The next tickets, at most so many, behind one in the order of their ids; "" is before all.
OpenTickets = Callable[[TicketId, int], Awaitable[Sequence[TicketId]]]
#: The fields that a row shows at a moment of the desk's clock. Raises ValueError.
Shown = Callable[[wire.Ticket, datetime | None], Sighting]

PREFIX = "sweep:"
_START = TicketId("")
#: Rows beyond this are shown again although nothing changed.
_MOST_REMEMBERED = 100_000


@dataclass(kw_only=True, slots=True)
class _Told:
    """Which rows the mirror has, so that a look that shows nothing new brings nothing."""

    stored: dict[TicketId, str] = field(default_factory=dict)
    pending: dict[TicketId, str] = field(default_factory=dict)
    #: The cursor with which the pending ones are stored.
    cursor: str = ""

    def begin(self, cursor: str) -> None:
        """Whoever comes back with a page's cursor has stored the page."""
        if cursor == self.cursor:
            self.stored |= self.pending
        if len(self.stored) > _MOST_REMEMBERED:
            self.stored = {}
        self.pending = {}

    def is_news(self, ticket_id: TicketId, likeness: str) -> bool:
        self.pending[ticket_id] = likeness
        return self.stored.get(ticket_id) != likeness


class OpenTicketFeed:
    """The change feed of one account, made of looks at our own tickets."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: ZendeskClient,
        tickets: OpenTickets | None,
        shown: Shown,
    ) -> None:
        """Without `tickets` nobody holds any."""
        self._name = name
        self._client = client
        self._tickets = tickets or _none
        self._shown = shown
        self._told = _Told()

    async def read(self, cursor: str | None) -> Changes:
        """The next hundred tickets; None, or the cursor of an export, only begins."""
        if cursor is None or not cursor.startswith(PREFIX):
            return _changes((), number=0, after=_START)
        self._told.begin(cursor)
        number, after = _place(cursor)
        ids = await self._tickets(after, IDS_PER_REQUEST)
        if not ids and after:
            ids = await self._tickets(_START, IDS_PER_REQUEST)
        if not ids:
            return _changes((), number=number + 1, after=_START)
        page = await self._page(ids)
        rows = list(self._rows(page.value.tickets, page.date))
        missing = await self._missing(ids, {row.ticket_id for row in rows}, page)
        changes = _changes(
            [*(row.sighting for row in rows if row.is_news), *missing],
            number=number + 1,
            after=ids[-1] if len(ids) == IDS_PER_REQUEST else _START,
            unreadable=sum(row.is_news and row.sighting.is_unreadable for row in rows),
        )
        self._told.cursor = changes.cursor
        return changes

    async def _page(self, ids: Sequence[TicketId]) -> Answered[wire.TicketRows]:
        return await self._client.tickets([number for number in ids if number.isdecimal()])

    def _rows(self, raws: Sequence[msgspec.Raw], seen_at: datetime | None) -> Iterator[_Row]:
        for raw in raws:
            try:
                ticket_id = TicketId(str(wire.decode(raw, wire.TicketOfRow).id))
            except msgspec.MsgspecError:
                # It counts as missing, and is asked for by itself.
                continue
            try:
                sighting = self._shown(wire.decode(raw, wire.Ticket), seen_at)
            except (ValueError, msgspec.MsgspecError):
                sighting = Sighting(ticket_id=ticket_id, is_unreadable=True)
            if sighting.ticket is not None:
                sighting = replace(sighting, moved_at=sighting.ticket.fields_as_of)
            yield _Row(
                ticket_id=ticket_id,
                sighting=sighting,
                is_news=self._told.is_news(ticket_id, _likeness(sighting)),
            )

    async def _missing(
        self,
        ids: Sequence[TicketId],
        shown: Collection[TicketId],
        page: Answered[wire.TicketRows],
    ) -> list[Sighting]:
        """Tickets that the answer leaves out: deleted, or out of our sight; their pairs ask."""
        missing = [ticket_id for ticket_id in ids if ticket_id not in shown]
        if len(missing) == len(ids) > 1 and await self._client.ticket(missing[0]) is not None:
            # Nobody deletes everything at once: the answer is wrong, and not the tickets.
            raise Unintelligible(
                "the listing leaves out tickets that are there",
                connection=self._name,
                action="read tickets",
            )
        if page.date is None:
            return []
        now = second_of(page.date)
        return [
            Sighting(ticket_id=ticket_id, moved_at=now)
            for ticket_id in missing
            if self._told.is_news(ticket_id, "missing")
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    ticket_id: TicketId
    sighting: Sighting
    is_news: bool


async def _none(_after: TicketId, _most: int) -> Sequence[TicketId]:
    return ()


def _likeness(sighting: Sighting) -> str:
    ticket = sighting.ticket
    if ticket is None:
        return "unreadable"
    told = [ticket.precondition, ticket.status, ticket.subject, ticket.end, *sorted(ticket.tags)]
    is_sure = [str(ticket.is_confirmed)]
    return hashlib.sha256("\x00".join(told + is_sure).encode("utf-8", "replace")).hexdigest()[:16]


def _place(cursor: str) -> tuple[int, TicketId]:
    number, _, after = cursor.removeprefix(PREFIX).partition(":")
    return int(number) if number.isdecimal() else 0, TicketId(after)


def _changes(
    sightings: Sequence[Sighting], *, number: int, after: TicketId, unreadable: int = 0
) -> Changes:
    # The number of the look moves the cursor, so that it shows when the feed was last read.
    return Changes(
        sightings=tuple(sightings),
        cursor=f"{PREFIX}{number}:{after}",
        is_end=True,
        dropped_count=0,
        unreadable_count=unreadable,
    )
