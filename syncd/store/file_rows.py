"""Rows of files: what a comment names, and what became of each file that was to travel."""

from __future__ import annotations

import msgspec

from syncd.core.agreed import FileMapping
from syncd.core.model import Comment, PairId
from syncd.store.rows import moment_or_none, packed

_FILES = msgspec.json.Decoder(tuple[FileMapping, ...]).decode


def attachment_values(ticket_ref: int, comment: Comment) -> list[dict[str, object]]:
    """One row of `attachment` for each, in order; the comment by its key."""
    return [
        {
            "ticket_ref": ticket_ref,
            "comment_id": comment.comment_id,
            "ordinal": ordinal,
            "attachment_id": attachment.attachment_id,
            "name": attachment.name,
            "size": attachment.size,
            "content_type": attachment.content_type,
            "url": attachment.url,
            "scan": attachment.scan.value,
            "source": attachment.source,
        }
        for ordinal, attachment in enumerate(comment.attachments)
    ]


def file_values(pair_id: PairId, row: FileMapping) -> dict[str, object]:
    """All columns of `file_map` but its own key."""
    return {
        "pair_id": pair_id,
        "origin": row.origin.value,
        "comment_id": row.comment_id,
        "ordinal": row.ordinal,
        "state": row.state.value,
        "file": packed(row.file),
        "audience": row.audience.value,
        "copy_comment_id": row.copy_comment_id,
        "copy_id": row.copy_id,
        "sha256": row.sha256,
        "owed_since": moment_or_none(row.owed_since),
        "not_before": moment_or_none(row.not_before),
        "tries": row.tries,
    }


#: One row of `file_map` as JSON in the core's own shape.
FILE_JSON = """
    json_object(
        'origin', origin, 'comment_id', comment_id, 'ordinal', ordinal, 'state', state,
        'file', json(file), 'audience', audience, 'copy_comment_id', copy_comment_id,
        'copy_id', copy_id, 'sha256', sha256, 'owed_since', owed_since, 'not_before', not_before,
        'tries', tries
    )
    """


def to_files(text: str) -> tuple[FileMapping, ...]:
    """An array of `FILE_JSON`."""
    return _FILES(text)
