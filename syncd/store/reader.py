"""Reads, each at one moment of the store, in a few threads of their own.

They neither wait for the writer nor hold it up, and their connections cannot write.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from syncd.core.errors import StoreUnavailable
from syncd.store.file import connect_reader, unavailable
from syncd.store.statement import Session

T = TypeVar("T")


class Reader:
    """A pool of threads, each with a connection that it opens when it is first needed."""

    def __init__(self, path: Path, *, threads: int = 2, busy_timeout_seconds: float) -> None:
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds
        self._mine = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._is_closed = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="syncd-store-reader")

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run the work on one unchanging view of the store."""
        if self._is_closed:
            raise StoreUnavailable(f"{self._path}: the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._read, work)

    async def close(self) -> None:
        """Finish the reads under way, then close the connections."""
        self._is_closed = True
        await asyncio.to_thread(self._pool.shutdown)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def _read(self, work: Callable[[Session], T]) -> T:
        try:
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return work(Session(connection))
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise unavailable(error, path=self._path) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = connect_reader(self._path, busy_timeout_seconds=self._busy_timeout_seconds)
            self._connections.append(connection)
            self._mine.connection = connection
        return connection
