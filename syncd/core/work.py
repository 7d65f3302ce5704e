"""A pair's row, what one run of it starts from, and the steps that it makes durable.

Values only: the store keeps them, the engine makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.core.agreed import Base
from syncd.core.model import (
    Ball,
    CommentId,
    Conflict,
    ConnectionName,
    LinkName,
    OpId,
    PairId,
    Side,
    Sighting,
    Snapshot,
    TicketId,
    Transition,
)
from syncd.core.operations import Intent

#: The reason of a pair that ended because a person unlinked it: no feed lets it go on.
UNLINKED = "unlinked"
#: The reason of a pair that a person parked.
BY_HAND = "by_hand"


class PairState(StrEnum):
    """Whether reconcile may run a pair."""

    ACTIVE = "active"
    #: Stopped until a person acts; marks are remembered.
    PARKED = "parked"
    #: No effect in either direction any more.
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Birth:
    """A platform ticket that a link wants to have a twin for."""

    link: LinkName
    ticket_id: TicketId
    partner_connection: ConnectionName
    #: A birth found by a backfill is silent: imported, not sent. Stored with the pair, for
    #: whoever finishes it.
    is_silent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CursorMove:
    """Where a connection's feed goes on, stored with the sightings that it brought."""

    feed: str
    cursor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One row of the pair table, with its place in the queue."""

    pair_id: PairId
    link: LinkName
    state: PairState
    #: The newest ticket of each side's lineage; the partner's is None until it is created.
    tickets: Mapping[Side, TicketId | None]
    is_silent_birth: bool
    marked_gen: int
    done_gen: int
    not_before: datetime | None
    tries: int
    reason: str = ""
    hint: str = ""
    parked_at: datetime | None = None
    ball: Ball | None = None
    ball_since: datetime | None = None
    linked_since: datetime | None = None
    #: Grows with each step; a run hands it back with its first one.
    revision: int = 0
    #: The last mark, if a backfill made it and nothing else has happened to the pair since.
    quiet_gen: int = 0
    #: The store is older than the desks may be: nothing is written before it is known which of
    #: their comments are ours.
    is_doubtful: bool = False
    #: A person has paused its link: it is marked and not run.
    is_paused: bool = False

    @property
    def is_dirty(self) -> bool:
        return self.marked_gen > self.done_gen

    @property
    def is_quiet(self) -> bool:
        """Whether only a backfill may run the pair: nothing but its own marks waits.

        A live run would send what the backfill leaves for a person to decide.
        """
        return self.is_dirty and self.quiet_gen == self.marked_gen


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """All that one reconcile of one pair needs, read at one moment."""

    pair: Pair
    base: Base
    #: The newest ticket of each side, with the comments of all that it goes on from.
    snapshots: Mapping[Side, Snapshot | None]
    #: Writes that left and whose answer is not recorded.
    sent: tuple[Intent, ...]
    #: Canonical statuses that other pairs of the same platform ticket ask for (not the handed-off
    #: ones).
    sibling_statuses: tuple[str, ...] = ()
    #: Every ticket that the pair has ever had on the partner's side.
    lineage: frozenset[TicketId] = frozenset()
    #: Follow-ups of those, of which the newest may itself be one.
    follow_ups: frozenset[TicketId] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """The end of one intent: `done` with its sighting, or `dropped` because it never landed.

    A body of the source comment that no longer needs delivery goes in the same transaction.
    """

    op_id: OpId
    is_done: bool
    #: For a creation: the ticket that is now the pair's on that side.
    created: tuple[Side, ConnectionName, TicketId] | None = None
    #: Our comments that the write made, for the journal.
    comment_ids: tuple[CommentId, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """A ticket that the pair did not make and goes on in; `kind` is a `Kin` value."""

    side: Side
    connection: ConnectionName
    ticket_id: TicketId
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Park:
    """Stop the pair; `reason` is a fixed word, `hint` a sentence without ticket text."""

    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignored:
    """What a person leaves as it is: the base without it, and lost writes that count as settled."""

    #: `Pair.revision` as it was when that was worked out.
    revision: int
    base: Base
    op_ids: tuple[OpId, ...] = ()
    #: In words, for the audit trail.
    what: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreAge:
    """What a store knows of its own age."""

    #: How often it was committed.
    generation: int
    #: Later commits than these were made once, so nothing may be written before it is recovered.
    is_older: bool
    recovered_at: datetime | None
    #: Living pairs that are doubtful still.
    doubtful: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A link that a person has paused: it is read and marked, and nothing is written for it.

    Apart from a stop (`Park`), which syncd makes and which may hold beside it.
    """

    actor: str
    paused_at: datetime
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weighed:
    """What a store says to drastic changes: they may pass, or the link is stopped."""

    park: Park | None = None
    #: It was stopped just now, and nobody has been told.
    is_news: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One unit of work of a run: everything in it is durable together, or nothing is.

    Order inside: `settled`, `created`, `joined`, `sightings`, `base`, records, `intent`, then the
    pair row.
    The lease is taken or checked with it: `LeaseLost` when another token holds an unexpired one.
    Of a pair that was stopped meanwhile, or whose link was stopped or paused, all but the intent is
    kept and the lease let go, and then it is `LeaseLost`.
    It is let go by whatever ends the run: `done_gen`, `not_before`, `park` or `ends_pair`.
    Its sightings mark the other pairs that they change; the pair itself only when it would
    otherwise be clean while the run goes on, because a run deals with what it saw.
    """

    #: `Pair.revision` as the run loaded it: when the lease has to be taken and another run has
    #: stepped since, the plan is old and the step is refused with `LeaseLost`. None takes the
    #: lease unasked.
    revision: int | None = None
    settled: tuple[Settled, ...] = ()
    #: The ticket of a creation that stays on its way because its comments have no names yet.
    created: tuple[Side, ConnectionName, TicketId] | None = None
    #: Refused with `LeaseLost` where another pair was faster.
    joined: tuple[Joined, ...] = ()
    #: What reads and answers of this run showed, per connection.
    sightings: Mapping[ConnectionName, tuple[Sighting, ...]] = field(default_factory=dict)
    #: None leaves the base as it is.
    base: Base | None = None
    conflicts: tuple[Conflict, ...] = ()
    transitions: tuple[Transition, ...] = ()
    #: The write that leaves next: journaled as `sent`.
    intent: Intent | None = None
    #: A write that is journaled leaves once more: it needs the lease and the leave of people, too.
    is_repeat: bool = False
    #: The generation that this run has dealt with; None when the run goes on.
    done_gen: int | None = None
    #: Come back no earlier than this (aware UTC), because of an error or a wait; None clears it.
    not_before: datetime | None = None
    #: Tries so far; a success sets 0.
    tries: int = 0
    park: Park | None = None
    #: No effect in either direction any more.
    ends_pair: bool = False
    #: Everything on both desks is known for what it is: the pair is doubtful no more.
    is_recovered: bool = False
    ball: Ball | None = None
