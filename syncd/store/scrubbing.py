"""What was deleted leaves no byte behind: the file is written anew, and the log of writes emptied.

SQLite overwrites what it deletes, but pages that were split or merged may keep a piece of it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from syncd.core.errors import StoreUnavailable
from syncd.store.lock import nobody_at_work

#: A daemon that runs waits for as long as that takes; beyond, it has to be stopped first.
_MOST_BYTES = 64_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Scrubbed:
    """How far the bytes are gone."""

    #: The whole file was written anew.
    is_rewritten: bool
    #: Nothing is left in the log; else the daemon empties it within a minute.
    is_log_empty: bool


def scrub(connection: sqlite3.Connection, path: Path, *, is_needed: bool = True) -> Scrubbed:
    """Leave nothing of what was deleted; beside a daemon, of a large file, as far as that goes.

    Where nobody is at work it is done also when it is not `is_needed`: an earlier one may have left
    something.
    """
    with contextlib.ExitStack() as held:
        is_alone = False
        with contextlib.suppress(StoreUnavailable):
            held.enter_context(nobody_at_work(path))
            is_alone = True
        is_rewritten = is_alone or path.stat().st_size <= _MOST_BYTES
        if is_alone or (is_needed and is_rewritten):
            connection.execute("VACUUM")
        return Scrubbed(
            is_rewritten=is_rewritten or not is_needed, is_log_empty=_empty_log(connection)
        )


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Waits for whoever still reads from it, as long as for a lock."""
    row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not row[0]
