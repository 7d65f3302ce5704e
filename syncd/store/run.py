"""Everything that one run of a pair starts from, read at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from syncd.core.mirror import merge_snapshot, with_earlier
from syncd.core.model import PairId, Side, Sighting, Snapshot, TicketId
from syncd.core.operations import Intent
from syncd.core.work import Run
from syncd.store import tables
from syncd.store.agreement import load_base
from syncd.store.journal import to_intent
from syncd.store.pair import PAIRS, newest
from syncd.store.rows import (
    COMMENT_JSON,
    moment,
    packed,
    to_comments,
    to_pair,
    to_ticket,
    to_ticket_ids,
)
from syncd.store.statement import Session, Statement, fixed

_PAIR = tables.table(tables.Pair)
_PAIR_TICKET = tables.table(tables.PairTicket)
_TICKET = tables.table(tables.Ticket)
_PERSON = tables.table(tables.Person)
_OPERATION = tables.table(tables.Operation)
_CONNECTION = tables.table(tables.Connection)

_WHO = (_PERSON.c.person_id, _PERSON.c.name, _PERSON.c.role)

_LOAD_PAIR = Statement(PAIRS.where(_PAIR.c.id == bindparam("pair_id")))
_LOAD_TICKETS = Statement(
    select(_PAIR_TICKET.c.side, _TICKET, *_WHO)
    .join_from(
        _PAIR, _PAIR_TICKET, _PAIR_TICKET.c.id.in_([newest(Side.PLATFORM), newest(Side.PARTNER)])
    )
    .join(
        _TICKET,
        (_TICKET.c.connection_ref == _PAIR_TICKET.c.connection_ref)
        & (_TICKET.c.ticket_id == _PAIR_TICKET.c.ticket_id),
    )
    .join(_PERSON, _PERSON.c.id == _TICKET.c.requester_ref)
    .where(_PAIR.c.id == bindparam("pair_id"))
)
_LOAD_LINEAGE = Statement(
    """
    SELECT held.ticket_id, ticket.id AS ticket_ref, ticket.follow_ups
    FROM pair_ticket AS held
    LEFT JOIN ticket
      ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
    WHERE held.pair_id = :pair_id AND held.side = 'partner'
    ORDER BY held.id
    """
)
_LOAD_COMMENTS = Statement(
    f"""
    SELECT comment.ticket_ref, json_group_array({COMMENT_JSON}) AS comments
    FROM comment JOIN person ON person.id = comment.author_ref
    WHERE comment.ticket_ref IN (SELECT value FROM json_each(:ticket_refs))
    GROUP BY comment.ticket_ref
    """  # noqa: S608 - a constant of ours
)
_LOAD_SENT = Statement(
    select(_OPERATION, _CONNECTION.c.name.label("connection"))
    .join(_CONNECTION, _CONNECTION.c.id == _OPERATION.c.connection_ref)
    .where(
        _OPERATION.c.pair_id == bindparam("pair_id"),
        _OPERATION.c.state == fixed("sent"),
    )
    .order_by(_OPERATION.c.id)
)
#: A write that was dropped never reached its desk.
_COUNT_HOPS = Statement(
    """
    SELECT side, count(*) FROM operation
    WHERE pair_id = :pair_id AND is_hop AND sent_at > :since AND state != 'dropped'
    GROUP BY side
    """
)
#: A pair that has not taken note of what the ticket shows has no say yet: it would undo what
#: somebody has just done there.
_LOAD_SIBLINGS = Statement(
    """
    SELECT base.agreed
    FROM pair_ticket AS mine
    JOIN pair_ticket AS other
      ON other.connection_ref = mine.connection_ref AND other.ticket_id = mine.ticket_id
     AND other.pair_id != mine.pair_id AND other.side = 'platform'
    JOIN pair ON pair.id = other.pair_id AND pair.state = 'active'
    JOIN base ON base.pair_id = pair.id AND base.hand_off_state = 'none'
    JOIN ticket
      ON ticket.connection_ref = mine.connection_ref AND ticket.ticket_id = mine.ticket_id
     AND (
       ticket.status = json_extract(base.status, '$.seen.platform')
       -- Its own write, of which a feed told before the answer came.
       OR EXISTS (
         SELECT 1 FROM operation
         WHERE operation.pair_id = pair.id AND operation.state = 'sent'
           AND operation.side = 'platform'
           AND json_extract(operation.payload, '$.op.status') = ticket.status
       )
     )
    WHERE mine.pair_id = :pair_id AND mine.side = 'platform' AND base.agreed IS NOT NULL
    ORDER BY pair.id
    """
)


def load_run(session: Session, pair_id: PairId) -> Run | None:
    """The pair with its base, both tickets and the writes on their way; None if unknown."""
    key = {"pair_id": pair_id}
    row = session.row(_LOAD_PAIR, key)
    if row is None:
        return None
    lineage = session.rows(_LOAD_LINEAGE, key)
    earlier = [row["ticket_ref"] for row in lineage[:-1]]
    return Run(
        pair=to_pair(row),
        base=load_base(session, pair_id),
        snapshots=_load_snapshots(session, pair_id, earlier),
        sent=load_sent(session, pair_id),
        sibling_statuses=tuple(agreed for (agreed,) in session.rows(_LOAD_SIBLINGS, key)),
        lineage=frozenset(TicketId(ticket_id) for ticket_id, _, _ in lineage),
        follow_ups=frozenset[TicketId]().union(
            *(to_ticket_ids(follow_ups) for _, _, follow_ups in lineage if follow_ups)
        ),
    )


def load_sent(session: Session, pair_id: PairId) -> tuple[Intent, ...]:
    return tuple(to_intent(row) for row in session.rows(_LOAD_SENT, {"pair_id": pair_id}))


def count_hops(session: Session, pair_id: PairId, since: datetime) -> dict[Side, int]:
    """How many writes of a pair that could be part of a loop left after a moment, by side."""
    asked = {"pair_id": pair_id, "since": moment(since)}
    return {Side(side): count for side, count in session.rows(_COUNT_HOPS, asked)}


def _load_snapshots(
    session: Session, pair_id: PairId, earlier: Sequence[int | None]
) -> dict[Side, Snapshot | None]:
    snapshots: dict[Side, Snapshot | None] = {Side.PLATFORM: None, Side.PARTNER: None}
    tickets = {row["id"]: row for row in session.rows(_LOAD_TICKETS, {"pair_id": pair_id})}
    older = [ref for ref in earlier if ref is not None]
    wanted = {"ticket_refs": packed([*tickets, *older])}
    comments = {ref: to_comments(text) for ref, text in session.rows(_LOAD_COMMENTS, wanted)}
    for ticket_ref, row in tickets.items():
        ticket = to_ticket(row)
        held = Snapshot(ticket=ticket, comments=comments.get(ticket_ref, ()))
        # A sighting of nothing changes nothing; the core puts the comments into the desk's order.
        snapshots[Side(row["side"])] = merge_snapshot(held, Sighting(ticket_id=ticket.ticket_id))
    newest = snapshots[Side.PARTNER]
    if newest is not None and older:
        said = [comment for ref in older for comment in comments.get(ref, ())]
        snapshots[Side.PARTNER] = with_earlier(newest, said)
    return snapshots
