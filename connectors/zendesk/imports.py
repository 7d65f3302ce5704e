"""Tickets imported with their history: many a request, and found again when an answer was lost.

A job's answer names tickets and not their comments. Those of a few are read at once; those of many
come with the event export, and until then the ticket is only known to be there.
A lost import is looked for in the jobs' results first, where one question answers for a hundred.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

import msgspec

from connectors.zendesk import bodies, wire
from connectors.zendesk.account import Account
from connectors.zendesk.answers import found_creation, named_creation
from connectors.zendesk.authors import Authors
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.customers import Customer, Customers
from connectors.zendesk.job_rows import created_ids, refusals, tells_all
from connectors.zendesk.jobs import Jobs
from connectors.zendesk.mapping import second_of
from connectors.zendesk.thread import ThreadReader
from connectors.zendesk.ticket import TicketReader
from connectors.zendesk.together import Together
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    Rejected,
    RemoteError,
    Unintelligible,
)
from syncd.core.model import ConnectionName, Sighting, Snapshot, Span, TicketId
from syncd.core.operations import Answer, CreateTicket, Fate, Finding, Intent
from syncd.ports import Clock

#: Fewer that go together are imported one by one: a job costs three requests.
FEWEST_ROWS = 4
MOST_ROWS = 100
#: What one request carries, so that it is sent and read in a moment.
MOST_BODY_BYTES = 4_000_000
#: So many threads are read at once; waiting for the export would not pay.
MOST_READ_AT_ONCE = 10
#: Between two listings before an import is believed not to have happened.
SECOND_LOOK_SECONDS = 5.0
#: Our idea of the desk's clock may be wrong by this much.
_DOUBT_SECONDS = 5
#: A feed that has not named the comments by then is not waited for any longer.
NAMING_PATIENCE = timedelta(minutes=10)
#: A lost request is believed not to have begun a job when there is none so long after it was sent.
LATE_JOB = timedelta(seconds=15)
#: Jobs are remembered for an hour at least, and by some accounts only the last hundred.
JOB_MEMORY = timedelta(minutes=50)
_MOST_JOBS = 100
#: As many tickets of old jobs are looked at in the search for a lost one.
_MOST_CREATED = 3000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    op: CreateTicket
    ticket: wire.Loose
    size: int


class Imports:
    """Silent creations on one account."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: ZendeskClient,
        jobs: Jobs,
        account: Account,
        customers: Customers,
        authors: Authors,
        threads: ThreadReader,
        tickets: TicketReader,
        clock: Clock,
    ) -> None:
        self._name = name
        self._client = client
        self._account = account
        self._customers = customers
        self._authors = authors
        self._threads = threads
        self._tickets = tickets
        self._clock = clock
        self._jobs = jobs
        self._together = Together(self._carry)
        #: How far the desk's clock is ahead of ours; None until it was asked.
        self._ahead: timedelta | None = None
        self._asking = asyncio.Lock()
        self._searching = asyncio.Lock()
        #: By external id, what jobs made; and up to when (our clock) all jobs are known.
        self._created: dict[str, dict[TicketId, Sighting]] = {}
        self._seen: set[str] = set()
        self._searched_at: datetime | None = None
        self._is_search_whole = False

    async def carry(self, intent: Intent, op: CreateTicket) -> Answer:
        """Import one ticket, in one request with those that are asked for at the same moment.

        By a job if it has company enough, however few of it come: where a lost one is looked for
        follows from that. Raises what `Connector.write` may.
        """
        return await self._together.add((op, _is_by_job(intent)))

    async def close(self) -> None:
        """Leave what is under way; it is looked for by whoever comes next."""
        await self._together.close()
        await self._jobs.close()

    async def desk_time(self) -> datetime:
        """The present by the desk's own clock, rather too early than too late."""
        ahead = await self._ahead_of_us()
        return self._clock.now() + ahead

    async def _ahead_of_us(self) -> timedelta:
        async with self._asking:
            if self._ahead is None:
                shown = await self._account.date()
                now = self._clock.now()
                self._ahead = (shown or now) - now
            return self._ahead

    # --- writing ---------------------------------------------------------------------------------

    async def _carry(
        self, wanted: Sequence[tuple[CreateTicket, bool]]
    ) -> Sequence[Answer | Exception]:
        results: dict[int, Answer | Exception] = {}
        rows: dict[int, _Row] = {}
        not_after = await self.desk_time()
        # Together, so that nobody is looked for or made by themselves.
        people = [self._people(op) for op, _ in wanted]
        unsettled = await self._customers.make_ready(chain.from_iterable(people))
        for index, (op, _) in enumerate(wanted):
            errors = (unsettled[one.key] for one in people[index] if one.key in unsettled)
            try:
                if (error := next(errors, None)) is not None:
                    raise error
                rows[index] = await self._row(op, not_after)
            except RemoteError as error:
                results[index] = error
        alone = [index for index in rows if not wanted[index][1]]
        batches = list(_batches({i: row for i, row in rows.items() if wanted[i][1]}))
        answers = await asyncio.gather(
            *(self._carry_one(rows[index]) for index in alone),
            *(self._carry_batch([rows[index] for index in batch]) for batch in batches),
        )
        for batch, said in zip([[index] for index in alone] + batches, answers, strict=True):
            results |= dict(zip(batch, said, strict=True))
        return [results[index] for index in range(len(wanted))]

    def _people(self, op: CreateTicket) -> Sequence[Customer]:
        """The end users whom a ticket needs, its requester first."""
        requester = self._customers.requester_of(op)
        authors = self._authors.customers_of(op.comments)
        return [*authors] if requester is None else [requester, *authors]

    async def _row(self, op: CreateTicket, not_after: datetime) -> _Row:
        ticket = bodies.imported_ticket(
            op,
            placed=await self._account.placed(op),
            not_after=not_after,
            requester=await self._customers.requester(op),
            bylines=await self._authors.of_history(op.comments, not_after=not_after),
        )
        return _Row(op=op, ticket=ticket, size=len(wire.encode(ticket)))

    async def _carry_batch(self, rows: Sequence[_Row]) -> Sequence[Answer | Exception]:
        began = second_of(await self.desk_time()) - _DOUBT_SECONDS
        body = bodies.many_imports([row.ticket for row in rows])
        try:
            accepted = await self._client.import_tickets(body)
        except Rejected as error:
            # Nothing was written, and which of them is at fault is not told.
            half = len(rows) // 2
            if not half:
                return [error]
            first = await self._carry_batch(rows[:half])
            return [*first, *await self._carry_batch(rows[half:])]
        except RemoteError as error:
            return [error] * len(rows)
        try:
            job = await self._jobs.end_of(accepted.value.job_status)
            made = await self._labelled(created_ids(job))
        except RemoteError as error:
            return [self._unknown(str(error))] * len(rows)
        by_key: dict[str, list[Sighting]] = {}
        for key, sighting in made:
            by_key.setdefault(key, []).append(sighting)
            self._created.setdefault(key, {})[sighting.ticket_id] = sighting
            self._seen.add(sighting.ticket_id)
        refused = refusals(job, self._name)
        is_read = len(made) <= MOST_READ_AT_ONCE
        return await asyncio.gather(
            *(
                self._result(
                    row.op,
                    by_key.get(row.op.external_id, []),
                    refused.get(index),
                    began=began,
                    is_read=is_read,
                )
                for index, row in enumerate(rows)
            )
        )

    async def _result(
        self,
        op: CreateTicket,
        made: Sequence[Sighting],
        refusal: RemoteError | None,
        *,
        began: int,
        is_read: bool,
    ) -> Answer | Exception:
        """What became of one row; one that is neither made nor clearly refused is looked for."""
        if not made and refusal is not None:
            return refusal
        if len(made) != 1:
            return self._unknown("the job does not say what became of the ticket")
        (sighting,) = made
        if not is_read:
            return _unnamed(_untold(sighting, began))
        try:
            return await self._named(op, sighting)
        except RemoteError:
            # The ticket is there: no trouble with reading it may have it made once more.
            return self._unknown("the thread of the new ticket cannot be read")

    async def _carry_one(self, row: _Row) -> Sequence[Answer | Exception]:
        try:
            answered = await self._client.import_ticket(bodies.one_import(row.ticket))
        except RemoteError as error:
            return [error]
        try:
            shown = self._tickets.shown(answered.value.ticket, answered.date)
            if answered.value.ticket.external_id == row.op.external_id:
                return [await self._named(row.op, shown)]
        except (RemoteError, ValueError):
            pass
        return [self._unknown("the answer does not show what was written")]

    async def _named(self, op: CreateTicket, made: Sighting) -> Answer:
        """A ticket that was just made, with its comments; its fields stay those of its birth."""
        thread = await self._threads.sighting(made.ticket_id, since=0)
        answer = None
        if thread is not None:
            answer = found_creation(op, replace(thread, ticket=made.ticket))
        if answer is None:
            raise self._unknown("the thread does not show what was written")
        return answer

    # --- looking ---------------------------------------------------------------------------------

    async def find(self, intent: Intent, op: CreateTicket, shown: Snapshot | None) -> Finding:
        """What became of an import: its comments, its ticket, or nothing.

        Raises `OutcomeUnknown` while a job that may carry it is at work, and `Gone`.
        """
        if shown is not None:
            return await self._find_names(intent, op, shown)
        found: list[Sighting] = []
        if _is_by_job(intent):
            found = await self._of_jobs(intent, op.external_id)
            if len(found) == 1 and len(self._seen) > MOST_READ_AT_ONCE:
                began = second_of(intent.sent_at + await self._ahead_of_us()) - _DOUBT_SECONDS
                return Finding(fate=Fate.FOUND, answer=_unnamed(_untold(found[0], began)))
            if not found and self._knows_all_since(intent.sent_at):
                return Finding(fate=Fate.REPEATABLE)
        for pause in (0.0, SECOND_LOOK_SECONDS):
            if not found:
                # Nothing makes repeating an import safe, so it is looked for twice.
                await self._clock.sleep(pause)
                found = await self.carrying(op.external_id)
        if not found:
            return Finding(fate=Fate.REPEATABLE)
        return await self.of_tickets(op, found)

    async def of_tickets(self, op: CreateTicket, found: Sequence[Sighting]) -> Finding:
        """The finding for the tickets that carry a creation's external id; one, as a rule."""
        answer = None
        if len(found) == 1:
            thread = await self._threads.sighting(found[0].ticket_id, since=0)
            if thread is not None:
                answer = found_creation(op, replace(thread, ticket=found[0].ticket))
        if answer is None:
            return Finding(fate=Fate.AMBIGUOUS)
        return Finding(fate=Fate.FOUND, answer=answer)

    async def carrying(self, external_id: str) -> list[Sighting]:
        """The tickets of that external id, as the listing shows them."""
        listed = await self._client.tickets_of(external_id)
        try:
            rows = [wire.decode(raw, wire.Ticket) for raw in listed.value.tickets]
            # A desk that does not know the filter would list everything.
            ours = [row for row in rows if row.external_id == external_id]
            return [self._tickets.shown(row, listed.date) for row in ours]
        except (ValueError, msgspec.MsgspecError):
            raise Unintelligible(
                "the listing is not as documented", connection=self._name, action="look for ticket"
            ) from None

    async def _find_names(self, intent: Intent, op: CreateTicket, shown: Snapshot) -> Finding:
        """The comments of an imported ticket, from the mirror as soon as it holds them.

        They are listed where the feed has passed the import without showing them, as on an account
        whose imports make no events, or where it stands still.
        """
        began = second_of(intent.sent_at + await self._ahead_of_us())
        our_id = await self._account.our_id()
        answer = named_creation(op, shown, our_id=our_id)
        if answer is not None:
            return Finding(fate=Fate.FOUND, answer=answer)
        ticket = shown.ticket
        has_passed = ticket.comments_as_of >= max(began, ticket.fields_as_of)
        is_late = self._clock.now() - intent.sent_at > NAMING_PATIENCE
        if not has_passed and not is_late:
            known = Sighting(ticket_id=ticket.ticket_id)
            return Finding(fate=Fate.FOUND, answer=_unnamed(known))
        thread = await self._threads.sighting(ticket.ticket_id, since=0)
        if thread is None:
            raise Gone("the imported ticket is gone", connection=self._name, action="read thread")
        answer = found_creation(op, thread)
        if answer is None:
            return Finding(fate=Fate.AMBIGUOUS)
        return Finding(fate=Fate.FOUND, answer=answer)

    # --- lost jobs -------------------------------------------------------------------------------

    async def _of_jobs(self, intent: Intent, external_id: str) -> list[Sighting]:
        """The tickets of that external id that some job made, as far as jobs are remembered."""
        async with self._searching:
            late = intent.sent_at + LATE_JOB
            if self._searched_at is None or self._searched_at < late:
                # A request may still arrive a while after whoever sent it gave up or died.
                left = (late - self._clock.now()).total_seconds()
                if left > 0:
                    # A moment longer: those who left with it then need no search of their own.
                    await self._clock.sleep(left + 1.0)
                began = self._clock.now()
                jobs = await self._jobs.all_over()
                created = dict.fromkeys(number for job in jobs for number in created_ids(job))
                unseen = [number for number in created if number not in self._seen]
                read = await self._tickets.many(unseen[:_MOST_CREATED])
                for row, sighting in read:
                    if row.external_id is not None:
                        self._created.setdefault(row.external_id, {})[sighting.ticket_id] = sighting
                    self._seen.add(sighting.ticket_id)
                self._searched_at = began
                # A job or a ticket that cannot be read may be the one that is looked for.
                is_legible = all(map(tells_all, jobs)) and len(read) == len(unseen)
                self._is_search_whole = is_legible and len(jobs) < _MOST_JOBS
        return list(self._created.get(external_id, {}).values())

    def _knows_all_since(self, moment: datetime) -> bool:
        """Whether the last search saw every job since then: one without the ticket says that it
        was not made.
        """
        return self._is_search_whole and self._clock.now() - moment < JOB_MEMORY

    async def _labelled(self, numbers: Sequence[str]) -> list[tuple[str, Sighting]]:
        """The tickets of some ids with their external ids; those that have none are left out."""
        read = await self._tickets.many(numbers)
        return [(row.external_id, shown) for row, shown in read if row.external_id is not None]

    def _unknown(self, message: str) -> OutcomeUnknown:
        return OutcomeUnknown(message, connection=self._name, action="import tickets")


def _is_by_job(intent: Intent) -> bool:
    return intent.company >= FEWEST_ROWS


def _batches(rows: Mapping[int, _Row]) -> Iterator[list[int]]:
    """The rows in their order, as many together as one request may carry."""
    batch: list[int] = []
    size = 0
    for index, row in rows.items():
        if batch and (len(batch) == MOST_ROWS or size + row.size > MOST_BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += row.size
    if batch:
        yield batch


def _untold(made: Sighting, began: int) -> Sighting:
    """Nothing was said on a ticket before it was imported."""
    return replace(made, covers=Span(after=0, to=began - 1))


def _unnamed(made: Sighting) -> Answer:
    return Answer(ticket_id=made.ticket_id, sighting=made, is_named=False)
