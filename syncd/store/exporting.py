"""Mappings out of the store: lines of one moment, a few pairs at a time, whoever writes meanwhile.

The history (journal, timeline, conflicts, deeds) and the mirror stay: a backup has them.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from syncd.core.agreed import FileMapping
from syncd.core.model import LinkName
from syncd.store.file import connect_reader, path_of
from syncd.store.file_rows import FILE_JSON, to_files
from syncd.store.mapping_line import (
    Agreed,
    CursorLine,
    Header,
    Held,
    Line,
    LinkLine,
    PairLine,
    Rest,
    Stop,
    encoded,
)
from syncd.store.migrate import require_newest
from syncd.store.placing import beside, loud, require_free, sync_folder
from syncd.store.rows import MAPPING_JSON, to_base, to_mappings, to_moment, to_moment_or_none
from syncd.store.statement import Session, Statement

#: Pairs written, and how many there are.
Progress = Callable[[int, int], None]

_TOGETHER = 100
_BUSY_SECONDS = 15.0

_COUNT = Statement("SELECT count(*) FROM pair WHERE :link IS NULL OR link = :link")
_CURSORS = Statement(
    """
    SELECT connection.name AS connection, cursor.feed, cursor.cursor, cursor.moved_at
    FROM cursor JOIN connection ON connection.id = cursor.connection_ref
    WHERE :link IS NULL OR cursor.connection_ref IN (
        SELECT connection_ref FROM pair_ticket WHERE link = :link
    )
    ORDER BY connection.name, cursor.feed
    """
)
_LINKS = Statement(
    """
    SELECT names.link, link_state.reason AS stop_reason, link_state.hint AS stop_hint,
           link_state.parked_at AS stopped_at, link_pause.reason AS pause_reason,
           link_pause.actor AS pause_actor, link_pause.paused_at
    FROM (SELECT link FROM link_state UNION SELECT link FROM link_pause) AS names
    LEFT JOIN link_state ON link_state.link = names.link
    LEFT JOIN link_pause ON link_pause.link = names.link
    WHERE :link IS NULL OR names.link = :link
    ORDER BY names.link
    """
)
_PAIRS = Statement(
    f"""
    SELECT pair.*, marked_gen > done_gen AND quiet_gen = marked_gen AS is_quiet,
           base.pair_id AS base_of, base.status, base.tags, base.hand_off, base.owed,
           base.released,
    (
        SELECT json_group_array(json_object(
            'side', side, 'connection', connection, 'ticket', ticket_id, 'kind', kind,
            'added_at', added_at
        ))
        FROM (
            SELECT held.*, connection.name AS connection
            FROM pair_ticket AS held JOIN connection ON connection.id = held.connection_ref
            WHERE held.pair_id = pair.id ORDER BY held.side, held.id
        )
    ) AS tickets, (
        SELECT json_group_array({MAPPING_JSON})
        FROM (SELECT * FROM comment_map WHERE pair_id = pair.id ORDER BY id)
    ) AS mappings, (
        SELECT json_group_array({FILE_JSON})
        FROM (SELECT * FROM file_map WHERE pair_id = pair.id ORDER BY id)
    ) AS files
    FROM pair LEFT JOIN base ON base.pair_id = pair.id
    WHERE pair.id > :after AND (:link IS NULL OR pair.link = :link)
    ORDER BY pair.id
    LIMIT :limit
    """  # noqa: S608 - constants of ours
)
_HELD = msgspec.json.Decoder(tuple[Held, ...]).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written."""

    pairs: int
    cursors: int
    links: int
    size_bytes: int
    #: None where it went to a stream.
    path: Path | None = None


def export_to_file(
    location: str | os.PathLike[str],
    target: Path,
    *,
    link: LinkName | None,
    made_by: str,
    now: datetime,
    may_replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Exported:
    """The same into a file that only its owner may read, under its name only when it is whole."""
    path, target = path_of(location), target.expanduser().absolute()
    require_free(target, may_replace=may_replace, store=path)
    with loud(path), beside(target) as temporary:
        with temporary.open("wb") as stream:
            exported = export_mappings(
                path, stream, link=link, made_by=made_by, now=now, progress=progress
            )
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
        sync_folder(target)
    return replace(exported, path=target)


def export_mappings(
    location: str | os.PathLike[str],
    stream: BinaryIO,
    *,
    link: LinkName | None,
    made_by: str,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Exported:
    """Write every mapping, or one link's. Raises `StoreError`."""
    path = path_of(location)
    size = pairs = 0

    def put(line: Line) -> None:
        nonlocal size
        text = encoded(line)
        stream.write(text)
        size += len(text)

    with loud(path), _at_one_moment(path) as session:
        total = session.number(_COUNT, {"link": link})
        cursors, links = list(_cursors(session, link)), list(_links(session, link))
        put(
            Header(
                made_by=made_by,
                made_at=now,
                link=link,
                cursors=len(cursors),
                links=len(links),
                pairs=total,
            )
        )
        for cursor in cursors:
            put(cursor)
        for stopped in links:
            put(stopped)
        progress(0, total)
        for batch in _batches(session, link):
            for row in batch:
                put(_pair(row))
            pairs += len(batch)
            progress(pairs, total)
    return Exported(pairs=pairs, cursors=len(cursors), links=len(links), size_bytes=size)


@contextlib.contextmanager
def _at_one_moment(path: Path) -> Iterator[Session]:
    with contextlib.closing(connect_reader(path, busy_timeout_seconds=_BUSY_SECONDS)) as reader:
        reader.execute("BEGIN")
        require_newest(reader, path=path)
        yield Session(reader)


def _batches(session: Session, link: LinkName | None) -> Iterator[Sequence[sqlite3.Row]]:
    after = 0
    while rows := session.rows(_PAIRS, {"after": after, "link": link, "limit": _TOGETHER}):
        yield rows
        after = rows[-1]["id"]


def _cursors(session: Session, link: LinkName | None) -> Iterator[CursorLine]:
    for row in session.rows(_CURSORS, {"link": link}):
        yield CursorLine(
            connection=row["connection"],
            feed=row["feed"],
            cursor=row["cursor"],
            moved_at=to_moment(row["moved_at"]),
        )


def _links(session: Session, link: LinkName | None) -> Iterator[LinkLine]:
    for row in session.rows(_LINKS, {"link": link}):
        stop = pause = None
        if row["stop_reason"] is not None:
            at = to_moment(row["stopped_at"])
            stop = Stop(reason=row["stop_reason"], hint=row["stop_hint"], at=at)
        if row["pause_reason"] is not None:
            at = to_moment(row["paused_at"])
            pause = Rest(reason=row["pause_reason"], actor=row["pause_actor"], at=at)
        yield LinkLine(link=row["link"], stop=stop, pause=pause)


def _pair(row: sqlite3.Row) -> PairLine:
    return PairLine(
        pair=row["id"],
        link=row["link"],
        state=row["state"],
        reason=row["reason"],
        hint=row["hint"],
        parked_at=to_moment_or_none(row["parked_at"]),
        linked_since=to_moment(row["linked_since"]),
        is_silent_birth=bool(row["is_silent_birth"]),
        is_quiet=bool(row["is_quiet"]),
        ball=row["ball"],
        ball_since=to_moment_or_none(row["ball_since"]),
        tickets=_HELD(row["tickets"]),
        agreed=None if row["base_of"] is None else _agreed(row),
        comments=to_mappings(row["mappings"]),
        files=tuple(_without_source(file) for file in to_files(row["files"])),
    )


def _agreed(row: sqlite3.Row) -> Agreed:
    base = to_base(row)
    return Agreed(
        status=base.status,
        tags=base.tags,
        hand_off=base.hand_off,
        owed=base.owed,
        released=base.released,
    )


def _without_source(row: FileMapping) -> FileMapping:
    """An address that opens the file for anybody stays here; the desk is asked for a new one."""
    return replace(row, file=replace(row.file, source=""))
