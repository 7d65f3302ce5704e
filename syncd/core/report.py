"""The rows of what is told to people: conflicts, stale tickets, the state of links and feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncd.core.agreed import RefusedStatus
from syncd.core.model import Ball, Conflict, ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import Pause


@dataclass(frozen=True, kw_only=True, slots=True)
class ConflictRow:
    """One recorded conflict, for reports."""

    pair_id: PairId
    link: LinkName
    tickets: Mapping[Side, TicketId | None]
    conflict: Conflict
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedRow:
    """A status that a desk would not take, while its pair goes on."""

    pair_id: PairId
    link: LinkName
    tickets: Mapping[Side, TicketId | None]
    side: Side
    refused: RefusedStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class StaleRow:
    """An open pair whose customer waits for a public answer; times are the platform desk's."""

    pair_id: PairId
    link: LinkName
    tickets: Mapping[Side, TicketId | None]
    ball: Ball | None
    waiting_since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkSummary:
    """One line of `syncd status`."""

    link: LinkName
    pairs: int
    open_pairs: int
    dirty: int
    parked: int
    ended: int
    sent: int
    #: Of those sent, imports whose comments the desk's feed has still to name.
    importing: int
    conflicts: int
    balls: Mapping[str, int]
    #: When the oldest undelivered change was seen; None when all is delivered.
    oldest_dirty_at: datetime | None
    parked_reason: str = ""
    #: By a person; None while it runs. It may be stopped as well.
    pause: Pause | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeedRow:
    """What a person did by hand, as the audit trail has it."""

    at: datetime
    #: `cli:` and the name of the account at the operating system.
    actor: str
    verb: str
    subject: str
    #: In the person's own words; empty where none was given.
    reason: str
    link: LinkName
    pair_id: PairId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedSummary:
    """How far a connection's feed has been read."""

    connection: ConnectionName
    feed: str
    moved_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookSummary:
    """What was last seen of a connection's webhook, and what it missed since the store began."""

    connection: ConnectionName
    state: str
    faults: tuple[str, ...]
    #: When it came into that state.
    since: datetime
    seen_at: datetime
    missed_count: int
    missed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookNote:
    """What is to be kept of a connection's webhook; `missed` adds to what it missed before."""

    connection: ConnectionName
    state: str
    faults: tuple[str, ...]
    missed: int
    seen_at: datetime
