"""What became of a write whose answer was lost: a comment is found by its stamp, fields in the
history.

A PUT is guarded: once its precondition is spent it never lands late. It did land where each field
first became what it asked for; if somebody else was faster with the very same, that is all one. A
comment has no precondition: as long as RT may still carry it out (`late_writes`), that it is not
there proves nothing, and it is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connectors.request_tracker import queries, wire
from connectors.request_tracker.client import RequestTrackerClient, Shown
from connectors.request_tracker.mapping import FIELD, STATUS, stamp_of
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
            rows = await self._stamped(intent, op)
            if any(stamp_of(row, self._settings.stamp_field) != intent.stamp for row in rows):
                # RT gave rows that it was not asked for, or hides their stamps from us.
                return Finding(fate=Fate.AMBIGUOUS)
            numbers = {row.number for row in rows}
            if len(numbers) > 1:
                return Finding(fate=Fate.AMBIGUOUS)
            if numbers:
                return await self._found(Landed(intent=intent, op=op, comment=numbers.pop()))
        shown = await self._threads.shown(op.ticket_id)
        is_spent = shown is None or str(shown.version) != intent.precondition
        # A hand-off's comment leaves only once the ticket has been moved, which is refusable.
        has_left = op.comment is not None and (op.leave_view is None or is_spent)
        if shown is not None and is_spent and await self._has_landed(intent, op, shown):
            return await self._found(Landed(intent=intent, op=op, comment=None))
        if has_left:
            self._ensure_settled(intent)
        return Finding(fate=Fate.ABSENT if is_spent else Fate.REPEATABLE)

    async def _found(self, landed: Landed) -> Finding:
        try:
            answer = await self._writer.answer(landed, is_found=True)
        except Gone:
            return Finding(fate=Fate.ABSENT)
        return Finding(fate=Fate.FOUND, answer=answer)

    async def _has_landed(self, intent: Intent, op: UpdateTicket, shown: Shown) -> bool:
        """Whether a write of fields alone was carried out, as the history tells."""
        if op.comment is not None or op.leave_view is not None:
            return False
        begin = wire.number(intent.precondition or 0)
        news = (await self._threads.since(op.ticket_id, after=begin)).news
        statuses = [str(row.new) for row in news if row.kind == STATUS]
        if op.status is not None and statuses[:1] != [op.status]:
            return False
        first = self._first_of_tags(news, shown)
        added, removed = op.add_tags - intent.tags_before, op.remove_tags & intent.tags_before
        is_whole = all(first.get(tag) is True for tag in added)
        return is_whole and all(first.get(tag) is False for tag in removed)

    def _first_of_tags(self, news: Iterable[wire.Transaction], shown: Shown) -> Mapping[str, bool]:
        """What became of each tag first: True where it was added, False where it was removed."""
        name = self._settings.tags_field
        ids = {str(field.id) for field in shown.ticket.custom_fields if field.name == name}
        first: dict[str, bool] = {}
        for row in news:
            if row.kind == FIELD and str(row.field_name) in ids:
                for tag, is_added in ((row.old, False), (row.new, True)):
                    first.setdefault(str(tag or ""), is_added)
        return first

    async def _stamped(self, intent: Intent, op: UpdateTicket) -> Sequence[wire.Transaction]:
        if read_stamp(intent.stamp) is None:
            return ()
        query = queries.with_stamp(
            wire.number(op.ticket_id), self._settings.stamp_field, intent.stamp
        )
        return (await self._client.history(query)).rows

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
