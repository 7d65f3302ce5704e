"""Everything on record of one pair, as values; without ticket text but for what a run holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncd.core.model import CommentId, ConnectionName, OpId, Side, TicketId, Transition
from syncd.core.report import ConflictRow, DeedRow
from syncd.core.work import Park, Pause, Run


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalRow:
    """One write, on its way (`sent`), answered (`done`) or not landed (`dropped`)."""

    op_id: OpId
    kind: str
    side: Side
    state: str
    attempt: int
    sent_at: datetime
    settled_at: datetime | None
    comment_ids: tuple[CommentId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineRow:
    """A transition, and when we saw it."""

    transition: Transition
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class HandOffRow:
    """One turn of the pair's hand-offs."""

    turn: int
    state: str
    comment_id: CommentId | None
    asked_by: str
    #: The partner desk's time of the comment.
    offered_at: datetime | None
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageRow:
    """A ticket that a side of the pair has or had, in the order they came."""

    side: Side
    connection: ConnectionName
    ticket_id: TicketId
    kind: str
    added_at: datetime
    #: Where people open it; empty while no desk has shown it.
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """One pair, read at one moment; rows newest first, the lineage oldest first."""

    run: Run
    lineage: tuple[LineageRow, ...]
    journal: tuple[JournalRow, ...]
    timeline: tuple[TimelineRow, ...]
    hand_offs: tuple[HandOffRow, ...]
    conflicts: tuple[ConflictRow, ...]
    deeds: tuple[DeedRow, ...]
    #: Of its link.
    stop: Park | None
    pause: Pause | None
