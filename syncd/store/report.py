"""What is told to people, straight from the tables: conflicts, stale tickets, links and feeds.

Ticket text is not among it. Times in `stale` are the platform desk's own, compared with no others.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from syncd.core.model import Ball, ConnectionName, LinkName, PairId
from syncd.core.report import ConflictRow, DeedRow, FeedSummary, LinkSummary, RefusedRow, StaleRow
from syncd.core.work import Park, Pause
from syncd.store.rows import (
    moment_or_none,
    to_conflict,
    to_moment,
    to_moment_or_none,
    to_status_base,
    to_tickets,
)
from syncd.store.statement import Session, Statement

_NEWEST = """
    (SELECT ticket_id FROM pair_ticket WHERE id = (
        SELECT max(id) FROM pair_ticket WHERE pair_id = pair.id AND side = 'platform'
    )) AS platform_ticket,
    (SELECT ticket_id FROM pair_ticket WHERE id = (
        SELECT max(id) FROM pair_ticket WHERE pair_id = pair.id AND side = 'partner'
    )) AS partner_ticket
    """
_CONFLICTS = Statement(
    f"""
    SELECT conflict.*, pair.link, {_NEWEST}
    FROM conflict JOIN pair ON pair.id = conflict.pair_id
    WHERE (:link IS NULL OR pair.link = :link) AND (:since IS NULL OR conflict.seen_at >= :since)
    ORDER BY conflict.id DESC
    LIMIT :limit
    """  # noqa: S608
)
_CONFLICTS_OF = Statement(
    f"""
    SELECT conflict.*, pair.link, {_NEWEST}
    FROM conflict JOIN pair ON pair.id = conflict.pair_id
    WHERE conflict.pair_id = :pair_id
    ORDER BY conflict.id DESC
    LIMIT :limit
    """  # noqa: S608
)
_STALE = Statement(
    f"""
    SELECT pair.id, pair.link, pair.ball, {_NEWEST}, min(asked.created_at) AS waiting_since
    FROM base
    JOIN pair ON pair.id = base.pair_id AND pair.state != 'ended'
    JOIN pair_ticket AS held ON held.id = (
        SELECT max(id) FROM pair_ticket WHERE pair_id = pair.id AND side = 'platform'
    )
    JOIN ticket ON ticket.connection_ref = held.connection_ref
               AND ticket.ticket_id = held.ticket_id
    JOIN comment AS asked ON asked.ticket_ref = ticket.id AND asked.audience = 'public'
    JOIN person ON person.id = asked.author_ref AND person.role = 'customer'
    WHERE base.agreed = 'open' AND base.hand_off_state = 'none'
      AND (:link IS NULL OR pair.link = :link)
      AND asked.created_at > coalesce((
        SELECT max(answer.created_at)
        FROM comment AS answer JOIN person ON person.id = answer.author_ref
        WHERE answer.ticket_ref = ticket.id AND answer.audience = 'public'
          AND person.role IN ('agent', 'admin', 'light_agent', 'staff', 'partner')
      ), '')
    GROUP BY pair.id
    ORDER BY waiting_since, pair.id
    """  # noqa: S608
)
_REFUSED = Statement(
    f"""
    SELECT pair.id, pair.link, base.status, {_NEWEST}
    FROM base JOIN pair ON pair.id = base.pair_id AND pair.state != 'ended'
    WHERE json_extract(base.status, '$.refused') != '{{}}'
      AND (:link IS NULL OR pair.link = :link)
    ORDER BY pair.id
    """  # noqa: S608
)
_SUMMARIES = Statement(
    """
    SELECT pair.link,
           count(*) AS pairs,
           sum(pair.state != 'ended' AND base.agreed IS 'open') AS open_pairs,
           sum(pair.state != 'ended' AND pair.marked_gen > pair.done_gen) AS dirty,
           sum(pair.state = 'parked') AS parked,
           sum(pair.state = 'ended') AS ended,
           min(CASE WHEN pair.state != 'ended' THEN pair.marked_at END) AS oldest_dirty_at
    FROM pair LEFT JOIN base ON base.pair_id = pair.id
    GROUP BY pair.link
    ORDER BY pair.link
    """
)
_BALLS = Statement(
    """
    SELECT link, ball, count(*) AS pairs
    FROM pair
    WHERE state != 'ended' AND ball IS NOT NULL
    GROUP BY link, ball
    """
)
_SENT = Statement(
    """
    SELECT pair.link, count(*)
    FROM operation JOIN pair ON pair.id = operation.pair_id
    WHERE operation.state = 'sent'
    GROUP BY pair.link
    """
)
#: Creations whose ticket is known and whose comments have no names yet.
_IMPORTING = Statement(
    """
    SELECT pair.link, count(*)
    FROM operation JOIN pair ON pair.id = operation.pair_id
    WHERE operation.state = 'sent' AND operation.kind = 'create_ticket'
      AND EXISTS (SELECT 1 FROM pair_ticket AS held
                  WHERE held.pair_id = pair.id AND held.side = operation.side)
    GROUP BY pair.link
    """
)
_CONFLICT_COUNTS = Statement(
    """
    SELECT pair.link, count(*)
    FROM conflict JOIN pair ON pair.id = conflict.pair_id
    GROUP BY pair.link
    """
)
_PARKED_LINKS = Statement("SELECT link, reason, hint FROM link_state ORDER BY link")
_PAUSED_LINKS = Statement("SELECT * FROM link_pause ORDER BY link")
_DEEDS = Statement(
    """
    SELECT * FROM audit_trail
    WHERE (:link IS NULL OR link = :link) AND (:pair_id IS NULL OR pair_id = :pair_id)
    ORDER BY id DESC
    LIMIT :limit
    """
)
_FEEDS = Statement(
    """
    SELECT connection.name, cursor.feed, cursor.moved_at
    FROM cursor JOIN connection ON connection.id = cursor.connection_ref
    ORDER BY connection.name, cursor.feed
    """
)


def conflicts(
    session: Session, *, link: LinkName | None, since: datetime | None, limit: int
) -> list[ConflictRow]:
    """Recorded conflicts, newest first."""
    values = {"link": link, "since": moment_or_none(since), "limit": limit}
    return [to_conflict(row) for row in session.rows(_CONFLICTS, values)]


def conflicts_of(session: Session, pair_id: PairId, *, limit: int) -> list[ConflictRow]:
    """Those of one pair, newest first."""
    asked = {"pair_id": pair_id, "limit": limit}
    return [to_conflict(row) for row in session.rows(_CONFLICTS_OF, asked)]


def stale(session: Session, *, link: LinkName | None) -> list[StaleRow]:
    """Open pairs with the partner in which the customer spoke last, longest wait first.

    A person's public answer counts, whoever gave it; what has no role on the desk does not.
    """
    return [
        StaleRow(
            pair_id=PairId(row["id"]),
            link=LinkName(row["link"]),
            tickets=to_tickets(row),
            ball=None if row["ball"] is None else Ball(row["ball"]),
            waiting_since=to_moment(row["waiting_since"]),
        )
        for row in session.rows(_STALE, {"link": link})
    ]


def refused(session: Session, *, link: LinkName | None) -> list[RefusedRow]:
    """Statuses that a desk would not take, by pair."""
    return [
        RefusedRow(
            pair_id=PairId(row["id"]),
            link=LinkName(row["link"]),
            tickets=to_tickets(row),
            side=side,
            refused=found,
        )
        for row in session.rows(_REFUSED, {"link": link})
        for side, found in sorted(to_status_base(row["status"]).refused.items())
    ]


def summaries(session: Session) -> list[LinkSummary]:
    """One for each link that has pairs, or is stopped or paused, by name."""
    balls: dict[str, dict[str, int]] = defaultdict(dict)
    for row in session.rows(_BALLS):
        balls[row["link"]][row["ball"]] = row["pairs"]
    sent: dict[str, int] = dict(map(tuple, session.rows(_SENT)))
    importing: dict[str, int] = dict(map(tuple, session.rows(_IMPORTING)))
    conflict_counts: dict[str, int] = dict(map(tuple, session.rows(_CONFLICT_COUNTS)))
    stopped, paused = parked_links(session), paused_links(session)
    found = {
        LinkName(row["link"]): LinkSummary(
            link=LinkName(row["link"]),
            pairs=row["pairs"],
            open_pairs=row["open_pairs"],
            dirty=row["dirty"],
            parked=row["parked"],
            ended=row["ended"],
            sent=sent.get(row["link"], 0),
            importing=importing.get(row["link"], 0),
            conflicts=conflict_counts.get(row["link"], 0),
            balls=balls[row["link"]],
            oldest_dirty_at=to_moment_or_none(row["oldest_dirty_at"]),
            parked_reason=_reason(stopped.get(LinkName(row["link"]))),
            pause=paused.get(LinkName(row["link"])),
        )
        for row in session.rows(_SUMMARIES)
    }
    for link in stopped.keys() | paused.keys():
        found.setdefault(link, _without_pairs(link, stopped.get(link), paused.get(link)))
    return [found[link] for link in sorted(found)]


def _reason(park: Park | None) -> str:
    return "" if park is None else park.reason


def _without_pairs(link: LinkName, park: Park | None, pause: Pause | None) -> LinkSummary:
    return LinkSummary(
        link=link,
        pairs=0,
        open_pairs=0,
        dirty=0,
        parked=0,
        ended=0,
        sent=0,
        importing=0,
        conflicts=0,
        balls={},
        oldest_dirty_at=None,
        parked_reason=_reason(park),
        pause=pause,
    )


def parked_links(session: Session) -> dict[LinkName, Park]:
    """The links that are stopped as a whole, and why."""
    return {
        LinkName(row["link"]): Park(reason=row["reason"], hint=row["hint"])
        for row in session.rows(_PARKED_LINKS)
    }


def paused_links(session: Session) -> dict[LinkName, Pause]:
    """The links that people have paused."""
    return {
        LinkName(row["link"]): Pause(
            actor=row["actor"], paused_at=to_moment(row["paused_at"]), reason=row["reason"]
        )
        for row in session.rows(_PAUSED_LINKS)
    }


def deeds(
    session: Session, *, link: LinkName | None, pair_id: PairId | None, limit: int
) -> list[DeedRow]:
    """The audit trail, newest first."""
    asked = {"link": link, "pair_id": pair_id, "limit": limit}
    return [
        DeedRow(
            at=to_moment(row["at"]),
            actor=row["actor"],
            verb=row["verb"],
            subject=row["object"],
            reason=row["reason"] or "",
            link=LinkName(row["link"] or ""),
            pair_id=None if row["pair_id"] is None else PairId(row["pair_id"]),
        )
        for row in session.rows(_DEEDS, asked)
    ]


def feeds(session: Session) -> list[FeedSummary]:
    """How far each feed has been read."""
    return [
        FeedSummary(connection=ConnectionName(name), feed=feed, moved_at=to_moment(moved_at))
        for name, feed, moved_at in session.rows(_FEEDS)
    ]
