"""What a person decides to leave as it is: the base as if it were not owed, now and later.

What is left is never planned again; what people write afterwards travels as ever. Both desks stay
as they are: nothing is written, and nothing that stands there is news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from syncd.core.agreed import Base, CommentMapping, FileMapping, FileState, HandOff, Known
from syncd.core.carrying import file_key, is_follow_up
from syncd.core.draft import part_source
from syncd.core.model import Audience, CommentId, Side, Snapshot
from syncd.core.notes import NoteKind
from syncd.core.operations import (
    CreateTicket,
    Draft,
    Intent,
    Operation,
    RestrictComment,
    UpdateTicket,
)
from syncd.core.policy import LinkPolicy
from syncd.core.settle import restricted
from syncd.core.tags import fold, shared_spelling, shared_tags
from syncd.core.thread import known_ids


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """The base without a debt, and what was left, in words without ticket text."""

    base: Base
    what: tuple[str, ...] = ()

    def and_then(self, more: Left) -> Left:
        """Both, where `more` was worked out from this one's base."""
        return Left(base=more.base, what=(*self.what, *more.what))


def leave_operation(base: Base, operation: Operation, policy: LinkPolicy) -> Left | None:
    """All that one write would have brought; None for a ticket that is still to be made."""
    side = operation.side
    if isinstance(operation, CreateTicket):
        return None
    if isinstance(operation, RestrictComment):
        what = f"comment {operation.comment_id} stays public on the {side}'s desk"
        return Left(base=restricted(base, operation), what=(what,))
    return _leave_update(base, operation, policy)


def _leave_update(base: Base, operation: UpdateTicket, policy: LinkPolicy) -> Left:
    side = operation.side
    left = Left(base=base)
    if operation.comment is not None:
        left = _leave_draft(base, side, operation.comment)
    if operation.status is not None:
        left = left.and_then(leave_status(left.base, side))
    if operation.add_tags or operation.remove_tags:
        added, removed = operation.add_tags, operation.remove_tags
        left = left.and_then(_leave_tags(left.base, side, added, removed, policy))
    if operation.leave_view is not None:
        left = left.and_then(call_off(left.base))
    return left


def _leave_draft(base: Base, side: Side, draft: Draft) -> Left:
    key = draft.note_key
    if draft.source_id is not None:
        return leave_comment(base, side.other, draft.source_id, draft.audience)
    if key is None:
        return Left(base=base)
    if is_follow_up(draft):
        return leave_file(base, key)
    source = part_source(key)
    if source:
        return leave_comment(base, side.other, source, draft.audience)
    left = leave_note(base, side, key)
    for source in draft.digested_ids:
        left = left.and_then(leave_comment(left.base, side.other, source, Audience.SHARED))
    return left


def leave_comment(base: Base, origin: Side, comment_id: CommentId, audience: Audience) -> Left:
    """A comment that stays where it was written."""
    if comment_id in known_ids(base, origin):
        return Left(base=base)
    row = CommentMapping(
        kind=Known.IGNORED, origin=origin, comment_id=comment_id, audience=audience
    )
    what = f"comment {comment_id} of the {origin}"
    return Left(base=replace(base, comments=(*base.comments, row)), what=(what,))


def leave_note(base: Base, side: Side, key: str) -> Left:
    """A note that is not written; one of that key is never owed again."""
    # In the map, because rows there outlive whatever else a run may write over.
    row = CommentMapping(
        kind=Known.IGNORED,
        origin=side,
        comment_id=CommentId(key),
        audience=Audience.SHARED,
        note_key=key,
    )
    owed = tuple(note for note in base.owed if note.key != key)
    kind = key.partition(":")[0]
    return Left(
        base=replace(base, owed=owed, comments=(*base.comments, row)),
        what=(f"the note {kind} to the {side}",),
    )


def leave_file(base: Base, key: str) -> Left:
    """An owed file that does not follow, and of which nothing more is said."""
    found = [row for row in base.files if row.state is FileState.OWED and file_key(row) == key]

    def told(row: FileMapping) -> str:
        return f"file {row.ordinal + 1} of the {row.origin}'s comment {row.comment_id}"

    return Left(
        base=replace(
            base,
            files=tuple(
                replace(row, state=FileState.REFUSED) if row in found else row for row in base.files
            ),
        ),
        what=tuple(map(told, found)),
    )


def leave_status(base: Base, side: Side) -> Left:
    """The status that a side is owed: it stays as that desk shows it, until somebody changes it."""
    if base.status is None:
        return Left(base=base)
    status = replace(
        base.status,
        left=base.status.left | {side},
        refused={s: refused for s, refused in base.status.refused.items() if s is not side},
    )
    return Left(base=replace(base, status=status), what=(f"the status on the {side}'s desk",))


def _leave_tags(
    base: Base, side: Side, added: Iterable[str], removed: Iterable[str], policy: LinkPolicy
) -> Left:
    """What one side should have got stays the other's own; what it should lose, its own."""
    tags, other = base.tags, side.other
    add = shared_spelling(added, policy)
    remove = frozenset(map(fold, removed)) & shared_spelling(removed, policy)
    tags = replace(
        tags,
        agreed=tags.agreed - add,
        seen={**tags.seen, other: _of(tags.seen, other) - add, side: _of(tags.seen, side) - remove},
        kept={**tags.kept, other: _of(tags.kept, other) | add, side: _of(tags.kept, side) | remove},
        owed_add={s: owed for s, owed in tags.owed_add.items() if s is not side},
        owed_remove={s: owed for s, owed in tags.owed_remove.items() if s is not side},
    )
    hand_off = base.hand_off
    if side is Side.PARTNER and policy.ball_tag in {*added, *removed}:
        hand_off = replace(hand_off, is_tag_set=policy.ball_tag in set(added))
    base = replace(base, tags=tags, hand_off=hand_off)
    return Left(base=base, what=(f"tags on the {side}'s desk",))


def leave_lost_tags(base: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy) -> Left:
    """Shared tags that a desk did not keep when we wrote them: they stay on the other one."""
    left = Left(base=base)
    for side, snapshot in snapshots.items():
        lost = _of(left.base.tags.seen, side) - shared_tags(snapshot.ticket, policy)
        if lost:
            tags = left.base.tags
            seen = {**tags.seen, side: _of(tags.seen, side) - lost}
            known = replace(left.base, tags=replace(tags, seen=seen))
            more = _leave_tags(known, side, lost, (), policy)
            left = left.and_then(more)
    return left


def call_off(base: Base) -> Left:
    """A hand-off that the platform did not take: the ticket stays the partner's."""
    before = base.hand_off
    hand_off = HandOff(turn=before.turn + 1, is_tag_set=before.is_tag_set)
    owed = tuple(note for note in base.owed if note.kind != NoteKind.HAND_OFF_ORDERED)
    return Left(base=replace(base, hand_off=hand_off, owed=owed), what=("the hand-off",))


def leave_write(base: Base, intent: Intent, candidates: Sequence[CommentId]) -> Left | None:
    """A lost write of which the desk shows several: all of them stay, the first is the copy.

    None for a write without a comment, or where all of them are explained already.
    """
    operation = intent.op
    draft = operation.comment if isinstance(operation, UpdateTicket) else None
    if draft is None:
        return None
    side, explained = operation.side, known_ids(base, operation.side)
    fresh = [each for each in candidates if each not in explained]
    if not fresh:
        return None
    first, *others = fresh
    rows = [
        CommentMapping(kind=Known.IGNORED, origin=side, comment_id=each, audience=draft.audience)
        for each in others
    ]
    if draft.source_id is not None:
        copied = CommentMapping(
            kind=Known.COPIED,
            origin=side.other,
            comment_id=draft.source_id,
            copy_id=first,
            audience=draft.audience,
            is_redacted=draft.is_redacted,
        )
    else:
        copied = CommentMapping(
            kind=Known.NOTE,
            origin=side,
            comment_id=first,
            audience=draft.audience,
            note_key=draft.note_key,
        )
    owed = tuple(note for note in base.owed if note.key != draft.note_key)
    left = replace(base, comments=(*base.comments, copied, *rows), owed=owed)
    what = f"comments {', '.join([first, *others])} on the {side}'s desk, as one write of ours"
    return Left(base=left, what=(what,))


def _of(tags: Mapping[Side, frozenset[str]], side: Side) -> frozenset[str]:
    return tags.get(side, frozenset())
