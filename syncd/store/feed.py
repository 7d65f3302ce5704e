"""What a connection's feed brings, as one unit: births, sightings, marks and the cursor.

The cursor moves only together with what it stands for, so a crash at most shows a page again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from syncd.core.model import ConnectionName, LinkName, PairId, Side, Sighting
from syncd.core.work import Birth, CursorMove
from syncd.store import tables
from syncd.store.generation import doubtful_births
from syncd.store.pair import bear, connection_ref, mark, resume
from syncd.store.rows import moment
from syncd.store.sight import record
from syncd.store.statement import Session, Statement, upsert_into

_CURSOR = tables.table(tables.Cursor)
_CONNECTION = tables.table(tables.Connection)

_MOVE_CURSOR = Statement(upsert_into(_CURSOR, "connection_ref", "feed"))
_LOAD_CURSOR = Statement(
    select(_CURSOR.c.cursor)
    .join(_CONNECTION, _CONNECTION.c.id == _CURSOR.c.connection_ref)
    .where(_CONNECTION.c.name == bindparam("connection"), _CURSOR.c.feed == bindparam("feed"))
)


def record_sightings(
    session: Session,
    connection: ConnectionName,
    sightings: Sequence[Sighting],
    *,
    side: Side,
    births: Sequence[Birth],
    cursor: CursorMove | None,
    quiet_link: LinkName | None = None,
    seen_at: datetime,
) -> frozenset[PairId]:
    """Bring the mirror up to date; the pairs that were born or marked by it."""
    ref = connection_ref(session, connection)
    doubtful = doubtful_births(session, births, sightings)
    born = bear(session, ref, births, side=side, doubtful=doubtful, seen_at=seen_at)
    concerned = record(session, ref, sightings, newborn=born).concerned
    # A newborn is marked from birth.
    mark(session, concerned - born, seen_at=seen_at, quiet_link=quiet_link, side=side)
    resume(session, concerned)
    if cursor is not None:
        values = {
            "connection_ref": ref,
            "feed": cursor.feed,
            "cursor": cursor.cursor,
            "moved_at": moment(seen_at),
        }
        session.run(_MOVE_CURSOR, values)
    return frozenset(born | concerned)


def load_cursor(session: Session, connection: ConnectionName, feed: str) -> str | None:
    """Where the feed goes on; None when it was never read."""
    row = session.row(_LOAD_CURSOR, {"connection": connection, "feed": feed})
    return None if row is None else str(row["cursor"])
