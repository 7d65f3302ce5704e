"""Who is to be told what of the alarms on record, and in how many messages.

Derived anew from the record each time: what a route was told and what is so now. A restart, a
service that was away for a day and a route that is new therefore need no rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.core.alarm import Alarm, AlarmKind, Cause, Told
from syncd.core.model import ConnectionName, LinkName

#: What got worse is told again, no sooner than so long after the last time.
_WORSE_AFTER = timedelta(hours=1)
#: More news at once than these are one message.
_MOST_SINGLE = 3
#: The two ends of each link.
Ends = Mapping[LinkName, tuple[ConnectionName, ConnectionName]]


class What(StrEnum):
    """What is new about an alarm to one route."""

    BEGAN = "began"
    WORSE = "worse"
    STILL = "still"
    OVER = "over"
    #: Began and ended before it could be told.
    WAS = "was"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Somebody to be told: by a name of the file's, of which causes, and how often.

    Empty sets leave nothing out. The address is not here: it is a secret.
    """

    name: str
    kinds: frozenset[AlarmKind] = frozenset()
    links: frozenset[LinkName] = frozenset()
    connections: frozenset[ConnectionName] = frozenset()
    #: How long after the last message one comes that says that it is still so; None for never.
    remind: timedelta | None = None
    #: So many messages `within` a time; what is more comes together in the next one.
    most: int = 10
    within: timedelta = timedelta(hours=1)

    def concerns(self, cause: Cause, ends: Ends) -> bool:
        """Whether it is to be told of a cause; one of a desk concerns the links that use it, and
        one of a link its desks.
        """
        if self.kinds and cause.kind not in self.kinds:
            return False
        links, connections = _around(cause, ends)
        if cause.link is None and cause.connection is None:
            return True
        return bool(
            (not self.links or self.links & links)
            and (not self.connections or self.connections & connections)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Something that a route does not know yet."""

    alarm: Alarm
    what: What

    @property
    def told(self) -> Told:
        """What the route knows afterwards; `told_at` is for whoever has a clock."""
        return Told(count=self.alarm.condition.count, is_over=self.alarm.over_at is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """News that go together; more than one are a digest."""

    news: tuple[News, ...] = field(default=())


def _around(cause: Cause, ends: Ends) -> tuple[set[LinkName], set[ConnectionName]]:
    links = {link for link, both in ends.items() if cause.link == link or cause.connection in both}
    if cause.link is not None:
        links.add(cause.link)
    if cause.connection is not None:
        return links, {cause.connection}
    return links, {each for link in links for each in ends.get(link, ())}


def unaddressed(
    alarms: Iterable[Alarm], routes: Sequence[Route], ends: Ends
) -> tuple[tuple[int, str], ...]:
    """Which routes are to be told of which alarms that are on, beyond those on record as such."""
    return tuple(
        (alarm.alarm_id, route.name)
        for alarm in alarms
        if alarm.over_at is None
        for route in routes
        if route.name not in alarm.told and route.concerns(alarm.condition.cause, ends)
    )


def news_for(route: Route, alarms: Iterable[Alarm], *, now: datetime) -> tuple[News, ...]:
    """What the route does not know yet, in the order in which it began."""
    found = []
    for alarm in sorted(alarms, key=lambda each: (each.condition.since, each.alarm_id)):
        told = alarm.told.get(route.name)
        what = None if told is None else _what(alarm, told, route, now)
        if what is not None:
            found.append(News(alarm=alarm, what=what))
    return tuple(found)


def _what(alarm: Alarm, told: Told, route: Route, now: datetime) -> What | None:
    if told.is_over:
        return None
    if alarm.over_at is not None:
        return What.WAS if told.told_at is None else What.OVER
    if told.told_at is None:
        return What.BEGAN
    passed = now - told.told_at
    if alarm.condition.count > told.count and passed >= _WORSE_AFTER:
        return What.WORSE
    if route.remind is not None and passed >= route.remind:
        return What.STILL
    return None


def messages(
    news: Sequence[News], sent_at: Sequence[datetime], route: Route, *, now: datetime
) -> tuple[Message, ...]:
    """What to send now: each by itself, many as one digest, none while the route has had its share.

    `sent_at` are the times of its latest messages. A leak waits for nothing and stands alone.
    """
    leaks = [each for each in news if each.alarm.condition.cause.kind is AlarmKind.LEAK]
    others = [each for each in news if each not in leaks]
    alone = tuple(Message(news=(each,)) for each in leaks)
    room = route.most - sum(now - at < route.within for at in sent_at) - len(leaks)
    if not others or room <= 0:
        return alone
    if len(others) > min(room, _MOST_SINGLE):
        return (*alone, Message(news=tuple(others)))
    return (*alone, *(Message(news=(each,)) for each in others))
