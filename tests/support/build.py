"""Core values with defaults, so that a test spells out only what it is about.

Each gives a value that a desk could have shown; ids and times are fixed unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from syncd.core.agreed import Base, CommentMapping, HandOff, Known, OwedNote, StatusBase, TagBase
from syncd.core.attachment import Attachment
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    Conflict,
    ConnectionName,
    End,
    LinkName,
    OpId,
    PairId,
    Person,
    Role,
    Side,
    Sighting,
    Snapshot,
    Span,
    Stamp,
    Status,
    StatusUpdate,
    Ticket,
    TicketId,
    Transition,
    UpdateId,
)
from syncd.core.operations import (
    Answer,
    CreateTicket,
    Draft,
    Intent,
    Operation,
    RestrictComment,
    UpdateTicket,
)
from syncd.ports import Birth

#: When every story of these tests begins.
AT = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
LINK = LinkName("acme-postgres")
PLATFORM = ConnectionName("heroku")
PARTNER = ConnectionName("acme")


def later(seconds: float) -> datetime:
    """The moment that many seconds after `AT`."""
    return AT + timedelta(seconds=seconds)


def a_person(name: str = "Cora", role: Role = Role.CUSTOMER, *, person_id: str = "") -> Person:
    return Person(person_id=person_id or f"{role.value}-1", name=name, role=role)


def an_agent(name: str = "Ada") -> Person:
    return a_person(name, Role.AGENT)


def an_attachment(
    name: str = "log.txt", *, attachment_id: str = "a1", size: int = 12
) -> Attachment:
    return Attachment(
        attachment_id=attachment_id,
        name=name,
        size=size,
        content_type="text/plain",
        url=f"https://desk.example/attachments/{attachment_id}",
    )


def a_comment(
    comment_id: str = "1",
    html: str | None = "<p>It is broken.</p>",
    *,
    author: Person | None = None,
    audience: Audience = Audience.PUBLIC,
    at: datetime | None = None,
    update_id: str | None = None,
    writer_id: str | None = None,
    views: Iterable[str] | None = None,
    attachments: tuple[Attachment, ...] = (),
    stamp: str | None = None,
) -> Comment:
    """A public comment of the customer; numbered comments come one second apart."""
    seconds = int(comment_id) if comment_id.isdigit() else 0
    return Comment(
        comment_id=CommentId(comment_id),
        update_id=None if update_id is None else UpdateId(update_id),
        author=author or a_person(),
        writer_id=writer_id,
        audience=audience,
        views=None if views is None else frozenset(views),
        html=html,
        created_at=at or later(seconds),
        attachments=attachments,
        stamp=None if stamp is None else Stamp(stamp),
    )


def a_status_update(
    status: str = "Open",
    *,
    update_id: str | None = None,
    actor_id: str | None = "customer-1",
    at: datetime = AT,
) -> StatusUpdate:
    return StatusUpdate(
        status=status,
        update_id=None if update_id is None else UpdateId(update_id),
        actor_id=actor_id,
        at=at,
    )


def a_ticket(
    ticket_id: str = "T1",
    *,
    subject: str = "Database is slow",
    status: str = "Open",
    tags: Iterable[str] = (),
    requester: Person | None = None,
    created_at: datetime = AT,
    updated_at: datetime = AT,
    precondition: str | None = None,
    is_confirmed: bool = True,
    fields_as_of: int = 1,
    comments_as_of: int | None = None,
    is_stale: bool = False,
    hinted: Iterable[str] = (),
    views: Iterable[str] = (),
    metadata: Mapping[str, str] | None = None,
    metadata_as_of: datetime | None = None,
    url: str = "",
    end: End = End.ALIVE,
    merged_into: str | None = None,
    status_update: StatusUpdate | None = None,
) -> Ticket:
    """A ticket at version `fields_as_of`, its thread read up to there unless told otherwise."""
    return Ticket(
        ticket_id=TicketId(ticket_id),
        subject=subject,
        status=status,
        tags=frozenset(tags),
        requester=requester or a_person(),
        created_at=created_at,
        updated_at=updated_at,
        precondition=str(fields_as_of) if precondition is None else precondition,
        is_confirmed=is_confirmed,
        fields_as_of=fields_as_of,
        comments_as_of=fields_as_of if comments_as_of is None else comments_as_of,
        is_stale=is_stale,
        hinted=frozenset(map(CommentId, hinted)),
        views=frozenset(views),
        metadata=tuple((metadata or {}).items()),
        metadata_as_of=metadata_as_of,
        url=url,
        end=end,
        merged_into=None if merged_into is None else TicketId(merged_into),
        status_update=status_update,
    )


def a_snapshot(ticket: Ticket | None = None, *comments: Comment) -> Snapshot:
    return Snapshot(ticket=ticket or a_ticket(), comments=comments)


def a_sighting(
    ticket: Ticket | str | None = None,
    *comments: Comment,
    covers: tuple[int, int] | None = None,
    hinted: Iterable[str] = (),
    is_read: bool = False,
    status_update: StatusUpdate | None = None,
    moved_at: int | None = None,
    is_unreadable: bool = False,
) -> Sighting:
    """A sighting of a ticket's fields, or of comments only when given the ticket's id."""
    shown = a_ticket() if ticket is None else ticket
    return Sighting(
        ticket_id=TicketId(shown) if isinstance(shown, str) else shown.ticket_id,
        ticket=None if isinstance(shown, str) else shown,
        comments=comments,
        covers=None if covers is None else Span(after=covers[0], to=covers[1]),
        hinted=tuple(CommentId(comment_id) for comment_id in hinted),
        is_read=is_read,
        status_update=status_update,
        moved_at=moved_at,
        is_unreadable=is_unreadable,
    )


def a_whole_read(ticket: Ticket | None = None, *comments: Comment) -> Sighting:
    """What a direct read of the fields and the whole thread proves."""
    shown = ticket or a_ticket()
    return a_sighting(shown, *comments, covers=(0, shown.fields_as_of), is_read=True)


def a_mapping(
    comment_id: str = "1",
    copy_id: str | None = "101",
    *,
    kind: Known = Known.COPIED,
    origin: Side = Side.PLATFORM,
    audience: Audience = Audience.PUBLIC,
    note_key: str | None = None,
) -> CommentMapping:
    return CommentMapping(
        kind=kind,
        origin=origin,
        comment_id=CommentId(comment_id),
        copy_id=None if copy_id is None else CommentId(copy_id),
        audience=audience,
        note_key=note_key,
    )


def a_status_base(
    agreed: Status = Status.OPEN, *, platform: str = "Open", partner: str = "open"
) -> StatusBase:
    return StatusBase(agreed=agreed, seen={Side.PLATFORM: platform, Side.PARTNER: partner})


def a_tag_base(agreed: Iterable[str] = (), *, kept: Iterable[str] = ()) -> TagBase:
    tags = frozenset(agreed)
    return TagBase(
        agreed=tags,
        seen={Side.PLATFORM: tags, Side.PARTNER: tags},
        kept={Side.PARTNER: frozenset(kept)},
    )


def a_base(
    *comments: CommentMapping,
    status: StatusBase | None = None,
    tags: TagBase | None = None,
    hand_off: HandOff | None = None,
    owed: tuple[OwedNote, ...] = (),
    released: Iterable[str] = (),
) -> Base:
    """Both sides agreed that the ticket is open."""
    return Base(
        status=status or a_status_base(),
        tags=tags or a_tag_base(),
        comments=comments,
        hand_off=hand_off or HandOff(),
        owed=owed,
        released=frozenset(CommentId(comment_id) for comment_id in released),
    )


def a_draft(
    html: str = "<p>It is broken.</p>",
    *,
    audience: Audience = Audience.PUBLIC,
    view: str | None = None,
    author: Person | None = None,
    occurred_at: datetime | None = None,
    source_id: str | None = "1",
    note_key: str | None = None,
) -> Draft:
    return Draft(
        html=html,
        audience=audience,
        view=view,
        author=author,
        occurred_at=occurred_at,
        source_id=None if source_id is None else CommentId(source_id),
        note_key=note_key,
    )


def an_update(
    op_id: str = "op-update",
    *,
    side: Side = Side.PARTNER,
    ticket_id: str = "9001",
    comment: Draft | None = None,
    status: str | None = None,
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
    leave_view: str | None = None,
    is_silent: bool = False,
) -> UpdateTicket:
    return UpdateTicket(
        op_id=OpId(op_id),
        side=side,
        ticket_id=TicketId(ticket_id),
        comment=comment,
        status=status,
        add_tags=frozenset(add_tags),
        remove_tags=frozenset(remove_tags),
        leave_view=leave_view,
        is_silent=is_silent,
    )


def a_creation(
    op_id: str = "op-create",
    *drafts: Draft,
    side: Side = Side.PARTNER,
    external_id: str = "syncd:acme-postgres:T1",
    subject: str = "Database is slow",
    status: str = "open",
    tags: Iterable[str] = (),
    requester: Person | None = None,
    is_silent: bool = False,
) -> CreateTicket:
    return CreateTicket(
        op_id=OpId(op_id),
        side=side,
        external_id=external_id,
        subject=subject,
        status=status,
        tags=frozenset(tags),
        requester=requester or a_person(),
        comments=drafts or (a_draft(),),
        is_silent=is_silent,
    )


def a_restriction(
    op_id: str = "op-restrict",
    *,
    side: Side = Side.PARTNER,
    ticket_id: str = "9001",
    comment_id: str = "101",
    source_id: str = "1",
) -> RestrictComment:
    return RestrictComment(
        op_id=OpId(op_id),
        side=side,
        ticket_id=TicketId(ticket_id),
        comment_id=CommentId(comment_id),
        source_id=CommentId(source_id),
    )


def an_intent(
    op: Operation | None = None,
    *,
    pair_id: int = 1,
    connection: str = PARTNER,
    stamp: str = "stamp-1",
    precondition: str | None = "1",
    tags_before: Iterable[str] = (),
    status_before: str | None = "open",
    highest_comment_id: str | None = None,
    known_ids: Iterable[str] = (),
    attempt: int = 1,
    sent_at: datetime = AT,
) -> Intent:
    return Intent(
        op=op or an_update(comment=a_draft()),
        pair_id=PairId(pair_id),
        connection=ConnectionName(connection),
        stamp=Stamp(stamp),
        precondition=precondition,
        tags_before=frozenset(tags_before),
        status_before=status_before,
        highest_comment_id=None if highest_comment_id is None else CommentId(highest_comment_id),
        known_ids=frozenset(CommentId(comment_id) for comment_id in known_ids),
        attempt=attempt,
        sent_at=sent_at,
    )


def an_answer(
    sighting: Sighting | None = None,
    *comment_ids: str,
    stored: tuple[Audience | None, ...] = (),
    replaced_status: str | None = None,
    replaced_tags: frozenset[str] | None = None,
) -> Answer:
    shown = sighting or a_sighting(a_ticket("9001", status="open"))
    return Answer(
        ticket_id=shown.ticket_id,
        sighting=shown,
        comment_ids=tuple(CommentId(comment_id) for comment_id in comment_ids),
        stored=stored,
        replaced_status=replaced_status,
        replaced_tags=replaced_tags,
    )


def a_birth(
    ticket_id: str = "T1",
    *,
    link: str = LINK,
    partner: str = PARTNER,
    is_silent: bool = False,
) -> Birth:
    return Birth(
        link=LinkName(link),
        ticket_id=TicketId(ticket_id),
        partner_connection=ConnectionName(partner),
        is_silent=is_silent,
    )


def a_conflict(
    name: str = "status", *, platform: str = "closed", partner: str = "open", result: str = "open"
) -> Conflict:
    return Conflict(
        name=name,
        base="with_customer",
        platform=platform,
        partner=partner,
        result=result,
        rule="more_open",
    )


def a_transition(
    name: str = "status",
    *,
    side: Side | None = Side.PLATFORM,
    before: str = "open",
    after: str = "with_customer",
    actor: Role = Role.AGENT,
    at: datetime | None = AT,
) -> Transition:
    return Transition(name=name, side=side, before=before, after=after, actor=actor, at=at)
