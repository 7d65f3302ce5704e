"""What was deleted is gone from the disk as well, a minute later.

SQLite overwrites what it deletes (`secure_delete`), but in its log of writes: there, and in the
pages that the log has not yet been folded into, a delivered body would stay until the log comes
round, on a quiet daemon for ever. So the log is folded in and emptied while nothing waits.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time

#: From a write to the emptying of the log that holds it. Each costs two flushes of the disk.
TIDY_SECONDS = 60.0


class Tidying:
    """For the thread that owns the write connection."""

    def __init__(self, connection: sqlite3.Connection, *, seconds: float = TIDY_SECONDS) -> None:
        self._connection = connection
        self._seconds = seconds
        # A process that was killed may have left a log behind.
        self._due: float | None = time.monotonic() + seconds

    def wrote(self) -> None:
        """A transaction was committed."""
        if self._due is None:
            self._due = time.monotonic() + self._seconds

    def seconds_left(self) -> float | None:
        """How long the log may stay as it is; None where there is nothing in it."""
        return None if self._due is None else max(self._due - time.monotonic(), 0.0)

    def run(self) -> None:
        """Empty the log; while somebody still reads from it, later."""
        self._due = None
        try:
            is_busy = self._fold()
        except sqlite3.Error:
            # Disk or lock: the next commit meets the same, and says so to whoever waits for it.
            is_busy = True
        if is_busy:
            self.wrote()

    def _fold(self) -> bool:
        (patience,) = self._connection.execute("PRAGMA busy_timeout").fetchone()
        # Nobody's commit waits for a report that reads.
        self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            row = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(row[0])
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute(f"PRAGMA busy_timeout = {int(patience)}")
