"""Operations: the writes that a plan asks for, as data, and what an answer to one of them says.

An operation can be printed, stored as JSON and compared. It names no precondition: that belongs
to the moment of sending and is journaled beside it as an `Intent`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.core.agreed import FileState
from syncd.core.attachment import Attachment
from syncd.core.model import (
    Audience,
    CommentId,
    ConnectionName,
    OpId,
    PairId,
    Person,
    Side,
    Sighting,
    Stamp,
    TicketId,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftFile:
    """A file that goes with a comment, and how far it has got."""

    #: Which file of which comment on the other side: its name for ever.
    comment_id: CommentId
    ordinal: int
    #: Harmless to show and to send on.
    file: Attachment
    state: FileState = FileState.WANTED
    #: By what the desk knows the bytes that it was given ahead of the comment.
    upload: str = ""
    sha256: str = ""
    #: An `AttachmentReason` value where the placeholder says one.
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A comment to be written: ready HTML, attribution included where the desk cannot hold the
    author.
    """

    html: str
    audience: Audience
    #: The view that may read it on a desk with views; None elsewhere and for public ones.
    view: str | None = None
    #: The true author and time, for desks that can hold them.
    author: Person | None = None
    occurred_at: datetime | None = None
    #: What this person is called on every ticket of the target's desk; empty if nobody knows.
    author_key: str = ""
    #: The line at the head of `html` that names author and time; empty where there is none.
    attribution: str = ""
    #: The comment on the other side that this one copies; None for a note.
    source_id: CommentId | None = None
    #: Which note of ours this is; None for a copy.
    note_key: str | None = None
    #: Comments of the other side whose text this note carries along (a digest of older history).
    digested_ids: tuple[CommentId, ...] = ()
    #: Files that go with it; those that do not make it are named in its HTML before it leaves.
    files: tuple[DraftFile, ...] = ()
    #: The copied comment had been redacted already.
    is_redacted: bool = False

    @property
    def uploads(self) -> tuple[str, ...]:
        """What the desk is to attach, in order."""
        return tuple(file.upload for file in self.files if file.state is FileState.CARRIED)


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateTicket:
    """Make the twin. `comments` holds the first message; for a silent birth, all history."""

    op_id: OpId
    side: Side
    #: The same for every attempt, so that a lost answer is found by listing it.
    external_id: str
    subject: str
    status: str
    tags: frozenset[str]
    requester: Person
    comments: tuple[Draft, ...]
    #: group, brand, form, assignee, by the names people know.
    placement: tuple[tuple[str, str], ...] = ()
    #: priority, type and custom fields, by the names people know, with the values they get.
    fields: tuple[tuple[str, str], ...] = ()
    #: See `Draft.author_key`.
    requester_key: str = ""
    #: The ticket that this one mirrors, and the desk that has it.
    origin: ConnectionName | None = None
    origin_id: TicketId | None = None
    #: No notification, no trigger: history is imported, not sent.
    is_silent: bool = False
    #: The ticket that it goes on from, because that one is closed for good.
    follow_up_of: TicketId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateTicket:
    """One write to one ticket: at most one comment, with the fields that change beside it."""

    op_id: OpId
    side: Side
    ticket_id: TicketId
    comment: Draft | None = None
    status: str | None = None
    add_tags: frozenset[str] = frozenset()
    remove_tags: frozenset[str] = frozenset()
    #: Take the ticket out of this partner view: the hand-off itself.
    leave_view: str | None = None
    is_silent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RestrictComment:
    """Make a public comment private where the desk can, because its origin was made private."""

    op_id: OpId
    side: Side
    ticket_id: TicketId
    comment_id: CommentId
    #: The comment on the other side that was made private.
    source_id: CommentId


Operation = CreateTicket | UpdateTicket | RestrictComment


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """An operation about to leave: what the journal holds before the first byte does.

    `precondition` and `tags_before` are the ticket's at that moment; resending needs the very
    same bytes. `highest_comment_id` is the newest comment known on the target, above which a lost
    write is looked for.
    """

    op: Operation
    pair_id: PairId
    connection: ConnectionName
    stamp: Stamp
    precondition: str | None
    tags_before: frozenset[str]
    status_before: str | None
    highest_comment_id: CommentId | None
    #: Comments on the target that the comment map already explains.
    known_ids: frozenset[CommentId]
    attempt: int
    sent_at: datetime
    #: How many left at the same moment, so that a desk may have got them in one request.
    company: int = 1
    #: It could be part of a loop, see `loop.is_hop`.
    is_hop: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a desk said to a write that landed."""

    ticket_id: TicketId
    #: The ticket after the write, and the comments that it made, ours among them.
    sighting: Sighting
    #: Ids of our comments in the order of the drafts; empty when the write had none.
    comment_ids: tuple[CommentId, ...] = ()
    #: What the desk stored for each of them; None where the answer does not say.
    stored: tuple[Audience | None, ...] = ()
    #: The values that the write replaced, where the desk tells; None when it does not.
    replaced_status: str | None = None
    replaced_tags: frozenset[str] | None = None
    #: False where the desk has not named the comments yet: the write stays on its way, and what its
    #: thread shows is no news, until they are found there.
    is_named: bool = True
    #: The ticket was looked at after the write, by itself: it may show what others did since.
    is_read_later: bool = False


def drafts_of(op: Operation) -> tuple[Draft, ...]:
    """The comments that an operation writes, in order."""
    if isinstance(op, CreateTicket):
        return op.comments
    if isinstance(op, UpdateTicket) and op.comment is not None:
        return (op.comment,)
    return ()


class Fate(StrEnum):
    """What became of a write whose answer was lost."""

    FOUND = "found"
    #: It did not land and never can: its precondition is spent.
    ABSENT = "absent"
    #: It did not land yet and still could: the same bytes may go again.
    REPEATABLE = "repeatable"
    #: Two candidates; a person must look.
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """The result of looking for a lost write."""

    fate: Fate
    answer: Answer | None = None
    #: Where it is ambiguous: the comments that could be the write's, in the desk's order.
    candidates: tuple[CommentId, ...] = ()

    @property
    def is_first_hand(self) -> bool:
        """Whether the desk itself must have said so just now.

        That a write may be repeated, or waits for its comments' ids, can be known from before.
        """
        if self.fate is Fate.FOUND:
            return self.answer is not None and self.answer.is_named
        return self.fate is not Fate.REPEATABLE


def op_id(*parts: str) -> OpId:
    """The id that equal inputs always give; 128 bits in hex, safe in URLs and metadata."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return OpId(digest[:32])


def create_op(pair_key: str, target: Side) -> OpId:
    """The id of the operation that makes the twin."""
    return op_id(pair_key, target.value, "create")


def copy_op(pair_key: str, target: Side, source_id: CommentId) -> OpId:
    """The id of the operation that copies a comment, whenever it is planned."""
    return op_id(pair_key, target.value, "copy", source_id)


def note_op(pair_key: str, target: Side, key: str) -> OpId:
    """The id of the operation that writes a note, whenever it is planned."""
    return op_id(pair_key, target.value, "note", key)
