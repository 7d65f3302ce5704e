"""Loops: machines of two desks that answer each other through us, and where they are stopped.

A loop is made of hops: writes that carry on what followed one of our own on the other desk. So many
hops in an hour are no people's any more. What piled up while a desk was away follows nothing of
ours, and is hardly counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from syncd.core.agreed import Base
from syncd.core.draft import part_source
from syncd.core.ends import Stop
from syncd.core.model import CommentId, Side, Snapshot
from syncd.core.notes import NoteKind
from syncd.core.operations import (
    CreateTicket,
    Draft,
    Operation,
    RestrictComment,
    UpdateTicket,
    drafts_of,
)
from syncd.core.thread import own_ids

#: In which the hops of a pair are counted, by our own clock.
LOOP_WINDOW = timedelta(hours=1)
#: A comment follows one of ours that is among so many before it. Counted in comments: the time of a
#: copy may be another desk's.
_NEAR = 10
_ONE_WAY = 4
#: Told of single comments, however many of them somebody takes out in one go.
_OF_COMMENTS = frozenset(
    {NoteKind.COMMENT_EDITED, NoteKind.COMMENT_REDACTED, NoteKind.COMMENT_MADE_PRIVATE}
)


def is_hop(operation: Operation, base: Base, snapshots: Mapping[Side, Snapshot]) -> bool:
    """Whether a write could be part of a loop: what it carries may be an answer to one of ours.

    A change of fields alone always could: nobody can tell what made a desk change them.
    """
    if isinstance(operation, RestrictComment):
        return False
    drafts = drafts_of(operation)
    if isinstance(operation, UpdateTicket) and not drafts:
        return True
    origin = operation.side.other
    shown = snapshots.get(origin)
    if shown is None:
        return False
    following = _following(base, origin, shown)
    return any(_carries_on(draft, following, operation) for draft in drafts)


def _following(base: Base, side: Side, shown: Snapshot) -> frozenset[CommentId]:
    """The comments of a side that stand close behind one of ours."""
    ours = own_ids(base, side)
    found: set[CommentId] = set()
    since = _NEAR + 1
    for comment in shown.comments:
        since = 0 if comment.comment_id in ours else since + 1
        if since <= _NEAR:
            found.add(comment.comment_id)
    return frozenset(found)


def _carries_on(draft: Draft, following: frozenset[CommentId], operation: Operation) -> bool:
    key = draft.note_key or ""
    source = draft.source_id or part_source(key)
    if source:
        return source in following
    if draft.digested_ids or isinstance(operation, CreateTicket):
        return False
    return key.partition(":")[0] not in _OF_COMMENTS


def stop_loop(hops: Mapping[Side, int], most: int) -> Stop | None:
    """Why a pair must not take one hop more; `hops` are those of the last hour, by side.

    A loop goes there and back, so it takes `most` hops to both sides; what goes one way, such as a
    monitor's reports, may be four times as much.
    """
    there, back = (hops.get(side, 0) for side in Side)
    if min(there, back) < most and max(there, back) < most * _ONE_WAY:
        return None
    return Stop(
        reason="loop",
        hint=f"{there} writes to the platform and {back} to the partner in an hour, each on what"
        " followed one of ours: machines answer each other. Find the trigger or bot that answers,"
        " have it leave our user out, then `syncd retry PAIR`.",
    )
