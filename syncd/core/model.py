"""The values that the rules speak about: tickets as desks showed them, and what goes on record.

What both sides agreed on is `agreed`'s.

All of them are frozen; a change is a new value.
Times are aware UTC and belong to the desk that showed them; times of two desks are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from syncd.core.attachment import Attachment

ConnectionName = NewType("ConnectionName", str)
LinkName = NewType("LinkName", str)
PairId = NewType("PairId", int)
TicketId = NewType("TicketId", str)
CommentId = NewType("CommentId", str)
#: What a desk changed together: a Zendesk audit, a platform update.
UpdateId = NewType("UpdateId", str)
OpId = NewType("OpId", str)
#: The mark inside our own write by which it is found again.
Stamp = NewType("Stamp", str)


class Side(StrEnum):
    """The two ends of a link."""

    PLATFORM = "platform"
    PARTNER = "partner"

    @property
    def other(self) -> Side:
        return Side.PARTNER if self is Side.PLATFORM else Side.PLATFORM


class Status(StrEnum):
    """The canonical statuses, in which two desks are compared."""

    OPEN = "open"
    WITH_CUSTOMER = "with_customer"
    CLOSED = "closed"

    @property
    def openness(self) -> int:
        """Higher is more open; a conflict under `more_open` goes to the higher one."""
        return {Status.OPEN: 2, Status.WITH_CUSTOMER: 1, Status.CLOSED: 0}[self]


class Audience(StrEnum):
    """Who may read a comment, from widest to narrowest."""

    PUBLIC = "public"
    #: Staff of the platform and agents of this link's partner.
    SHARED = "shared"
    #: People of one desk only; never relayed.
    LOCAL = "local"


#: Stands in hints for a comment whose id was not told; no comment has it.
SOME_COMMENT = CommentId("?")


class Role(StrEnum):
    """What a person is on the desk where they wrote."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMIN = "admin"
    LIGHT_AGENT = "light_agent"
    STAFF = "staff"
    PARTNER = "partner"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class End(StrEnum):
    """Whether a ticket can still be worked on, and if not, how it ended."""

    ALIVE = "alive"
    #: Zendesk `closed`: readable for ever, never writable again.
    FINAL = "final"
    MERGED = "merged"
    DELETED = "deleted"
    SPAM = "spam"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who wrote or asked; no address, because none may travel by accident."""

    person_id: str
    name: str
    role: Role = Role.UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """One comment as its desk shows it."""

    comment_id: CommentId
    #: The update that brought it; None where the desk did not say.
    update_id: UpdateId | None
    author: Person
    #: The account that made the update, which differs from the author when one writes for another.
    writer_id: str | None
    audience: Audience
    #: Partner views that may read a shared comment; None on desks without views.
    views: frozenset[str] | None = None
    #: Sanitised HTML; None once the body is no longer held.
    html: str | None
    created_at: datetime
    #: The desk's own order where it counts (a version); 0 where times and then ids tell.
    position: int = 0
    attachments: tuple[Attachment, ...] = ()
    #: Our own mark, where the desk lets us read it.
    stamp: Stamp | None = None
    #: Something was taken out of the text or its files after it was written.
    is_redacted: bool = False
    #: Written publicly and made narrower since.
    was_public: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusUpdate:
    """The update that gave a ticket its present status."""

    status: str
    update_id: UpdateId | None
    actor_id: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A ticket's fields as its desk showed them, and how far that knowledge reaches.

    `fields_as_of` and `comments_as_of` are the desk's own order (a version, or whole seconds of
    its clock); they are compared with each other and never with another desk's.
    """

    ticket_id: TicketId
    subject: str
    #: The desk's own value, not the canonical one.
    status: str
    tags: frozenset[str]
    requester: Person
    created_at: datetime
    updated_at: datetime
    #: What a write names so that it is refused when the ticket has moved.
    precondition: str
    #: False while a later change could still hide behind the same precondition.
    is_confirmed: bool
    fields_as_of: int
    #: Every comment up to here is in the mirror; 0 means that the thread was never read.
    comments_as_of: int = 0
    #: Two readings of one instant differ: read again before planning.
    is_stale: bool = False
    #: Comments that a desk told of and the mirror does not hold; `SOME_COMMENT` where it did not
    #: say which.
    hinted: frozenset[CommentId] = frozenset()
    #: Partner views that hold the ticket now; empty on desks without views.
    views: frozenset[str] = frozenset()
    metadata: tuple[tuple[str, str], ...] = ()
    metadata_as_of: datetime | None = None
    url: str = ""
    end: End = End.ALIVE
    #: Where a merged ticket went.
    merged_into: TicketId | None = None
    #: Tickets that go on from this one since it is closed for good, whoever made them.
    follow_ups: frozenset[TicketId] = frozenset()
    status_update: StatusUpdate | None = None

    @property
    def is_comment_hinted(self) -> bool:
        """Whether a comment came, or changed, that the mirror does not hold: the thread is due."""
        return bool(self.hinted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A ticket and its comments in the desk's order, as the mirror holds them."""

    ticket: Ticket
    comments: tuple[Comment, ...] = ()
    #: How many of them stand in tickets that this one goes on from.
    earlier_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of a desk's own order: everything after `after` up to and with `to` was seen."""

    after: int
    to: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """What one answer, feed row or webhook proves about one ticket."""

    ticket_id: TicketId
    #: None when only comments were seen.
    ticket: Ticket | None = None
    comments: tuple[Comment, ...] = ()
    #: The stretch for which `comments` is complete; None when it proves nothing of the kind.
    covers: Span | None = None
    #: Comments that exist without being carried here; a hint only where the mirror does not hold
    #: them.
    hinted: tuple[CommentId, ...] = ()
    #: True for a direct read, which settles a disagreement between two earlier sightings.
    is_read: bool = False
    status_update: StatusUpdate | None = None
    #: The ticket was updated at this place of its desk's order, whatever of that is shown here:
    #: where the mirror does not reach as far, it has to be read.
    moved_at: int | None = None
    #: The desk showed something of the ticket that could not be understood: what the mirror knows
    #: is enough no longer, and the ticket is read anew as a whole.
    is_unreadable: bool = False
    #: The ticket is taken for gone, but only a read of its own may have consequences: a list leaves
    #: it out, or it was found gone a while ago.
    is_missing: bool = False
    #: The desk was put back to an older state than the mirror's: what it shows now counts.
    is_set_back: bool = False
    #: Where the thread says that the ticket was merged into.
    merged_into: TicketId | None = None
    #: Follow-ups of the ticket, seen as tickets of their own.
    follow_ups: tuple[TicketId, ...] = ()


class Ball(StrEnum):
    """Who must act next."""

    PARTNER = "partner"
    PLATFORM = "platform"
    CUSTOMER = "customer"
    NOBODY = "nobody"


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Both sides changed one value differently; both values are kept for the record."""

    name: str
    base: str
    platform: str
    partner: str
    result: str
    #: Which rule decided: more_open, platform, partner, merged or overwritten.
    rule: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """One line of the timeline, without text; `at` is the desk's time, None for what we decided."""

    name: str
    side: Side | None
    before: str
    after: str
    actor: Role = Role.SYSTEM
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A comment that waits for a person, with all that follow it in its direction."""

    side: Side
    comment_id: CommentId
    reason: str
