"""A partner's Zendesk account as the engine sees it.

Reads come from the exports, from the audits of one ticket, or from `show_many`; a write is one
request under the stamp it was planned from. What a lost write became is settled by reading only.
Every surprise of the desk that this folder knows of stands in NOTES.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from connectors.http import OnRequest
from connectors.zendesk import bodies, wire
from connectors.zendesk.account import Account, build_client
from connectors.zendesk.answers import (
    creation_answer,
    update_answer,
)
from connectors.zendesk.arrivals import Arrivals
from connectors.zendesk.authors import Authors
from connectors.zendesk.bulk_updates import BulkUpdates
from connectors.zendesk.capabilities import CAPABILITIES
from connectors.zendesk.checks import check_account, check_rights
from connectors.zendesk.client import EXPORTS
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.customers import AddressOf, Customers
from connectors.zendesk.feed import WITHHELD_SECONDS, Feed, Wanted
from connectors.zendesk.field_titles import FieldTitles
from connectors.zendesk.files import ZendeskFiles
from connectors.zendesk.hook import ZendeskHook
from connectors.zendesk.hook_calls import HookCalls
from connectors.zendesk.imports import Imports
from connectors.zendesk.jobs import Jobs
from connectors.zendesk.lost_updates import LostUpdates
from connectors.zendesk.open_tickets import OpenTicketFeed, OpenTickets
from connectors.zendesk.people import People
from connectors.zendesk.settings import Settings
from connectors.zendesk.thread import ThreadReader
from connectors.zendesk.ticket import TicketReader
from connectors.zendesk.visibility import read_back
from connectors.zendesk.webhook import read_webhook
from syncd.core.capabilities import Capabilities
from syncd.core.errors import OutcomeUnknown, Refusal, Rejected
from syncd.core.model import Audience, ConnectionName, Person, Sighting, Snapshot, TicketId
from syncd.core.operations import (
    Answer,
    CreateTicket,
    Fate,
    Finding,
    Intent,
    RestrictComment,
    UpdateTicket,
)
from syncd.core.policy import LinkPolicy
from syncd.ports import Budget, Changes, CheckResult, Clock, Heard, Read, ViewPage

#: How long Zendesk remembers an Idempotency-Key.
IDEMPOTENCY = timedelta(hours=2)


class ZendeskConnector:
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
        wanted: Wanted | None = None,
        open_tickets: OpenTickets | None = None,
        withheld_seconds: float = WITHHELD_SECONDS,
        beside: Path | None = None,
        address_of: AddressOf | None = None,
    ) -> None:
        """`beside` is the store's file: rotated tokens are kept next to it."""
        self._name = name
        self._settings = settings
        self._clock = clock
        self._base_url = settings.base_url
        budget.assume(EXPORTS, per_minute=settings.exports_per_minute)
        self._client = build_client(
            name,
            settings,
            budget=budget,
            clock=clock,
            on_request=on_request,
            transport=transport,
            beside=beside,
        )
        self._hook = ZendeskHook(name, settings, HookCalls(self._client.http))
        self._files = ZendeskFiles(name, self._client, budget, settings.file_hosts)
        self._statuses = CustomStatuses(name, self._client, settings.custom_statuses, clock=clock)
        self._account = Account(name, self._client, self._statuses)
        self._people = People(self._client, clock)
        self._titles = FieldTitles(self._client)
        jobs = Jobs(name, self._client, clock)
        self._customers = Customers(name, self._client, settings, jobs=jobs, address_of=address_of)
        self._authors = Authors(self._client, self._customers, settings, clock)
        self._threads = ThreadReader(name, self._client, self._people, self._statuses)
        self._tickets = TicketReader(
            name, self._client, self._people, self._statuses, base_url=self._base_url
        )
        self._imports = Imports(
            name,
            client=self._client,
            jobs=jobs,
            account=self._account,
            customers=self._customers,
            authors=self._authors,
            threads=self._threads,
            tickets=self._tickets,
            clock=clock,
        )
        self._lost_updates = LostUpdates(
            name,
            client=self._client,
            account=self._account,
            threads=self._threads,
            statuses=self._statuses,
            tickets=self._tickets,
            present=self._imports.desk_time,
            clock=clock,
        )
        self._bulk = BulkUpdates(
            name,
            client=self._client,
            account=self._account,
            jobs=jobs,
            changes=self._changes,
            alone=self._update,
            heed=self._heed,
            tickets=self._tickets,
            present=self._imports.desk_time,
            clock=clock,
            has_events=settings.feed == "exports",
        )
        self._arrivals = Arrivals(
            name,
            client=self._client,
            people=self._people,
            threads=self._threads,
            statuses=self._statuses,
            present=self._imports.desk_time,
            clock=clock,
            wanted=wanted,
            withheld_seconds=withheld_seconds,
        )
        self._feed = Feed(
            name,
            client=self._client,
            people=self._people,
            threads=self._threads,
            statuses=self._statuses,
            clock=clock,
            base_url=self._base_url,
            wanted=wanted,
            withheld_seconds=withheld_seconds,
        )
        self._sweep = OpenTicketFeed(
            name, client=self._client, tickets=open_tickets, shown=self._tickets.shown
        )

    @property
    def name(self) -> ConnectionName:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def hook(self) -> ZendeskHook:
        return self._hook

    @property
    def attachments(self) -> ZendeskFiles:
        return self._files

    # --- reading ---------------------------------------------------------------------------------

    async def read_changes(self, cursor: str | None) -> Changes:
        """The next page of the exports, or the next look at our own tickets."""
        await self._statuses.learn()
        feed = self._feed if self._settings.feed == "exports" else self._sweep
        return await feed.read(cursor)

    async def read_arrivals(
        self, cursor: str | None, *, since: datetime, about: Sequence[TicketId] = ()
    ) -> Changes:
        """The next page of the event export alone, from shortly before `since` on."""
        await self._statuses.learn()
        return await self._arrivals.read(cursor, since=since, about=about)

    async def fetch(
        self, ticket_id: TicketId, read: Read, *, comments_as_of: int = 0
    ) -> Sighting | None:
        """Read one ticket: its fields, its thread, or the fields and then the thread."""
        await self._statuses.learn()
        if read is Read.THREAD:
            return await self._threads.sighting(ticket_id, since=comments_as_of)
        fields = await self._tickets.one(ticket_id)
        if read is Read.FIELDS or fields is None:
            return fields
        # The thread comes second, so that it reaches at least as far as the fields.
        thread = await self._threads.sighting(ticket_id, since=comments_as_of)
        return None if thread is None else replace(thread, ticket=fields.ticket)

    async def fetch_many(self, ticket_ids: Sequence[TicketId]) -> Sequence[Sighting]:
        """The fields of many tickets, a hundred a request; one that cannot be read is left out."""
        await self._statuses.learn()
        return [shown for _, shown in await self._tickets.many(ticket_ids)]

    async def view(
        self,
        view: str,
        *,
        since: datetime | None = None,
        cursor: str | None = None,
        has_threads: bool = False,
    ) -> AsyncIterator[ViewPage]:
        """Empty: a partner's desk has no view that a backfill would start from."""
        del view, since, cursor, has_threads
        return
        yield

    # --- writing ---------------------------------------------------------------------------------

    async def write(self, intent: Intent) -> Answer:
        """Send one write, once; see `Connector.write` for what it raises."""
        bodies.refuse_what_would_be_cut(intent.op, connection=self._name)
        await self._statuses.learn()
        match intent.op:
            case CreateTicket() as op:
                if op.is_silent:
                    return await self._imports.carry(intent, op)
                return await self._create(intent, op)
            case UpdateTicket() as op:
                bodies.refuse_what_would_be_heard(op, connection=self._name)
                return await self._bulk.carry(intent, op)
            case RestrictComment() as op:
                await self._client.make_private(op.ticket_id, op.comment_id)
                return Answer(ticket_id=op.ticket_id, sighting=Sighting(ticket_id=op.ticket_id))

    async def _update(self, intent: Intent, op: UpdateTicket) -> Answer:
        body = bodies.one_ticket(await self._changes(intent, op))
        try:
            answered = await self._client.update(op.ticket_id, body)
        except Rejected as error:
            await self._heed(error)
            raise
        answer = self._read_answer(
            "update ticket",
            lambda: update_answer(
                intent,
                op,
                answered.value,
                seen_at=answered.date,
                people=self._people_of(answered.value),
                base_url=self._base_url,
                names=self._statuses.names,
            ),
        )
        return await read_back(self._client, answer, name=self._name)

    async def _changes(self, intent: Intent, op: UpdateTicket) -> wire.Loose:
        byline = await self._authors.of_update(op, intent)
        status = await self._statuses.key_of_update(op.status, byline.status)
        return bodies.updated_ticket(op, intent, byline=byline, status=status)

    async def _heed(self, error: Rejected) -> None:
        if error.refusal is Refusal.STATUS:
            self._statuses.doubt()
        error.lacks = await self._titles.of(error.lacks)

    async def _create(self, intent: Intent, op: CreateTicket) -> Answer:
        placed = await self._account.placed(op)
        # A follow-up is its closed ticket's own requester's.
        requester = None if op.follow_up_of else await self._customers.requester(op)
        byline = await self._authors.of_creation(op, intent)
        body = bodies.creation(op, intent, placed=placed, requester=requester, byline=byline)
        answered = await self._client.create(body, key=op.op_id)
        # The answer to a repetition was made long ago: it shows the ticket as it was then.
        is_old = answered.headers.get("x-idempotency-lookup") == "hit"
        answer = self._read_answer(
            "create ticket",
            lambda: creation_answer(
                op,
                answered.value,
                seen_at=None if is_old else answered.date,
                people=self._people_of(answered.value),
                base_url=self._base_url,
                names=self._statuses.names,
            ),
        )
        return await read_back(self._client, answer, name=self._name)

    # --- lost answers ----------------------------------------------------------------------------

    async def find(self, intent: Intent, *, shown: Snapshot | None = None) -> Finding:
        """What became of a write whose answer was lost; reads only, two requests as a rule."""
        await self._statuses.learn()
        match intent.op:
            case CreateTicket() as op:
                return await self._find_creation(intent, op, shown)
            case UpdateTicket() as op:
                found = await self._bulk.find(intent, op, shown)
                return found or await self._lost_updates.find(intent, op)
            case RestrictComment() as op:
                return await self._find_restriction(op)

    async def _find_creation(
        self, intent: Intent, op: CreateTicket, shown: Snapshot | None
    ) -> Finding:
        if op.is_silent:
            return await self._imports.find(intent, op, shown)
        found = await self._imports.carrying(op.external_id)
        if not found:
            is_remembered = self._clock.now() - intent.sent_at < IDEMPOTENCY
            return Finding(fate=Fate.REPEATABLE if is_remembered else Fate.ABSENT)
        return await self._imports.of_tickets(op, found)

    async def _find_restriction(self, op: RestrictComment) -> Finding:
        thread = await self._threads.sighting(op.ticket_id, since=0)
        if thread is None:
            return Finding(fate=Fate.ABSENT)
        found = [c for c in thread.comments if c.comment_id == op.comment_id]
        if not found or found[0].audience is Audience.PUBLIC:
            return Finding(fate=Fate.REPEATABLE)
        return Finding(fate=Fate.FOUND, answer=Answer(ticket_id=op.ticket_id, sighting=thread))

    # --- the rest --------------------------------------------------------------------------------

    def read_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Heard:
        """What a webhook proves; see `webhook.read_webhook`."""
        return read_webhook(
            headers,
            body,
            secret=self._hook.secret,
            connection=self._name,
            base_url=self._base_url,
            names=self._statuses.names,
            now=now,
        )

    async def check(self, policies: Sequence[LinkPolicy] = ()) -> Sequence[CheckResult]:
        """Ask Zendesk what this credential may do, and whether it has what the links name."""
        return await check_account(
            self._client,
            self._account,
            self._settings,
            clock=self._clock,
            policies=policies,
        )

    async def requester_address(self, ticket_id: TicketId) -> str | None:
        """None: what a partner knows of its customers is not for the platform."""
        del ticket_id
        return None

    async def rights(self) -> Sequence[CheckResult]:
        """The same in two requests, for every start."""
        return await check_rights(self._client, self._account, self._settings, clock=self._clock)

    async def close(self) -> None:
        """Close the connections."""
        await self._files.close()
        await self._bulk.close()
        await self._lost_updates.close()
        await self._imports.close()
        await self._client.close()

    def _people_of(self, shown: wire.TicketAnswer) -> Mapping[str, Person]:
        ids = [shown.ticket.requester_id, shown.audit and shown.audit.author_id]
        return self._people.known(str(number) for number in ids)

    def _read_answer(self, action: str, read: Callable[[], Answer | None]) -> Answer:
        """The answer to a write that landed; one that shows nothing of it is no answer."""
        try:
            answer = read()
        except ValueError:
            answer = None
        if answer is None:
            raise self._unknown(action)
        return answer

    def _unknown(self, action: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            "the answer does not show what was written", connection=self._name, action=action
        )


#: Makes the connector of one configured account; it asks the desk nothing yet.
connect = ZendeskConnector
