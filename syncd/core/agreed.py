"""What both sides last agreed on, and what was decided since and is not written everywhere yet.

A base and its parts, as values: a change is a new value. Tickets as desks showed them are
`model`'s, and how a base changes is told by the modules that change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.core.attachment import Attachment
from syncd.core.model import Audience, CommentId, Side, Status


class Known(StrEnum):
    """Why a comment is no longer news."""

    #: Written by a person and copied to the other side.
    COPIED = "copied"
    #: Written by a person and meant to stay where it is.
    LOCAL = "local"
    #: Written by us: one of our own notes.
    NOTE = "note"
    #: There before the link looked, and not carried (reported by a backfill).
    HISTORIC = "historic"
    #: Stays where it is because a person decided so; with a note's key, a note that is not written.
    IGNORED = "ignored"


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentMapping:
    """One row of the comment map: a comment by a person and its copy, or a note of ours."""

    kind: Known
    #: The side where a person wrote it; for a note, the side that holds it.
    origin: Side
    comment_id: CommentId
    #: The copy on the other side; None when there is none.
    copy_id: CommentId | None = None
    #: Who could read it when it was mapped; a narrower one later is told to the other side.
    audience: Audience
    #: For a note: which one.
    note_key: str | None = None
    #: What was copied had been redacted already, or the other side has been told since.
    is_redacted: bool = False


class FileState(StrEnum):
    """How far a file has got on its way to the other side."""

    #: May travel and has not been tried.
    WANTED = "wanted"
    CARRIED = "carried"
    #: Its comment went without it; it follows by itself.
    OWED = "owed"
    #: It never will; a placeholder said why.
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileMapping:
    """One row of the file map: a file, named by its comment and ordinal, and its copy."""

    origin: Side
    comment_id: CommentId
    #: Its place among the comment's files when it travelled, from 0.
    ordinal: int
    state: FileState
    file: Attachment
    #: Who may read what follows; the comment's audience, or narrower.
    audience: Audience
    #: The comment that holds the copy, and the copy's own id where the desk told it.
    copy_comment_id: CommentId | None = None
    copy_id: str = ""
    #: Of the bytes that were carried. Tells an echo; never used to share a copy.
    sha256: str = ""
    #: Of one that is owed, by our own clock; set by whoever has one.
    owed_since: datetime | None = None
    not_before: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedStatus:
    """A status that a desk would not take: it is owed and waits, comments and tags go on."""

    #: The desk's own value that was refused.
    status: str
    #: `fields_as_of` of the ticket when it was refused, moved on by our own writes since.
    as_of: int
    #: `as_of` of the first refusal, which names the note about it.
    since: int
    #: What the desk wants first, as people there call it; empty where it did not say.
    lacks: tuple[str, ...] = ()
    #: Somebody else has changed the ticket since, or a person asked: it is tried again.
    is_due: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusBase:
    """The agreed status, and the raw value of each side that was last taken into account.

    A side that still shows the seen value, which means another status, is owed a write.
    """

    agreed: Status
    seen: Mapping[Side, str] = field(default_factory=dict)
    #: The side whose wish `agreed` was; None when both had it or nobody knows any more.
    by: Side | None = None
    #: The partner's status differs and is left alone: it was set back once in this hand-off.
    is_let_be: bool = False
    #: Sides that are owed a status and keep theirs, because a person decided so; until somebody
    #: changes it.
    left: frozenset[Side] = frozenset()
    #: What a side's desk would not take.
    refused: Mapping[Side, RefusedStatus] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class TagBase:
    """The agreed shared tags, and per side what it showed and what stays there."""

    agreed: frozenset[str] = frozenset()
    seen: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    #: Shared by pattern, but put there by the desk itself in answer to our write: they stay on
    #: their side.
    kept: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    #: What a write of ours wrongly undid and must give back, whether shared or not.
    owed_add: Mapping[Side, frozenset[str]] = field(default_factory=dict)
    owed_remove: Mapping[Side, frozenset[str]] = field(default_factory=dict)


class HandOffState(StrEnum):
    """Where the ticket is between the partner and the platform's staff."""

    #: In the partner's view.
    NONE = "none"
    #: The partner gave it back; the platform has not confirmed yet.
    OFFERED = "offered"
    #: The platform confirmed: its staff own the ticket.
    HANDED = "handed"
    #: The platform's staff took it back by themselves.
    WITHDRAWN = "withdrawn"
    #: Escalated to another partner: this pair no longer follows.
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class HandOff:
    """The state of the hand-off; `comment_id` names the partner's comment that asked for it."""

    state: HandOffState = HandOffState.NONE
    comment_id: CommentId | None = None
    by: str = ""
    #: The partner desk's time of that comment.
    offered_at: datetime | None = None
    #: When we first saw the offer, by our own clock; set by whoever owns one.
    seen_at: datetime | None = None
    #: The partner's status was set back to open once already during this hand-off.
    is_reopened: bool = False
    #: The platform has been silent for too long; set by whoever owns a clock.
    is_late: bool = False
    #: The partner's ticket carries the ball tag because we put it there.
    is_tag_set: bool = False
    #: Grows by one with each hand-off or return, so that notes of different rounds differ.
    turn: int = 0

    @property
    def is_away(self) -> bool:
        """Whether the ticket is or goes with the platform: the partner's status has no say."""
        return self.state is not HandOffState.NONE


@dataclass(frozen=True, kw_only=True, slots=True)
class OwedNote:
    """A note that was decided and is not yet written; its key makes it once-only."""

    key: str
    side: Side
    #: A `NoteKind` value.
    kind: str
    facts: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """What both sides last agreed on, and what was decided since but not yet written everywhere."""

    status: StatusBase | None = None
    tags: TagBase = field(default_factory=TagBase)
    comments: tuple[CommentMapping, ...] = ()
    files: tuple[FileMapping, ...] = ()
    hand_off: HandOff = field(default_factory=HandOff)
    owed: tuple[OwedNote, ...] = ()
    #: Held comments that a person let go; they travel like any other.
    released: frozenset[CommentId] = frozenset()
