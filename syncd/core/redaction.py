"""What was taken out of a comment after its copy travelled: the copy's desk is told, once.

A comment that was redacted before it travelled travels as it is then, and needs no word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.agreed import Base, Known
from syncd.core.draft import part_source
from syncd.core.ends import desk_name
from syncd.core.model import Audience, Comment, CommentId, Side, Snapshot
from syncd.core.notes import NoteKind, note
from syncd.core.operations import Operation, UpdateTicket
from syncd.core.owing import owe
from syncd.core.policy import LinkPolicy


def follow_redactions(base: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy) -> Base:
    """The base with a note owed for each copy whose original was redacted since.

    No desk lets a copy be changed as its original was without being told what was in it, which
    nobody here remembers; so a person is asked. The note names the comment and quotes nothing.
    """
    redacted = _redacted(snapshots)
    if not redacted:
        return base
    mappings = list(base.comments)
    for index, mapping in enumerate(mappings):
        comment = redacted.get((mapping.origin, mapping.comment_id))
        if comment is None or mapping.is_redacted or mapping.kind is not Known.COPIED:
            continue
        mappings[index] = replace(mapping, is_redacted=True)
        origin = mapping.origin
        desk = desk_name(origin, policy)
        told = note(
            NoteKind.COMMENT_REDACTED,
            desk=desk,
            author=comment.author.name or desk,
            at=comment.created_at,
            url=snapshots[origin].ticket.url,
        )
        base = owe(base, told, origin.other, comment.comment_id)
    return replace(base, comments=tuple(mappings))


def is_outdated(operation: Operation, origin: Snapshot | None) -> bool:
    """Whether a write that has not landed says more than its original says by now.

    Its original was made private or redacted since: the same bytes must not go again.
    """
    draft = operation.comment if isinstance(operation, UpdateTicket) else None
    if draft is None or origin is None:
        return False
    source_id = draft.source_id or part_source(draft.note_key or "")
    source = next((c for c in origin.comments if c.comment_id == source_id), None)
    if source is None:
        return False
    is_narrower = draft.audience is Audience.PUBLIC and source.audience is not Audience.PUBLIC
    return is_narrower or (source.is_redacted and not draft.is_redacted)


def _redacted(snapshots: Mapping[Side, Snapshot]) -> dict[tuple[Side, CommentId], Comment]:
    return {
        (side, comment.comment_id): comment
        for side, snapshot in snapshots.items()
        for comment in snapshot.comments
        if comment.is_redacted
    }
