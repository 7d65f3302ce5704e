"""What the engine needs from the outside world, as Protocols owned by their consumer.

Each method names the errors it raises by contract; anything else is a bug.
Adapters live in `connectors`, `syncd.store`, `syncd.workqueue`; they never import each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from syncd.aging import Aging
from syncd.alarm_book import AlarmBook
from syncd.attachments import Attachments
from syncd.core.capabilities import Capabilities
from syncd.core.figures import LinkFigures
from syncd.core.model import (
    ConnectionName,
    LinkName,
    PairId,
    Side,
    Sighting,
    Snapshot,
    TicketId,
)
from syncd.core.operations import Answer, Finding, Intent
from syncd.core.policy import LinkPolicy
from syncd.core.report import (
    ConflictRow,
    FeedSummary,
    LinkSummary,
    RefusedRow,
    StaleRow,
    WebhookNote,
    WebhookSummary,
)
from syncd.core.work import (
    Birth,
    CursorMove,
    Pair,
    PairState,
    Park,
    Run,
    Step,
)
from syncd.deeds import Deeds
from syncd.guards import Guards
from syncd.hook_desk import HookDesk
from syncd.quota import PRIORITY, Budget, Paused, Priority, Reading


class Clock(Protocol):
    """Time, so that tests own it."""

    def now(self) -> datetime:
        """The present, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


# --- connectors --------------------------------------------------------------------------------


class Read(StrEnum):
    """How much of a ticket to fetch."""

    #: The fields alone: one request.
    FIELDS = "fields"
    #: The comments since `Ticket.comments_as_of`, with the updates that brought them: one request
    #: a page.
    THREAD = "thread"
    #: Both.
    WHOLE = "whole"


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """One page of a connection's change feed."""

    sightings: tuple[Sighting, ...]
    #: To be stored only after the sightings are; opaque to all but the connector.
    cursor: str
    #: True when nothing more waits: poll again after the interval.
    is_end: bool
    #: Rows that belong to nobody or could not be used, counted and dropped.
    dropped_count: int = 0
    #: Those of them that could not be understood. Where it is known whose they are, a sighting
    #: says that its ticket is to be read anew.
    unreadable_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a webhook says, once it is believed; nothing where no pair could follow it."""

    sightings: tuple[Sighting, ...] = ()
    #: An event of a type that the desk's documents did not have: to be counted.
    is_unknown: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewPage:
    """Tickets of one platform view, for a backfill."""

    sightings: tuple[Sighting, ...]
    cursor: str | None
    is_end: bool
    #: How many there are in all, where the desk tells.
    total: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One thing that a connection can or cannot do."""

    name: str
    is_ok: bool
    message: str
    hint: str = ""
    #: The command, or several in their order, by which whoever administers the desk adds it.
    remedy: str = ""
    #: When what was asked about ends by itself, unless somebody acts; None where it does not.
    ends_at: datetime | None = None


class Connector(Protocol):
    """One account on one desk.

    Every method may raise `Unreachable`, `RateLimited`, `Unauthorised` or `Unintelligible`;
    further errors are named where they belong. httpx never shows through.
    """

    @property
    def name(self) -> ConnectionName: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def hook(self) -> HookDesk | None:
        """Where webhooks are looked after; None for a kind that cannot."""
        ...

    @property
    def attachments(self) -> Attachments | None:
        """Its files; None on a desk whose files stay where they are."""
        ...

    async def read_changes(self, cursor: str | None) -> Changes:
        """The next page after `cursor`; None starts at the present. One poll is a walk until
        `is_end`.
        """
        ...

    async def fetch(
        self, ticket_id: TicketId, read: Read, *, comments_as_of: int = 0
    ) -> Sighting | None:
        """Read one ticket now; None when the desk has no such ticket (any more).

        Comments at or before `comments_as_of` may be left out. Raises `Stale` of a ticket on the
        move of which nothing can be told for a while.
        """
        ...

    async def fetch_many(self, ticket_ids: Sequence[TicketId]) -> Sequence[Sighting]:
        """The fields of many tickets in few requests; missing ones are simply not in the answer."""
        ...

    def view(
        self,
        view: str,
        *,
        since: datetime | None = None,
        cursor: str | None = None,
        has_threads: bool = False,
    ) -> AsyncIterator[ViewPage]:
        """The tickets of a view, oldest first; empty on desks without views.

        With `has_threads` a page brings along whatever threads the desk gives with it; those that
        it leaves out are for whoever needs them.
        """
        ...

    async def write(self, intent: Intent) -> Answer:
        """Send one write, once.

        Raises `OutcomeUnknown` when it may have landed, `Stale` when its precondition was spent,
        `UploadSpent` when a file that it attaches is no more, `Rejected`, `Gone`; in all but the
        first, and in the shared ones, nothing was written.
        """
        ...

    async def find(self, intent: Intent, *, shown: Snapshot | None = None) -> Finding:
        """What became of a write whose answer was lost, or whose comments have no names yet.

        Reads only; `shown` is what the mirror holds of the ticket, and may be all that it takes.
        Raises `Gone` where the ticket that a creation made is not there any more, and
        `OutcomeUnknown` while it cannot be told.
        """
        ...

    async def read_arrivals(
        self, cursor: str | None, *, since: datetime, about: Sequence[TicketId] = ()
    ) -> Changes:
        """What came to this desk's threads after a moment of our clock, for whoever waits for the
        names of imported comments and follows no feed. None begins at `since`; at the end the
        cursor stays good. There it also says how far each ticket in `about` is known.
        A desk that names comments at once has nothing to tell.
        """
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Heard:
        """What a webhook proves; pure. Header names in lower case.

        Raises `Unauthentic` for a wrong or stale signature, `Unintelligible` for a signed riddle.
        """
        ...

    async def check(self, policies: Sequence[LinkPolicy] = ()) -> Sequence[CheckResult]:
        """Ask the desk what this credential may do, and whether it has what these links name.

        With as few requests as that takes; `policies` are those of the links that use it.
        """
        ...

    async def requester_address(self, ticket_id: TicketId) -> str | None:
        """The e-mail address of a ticket's requester, never kept; None where we may not see it."""
        ...

    async def rights(self) -> Sequence[CheckResult]:
        """The part of `check` that is worth asking at every start; two requests at most."""
        ...

    async def close(self) -> None: ...


# --- store -------------------------------------------------------------------------------------


class Store(Aging, AlarmBook, Deeds, Guards, Protocol):
    """The durable memory. All methods may raise `StoreUnavailable`; a returned write is on disk.

    What people do by hand is `Deeds`, what is counted against floods `Guards`, what they are told
    of `AlarmBook`.
    """

    def tell_commits(self, on_commit: Callable[[float], None]) -> None:
        """Tell from now on how many seconds each transaction took that changed something; from
        any thread.
        """
        ...

    async def take_turn(self) -> None:
        """Return once a write that changes nothing has had its turn."""
        ...

    async def record_sightings(
        self,
        connection: ConnectionName,
        sightings: Sequence[Sighting],
        *,
        side: Side,
        births: Sequence[Birth] = (),
        cursor: CursorMove | None = None,
        quiet_link: LinkName | None = None,
        seen_at: datetime,
    ) -> frozenset[PairId]:
        """Bring the mirror up to date and mark the pairs whose ticket really changed; say which.

        A pair that is parked because a ticket went away goes on once both are there again.
        Tickets in no pair and no birth are not stored. A birth whose (link, ticket) exists is no
        birth; where that pair had ended, it goes on, and both its threads are read anew.
        All in one transaction with the cursor.
        The pairs of `quiet_link` are marked for its backfill, see `Pair.is_quiet`; silent births
        are so marked as well. A feed's news of such a pair marks it for everybody, comments
        included that the backfill has read already and left.
        """
        ...

    async def load_run(self, pair_id: PairId) -> Run | None:
        """Everything about one pair, or None when there is no such pair."""
        ...

    async def step(
        self, pair_id: PairId, token: str, step: Step, *, now: datetime, lease_until: datetime
    ) -> bool:
        """Make one unit of a run durable; True when the pair is dirty afterwards. Raises
        `LeaseLost`.
        """
        ...

    async def known_tickets(
        self, connection: ConnectionName, ticket_ids: Sequence[TicketId]
    ) -> frozenset[TicketId]:
        """Those of some tickets that a living pair holds; the others need not even be decoded."""
        ...

    async def open_tickets(
        self, connection: ConnectionName, after: TicketId, limit: int
    ) -> Sequence[TicketId]:
        """The tickets of living pairs on a connection that may still change, behind `after` in the
        order of their ids as text. Deleted ones are among them: they may be restored.
        """
        ...

    async def release_leases(self, owner: str) -> int:
        """Let go of the leases whose token begins with `owner` and a colon: a dead process's.

        The caller knows that no living process has that name.
        """
        ...

    async def mark(self, pair_ids: Sequence[PairId], *, now: datetime) -> None:
        """Mark pairs dirty, at once: an immediate mark overtakes a back-off."""
        ...

    async def load_due(
        self, now: datetime, *, link: LinkName | None = None, is_quiet: bool = False
    ) -> Sequence[tuple[PairId, datetime | None]]:
        """Active dirty pairs, and those with a lost write, with the moment before which each must
        not run (None: now). Either those that wait for a backfill (`is_quiet`), or the others."""
        ...

    async def load_cursor(self, connection: ConnectionName, feed: str) -> str | None: ...

    async def holders(self, connection: ConnectionName, ticket_id: TicketId) -> frozenset[PairId]:
        """Every pair that has or ever had a ticket of a connection."""
        ...

    def open_pairs(
        self, *, batch: int = 500, lost_since: datetime | None = None
    ) -> AsyncIterator[Sequence[Pair]]:
        """All active pairs with a live ticket on both sides, in batches, for the sweep.

        With those that parked since `lost_since` because a ticket went away: it may be restored.
        """
        ...

    async def find_pairs(
        self,
        *,
        link: LinkName | None = None,
        state: PairState | None = None,
        ticket_id: TicketId | None = None,
        pair_id: PairId | None = None,
        limit: int = 1000,
    ) -> Sequence[Pair]: ...

    async def park_link(self, link: LinkName, park: Park, *, now: datetime) -> None:
        """Stop every pair of a link (a leak alarm)."""
        ...

    async def parked_links(self) -> Mapping[LinkName, Park]: ...

    async def conflicts(
        self, *, link: LinkName | None = None, since: datetime | None = None, limit: int = 1000
    ) -> Sequence[ConflictRow]: ...

    async def stale(self, *, link: LinkName | None = None) -> Sequence[StaleRow]: ...

    async def refused(self, *, link: LinkName | None = None) -> Sequence[RefusedRow]: ...

    async def summaries(self) -> Sequence[LinkSummary]: ...

    async def figures(self) -> Sequence[LinkFigures]:
        """How each link is doing that has pairs, or is stopped or paused; cheap enough to be asked
        again and again.
        """
        ...

    async def feeds(self) -> Sequence[FeedSummary]: ...

    async def tickets_of(
        self, connection: ConnectionName, pair_ids: Collection[PairId]
    ) -> frozenset[TicketId]:
        """The tickets of a connection that some pairs hold or held."""
        ...

    async def note_webhook(self, note: WebhookNote) -> None:
        """Keep what was seen of the webhook by which a desk calls us."""
        ...

    async def webhooks(self) -> Sequence[WebhookSummary]: ...

    async def close(self) -> None:
        """Wait for the units already submitted, then close the file."""
        ...


# --- work queue --------------------------------------------------------------------------------


class WorkQueue(Protocol):
    """Wakes workers; the pair row is the truth. Losing all of it loses nothing but time."""

    def wake(self, pair_id: PairId) -> None:
        """Run this pair soon; while it runs, run it once more afterwards."""
        ...

    def wake_at(self, pair_id: PairId, at: float) -> None:
        """Run it at this moment of the monotonic clock, unless it is woken earlier."""
        ...

    async def take(self) -> PairId:
        """The next pair that no worker holds; waits for one."""
        ...

    def done(self, pair_id: PairId) -> None:
        """The worker lets go of the pair."""
        ...

    def __len__(self) -> int:
        """How many pairs wait."""
        ...


__all__ = [
    "PRIORITY",
    "Birth",
    "Budget",
    "Changes",
    "CheckResult",
    "Clock",
    "Connector",
    "Deeds",
    "Guards",
    "Heard",
    "HookDesk",
    "Paused",
    "Priority",
    "Read",
    "Reading",
    "Store",
    "ViewPage",
    "WorkQueue",
]
