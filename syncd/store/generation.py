"""How often the store was committed, inside the file and in a small one beside it.

A store that has fewer commits than the file beside it says, or that is another one, lost its tail:
a restored backup, a copy, a deleted write-ahead log. That is put down inside the file at once, and
stays until `syncd recover`. The file beside it is written after each commit and never synced: a
power cut may leave it behind the store, which says nothing, and never ahead of it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from syncd.core.model import ConnectionName, PairId, Sighting, TicketId
from syncd.core.work import Birth, StoreAge
from syncd.private_file import open_private
from syncd.store.rows import moment, packed, to_moment_or_none
from syncd.store.statement import Session, Statement

#: The file's one line: the store's id and the number, always as long.
_LINE = "{store_id:<32} {number:020d}\n"
_LENGTH = 54
#: A desk's clock says when a ticket was made, ours when the store was recovered.
_CLOCKS_DIFFER = timedelta(days=1)

_ADVANCE = Statement("UPDATE generation SET number = number + 1 RETURNING number")
LOAD = Statement("SELECT store_id, number, is_older, recovered_at FROM generation")
_SET_OLDER = "UPDATE generation SET is_older = 1"
_DOUBT_BIRTHS = Statement("UPDATE generation SET recovered_at = :at")
_RECOVER = Statement("UPDATE generation SET is_older = 0, recovered_at = :at")
#: Whoever runs a pair now planned it without doubt. One that has ended may have gone on since.
_DOUBT = Statement(
    """
    UPDATE pair SET is_doubtful = 1, revision = revision + 1
    """
)
_TRUST = Statement(
    """
    UPDATE pair SET is_doubtful = 0, revision = revision + 1
    WHERE id IN (SELECT value FROM json_each(:pair_ids)) AND is_doubtful
    """
)
COUNT_DOUBTFUL = Statement("SELECT count(*) FROM pair WHERE is_doubtful AND state != 'ended'")
#: Of the newest notes and copies on a connection's tickets.
_FIND_WRITERS = Statement(
    """
    SELECT DISTINCT comment.writer_id
    FROM (SELECT * FROM comment_map ORDER BY id DESC LIMIT 2000) AS map
    JOIN pair_ticket AS held ON held.pair_id = map.pair_id
    JOIN connection ON connection.id = held.connection_ref AND connection.name = :connection
    JOIN ticket
      ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
    JOIN comment
      ON comment.ticket_ref = ticket.id
     AND comment.comment_id = CASE
        WHEN map.kind = 'note' AND held.side = map.origin THEN map.comment_id
        WHEN held.side != map.origin THEN map.copy_id
     END
    WHERE comment.writer_id IS NOT NULL
    """
)


class Marker:
    """The small file beside the store."""

    def __init__(self, store_path: Path) -> None:
        self._path = Path(f"{store_path}.generation")
        self._descriptor: int | None = None
        self._store_id = ""

    def read(self) -> tuple[str, int] | None:
        """The store's id and its number of commits; None where nothing usable stands there."""
        with contextlib.suppress(OSError, ValueError):
            store_id, number = self._path.read_text("ascii").split()
            return store_id, int(number)
        return None

    def open(self, store_id: str, number: int) -> None:
        """Begin to follow this store. Raises `OSError`."""
        self._store_id = store_id
        self._descriptor = open_private(self._path, os.O_WRONLY | os.O_CREAT)
        os.ftruncate(self._descriptor, _LENGTH)
        self.note(number)

    def note(self, number: int) -> None:
        """So many commits are durable."""
        if self._descriptor is not None:
            line = _LINE.format(store_id=self._store_id, number=number)
            # The commit stands. Without the line a lost tail is noticed later, or by the desks.
            with contextlib.suppress(OSError):
                os.pwrite(self._descriptor, line.encode("ascii"), 0)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def follow(connection: sqlite3.Connection, path: Path) -> Marker:
    """The marker of an open store; puts down that the store is older, should it be.

    Raises `OSError` and `sqlite3.Error`.
    """
    marker = Marker(path)
    # Before the store itself: whoever commits in between has both newer than what was read here.
    seen = marker.read()
    row = connection.execute(LOAD.sql).fetchone()
    store_id, number = str(row["store_id"]), int(row["number"])
    if seen is not None and (seen[0] != store_id or seen[1] > number):
        connection.execute(_SET_OLDER)
    marker.open(store_id, number)
    return marker


def set_older(connection: sqlite3.Connection) -> None:
    """Put down that later commits than these may have been made."""
    connection.execute(_SET_OLDER)


def advance(session: Session) -> int:
    """Count the transaction in hand; its number."""
    return session.number(_ADVANCE)


def load_age(session: Session) -> StoreAge:
    """What is known of the store's own age."""
    row = session.row(LOAD)
    assert row is not None  # noqa: S101 - made by the migration
    return StoreAge(
        generation=row["number"],
        is_older=bool(row["is_older"]),
        recovered_at=to_moment_or_none(row["recovered_at"]),
        doubtful=session.number(COUNT_DOUBTFUL),
    )


def our_writers(session: Session, connection: ConnectionName) -> frozenset[str]:
    """Under which ids we have written on a desk."""
    rows = session.rows(_FIND_WRITERS, {"connection": connection})
    return frozenset(str(writer) for (writer,) in rows)


def doubt(session: Session, *, now: datetime) -> int:
    """Every pair is doubtful from now on, and the store no longer older; how many living pairs."""
    session.run(_RECOVER, {"at": moment(now)})
    session.run(_DOUBT)
    return session.number(COUNT_DOUBTFUL)


def be_doubtful_of_births(session: Session, *, now: datetime) -> None:
    """Tickets that are there by now may have twins of which the store knows nothing."""
    session.run(_DOUBT_BIRTHS, {"at": moment(now)})


def trust(session: Session, pair_ids: Sequence[PairId]) -> int:
    """These pairs are doubtful no more: neither desk has changed since; how many."""
    return session.run(_TRUST, {"pair_ids": packed(pair_ids)})


def doubtful_births(
    session: Session, births: Sequence[Birth], sightings: Sequence[Sighting]
) -> frozenset[TicketId]:
    """Those of some births whose twin a forgotten commit may have made already."""
    row = session.row(LOAD) if births else None
    recovered_at = None if row is None else to_moment_or_none(row["recovered_at"])
    if recovered_at is None:
        return frozenset()
    limit = recovered_at + _CLOCKS_DIFFER
    young = {s.ticket_id for s in sightings if s.ticket is not None and s.ticket.created_at > limit}
    return frozenset(birth.ticket_id for birth in births) - young
