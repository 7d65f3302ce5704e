"""Carry out one write, in the order in which a crash between two requests is found again.

Fields alone: one guarded PUT. A comment, and status and tags beside it: one POST, behind a look at
the ticket, because RT takes no precondition there; RT sets the status after the comment, so its own
opening of closed tickets does not undo it. A hand-off moves the ticket first, guarded; the comment
follows, and until it is there the write is not found. What RT did is read back, never believed:
it answers 201 to a status that its lifecycle forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from connectors.request_tracker import forms, wire
from connectors.request_tracker.bodies import Body, by_transaction, to_files
from connectors.request_tracker.client import RequestTrackerClient, Shown
from connectors.request_tracker.files import RequestTrackerFiles
from connectors.request_tracker.mapping import (
    AUDIENCES,
    STATUS,
    SYSTEM,
    stamp_of,
    to_views,
)
from connectors.request_tracker.queues import Queues
from connectors.request_tracker.replay import after
from connectors.request_tracker.settings import DELETED, Settings
from connectors.request_tracker.thread import Since, ThreadReader
from connectors.request_tracker.told import Told
from connectors.richtext import sanitise
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    Refusal,
    Rejected,
    RemoteError,
    Stale,
)
from syncd.core.model import Audience, CommentId, ConnectionName, Sighting
from syncd.core.operations import Answer, Intent, UpdateTicket

_KINDS = {True: "correspond", False: "comment"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Landed:
    """A write that RT has taken: the comment's transaction, where it had a comment."""

    intent: Intent
    op: UpdateTicket
    comment: int | None
    #: The ticket as it was looked at before; None where nobody looked.
    before: Shown | None = None

    @property
    def version(self) -> int:
        """The transaction behind which the write's own are."""
        return wire.number(self.intent.precondition or 0)


class Writer:
    """The writes to one RT."""

    def __init__(
        self,
        name: ConnectionName,
        *,
        client: RequestTrackerClient,
        settings: Settings,
        threads: ThreadReader,
        queues: Queues,
        files: RequestTrackerFiles,
        told: Told,
    ) -> None:
        self._told = told
        self._name = name
        self._client = client
        self._settings = settings
        self._threads = threads
        self._queues = queues
        self._files = files
        # A comment of ours was stored without its stamp.
        self._is_blind = False

    async def write(self, intent: Intent, op: UpdateTicket) -> Answer:
        """Send one write, once; see `syncd.ports.Connector.write`."""
        landed = await self._send(intent, op)
        try:
            return await self.answer(landed)
        except Rejected:
            raise
        except Gone:
            if landed.comment is None:
                raise
            raise OutcomeUnknown(
                "written, and then the ticket was gone",
                connection=self._name,
                action="write ticket",
            ) from None
        except RemoteError as error:
            raise OutcomeUnknown(
                "written, but not read back", connection=self._name, action="write ticket"
            ) from error

    # --- sending ---------------------------------------------------------------------------------

    async def _send(self, intent: Intent, op: UpdateTicket) -> Landed:
        if op.comment is None:
            body = forms.change(op, fields=self._fields(intent, op), move=self._move(op))
            await self._client.put_ticket(op.ticket_id, body, version=intent.precondition)
            return Landed(intent=intent, op=op, comment=None)
        await self._ensure_stamps()
        files = self._files.taken(op.comment.uploads)
        before = None
        if op.leave_view is None:
            before = await self._look(intent, op)
        else:
            move = forms.change(replace(op, status=None), fields={}, move=self._move(op))
            await self._client.put_ticket(op.ticket_id, move, version=intent.precondition)
        body = forms.message(
            op.comment,
            stamp=intent.stamp,
            stamp_field=self._settings.stamp_field,
            status=op.status,
            fields=self._fields(intent, op),
        )
        boundary = forms.a_boundary()
        try:
            number = await self._client.post_message(
                op.ticket_id,
                _KINDS[op.comment.audience is Audience.PUBLIC],
                body=None if files else body,
                form=forms.form(body, files, boundary) if files else None,
                boundary=boundary,
            )
        except Rejected as error:
            await self._ensure_there(op, error)
            raise
        self._files.forget(op.comment.uploads)
        return Landed(intent=intent, op=op, comment=number, before=before)

    async def _ensure_stamps(self) -> None:
        """Refuse to write what could not be found again, should its answer be lost."""
        lacking = await self._queues.lack_stamps()
        if not (lacking or self._is_blind):
            return
        # Asked again by a person, it is tried again.
        self._is_blind = False
        where = ", ".join(lacking) or ", ".join(self._settings.followed)
        raise Rejected(
            "comments could not be found again",
            connection=self._name,
            action="write comment",
            hint=f"Apply the transaction custom field {self._settings.stamp_field!r} to the queues"
            f" {where} and let syncd's user see and modify it; `syncd doctor` says how. Then"
            " `syncd retry PAIR`.",
        )

    async def _look(self, intent: Intent, op: UpdateTicket) -> Shown:
        """The ticket right before a comment: RT would take one for a deleted ticket, too, and gives
        one for a merged ticket to the other.
        """
        shown = await self._threads.shown(op.ticket_id)
        if shown is None or shown.ticket.status == DELETED:
            raise Gone("the ticket is gone", connection=self._name, action="write comment")
        is_other = str(shown.ticket.id) != op.ticket_id
        if is_other or str(shown.version) != intent.precondition:
            raise Stale("the ticket has moved", connection=self._name, action="write comment")
        return shown

    async def _ensure_there(self, op: UpdateTicket, error: Rejected) -> None:
        """RT's 400 is about a ticket that is not there, too: then raise `Gone`."""
        if error.status != HTTPStatus.BAD_REQUEST:
            return
        try:
            shown = await self._threads.shown(op.ticket_id)
        except RemoteError:
            return
        if shown is None:
            raise Gone("the ticket is gone", connection=self._name, action="write comment")

    def _fields(self, intent: Intent, op: UpdateTicket) -> Mapping[str, object]:
        if self._settings.tags_field is None or not (op.add_tags or op.remove_tags):
            return {}
        tags = (intent.tags_before - op.remove_tags) | op.add_tags
        return {self._settings.tags_field: sorted(tags)}

    def _move(self, op: UpdateTicket) -> Mapping[str, str]:
        if op.leave_view is None:
            return {}
        there = self._settings.hand_off
        return {"Queue": there.queue} if there.queue is not None else {"Owner": there.owner or ""}

    # --- reading back ----------------------------------------------------------------------------

    async def answer(self, landed: Landed, *, is_found: bool = False) -> Answer:
        """What became of a write that landed: what RT shows of it now.

        Where the comment is there and the fields beside it are not, the answer is silent about the
        fields, and they are planned again. Raises `Rejected` for a status alone that was refused.
        """
        op = landed.op
        since = await self._threads.since(op.ticket_id, after=landed.version)
        shown = None if landed.before is None else after(landed.before, since.news)
        shown = shown or await self._threads.settled(op.ticket_id, known=since.top)
        if shown is None:
            raise Gone("the ticket is gone", connection=self._name, action="write ticket")
        sighting = await self._threads.sighting(
            op.ticket_id,
            shown,
            since,
            bodies=await self._own(landed, is_found=is_found),
        )
        if landed.comment is None:
            self._ensure_status(op, shown, since)
            if shown.version >= since.top:
                self._told.add(row.number for row in since.news)
            return Answer(
                ticket_id=op.ticket_id,
                sighting=sighting,
                replaced_status=_replaced(op, since, landed.version),
                is_read_later=_is_touched(since),
            )
        row = next((row for row in since.rows if row.number == landed.comment), None)
        if row is not None and stamp_of(row, self._settings.stamp_field) != landed.intent.stamp:
            self._is_blind = True
        stored = Audience.LOCAL if row is None else AUDIENCES.get(row.kind, Audience.LOCAL)
        is_whole = self._has_fields(op, shown, since, landed.comment)
        if is_whole and shown.version >= since.top:
            self._told.add(row.number for row in since.news)
        return Answer(
            ticket_id=op.ticket_id,
            sighting=sighting if is_whole else _without_fields(sighting, since.top),
            comment_ids=(CommentId(str(landed.comment)),),
            stored=(stored,),
            replaced_status=_replaced(op, since, landed.comment),
            is_read_later=_is_touched(since, landed.comment),
        )

    async def _own(self, landed: Landed, *, is_found: bool) -> Mapping[int, Body]:
        """Our own comment's body, which need not be read; its files get their numbers from RT."""
        draft = landed.op.comment
        if landed.comment is None or draft is None or is_found:
            return {}
        html = sanitise(forms.to_body(draft.html))
        if not draft.uploads:
            return {landed.comment: Body(html=html)}
        parts = by_transaction(await self._client.parts([landed.comment]))
        files = to_files(parts.get(landed.comment, []), self._settings.url)
        return {landed.comment: Body(html=html, files=files)}

    def _ensure_status(self, op: UpdateTicket, shown: Shown, since: Since) -> None:
        if op.status is None or shown.ticket.status == op.status:
            return
        if was_set(op.status, since.news):
            # Somebody has gone on from it already.
            return
        raise Rejected(
            "the status was not taken",
            connection=self._name,
            action="write ticket",
            field="Status",
            refusal=Refusal.STATUS,
            hint="The queue's lifecycle does not lead there, or syncd's user lacks the right"
            " ModifyTicket: set the status in RT, or map another one, then `syncd retry PAIR`.",
        )

    def _has_fields(self, op: UpdateTicket, shown: Shown, since: Since, comment: int) -> bool:
        """Whether what goes with a comment was carried out, whatever came after it."""
        if op.leave_view is not None and op.leave_view in to_views(shown.ticket, self._settings):
            return False
        if op.status is None or shown.ticket.status == op.status:
            return True
        return was_set(op.status, [row for row in since.rows if row.number > comment])


def was_set(status: str, rows: Iterable[wire.Transaction]) -> bool:
    """Whether the ticket got that status in one of the transactions, whatever came after."""
    return any(row.kind == STATUS and str(row.new) == status for row in rows)


def _is_touched(since: Since, comment: int | None = None) -> bool:
    """Whether others did something between our write and the look at what became of it.

    A change of fields is guarded: what comes first after its version is ours.
    """
    ours = [row for row in since.news if comment is None or row.number == comment][:1]
    known = {SYSTEM, *(str(row.creator.id) for row in ours)}
    return any(str(row.creator.id) not in known for row in since.news)


def _replaced(op: UpdateTicket, since: Since, begin: int) -> str | None:
    """The status that ours replaced. What RT opened by itself on our comment was not a person's."""
    if op.status is None:
        return None
    steps = [row for row in since.rows if row.kind == STATUS and row.number > begin]
    ours = next((index for index, row in enumerate(steps) if str(row.new) == op.status), None)
    if ours is None:
        return None
    while ours > 0 and str(steps[ours - 1].creator.id) == SYSTEM:
        ours -= 1
    return None if steps[ours].old is None else str(steps[ours].old)


def _without_fields(sighting: Sighting, top: int) -> Sighting:
    return replace(sighting, ticket=None, status_update=None, moved_at=top)
