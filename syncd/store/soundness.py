"""Whether the store's file is whole and of the right age, without a change to it.

Facts for `syncd doctor`. Where nobody holds the file and no log waits beside it, it is read as if
on a disk that cannot be written: not even SQLite's own helper files appear.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from syncd.core.errors import StoreTooNew, StoreUnavailable
from syncd.doctor.store import StoreFacts
from syncd.store.file import path_of, unavailable
from syncd.store.generation import COUNT_DOUBTFUL, LOAD, Marker
from syncd.store.migrate import REVISIONS, revision_of

_BUSY_SECONDS = 5.0
_MOST_FAULTS = 3
#: Virtual machine instructions between two looks at the clock.
_OFTEN = 20_000
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def examine(
    location: str | os.PathLike[str],
    *,
    is_held: bool,
    patience_seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> StoreFacts:
    """What there is to say of the file; `is_held` where a process may be writing to it.

    The check of every page ends after `patience_seconds`, and says so.
    """
    path = path_of(location)
    facts = StoreFacts(path=str(path), newest_revision=REVISIONS[-1])
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return replace(facts, exists=False)
    except OSError as error:
        return _unread(facts, unavailable(error, path=path))
    log = Path(f"{path}-wal")
    with contextlib.suppress(OSError):
        facts = replace(facts, log_bytes=log.stat().st_size)
    facts = replace(facts, size_bytes=size)
    try:
        with contextlib.closing(_connect(path, is_still=not is_held and not facts.log_bytes)) as db:
            return _examined(db, facts, path, until=monotonic() + patience_seconds, now=monotonic)
    except StoreTooNew as error:
        return replace(facts, is_too_new=True, fault=str(error))
    except StoreUnavailable as error:
        return replace(facts, is_ours=False, fault=str(error))
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        found = _unread(facts, unavailable(error, path=path))
        return replace(found, is_damaged=name.startswith(_DAMAGED))


def _connect(path: Path, *, is_still: bool) -> sqlite3.Connection:
    still = "&immutable=1" if is_still else ""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=ro{still}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    return connection


def _examined(
    db: sqlite3.Connection,
    facts: StoreFacts,
    path: Path,
    *,
    until: float,
    now: Callable[[], float],
) -> StoreFacts:
    revision = revision_of(db, path=path)
    facts = replace(facts, revision=revision)
    if revision is None:
        return facts
    if revision == REVISIONS[-1]:
        facts = _aged(db, facts, path)
    db.set_progress_handler(lambda: int(now() > until), _OFTEN)
    try:
        faults = [str(row[0]) for row in db.execute(f"PRAGMA quick_check({_MOST_FAULTS})")]
        dangling = sum(1 for _ in db.execute("PRAGMA foreign_key_check"))
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
            raise
        return replace(facts, is_unchecked=True)
    whole = faults == ["ok"]
    return replace(facts, faults=() if whole else tuple(faults), dangling_count=dangling)


def _aged(db: sqlite3.Connection, facts: StoreFacts, path: Path) -> StoreFacts:
    """By the same comparison as at a start, which would put it down."""
    # Before the store itself: whoever commits in between has both newer than what was read here.
    seen = Marker(path).read()
    row = db.execute(LOAD.sql).fetchone()
    is_behind = seen is not None and (
        seen[0] != str(row["store_id"]) or seen[1] > int(row["number"])
    )
    (doubtful,) = db.execute(COUNT_DOUBTFUL.sql).fetchone()
    return replace(
        facts,
        store_id=str(row["store_id"]),
        is_older=bool(row["is_older"]) or is_behind,
        doubtful_count=int(doubtful),
    )


def _unread(facts: StoreFacts, error: StoreUnavailable) -> StoreFacts:
    return replace(facts, fault=str(error), hint=error.hint)
