"""What the answer to a write says, and which update in a thread is the one that we are looking for.

An audit in an answer does not prove that the request wrote anything: an update that changes
nothing is answered with the ticket's previous audit. So an audit counts as ours only by its stamp,
or, where stamps cannot be read, because the ticket has left the `updated_at` that we wrote under,
or because what it adds is new and says what was sent.
Pure, like `mapping`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from connectors.richtext import likeness
from connectors.zendesk import wire
from connectors.zendesk.bodies import body_of
from connectors.zendesk.mapping import (
    Update,
    comment_events,
    comments_of,
    number_of,
    replaced_status,
    replaced_value,
    second_of,
    stamp_in,
    status_update_of,
    to_ticket,
    to_time,
    to_update,
)
from connectors.zendesk.status_names import UNNAMED, StatusNames
from syncd.core.model import Audience, Comment, CommentId, Person, Sighting, Snapshot, Span, Ticket
from syncd.core.operations import Answer, CreateTicket, Draft, Fate, Intent, UpdateTicket


def update_answer(
    intent: Intent,
    op: UpdateTicket,
    shown: wire.TicketAnswer,
    *,
    seen_at: datetime | None,
    people: Mapping[str, Person],
    base_url: str,
    names: StatusNames = UNNAMED,
) -> Answer | None:
    """The answer to `PUT /tickets/{id}`; None when it does not show the comment that was sent, or
    shows another ticket.

    Raises ValueError for what cannot be read.
    """
    ticket = to_ticket(shown.ticket, seen_at=seen_at, people=people, base_url=base_url, names=names)
    if ticket.ticket_id != op.ticket_id:
        return None
    update = None if shown.audit is None else to_update(shown.audit)
    if update is None or not _is_ours(update, intent, op, ticket):
        return None if op.comment is not None else _fields_answer(ticket)
    comments = comments_of(update, people)
    new = [c.comment_id for c in comments if _is_new(c.comment_id, intent)]
    if op.comment is not None and not new:
        return None
    return Answer(
        ticket_id=ticket.ticket_id,
        sighting=Sighting(
            ticket_id=ticket.ticket_id,
            ticket=ticket,
            comments=comments,
            covers=_span_of_write(intent, ticket),
            status_update=status_update_of(update, names),
        ),
        comment_ids=tuple(new[:1]) if op.comment is not None else (),
        stored=_stored(update, new[:1]) if op.comment is not None else (),
        replaced_status=replaced_status(update.audit, names) if op.status else None,
        replaced_tags=_tags(replaced_value(update.audit, "tags")),
    )


def creation_answer(
    op: CreateTicket,
    shown: wire.TicketAnswer,
    *,
    seen_at: datetime | None,
    people: Mapping[str, Person],
    base_url: str,
    names: StatusNames = UNNAMED,
) -> Answer | None:
    """The answer to `POST /tickets`; None when it does not show the ticket and the comment that
    were sent.
    """
    if shown.ticket.external_id != op.external_id:
        return None
    ticket = to_ticket(shown.ticket, seen_at=seen_at, people=people, base_url=base_url, names=names)
    update = None if shown.audit is None else to_update(shown.audit)
    comments = () if update is None else comments_of(update, people)
    if op.comments and not comments:
        return None
    ids = tuple(comment.comment_id for comment in comments[: len(op.comments[:1])])
    created = second_of(ticket.created_at)
    return Answer(
        ticket_id=ticket.ticket_id,
        sighting=Sighting(
            ticket_id=ticket.ticket_id,
            ticket=ticket,
            comments=comments,
            # Nothing was said on a ticket before there was one.
            covers=Span(after=0, to=created - 1),
            status_update=None if update is None else status_update_of(update, names),
        ),
        comment_ids=ids,
        stored=() if update is None else _stored(update, ids),
    )


def found_creation(op: CreateTicket, sighting: Sighting) -> Answer | None:
    """A creation found by reading it whole; None when fewer comments are there than were sent."""
    sent = len(op.comments) if op.is_silent else len(op.comments[:1])
    # Ids grow with time, so what came with the ticket is what came first, whatever its own time.
    oldest = sorted(sighting.comments, key=lambda c: number_of(c.comment_id))[:sent]
    if len(oldest) < sent:
        return None
    return Answer(
        ticket_id=sighting.ticket_id,
        sighting=sighting,
        comment_ids=tuple(comment.comment_id for comment in oldest),
        stored=tuple(comment.audience for comment in oldest),
    )


def named_creation(op: CreateTicket, shown: Snapshot, *, our_id: str) -> Answer | None:
    """An imported ticket's comments as the mirror holds them; None where that is in doubt.

    They are the ticket's first ones, by ourselves, and say what was sent. A mirror that lacks one
    of them, because a feed dropped it before anybody knew the ticket, so names none.
    """
    first = sorted(shown.comments, key=lambda c: number_of(c.comment_id))[: len(op.comments)]
    if len(first) < len(op.comments):
        return None
    for draft, comment in zip(op.comments, first, strict=True):
        if comment.writer_id != our_id or not _says(comment, draft):
            return None
    return Answer(
        ticket_id=shown.ticket.ticket_id,
        sighting=Sighting(ticket_id=shown.ticket.ticket_id),
        comment_ids=tuple(comment.comment_id for comment in first),
        stored=tuple(comment.audience for comment in first),
    )


def named_update(
    intent: Intent, op: UpdateTicket, shown: Snapshot, *, our_id: str
) -> Answer | None:
    """The comment of an update that shared its request, as the mirror holds it; None where that is
    in doubt.

    By its stamp, where the feed tells it; else the only new one by ourselves that says what was
    sent.
    """
    draft = op.comment
    if draft is None:
        return None
    new = [comment for comment in shown.comments if _is_new(comment.comment_id, intent)]
    found = [comment for comment in new if comment.stamp == intent.stamp] or [
        comment
        for comment in new
        if comment.stamp is None and comment.writer_id == our_id and _says(comment, draft)
    ]
    if len(found) != 1:
        return None
    (ours,) = found
    return Answer(
        ticket_id=op.ticket_id,
        sighting=Sighting(ticket_id=op.ticket_id, ticket=shown.ticket, comments=(ours,)),
        comment_ids=(ours.comment_id,),
        stored=(ours.audience,),
        is_read_later=True,
    )


def _says(comment: Comment, draft: Draft) -> bool:
    if comment.html is None:
        return False
    return likeness(comment.html) in _wordings(draft)


def _wordings(draft: Draft) -> frozenset[str]:
    """What the comment reads like, with and without the line that names its author.

    Whoever lost the answer may not know any more under whose name it went.
    """
    return frozenset(likeness(body_of(draft, is_plain=plain)) for plain in (False, True))


def look_for_update(
    intent: Intent, op: UpdateTicket, updates: Sequence[Update], *, our_id: str
) -> tuple[Fate, Sequence[Update]]:
    """Which of a thread's updates is the lost one: FOUND with it, ABSENT, or AMBIGUOUS with all.

    ABSENT means only that it is not among `updates`; whether it may still come is for the caller.
    """
    stamped = [update for update in updates if stamp_in(update.audit) == intent.stamp]
    if stamped:
        return Fate.FOUND, stamped[:1]
    if op.comment is None:
        return _look_for_fields(intent, op, updates, our_id=our_id)
    wordings = _wordings(op.comment)
    candidates = [
        update
        for update in updates
        if str(update.audit.author_id) == our_id
        and stamp_in(update.audit) is None
        and _holds(update, intent, wordings)
    ]
    if len(candidates) > 1:
        return Fate.AMBIGUOUS, candidates
    return (Fate.FOUND if candidates else Fate.ABSENT), candidates


def _look_for_fields(
    intent: Intent, op: UpdateTicket, updates: Sequence[Update], *, our_id: str
) -> tuple[Fate, Sequence[Update]]:
    """Fields carry no mark where stamps cannot be read: ours can only be the next after the stamp
    under which it went, or it was refused.
    """
    since = None if intent.precondition is None else second_of(to_time(intent.precondition))
    for update in updates:
        if since is None or update.second <= since:
            continue
        is_ours = str(update.audit.author_id) == our_id and stamp_in(update.audit) is None
        if is_ours and not any(comment_events(update)) and _changes_as(op, update):
            return Fate.FOUND, (update,)
        break
    return Fate.ABSENT, ()


def _changes_as(op: UpdateTicket, update: Update) -> bool:
    fields = {event.field_name for event in update.audit.events if event.type == "Change"}
    wanted = {"tags"} if op.status is None else {"status", "custom_status_id"}
    return bool(fields & wanted)


def new_comments(intent: Intent, updates: Iterable[Update]) -> tuple[CommentId, ...]:
    """The comments of some updates that came after the intent was made, in order."""
    ids = (CommentId(str(event.id)) for update in updates for event in comment_events(update))
    return tuple(comment_id for comment_id in ids if _is_new(comment_id, intent))


def found_update(
    intent: Intent,
    op: UpdateTicket,
    update: Update,
    sighting: Sighting,
    comments: Sequence[Comment],
    *,
    names: StatusNames = UNNAMED,
) -> Answer:
    """A lost update that was found; `sighting` is what the ticket and its thread show now."""
    new = [c.comment_id for c in comments if _is_new(c.comment_id, intent)]
    return Answer(
        ticket_id=op.ticket_id,
        sighting=sighting,
        comment_ids=tuple(new[:1]),
        stored=_stored(update, new[:1]),
        replaced_status=replaced_status(update.audit, names) if op.status else None,
        replaced_tags=_tags(replaced_value(update.audit, "tags")),
    )


def _fields_answer(ticket: Ticket) -> Answer:
    sighting = Sighting(ticket_id=ticket.ticket_id, ticket=ticket)
    return Answer(ticket_id=ticket.ticket_id, sighting=sighting)


def _is_ours(update: Update, intent: Intent, op: UpdateTicket, ticket: Ticket) -> bool:
    stamp = stamp_in(update.audit)
    if stamp is not None:
        return stamp == intent.stamp
    if intent.precondition is None or ticket.precondition != intent.precondition:
        return True
    # Two writes of one second leave the same `updated_at`.
    return op.comment is not None and _holds(update, intent, _wordings(op.comment))


def _holds(update: Update, intent: Intent, wordings: frozenset[str]) -> bool:
    """Whether an update has a new comment that reads like one of these."""
    return any(
        _is_new(CommentId(str(event.id)), intent)
        and likeness(event.html_body or event.body or "") in wordings
        for event in comment_events(update)
    )


def _is_new(comment_id: CommentId, intent: Intent) -> bool:
    highest = intent.highest_comment_id
    is_above = highest is None or number_of(comment_id) > number_of(highest)
    return is_above and comment_id not in intent.known_ids


def _span_of_write(intent: Intent, ticket: Ticket) -> Span | None:
    """Between the stamp that was not refused and our own second, nobody else wrote anything."""
    if intent.precondition is None:
        return None
    after = second_of(to_time(intent.precondition))
    return Span(after=after, to=ticket.fields_as_of - 1) if after < ticket.fields_as_of else None


def _stored(update: Update, ids: Sequence[CommentId]) -> tuple[Audience | None, ...]:
    public = {str(event.id): event.public for event in update.audit.events}
    audiences: dict[bool | None, Audience] = {True: Audience.PUBLIC, False: Audience.SHARED}
    return tuple(audiences.get(public.get(comment_id)) for comment_id in ids)


def _tags(value: object) -> frozenset[str] | None:
    return frozenset(map(str, value)) if isinstance(value, list) else None
