"""The values a platform's desk in miniature keeps: people, tickets, updates, mails, tokens.

Only a ticket changes after it was made, and only `Register.commit` changes it.
What of a value a token may see is `wire`'s concern, not told here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["customer", "staff", "partner", "system", "integration"]
Status = Literal["Open", "With customer", "Closed"]
Visibility = Literal["public", "private"]
Via = Literal["web", "email", "api", "automation"]

ROLES: tuple[Role, ...] = ("customer", "staff", "partner", "system", "integration")
STATUSES: tuple[Status, ...] = ("Open", "With customer", "Closed")
SCOPES = ("tickets:read", "tickets:write", "requesters:email", "webhooks")


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody the platform knows, or, with `id` None, only a name that a writer gave."""

    id: str | None
    name: str
    role: Role
    email: str | None = None
    # Partners: the views whose company they belong to.
    views: frozenset[str] = frozenset()
    # Partners: whether mails about their views reach them ("With notifications").
    is_notified: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A client of the API, with the views and scopes it was given."""

    id: str
    name: str
    secret: str
    views: frozenset[str]
    scopes: frozenset[str] = frozenset(SCOPES)
    # The platform's own eyes, which see everything; only the controls look through them.
    is_staff: bool = False

    def as_person(self) -> Person:
        """The actor of this token's updates."""
        return Person(id=self.id, name=self.name, role="integration")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file named in a comment."""

    id: str
    name: str
    size: int
    content_type: str
    url: str
    # None where the story tells of a file and gives no bytes.
    content: bytes | None = field(default=None, repr=False)


@dataclass(kw_only=True, slots=True)
class Put:
    """A file that a token gave, and whether a comment has it by now."""

    attachment: Attachment
    token_id: str
    put_at: datetime
    is_taken: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """What somebody wrote. Never changed and never removed."""

    author: Person
    visibility: Visibility
    # Private: the provider views that may see it; empty is platform staff only.
    views: frozenset[str]
    body_html: str
    occurred_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """From one value to another; `before` is None when the ticket is made."""

    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """Names that came and went; one that did not change is in neither."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """What somebody wants of a ticket in one update, before the desk's rules looked at it."""

    actor: Person
    via: Via
    comment: Comment | None = None
    status: Status | None = None
    subject: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    add_views: tuple[str, ...] = ()
    remove_views: tuple[str, ...] = ()
    # False mails nobody.
    is_notifying: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """One applied change of a ticket, and its place in the feed of all changes."""

    id: str
    ticket_id: str
    position: int
    version: int
    actor: Person
    via: Via
    at: datetime
    comment: Comment | None = None
    status: Step | None = None
    tags: Delta = Delta()
    views: Delta = Delta()
    subject: Step | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A notification the platform sent, as the ledger shows it."""

    at: datetime
    to: str
    reason: Literal["comment", "escalated", "customer_update"]
    ticket_id: str
    update_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """Where a token wants its changes posted to."""

    id: str
    token_id: str
    url: str
    secret: str
    # None is every update.
    events: tuple[str, ...] | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """An update id that was used: by which token, with which body, and what came of it."""

    writer_id: str
    # Canonical form of the request's body.
    body: str
    # None when the request changed nothing.
    update: Update | None


@dataclass(kw_only=True, slots=True)
class Ticket:
    """A ticket as it is now, with its history."""

    id: str
    number: int
    subject: str
    requester: Person
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, str]
    metadata_as_of: datetime | None
    status: Status = "Open"
    # In the order they were added.
    tags: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    # Every view it was ever in.
    seen_views: set[str] = field(default_factory=set)
    # `updates[n - 1]` has version n.
    updates: list[Update] = field(default_factory=list)
    used_ids: dict[str, Used] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """How many updates it has had."""
        return len(self.updates)
