"""A Request Tracker as the engine sees it: one token, its queues, the transactions in them.

The number of a ticket's newest transaction, RT's ETag, is its version and the order of all that
happened on it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import httpx

from connectors.http import OnRequest
from connectors.request_tracker.account import (
    check_queues,
    check_server,
    check_views,
    refused_account,
)
from connectors.request_tracker.client import RequestTrackerClient
from connectors.request_tracker.examiner import needs_of
from connectors.request_tracker.feed import Feed
from connectors.request_tracker.files import RequestTrackerFiles
from connectors.request_tracker.finding import Finder
from connectors.request_tracker.listing import Listing
from connectors.request_tracker.mapping import is_number
from connectors.request_tracker.people import People
from connectors.request_tracker.queues import Queues
from connectors.request_tracker.settings import Settings
from connectors.request_tracker.thread import ThreadReader
from connectors.request_tracker.told import Told
from connectors.request_tracker.webhook import read_webhook
from connectors.request_tracker.writes import Writer
from syncd.core.capabilities import Capabilities
from syncd.core.errors import Rejected, Unauthorised
from syncd.core.model import ConnectionName, Sighting, Snapshot, TicketId
from syncd.core.operations import Answer, Fate, Finding, Intent, UpdateTicket
from syncd.core.policy import LinkPolicy
from syncd.ports import Budget, Changes, CheckResult, Clock, Heard, Read, ViewPage

#: In bytes of UTF-8; RT's own limit is that of its files.
_LONGEST_BODY = 500_000


def connect(
    name: ConnectionName,
    settings: Settings,
    *,
    budget: Budget,
    clock: Clock,
    on_request: OnRequest | None = None,
    wanted: object = None,  # noqa: ARG001 - births come from here, so every ticket may be wanted
    open_tickets: object = None,  # noqa: ARG001 - its feed costs the same however many there are
    beside: object = None,  # noqa: ARG001 - RT's token does not change
    address_of: object = None,  # noqa: ARG001 - nobody is created here
) -> RequestTrackerConnector:
    """The connector of one configured RT; asks it nothing yet."""
    return RequestTrackerConnector(
        name, settings, budget=budget, clock=clock, on_request=on_request
    )


class RequestTrackerConnector:
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
        self._settings = settings
        self._client = client = RequestTrackerClient(
            connection=name,
            base_url=settings.url,
            token=settings.token.get_secret_value(),
            budget=budget,
            clock=clock,
            timeout_seconds=settings.timeout.total_seconds(),
            at_once=settings.at_once,
            on_request=on_request,
            transport=transport,
        )
        self._people = people = People(client, clock)
        self._queues = queues = Queues(client, settings)
        self._files = RequestTrackerFiles(name, client, settings)
        self._threads = ThreadReader(
            name, client=client, settings=settings, people=people, queues=queues, clock=clock
        )
        told = Told()
        self._feed = Feed(
            client=client,
            settings=settings,
            people=people,
            threads=self._threads,
            told=told,
            clock=clock,
        )
        self._listing = Listing(name, client, self._threads)
        self._writer = Writer(
            name,
            client=client,
            settings=settings,
            threads=self._threads,
            queues=queues,
            files=self._files,
            told=told,
        )
        self._finder = Finder(
            name,
            client=client,
            settings=settings,
            threads=self._threads,
            writer=self._writer,
            clock=clock,
        )
        secret = settings.webhook_secret
        self._secret = "" if secret is None else secret.get_secret_value()

    @property
    def name(self) -> ConnectionName:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            has_tags=self._settings.tags_field is not None,
            has_views=True,
            keeps_author=False,
            keeps_time=False,
            can_restrict=False,
            can_create=False,
            max_body_bytes=_LONGEST_BODY,
            has_narrow_tags=False,
            max_file_bytes=self._settings.max_file,
        )

    @property
    def hook(self) -> None:
        """None: RT's scrips are no part of its API."""
        return

    @property
    def attachments(self) -> RequestTrackerFiles:
        return self._files

    # --- reading ---------------------------------------------------------------------------------

    async def read_changes(self, cursor: str | None) -> Changes:
        """The next page of transactions."""
        return await self._feed.read(cursor)

    async def fetch(
        self, ticket_id: TicketId, read: Read, *, comments_as_of: int = 0
    ) -> Sighting | None:
        """Read one ticket; a thread comes with its ticket: it is the whole."""
        if not is_number(ticket_id):
            return None
        if read is Read.FIELDS:
            return await self._threads.fields(ticket_id)
        return await self._threads.whole(ticket_id, after=comments_as_of)

    async def fetch_many(self, ticket_ids: Sequence[TicketId]) -> Sequence[Sighting]:
        """The fields of many tickets, fifty in two requests."""
        return await self._listing.many(ticket_ids)

    def view(
        self,
        view: str,
        *,
        since: datetime | None = None,
        cursor: str | None = None,
        has_threads: bool = False,
    ) -> AsyncIterator[ViewPage]:
        """The tickets that are in a queue now, in the order of their creation, without threads."""
        del has_threads
        return self._listing.view(view, since=since, cursor=cursor)

    # --- writing ---------------------------------------------------------------------------------

    async def write(self, intent: Intent) -> Answer:
        """Send one write, once; see `writes`."""
        op = intent.op
        if not isinstance(op, UpdateTicket):
            raise Rejected(
                "this desk cannot do that",
                connection=self._name,
                action=type(op).__name__,
                hint="This is a fault of syncd: please report it with the pair's number.",
            )
        return await self._writer.write(intent, op)

    async def find(self, intent: Intent, *, shown: Snapshot | None = None) -> Finding:
        """Look for a comment's stamp; see `finding`."""
        del shown
        op = intent.op
        if not isinstance(op, UpdateTicket):
            return Finding(fate=Fate.ABSENT)
        return await self._finder.find(intent, op)

    async def read_arrivals(
        self, cursor: str | None, *, since: datetime, about: Sequence[TicketId] = ()
    ) -> Changes:
        """Nothing: this desk names a comment in the answer to its write."""
        del since, about
        return Changes(sightings=(), cursor=cursor or "", is_end=True)

    # --- the rest --------------------------------------------------------------------------------

    def read_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Heard:
        """What a webhook proves; without a configured secret none is authentic."""
        return read_webhook(headers, body, secret=self._secret, connection=self._name, now=now)

    async def check(self, policies: Sequence[LinkPolicy] = ()) -> Sequence[CheckResult]:
        """The token, the server, and each followed queue: a request for each."""
        try:
            server = check_server(await self._client.server())
            found = await self._queues.look()
        except Unauthorised as error:
            return (refused_account(error),)
        queues = check_queues(needs_of(self._settings, endpoint=None), found)
        return (*server, *queues, *check_views(self._settings, policies))

    async def requester_address(self, ticket_id: TicketId) -> str | None:
        """Read anew each time, and handed on without being kept."""
        shown = await self._threads.shown(ticket_id)
        if shown is None or str(shown.ticket.id) != ticket_id or not shown.ticket.requestors:
            return None
        user = await self._client.user(str(shown.ticket.requestors[0].id))
        return None if user is None else user.address or None

    async def rights(self) -> Sequence[CheckResult]:
        """The token and the server: one request."""
        try:
            return check_server(await self._client.server())
        except Unauthorised as error:
            return (refused_account(error),)

    async def close(self) -> None:
        await self._files.close()
        await self._client.close()
