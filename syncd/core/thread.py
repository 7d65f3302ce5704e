"""Questions about a ticket's comments: what is news, for whom, and what came in one update."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from syncd.core.agreed import Base, Known
from syncd.core.lines import first_text
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    Role,
    Side,
    Snapshot,
    StatusUpdate,
    Ticket,
)
from syncd.core.policy import LinkPolicy


def known_ids(base: Base, side: Side) -> frozenset[CommentId]:
    """The comments of a side that the comment map explains: originals, copies and notes."""
    ids: set[CommentId] = set()
    for mapping in base.comments:
        if mapping.origin is side:
            ids.add(mapping.comment_id)
        elif mapping.copy_id is not None:
            ids.add(mapping.copy_id)
    return frozenset(ids)


def note_keys(base: Base) -> frozenset[str]:
    """The notes that were written already, or are left unwritten for good."""
    return frozenset(
        mapping.note_key
        for mapping in base.comments
        if mapping.kind in (Known.NOTE, Known.IGNORED) and mapping.note_key is not None
    )


def news(base: Base, side: Side, snapshot: Snapshot) -> tuple[Comment, ...]:
    """Comments that nothing explains yet, in the desk's order."""
    explained = known_ids(base, side)
    return tuple(c for c in snapshot.comments if c.comment_id not in explained)


def lacks_body(base: Base, side: Side, snapshot: Snapshot, policy: LinkPolicy) -> bool:
    """Whether a comment that must travel, or be read for an order, is known without its text."""
    return any(
        comment.html is None
        and (
            audience_for(comment, side, policy) is not Audience.LOCAL
            or is_read_at_home(comment, side, policy)
        )
        for comment in news(base, side, snapshot)
    )


def audience_for(comment: Comment, side: Side, policy: LinkPolicy) -> Audience:
    """Who may read the comment as this link sees it.

    A shared comment on a desk with views is this link's only if our view is among its readers;
    one that starts with the local marker stays where it is, whatever its audience.
    """
    if _is_elsewhere(comment, policy) or has_local_marker(comment, policy):
        return Audience.LOCAL
    target = side.other
    direction = policy.public if comment.audience is Audience.PUBLIC else policy.private
    return comment.audience if direction.allows(target) else Audience.LOCAL


def is_read_at_home(comment: Comment, side: Side, policy: LinkPolicy) -> bool:
    """Whether the comment's words stay, but an order in them counts.

    So it is with the partner's private comments where the link does not carry those. What is local
    for another reason, by its marker or because nobody knows who can read it, is nobody's order.
    """
    return (
        side is Side.PARTNER
        and bool(policy.hand_off_phrases)
        and comment.audience is Audience.SHARED
        and not policy.private.allows(Side.PLATFORM)
        and not _is_elsewhere(comment, policy)
        and not has_local_marker(comment, policy)
    )


def _is_elsewhere(comment: Comment, policy: LinkPolicy) -> bool:
    """Whether the comment is shared, and not with this link's view."""
    views = comment.views
    return comment.audience is Audience.SHARED and views is not None and policy.view not in views


def has_local_marker(comment: Comment, policy: LinkPolicy) -> bool:
    """Whether the comment's text begins with the link's local marker, in any case."""
    if not policy.local_marker or comment.html is None:
        return False
    text = first_text(comment.html)
    return text[: len(policy.local_marker)].casefold() == policy.local_marker.casefold()


def is_one_update(comment: Comment, update: StatusUpdate) -> bool:
    """Whether a comment and a status came together.

    The same update id says so; where the desk names none, the same actor in the same second.
    """
    if comment.update_id is not None and update.update_id is not None:
        return comment.update_id == update.update_id
    actor = comment.writer_id or comment.author.person_id
    return actor == update.actor_id and _second(comment.created_at) == _second(update.at)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def is_explained(ticket: Ticket) -> bool:
    """Whether it is known which update gave the ticket its status, and all that came with it.

    Either that update was read whole, or the comments are known up to the fields.
    """
    update = ticket.status_update
    is_named = (
        update is not None and update.status == ticket.status and update.update_id is not None
    )
    return is_named or ticket.comments_as_of >= ticket.fields_as_of


def is_answered_and_closed(base: Base, side: Side, snapshot: Snapshot) -> bool:
    """Whether the update that closed the ticket also carried a public answer by a person.

    Not the customer's own words, and not what we wrote there ourselves.
    """
    update = snapshot.ticket.status_update
    if update is None:
        return False
    ours = own_ids(base, side)
    return any(
        comment.audience is Audience.PUBLIC
        and comment.author.role is not Role.CUSTOMER
        and comment.comment_id not in ours
        and is_one_update(comment, update)
        for comment in snapshot.comments
    )


def own_ids(base: Base, side: Side) -> frozenset[CommentId]:
    """The comments of a side that we wrote: copies and notes."""
    copies = {m.copy_id for m in base.comments if m.copy_id is not None and m.origin is not side}
    notes = {m.comment_id for m in base.comments if m.kind is Known.NOTE and m.origin is side}
    return frozenset(copies | notes)


def newest_id(comments: Iterable[Comment]) -> CommentId | None:
    """The id of the last comment in the desk's order; None on an empty thread."""
    last: CommentId | None = None
    for comment in comments:
        last = comment.comment_id
    return last
