"""What both sides agreed on, written as a difference, and the bodies that nobody waits for.

The comment map only grows: a step planned from an older base cannot take away what another one
added. The same holds for comments that a person released.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from syncd.core.agreed import Base, CommentMapping, FileMapping, HandOff
from syncd.core.model import PairId
from syncd.store import tables
from syncd.store.file_rows import FILE_JSON, file_values, to_files
from syncd.store.rows import (
    MAPPING_JSON,
    base_values,
    hand_off_values,
    mapping_values,
    moment,
    packed,
    to_base,
    to_hand_off,
    to_mappings,
    to_released,
)
from syncd.store.statement import Session, Statement, insert_into, upsert_into

_BASE = tables.table(tables.Base)

_LOAD_BASE = Statement(
    f"""
    SELECT base.*, (
        SELECT json_group_array({MAPPING_JSON})
        FROM (SELECT * FROM comment_map WHERE pair_id = :pair_id ORDER BY id)
    ) AS mappings, (
        SELECT json_group_array({FILE_JSON})
        FROM (SELECT * FROM file_map WHERE pair_id = :pair_id ORDER BY id)
    ) AS files
    FROM base
    WHERE pair_id = :pair_id
    """  # noqa: S608 - a constant of ours
)
_PUT_BASE = Statement(upsert_into(_BASE, "pair_id"))
_PUT_MAPPING = Statement(
    """
    INSERT INTO comment_map
        (pair_id, origin, comment_id, copy_id, kind, audience, note_key, is_redacted)
    VALUES (:pair_id, :origin, :comment_id, :copy_id, :kind, :audience, :note_key, :is_redacted)
    ON CONFLICT (pair_id, origin, comment_id) DO UPDATE
    SET copy_id = coalesce(excluded.copy_id, copy_id), kind = excluded.kind,
        audience = excluded.audience, note_key = excluded.note_key,
        is_redacted = max(is_redacted, excluded.is_redacted)
    """
)
_PUT_FILE = Statement(
    upsert_into(tables.table(tables.FileMap), "pair_id", "origin", "comment_id", "ordinal")
)
_ADD_HAND_OFF = Statement(insert_into(tables.table(tables.HandOff)))
#: A body goes when every living pair of its ticket has the comment in its map.
_DROP_BODIES = """
    UPDATE comment
    SET html = NULL
    WHERE id IN (
        SELECT comment.id
        FROM pair_ticket AS mine
        JOIN ticket
          ON ticket.connection_ref = mine.connection_ref AND ticket.ticket_id = mine.ticket_id
        JOIN comment
          ON comment.ticket_ref = ticket.id {among}
        WHERE mine.pair_id = :pair_id
          AND comment.html IS NOT NULL
          AND NOT EXISTS (
            SELECT 1
            FROM pair_ticket AS held
            JOIN pair ON pair.id = held.pair_id AND pair.state != 'ended'
            WHERE held.connection_ref = mine.connection_ref
              AND held.ticket_id = mine.ticket_id
              AND NOT EXISTS (
                SELECT 1 FROM comment_map AS m
                WHERE m.pair_id = held.pair_id AND m.origin = held.side
                  AND m.comment_id = comment.comment_id
              )
              AND NOT EXISTS (
                SELECT 1 FROM comment_map AS m
                WHERE m.pair_id = held.pair_id AND m.origin != held.side
                  AND m.copy_id = comment.comment_id
              )
          )
    )
    """
_DROP_ALL_BODIES = Statement(_DROP_BODIES.format(among=""))
_DROP_THESE_BODIES = Statement(
    _DROP_BODIES.format(
        among="AND comment.comment_id IN (SELECT value FROM json_each(:comment_ids))"
    )
)


def load_base(session: Session, pair_id: PairId) -> Base:
    """The agreed state with the whole comment map; an empty one before the first agreement."""
    row = session.row(_LOAD_BASE, {"pair_id": pair_id})
    if row is None:
        return Base()
    return replace(to_base(row), files=to_files(row["files"]))


def write_base(session: Session, pair_id: PairId, base: Base, *, now: datetime) -> bool:
    """Bring the stored base to `base`; whether what it asks of the platform ticket changed."""
    row = session.row(_LOAD_BASE, {"pair_id": pair_id})
    before = HandOff() if row is None else to_hand_off(row)
    if row is not None:
        base = replace(base, released=base.released | to_released(row))
    values = base_values(pair_id, base)
    if row is None or any(row[name] != value for name, value in values.items()):
        session.run(_PUT_BASE, values)
    if _turn(before) != _turn(base.hand_off):
        seen_at = moment(now)
        session.run(_ADD_HAND_OFF, hand_off_values(pair_id, base.hand_off, seen_at=seen_at))
    known = () if row is None else to_mappings(row["mappings"])
    _extend_map(session, pair_id, known, base.comments)
    _put_files(session, pair_id, () if row is None else to_files(row["files"]), base.files)
    asked = (None, before.state) if row is None else (row["agreed"], row["hand_off_state"])
    return asked != (values["agreed"], values["hand_off_state"])


def _turn(hand_off: HandOff) -> tuple[object, ...]:
    return hand_off.state, hand_off.turn, hand_off.comment_id


def _extend_map(
    session: Session,
    pair_id: PairId,
    known: Iterable[CommentMapping],
    comments: Iterable[CommentMapping],
) -> None:
    held = {(mapping.origin, mapping.comment_id): mapping for mapping in known}
    news = [
        mapping
        for mapping in comments
        if _adds(mapping, held.get((mapping.origin, mapping.comment_id)))
    ]
    if news:
        session.run_many(_PUT_MAPPING, [mapping_values(pair_id, mapping) for mapping in news])
        delivered = {m.comment_id for m in news} | {m.copy_id for m in news if m.copy_id}
        values = {"pair_id": pair_id, "comment_ids": packed(delivered)}
        session.run(_DROP_THESE_BODIES, values)


def _put_files(
    session: Session,
    pair_id: PairId,
    known: Iterable[FileMapping],
    files: Iterable[FileMapping],
) -> None:
    held = set(known)
    news = [file_values(pair_id, row) for row in files if row not in held]
    if news:
        session.run_many(_PUT_FILE, news)


def _adds(mapping: CommentMapping, known: CommentMapping | None) -> bool:
    if known is None or known == mapping:
        return known is None
    # A copy that is known stays known, whoever does not speak of it.
    return known != replace(mapping, copy_id=mapping.copy_id or known.copy_id)


def drop_bodies(session: Session, pair_id: PairId) -> None:
    """Let go of all bodies that only this pair, which has ended, was still waiting for."""
    session.run(_DROP_ALL_BODIES, {"pair_id": pair_id})
