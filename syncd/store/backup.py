"""Copies of the whole store: made beside a running daemon, and put back when none runs.

A copy is one file that only its owner may read, whole and synced before it has its name. It says of
itself that it is older than what will have been written by the time it is used.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from syncd.core.errors import StoreUnavailable
from syncd.store.file import connect_reader, path_of
from syncd.store.generation import set_older
from syncd.store.lock import nobody_at_work
from syncd.store.migrate import migrate, revision_of
from syncd.store.placing import COMPANIONS, beside, drop_companions, loud, require_free, sync_folder
from syncd.store.statement import Session
from syncd.store.trail import restored

#: Pages copied, and how many there are.
Progress = Callable[[int, int], None]

_PAGES_AT_ONCE = 1_000
_BUSY_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """A copy that is in its place."""

    path: Path
    size_bytes: int
    pages: int
    #: Where the file is that was there before; None where there was none.
    replaced: Path | None = None


def back_up(
    location: str | os.PathLike[str],
    target: Path,
    *,
    may_replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Copied:
    """Copy the store as it is at one moment, whoever writes meanwhile.

    Raises `StoreUnavailable`; then there is no new file of that name.
    """
    path, target = path_of(location), target.expanduser().absolute()
    require_free(target, may_replace=may_replace, store=path)
    with loud(path), beside(target) as temporary:
        pages = copy_pages(path, temporary, progress)
        _finish(temporary, is_migrated=False)
        os.replace(temporary, target)
        sync_folder(target)
    return Copied(path=target, size_bytes=target.stat().st_size, pages=pages)


def put_back(
    source: Path,
    location: str | os.PathLike[str],
    *,
    actor: str,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Copied:
    """Make a copy the store again; the file that was the store is kept beside it.

    Raises `StoreTooNew`, or `StoreUnavailable` also while anybody runs pairs on the store; then
    nothing has changed.
    """
    path, source = path_of(location), source.expanduser().absolute()
    if not source.is_file() or (path.exists() and source.samefile(path)):
        raise StoreUnavailable(f"{source}: is no copy of the store", hint="Name a backup's file.")
    with nobody_at_work(path), loud(path), beside(path, is_stores=True) as temporary:
        _check(source)
        pages = copy_pages(source, temporary, progress)
        _finish(temporary, is_migrated=True, name=source.name, actor=actor, now=now)
        replaced = _set_aside(path, now) if path.exists() else None
        drop_companions(path)
        os.replace(temporary, path)
        sync_folder(path)
    return Copied(path=path, size_bytes=path.stat().st_size, pages=pages, replaced=replaced)


def copy_pages(source: Path, target: Path, progress: Progress = lambda _done, _total: None) -> int:
    """Copy page by page under one read transaction, so that no writer makes it begin again."""
    pages = 0

    def told(_status: int, remaining: int, total: int) -> None:
        nonlocal pages
        pages = total
        progress(total - remaining, total)

    with (
        contextlib.closing(connect_reader(source, busy_timeout_seconds=_BUSY_SECONDS)) as reader,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as writer,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchall()
        reader.backup(writer, pages=_PAGES_AT_ONCE, progress=told, sleep=0.0)
        reader.execute("ROLLBACK")
    return pages


def _check(source: Path) -> None:
    """Refuse a file that is no store, or one of a newer syncd."""
    with contextlib.closing(connect_reader(source, busy_timeout_seconds=_BUSY_SECONDS)) as reader:
        if revision_of(reader, path=source) is None:
            raise StoreUnavailable(f"{source}: is empty", hint="Name a backup's file.")


def _finish(
    path: Path,
    *,
    is_migrated: bool,
    name: str = "",
    actor: str = "",
    now: datetime | None = None,
) -> None:
    """One whole file that says of itself that it is older. Raises `StoreUnavailable`."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        # A copy of a file with a write-ahead log has one, too, and is to be a single file.
        connection.execute("PRAGMA journal_mode = DELETE")
        if is_migrated:
            migrate(connection, path=path)
        set_older(connection)
        if now is not None:
            restored(Session(connection), name=name, actor=actor, now=now)
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise StoreUnavailable(
                f"{path.name}: the copy is damaged", hint="Look at the disk, then at the store."
            )
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _set_aside(path: Path, now: datetime) -> Path:
    """Move the store away with all that SQLite keeps beside it; where it is now."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.name}.replaced-{stamp}")
    number = 1
    while aside.exists():
        aside = path.with_name(f"{path.name}.replaced-{stamp}-{number}")
        number += 1
    # The log before the file: a file without its log is whole, if older; never the other way round.
    for ending in COMPANIONS:
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{ending}", f"{aside}{ending}")
    os.replace(path, aside)
    return aside
