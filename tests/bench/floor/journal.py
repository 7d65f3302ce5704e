"""Rows made durable by one thread that commits what gathered during its previous commit.

SQLite in WAL mode with synchronous=FULL, as any honest queue has it; the table knows nothing.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from pathlib import Path

_Row = tuple[str, tuple[object, ...], asyncio.AbstractEventLoop, "asyncio.Future[None]"]
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS row"
    " (id INTEGER PRIMARY KEY, key TEXT UNIQUE, state TEXT, body BLOB)"
)


class Journal:
    """One table of bodies, written by `put` and `mark`."""

    def __init__(self, path: Path, *, commit_delay_seconds: float = 0.0) -> None:
        self._path = path
        self._commit_delay_seconds = commit_delay_seconds
        self._rows: queue.SimpleQueue[_Row | None] = queue.SimpleQueue()
        self.commit_count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def put(self, key: str, state: str, body: bytes) -> None:
        """Add a row or overwrite it; on disk when this returns."""
        await self._submit(
            "INSERT INTO row (key, state, body) VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET state = excluded.state, body = excluded.body",
            (key, state, body),
        )

    async def mark(self, key: str, state: str) -> None:
        """Change a row's state and let go of its body; on disk when this returns."""
        await self._submit("UPDATE row SET state = ?, body = NULL WHERE key = ?", (state, key))

    def close(self) -> None:
        """Finish what was handed over."""
        self._rows.put(None)
        self._thread.join()

    async def _submit(self, sql: str, values: tuple[object, ...]) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._rows.put((sql, values, loop, done))
        await done

    def _run(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_SCHEMA)
        while self._commit(connection, self._gather()):
            pass
        connection.close()

    def _gather(self) -> list[_Row | None]:
        rows = [self._rows.get()]
        while True:
            try:
                rows.append(self._rows.get_nowait())
            except queue.Empty:
                return rows

    def _commit(self, connection: sqlite3.Connection, rows: list[_Row | None]) -> bool:
        given = [row for row in rows if row is not None]
        connection.execute("BEGIN IMMEDIATE")
        for sql, values, _, _ in given:
            connection.execute(sql, values)
        connection.execute("COMMIT")
        self.commit_count += 1
        if self._commit_delay_seconds:
            threading.Event().wait(self._commit_delay_seconds)
        loops = {loop for _, _, loop, _ in given}
        for loop in loops:
            mine = [done for _, _, its, done in given if its is loop]
            loop.call_soon_threadsafe(_answer, mine)
        return len(given) == len(rows)


def _answer(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
