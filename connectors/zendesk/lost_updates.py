"""An update whose answer was lost, looked for on its ticket: by its stamp, then by what it said.

Under an unspent stamp it may still come and may go again; once the stamp has moved, it never will.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.zendesk.account import Account
from connectors.zendesk.answers import found_update, look_for_update, new_comments
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.mapping import second_of, to_time
from connectors.zendesk.thread import ThreadReader
from connectors.zendesk.ticket import TicketReader
from connectors.zendesk.together import Together
from connectors.zendesk.visibility import read_back
from syncd.core.errors import RemoteError
from syncd.core.model import ConnectionName, Sighting, TicketId
from syncd.core.operations import Fate, Finding, Intent, UpdateTicket
from syncd.ports import Clock

#: Our idea of the desk's clock may be wrong by this much.
DOUBT_SECONDS = 5


class LostUpdates:
    """Those of one account."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: ZendeskClient,
        account: Account,
        threads: ThreadReader,
        statuses: CustomStatuses,
        tickets: TicketReader,
        present: Callable[[], Awaitable[datetime]],
        clock: Clock,
    ) -> None:
        """`present` tells the desk's own time."""
        self._name = name
        self._client = client
        self._account = account
        self._threads = threads
        self._statuses = statuses
        self._tickets = tickets
        self._present = present
        self._clock = clock
        self._together = Together(self._look)

    async def find(self, intent: Intent, op: UpdateTicket) -> Finding:
        """What became of it: one request for all that are looked for at one moment, and one more
        where the ticket has moved or may have moved unseen.

        Raises what a read may raise, and `OutcomeUnknown`.
        """
        fields = await self._together.add(op.ticket_id)
        if fields is None or fields.ticket is None:
            return Finding(fate=Fate.ABSENT)
        has_moved = fields.ticket.precondition != intent.precondition
        gone_or_waiting = Finding(fate=Fate.ABSENT if has_moved else Fate.REPEATABLE)
        since = 0 if intent.precondition is None else second_of(to_time(intent.precondition))
        if not has_moved and (op.comment is None or await self._would_have_moved(intent, since)):
            return gone_or_waiting
        thread = await self._threads.updates(op.ticket_id, since=since)
        if thread is None:
            return Finding(fate=Fate.ABSENT)
        our_id = await self._account.our_id()
        fate, updates = look_for_update(intent, op, thread.updates, our_id=our_id)
        if fate is Fate.AMBIGUOUS:
            return Finding(fate=fate, candidates=new_comments(intent, updates))
        if not updates:
            # Nothing of ours is there: under the old stamp it may still come, else never.
            return gone_or_waiting
        update = updates[0]
        comments = await self._threads.comments(thread.updates)
        sighting = replace(fields, comments=comments, covers=thread.covers)
        ours = [c for c in comments if c.update_id == str(update.audit.id)]
        answer = found_update(intent, op, update, sighting, ours, names=self._statuses.names)
        answer = await read_back(self._client, answer, name=self._name)
        return Finding(fate=Fate.FOUND, answer=answer)

    async def _would_have_moved(self, intent: Intent, stamp: int) -> bool:
        """Whether the update left so late that it would show a later second than its stamp's."""
        if intent.precondition is None:
            return False
        ahead = await self._present() - self._clock.now()
        return second_of(intent.sent_at + ahead) > stamp + DOUBT_SECONDS

    async def close(self) -> None:
        """Leave what is under way."""
        await self._together.close()

    async def _look(self, ticket_ids: Sequence[TicketId]) -> Sequence[Sighting | Exception | None]:
        if len(ticket_ids) == 1:
            return [await self._alone(ticket_ids[0])]
        found = {shown.ticket_id: shown for _, shown in await self._tickets.many(ticket_ids)}
        return [found.get(ticket_id) or await self._alone(ticket_id) for ticket_id in ticket_ids]

    async def _alone(self, ticket_id: TicketId) -> Sighting | Exception | None:
        try:
            return await self._tickets.one(ticket_id)
        except RemoteError as error:
            return error
