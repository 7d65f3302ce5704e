"""A platform's support system as the engine sees it: one token, its views, its change feed.

The platform's own guarantees carry everything here. Versions are contiguous, so what was seen is
known exactly; the writer chooses an update's id, so a write can always be repeated and found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import httpx

from connectors.http import OnRequest
from connectors.platform import wire
from connectors.platform.account import check_account, refused_account
from connectors.platform.client import PlatformClient
from connectors.platform.cursor import Cursor, read_cursor, write_cursor
from connectors.platform.files import LARGEST_BYTES, PlatformFiles
from connectors.platform.hook import PlatformHook
from connectors.platform.mapping import (
    from_operation,
    to_answer,
    to_field_sighting,
    to_sighting,
    version_of,
)
from connectors.platform.rows import change_rows, ticket_rows
from connectors.platform.settings import Settings
from connectors.platform.webhook import read_webhook
from syncd.core.capabilities import Capabilities
from syncd.core.errors import Rejected, Unauthorised, Unintelligible
from syncd.core.model import ConnectionName, Sighting, Snapshot, TicketId
from syncd.core.operations import Answer, Fate, Finding, Intent, UpdateTicket
from syncd.core.policy import LinkPolicy
from syncd.ports import Budget, Changes, CheckResult, Clock, Heard, Read, ViewPage

CAPABILITIES = Capabilities(
    has_tags=True,
    has_views=True,
    keeps_author=True,
    keeps_time=True,
    can_restrict=False,
    can_create=False,
    max_body_bytes=1_000_000,
    has_narrow_tags=False,
    max_file_bytes=LARGEST_BYTES,
)


def connect(
    name: ConnectionName,
    settings: Settings,
    *,
    budget: Budget,
    clock: Clock,
    on_request: OnRequest | None = None,
    wanted: object = None,  # noqa: ARG001 - births come from here, so every ticket may be wanted
    open_tickets: object = None,  # noqa: ARG001 - its feed costs the same however many there are
    beside: object = None,  # noqa: ARG001 - a platform's token does not change
    address_of: object = None,  # noqa: ARG001 - nobody is created here
    transport: httpx.AsyncBaseTransport | None = None,
) -> PlatformConnector:
    """The connector of one configured platform; asks it nothing yet."""
    return PlatformConnector(
        name, settings, budget=budget, clock=clock, on_request=on_request, transport=transport
    )


class PlatformConnector:
    """Implements `syncd.ports.Connector`."""

    def __init__(
        self,
        name: ConnectionName,
        settings: Settings,
        *,
        budget: Budget,
        clock: Clock,
        on_request: OnRequest | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._name = name
        self._clock = clock
        self._client = PlatformClient(
            connection=name,
            base_url=settings.url,
            token=settings.token.get_secret_value(),
            budget=budget,
            clock=clock,
            timeout_seconds=settings.timeout.total_seconds(),
            on_request=on_request,
            transport=transport,
        )
        self._hook = PlatformHook(name, settings, self._client)
        self._files = PlatformFiles(name, self._client, hosts=settings.file_hosts)

    @property
    def name(self) -> ConnectionName:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def hook(self) -> PlatformHook:
        return self._hook

    @property
    def attachments(self) -> PlatformFiles:
        return self._files

    # --- reading ---------------------------------------------------------------------------------

    async def read_changes(self, cursor: str | None) -> Changes:
        """The next page of the feed, or of the listing that bridges a gap in it.

        A cursor that the platform has forgotten starts the feed at the present, and a listing of
        all tickets tells what became of them meanwhile.
        """
        if cursor is None:
            return await self._begin(is_listing=False)
        place = read_cursor(cursor)
        if place is None:
            return await self._begin(is_listing=True)
        try:
            return await (self._list(place) if place.is_listing else self._follow(place))
        except Unintelligible as error:
            is_refused = error.status == httpx.codes.BAD_REQUEST
            # A listing that cannot even begin would begin for ever.
            if not is_refused or (place.is_listing and place.page is None):
                raise
            return await self._begin(is_listing=True)

    async def fetch(
        self, ticket_id: TicketId, read: Read, *, comments_as_of: int = 0
    ) -> Sighting | None:
        """Read one ticket; a thread comes with its ticket of the same moment: it is the whole."""
        if read is Read.FIELDS:
            ticket = await self._client.ticket(ticket_id)
            return None if ticket is None else to_field_sighting(ticket, is_read=True)
        thread = await self._client.thread(ticket_id, after=comments_as_of)
        if thread is None:
            return None
        return to_sighting(thread.ticket, thread.updates, after=thread.after, is_read=True)

    async def fetch_many(self, ticket_ids: Sequence[TicketId]) -> Sequence[Sighting]:
        """The fields of many tickets, a hundred a request."""
        return ticket_rows(await self._client.batch(ticket_ids)).sightings

    async def view(
        self,
        view: str,
        *,
        since: datetime | None = None,
        cursor: str | None = None,
        has_threads: bool = False,
    ) -> AsyncIterator[ViewPage]:
        """The tickets that are in a view now, in the order of their creation.

        `since` leaves out those that nobody has touched since then. The contract tells no total.
        """
        while True:
            page = await self._client.ticket_page(
                view=view, since=since, cursor=cursor, has_threads=has_threads
            )
            cursor = page.next_cursor
            yield ViewPage(
                sightings=ticket_rows(page.tickets, page.threads).sightings,
                cursor=cursor,
                is_end=not page.more,
            )
            if not page.more:
                return

    # --- writing ---------------------------------------------------------------------------------

    async def write(self, intent: Intent) -> Answer:
        """Send one update under the stamp as its id; only its repetition has the same effect."""
        op = intent.op
        if not isinstance(op, UpdateTicket):
            raise Rejected(
                "this desk cannot do that",
                connection=self._name,
                action=type(op).__name__,
                hint="This is a fault of syncd: please report it with the pair's number.",
            )
        answer = await self._client.put_update(
            op.ticket_id, intent.stamp, from_operation(op), if_match=intent.precondition
        )
        return to_answer(op, answer)

    async def read_arrivals(
        self, cursor: str | None, *, since: datetime, about: Sequence[TicketId] = ()
    ) -> Changes:
        """Nothing: this desk names a comment in the answer to its write."""
        del since, about
        return Changes(sightings=(), cursor=cursor or "", is_end=True)

    async def find(self, intent: Intent, *, shown: Snapshot | None = None) -> Finding:
        """Look for the update of that id, which nobody else can have written.

        Under a precondition it can only be the first update after that version: once another one
        is there, ours can never land. While none is, the same bytes may go again.
        """
        del shown
        op = intent.op
        if not isinstance(op, UpdateTicket):
            return Finding(fate=Fate.ABSENT)
        version = version_of(intent.precondition)
        thread = await self._client.thread(op.ticket_id, after=version or 0)
        if thread is None:
            return Finding(fate=Fate.ABSENT)
        for update in thread.updates:
            if update.id == intent.stamp:
                answer = to_answer(op, wire.UpdateAnswer(ticket=thread.ticket, update=update))
                seen = to_sighting(thread.ticket, thread.updates, after=thread.after, is_read=True)
                return Finding(fate=Fate.FOUND, answer=replace(answer, sighting=seen))
        is_spent = version is not None and thread.ticket.version != version
        return Finding(fate=Fate.ABSENT if is_spent else Fate.REPEATABLE)

    # --- the rest --------------------------------------------------------------------------------

    def read_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Heard:
        """What a webhook proves; without a configured secret none is authentic."""
        return read_webhook(headers, body, secret=self._hook.secret, connection=self._name, now=now)

    async def check(self, policies: Sequence[LinkPolicy] = ()) -> Sequence[CheckResult]:
        """One request: who the token is, what it may do, and whose clock is wrong."""
        del policies
        try:
            me = await self._client.me()
        except Unauthorised as error:
            return (refused_account(error),)
        return check_account(me, now=self._clock.now())

    async def requester_address(self, ticket_id: TicketId) -> str | None:
        """Read anew each time, and handed on without being kept."""
        return await self._client.requester_address(ticket_id)

    async def rights(self) -> Sequence[CheckResult]:
        """The same: it is one request."""
        return await self.check()

    async def close(self) -> None:
        await self._files.close()
        await self._client.close()

    async def _begin(self, *, is_listing: bool) -> Changes:
        page = await self._client.change_page(None)
        place = Cursor(feed=page.next_cursor, is_listing=is_listing)
        return Changes(sightings=(), cursor=write_cursor(place), is_end=not is_listing)

    async def _follow(self, place: Cursor) -> Changes:
        page = await self._client.change_page(place.feed)
        rows = change_rows(page.changes)
        return Changes(
            sightings=rows.sightings,
            cursor=write_cursor(Cursor(feed=page.next_cursor)),
            # A feed that stands still has ended, whatever it says.
            is_end=not page.more or page.next_cursor == place.feed,
            dropped_count=rows.dropped_count,
        )

    async def _list(self, place: Cursor) -> Changes:
        page = await self._client.ticket_page(cursor=place.page)
        rows = ticket_rows(page.tickets)
        following = Cursor(feed=place.feed)
        if page.more:
            following = Cursor(feed=place.feed, is_listing=True, page=page.next_cursor)
        return Changes(
            sightings=rows.sightings,
            cursor=write_cursor(following),
            # Behind the listing waits the feed.
            is_end=False,
            dropped_count=rows.dropped_count,
        )
