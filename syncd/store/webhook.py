"""What is known of the webhooks by which desks call us, for reports beside a running daemon."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select

from syncd.core.model import ConnectionName, PairId, TicketId
from syncd.core.report import WebhookNote, WebhookSummary
from syncd.store import tables
from syncd.store.pair import connection_ref
from syncd.store.rows import moment, packed, to_moment, to_moment_or_none
from syncd.store.statement import Session, Statement, among, upsert_into

_WEBHOOK = tables.table(tables.Webhook)
_CONNECTION = tables.table(tables.Connection)
_PAIR_TICKET = tables.table(tables.PairTicket)

_FIND = Statement(select(_WEBHOOK).where(_WEBHOOK.c.connection_ref == bindparam("connection_ref")))
_PUT = Statement(upsert_into(_WEBHOOK, "connection_ref"))
_ALL = Statement(
    select(_WEBHOOK, _CONNECTION.c.name)
    .join(_CONNECTION, _CONNECTION.c.id == _WEBHOOK.c.connection_ref)
    .order_by(_CONNECTION.c.name)
)
_TICKETS = Statement(
    select(_PAIR_TICKET.c.ticket_id)
    .join(_CONNECTION, _CONNECTION.c.id == _PAIR_TICKET.c.connection_ref)
    .where(
        _CONNECTION.c.name == bindparam("connection"),
        _PAIR_TICKET.c.pair_id.in_(among("pair_ids")),
    )
)


def note_webhook(session: Session, *, note: WebhookNote) -> None:
    """Its condition as it is now, and how many more changes it missed."""
    ref = connection_ref(session, note.connection)
    before = session.row(_FIND, {"connection_ref": ref})
    now, faults = moment(note.seen_at), json.dumps(note.faults)
    values: dict[str, Any] = {
        "connection_ref": ref,
        "state": note.state,
        "faults": faults,
        "since": now,
        "seen_at": now,
        "missed_count": note.missed,
        "missed_at": now if note.missed else None,
    }
    if before is not None:
        values["missed_count"] += before["missed_count"]
        values["missed_at"] = values["missed_at"] or before["missed_at"]
        if (before["state"], before["faults"]) == (note.state, faults):
            values["since"] = before["since"]
    session.run(_PUT, values)


def webhooks(session: Session) -> list[WebhookSummary]:
    """All that were ever looked after, by connection."""
    return [
        WebhookSummary(
            connection=ConnectionName(row["name"]),
            state=row["state"],
            faults=tuple(json.loads(row["faults"])),
            since=to_moment(row["since"]),
            seen_at=to_moment(row["seen_at"]),
            missed_count=row["missed_count"],
            missed_at=to_moment_or_none(row["missed_at"]),
        )
        for row in session.rows(_ALL)
    ]


def tickets_of(
    session: Session, *, connection: ConnectionName, pair_ids: Sequence[PairId]
) -> frozenset[TicketId]:
    """The tickets of a connection that some pairs hold or held."""
    asked = {"connection": connection, "pair_ids": packed(pair_ids)}
    return frozenset(TicketId(row["ticket_id"]) for row in session.rows(_TICKETS, asked))
