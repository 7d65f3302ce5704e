"""Dated copies of the store in one folder: the newest stay, and nothing else is ever deleted.

A copy of ours has the name that is given here, is whole, and says in itself that it is of this very
store. A half-written one, a file of another program or of another store counts as none of them, and
stays where it is. The copy that was just made is never among those that go.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syncd.core.errors import StoreError, StoreUnavailable
from syncd.store.backup import Copied, Progress, back_up
from syncd.store.file import connect_reader, path_of
from syncd.store.generation import LOAD
from syncd.store.migrate import revision_of
from syncd.store.placing import loud, sync_folder

_MOMENT = "syncd-%Y%m%dT%H%M%SZ.db"
_NAME = re.compile(r"syncd-[0-9]{8}T[0-9]{6}Z\.db")
#: What a killed backup leaves; one that is at work is younger.
_PART = re.compile(r"\.syncd-[0-9]{8}T[0-9]{6}Z\.db\.[0-9]+\.part")
_PART_STAYS = timedelta(days=1)
_BUSY_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """What one backup left in its folder."""

    copied: Copied
    #: Whole copies of this store that are there now, oldest first, the new one included.
    kept: tuple[Path, ...]
    #: Those that went, oldest first, and what killed backups had left.
    removed: tuple[Path, ...]


def back_up_into(
    location: str | os.PathLike[str],
    folder: Path,
    *,
    now: datetime,
    keep: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Series:
    """Make a dated copy in `folder`, then let go of all but the newest `keep`; None keeps all.

    The folder is made where its parent is there. Raises `StoreUnavailable`: without a new copy,
    nothing is deleted.
    """
    path, folder = path_of(location), folder.expanduser().absolute()
    with loud(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / now.astimezone(UTC).strftime(_MOMENT)
    copied = back_up(path, target, progress=progress)
    with loud(folder):
        store_id = _store_id(target)
        if store_id is None:
            raise StoreUnavailable(f"{target.name}: the copy cannot be read", hint="Try it again.")
        ours = [each for each in _copies(folder) if each != path and _store_id(each) == store_id]
        # By the clock that named them; one that was set back makes the new copy no older.
        ours = [*(each for each in ours if each != target), target]
        gone = [] if keep is None else ours[: max(len(ours) - max(keep, 1), 0)]
        left = list(_left_behind(folder, now))
        for each in (*gone, *left):
            each.unlink(missing_ok=True)
        if gone or left:
            sync_folder(target)
    return Series(copied=copied, kept=tuple(ours[len(gone) :]), removed=(*gone, *left))


def newest_at(folder: Path, store_id: str) -> datetime | None:
    """When the newest whole copy of that store was made, by its name; None where none is there.

    Raises `StoreUnavailable` where the folder cannot be looked into. Nothing in it is changed.
    """
    with loud(folder):
        copies = _copies(folder)
    newest = (each for each in reversed(copies) if _store_id(each) == store_id)
    return next(
        (at for each in newest if (at := _moment(each)) is not None),
        None,
    )


def _moment(path: Path) -> datetime | None:
    """What the name says; None for digits that are no date."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(path.name, _MOMENT).replace(tzinfo=UTC)
    return None


def _copies(folder: Path) -> list[Path]:
    """Files with a name of ours, oldest first; a link to a file is no copy."""
    return sorted(
        each for each in folder.iterdir() if _NAME.fullmatch(each.name) and _is_file(each)
    )


def _left_behind(folder: Path, now: datetime) -> Iterator[Path]:
    latest = (now - _PART_STAYS).timestamp()
    for each in folder.iterdir():
        if _PART.fullmatch(each.name) and _is_file(each) and each.stat().st_mtime < latest:
            yield each


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _store_id(path: Path) -> str | None:
    """Of which store a file is a whole copy; None for whatever else it is."""
    with (
        contextlib.suppress(sqlite3.Error, OSError, StoreError),
        contextlib.closing(connect_reader(path, busy_timeout_seconds=_BUSY_SECONDS)) as reader,
    ):
        if revision_of(reader, path=path) is None or not _is_whole(reader, path):
            return None
        row = reader.execute(LOAD.sql).fetchone()
        return str(row["store_id"]) if row is not None and row["is_older"] else None
    return None


def _is_whole(reader: sqlite3.Connection, path: Path) -> bool:
    """Whether no page is missing at the end; what is inside was checked when it was made."""
    (pages,) = reader.execute("PRAGMA page_count").fetchone()
    (size,) = reader.execute("PRAGMA page_size").fetchone()
    return bool(path.stat().st_size == pages * size)
