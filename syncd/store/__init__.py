"""The durable memory on SQLite.

Opened with `open_store`, or with `open_reader` beside a running daemon; no session, row or SQL
leaves.
"""

from __future__ import annotations

from syncd.store.file import OLDEST_SQLITE, sqlite_version
from syncd.store.lock import OwnerLock
from syncd.store.store import SqliteReader, SqliteStore, open_reader, open_store

__all__ = [
    "OLDEST_SQLITE",
    "OwnerLock",
    "SqliteReader",
    "SqliteStore",
    "open_reader",
    "open_store",
    "sqlite_version",
]
