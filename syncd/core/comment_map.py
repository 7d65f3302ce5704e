"""Rows of the comment map that a write of ours leads to.

Taking the same write in twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from syncd.core.agreed import Base, CommentMapping, Known
from syncd.core.model import Audience, CommentId, Side
from syncd.core.operations import Draft
from syncd.core.thread import known_ids


def take_written(base: Base, side: Side, written: Iterable[tuple[Draft, CommentId]]) -> Base:
    """The base with our comments on `side` mapped; a note among them is no longer owed."""
    explained = known_ids(base, side)
    fresh = [(draft, comment_id) for draft, comment_id in written if comment_id not in explained]
    mappings = [row for draft, comment_id in fresh for row in _mappings(side, draft, comment_id)]
    keys = {draft.note_key for draft, _ in fresh if draft.note_key is not None}
    return replace(
        base,
        comments=(*base.comments, *mappings),
        owed=tuple(note for note in base.owed if note.key not in keys),
    )


def _mappings(side: Side, draft: Draft, comment_id: CommentId) -> list[CommentMapping]:
    if draft.source_id is not None:
        copied = CommentMapping(
            kind=Known.COPIED,
            origin=side.other,
            comment_id=draft.source_id,
            copy_id=comment_id,
            audience=draft.audience,
            is_redacted=draft.is_redacted,
        )
        return [copied]
    note = CommentMapping(
        kind=Known.NOTE,
        origin=side,
        comment_id=comment_id,
        audience=draft.audience,
        note_key=draft.note_key,
        is_redacted=draft.is_redacted,
    )
    digested = (
        CommentMapping(
            kind=Known.HISTORIC, origin=side.other, comment_id=source, audience=Audience.SHARED
        )
        for source in draft.digested_ids
    )
    return [note, *digested]
