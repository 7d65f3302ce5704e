"""Read one ticket: its fields, and what was said and done on it since a transaction.

RT reads a ticket's fields before it looks which transaction is the newest, and names that one as
their ETag. So transactions are read first, and the ticket again until its ETag is one of those: the
fields are never taken for newer than they are. What is read goes back a little behind the place
that was asked for: a status and the comment that it came with may lie on both sides of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.request_tracker import queries, wire
from connectors.request_tracker.bodies import (
    Body,
    by_transaction,
    may_have_files,
    to_files,
    to_html,
)
from connectors.request_tracker.client import RequestTrackerClient, Shown
from connectors.request_tracker.mapping import (
    STATUS,
    Place,
    is_comment,
    to_comment,
    to_status_update,
    to_ticket,
    views_then,
)
from connectors.request_tracker.people import People
from connectors.request_tracker.queues import Queues
from connectors.request_tracker.settings import Settings
from syncd.core.errors import Unauthorised
from syncd.core.model import Comment, ConnectionName, Person, Sighting, Span, TicketId

#: Enough for what one request does, the mails that it sends included.
_NEWS_PER_PAGE = 30
#: A ticket is rarely changed twice while it is read.
_MOST_READS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """The transactions of a ticket after one, and some before it; the oldest first."""

    after: int
    rows: tuple[wire.Transaction, ...]

    @property
    def top(self) -> int:
        """Up to here all of them are known."""
        return max((row.number for row in self.rows), default=self.after)

    @property
    def news(self) -> tuple[wire.Transaction, ...]:
        """Those after the place that was asked for."""
        return tuple(row for row in self.rows if row.number > self.after)


class ThreadReader:
    """The tickets of one RT, one at a time."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: RequestTrackerClient,
        settings: Settings,
        people: People,
        queues: Queues,
    ) -> None:
        self._name = name
        self._client = client
        self._settings = settings
        self._people = people
        self._queues = queues

    async def shown(self, ticket_id: str) -> Shown | None:
        """The ticket as it is now; None where it is not, or is out of our sight.

        Raises `Unauthorised` where nothing is in our sight any more.
        """
        shown = await self._client.ticket(ticket_id)
        if shown is None and not await self._queues.look():
            # Moved to where we may not look, a ticket is gone; but not if all of them are.
            raise Unauthorised(
                "no queue can be seen",
                connection=self._name,
                action="read ticket",
                hint="Give syncd's user the rights that `syncd doctor` names.",
            )
        return shown

    async def settled(self, ticket_id: str, *, known: int = 0) -> Shown | None:
        """The ticket with fields that surely include what its version names; None as `shown`.

        `known` is a transaction that RT had before. Of a ticket that keeps moving less is claimed.
        """
        shown = await self.shown(ticket_id)
        for _ in range(_MOST_READS - 1):
            if shown is None or shown.version <= known:
                return shown
            known = shown.version
            shown = await self.shown(ticket_id)
        if shown is None or shown.version <= known:
            return shown
        return Shown(ticket=shown.ticket, version=known)

    async def fields(self, ticket_id: TicketId) -> Sighting | None:
        """The fields alone: two requests."""
        shown = await self.settled(ticket_id)
        return None if shown is None else await self.sighting(ticket_id, shown)

    async def whole(self, ticket_id: TicketId, *, after: int) -> Sighting | None:
        """Fields and comments: three requests, and one more where there are files.

        RT is slow to answer, so texts are asked for while the fields are on their way.
        """
        since = await self.since(ticket_id, after=after)
        said = [row.number for row in since.news if is_comment(row)]
        reading = asyncio.ensure_future(self.bodies(said))
        try:
            shown = await self.settled(ticket_id, known=since.top)
            if shown is None:
                return None
            if shown.version > since.top:
                since = await self.since(ticket_id, after=after)
            bodies = await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        known = {number: bodies.get(number) for number in said}
        return await self.sighting(ticket_id, shown, since, bodies=known)

    async def since(self, ticket_id: str, *, after: int) -> Since:
        """What happened on the ticket after a transaction."""
        query = queries.of_ticket(wire.number(ticket_id))
        per_page = _NEWS_PER_PAGE if after else None
        found: dict[int, wire.Transaction] = {}
        page = 0
        while True:
            page += 1
            part = await (
                self._client.history(query, page=page)
                if per_page is None
                else self._client.history(query, page=page, per_page=per_page)
            )
            found |= {row.number: row for row in part.rows}
            # What comes meanwhile moves rows from page to page, and none is lost by that.
            if not part.is_full or min(found, default=0) <= after:
                rows = tuple(found[number] for number in sorted(found))
                return Since(after=after, rows=rows)

    async def sighting(
        self,
        ticket_id: TicketId,
        shown: Shown,
        since: Since | None = None,
        *,
        bodies: Mapping[int, Body | None] | None = None,
    ) -> Sighting:
        """What all of it proves together.

        `bodies` are those that need not be read; None for a comment without a word.
        """
        ticket = to_ticket(
            shown.ticket,
            version=shown.version,
            requester=await self._people.requester(shown.ticket),
            settings=self._settings,
            ticket_id=ticket_id,
        )
        if since is None:
            return Sighting(ticket_id=ticket_id, ticket=ticket, is_read=True)
        place = Place(names=await self._queues.names(), now=str(shown.ticket.queue.id))
        return Sighting(
            ticket_id=ticket_id,
            ticket=ticket,
            comments=await self.comments(since.rows, since.news, place, bodies=bodies or {}),
            covers=Span(after=since.after, to=max(since.top, since.after)),
            is_read=True,
            status_update=to_status_update(since.rows, await self.actors(since.rows)),
        )

    async def comments(
        self,
        rows: Sequence[wire.Transaction],
        news: Sequence[wire.Transaction],
        place: Place,
        *,
        bodies: Mapping[int, Body | None],
    ) -> tuple[Comment, ...]:
        """The comments among the news of one ticket; `rows` are all of its that are known."""
        said = [row for row in news if is_comment(row)]
        known: dict[int, Body | None] = {
            **bodies,
            **await self.bodies([row.number for row in said if row.number not in bodies]),
        }
        view = views_then(rows, place)
        found = []
        for row in said:
            body = known.get(row.number)
            if body is None:
                # A ticket may be made without a word.
                continue
            author = await self._people.person(row.creator)
            found.append(
                to_comment(
                    row,
                    body=body,
                    author=author,
                    view=view(row.number),
                    stamp_field=self._settings.stamp_field,
                )
            )
        return tuple(found)

    async def bodies(self, transactions: Sequence[int]) -> dict[int, Body]:
        """Texts and files of comments: a request for the texts, one more where there are files."""
        if not transactions:
            return {}
        texts = by_transaction(await self._client.texts(transactions))
        holding = [n for n in transactions if may_have_files(texts.get(n, []))]
        parts = by_transaction(await self._client.parts(holding)) if holding else {}
        return {
            number: Body(
                html=to_html(texts.get(number, [])),
                files=to_files(parts.get(number, []), self._settings.url),
            )
            for number in transactions
            if number in texts or number in parts
        }

    async def actors(self, rows: Sequence[wire.Transaction]) -> dict[str, Person]:
        """Those who spoke or set a status, by RT's names for them."""
        found: dict[str, Person] = {}
        for row in rows:
            name = str(row.creator.id)
            if name not in found and (is_comment(row) or row.kind == STATUS):
                found[name] = await self._people.person(row.creator)
        return found
