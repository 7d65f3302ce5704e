"""The store under a person's own hand: one transaction of a command that no daemon's part does.

It counts as a commit like any other, so that nobody takes the store for an older one afterwards.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from syncd.store.file import check_engine, connect_writer
from syncd.store.generation import advance, follow
from syncd.store.migrate import migrate, require_newest
from syncd.store.statement import Session
from syncd.store.upgrading import keep_copy

#: A daemon's transaction is short.
BUSY_SECONDS = 15.0


class Hand:
    """An open store."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        #: For questions, outside of any transaction.
        self.session = Session(connection)
        self._marker = follow(connection, path)

    @contextlib.contextmanager
    def transaction(self, *, is_dry: bool = False) -> Iterator[Session]:
        """All of it is durable together, or, after an error or when `is_dry`, nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        number = None
        try:
            yield self.session
            if not is_dry:
                number = advance(self.session)
                self.connection.execute("COMMIT")
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        if number is not None:
            self._marker.note(number)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
        self._marker.close()


@contextlib.contextmanager
def by_hand(path: Path, *, may_migrate: bool = False) -> Iterator[Hand]:
    """Open an existing store, and bring it up to date only where it is said so: a daemon of another
    version may run on it.

    Raises `StoreTooNew`, `StoreUnavailable`, `OSError` and `sqlite3.Error`.
    """
    check_engine()
    connection = connect_writer(path, busy_timeout_seconds=BUSY_SECONDS, is_durable=True)
    try:
        if may_migrate:
            migrate(connection, path=path, before=partial(keep_copy, path))
        require_newest(connection, path=path)
        hand = Hand(connection, path)
    except BaseException:
        connection.close()
        raise
    try:
        yield hand
    finally:
        hand.close()
