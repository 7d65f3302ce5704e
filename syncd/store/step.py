"""One step of a run as one unit of work: the lease, then everything that the step carries.

What a run may write is decided here and nowhere else: no intent is journaled for a run that lost
its lease, that planned from an older state, or whose pair or link was stopped meanwhile.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select

from syncd.core.errors import LeaseLost
from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import Joined, PairState, Settled, Step
from syncd.store import tables
from syncd.store.agreement import drop_bodies, write_base
from syncd.store.journal import intent_values
from syncd.store.pair import add_ticket, connection_ref, holders, mark, resume, siblings
from syncd.store.rows import conflict_values, moment, moment_or_none, packed, transition_values
from syncd.store.sight import record
from syncd.store.statement import Session, Statement, insert_into

_PAIR = tables.table(tables.Pair)
_LINK_STATE = tables.table(tables.LinkState)
_LINK_PAUSE = tables.table(tables.LinkPause)

_LOAD = Statement(
    select(
        _PAIR,
        (_LINK_STATE.c.link.is_(None) & _LINK_PAUSE.c.link.is_(None)).label("is_link_running"),
    )
    .join_from(_PAIR, _LINK_STATE, _LINK_STATE.c.link == _PAIR.c.link, isouter=True)
    .join(_LINK_PAUSE, _LINK_PAUSE.c.link == _PAIR.c.link, isouter=True)
    .where(_PAIR.c.id == bindparam("pair_id"))
)
_SAVE = Statement(
    """
    UPDATE pair
    SET state = :state, marked_gen = :marked_gen, done_gen = :done_gen, marked_at = :marked_at,
        marked_from = CASE
            WHEN marked_gen > done_gen AND :marked_gen > :done_gen THEN marked_from ELSE '' END,
        not_before = :not_before, tries = :tries, lease_token = :lease_token,
        lease_until = :lease_until, revision = :revision, reason = :reason, hint = :hint,
        parked_at = :parked_at, ball = :ball, ball_since = :ball_since,
        is_doubtful = :is_doubtful
    WHERE id = :pair_id
    """
)
_SETTLE = Statement(
    """
    UPDATE operation
    SET state = :state, settled_at = :settled_at, comment_ids = :comment_ids, payload = NULL
    WHERE pair_id = :pair_id AND op_id = :op_id AND state = 'sent'
    """
)
_COUNT_TICKETS = Statement(
    "SELECT count(*) FROM pair_ticket WHERE pair_id = :pair_id AND side = :side"
)
_ADD_INTENT = Statement(insert_into(tables.table(tables.Operation)))
_ADD_CONFLICT = Statement(insert_into(tables.table(tables.Conflict)))
_ADD_TRANSITION = Statement(insert_into(tables.table(tables.Timeline)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A step that was made durable."""

    #: The pair wants another run, and may have it.
    is_dirty: bool
    #: All but its intent was kept: the pair must not write any more.
    is_stopped: bool


def take_step(
    session: Session,
    pair_id: PairId,
    token: str,
    step: Step,
    *,
    now: datetime,
    lease_until: datetime,
) -> Taken:
    """Do all of the step, or raise; what is to be told of it.

    A pair that must not write any more keeps what the run has learnt: only the intent is refused.
    """
    row = session.row(_LOAD, {"pair_id": pair_id})
    if row is None:
        raise LeaseLost(f"pair {pair_id} does not exist")
    _check_lease(row, token, step, now=now)
    is_doubtful = bool(row["is_doubtful"]) and not step.is_recovered
    wants_to_write = step.intent is not None or step.is_repeat
    is_stopped = wants_to_write and (is_doubtful or not _is_running(row))
    if is_stopped:
        step = replace(step, intent=None)
    for settled in step.settled:
        _settle(session, pair_id, LinkName(row["link"]), settled, now=now)
    if step.created is not None:
        _hold(session, pair_id, LinkName(row["link"]), step.created, now=now)
    for joined in step.joined:
        _join(session, pair_id, LinkName(row["link"]), joined, now=now)
    concerned, overtaken = _record_sightings(session, step)
    if step.base is not None and write_base(session, pair_id, step.base, now=now):
        concerned.update(siblings(session, pair_id))
    _add_records(session, pair_id, step, now=now)
    if step.intent is not None:
        connection = connection_ref(session, step.intent.connection)
        session.run(_ADD_INTENT, intent_values(connection, step.intent))
    mark(session, concerned - {pair_id}, seen_at=now)
    resume(session, concerned - {pair_id})
    values = _values_after(
        row,
        step,
        None if is_stopped else token,
        is_concerned=pair_id in concerned,
        is_overtaken=pair_id in overtaken,
        now=now,
        lease_until=lease_until,
    )
    session.run(_SAVE, values)
    if step.ends_pair:
        drop_bodies(session, pair_id)
    is_active = values["state"] == PairState.ACTIVE and bool(row["is_link_running"])
    return Taken(is_dirty=is_active and values["marked_at"] is not None, is_stopped=is_stopped)


def _check_lease(row: sqlite3.Row, token: str, step: Step, *, now: datetime) -> None:
    holder, until = row["lease_token"], row["lease_until"]
    if holder == token:
        return
    if holder is not None and until > moment(now):
        raise LeaseLost(f"pair {row['id']} is run by another worker until {until}")
    if step.revision is not None and step.revision != row["revision"]:
        raise LeaseLost(f"pair {row['id']} was run by another worker meanwhile")


def _is_running(row: sqlite3.Row) -> bool:
    return row["state"] == PairState.ACTIVE and bool(row["is_link_running"])


def _settle(
    session: Session, pair_id: PairId, link: LinkName, settled: Settled, *, now: datetime
) -> None:
    values = {
        "pair_id": pair_id,
        "op_id": settled.op_id,
        "state": "done" if settled.is_done else "dropped",
        "settled_at": moment(now),
        "comment_ids": packed(settled.comment_ids) if settled.is_done else None,
    }
    if session.run(_SETTLE, values) == 0:
        raise LeaseLost(f"pair {pair_id}: operation {settled.op_id} was settled by another worker")
    if settled.created is not None:
        _hold(session, pair_id, link, settled.created, now=now)


def _hold(
    session: Session,
    pair_id: PairId,
    link: LinkName,
    created: tuple[Side, ConnectionName, TicketId],
    *,
    now: datetime,
) -> None:
    """The ticket that a creation made is the pair's from now on."""
    side, connection, ticket_id = created
    has_some = session.number(_COUNT_TICKETS, {"pair_id": pair_id, "side": side.value}) > 0
    add_ticket(
        session,
        pair_id,
        link=link,
        side=side,
        connection=connection_ref(session, connection),
        ticket_id=ticket_id,
        kind="follow_up" if has_some else "first",
        at=now,
    )


def _join(
    session: Session, pair_id: PairId, link: LinkName, joined: Joined, *, now: datetime
) -> None:
    if holders(session, joined.connection, joined.ticket_id):
        raise LeaseLost(f"pair {pair_id}: ticket {joined.ticket_id} was taken by a pair meanwhile")
    add_ticket(
        session,
        pair_id,
        link=link,
        side=joined.side,
        connection=connection_ref(session, joined.connection),
        ticket_id=joined.ticket_id,
        kind=joined.kind,
        at=now,
    )


def _record_sightings(session: Session, step: Step) -> tuple[set[PairId], set[PairId]]:
    concerned: set[PairId] = set()
    overtaken: set[PairId] = set()
    for connection, sightings in step.sightings.items():
        ref = connection_ref(session, connection)
        recorded = record(session, ref, sightings)
        concerned |= recorded.concerned
        overtaken |= recorded.overtaken
    return concerned, overtaken


def _add_records(session: Session, pair_id: PairId, step: Step, *, now: datetime) -> None:
    seen_at = moment(now)
    if step.conflicts:
        rows = [conflict_values(pair_id, c, seen_at=seen_at) for c in step.conflicts]
        session.run_many(_ADD_CONFLICT, rows)
    if step.transitions:
        rows = [transition_values(pair_id, t, seen_at=seen_at) for t in step.transitions]
        session.run_many(_ADD_TRANSITION, rows)


def _values_after(
    row: sqlite3.Row,
    step: Step,
    token: str | None,
    *,
    is_concerned: bool,
    is_overtaken: bool,
    now: datetime,
    lease_until: datetime,
) -> dict[str, object]:
    """The pair row as the step leaves it; without a token the lease is let go."""
    ends_run = (
        token is None
        or step.done_gen is not None
        or step.not_before is not None
        or step.park is not None
        or step.ends_pair
    )
    values: dict[str, object] = {
        "pair_id": row["id"],
        "state": row["state"],
        "not_before": moment_or_none(step.not_before),
        "tries": step.tries,
        "lease_token": None if ends_run else token,
        "lease_until": None if ends_run else moment(lease_until),
        "revision": row["revision"] + 1,
        "reason": row["reason"],
        "hint": row["hint"],
        "parked_at": row["parked_at"],
        "is_doubtful": row["is_doubtful"] and not step.is_recovered,
        "ball": row["ball"],
        "ball_since": row["ball_since"],
        **_marks_after(row, step, is_concerned=is_concerned, is_overtaken=is_overtaken, now=now),
    }
    if step.park is not None and row["state"] == PairState.ACTIVE:
        values.update(
            state=PairState.PARKED.value,
            reason=step.park.reason,
            hint=step.park.hint,
            parked_at=moment(now),
        )
    if step.ends_pair:
        values["state"] = PairState.ENDED.value
    if step.ball is not None and step.ball.value != row["ball"]:
        values.update(ball=step.ball.value, ball_since=moment(now))
    return values


def _marks_after(
    row: sqlite3.Row, step: Step, *, is_concerned: bool, is_overtaken: bool, now: datetime
) -> dict[str, object]:
    """The generations after the step, and `marked_at`, which is set exactly while they differ."""
    # The run went on from what the desk answered; what the mirror knows beyond it is a run's more.
    marked, done = row["marked_gen"] + is_overtaken, row["done_gen"]
    if step.done_gen is None:
        if is_concerned and marked <= done:
            # Should the run die here, what it saw must not be forgotten.
            return {"marked_gen": marked + 1, "done_gen": done, "marked_at": moment(now)}
        marked_at = (row["marked_at"] or moment(now)) if is_overtaken else row["marked_at"]
        return {"marked_gen": marked, "done_gen": done, "marked_at": marked_at}
    dealt_with = max(done, step.done_gen)
    # What is left came during the run.
    marked_at = moment(now) if marked > dealt_with else None
    return {"marked_gen": marked, "done_gen": dealt_with, "marked_at": marked_at}
