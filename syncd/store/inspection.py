"""All that is on record of one pair, for whoever has to look into it."""

from __future__ import annotations

import json
import sqlite3

from syncd.core.inspection import HandOffRow, Inspection, JournalRow, LineageRow, TimelineRow
from syncd.core.model import (
    CommentId,
    ConnectionName,
    OpId,
    PairId,
    Role,
    Side,
    TicketId,
    Transition,
)
from syncd.store.report import conflicts_of, deeds, parked_links, paused_links
from syncd.store.rows import to_moment, to_moment_or_none
from syncd.store.run import load_run
from syncd.store.statement import Session, Statement

_LINEAGE = Statement(
    """
    SELECT held.*, connection.name AS connection, ticket.url
    FROM pair_ticket AS held
    JOIN connection ON connection.id = held.connection_ref
    LEFT JOIN ticket
      ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
    WHERE held.pair_id = :pair_id
    ORDER BY held.side, held.id
    """
)
_JOURNAL = Statement(
    "SELECT * FROM operation WHERE pair_id = :pair_id ORDER BY id DESC LIMIT :limit"
)
_TIMELINE = Statement(
    "SELECT * FROM timeline WHERE pair_id = :pair_id ORDER BY id DESC LIMIT :limit"
)
_HAND_OFFS = Statement(
    "SELECT * FROM hand_off WHERE pair_id = :pair_id ORDER BY id DESC LIMIT :limit"
)


def inspect_pair(session: Session, *, pair_id: PairId, limit: int) -> Inspection | None:
    """The pair with at most `limit` rows of each kind; None if unknown."""
    run = load_run(session, pair_id)
    if run is None:
        return None
    link, key = run.pair.link, {"pair_id": pair_id}
    asked = {**key, "limit": limit}
    return Inspection(
        run=run,
        lineage=tuple(_lineage(row) for row in session.rows(_LINEAGE, key)),
        journal=tuple(_journal(row) for row in session.rows(_JOURNAL, asked)),
        timeline=tuple(_timeline(row) for row in session.rows(_TIMELINE, asked)),
        hand_offs=tuple(_hand_off(row) for row in session.rows(_HAND_OFFS, asked)),
        conflicts=tuple(conflicts_of(session, pair_id, limit=limit)),
        deeds=tuple(deeds(session, link=None, pair_id=pair_id, limit=limit)),
        stop=parked_links(session).get(link),
        pause=paused_links(session).get(link),
    )


def _lineage(row: sqlite3.Row) -> LineageRow:
    return LineageRow(
        side=Side(row["side"]),
        connection=ConnectionName(row["connection"]),
        ticket_id=TicketId(row["ticket_id"]),
        kind=row["kind"],
        added_at=to_moment(row["added_at"]),
        url=row["url"] or "",
    )


def _journal(row: sqlite3.Row) -> JournalRow:
    named = json.loads(row["comment_ids"]) if row["comment_ids"] else []
    return JournalRow(
        op_id=OpId(row["op_id"]),
        kind=row["kind"],
        side=Side(row["side"]),
        state=row["state"],
        attempt=row["attempt"],
        sent_at=to_moment(row["sent_at"]),
        settled_at=to_moment_or_none(row["settled_at"]),
        comment_ids=tuple(CommentId(each) for each in named),
    )


def _timeline(row: sqlite3.Row) -> TimelineRow:
    return TimelineRow(
        transition=Transition(
            name=row["name"],
            side=None if row["side"] is None else Side(row["side"]),
            before=row["before"],
            after=row["after"],
            actor=Role(row["actor"]),
            at=to_moment_or_none(row["at"]),
        ),
        seen_at=to_moment(row["seen_at"]),
    )


def _hand_off(row: sqlite3.Row) -> HandOffRow:
    comment_id = row["comment_id"]
    return HandOffRow(
        turn=row["turn"],
        state=row["state"],
        comment_id=None if comment_id is None else CommentId(comment_id),
        asked_by=row["asked_by"],
        offered_at=to_moment_or_none(row["offered_at"]),
        seen_at=to_moment(row["seen_at"]),
    )
