"""Rows of the comment map that a write of ours leads to.

Taking the same write in twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from syncd.core.model import Audience, Base, CommentId, CommentMapping, Known, Side
from syncd.core.operations import Draft
from syncd.core.thread import known_ids


def take_written(base: Base, side: Side, written: Iterable[tuple[Draft, CommentId]]) -> Base:
    """The base with our comments on `side` mapped; a note among them is no longer owed."""
    for draft, comment_id in written:
        if comment_id in known_ids(base, side):
            continue
        base = replace(
            base,
            comments=(*base.comments, *_mappings(side, draft, comment_id)),
            owed=tuple(note for note in base.owed if note.key != draft.note_key),
        )
    return base


def _mappings(side: Side, draft: Draft, comment_id: CommentId) -> tuple[CommentMapping, ...]:
    if draft.source_id is not None:
        copied = CommentMapping(
            kind=Known.COPIED,
            origin=side.other,
            comment_id=draft.source_id,
            copy_id=comment_id,
            audience=draft.audience,
        )
        return (copied,)
    note = CommentMapping(
        kind=Known.NOTE,
        origin=side,
        comment_id=comment_id,
        audience=draft.audience,
        note_key=draft.note_key,
    )
    digested = (
        CommentMapping(
            kind=Known.HISTORIC, origin=side.other, comment_id=source, audience=Audience.SHARED
        )
        for source in draft.digested_ids
    )
    return (note, *digested)
