"""Rows of the file map: what became of each file that a comment of ours was to bring.

A file is named by its comment and its place there, never by its content: two partners who are sent
the same bytes get two copies. Taking the same write in twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.core.agreed import Base, FileMapping, FileState
from syncd.core.attachment import AttachmentReason
from syncd.core.capabilities import Capabilities
from syncd.core.carrying import file_key, follow_up
from syncd.core.model import Audience, Comment, CommentId, Side, Snapshot
from syncd.core.operations import Draft, DraftFile
from syncd.core.policy import LinkPolicy
from syncd.core.thread import audience_for

_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(minutes=10)
#: From here on doubling makes no difference.
_MOST_DOUBLINGS = 16

_Name = tuple[Side, CommentId, int]


def take_files(
    base: Base,
    side: Side,
    written: Iterable[tuple[Draft, CommentId]],
    shown: Mapping[CommentId, Comment],
    *,
    is_silent: bool = False,
) -> Base:
    """The base after comments of ours on `side`, with what became of their files.

    `shown` are those comments as the desk shows them. What follows history that came silently is
    for staff only: nobody is to be notified of it.
    """
    rows = {_name(row): row for row in base.files}
    for draft, copy_id in written:
        copies = _copies(draft, shown.get(copy_id))
        for file in draft.files:
            known = rows.get((side.other, file.comment_id, file.ordinal))
            if known is not None and (
                known.state is not FileState.OWED or known.state is file.state
            ):
                # What is settled stays so, and a debt keeps the time since which it is one.
                continue
            is_carried = file.state is FileState.CARRIED
            row = FileMapping(
                origin=side.other,
                comment_id=file.comment_id,
                ordinal=file.ordinal,
                state=file.state,
                file=file.file,
                audience=Audience.SHARED if is_silent else draft.audience,
                copy_comment_id=copy_id if is_carried else None,
                copy_id=copies.get(file.ordinal, ""),
                sha256=file.sha256,
            )
            rows[_name(row)] = row
    files = tuple(rows.values())
    return base if files == base.files else replace(base, files=files)


def _copies(draft: Draft, comment: Comment | None) -> Mapping[int, str]:
    """The id that the desk gave each carried file, if it shows all of them."""
    carried = [file.ordinal for file in draft.files if file.state is FileState.CARRIED]
    shown = comment.attachments if comment is not None else ()
    if len(shown) != len(carried):
        return {}
    return dict(zip(carried, (file.attachment_id for file in shown), strict=True))


def brought(files: Iterable[DraftFile], copy: Comment) -> tuple[DraftFile, ...]:
    """What became of a comment's files, worked out from the copy alone; what it lacks is owed."""
    wanted = tuple(files)
    names = {file.name for file in copy.attachments}
    has_all = len(copy.attachments) == len(wanted)
    return tuple(
        replace(file, state=FileState.CARRIED)
        if has_all or file.file.name in names
        else replace(file, state=FileState.OWED, reason=AttachmentReason.FOLLOWS.value)
        for file in wanted
    )


def named(base: Base, keys: frozenset[str]) -> Base:
    """The base without the debts that these late comments have paid."""
    files = tuple(
        replace(row, state=FileState.CARRIED)
        if row.state is FileState.OWED and file_key(row) in keys
        else row
        for row in base.files
    )
    return base if files == base.files else replace(base, files=files)


def owed_files(base: Base) -> tuple[FileMapping, ...]:
    """The files that still have to follow."""
    return tuple(row for row in base.files if row.state is FileState.OWED)


def timed(base: Base, now: datetime) -> Base:
    """The base with the time of each new debt put down."""
    if all(row.owed_since is not None for row in owed_files(base)):
        return base
    return replace(
        base,
        files=tuple(
            replace(row, owed_since=now, not_before=now + _FIRST_DELAY)
            if row.state is FileState.OWED and row.owed_since is None
            else row
            for row in base.files
        ),
    )


def postponed(base: Base, side: Side, file: DraftFile, now: datetime) -> Base:
    """The base after another try of an owed file that came to nothing: the next one is later.

    What the try learnt of the file is kept; one that was being scanned stays so until it was not.
    """
    return replace(
        base,
        files=tuple(
            replace(
                row,
                tries=row.tries + 1,
                not_before=now + _delay(row.tries + 1),
                file=file.file,
            )
            if _name(row) == (side.other, file.comment_id, file.ordinal)
            else row
            for row in base.files
        ),
    )


def _delay(tries: int) -> timedelta:
    factor = 1 << min(tries, _MOST_DOUBLINGS)
    return min(_FIRST_DELAY * factor, _LONGEST_DELAY)


def due_keys(base: Base, now: datetime) -> frozenset[str]:
    """The owed files whose next try has come, by their keys."""
    return frozenset(
        file_key(row)
        for row in owed_files(base)
        if row.not_before is not None and row.not_before <= now
    )


def late_keys(base: Base, now: datetime, policy: LinkPolicy) -> frozenset[str]:
    """The owed files that have been tried for long enough."""
    return frozenset(
        file_key(row)
        for row in owed_files(base)
        if row.owed_since is not None and row.owed_since + policy.attachments.patience <= now
    )


def next_try_at(base: Base) -> datetime | None:
    """When the pair has to come back for an owed file; None when none is owed."""
    return min((row.not_before for row in owed_files(base) if row.not_before), default=None)


def follow_ups(
    base: Base,
    side: Side,
    snapshot: Snapshot,
    *,
    due: frozenset[str],
    late: frozenset[str],
    is_quiet: bool,
    policy: LinkPolicy,
    capabilities: Capabilities,
) -> list[Draft]:
    """The comments by which files follow to `side` now; `snapshot` is the other side's.

    A quiet run brings nothing that the public could be notified of.
    """
    comments = {comment.comment_id: comment for comment in snapshot.comments}
    drafts = [
        follow_up(
            row,
            comments.get(row.comment_id),
            policy=policy,
            capabilities=capabilities,
            is_late=file_key(row) in late,
        )
        for row in owed_files(base)
        if row.origin is side.other and file_key(row) in due
    ]
    return [draft for draft in drafts if not (is_quiet and draft.audience is Audience.PUBLIC)]


def without_withdrawn(base: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy) -> Base:
    """The base without debts for comments that are by now nobody's on the other side."""
    if not owed_files(base):
        return base
    local = {
        (side, comment.comment_id)
        for side, snapshot in snapshots.items()
        for comment in snapshot.comments
        if audience_for(comment, side, policy) is Audience.LOCAL
    }
    return replace(
        base,
        files=tuple(
            replace(row, state=FileState.REFUSED)
            if row.state is FileState.OWED and (row.origin, row.comment_id) in local
            else row
            for row in base.files
        ),
    )


def _name(row: FileMapping) -> _Name:
    return row.origin, row.comment_id, row.ordinal
