"""The figures of all links, at a cost that grows with what waits and not with what lies still.

Each question is answered from an index: 100,000 pairs that rest cost some milliseconds. The counts
of conflicts and hand-offs grow with how many there ever were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.core.figures import LinkFigures
from syncd.core.model import LinkName, Side
from syncd.core.work import PairState
from syncd.store import tables
from syncd.store.report import parked_links, paused_links
from syncd.store.rows import to_moment_or_none
from syncd.store.statement import Session, Statement

_PAIRS = Statement("SELECT link, state, ball, count(*) FROM pair GROUP BY link, state, ball")
#: By way of their numbers, or SQLite would rather walk along the links.
_WAITING = Statement(
    f"""
    SELECT link, marked_from, count(*), min(marked_at)
    FROM (SELECT id AS due_id FROM pair WHERE {tables.IS_DUE})
    JOIN pair ON pair.id = due_id
    GROUP BY link, marked_from
    """  # noqa: S608 - a constant of ours
)
_SENT = Statement(
    """
    SELECT pair.link, count(*), min(operation.sent_at)
    FROM operation JOIN pair ON pair.id = operation.pair_id
    WHERE operation.state = 'sent'
    GROUP BY pair.link
    """
)
_PARKED = Statement(
    """
    SELECT reason, count(*) FROM pair WHERE link = :link AND state = 'parked' GROUP BY reason
    """
)
_CONFLICTS = Statement(
    """
    SELECT pair.link, count(*)
    FROM conflict JOIN pair ON pair.id = conflict.pair_id
    GROUP BY pair.link
    """
)
_HAND_OFFS = Statement(
    """
    SELECT pair.link, hand_off.state, count(*)
    FROM hand_off JOIN pair ON pair.id = hand_off.pair_id
    GROUP BY pair.link, hand_off.state
    """
)
_UNCONFIRMED = Statement(
    """
    SELECT pair.link, count(*), min(hand_off.seen_at)
    FROM hand_off
    JOIN base ON base.pair_id = hand_off.pair_id AND base.hand_off_state = 'offered'
    JOIN pair ON pair.id = hand_off.pair_id AND pair.state != 'ended'
    WHERE hand_off.state = 'offered'
      AND hand_off.id = (SELECT max(id) FROM hand_off AS newer WHERE newer.pair_id = pair.id)
    GROUP BY pair.link
    """
)
#: By whose desk showed what waits: the sides that are owed it.
_OWED: Mapping[str, tuple[Side, ...]] = {
    Side.PLATFORM.value: (Side.PARTNER,),
    Side.PARTNER.value: (Side.PLATFORM,),
    "both": tuple(Side),
}


@dataclass(slots=True)
class _Counted:
    """What is gathered of one link."""

    pairs: dict[str, int] = field(default_factory=dict)
    balls: dict[str, int] = field(default_factory=dict)
    hand_offs: dict[str, int] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    owed_since: dict[Side, datetime] = field(default_factory=dict)
    waiting: int = 0
    waiting_since: datetime | None = None
    sent: int = 0
    sent_since: datetime | None = None
    conflicts: int = 0
    unconfirmed: int = 0
    unconfirmed_since: datetime | None = None


def figures(session: Session) -> list[LinkFigures]:
    """One for each link that has pairs, or is stopped or paused, by name."""
    found: defaultdict[LinkName, _Counted] = defaultdict(_Counted)
    _count_pairs(session, found)
    _count_waiting(session, found)
    for link, count, since in session.rows(_SENT):
        found[link].sent, found[link].sent_since = count, to_moment_or_none(since)
    for link, count in session.rows(_CONFLICTS):
        found[link].conflicts = count
    for link, state, count in session.rows(_HAND_OFFS):
        found[link].hand_offs[state] = count
    for link, count, since in session.rows(_UNCONFIRMED):
        found[link].unconfirmed = count
        found[link].unconfirmed_since = to_moment_or_none(since)
    stopped, paused = parked_links(session), paused_links(session)
    names = sorted(found.keys() | stopped.keys() | paused.keys())
    return [
        _figures(
            name,
            found[name],
            stopped_because=stopped[name].reason if name in stopped else "",
            is_paused=name in paused,
        )
        for name in names
    ]


def _count_pairs(session: Session, found: defaultdict[LinkName, _Counted]) -> None:
    for link, state, ball, count in session.rows(_PAIRS):
        counted = found[link]
        counted.pairs[state] = counted.pairs.get(state, 0) + count
        if ball is not None and state != PairState.ENDED:
            counted.balls[ball] = counted.balls.get(ball, 0) + count
    for link, counted in found.items():
        if counted.pairs.get(PairState.PARKED):
            counted.parked = dict(map(tuple, session.rows(_PARKED, {"link": link})))


def _count_waiting(session: Session, found: defaultdict[LinkName, _Counted]) -> None:
    for link, marked_from, count, marked_at in session.rows(_WAITING):
        counted, since = found[link], to_moment_or_none(marked_at)
        counted.waiting += count
        if since is None:
            continue
        counted.waiting_since = min(counted.waiting_since or since, since)
        for side in _OWED.get(marked_from, ()):
            counted.owed_since[side] = min(counted.owed_since.get(side, since), since)


def _figures(
    link: LinkName, counted: _Counted, *, stopped_because: str, is_paused: bool
) -> LinkFigures:
    return LinkFigures(
        link=link,
        pairs=counted.pairs,
        waiting=counted.waiting,
        waiting_since=counted.waiting_since,
        owed_since=counted.owed_since,
        sent=counted.sent,
        sent_since=counted.sent_since,
        parked=counted.parked,
        conflicts=counted.conflicts,
        balls=counted.balls,
        hand_offs=counted.hand_offs,
        unconfirmed=counted.unconfirmed,
        unconfirmed_since=counted.unconfirmed_since,
        stopped_because=stopped_because,
        is_paused=is_paused,
    )
