"""Zendesk's answers as values of the core. Pure: people and the desk's time are handed in.

Whole seconds since 1970 are Zendesk's order: `fields_as_of` is the second of `updated_at`, and a
reading is confirmed when the desk's clock already showed a later second, because only then can no
further change hide behind the same stamp.
Unknown visibility is private, unknown roles are `UNKNOWN`, unknown audit events are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.richtext import from_text, plain_characters, sanitise
from connectors.zendesk import kin, wire
from connectors.zendesk.status_names import UNNAMED, StatusNames
from syncd.core.attachment import Attachment, Scan
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    End,
    Person,
    Role,
    Stamp,
    StatusUpdate,
    Ticket,
    TicketId,
    UpdateId,
)

#: The key of our stamp in an update's metadata.
STAMP_KEY = "syncd"
SYSTEM_ID = "-1"
#: Put by Zendesk on the source of a merge; from memory, no public page names it.
MERGED_TAG = "closed_by_merge"
_LIGHT_AGENT = 1
_ROLES = {"end-user": Role.CUSTOMER, "agent": Role.AGENT, "admin": Role.ADMIN}
_STATUS_FIELDS = ("status", "custom_status_id")
#: The whole subject of a ticket that was deleted for good.
_SCRUBBED = "SCRUBBED"
#: A comment of these kinds is not carried by the event: it has to be read again.
_SCANS = {
    "not_scanned": Scan.PENDING,
    "malware_not_found": Scan.CLEAN,
    "malware_found": Scan.INFECTED,
    "failed_to_scan": Scan.FAILED,
}
_REDACTING = frozenset({"CommentRedaction", "AttachmentRedaction"})
_MENDING = _REDACTING | {"CommentPrivacyChange"}
#: Zendesk puts it in the place of every letter that was redacted.
REDACTED = "▇"


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """One audit, from a listing, an answer or the events feed."""

    audit: wire.Audit
    at: datetime

    @property
    def second(self) -> int:
        return second_of(self.at)


# --- times and ids -------------------------------------------------------------------------------


def to_time(text: str) -> datetime:
    """A stamp of the desk, aware UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time before the first or after the last year") from None


def _moment(second: int) -> datetime:
    try:
        return datetime.fromtimestamp(second, UTC)
    except (OverflowError, OSError):
        raise ValueError("a second before the first or after the last year") from None


def second_of(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())


def to_stamp(at: datetime) -> str:
    """A time as the desk writes and compares it, whatever fractions a feed may add."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def number_of(comment_id: str) -> int:
    """Comment ids grow with time; one that is no number comes before all."""
    return int(comment_id) if comment_id.isdecimal() else 0


# --- people --------------------------------------------------------------------------------------


def to_person(user: wire.User) -> Person:
    """A user as a person without an address."""
    role = _ROLES.get(user.role or "", Role.UNKNOWN)
    if role is Role.AGENT and user.role_type == _LIGHT_AGENT:
        role = Role.LIGHT_AGENT
    return Person(person_id=str(user.id), name=plain_characters(user.name or ""), role=role)


def stranger(person_id: wire.Id | None) -> Person:
    """Somebody of whom only the id is known; the system has one of its own."""
    number = SYSTEM_ID if person_id is None else str(person_id)
    return Person(
        person_id=number, name="", role=Role.SYSTEM if number == SYSTEM_ID else Role.UNKNOWN
    )


def find_person(people: Mapping[str, Person], person_id: wire.Id | None) -> Person:
    """The known person of that id, else a stranger."""
    return people.get(str(person_id)) or stranger(person_id)


# --- tickets -------------------------------------------------------------------------------------


def to_ticket(
    row: wire.Ticket,
    *,
    seen_at: datetime | None,
    people: Mapping[str, Person],
    base_url: str,
    names: StatusNames = UNNAMED,
) -> Ticket:
    """The fields of a ticket as shown at `seen_at` of the desk's clock. Raises ValueError."""
    updated_at = to_time(row.updated_at)
    status = row.status.lower()
    return Ticket(
        ticket_id=TicketId(str(row.id)),
        subject=plain_characters(row.subject or ""),
        status=names.raw(status, row.custom_status_id),
        tags=frozenset(row.tags),
        requester=find_person(people, row.requester_id),
        created_at=to_time(row.created_at),
        updated_at=updated_at,
        precondition=to_stamp(updated_at),
        is_confirmed=seen_at is not None and second_of(seen_at) > second_of(updated_at),
        fields_as_of=second_of(updated_at),
        url=f"{base_url}/agent/tickets/{row.id}",
        end=to_end(status, row.tags, subject=row.subject),
        follow_ups=frozenset(TicketId(str(number)) for number in row.followup_ids),
    )


def to_end(status: str, tags: Sequence[str], *, subject: str | None = None) -> End:
    """How a ticket ended, as far as its fields tell; a scrubbed one is not to be restored."""
    if status == "scrubbed" or (status == "deleted" and subject == _SCRUBBED):
        return End.GONE
    if status == "deleted":
        return End.DELETED
    if status in {"closed", "archived"}:
        return End.MERGED if MERGED_TAG in tags else End.FINAL
    return End.ALIVE


# --- updates -------------------------------------------------------------------------------------


def to_update(audit: wire.Audit) -> Update:
    """Raises ValueError for an unreadable time."""
    return Update(audit=audit, at=to_time(audit.created_at))


def feed_update(event: wire.TicketEvent) -> Update:
    """An event of the feed as the update it tells of. Raises ValueError for an unreadable time."""
    if event.created_at is not None:
        at = to_time(event.created_at)
    elif event.timestamp is not None:
        at = _moment(event.timestamp)
    else:
        raise ValueError("an event without a time")
    audit = wire.Audit(
        id=event.id,
        created_at=to_stamp(at),
        author_id=event.updater_id,
        metadata=event.metadata,
        events=[_child(child) for child in event.child_events],
    )
    return Update(audit=audit, at=at)


def _child(child: wire.Loose) -> wire.Event:
    kind = str(child.get("event_type") or child.get("type"))
    if kind in {"Create", "Change"}:
        # The changed field is itself a key of the child; only the status is of interest.
        given = [name for name in _STATUS_FIELDS if isinstance(child.get(name), str | int)]
        return wire.Event(
            type=kind,
            field_name=given[0] if given else None,
            value=child.get(given[0]) if given else None,
            previous_value=child.get("previous_value"),
        )
    try:
        return msgspec.convert({**child, "type": kind}, wire.Event)
    except msgspec.ValidationError:
        # Somebody's comment may be in it: whoever can read the whole thread will see.
        return wire.Event(type="CommentRedaction")


def comments_of(update: Update, people: Mapping[str, Person]) -> tuple[Comment, ...]:
    """The comments that an update brought."""
    return tuple(_comment(event, update, people) for event in comment_events(update))


def comment_events(update: Update) -> Iterator[wire.Event]:
    """Ordinary, voice and channel comments alike; those without text or id are none."""
    for event in update.audit.events:
        is_comment = (event.type or "").endswith("Comment")
        has_text = event.html_body is not None or event.body is not None
        if is_comment and has_text and event.id is not None:
            yield event


def _comment(event: wire.Event, update: Update, people: Mapping[str, Person]) -> Comment:
    audit = update.audit
    html = sanitise(from_text(event.body or "") if event.html_body is None else event.html_body)
    is_merge = kin.is_merge(audit.via) or kin.is_merge(event.via)
    author_id = event.author_id if event.author_id is not None else audit.author_id
    return Comment(
        comment_id=CommentId(str(event.id)),
        update_id=UpdateId(str(audit.id)),
        author=find_person(people, author_id),
        writer_id=None if audit.author_id is None else str(audit.author_id),
        # What a merge says by itself may quote a stranger's ticket.
        audience=Audience.LOCAL if is_merge else _audience(event),
        html=html,
        created_at=update.at,
        attachments=tuple(to_attachment(a) for a in event.attachments if not a.deleted),
        stamp=stamp_in(audit),
        is_redacted=REDACTED in html,
    )


def _audience(event: wire.Event) -> Audience:
    return Audience.PUBLIC if event.public is True else Audience.SHARED


def to_attachment(attachment: wire.Attachment) -> Attachment:
    """A file of a comment; its address opens it for anybody, so it is never shown to people."""
    scan = _SCANS.get(attachment.malware_scan_result or "", Scan.UNKNOWN)
    if attachment.malware_access_override and scan is not Scan.INFECTED:
        # An admin of the account has looked at it and lets people have it.
        scan = Scan.CLEAN
    return Attachment(
        attachment_id=str(attachment.id),
        name=plain_characters(attachment.file_name or "file"),
        size=attachment.size or 0,
        content_type=attachment.content_type or "application/octet-stream",
        url="",
        scan=scan,
        source=attachment.content_url or "",
    )


def stamp_in(audit: wire.Audit) -> Stamp | None:
    """Our mark, where the desk lets us read it: `metadata.custom` in audits, bare in the feed."""
    metadata: Any = audit.metadata
    for part in (metadata.get("custom"), metadata) if isinstance(metadata, dict) else ():
        if isinstance(part, dict) and isinstance(value := part.get(STAMP_KEY), str):
            return Stamp(value)
    return None


def status_update_of(update: Update, names: StatusNames = UNNAMED) -> StatusUpdate | None:
    """The status that an update gave its ticket; None when it gave none, or does not tell which."""
    audit = update.audit
    category, custom = (_given(audit, name) for name in _STATUS_FIELDS)
    status = names.given(category, custom)
    if status is None or (category is None and status == replaced_status(audit, names)):
        return None
    return StatusUpdate(
        status=status,
        update_id=UpdateId(str(audit.id)),
        actor_id=None if audit.author_id is None else str(audit.author_id),
        at=update.at,
    )


def _given(audit: wire.Audit, field_name: str) -> str | None:
    """What an update set one of the two fields of the status to, as text in small letters."""
    given = [
        str(event.value).lower()
        for event in audit.events
        if event.type in {"Create", "Change"}
        and event.field_name == field_name
        and isinstance(event.value, str | int)
    ]
    return given[-1] if given else None


def replaced_status(audit: wire.Audit, names: StatusNames = UNNAMED) -> str | None:
    """The status before an update; None when the update did not change it.

    Its category where no more is told, which means the same.
    """
    before, custom = (replaced_value(audit, name) for name in _STATUS_FIELDS)
    category = before.lower() if isinstance(before, str) else names.categories.get(str(custom))
    return None if category is None else names.raw(category, custom)


def redacted_in(update: Update) -> frozenset[str]:
    """The ids of comments from whose text or files an update took something out."""
    return frozenset(
        str(event.comment_id) for event in update.audit.events if event.type in _REDACTING
    )


def merged_into(updates: Iterable[Update]) -> TicketId | None:
    """Where these updates say that their ticket was merged into."""
    for update in updates:
        events = update.audit.events
        is_closing = any(
            event.type == "Change" and event.field_name == "status" and event.value == "closed"
            for event in events
        )
        vias = [update.audit.via, *(event.via for event in events)]
        found = [number for via in vias if (number := kin.merged_with(via)) is not None]
        if is_closing and found:
            return TicketId(found[0])
    return None


def mended_in(update: Update) -> frozenset[CommentId]:
    """Comments that an update made private or redacted; one without an id is an empty word."""
    return frozenset(
        CommentId("" if event.comment_id is None else str(event.comment_id))
        for event in update.audit.events
        if event.type in _MENDING
    )


def people_in(updates: Sequence[Update]) -> frozenset[str]:
    """The ids of everybody who wrote a comment in these updates, the system left out."""
    ids = {
        str(update.audit.author_id if event.author_id is None else event.author_id)
        for update in updates
        for event in comment_events(update)
    }
    return frozenset(number for number in ids if number.isdecimal())


def replaced_value(audit: wire.Audit, field_name: str) -> Any:
    """What a field held before this update; None when the update did not change it."""
    before = [
        event.previous_value
        for event in audit.events
        if event.type == "Change" and event.field_name == field_name
    ]
    # A trigger may change a field again in the same update: the first value is what we replaced.
    return before[0] if before else None
