"""Read one ticket: its fields, and what was said and done on it since a transaction.

RT reads a ticket's fields before it looks which transaction is the newest, and names that one as
their ETag. So transactions are read first, and the ticket again until its ETag is one of those: the
fields are never taken for newer than they are. What is read goes back a little behind the place
that was asked for: a status and the comment that it came with may lie on both sides of it.
A private comment is read only when it is proven in which queue it was written (`whereabouts`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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
    first_unplaced,
    is_comment,
    to_comment,
    to_status_update,
    to_ticket,
    utc,
    views_then,
)
from connectors.request_tracker.people import People
from connectors.request_tracker.queues import Queues
from connectors.request_tracker.settings import Settings
from connectors.request_tracker.whereabouts import Whereabouts
from syncd.core.errors import Stale, Unauthorised, Unintelligible
from syncd.core.model import (
    Comment,
    CommentId,
    ConnectionName,
    Person,
    Sighting,
    Span,
    TicketId,
)
from syncd.ports import Clock

#: Enough for what one request does, the mails that it sends included.
_NEWS_PER_PAGE = 30
#: A ticket is rarely changed twice while it is read.
_MOST_READS = 3
#: The queue in which a ticket was at a transaction; None where nothing proves it.
View = Callable[[int], str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """The transactions of a ticket after one, and some before it; the oldest first."""

    after: int
    rows: tuple[wire.Transaction, ...]

    @property
    def begin(self) -> int:
        """From here on all of them are known."""
        if not self.rows:
            return self.after
        return 0 if self.rows[0].kind == "Create" else self.rows[0].number

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
        clock: Clock,
    ) -> None:
        self._name = name
        self._client = client
        self._settings = settings
        self._people = people
        self._queues = queues
        self._clock = clock
        self._whereabouts = Whereabouts()

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
        if shown is not None and shown.version:
            self._whereabouts.saw(
                wire.number(shown.ticket.id),
                str(shown.ticket.queue.id),
                version=shown.version,
                at=self._clock.now(),
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
        """Fields and comments: three requests, one more where there are files, and one where the
        ticket's moves lie further back.

        RT is slow to answer, so texts are asked for while the fields are on their way. Raises
        `Stale` while nobody can tell for whom a private comment is, and `Unintelligible` where
        nobody ever will.
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
        view = await self._proven_view(shown, since)
        return await self.sighting(ticket_id, shown, since, view=view, bodies=known)

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
            known = len(found)
            found |= {row.number: row for row in part.rows}
            if part.is_full and len(found) == known:
                raise Unintelligible(
                    "page after page says the same", connection=self._name, action="read thread"
                )
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
        view: View | None = None,
        bodies: Mapping[int, Body | None] | None = None,
    ) -> Sighting:
        """What all of it proves together, up to the first comment whose `view` is unknown.

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
        view = view or await self._view(shown, since)
        end = first_unplaced(since.news, view)
        news = since.news if end is None else [row for row in since.news if row.number < end]
        top = max(since.top, since.after) if end is None else end - 1
        return Sighting(
            ticket_id=ticket_id,
            ticket=ticket,
            comments=await self.comments(news, view, bodies=bodies or {}),
            hinted=() if end is None else (CommentId(str(end)),),
            covers=Span(after=since.after, to=top),
            is_read=True,
            status_update=to_status_update(since.rows, await self.actors(since.rows)),
        )

    async def comments(
        self,
        news: Sequence[wire.Transaction],
        view: View,
        *,
        bodies: Mapping[int, Body | None],
    ) -> tuple[Comment, ...]:
        """The comments among the news of one ticket."""
        said = [row for row in news if is_comment(row)]
        known: dict[int, Body | None] = {
            **bodies,
            **await self.bodies([row.number for row in said if row.number not in bodies]),
        }
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

    async def place(self, ticket: wire.Ticket, *, begin: int) -> Place:
        """Where a ticket is, and since when that is known; its history is known from `begin` on."""
        queue = str(ticket.queue.id)
        look = self._whereabouts.of(wire.number(ticket.id), queue)
        since = None if look is None or look.version < begin else look.version
        return Place(names=await self._queues.names(), now=queue, since=since)

    async def _view(self, shown: Shown, since: Since) -> View:
        return views_then(since.rows, await self.place(shown.ticket, begin=since.begin))

    async def _proven_view(self, shown: Shown, since: Since) -> View:
        """For whom each private comment is. Raises as `whole`."""
        view = await self._view(shown, since)
        if first_unplaced(since.news, view) is None:
            return view
        number = wire.number(shown.ticket.id)
        # The newest ones, if there are more: an older one would say where none of these were.
        moves = (await self._client.history(queries.moves([number], after=0))).rows
        rows = (*moves, *since.rows)
        place = await self.place(shown.ticket, begin=0)
        view = views_then(rows, place)
        if first_unplaced(since.news, view) is None:
            return view
        self._ensure_settled(shown, since)
        return views_then(rows, replace(place, since=0))

    def _ensure_settled(self, shown: Shown, since: Since) -> None:
        """Refuse to tell where a ticket was that may be on the move for the first time.

        A move that was under way at a look is in the history `late_writes` after it.
        """
        longest = self._settings.late_writes
        now = self._clock.now()
        updated_at = utc(shown.ticket.updated)
        look = self._whereabouts.of(wire.number(shown.ticket.id), str(shown.ticket.queue.id))
        is_watched = look is not None and now - look.at > longest
        if not is_watched and (shown.date or now) - updated_at <= longest:
            raise Stale(
                "the ticket may be on the move",
                connection=self._name,
                action="read ticket",
                hint="Where a private comment was written is known when no move can be under way:"
                " syncd waits for `late_writes`.",
            )
        told_at = max(utc(row.created) for row in since.rows)
        if updated_at - told_at > longest:
            raise Unintelligible(
                "the ticket was changed, and its history does not say how",
                connection=self._name,
                action="read ticket",
                hint="It may have been moved while RT broke down, and nobody can tell for which"
                " queue its private comments are. Move it out of its queue and back in RT, then"
                " `syncd retry PAIR`.",
            )

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
