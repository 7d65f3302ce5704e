"""What the platform's JSON means to the rules, and what a write of theirs is in its JSON.

Pure. Cautious in doubt: whatever is not clearly public is private, whatever is not clearly shared
is for the platform's staff alone.
The order of a ticket and of its comments is the version; times order nothing here, neither `at`,
of which several updates may share one, nor the time that a writer claims for a copied comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from connectors.platform import wire
from connectors.richtext import for_desk, likeness, plain_characters, sanitise
from syncd.core.attachment import Attachment, Scan
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    Person,
    Role,
    Sighting,
    Span,
    Stamp,
    StatusUpdate,
    Ticket,
    TicketId,
    UpdateId,
)
from syncd.core.operations import Answer, Draft, UpdateTicket
from syncd.core.stamp import read_stamp

LONGEST_NAME = 200
#: The platform refuses a comment without text, and people do send them.
_EMPTY = "<p>…</p>"

_ROLES_READ = {
    "customer": Role.CUSTOMER,
    "staff": Role.STAFF,
    "partner": Role.PARTNER,
    "system": Role.SYSTEM,
    "integration": Role.SYSTEM,
}
_ROLES_WRITTEN = {
    Role.CUSTOMER: "customer",
    Role.AGENT: "partner",
    Role.ADMIN: "partner",
    Role.LIGHT_AGENT: "partner",
    Role.PARTNER: "partner",
    Role.STAFF: "staff",
    Role.SYSTEM: "system",
    # Whoever writes in the partner's desk and is not known as its customer speaks for the partner.
    Role.UNKNOWN: "partner",
}

_NARROWED = (
    (re.compile(r"<h[1-6]>"), "<p><strong>"),
    (re.compile(r"</h[1-6]>"), "</strong></p>"),
    (re.compile(r"</?(?:s|del)>"), "~~"),
    (re.compile(r"<hr>"), "<p>———</p>"),
)


# --- reading -------------------------------------------------------------------------------------
_SCANS = {
    "pending": Scan.PENDING,
    "clean": Scan.CLEAN,
    "infected": Scan.INFECTED,
    "failed": Scan.FAILED,
}


def to_ticket(ticket: wire.Ticket) -> Ticket:
    """The ticket; its version is precondition and order at once, so it is always confirmed."""
    return Ticket(
        ticket_id=TicketId(ticket.id),
        subject=plain_characters(ticket.subject),
        status=ticket.status,
        tags=frozenset(ticket.tags),
        requester=_person(ticket.requester),
        created_at=_utc(ticket.created_at),
        updated_at=_utc(ticket.updated_at),
        precondition=quoted(ticket.version),
        is_confirmed=True,
        fields_as_of=ticket.version,
        views=frozenset(ticket.views),
        metadata=tuple(
            (plain_characters(name), plain_characters(value))
            for name, value in ticket.metadata.items()
        ),
        metadata_as_of=None if ticket.metadata_as_of is None else _utc(ticket.metadata_as_of),
        url=_web_address(ticket.url),
    )


def to_comment(update: wire.Update) -> Comment | None:
    """The comment of an update; None when it has none, or none that we may see."""
    comment = update.comment
    if comment is None:
        return None
    audience = to_audience(comment)
    return Comment(
        comment_id=CommentId(update.id),
        update_id=UpdateId(update.id),
        author=_person(comment.author),
        writer_id=update.actor.id or None,
        audience=audience,
        views=frozenset(comment.views) if audience is Audience.SHARED else frozenset(),
        html=sanitise(comment.body_html),
        created_at=_utc(update.at),
        position=update.version,
        attachments=tuple(to_attachment(file) for file in comment.attachments),
        # We choose the ids of our updates, and choose the stamp.
        stamp=None if read_stamp(update.id) is None else Stamp(update.id),
    )


def to_audience(comment: wire.Comment) -> Audience:
    """Who may read it; a public one that names views contradicts itself and counts as private."""
    if comment.visibility == "public" and not comment.views:
        return Audience.PUBLIC
    if comment.visibility in {"public", "private"} and comment.views:
        return Audience.SHARED
    return Audience.LOCAL


def to_status_update(updates: Iterable[wire.Update], ticket: wire.Ticket) -> StatusUpdate | None:
    """The newest of `updates` that changed the status.

    Its id is told only if nothing of the ticket lies beyond `updates`: else the status may have
    been changed and changed back since, and nothing may be decided before that is known.
    """
    found: tuple[wire.Update, str] | None = None
    newest = 0
    for update in updates:
        newest = update.version
        if update.status is not None:
            found = update, update.status.to
    if found is None:
        return None
    update, status = found
    return StatusUpdate(
        status=status,
        update_id=UpdateId(update.id) if newest == ticket.version else None,
        actor_id=update.actor.id or None,
        at=_utc(update.at),
    )


def to_sighting(
    ticket: wire.Ticket, updates: Sequence[wire.Update], *, after: int, is_read: bool
) -> Sighting:
    """What a ticket and the contiguous updates after version `after` prove together."""
    comments = (to_comment(update) for update in updates)
    return Sighting(
        ticket_id=TicketId(ticket.id),
        ticket=to_ticket(ticket),
        comments=tuple(comment for comment in comments if comment is not None),
        covers=Span(after=after, to=updates[-1].version if updates else after),
        is_read=is_read,
        status_update=to_status_update(updates, ticket),
    )


def to_field_sighting(ticket: wire.Ticket, *, is_read: bool) -> Sighting:
    """What a ticket alone proves."""
    return Sighting(ticket_id=TicketId(ticket.id), ticket=to_ticket(ticket), is_read=is_read)


def to_sightings(changes: Iterable[wire.Change]) -> tuple[Sighting, ...]:
    """One sighting for each ticket and contiguous stretch of its versions, doubled entries once."""
    tickets: dict[str, wire.Ticket] = {}
    updates: dict[str, dict[int, wire.Update]] = {}
    for change in changes:
        shown = tickets.setdefault(change.ticket.id, change.ticket)
        if change.ticket.version > shown.version:
            tickets[change.ticket.id] = change.ticket
        updates.setdefault(change.ticket.id, {})[change.update.version] = change.update
    return tuple(
        to_sighting(tickets[ticket_id], stretch, after=stretch[0].version - 1, is_read=False)
        for ticket_id, by_version in updates.items()
        for stretch in _stretches(by_version)
    )


def to_hint(ticket_id: str, update_id: str) -> Sighting:
    """A row that says only that something happened: the ticket's thread must be read."""
    return Sighting(ticket_id=TicketId(ticket_id), hinted=(CommentId(update_id),))


def quoted(version: int) -> str:
    """The version as `ETag` and `If-Match` have it."""
    return f'"{version}"'


def version_of(precondition: str | None) -> int | None:
    """The version that `quoted` was made from; None for no precondition or a foreign one."""
    digits = (precondition or "").removeprefix('"').removesuffix('"')
    is_version = digits.isascii() and digits.isdigit() and len(digits) <= len(str(2**53))
    return int(digits) if is_version else None


def _stretches(by_version: dict[int, wire.Update]) -> list[list[wire.Update]]:
    stretches: list[list[wire.Update]] = []
    for version in sorted(by_version):
        if stretches and stretches[-1][-1].version == version - 1:
            stretches[-1].append(by_version[version])
        else:
            stretches.append([by_version[version]])
    return stretches


def _person(person: wire.Person) -> Person:
    role = _ROLES_READ.get(person.role, Role.UNKNOWN)
    return Person(person_id=person.id, name=plain_characters(person.name), role=role)


def to_attachment(file: wire.Attachment) -> Attachment:
    """A file of a comment; a platform that says nothing of scans has none."""
    return Attachment(
        attachment_id=file.id,
        name=plain_characters(file.name),
        size=file.size,
        content_type=plain_characters(file.content_type),
        url=_web_address(file.url),
        scan=_SCANS.get(file.scan or "", Scan.UNKNOWN),
    )


def _web_address(url: str) -> str:
    """The address if people may be sent there, else none."""
    return url if url.startswith(("https://", "http://")) else ""


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        # Within a day of the ends of time the offset makes no difference to anybody.
        return at.replace(tzinfo=UTC)


# --- writing -------------------------------------------------------------------------------------


def from_operation(op: UpdateTicket) -> wire.NewUpdate:
    """The body of the write; equal operations give equal bodies, as a repetition must."""
    tags = wire.Delta(add=_sorted(op.add_tags), remove=_sorted(op.remove_tags))
    return wire.NewUpdate(
        comment=UNSET if op.comment is None else _new_comment(op.comment),
        status=UNSET if op.status is None else op.status,
        tags=tags if tags.add or tags.remove else UNSET,
        views=UNSET if op.leave_view is None else wire.Delta(remove=(op.leave_view,)),
        notify=is_notifying(op),
    )


def is_notifying(op: UpdateTicket) -> bool:
    """Whether the platform may mail people about a write, by its own rules.

    It may wherever it would for a person's update; not for imported history, and not for a note of
    ours, which answers nobody. The hand-off itself is always news for the platform's staff.
    """
    if op.is_silent:
        return False
    note = op.comment
    is_note = note is not None and note.note_key is not None and note.audience != Audience.PUBLIC
    return op.leave_view is not None or not is_note


def to_answer(op: UpdateTicket, answer: wire.UpdateAnswer) -> Answer:
    """What the platform says to a write that landed, or that it needed not carry out."""
    ticket_id, update = TicketId(answer.ticket.id), answer.update
    if update is None:
        return Answer(
            ticket_id=ticket_id,
            sighting=to_field_sighting(answer.ticket, is_read=True),
            replaced_status=op.status,
        )
    has_comment = op.comment is not None
    stored = None if update.comment is None else to_audience(update.comment)
    return Answer(
        ticket_id=ticket_id,
        sighting=to_sighting(answer.ticket, [update], after=update.version - 1, is_read=True),
        comment_ids=(CommentId(update.id),) if has_comment else (),
        stored=(stored,) if has_comment else (),
        # An update names what it changed: a status that it does not name was there before.
        replaced_status=op.status if update.status is None else update.status.before,
        replaced_tags=_replaced_tags(answer.ticket, update),
    )


def to_body(html: str) -> str:
    """A draft's HTML in the platform's smaller subset, never without anything to see.

    The platform drops tags that it does not know: a headline would run into the next line, and what
    was struck out would stand there as if it were meant.
    """
    html = for_desk(html)
    for pattern, replacement in _NARROWED:
        html = pattern.sub(replacement, html)
    return html if likeness(html) else _EMPTY


def _new_comment(draft: Draft) -> wire.NewComment:
    is_public = draft.audience is Audience.PUBLIC
    is_shared = draft.audience is Audience.SHARED and draft.view is not None
    occurred_at = draft.occurred_at
    return wire.NewComment(
        visibility="public" if is_public else "private",
        views=(draft.view,) if is_shared and draft.view is not None else (),
        body_html=to_body(draft.html),
        author=UNSET if draft.author is None else _new_author(draft.author),
        occurred_at=UNSET if occurred_at is None else occurred_at.astimezone(UTC),
        attachments=draft.uploads,
    )


def _new_author(author: Person) -> wire.NewAuthor | UnsetType:
    """The author by name; their id stays at home, where it means something."""
    name = " ".join(plain_characters(author.name).split())[:LONGEST_NAME].strip()
    return wire.NewAuthor(name=name, role=_ROLES_WRITTEN[author.role]) if name else UNSET


def _replaced_tags(ticket: wire.Ticket, update: wire.Update) -> frozenset[str] | None:
    if ticket.version != update.version:
        # Later updates may have changed tags too.
        return None
    tags = frozenset(ticket.tags)
    if update.tags is None:
        return tags
    return (tags - frozenset(update.tags.added)) | frozenset(update.tags.removed)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
