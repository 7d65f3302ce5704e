"""What RT's JSON means to the rules: tickets, comments, the update that gave a status.

Pure. The order of everything is the number of the transaction. A correspondence is public, a
comment is for the queue in which its ticket was at that moment, and nothing else is said by people.
Cautious in doubt: what is not known to be public is private.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.request_tracker import wire
from connectors.request_tracker.bodies import Body
from connectors.request_tracker.settings import DELETED, Settings
from connectors.richtext import plain_characters
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    End,
    Person,
    Sighting,
    Stamp,
    StatusUpdate,
    Ticket,
    TicketId,
    UpdateId,
)
from syncd.core.stamp import read_stamp

#: What people say, and who may read it.
AUDIENCES: Mapping[str, Audience] = {
    "Create": Audience.PUBLIC,
    "Correspond": Audience.PUBLIC,
    "Comment": Audience.SHARED,
}
#: Who does what RT does by itself.
SYSTEM = "RT_System"
STATUS = "Status"
FIELD = "CustomField"
_MOST_DIGITS = 18
#: RT writes what one form or one request changed as several transactions, with mails in between.
TOGETHER = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a ticket stands: the queues by their numbers, and the one it is in now."""

    names: Mapping[str, str]
    now: str
    #: What has a higher number was said in that queue, unless the history tells of a move; None
    #: where only the history can tell.
    since: int | None = None

    def name(self, number: str) -> str:
        """A queue's name; one that is not followed has a name that no link's view has."""
        return self.names.get(number, f"\x00{number}")


def to_ticket(
    ticket: wire.Ticket,
    *,
    version: int,
    requester: Person,
    settings: Settings,
    ticket_id: TicketId | None = None,
) -> Ticket:
    """The ticket; `version` is precondition and order at once, so it is always confirmed.

    Shown under another id than it was asked for by, it has taken that one in.
    """
    shown_id = TicketId(str(ticket.id))
    asked = ticket_id or shown_id
    end = End.DELETED if ticket.status == DELETED else End.ALIVE
    into = None
    if asked != shown_id:
        end, into = End.MERGED, shown_id
    values = {field.name: field.texts for field in ticket.custom_fields}
    tags = values.get(settings.tags_field, ()) if settings.tags_field is not None else ()
    return Ticket(
        ticket_id=asked,
        subject=plain_characters(ticket.subject or ""),
        status=ticket.status,
        tags=frozenset(tags),
        requester=requester,
        created_at=utc(ticket.created),
        updated_at=utc(ticket.updated),
        precondition=str(version),
        is_confirmed=True,
        fields_as_of=version,
        views=to_views(ticket, settings),
        metadata=tuple(
            (name, plain_characters(", ".join(values[name])))
            for name in settings.metadata
            if values.get(name)
        ),
        url=f"{settings.url}/Ticket/Display.html?id={shown_id}",
        end=end,
        merged_into=into,
    )


def to_views(ticket: wire.Ticket, settings: Settings) -> frozenset[str]:
    """The partner's view that holds the ticket: its queue, unless it was handed to an owner."""
    owner = settings.hand_off.owner
    is_handed = owner is not None and owner in {str(ticket.owner.id), ticket.owner.name}
    return frozenset() if is_handed else frozenset({ticket.queue.name or str(ticket.queue.id)})


def is_comment(row: wire.Transaction) -> bool:
    """Whether somebody said something."""
    return row.kind in AUDIENCES


def is_move(row: wire.Transaction) -> bool:
    """Whether the ticket changed its queue."""
    return row.kind == "Set" and str(row.field_name) == "Queue"


def to_comment(
    row: wire.Transaction, *, body: Body, author: Person, view: str | None, stamp_field: str
) -> Comment:
    """A comment, which has its transaction's number; for nobody else where its view is unknown."""
    audience = AUDIENCES.get(row.kind, Audience.LOCAL)
    if audience is Audience.SHARED and view is None:
        audience = Audience.LOCAL
    return Comment(
        comment_id=CommentId(str(row.number)),
        update_id=UpdateId(str(row.number)),
        author=author,
        writer_id=author.person_id,
        audience=audience,
        views=frozenset({view}) if audience is Audience.SHARED and view else frozenset(),
        html=body.html,
        created_at=utc(row.created),
        position=row.number,
        attachments=body.files,
        stamp=stamp_of(row, stamp_field),
    )


def stamp_of(row: wire.Transaction, stamp_field: str) -> Stamp | None:
    """Our mark on a transaction."""
    for field in row.custom_fields:
        if field.name == stamp_field:
            found = next((text for text in field.texts if read_stamp(text) is not None), None)
            return None if found is None else Stamp(found)
    return None


def views_then(rows: Sequence[wire.Transaction], place: Place) -> Callable[[int], str | None]:
    """In which queue the ticket was at each transaction; None where nothing proves it.

    `rows` are all of the ticket's from some number on, and perhaps moves before them. That the
    ticket is in a queue now proves nothing: its history may be behind (see `whereabouts`).
    """
    moves = sorted({row.number: row for row in rows if is_move(row)}.items())

    def view(number: int) -> str | None:
        # Before the first later move it was where that move took it from.
        left = next((str(row.old) for moved, row in moves if moved > number), None)
        came = next((str(row.new) for moved, row in reversed(moves) if moved < number), None)
        if left is not None or came is not None:
            return place.name(str(came) if left is None else left)
        is_seen = place.since is not None and place.since < number
        return place.name(place.now) if is_seen else None

    return view


def first_unplaced(
    news: Iterable[wire.Transaction], view: Callable[[int], str | None]
) -> int | None:
    """The first private comment of which nobody can tell for whom it is; None without one."""
    return next(
        (
            row.number
            for row in news
            if AUDIENCES.get(row.kind) is Audience.SHARED and view(row.number) is None
        ),
        None,
    )


def to_status_update(
    rows: Sequence[wire.Transaction], people: Mapping[str, Person]
) -> StatusUpdate | None:
    """What gave the ticket its status: the newest of `rows`, oldest first, that changed it.

    Together with a comment of the moment before, by the same person or by RT in answer to it, it is
    that comment's update.
    """
    newest = next((row for row in reversed(rows) if row.kind == STATUS), None)
    if newest is None or newest.new is None:
        return None
    said = _said_with(newest, rows)
    actor = said if said is not None and str(newest.creator.id) == SYSTEM else newest
    person = people.get(str(actor.creator.id))
    return StatusUpdate(
        status=str(newest.new),
        update_id=UpdateId(str((said or newest).number)),
        actor_id=None if person is None else person.person_id,
        at=utc(newest.created),
    )


def _said_with(
    status: wire.Transaction, rows: Iterable[wire.Transaction]
) -> wire.Transaction | None:
    before = [row for row in rows if row.number < status.number and is_comment(row)]
    said = before[-1] if before else None
    if said is None or status.created - said.created > TOGETHER:
        return None
    is_same = str(status.creator.id) in {str(said.creator.id), SYSTEM}
    return said if is_same else None


def hint(ticket_id: int, row_number: int, *, is_comment: bool) -> Sighting:
    """Something happened on a ticket: it has to be read as far as that."""
    return Sighting(
        ticket_id=TicketId(str(ticket_id)),
        hinted=(CommentId(str(row_number)),) if is_comment else (),
        moved_at=row_number,
    )


def is_number(text: str) -> bool:
    """Whether a ticket's id, or whoever says it is one, can be RT's."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def utc(at: datetime) -> datetime:
    """RT tells UTC."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        # Within a day of the ends of time the offset makes no difference to anybody.
        return at.replace(tzinfo=UTC)
