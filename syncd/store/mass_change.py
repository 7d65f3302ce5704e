"""Drastic changes, counted by link and side, and the stop of a link that shows too many.

What a change is and how many are too many is `core.mass_change`'s rule. Counting, deciding and
stopping are one transaction: no two runs can both be the last one that may pass.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from syncd.core.mass_change import (
    MASS_CHANGE,
    Drastic,
    DrasticChange,
    PendingChange,
    drastic_changes,
    is_mass_change,
    kept_for,
    mass_hint,
)
from syncd.core.model import LinkName, PairId, Side, Ticket, TicketId
from syncd.core.policy import LinkPolicy
from syncd.core.work import Park, Weighed
from syncd.store import tables
from syncd.store.rows import moment, moment_or_none, packed, to_base, to_moment_or_none, to_ticket
from syncd.store.statement import Session, Statement, upsert_into

_CHANGE = tables.table(tables.DrasticChange)
_LINK_STATE = tables.table(tables.LinkState)

#: A confirmed change may wait so long for its desk.
_CONFIRMED = timedelta(days=30)

_FIND_STOP = Statement(select(_LINK_STATE).where(_LINK_STATE.c.link == bindparam("link")))
_STOP = Statement(upsert_into(_LINK_STATE, "link"))
_COUNTED = Statement(select(_CHANGE).where(_CHANGE.c.link == bindparam("link")))
_PUT = Statement(upsert_into(_CHANGE, "pair_id", "side", "kind"))
_PRUNE = Statement(
    """
    DELETE FROM drastic_change
    WHERE link = :link AND seen_at < CASE WHEN is_confirmed THEN :confirmed ELSE :counted END
    """
)
_CONFIRM_ALL = Statement("UPDATE drastic_change SET is_confirmed = 1 WHERE link = :link")
_COUNT_OTHERS = Statement(
    """
    SELECT count(*)
    FROM pair JOIN base ON base.pair_id = pair.id
    WHERE pair.link = :link AND pair.state = 'active' AND base.agreed != 'closed'
      AND pair.id NOT IN (SELECT value FROM json_each(:changed))
    """
)
#: Marked, and nothing of ours on its way that the mirror may show as somebody's doing.
_WAITING = Statement(
    f"""
    SELECT base.*, '[]' AS mappings
    FROM pair JOIN base ON base.pair_id = pair.id
    WHERE {tables.IS_DUE} AND pair.link = :link AND pair.id != :but AND base.status IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM operation WHERE pair_id = pair.id AND state = 'sent')
    ORDER BY pair.id
    """  # noqa: S608 - a constant of ours
)
_TICKETS = Statement(
    """
    SELECT held.pair_id, held.side, ticket.*, person.person_id, person.name, person.role
    FROM json_each(:pair_ids) AS wanted
    JOIN pair_ticket AS held ON held.pair_id = wanted.value AND held.id = (
        SELECT max(id) FROM pair_ticket WHERE pair_id = held.pair_id AND side = held.side
    )
    JOIN ticket
      ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
    JOIN person ON person.id = ticket.requester_ref
    """
)


def weigh(
    session: Session,
    pair_id: PairId,
    changes: Sequence[DrasticChange],
    *,
    policy: LinkPolicy,
    has_views: bool,
    now: datetime,
) -> Weighed:
    """Let a pair's drastic changes pass and count them, or stop the link."""
    link, rule = policy.link, policy.mass_rule
    stop = session.row(_FIND_STOP, {"link": link})
    if stop is not None:
        return Weighed(park=Park(reason=stop["reason"], hint=stop["hint"]))
    counted_since = now - kept_for(rule)
    edges = {"counted": moment(counted_since), "confirmed": moment(now - _CONFIRMED)}
    session.run(_PRUNE, {"link": link, **edges})
    rows = session.rows(_COUNTED, {"link": link})
    confirmed = {_key(row) for row in rows if row["is_confirmed"]}
    fresh = [change for change in changes if _named(pair_id, change) not in confirmed]
    moments: dict[Side, dict[PairId, datetime | None]] = defaultdict(dict)
    for row in rows:
        if not row["is_confirmed"]:
            moments[Side(row["side"])][PairId(row["pair_id"])] = to_moment_or_none(row["at"])
    if fresh:
        waiting = pending_changes(session, policy=policy, has_views=has_views, but=pair_id)
        for found in waiting:
            moments[found.change.side][found.pair_id] = found.change.at
    for change in fresh:
        moments[change.side][pair_id] = change.at
    for side in sorted({change.side for change in fresh}):
        changed = moments[side]
        asked = {"link": link, "changed": packed(sorted(changed))}
        open_pairs = session.number(_COUNT_OTHERS, asked) + len(changed)
        if is_mass_change(changed.values(), open_pairs=open_pairs, rule=rule):
            park = Park(reason=MASS_CHANGE, hint=mass_hint(link, side, len(changed)))
            values = {"link": link, "reason": park.reason, "hint": park.hint}
            session.run(_STOP, {**values, "parked_at": moment(now)})
            return Weighed(park=park, is_news=True)
    put(session, link, ((pair_id, change) for change in fresh), now=now)
    return Weighed()


def pending_changes(
    session: Session, *, policy: LinkPolicy, has_views: bool, but: PairId | None = None
) -> list[PendingChange]:
    """The drastic changes that wait in a link's marked pairs and nobody has confirmed."""
    asked = {"link": policy.link, "but": but or 0}
    bases = {PairId(row["pair_id"]): to_base(row) for row in session.rows(_WAITING, asked)}
    tickets: dict[PairId, dict[Side, Ticket]] = defaultdict(dict)
    for row in session.rows(_TICKETS, {"pair_ids": packed(sorted(bases))}):
        tickets[PairId(row["pair_id"])][Side(row["side"])] = to_ticket(row)
    rows = session.rows(_COUNTED, {"link": policy.link})
    confirmed = {_key(row) for row in rows if row["is_confirmed"]}
    return [
        PendingChange(pair_id=pair_id, tickets=_ids(tickets[pair_id]), change=change)
        for pair_id, base in bases.items()
        for change in drastic_changes(base, tickets[pair_id], policy, has_views=has_views)
        if _named(pair_id, change) not in confirmed
    ]


def confirm(
    session: Session, link: LinkName, changes: Iterable[PendingChange], *, now: datetime
) -> None:
    """Let these changes pass, and those that passed before count no more."""
    put(session, link, ((c.pair_id, c.change) for c in changes), now=now)
    session.run(_CONFIRM_ALL, {"link": link})


def put(
    session: Session,
    link: LinkName,
    changes: Iterable[tuple[PairId, DrasticChange]],
    *,
    now: datetime,
) -> None:
    """Count changes; a pair's of one kind and side are one."""
    values = [
        {
            "pair_id": pair_id,
            "side": change.side.value,
            "kind": change.kind.value,
            "link": link,
            "after": change.after,
            "at": moment_or_none(change.at),
            "seen_at": moment(now),
            "is_confirmed": False,
        }
        for pair_id, change in changes
    ]
    session.run_many(_PUT, values)


def _key(row: sqlite3.Row) -> tuple[object, ...]:
    counted = DrasticChange(
        side=Side(row["side"]), kind=Drastic(row["kind"]), before="", after=row["after"], at=None
    )
    return PairId(row["pair_id"]), counted.name


def _named(pair_id: PairId, change: DrasticChange) -> tuple[object, ...]:
    return pair_id, change.name


def _ids(tickets: Mapping[Side, Ticket]) -> dict[Side, TicketId | None]:
    return {side: tickets[side].ticket_id if side in tickets else None for side in Side}
