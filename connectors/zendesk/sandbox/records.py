"""What the account holds: people, tickets, comments, audits, files.

Times are whole Unix seconds, as coarse as the vendor's stamps. Only `desk.py` and the rules change
these records; the wire form is made in `wire.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.zendesk.sandbox.settings import Role

# What the wire carries; its shapes are the vendor's and are checked against the vendor's file.
Json = dict[str, Any]

# Zendesk shows what its own rules do under this author.
SYSTEM_ID = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Via:
    """By which door something came."""

    channel: str = "api"
    rel: str | None = None
    # The wire's `source.from` object.
    origin: tuple[tuple[str, int | str], ...] = ()

    def as_json(self) -> Json:
        """The wire form."""
        return {
            "channel": self.channel,
            "source": {"from": dict(self.origin), "to": {}, "rel": self.rel},
        }


@dataclass(kw_only=True, slots=True)
class User:
    """A person; end users may lack an address."""

    id: int
    name: str
    email: str | None
    role: Role
    group_ids: list[int]
    tags: list[str]
    organization_id: int | None
    external_id: str | None
    created_at: int
    updated_at: int
    is_suspended: bool = False
    is_verified: bool = True

    @property
    def is_agent(self) -> bool:
        """Whether the person works at the desk, light agents included."""
        return self.role != "end-user"


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A group, a brand or an organisation."""

    id: int
    name: str
    created_at: int
    tags: tuple[str, ...] = ()


@dataclass(kw_only=True, slots=True)
class Attachment:
    """A stored file."""

    id: int
    file_name: str
    content_type: str
    content: bytes
    key: str
    # When the scanner will be done, by the desk's clock; None for never.
    scanned_at: float | None = None
    scan_result: str = "not_scanned"
    is_inline: bool = False
    is_deleted: bool = False


@dataclass(kw_only=True, slots=True)
class Upload:
    """Files waiting under a token for the comment that takes them."""

    token: str
    expires_at: int
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Comment:
    """One comment as the desk keeps it, rewritten and cut."""

    id: int
    author_id: int
    is_public: bool
    html_body: str
    body: str
    plain_body: str
    created_at: int
    audit_id: int
    via: Via
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Event:
    """One line of an audit. `data` holds the wire's keys beside id and type."""

    id: int
    kind: str
    data: Json
    via: Via | None = None
    comment: Comment | None = None


@dataclass(kw_only=True, slots=True)
class Audit:
    """One update of a ticket."""

    id: int
    ticket_id: int
    author_id: int
    created_at: int
    # When it entered the events feed; differs from created_at for imported history.
    recorded_at: int
    via: Via
    metadata: Json
    events: list[Event] = field(default_factory=list)
    # The ticket was deleted by being marked as spam.
    is_spam: bool = False


@dataclass(kw_only=True, slots=True)
class Ticket:
    """A ticket; the fields a person or the API can set are in `values`."""

    id: int
    values: dict[str, Any]
    custom: dict[int, str | None]
    submitter_id: int
    via: Via
    created_at: int
    updated_at: int
    # Moves with every change, also with those that leave updated_at alone.
    generated_at: int
    # The precise time it entered the account, for the lag of listing and search.
    born: float
    first_public: bool = True
    solved_at: int | None = None
    followup_ids: list[int] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    deleted_at: int | None = None
    deleted_by: int | None = None
    is_scrubbed: bool = False

    @property
    def status(self) -> str:
        """The status as reads show it."""
        return "deleted" if self.deleted_at is not None else str(self.values["status"])

    @property
    def is_public(self) -> bool:
        """Whether the requester can see any of it."""
        return any(comment.is_public for comment in self.comments)

    @property
    def tags(self) -> list[str]:
        """Sorted, as the desk shows them."""
        return list(self.values["tags"])


@dataclass(kw_only=True, slots=True)
class Job:
    """A bulk request on its way."""

    id: str
    kind: str
    total: int
    due: float
    status: Literal["queued", "working", "completed", "failed", "killed"] = "queued"
    message: str | None = None
    results: list[Json] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """An e-mail the desk would have sent."""

    ticket_id: int
    user_id: int
    to: str
    reason: str
    comment_id: int | None
    at: int
