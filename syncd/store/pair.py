"""The pair rows: how a pair comes to be, is marked, found, and due.

The row is the queue: what is dirty here runs again, whatever became of the memory that would have
woken it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Exists, ScalarSelect, and_, bindparam, case, exists, func, or_, select

from syncd.core.ends import LOST, PASSING_REASONS
from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import UNLINKED, Birth, Pair, PairState
from syncd.store import tables
from syncd.store.rows import moment, moment_or_none, packed, to_pair
from syncd.store.statement import Session, Statement, among, at_most, fixed, insert_into

_PAIR = tables.table(tables.Pair)
_TICKET = tables.table(tables.Ticket)
_PAIR_TICKET = tables.table(tables.PairTicket)
_LINK_STATE = tables.table(tables.LinkState)
_LINK_PAUSE = tables.table(tables.LinkPause)
_CONNECTION = tables.table(tables.Connection)


def newest(side: Side) -> ScalarSelect[int]:
    """The row of the pair's newest ticket on that side, inside a query over pairs."""
    return (
        select(func.max(_PAIR_TICKET.c.id))
        .where(_PAIR_TICKET.c.pair_id == _PAIR.c.id, _PAIR_TICKET.c.side == fixed(side))
        .correlate(_PAIR)
        .scalar_subquery()
    )


def newest_ticket(side: Side) -> ScalarSelect[str]:
    """The id of the pair's newest ticket on that side."""
    return (
        select(_PAIR_TICKET.c.ticket_id).where(_PAIR_TICKET.c.id == newest(side)).scalar_subquery()
    )


#: Every pair as `rows.to_pair` reads it.
PAIRS = (
    select(
        _PAIR,
        newest_ticket(Side.PLATFORM).label("platform_ticket"),
        newest_ticket(Side.PARTNER).label("partner_ticket"),
        _LINK_STATE.c.reason.label("link_reason"),
        _LINK_STATE.c.hint.label("link_hint"),
        _LINK_STATE.c.parked_at.label("link_parked_at"),
        _LINK_PAUSE.c.link.is_not(None).label("is_paused"),
    )
    .join_from(_PAIR, _LINK_STATE, _LINK_STATE.c.link == _PAIR.c.link, isouter=True)
    .join(_LINK_PAUSE, _LINK_PAUSE.c.link == _PAIR.c.link, isouter=True)
    .order_by(_PAIR.c.id)
)
#: Its state for whoever asks: a link that is stopped parks all its active pairs.
_STATE = case(
    (
        (_PAIR.c.state == fixed("active")) & _LINK_STATE.c.link.is_not(None),
        fixed("parked"),
    ),
    else_=_PAIR.c.state,
)
_FILTERS = {
    "link": _PAIR.c.link == bindparam("link"),
    "state": bindparam("state") == _STATE,
    "pair_id": _PAIR.c.id == bindparam("pair_id"),
    "ticket_id": _PAIR.c.id.in_(
        select(_PAIR_TICKET.c.pair_id).where(
            # All of them, so that the index that begins with the connection serves.
            _PAIR_TICKET.c.connection_ref.in_(select(_CONNECTION.c.id)),
            _PAIR_TICKET.c.ticket_id == bindparam("ticket_id"),
        )
    ),
}


def _is_alive(side: Side) -> Exists:
    ticket = _TICKET.alias()
    return (
        exists()
        .where(
            _PAIR_TICKET.c.id == newest(side),
            ticket.c.connection_ref == _PAIR_TICKET.c.connection_ref,
            ticket.c.ticket_id == _PAIR_TICKET.c.ticket_id,
            ticket.c.end == fixed("alive"),
        )
        .correlate(_PAIR)
    )


_IS_RUNNING_LINK = _LINK_STATE.c.link.is_(None)
_IS_OPEN = and_(_PAIR.c.state == fixed("active"), _is_alive(Side.PLATFORM), _is_alive(Side.PARTNER))
_MAY_COME_BACK = and_(
    _PAIR.c.state == fixed("parked"),
    _PAIR.c.reason.in_(among("reasons")),
    _PAIR.c.parked_at >= bindparam("lost_since"),
)
_OPEN = Statement(
    at_most(
        PAIRS.where(
            _IS_RUNNING_LINK, _PAIR.c.id > bindparam("after"), or_(_IS_OPEN, _MAY_COME_BACK)
        )
    )
)
_FIND_KNOWN = Statement(
    select(_PAIR_TICKET.c.ticket_id)
    .join(_CONNECTION, _CONNECTION.c.id == _PAIR_TICKET.c.connection_ref)
    .join(_PAIR, _PAIR.c.id == _PAIR_TICKET.c.pair_id)
    .where(
        _CONNECTION.c.name == bindparam("connection"),
        _PAIR_TICKET.c.ticket_id.in_(among("ticket_ids")),
        _PAIR.c.state != fixed("ended"),
    )
)
_OPEN_TICKETS = Statement(
    """
    SELECT DISTINCT held.ticket_id
    FROM connection
    JOIN pair_ticket AS held ON held.connection_ref = connection.id
    JOIN pair ON pair.id = held.pair_id AND pair.state != 'ended'
    LEFT JOIN ticket
      ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
    WHERE connection.name = :connection AND held.ticket_id > :after
      AND coalesce(ticket."end", 'alive') NOT IN ('final', 'merged')
    ORDER BY held.ticket_id
    LIMIT :limit
    """
)
_RELEASE_LEASES = Statement(
    """
    UPDATE pair SET lease_token = NULL, lease_until = NULL
    WHERE lease_token IS NOT NULL AND substr(lease_token, 1, length(:prefix)) = :prefix
    """
)
_MARK = Statement(
    """
    UPDATE pair
    SET marked_at = CASE WHEN marked_gen > done_gen THEN marked_at ELSE :seen_at END,
        marked_from = CASE
            WHEN marked_gen = done_gen OR marked_from = '' THEN :side
            WHEN :side IN ('', marked_from) THEN marked_from ELSE 'both' END,
        quiet_gen = CASE
            WHEN link = :quiet_link AND (marked_gen = done_gen OR marked_gen = quiet_gen)
            THEN marked_gen + 1 ELSE quiet_gen END,
        marked_gen = marked_gen + 1,
        not_before = NULL
    WHERE id IN (SELECT value FROM json_each(:pair_ids)) AND state != 'ended'
    """
)
#: A ticket that came back takes its pair along, without anybody's leave.
_RESUME = Statement(
    """
    UPDATE pair
    SET state = 'active', tries = 0, reason = '', hint = '', parked_at = NULL
    WHERE id IN (SELECT value FROM json_each(:pair_ids)) AND state = 'parked'
      AND reason IN (SELECT value FROM json_each(:reasons))
      AND NOT EXISTS (
        SELECT 1 FROM pair_ticket AS held
        JOIN ticket
          ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
        WHERE held.pair_id = pair.id AND ticket.end IN (SELECT value FROM json_each(:lost))
          AND NOT ticket.is_stale AND held.id = (
            SELECT max(id) FROM pair_ticket AS mine
            WHERE mine.pair_id = held.pair_id AND mine.side = held.side
          )
      )
    """
)
_FIND_HOLDERS = Statement(
    select(_PAIR_TICKET.c.pair_id)
    .join(_CONNECTION, _CONNECTION.c.id == _PAIR_TICKET.c.connection_ref)
    .where(
        _CONNECTION.c.name == bindparam("connection"),
        _PAIR_TICKET.c.ticket_id == bindparam("ticket_id"),
    )
)
_FIND_LINKED = Statement(
    select(_PAIR_TICKET.c.link, _PAIR.c.id, _PAIR.c.state, _PAIR.c.reason)
    .join_from(_PAIR_TICKET, _PAIR, _PAIR.c.id == _PAIR_TICKET.c.pair_id)
    .where(
        _PAIR_TICKET.c.connection_ref == bindparam("connection_ref"),
        _PAIR_TICKET.c.ticket_id == bindparam("ticket_id"),
    )
)
_REVIVE = Statement(
    """
    UPDATE pair
    SET state = 'active', marked_gen = marked_gen + 1, marked_at = :seen_at, not_before = NULL,
        marked_from = :side,
        quiet_gen = CASE WHEN :is_silent THEN marked_gen + 1 ELSE quiet_gen END,
        tries = 0, reason = '', hint = '', parked_at = NULL
    WHERE id = :pair_id
    """
)
#: What the desks did while nobody looked is in no mirror: both threads are read from the beginning,
#: and of the partner's ticket the fields, too. The platform's come with the news that revive it.
_FORGET_REACH = Statement(
    """
    UPDATE ticket
    SET comments_as_of = 0, is_stale = max(is_stale, held.side = 'partner')
    FROM pair_ticket AS held
    WHERE held.pair_id = :pair_id AND held.connection_ref = ticket.connection_ref
      AND held.ticket_id = ticket.ticket_id
    """
)
_FIND_SIBLINGS = Statement(
    """
    SELECT DISTINCT other.pair_id
    FROM pair_ticket AS mine
    JOIN pair_ticket AS other
      ON other.connection_ref = mine.connection_ref AND other.ticket_id = mine.ticket_id
    WHERE mine.pair_id = :pair_id AND mine.side = 'platform' AND other.pair_id != :pair_id
    """
)
_ADD_PAIR = Statement(insert_into(_PAIR).returning(_PAIR.c.id))
_ADD_TICKET = Statement(insert_into(_PAIR_TICKET))
_FIND_CONNECTION = Statement(
    select(_CONNECTION.c.id).where(_CONNECTION.c.name == bindparam("name"))
)
_ADD_CONNECTION = Statement(insert_into(_CONNECTION).returning(_CONNECTION.c.id))


def connection_ref(session: Session, name: ConnectionName) -> int:
    """The connection's row, made when this is the first word of it."""
    row = session.row(_FIND_CONNECTION, {"name": name})
    return session.number(_ADD_CONNECTION, {"name": name}) if row is None else int(row["id"])


def mark(
    session: Session,
    pair_ids: Iterable[PairId],
    *,
    seen_at: datetime,
    quiet_link: LinkName | None = None,
    side: Side | None = None,
) -> None:
    """Have the pairs run once more, at once; a parked one remembers it, an ended one does not.

    `side` is whose desk showed what there is to do; None where nobody knows.
    A pair of `quiet_link` on which nothing else waits is then for that link's backfill alone.
    """
    wanted = sorted(pair_ids)
    if wanted:
        values = {
            "pair_ids": packed(wanted),
            "seen_at": moment(seen_at),
            "quiet_link": quiet_link,
            "side": side or "",
        }
        session.run(_MARK, values)


def resume(session: Session, pair_ids: Iterable[PairId]) -> None:
    """Let those of some parked pairs go on whose tickets had gone away and are there again.

    One of which something was told since may be there again: its run reads it.
    """
    values = {
        "pair_ids": packed(sorted(pair_ids)),
        "reasons": packed(sorted(PASSING_REASONS)),
        "lost": packed(LOST),
    }
    session.run(_RESUME, values)


def holders(session: Session, connection: ConnectionName, ticket_id: TicketId) -> frozenset[PairId]:
    """Every pair that has or ever had the ticket."""
    asked = {"connection": connection, "ticket_id": ticket_id}
    return frozenset(PairId(row["pair_id"]) for row in session.rows(_FIND_HOLDERS, asked))


def siblings(session: Session, pair_id: PairId) -> set[PairId]:
    """The pairs of other links that hold the same platform ticket: its status is theirs, too."""
    rows = session.rows(_FIND_SIBLINGS, {"pair_id": pair_id})
    return {PairId(row["pair_id"]) for row in rows}


def bear(
    session: Session,
    connection: int,
    births: Sequence[Birth],
    *,
    side: Side,
    doubtful: frozenset[TicketId] = frozenset(),
    seen_at: datetime,
) -> set[PairId]:
    """Make a marked pair for each birth whose ticket the link does not have yet.

    Where it has one that ended, that pair goes on instead, unless a person unlinked it. Returns
    the pairs made and revived.
    """
    born: set[PairId] = set()
    for birth in births:
        key = {"connection_ref": connection, "ticket_id": birth.ticket_id}
        linked = {row["link"]: row for row in session.rows(_FIND_LINKED, key)}.get(birth.link)
        if linked is None:
            is_doubtful = birth.ticket_id in doubtful
            pair_id = _add_pair(session, birth, side=side, is_doubtful=is_doubtful, seen_at=seen_at)
            add_ticket(
                session,
                pair_id,
                link=birth.link,
                side=side,
                connection=connection,
                ticket_id=birth.ticket_id,
                kind="first",
                at=seen_at,
            )
            born.add(pair_id)
        elif linked["state"] == PairState.ENDED and _may_revive(linked, birth):
            pair_id = PairId(linked["id"])
            born.add(_revive(session, pair_id, birth, side=side, seen_at=seen_at))
    return born


def _may_revive(ended: sqlite3.Row, birth: Birth) -> bool:
    """What a person unlinked goes on only when a person asks for it, by a backfill."""
    return birth.is_silent or ended["reason"] != UNLINKED


def _revive(
    session: Session, pair_id: PairId, birth: Birth, *, side: Side, seen_at: datetime
) -> PairId:
    values = {
        "pair_id": pair_id,
        "is_silent": birth.is_silent,
        "seen_at": moment(seen_at),
        "side": side,
    }
    session.run(_REVIVE, values)
    session.run(_FORGET_REACH, {"pair_id": pair_id})
    return pair_id


def _add_pair(
    session: Session, birth: Birth, *, side: Side, is_doubtful: bool, seen_at: datetime
) -> PairId:
    at = moment(seen_at)
    values = {
        "link": birth.link,
        "state": PairState.ACTIVE.value,
        "is_silent_birth": birth.is_silent,
        "linked_since": at,
        "marked_gen": 1,
        "done_gen": 0,
        "quiet_gen": 1 if birth.is_silent else 0,
        "marked_at": at,
        "marked_from": side,
        "not_before": None,
        "tries": 0,
        "lease_token": None,
        "lease_until": None,
        "revision": 0,
        "reason": "",
        "hint": "",
        "parked_at": None,
        "ball": None,
        "ball_since": None,
        "is_doubtful": is_doubtful,
    }
    return PairId(session.number(_ADD_PAIR, values))


def add_ticket(
    session: Session,
    pair_id: PairId,
    *,
    link: LinkName,
    side: Side,
    connection: int,
    ticket_id: TicketId,
    kind: str,
    at: datetime,
) -> None:
    """Put a ticket at the end of the pair's lineage on that side."""
    values = {
        "pair_id": pair_id,
        "link": link,
        "side": side.value,
        "connection_ref": connection,
        "ticket_id": ticket_id,
        "kind": kind,
        "added_at": moment(at),
    }
    session.run(_ADD_TICKET, values)


def release_leases(session: Session, owner: str) -> int:
    """Let go of every lease that a dead process of this owner left; how many there were."""
    return session.run(_RELEASE_LEASES, {"prefix": f"{owner}:"})


def known_tickets(
    session: Session, connection: ConnectionName, ticket_ids: Sequence[TicketId]
) -> frozenset[TicketId]:
    """Those of some tickets of a connection that a living pair holds."""
    asked = {"connection": connection, "ticket_ids": packed(ticket_ids)}
    return frozenset(TicketId(row["ticket_id"]) for row in session.rows(_FIND_KNOWN, asked))


def open_tickets(
    session: Session, connection: ConnectionName, *, after: TicketId, limit: int
) -> list[TicketId]:
    """The next tickets of a connection that a living pair holds and that may still change."""
    asked = {"connection": connection, "after": after, "limit": limit}
    return [TicketId(row["ticket_id"]) for row in session.rows(_OPEN_TICKETS, asked)]


def open_pairs(
    session: Session, *, after: int, limit: int, lost_since: datetime | None
) -> list[Pair]:
    """The next active pairs with a live ticket on both sides, and those that may come back."""
    asked = {
        "after": after,
        "limit": limit,
        "reasons": packed(sorted(PASSING_REASONS)),
        "lost_since": moment_or_none(lost_since),
    }
    return [to_pair(row) for row in session.rows(_OPEN, asked)]


def find_pairs(session: Session, filters: Mapping[str, object], *, limit: int) -> list[Pair]:
    """Pairs that fit all filters that are not None."""
    wanted = {name: value for name, value in filters.items() if value is not None}
    statement = _pairs_by(frozenset(wanted))
    return [to_pair(row) for row in session.rows(statement, {**wanted, "limit": limit})]


@cache
def _pairs_by(names: frozenset[str]) -> Statement:
    return Statement(at_most(PAIRS.where(*(_FILTERS[name] for name in sorted(names)))))
