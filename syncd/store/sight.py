"""Sightings into the mirror: what is stored of them, and which pairs they concern.

How a sighting changes a ticket is `core.mirror`'s rule. Here: tickets that no living pair holds are
dropped, bodies that nobody waits for are not stored, and a pair is concerned only by what could
change its plan.
Marking is left to the caller, who knows which pair is being run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from sqlalchemy import bindparam, delete, exists, func, select

from syncd.core.mirror import differ, is_older, merge_comment, merge_ticket, own
from syncd.core.model import Audience, Comment, CommentId, PairId, Side, Sighting, Ticket, TicketId
from syncd.store import tables
from syncd.store.file_rows import attachment_values
from syncd.store.rows import (
    COMMENT_JSON,
    comment_values,
    packed,
    person_values,
    ticket_values,
    to_comment,
    to_refused,
    to_ticket,
    writable,
)
from syncd.store.statement import (
    Session,
    Statement,
    among,
    each,
    fixed,
    insert_into,
    part,
    upsert_into,
)

_PERSON = tables.table(tables.Person)
_TICKET = tables.table(tables.Ticket)
_COMMENT = tables.table(tables.Comment)
_ATTACHMENT = tables.table(tables.Attachment)
_PAIR = tables.table(tables.Pair)
_PAIR_TICKET = tables.table(tables.PairTicket)
_MAP = tables.table(tables.CommentMap)
_BASE = tables.table(tables.Base)

_WHO = (_PERSON.c.person_id, _PERSON.c.name, _PERSON.c.role)
_THE_PERSON = (
    select(_PERSON.c.id)
    .where(
        _PERSON.c.connection_ref == bindparam("connection_ref"),
        _PERSON.c.person_id == bindparam("person_id"),
        _PERSON.c.name == bindparam("name"),
        _PERSON.c.role == bindparam("role"),
    )
    .scalar_subquery()
)
_THE_COMMENT = (
    select(_COMMENT.c.id)
    .where(
        _COMMENT.c.ticket_ref == bindparam("ticket_ref"),
        _COMMENT.c.comment_id == bindparam("comment_id"),
    )
    .scalar_subquery()
)

_FIND_SEATS = Statement(
    select(
        _PAIR_TICKET.c.ticket_id.label("held_id"),
        _PAIR_TICKET.c.pair_id,
        _PAIR_TICKET.c.side,
        ((_PAIR.c.marked_gen > _PAIR.c.done_gen) & (_PAIR.c.quiet_gen == _PAIR.c.marked_gen)).label(
            "is_quiet"
        ),
        func.json_extract(_BASE.c.status, fixed("$.refused")).label("refused"),
        _TICKET,
        *_WHO,
    )
    .join_from(_PAIR_TICKET, _PAIR, _PAIR.c.id == _PAIR_TICKET.c.pair_id)
    .outerjoin(_BASE, _BASE.c.pair_id == _PAIR.c.id)
    .outerjoin(
        _TICKET,
        (_TICKET.c.connection_ref == _PAIR_TICKET.c.connection_ref)
        & (_TICKET.c.ticket_id == _PAIR_TICKET.c.ticket_id),
    )
    .outerjoin(_PERSON, _PERSON.c.id == _TICKET.c.requester_ref)
    .where(
        _PAIR_TICKET.c.connection_ref == bindparam("connection_ref"),
        _PAIR_TICKET.c.ticket_id.in_(among("ticket_ids")),
        _PAIR.c.state != fixed("ended"),
    )
)
_FIND_COMMENTS = Statement(
    f"""
    SELECT comment.ticket_ref, {COMMENT_JSON} AS comment
    FROM json_each(:wanted) AS wanted
    JOIN comment
      ON comment.ticket_ref = json_extract(wanted.value, '$[0]')
     AND comment.comment_id = json_extract(wanted.value, '$[1]')
    JOIN person ON person.id = comment.author_ref
    """  # noqa: S608 - a constant of ours
)
_WANTED = each("wanted")
_IS_ORIGIN = select(_WANTED.c.key, _MAP.c.audience).join_from(
    _WANTED,
    _MAP,
    (_MAP.c.pair_id == part(_WANTED, 0))
    & (_MAP.c.origin == part(_WANTED, 1))
    & (_MAP.c.comment_id == part(_WANTED, 3)),
)
_IS_COPY = select(_WANTED.c.key, _MAP.c.audience).join_from(
    _WANTED,
    _MAP,
    (_MAP.c.pair_id == part(_WANTED, 0))
    & (_MAP.c.copy_id == part(_WANTED, 3))
    & (_MAP.c.origin == part(_WANTED, 2)),
)
_FIND_MAPPED = Statement(_IS_ORIGIN.union_all(_IS_COPY))
_HAS_BODILESS = Statement(
    select(
        exists().where(_COMMENT.c.ticket_ref == bindparam("ticket_ref"), _COMMENT.c.html.is_(None))
    )
)

_ADD_PERSON = Statement(insert_into(_PERSON).on_conflict_do_nothing())
_PUT_TICKET = Statement(
    upsert_into(_TICKET, "connection_ref", "ticket_id", requester_ref=_THE_PERSON).returning(
        _TICKET.c.id
    )
)
_PUT_COMMENT = Statement(upsert_into(_COMMENT, "ticket_ref", "comment_id", author_ref=_THE_PERSON))
_DROP_ATTACHMENTS = Statement(delete(_ATTACHMENT).where(_ATTACHMENT.c.comment_ref == _THE_COMMENT))
_ADD_ATTACHMENT = Statement(insert_into(_ATTACHMENT, comment_ref=_THE_COMMENT))


@dataclass(kw_only=True, slots=True)
class Seat:
    """One ticket that living pairs hold, as far as this unit of work knows it."""

    ticket_ref: int | None = None
    ticket: Ticket | None = None
    pairs: list[tuple[PairId, Side]] = field(default_factory=list)
    #: Those on which nothing but a backfill's marks waits.
    quiet: set[PairId] = field(default_factory=set)
    #: Those whose status the desk refused, and how the ticket stood then.
    refused: dict[PairId, int] = field(default_factory=dict)
    comments: dict[CommentId, Comment] = field(default_factory=dict)
    #: Per comment, the pairs that have it in their map, and the audience that it had then.
    mapped: dict[CommentId, dict[PairId, Audience]] = field(default_factory=dict)
    is_changed: bool = False
    changed_comments: dict[CommentId, Comment] = field(default_factory=dict)
    #: The pairs whose plan could change.
    concerned: set[PairId] = field(default_factory=set)

    def concern_all(self) -> None:
        self.concerned.update(pair_id for pair_id, _ in self.pairs)

    def waiting(self, comment_id: CommentId) -> list[PairId]:
        """The pairs to which the comment is still news."""
        mapped = self.mapped.get(comment_id, {})
        return [pair_id for pair_id, _ in self.pairs if pair_id not in mapped]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What sightings meant for pairs."""

    #: Those that the change concerns.
    concerned: AbstractSet[PairId] = frozenset()
    #: Those of which the mirror knew something newer, and other. To a run that takes the sighting
    #: for the present that is news, though it changed nothing when it came.
    overtaken: AbstractSet[PairId] = frozenset()


def record(
    session: Session,
    connection_ref: int,
    sightings: Sequence[Sighting],
    *,
    newborn: Iterable[PairId] = (),
) -> Recorded:
    """Bring the mirror up to date.

    For the pairs in `newborn` the mirror starts anew where it has let go of bodies.
    """
    shown = [writable(sighting) for sighting in sightings]
    seats = _find_seats(session, connection_ref, {sighting.ticket_id for sighting in shown})
    if not seats:
        return Recorded()
    seen = [sighting for sighting in shown if sighting.ticket_id in seats]
    _load_comments(session, seats, seen)
    for pair_id in newborn:
        _start_anew(session, seats, pair_id)
    overtaken: set[PairId] = set()
    for sighting in seen:
        seat = seats[sighting.ticket_id]
        if _is_overtaken(seat.ticket, sighting):
            overtaken.update(pair_id for pair_id, _ in seat.pairs)
        _take(seat, sighting)
    save(session, connection_ref, seats.values())
    concerned = {pair_id for seat in seats.values() for pair_id in seat.concerned}
    return Recorded(concerned=concerned, overtaken=overtaken)


def is_news(known: Ticket | None, merged: Ticket) -> bool:
    """Whether the difference could change a plan; how sure and how far the mirror is cannot."""
    if known is None:
        return True
    if merged.hinted - known.hinted:
        return True
    return _plannable(known) != _plannable(merged)


def _is_overtaken(known: Ticket | None, sighting: Sighting) -> bool:
    shown = sighting.ticket
    if known is None or shown is None or sighting.is_read:
        # A read that is overtaken makes the ticket stale, and it is read again.
        return False
    return is_older(known, shown) and differ(known, shown)


def _plannable(ticket: Ticket) -> tuple[object, ...]:
    return (
        ticket.subject,
        ticket.status,
        ticket.tags,
        ticket.views,
        ticket.metadata,
        ticket.end,
        ticket.merged_into,
        ticket.follow_ups,
        ticket.is_stale,
    )


# --- load ----------------------------------------------------------------------------------------


def _find_seats(
    session: Session, connection_ref: int, ticket_ids: set[TicketId]
) -> dict[TicketId, Seat]:
    seats: dict[TicketId, Seat] = {}
    asked = {"connection_ref": connection_ref, "ticket_ids": packed(ticket_ids)}
    for row in session.rows(_FIND_SEATS, asked):
        seat = seats.setdefault(TicketId(row["held_id"]), Seat())
        if not seat.pairs and row["id"] is not None:
            seat.ticket_ref, seat.ticket = row["id"], to_ticket(row)
        seat.pairs.append((PairId(row["pair_id"]), Side(row["side"])))
        if row["is_quiet"]:
            seat.quiet.add(PairId(row["pair_id"]))
        if row["refused"] is not None:
            refused = to_refused(row["refused"]).get(Side(row["side"]))
            if refused is not None:
                seat.refused[PairId(row["pair_id"])] = refused.as_of
    return seats


def _load_comments(
    session: Session, seats: Mapping[TicketId, Seat], sightings: Sequence[Sighting]
) -> None:
    """What the mirror and the pairs' maps hold of the comments that are spoken of."""
    spoken = list(_spoken_of(seats, sightings))
    if not spoken:
        return
    by_ref = {seat.ticket_ref: seat for seat in seats.values()}
    wanted = [(seat.ticket_ref, comment_id) for seat, comment_id in spoken]
    for ticket_ref, text in session.rows(_FIND_COMMENTS, {"wanted": packed(wanted)}):
        comment = to_comment(text)
        by_ref[ticket_ref].comments[comment.comment_id] = comment
    _load_mapped(session, spoken)


def _load_mapped(session: Session, spoken: Sequence[tuple[Seat, CommentId]]) -> None:
    asked = [
        (seat, pair_id, side, comment_id)
        for seat, comment_id in spoken
        for pair_id, side in seat.pairs
    ]
    wanted = packed([(pair_id, side, side.other, c) for _, pair_id, side, c in asked])
    for key, audience in session.rows(_FIND_MAPPED, {"wanted": wanted}):
        seat, pair_id, _, comment_id = asked[key]
        seat.mapped.setdefault(comment_id, {})[pair_id] = Audience(audience)


def _spoken_of(
    seats: Mapping[TicketId, Seat], sightings: Sequence[Sighting]
) -> Iterator[tuple[Seat, CommentId]]:
    for sighting in sightings:
        seat = seats[sighting.ticket_id]
        for comment in sighting.comments:
            yield seat, comment.comment_id
        for comment_id in sighting.hinted:
            yield seat, comment_id


def _start_anew(session: Session, seats: Mapping[TicketId, Seat], pair_id: PairId) -> None:
    """Have the thread read again: a second pair needs bodies that went with the first delivery."""
    for seat in seats.values():
        if seat.ticket is None or all(pair_id != held for held, _ in seat.pairs):
            continue
        if session.number(_HAS_BODILESS, {"ticket_ref": seat.ticket_ref}):
            seat.ticket = replace(seat.ticket, comments_as_of=0)
            seat.is_changed = True


# --- merge ---------------------------------------------------------------------------------------


def _take(seat: Seat, sighting: Sighting) -> None:
    known = seat.ticket
    sighting = own(known, sighting)
    held = {*seat.comments, *seat.mapped, *(comment.comment_id for comment in sighting.comments)}
    merged = merge_ticket(known, sighting, held=held)
    if merged is None:
        # Comments without fields are not kept: their thread counts as unread until the fields come.
        if any(seat.waiting(comment.comment_id) for comment in sighting.comments):
            seat.concern_all()
        return
    if merged != known:
        seat.ticket, seat.is_changed = merged, True
        if is_news(known, merged):
            seat.concern_all()
        # Any change may have brought what the desk wants before it takes the status.
        seat.concerned.update(p for p, at in seat.refused.items() if at < merged.fields_as_of)
    for comment in sighting.comments:
        _take_comment(seat, comment)
        if not sighting.is_read:
            # A backfill has read it and leaves it where it is; that a feed tells of it makes it
            # news.
            seat.concerned.update(seat.quiet.intersection(seat.waiting(comment.comment_id)))


def _take_comment(seat: Seat, shown: Comment) -> None:
    known = seat.comments.get(shown.comment_id)
    waiting = seat.waiting(shown.comment_id)
    merged = merge_comment(known, shown)
    if not waiting:
        merged = replace(merged, html=None)
    if merged == known:
        return
    seat.comments[shown.comment_id] = merged
    seat.changed_comments[shown.comment_id] = merged
    if known is None:
        seat.concerned.update(waiting)
        mapped = seat.mapped.get(shown.comment_id, {})
        seat.concerned.update(
            pair_id for pair_id, audience in mapped.items() if audience is not merged.audience
        )
    elif (known.audience, known.views, known.is_redacted) != (
        merged.audience,
        merged.views,
        merged.is_redacted,
    ):
        seat.concern_all()
    elif (known.html is None) != (merged.html is None):
        seat.concerned.update(waiting)


# --- save ----------------------------------------------------------------------------------------


def save(session: Session, connection_ref: int, seats: Iterable[Seat]) -> None:
    """Write what changed of tickets and comments, and nothing else."""
    changed = [
        (seat, seat.ticket)
        for seat in seats
        if seat.ticket is not None and (seat.is_changed or seat.changed_comments)
    ]
    if not changed:
        return
    people = {ticket.requester for seat, ticket in changed if seat.is_changed}
    people.update(c.author for seat, _ in changed for c in seat.changed_comments.values())
    session.run_many(_ADD_PERSON, [person_values(connection_ref, person) for person in people])
    for seat, ticket in changed:
        if seat.is_changed:
            values = ticket_values(connection_ref, ticket)
            seat.ticket_ref = session.number(_PUT_TICKET, values)
    _save_comments(
        session,
        connection_ref,
        [
            (seat.ticket_ref, comment)
            for seat, _ in changed
            if seat.ticket_ref is not None
            for comment in seat.changed_comments.values()
        ],
    )


def _save_comments(
    session: Session, connection_ref: int, comments: Sequence[tuple[int, Comment]]
) -> None:
    if not comments:
        return
    session.run_many(_PUT_COMMENT, [comment_values(connection_ref, *each) for each in comments])
    attached = [
        (ticket_ref, comment)
        for ticket_ref, comment in comments
        if comment.attachments or comment.is_redacted
    ]
    if attached:
        keys = [{"ticket_ref": ref, "comment_id": c.comment_id} for ref, c in attached]
        session.run_many(_DROP_ATTACHMENTS, keys)
        rows = [values for each in attached for values in attachment_values(*each)]
        session.run_many(_ADD_ATTACHMENT, rows)
