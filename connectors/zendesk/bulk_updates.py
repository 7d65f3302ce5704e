"""Updates of many tickets in one request, each under its own stamp, and each found again.

A job says of each ticket whether it was updated, and not what its comment is called: the event
feed tells, and until then the write counts as on its way. What a job leaves open goes by itself.
https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#update-many-tickets
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.zendesk import bodies, wire
from connectors.zendesk.account import Account
from connectors.zendesk.answers import named_update
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.imports import (
    FEWEST_ROWS,
    LATE_JOB,
    MOST_BODY_BYTES,
    MOST_ROWS,
    NAMING_PATIENCE,
)
from connectors.zendesk.job_rows import update_refusals, updated_ids
from connectors.zendesk.jobs import Jobs
from connectors.zendesk.lost_updates import DOUBT_SECONDS
from connectors.zendesk.mapping import second_of
from connectors.zendesk.ticket import TicketReader
from connectors.zendesk.together import Together
from syncd.core.errors import OutcomeUnknown, Rejected, RemoteError
from syncd.core.model import ConnectionName, OpId, Sighting, Snapshot
from syncd.core.operations import Answer, Fate, Finding, Intent, UpdateTicket
from syncd.log import leave_run
from syncd.ports import Clock

#: So many operations are remembered as landed or doubtful; older ones are looked for.
_MOST_REMEMBERED = 10_000

_Wanted = tuple[Intent, UpdateTicket]
_Changes = Callable[[Intent, UpdateTicket], Awaitable[wire.Loose]]
_Alone = Callable[[Intent, UpdateTicket], Awaitable[Answer]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    intent: Intent
    op: UpdateTicket
    ticket: wire.Loose
    size: int


class BulkUpdates:
    """Updates on one account that may share a request."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: ZendeskClient,
        account: Account,
        jobs: Jobs,
        changes: _Changes,
        alone: _Alone,
        heed: Callable[[Rejected], Awaitable[None]],
        tickets: TicketReader,
        present: Callable[[], Awaitable[datetime]],
        clock: Clock,
        has_events: bool,
    ) -> None:
        """`changes` makes a ticket's part of a body, `alone` sends one update by itself, `heed`
        completes a refusal; `has_events` where a feed names comments.
        """
        self._name = name
        self._client = client
        self._account = account
        self._jobs = jobs
        self._changes = changes
        self._alone = alone
        self._heed = heed
        self._tickets = tickets
        self._present = present
        self._clock = clock
        self._has_events = has_events
        self._together = Together(self._carry)
        #: Those that a job said it had carried out.
        self._landed: dict[OpId, None] = {}
        #: Those of which a job that is over said nothing: they are not left to a job again.
        self._doubtful: dict[OpId, None] = {}
        self._search: asyncio.Task[None] | None = None
        #: Every job that began before then (our clock) is over.
        self._over_since: datetime | None = None

    async def carry(self, intent: Intent, op: UpdateTicket) -> Answer:
        """Update one ticket, in one request with those that are asked for at the same moment where
        it has company. Raises what `Connector.write` may.
        """
        if not self._may_share(intent, op) or op.op_id in self._doubtful:
            return await self._alone(intent, op)
        return await self._together.add((intent, op))

    async def close(self) -> None:
        """Leave what is under way; it is looked for by whoever comes next."""
        await self._together.close()
        if self._search is not None:
            self._search.cancel()
            await asyncio.gather(self._search, return_exceptions=True)

    def _may_share(self, intent: Intent, op: UpdateTicket) -> bool:
        if intent.company < FEWEST_ROWS or intent.precondition is None:
            # Without a stamp of its own a row would be safe only from its queueing on.
            return False
        if not op.ticket_id.isdecimal():
            return False
        return op.comment is None or (self._has_events and not op.comment.uploads)

    # --- writing ---------------------------------------------------------------------------------

    async def _carry(self, wanted: Sequence[_Wanted]) -> Sequence[Answer | Exception]:
        results: dict[int, Answer | Exception] = {}
        rows: dict[int, _Row] = {}
        for index, (intent, op) in enumerate(wanted):
            try:
                rows[index] = await self._row(intent, op)
            except RemoteError as error:
                results[index] = error
        batches = _batches(rows)
        answers = await asyncio.gather(
            *(self._carry_batch([rows[index] for index in batch]) for batch in batches)
        )
        for batch, said in zip(batches, answers, strict=True):
            results |= dict(zip(batch, said, strict=True))
        return [results[index] for index in range(len(wanted))]

    async def _row(self, intent: Intent, op: UpdateTicket) -> _Row:
        ticket = {"id": int(op.ticket_id), **await self._changes(intent, op)}
        return _Row(intent=intent, op=op, ticket=ticket, size=len(wire.encode(ticket)))

    async def _carry_batch(self, rows: Sequence[_Row]) -> Sequence[Answer | Exception]:
        if len(rows) < FEWEST_ROWS:
            return await asyncio.gather(*(self._carry_one(row) for row in rows))
        try:
            accepted = await self._client.update_tickets(
                bodies.many_updates([row.ticket for row in rows])
            )
        except Rejected:
            # Nothing was written, and which of them is at fault is not told.
            half = len(rows) // 2
            first = await self._carry_batch(rows[:half])
            return [*first, *await self._carry_batch(rows[half:])]
        except RemoteError as error:
            return [error] * len(rows)
        try:
            job = await self._jobs.end_of(accepted.value.job_status)
        except RemoteError as error:
            return [self._unknown(str(error))] * len(rows)
        updated, refused = updated_ids(job), update_refusals(job, self._name)
        await self._complete(refused.values())
        shown = await self._look([row.op.ticket_id for row in rows if row.op.ticket_id in updated])
        return [
            self._result(row, row.op.ticket_id in updated, refused.get(row.op.ticket_id), shown)
            for row in rows
        ]

    async def _complete(self, refused: Iterable[RemoteError]) -> None:
        """What is missing by its title; by its number where the desk cannot be asked."""
        for error in refused:
            if isinstance(error, Rejected):
                with contextlib.suppress(RemoteError):
                    await self._heed(error)

    async def _carry_one(self, row: _Row) -> Answer | Exception:
        try:
            return await self._alone(row.intent, row.op)
        except RemoteError as error:
            return error

    def _result(
        self,
        row: _Row,
        is_updated: bool,
        refusal: RemoteError | None,
        shown: Mapping[str, Sighting],
    ) -> Answer | Exception:
        op = row.op
        if refusal is not None and not is_updated:
            return refusal
        if refusal is not None or not is_updated:
            _remember(self._doubtful, op.op_id)
            return self._unknown("the job does not say what became of the update")
        sighting = shown.get(op.ticket_id)
        if op.comment is None:
            if sighting is None:
                return self._unknown("what the update made of the ticket is not known")
            return Answer(ticket_id=op.ticket_id, sighting=sighting, is_read_later=True)
        _remember(self._landed, op.op_id)
        return _unnamed(op, sighting)

    async def _look(self, numbers: Sequence[str]) -> Mapping[str, Sighting]:
        """The tickets as they are now; none where the desk cannot be asked."""
        try:
            read = await self._tickets.many(numbers)
        except RemoteError:
            return {}
        # The feed tells what others said meanwhile; without one, the thread must be read.
        return {shown.ticket_id: replace(shown, is_read=not self._has_events) for _, shown in read}

    # --- looking ---------------------------------------------------------------------------------

    async def find(
        self, intent: Intent, op: UpdateTicket, shown: Snapshot | None
    ) -> Finding | None:
        """What became of an update that may have shared a request; None where the ticket is to be
        read as after any other lost answer.

        Raises `OutcomeUnknown` while a job that may carry it is at work.
        """
        if not self._may_share(intent, op):
            return None
        if shown is not None and op.comment is not None:
            our_id = await self._account.our_id()
            answer = named_update(intent, op, shown, our_id=our_id)
            if answer is not None:
                return Finding(fate=Fate.FOUND, answer=answer)
        if op.op_id not in self._landed:
            await self._all_over(intent)
        elif not await self._is_overdue(intent, shown):
            return Finding(fate=Fate.FOUND, answer=_unnamed(op, None))
        return None

    async def _is_overdue(self, intent: Intent, shown: Snapshot | None) -> bool:
        """Whether the feed has passed the update without naming its comment, or stands still."""
        if self._clock.now() - intent.sent_at > NAMING_PATIENCE or shown is None:
            return True
        ahead = await self._present() - self._clock.now()
        began = second_of(intent.sent_at + ahead) + DOUBT_SECONDS
        return shown.ticket.comments_as_of >= max(began, shown.ticket.fields_as_of)

    async def _all_over(self, intent: Intent) -> None:
        """Return when no job that began before the intent could be given up is at work; those who
        wait go on at one moment.
        """
        late = intent.sent_at + LATE_JOB
        while self._over_since is None or self._over_since < late:
            if self._search is None:
                self._search = asyncio.create_task(self._see_all_over(late))
            await asyncio.shield(self._search)

    async def _see_all_over(self, late: datetime) -> None:
        leave_run()
        try:
            # A request may still arrive a while after whoever sent it gave up or died.
            left = (late - self._clock.now()).total_seconds()
            if left > 0:
                # A moment longer: those who left with it then need no search of their own.
                await self._clock.sleep(left + 1.0)
            began = self._clock.now()
            await self._jobs.all_over()
            self._over_since = began
        finally:
            self._search = None

    def _unknown(self, message: str) -> OutcomeUnknown:
        return OutcomeUnknown(message, connection=self._name, action="update tickets")


def _batches(rows: Mapping[int, _Row]) -> list[list[int]]:
    """The rows in their order, as many together as one request may carry, no ticket twice."""
    batches: list[list[int]] = []
    size, tickets = 0, set[str]()
    for index, row in rows.items():
        is_full = len(tickets) == MOST_ROWS or size + row.size > MOST_BODY_BYTES
        if not batches or is_full or row.op.ticket_id in tickets:
            batches.append([])
            size, tickets = 0, set()
        batches[-1].append(index)
        tickets.add(row.op.ticket_id)
        size += row.size
    return batches


def _unnamed(op: UpdateTicket, sighting: Sighting | None) -> Answer:
    return Answer(
        ticket_id=op.ticket_id,
        sighting=sighting or Sighting(ticket_id=op.ticket_id),
        is_named=False,
        is_read_later=True,
    )


def _remember(known: dict[OpId, None], op_id: OpId) -> None:
    known[op_id] = None
    while len(known) > _MOST_REMEMBERED:
        del known[next(iter(known))]
