"""What became of a write whose answer was lost: a comment is found by its stamp, fields by none.

A PUT whose precondition is spent never lands late. A comment has no precondition: as long as RT may
still carry it out (`late_writes`), that it is not there proves nothing, and it is not sent again.
"""

from __future__ import annotations

from connectors.request_tracker import queries, wire
from connectors.request_tracker.client import RequestTrackerClient
from connectors.request_tracker.settings import Settings
from connectors.request_tracker.thread import ThreadReader
from connectors.request_tracker.writes import Landed, Writer
from syncd.core.errors import Gone, OutcomeUnknown
from syncd.core.model import ConnectionName
from syncd.core.operations import Fate, Finding, Intent, UpdateTicket
from syncd.core.stamp import read_stamp
from syncd.ports import Clock


class Finder:
    """Looks for lost writes in one RT."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: RequestTrackerClient,
        settings: Settings,
        threads: ThreadReader,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self._name = name
        self._client = client
        self._settings = settings
        self._threads = threads
        self._writer = writer
        self._clock = clock

    async def find(self, intent: Intent, op: UpdateTicket) -> Finding:
        """One request or two where it is not there; see `syncd.ports.Connector.find`."""
        if op.comment is not None:
            numbers = await self._stamped(intent, op)
            if len(numbers) > 1:
                return Finding(fate=Fate.AMBIGUOUS)
            if numbers:
                return await self._found(Landed(intent=intent, op=op, comment=numbers[0]))
        shown = await self._threads.shown(op.ticket_id)
        is_spent = shown is None or str(shown.version) != intent.precondition
        # A hand-off's comment leaves only once the ticket has been moved, which is refusable.
        has_left = op.comment is not None and (op.leave_view is None or is_spent)
        if has_left:
            self._ensure_settled(intent)
        return Finding(fate=Fate.ABSENT if is_spent else Fate.REPEATABLE)

    async def _found(self, landed: Landed) -> Finding:
        try:
            answer = await self._writer.answer(landed, is_found=True)
        except Gone:
            return Finding(fate=Fate.ABSENT)
        return Finding(fate=Fate.FOUND, answer=answer)

    async def _stamped(self, intent: Intent, op: UpdateTicket) -> list[int]:
        if read_stamp(intent.stamp) is None:
            return []
        query = queries.with_stamp(
            wire.number(op.ticket_id), self._settings.stamp_field, intent.stamp
        )
        rows = (await self._client.history(query)).rows
        return sorted(row.number for row in rows)

    def _ensure_settled(self, intent: Intent) -> None:
        passed = self._clock.now() - intent.sent_at
        if passed < self._settings.late_writes:
            raise OutcomeUnknown(
                "not there, and it may still come",
                connection=self._name,
                action="find comment",
                hint="RT may carry out a comment after its connection broke: syncd waits for"
                " `late_writes` before it sends it again.",
            )
