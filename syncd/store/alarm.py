"""Alarms on record: what is wrong by the store's own knowledge, what is on, and who was told.

`AlarmReader` and `AlarmWriter` are the port's methods, for the store to be made of.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from syncd.core.alarm import (
    Alarm,
    AlarmChanges,
    AlarmKind,
    Cause,
    Condition,
    Sign,
    Told,
)
from syncd.core.mass_change import MASS_CHANGE
from syncd.core.model import ConnectionName, LinkName, PairId
from syncd.store import alarm_tables, report, tables
from syncd.store.reader import Reader
from syncd.store.rows import moment, to_moment, to_moment_or_none
from syncd.store.statement import Session, Statement, insert_into
from syncd.store.writer import Writer

#: Alarms that are over are kept for so long, and no more than so many.
_KEPT = timedelta(days=30)
_MOST_KEPT = 1000
#: Stops of a link that are alarms of their own.
_STOPS = {"leak": AlarmKind.LEAK, MASS_CHANGE: AlarmKind.MASS_CHANGE}

_STOPPED = Statement("SELECT link, reason, parked_at FROM link_state ORDER BY link")
_PARKED = Statement(
    """
    SELECT link, reason, count(*) AS pairs, min(parked_at) AS since,
           (SELECT json_group_array(id) FROM (
               SELECT id FROM pair AS one
               WHERE one.link = pair.link AND one.state = 'parked' AND one.reason = pair.reason
               ORDER BY id LIMIT 5)) AS some
    FROM pair
    WHERE state = 'parked' AND reason != 'by_hand'
    GROUP BY link, reason
    """
)
_OFFERED = Statement(
    """
    SELECT pair.id, pair.link, json_extract(base.hand_off, '$.seen_at') AS since
    FROM base JOIN pair ON pair.id = base.pair_id AND pair.state != 'ended'
    WHERE base.hand_off_state = 'offered' AND json_extract(base.hand_off, '$.seen_at') IS NOT NULL
    """
)
_WITH_PLATFORM = Statement(
    "SELECT id, link, ball_since AS since FROM pair WHERE state = 'active' AND ball = 'platform'"
    " AND ball_since IS NOT NULL"
)
_ALARMS = Statement("SELECT * FROM alarm WHERE over_at IS NULL OR :has_over ORDER BY since, id")
_TOLD = Statement(
    """
    SELECT alarm_told.* FROM alarm_told JOIN alarm ON alarm.id = alarm_told.alarm_ref
    WHERE alarm.over_at IS NULL OR :has_over
    """
)
_BEGIN = Statement(insert_into(tables.table(alarm_tables.Alarm)))
_MOVE = Statement(
    """
    UPDATE alarm SET since = :since, count = :count, pairs = :pairs, reason = :reason
    WHERE id = :id
    """
)
_END = Statement("UPDATE alarm SET over_at = :now WHERE id = :id AND over_at IS NULL")
_ADDRESS = Statement(
    """
    INSERT INTO alarm_told (alarm_ref, route, count, is_over) VALUES (:alarm_ref, :route, 0, false)
    ON CONFLICT DO NOTHING
    """
)
_NOTE = Statement(
    """
    UPDATE alarm_told SET told_at = :now, count = :count, is_over = :is_over
    WHERE alarm_ref = :alarm_ref AND route = :route
    """
)
_FORGET_ROUTES = Statement(
    "DELETE FROM alarm_told WHERE route NOT IN (SELECT value FROM json_each(:routes))"
)
_OLD = """
    SELECT id FROM alarm WHERE over_at IS NOT NULL AND (over_at < :before OR id NOT IN (
        SELECT id FROM alarm WHERE over_at IS NOT NULL ORDER BY over_at DESC, id DESC LIMIT :most))
    """
_FORGET_OLD_TOLD = Statement(f"DELETE FROM alarm_told WHERE alarm_ref IN ({_OLD})")  # noqa: S608
_FORGET_OLD = Statement(f"DELETE FROM alarm WHERE id IN ({_OLD})")  # noqa: S608
_LIFE = Statement("SELECT * FROM daemon_life")
_PUT_LIFE = Statement(
    """
    INSERT INTO daemon_life (id, began_at, is_running, crashed_at)
    VALUES (1, :now, true, :crashed_at)
    ON CONFLICT (id) DO UPDATE
    SET began_at = excluded.began_at, is_running = true, crashed_at = excluded.crashed_at
    """
)
_END_LIFE = Statement("UPDATE daemon_life SET is_running = false")


class AlarmReader:
    """The questions."""

    _reader: Reader

    async def signs(self) -> Sequence[Sign]:
        return await self._reader.read(_signs)

    async def lying_signs(self) -> Sequence[Sign]:
        return await self._reader.read(_lying_signs)

    async def alarms(self, *, has_over: bool = True) -> Sequence[Alarm]:
        return await self._reader.read(partial(_alarms, has_over=has_over))


class AlarmWriter(AlarmReader):
    """And the writes."""

    _writer: Writer

    async def note_alarms(self, changes: AlarmChanges, *, now: datetime) -> None:
        await self._writer.submit(partial(_note_alarms, changes=changes, now=now))

    async def address_alarms(
        self, wanted: Sequence[tuple[int, str]], *, routes: Sequence[str], now: datetime
    ) -> None:
        await self._writer.submit(partial(_address, wanted=wanted, routes=routes, now=now))

    async def note_told(self, route: str, told: Mapping[int, Told], *, now: datetime) -> None:
        await self._writer.submit(partial(_note_told, route=route, told=told, now=now))

    async def begin_life(self, *, now: datetime) -> datetime | None:
        return await self._writer.submit(partial(_begin_life, now=now))

    async def end_life(self) -> None:
        await self._writer.submit(_end_life)


def _signs(session: Session) -> list[Sign]:
    stopped = [
        Sign(
            cause=Cause(
                kind=_STOPS.get(row["reason"], AlarmKind.LINK_STOPPED), link=LinkName(row["link"])
            ),
            since=to_moment(row["parked_at"]),
            reason="" if row["reason"] in _STOPS else row["reason"],
        )
        for row in session.rows(_STOPPED)
    ]
    parked = [
        Sign(
            cause=_of_link(AlarmKind.PAIRS_PARKED, row),
            since=to_moment(row["since"]),
            count=row["pairs"],
            pairs=tuple(map(PairId, json.loads(row["some"]))),
            reason=row["reason"],
        )
        for row in session.rows(_PARKED)
    ]
    offered = [_of_pair(AlarmKind.HAND_OFF_LATE, row) for row in session.rows(_OFFERED)]
    return [*stopped, *parked, *offered]


def _lying_signs(session: Session) -> list[Sign]:
    waiting = [
        Sign(
            cause=Cause(kind=AlarmKind.TICKETS_STALE, link=row.link),
            since=row.waiting_since,
            pairs=(row.pair_id,),
        )
        for row in report.stale(session, link=None)
    ]
    at_platform = session.rows(_WITH_PLATFORM)
    return [*waiting, *(_of_pair(AlarmKind.TICKETS_STALE, row) for row in at_platform)]


def _of_link(kind: AlarmKind, row: sqlite3.Row) -> Cause:
    return Cause(kind=kind, link=LinkName(row["link"]))


def _of_pair(kind: AlarmKind, row: sqlite3.Row) -> Sign:
    return Sign(
        cause=_of_link(kind, row), since=to_moment(row["since"]), pairs=(PairId(row["id"]),)
    )


def _alarms(session: Session, *, has_over: bool) -> list[Alarm]:
    asked = {"has_over": has_over}
    told: dict[int, dict[str, Told]] = defaultdict(dict)
    for row in session.rows(_TOLD, asked):
        told[row["alarm_ref"]][row["route"]] = Told(
            told_at=to_moment_or_none(row["told_at"]),
            count=row["count"],
            is_over=bool(row["is_over"]),
        )
    return [
        Alarm(
            alarm_id=row["id"],
            condition=Condition(
                cause=Cause(
                    kind=AlarmKind(row["kind"]),
                    connection=None if row["connection"] is None else _name(row["connection"]),
                    link=None if row["link"] is None else LinkName(row["link"]),
                ),
                since=to_moment(row["since"]),
                count=row["count"],
                pairs=tuple(map(PairId, json.loads(row["pairs"]))),
                reason=row["reason"],
            ),
            over_at=to_moment_or_none(row["over_at"]),
            told=told[row["id"]],
        )
        for row in session.rows(_ALARMS, asked)
    ]


def _name(text: str) -> ConnectionName:
    return ConnectionName(text)


def _note_alarms(session: Session, *, changes: AlarmChanges, now: datetime) -> None:
    for condition in changes.begun:
        cause = condition.cause
        names = {"kind": cause.kind.value, "connection": cause.connection, "link": cause.link}
        session.run(_BEGIN, {**names, **_figures(condition), "over_at": None})
    for alarm_id, condition in changes.moved.items():
        session.run(_MOVE, {"id": alarm_id, **_figures(condition)})
    for alarm_id in changes.over:
        session.run(_END, {"id": alarm_id, "now": moment(now)})


def _figures(condition: Condition) -> dict[str, object]:
    return {
        "since": moment(condition.since),
        "count": condition.count,
        "pairs": json.dumps(condition.pairs),
        "reason": condition.reason,
    }


def _address(
    session: Session, *, wanted: Sequence[tuple[int, str]], routes: Sequence[str], now: datetime
) -> None:
    session.run_many(_ADDRESS, [{"alarm_ref": ref, "route": route} for ref, route in wanted])
    session.run(_FORGET_ROUTES, {"routes": json.dumps(list(routes))})
    old = {"before": moment(now - _KEPT), "most": _MOST_KEPT}
    session.run(_FORGET_OLD_TOLD, old)
    session.run(_FORGET_OLD, old)


def _note_told(session: Session, *, route: str, told: Mapping[int, Told], now: datetime) -> None:
    for alarm_id, what in told.items():
        values = {"alarm_ref": alarm_id, "route": route, "now": moment(now)}
        session.run(_NOTE, {**values, "count": what.count, "is_over": what.is_over})


def _begin_life(session: Session, *, now: datetime) -> datetime | None:
    before = session.row(_LIFE)
    crashed_at = None if before is None else before["crashed_at"]
    if before is not None and before["is_running"]:
        crashed_at = moment(now)
    session.run(_PUT_LIFE, {"now": moment(now), "crashed_at": crashed_at})
    return to_moment_or_none(crashed_at)


def _end_life(session: Session) -> None:
    session.run(_END_LIFE)
