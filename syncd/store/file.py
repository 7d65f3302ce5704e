"""The SQLite file: where it is, how a connection to it is set up, and what its errors mean.

Nothing here knows a table. Raw driver errors leave the package only as `StoreUnavailable`.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from syncd.core.errors import StoreUnavailable
from syncd.private_file import open_private

OLDEST_SQLITE = (3, 38, 0)

_SCHEME = "sqlite:///"
_HINTS = {
    "SQLITE_FULL": "The disk is full: free some space, then start syncd again.",
    "SQLITE_BUSY": "Another process holds the file: wait for it or end it, then start syncd again.",
    "SQLITE_LOCKED": "Another process holds the file: wait for it or end it.",
    "SQLITE_READONLY": "The file or its folder is read-only: check owner, rights and mount.",
    "SQLITE_CANTOPEN": "Check that the folder exists and that syncd's user may write in it.",
    "SQLITE_IOERR": "The disk reports an error: check its space, quota and health.",
    "SQLITE_NOTADB": "The file is not a store of syncd: name another one under `store:`.",
    "SQLITE_CORRUPT": "The file is damaged: restore a backup, see docs/operations.md.",
}


def path_of(location: str | os.PathLike[str]) -> Path:
    """The file behind a plain path or a `sqlite:///relative` or `sqlite:////absolute` URL."""
    text = os.fspath(location)
    return Path(text.removeprefix(_SCHEME)).expanduser().absolute()


def unavailable(error: sqlite3.Error | OSError, *, path: Path) -> StoreUnavailable:
    """The same fact in syncd's words; SQLite's messages name tables at most, never values."""
    name = getattr(error, "sqlite_errorname", "") or ""
    hint = next((text for code, text in _HINTS.items() if name.startswith(code)), "")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return StoreUnavailable(f"{path}: {reason}", hint=hint)


def sqlite_version() -> tuple[int, ...]:
    """Of the library that this process has loaded."""
    return sqlite3.sqlite_version_info


def check_engine(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse an SQLite that lacks what the statements use: JSON, RETURNING, upserts."""
    if version < OLDEST_SQLITE:
        found, needed = (".".join(map(str, v)) for v in (version, OLDEST_SQLITE))
        raise StoreUnavailable(
            f"SQLite {found} is too old, syncd needs {needed}",
            hint="Run syncd with a Python that was built with a newer SQLite.",
        )


def create(path: Path) -> None:
    """Make the folder and an empty file that only its owner may read, unless there is one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(open_private(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    except FileExistsError:
        return
    # Without this a power cut may leave the data without the name that leads to it.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def connect_writer(
    path: Path, *, busy_timeout_seconds: float, is_durable: bool
) -> sqlite3.Connection:
    """The connection that writes. Without `is_durable` a power cut may take the last commits."""
    return _connect(
        path,
        "rw",
        busy_timeout_seconds,
        "PRAGMA journal_mode = WAL",
        f"PRAGMA synchronous = {'FULL' if is_durable else 'OFF'}",
        "PRAGMA foreign_keys = ON",
        # A delivered body is to be gone, not merely unlinked.
        "PRAGMA secure_delete = ON",
        "PRAGMA cache_size = -8000",
    )


def connect_reader(path: Path, *, busy_timeout_seconds: float) -> sqlite3.Connection:
    """A connection that cannot write, whatever it is told."""
    return _connect(path, "ro", busy_timeout_seconds, "PRAGMA query_only = ON")


def _connect(
    path: Path, mode: str, busy_timeout_seconds: float, *pragmas: str
) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_seconds,
        # Transactions are opened and ended by name.
        isolation_level=None,
        # The thread that closes it is not the one that used it.
        check_same_thread=False,
        cached_statements=256,
    )
    connection.row_factory = sqlite3.Row
    try:
        for pragma in pragmas:
            connection.execute(pragma)
    except sqlite3.Error:
        # What is no database, or locked, is found out here.
        connection.close()
        raise
    return connection
