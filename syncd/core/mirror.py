"""How a sighting changes what the mirror holds of a ticket.

Sightings come doubled, late and out of order; merging any of them in any order ends in the same
state up to the freshest one. Comments are kept by id elsewhere; here is only how far they reach.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Set
from dataclasses import replace

from syncd.core.attachment import Attachment
from syncd.core.model import (
    SOME_COMMENT,
    Audience,
    Comment,
    CommentId,
    End,
    Sighting,
    Snapshot,
    StatusUpdate,
    Ticket,
)

# Longer than any desk's ids; `int` refuses thousands of digits.
_MOST_DIGITS = 30
#: Only a desk that shows such a ticket again brings it back: that it moved, says nothing.
_IS_OVER = frozenset({End.DELETED, End.GONE, End.SPAM})


def merge_ticket(
    known: Ticket | None, sighting: Sighting, *, held: Container[CommentId] = ()
) -> Ticket | None:
    """The ticket after the sighting; None when neither has ever shown the fields.

    `held` are the comments that the mirror holds, those of this sighting included.
    """
    sighting = own(known, sighting)
    shown = sighting.ticket
    if known is not None and sighting.is_set_back:
        known = replace(known, fields_as_of=-1, comments_as_of=0, status_update=None)
    if known is None:
        merged = None if shown is None else replace(shown, comments_as_of=0)
    else:
        merged = known if shown is None else _merge_fields(known, shown, is_read=sighting.is_read)
    if merged is None:
        return None
    merged = _take_kin(merged, sighting)
    hints = set(sighting.hinted)
    if _has_outrun(known, sighting):
        hints.add(SOME_COMMENT)
    merged = _cover(merged, sighting, hints=hints)
    # A hint is settled by the comment itself too, whoever brings it.
    hinted = frozenset(comment_id for comment_id in merged.hinted if comment_id not in held)
    return _explain(_doubt(replace(merged, hinted=hinted), sighting), sighting)


def own(known: Ticket | None, sighting: Sighting) -> Sighting:
    """The sighting, or what it proves where its id was given to another ticket: this one is gone.

    A desk that was put back to an older state numbers from there, and may use a number again.
    """
    shown = sighting.ticket
    if known is None or shown is None or not is_another(known, shown):
        return sighting
    return Sighting(ticket_id=sighting.ticket_id, is_missing=True)


def is_another(known: Ticket, shown: Ticket) -> bool:
    """Whether two tickets of one id are not the same: they were not made in the same second."""
    return known.created_at.replace(microsecond=0) != shown.created_at.replace(microsecond=0)


def is_older(known: Ticket, shown: Ticket) -> bool:
    """Whether a ticket is shown as it was before what is known of it."""
    return shown.fields_as_of < known.fields_as_of


def _has_outrun(known: Ticket | None, sighting: Sighting) -> bool:
    """Whether a read shows that the ticket moved, unseen by what: maybe a comment."""
    shown = sighting.ticket
    return (
        known is not None
        and shown is not None
        and sighting.is_read
        and sighting.covers is None
        and shown.fields_as_of > max(known.fields_as_of, known.comments_as_of)
    )


def _take_kin(ticket: Ticket, sighting: Sighting) -> Ticket:
    """What a thread or another ticket says of where this one went on."""
    if sighting.follow_ups:
        ticket = replace(ticket, follow_ups=ticket.follow_ups.union(sighting.follow_ups))
    if sighting.merged_into is not None and ticket.end in (End.FINAL, End.MERGED):
        return replace(ticket, end=End.MERGED, merged_into=sighting.merged_into)
    return ticket


def _as_known(known: Ticket, shown: Ticket) -> Ticket:
    """The shown fields without what they merely leave out: how exactly a ticket ended."""
    vaguer = {End.MERGED: End.FINAL, End.SPAM: End.DELETED}.get(known.end)
    end = known.end if shown.end is vaguer else shown.end
    into = shown.merged_into or (known.merged_into if end is End.MERGED else None)
    follow_ups = shown.follow_ups | known.follow_ups
    return replace(shown, end=end, merged_into=into, follow_ups=follow_ups)


def _as_shown(known: Ticket, shown: Ticket) -> Ticket:
    """The known fields with what an equally old look adds: never a contradiction."""
    sharper = _as_known(shown, known)
    return replace(
        known, end=sharper.end, merged_into=sharper.merged_into, follow_ups=sharper.follow_ups
    )


def _merge_fields(known: Ticket, shown: Ticket, *, is_read: bool) -> Ticket:
    shown = _as_known(known, shown)
    if shown.fields_as_of == known.fields_as_of:
        known = _as_shown(known, shown)
    if is_older(known, shown):
        # Overtaken on its way, or of a desk that was put back: the pair's own read will tell.
        return replace(known, is_stale=True, is_confirmed=False) if is_read else known
    if known.end is End.GONE and shown.end not in _IS_OVER and not is_read:
        # That it is gone has no time of its own: what was told before may come after it was seen.
        return replace(known, is_stale=True, is_confirmed=False)
    if shown.fields_as_of > known.fields_as_of or (is_read and differ(known, shown)):
        return replace(
            shown,
            comments_as_of=known.comments_as_of,
            hinted=known.hinted,
            is_stale=False,
            status_update=_newest_status_update(known, shown),
            # A desk that leaves a part out of its feeds has not thereby emptied it.
            metadata=shown.metadata or known.metadata,
            metadata_as_of=shown.metadata_as_of or known.metadata_as_of,
            url=shown.url or known.url,
        )
    if differ(known, shown):
        # Two readings of one instant disagree, and neither is a direct one: only a read can tell.
        return replace(known, is_stale=True, is_confirmed=False)
    return replace(
        known,
        is_confirmed=known.is_confirmed or shown.is_confirmed,
        is_stale=known.is_stale and not is_read,
        status_update=_newest_status_update(known, shown),
    )


def differ(known: Ticket, shown: Ticket) -> bool:
    """Whether two readings of a ticket differ in what people see of its fields."""
    return (
        known.status,
        known.tags,
        known.subject,
        known.views,
        known.end,
        known.merged_into,
    ) != (shown.status, shown.tags, shown.subject, shown.views, shown.end, shown.merged_into)


def _newest_status_update(known: Ticket, shown: Ticket) -> StatusUpdate | None:
    candidates = [u for u in (known.status_update, shown.status_update) if u is not None]
    fitting = [u for u in candidates if u.status == shown.status]
    # One that names its update says more than one that only names an actor.
    return max(fitting, key=lambda u: (u.at, u.update_id is not None), default=None)


def _cover(ticket: Ticket, sighting: Sighting, *, hints: Set[CommentId]) -> Ticket:
    covers = sighting.covers
    if covers is None or covers.after > ticket.comments_as_of:
        # A comment after a gap may have others before it, which must travel first. One of our own
        # travels nowhere.
        is_behind_gap = any(comment.stamp is None for comment in sighting.comments)
        gap = {SOME_COMMENT} if is_behind_gap else set[CommentId]()
        return replace(ticket, hinted=ticket.hinted | hints | gap)
    # A read of the thread settles every hint that came before it, and none of what it does not
    # reach: it may have been overtaken on its way by what told of something later.
    shown = sighting.ticket
    is_overtaken = shown is not None and shown.fields_as_of < ticket.fields_as_of
    is_settling = sighting.is_read and not is_overtaken
    before = frozenset[CommentId]() if is_settling else ticket.hinted
    return replace(
        ticket,
        comments_as_of=max(ticket.comments_as_of, covers.to),
        hinted=before | hints,
    )


def _doubt(ticket: Ticket, sighting: Sighting) -> Ticket:
    """What a sighting says of the ticket without showing it."""
    if sighting.is_unreadable:
        # No stretch that a feed proves joins on to nothing: only a whole read ends this.
        return replace(
            ticket,
            comments_as_of=0,
            hinted=ticket.hinted | {SOME_COMMENT},
            is_stale=True,
            is_confirmed=False,
        )
    if sighting.is_missing and ticket.end in (End.ALIVE, End.GONE):
        return replace(ticket, end=End.GONE, is_stale=True, is_confirmed=False)
    moved_at = sighting.moved_at
    if moved_at is None or ticket.end in _IS_OVER:
        return ticket
    if ticket.comments_as_of < moved_at:
        ticket = replace(ticket, hinted=ticket.hinted | {SOME_COMMENT})
    is_known = ticket.fields_as_of > moved_at or (
        ticket.fields_as_of == moved_at and ticket.is_confirmed
    )
    if sighting.ticket is None and not is_known:
        ticket = replace(ticket, is_stale=True, is_confirmed=False)
    return ticket


def _explain(ticket: Ticket, sighting: Sighting) -> Ticket:
    update = sighting.status_update
    if update is None or update.status != ticket.status:
        return ticket
    present = ticket.status_update
    if present is None or (update.at, update.update_id is not None) >= (
        present.at,
        present.update_id is not None,
    ):
        return replace(ticket, status_update=update)
    return ticket


def merge_comment(known: Comment | None, shown: Comment) -> Comment:
    """The comment after it was shown again: an audience only narrows, what was known stays known.

    Whether a body is still needed is for the store to say.
    """
    if known is None:
        return shown
    audience = shown.audience if _width(shown) < _width(known) else known.audience
    # A look from before the redaction must not bring back what was taken out.
    is_older = known.is_redacted and not shown.is_redacted
    return replace(
        shown,
        audience=audience,
        html=known.html if shown.html is None or is_older else shown.html,
        is_redacted=known.is_redacted or shown.is_redacted,
        was_public=known.was_public
        or shown.was_public
        or (known.audience is Audience.PUBLIC and audience is not Audience.PUBLIC),
        update_id=shown.update_id or known.update_id,
        writer_id=shown.writer_id or known.writer_id,
        stamp=shown.stamp or known.stamp,
        attachments=_files(known, shown, is_older=is_older),
        author=shown.author if shown.author.name else known.author,
    )


def _files(known: Comment, shown: Comment, *, is_older: bool) -> tuple[Attachment, ...]:
    if shown.is_redacted:
        # What is no longer shown was taken away.
        return shown.attachments
    return known.attachments if is_older else shown.attachments or known.attachments


def _width(comment: Comment) -> int:
    return {"public": 2, "shared": 1, "local": 0}[comment.audience.value]


def merge_snapshot(known: Snapshot | None, sighting: Sighting) -> Snapshot | None:
    """Fields and comments together, for those who hold a whole ticket in memory."""
    sighting = own(known.ticket if known else None, sighting)
    comments = {c.comment_id: c for c in (known.comments if known else ())}
    for shown in sighting.comments:
        comments[shown.comment_id] = merge_comment(comments.get(shown.comment_id), shown)
    ticket = merge_ticket(known.ticket if known else None, sighting, held=comments)
    if ticket is None:
        return None
    return Snapshot(
        ticket=ticket,
        comments=tuple(sorted(comments.values(), key=_place)),
        earlier_count=known.earlier_count if known else 0,
    )


def with_earlier(snapshot: Snapshot, earlier: Iterable[Comment]) -> Snapshot:
    """The snapshot with the comments of the tickets that its ticket goes on from."""
    comments = {comment.comment_id: comment for comment in (*earlier, *snapshot.comments)}
    return Snapshot(
        ticket=snapshot.ticket,
        comments=tuple(sorted(comments.values(), key=_place)),
        earlier_count=len(comments) - len(snapshot.comments),
    )


def _place(comment: Comment) -> tuple[object, ...]:
    # Several comments may share a second, and a clock may be set back; desks number as they come.
    return (comment.position, comment.created_at, _number(comment.comment_id))


def _number(comment_id: str) -> tuple[int, str]:
    is_number = comment_id.isascii() and comment_id.isdigit() and len(comment_id) <= _MOST_DIGITS
    return (int(comment_id), "") if is_number else (0, comment_id)
