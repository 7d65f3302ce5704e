"""What people are alarmed of: causes, when one is on, and what changed since it was last looked.

Level-triggered: a look says everything that is wrong at this moment, `conditions` which of it has
lasted long enough, and `compare` what began, went on or is over against what is on record. What is
told to whom follows from that record, in `alarm_news`. No text of a ticket and no name of a
customer is in here: connections, links, numbers and words of ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.core.model import ConnectionName, LinkName, PairId

#: Pairs that a message names; the others are counted.
MOST_PAIRS = 5


class AlarmKind(StrEnum):
    """What can be wrong; the words of `alarms.routes.NAME.kinds`."""

    CONNECTION_DOWN = "connection_down"
    CREDENTIAL_REFUSED = "credential_refused"
    CREDENTIAL_ENDS = "credential_ends"
    QUOTA_SPENT = "quota_spent"
    WEBHOOK_BROKEN = "webhook_broken"
    LEAK = "leak"
    MASS_CHANGE = "mass_change"
    LINK_STOPPED = "link_stopped"
    PAIRS_PARKED = "pairs_parked"
    HAND_OFF_LATE = "hand_off_late"
    TICKETS_STALE = "tickets_stale"
    DAEMON_CRASHED = "daemon_crashed"


#: Known from the daemon's memory: after a restart they look younger than they are, and that is no
#: sign that they were over in between.
_FORGETFUL = frozenset(
    {
        AlarmKind.CONNECTION_DOWN,
        AlarmKind.CREDENTIAL_REFUSED,
        AlarmKind.QUOTA_SPENT,
        AlarmKind.WEBHOOK_BROKEN,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """One thing that can be wrong, of a connection, of a link, or of the daemon as a whole."""

    kind: AlarmKind
    connection: ConnectionName | None = None
    link: LinkName | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """Something that is wrong at the moment of a look, however shortly it has been."""

    cause: Cause
    #: By our own clock, but for a credential: when that ends.
    since: datetime
    #: How many tickets or pairs it is about.
    count: int = 1
    #: Some of them.
    pairs: tuple[PairId, ...] = ()
    #: A word of ours: an error's name, a park's reason, a webhook's fault.
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """All that was seen at one moment."""

    signs: Sequence[Sign] = ()
    #: Of these nobody can tell yet, such as a connection that was not asked since the start: what
    #: is on stays on.
    unknown: frozenset[Cause] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long something may be wrong before anybody is told; by kind, and for links' hand-offs."""

    of_kind: Mapping[AlarmKind, timedelta] = field(default_factory=dict)
    of_hand_off: Mapping[LinkName, timedelta] = field(default_factory=dict)

    def of(self, cause: Cause) -> timedelta:
        """For one cause; negative where people are told before something happens."""
        patience = self.of_kind.get(cause.kind, timedelta())
        if cause.kind is AlarmKind.HAND_OFF_LATE and cause.link is not None:
            return patience + self.of_hand_off.get(cause.link, timedelta())
        return patience


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A cause that is on, with all that is told of it."""

    cause: Cause
    since: datetime
    count: int = 1
    pairs: tuple[PairId, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a look comes to."""

    on: Mapping[Cause, Condition]
    #: Neither on nor over: nobody can tell.
    unsettled: frozenset[Cause]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What one route was last told of an alarm; all None and 0 while it is still to be told."""

    told_at: datetime | None = None
    count: int = 0
    is_over: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """A condition on record, from its beginning until it is over and everybody was told."""

    alarm_id: int
    condition: Condition
    #: None while it is on.
    over_at: datetime | None = None
    #: By the route's name; whoever is to be told is here, durably, before anything is sent.
    told: Mapping[str, Told] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmChanges:
    """What is to be put on record after a survey."""

    begun: tuple[Condition, ...] = ()
    #: Went on, with other figures than on record.
    moved: Mapping[int, Condition] = field(default_factory=dict)
    over: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.begun or self.moved or self.over)


def conditions(survey: Survey, patience: Patience, *, now: datetime) -> Found:
    """What is on: everything that has been wrong for as long as one is patient with it.

    Signs of one cause are one condition: the oldest says since when, all are counted.
    """
    ripe: dict[Cause, list[Sign]] = defaultdict(list)
    unripe: set[Cause] = set()
    for sign in survey.signs:
        if now - sign.since >= patience.of(sign.cause):
            ripe[sign.cause].append(sign)
        elif sign.cause.kind in _FORGETFUL:
            unripe.add(sign.cause)
    on = {cause: _condition(cause, signs) for cause, signs in ripe.items()}
    return Found(on=on, unsettled=(survey.unknown | unripe) - on.keys())


def _condition(cause: Cause, signs: Sequence[Sign]) -> Condition:
    ordered = sorted(signs, key=lambda sign: sign.since)
    pairs = tuple(dict.fromkeys(pair for sign in ordered for pair in sign.pairs))
    return Condition(
        cause=cause,
        since=ordered[0].since,
        count=sum(sign.count for sign in ordered),
        pairs=pairs[:MOST_PAIRS],
        reason=", ".join(sorted({sign.reason for sign in ordered if sign.reason})),
    )


def compare(alarms: Iterable[Alarm], found: Found) -> AlarmChanges:
    """What changed since the alarms were put on record; those that are over are left alone."""
    known = {alarm.condition.cause: alarm for alarm in alarms if alarm.over_at is None}
    moved = {
        alarm.alarm_id: _moved(alarm.condition, found.on[cause])
        for cause, alarm in known.items()
        if cause in found.on and _moved(alarm.condition, found.on[cause]) != alarm.condition
    }
    return AlarmChanges(
        begun=tuple(each for cause, each in found.on.items() if cause not in known),
        moved=moved,
        over=tuple(
            alarm.alarm_id
            for cause, alarm in known.items()
            if cause not in found.on and cause not in found.unsettled
        ),
    )


def _moved(before: Condition, now: Condition) -> Condition:
    """As it is now; it began when it was first seen, also where a restart has forgotten that."""
    is_ahead = now.cause.kind is AlarmKind.CREDENTIAL_ENDS
    return Condition(
        cause=now.cause,
        since=now.since if is_ahead else min(before.since, now.since),
        count=now.count,
        pairs=now.pairs,
        reason=now.reason or before.reason,
    )
