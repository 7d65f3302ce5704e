"""Who is to be told of what, and in how many messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.alarm import Alarm, AlarmKind, Cause, Condition, Told
from syncd.core.alarm_news import Message, News, Route, What, messages, news_for, unaddressed
from syncd.core.model import ConnectionName, LinkName

NOW = datetime(2027, 1, 14, 12, tzinfo=UTC)
HEROKU, ACME, GLOBEX = map(ConnectionName, ("heroku", "acme", "globex"))
POSTGRES, SEARCH = LinkName("acme-postgres"), LinkName("globex-search")
ENDS = {POSTGRES: (HEROKU, ACME), SEARCH: (HEROKU, GLOBEX)}
OPS = Route(name="ops")
DOWN = Cause(kind=AlarmKind.CONNECTION_DOWN, connection=ACME)
UNTOLD = Told()


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def an_alarm(
    cause: Cause = DOWN,
    *,
    alarm_id: int = 1,
    count: int = 1,
    told: Told | None = UNTOLD,
    over_at: datetime | None = None,
) -> Alarm:
    return Alarm(
        alarm_id=alarm_id,
        condition=Condition(cause=cause, since=ago(hours=5), count=count),
        told={} if told is None else {"ops": told},
        over_at=over_at,
    )


def what(alarm: Alarm, route: Route = OPS) -> What | None:
    found = news_for(route, [alarm], now=NOW)
    return found[0].what if found else None


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        (an_alarm(), What.BEGAN),
        (an_alarm(told=Told(told_at=ago(hours=3), count=1)), None),
        (an_alarm(count=5, told=Told(told_at=ago(hours=3), count=1)), What.WORSE),
        (an_alarm(count=5, told=Told(told_at=ago(minutes=59), count=1)), None),
        (an_alarm(count=1, told=Told(told_at=ago(hours=3), count=5)), None),
        (an_alarm(told=Told(told_at=ago(hours=3), count=1), over_at=NOW), What.OVER),
        (an_alarm(told=Told(told_at=NOW, count=1, is_over=True), over_at=NOW), None),
        # It began and ended while the service was away.
        (an_alarm(over_at=NOW), What.WAS),
        # This route was never to be told, as it came later.
        (an_alarm(told=None, over_at=NOW), None),
        (an_alarm(told=None), None),
    ],
)
def test_news_are_the_difference_between_what_is_so_and_what_was_told(
    alarm: Alarm, expected: What | None
) -> None:
    assert what(alarm) is expected


def test_what_a_route_knows_after_its_news_is_no_news() -> None:
    for alarm in (an_alarm(count=3), an_alarm(count=3, over_at=NOW)):
        (news,) = news_for(OPS, [alarm], now=NOW)
        told = Told(told_at=NOW, count=news.told.count, is_over=news.told.is_over)
        after = an_alarm(count=3, told=told, over_at=alarm.over_at)
        assert what(after) is None


def test_what_got_worse_is_told_again_from_an_hour_on() -> None:
    assert what(an_alarm(count=5, told=Told(told_at=ago(hours=1), count=1))) is What.WORSE


def test_news_come_in_the_order_in_which_they_began() -> None:
    begun = [
        Alarm(alarm_id=alarm_id, condition=Condition(cause=DOWN, since=since), told={"ops": UNTOLD})
        for alarm_id, since in ((1, ago(hours=1)), (3, ago(hours=2)), (2, ago(hours=2)))
    ]
    found = news_for(OPS, begun, now=NOW)
    assert [each.alarm.alarm_id for each in found] == [2, 3, 1]


def test_a_link_that_has_left_the_configuration_concerns_whoever_asks_for_it_by_name() -> None:
    gone = of_link(AlarmKind.PAIRS_PARKED, LinkName("gone"))
    assert Route(name="r", links=frozenset({LinkName("gone")})).concerns(gone, ENDS)
    assert not Route(name="r", connections=frozenset({ACME})).concerns(gone, ENDS)


def test_a_route_is_reminded_only_where_it_wants_to_be() -> None:
    alarm = an_alarm(told=Told(told_at=ago(days=1), count=1))
    assert what(alarm) is None
    assert what(alarm, Route(name="ops", remind=timedelta(days=1))) is What.STILL
    assert what(alarm, Route(name="ops", remind=timedelta(days=2))) is None


def of_link(kind: AlarmKind, link: LinkName) -> Cause:
    return Cause(kind=kind, link=link)


@pytest.mark.parametrize(
    ("route", "cause", "concerns"),
    [
        (OPS, DOWN, True),
        (Route(name="r", kinds=frozenset({AlarmKind.LEAK})), DOWN, False),
        (Route(name="r", links=frozenset({POSTGRES})), DOWN, True),
        (Route(name="r", links=frozenset({SEARCH})), DOWN, False),
        # The platform's desk is at an end of every link.
        (
            Route(name="r", links=frozenset({SEARCH})),
            Cause(kind=AlarmKind.CONNECTION_DOWN, connection=HEROKU),
            True,
        ),
        (
            Route(name="r", connections=frozenset({ACME})),
            of_link(AlarmKind.PAIRS_PARKED, POSTGRES),
            True,
        ),
        (
            Route(name="r", connections=frozenset({ACME})),
            of_link(AlarmKind.PAIRS_PARKED, SEARCH),
            False,
        ),
        # Of the connection itself: that another one shares a link with it is not its trouble.
        (
            Route(name="r", connections=frozenset({ACME})),
            Cause(kind=AlarmKind.CONNECTION_DOWN, connection=HEROKU),
            False,
        ),
        (
            Route(name="r", links=frozenset({SEARCH}), connections=frozenset({GLOBEX})),
            Cause(kind=AlarmKind.DAEMON_CRASHED),
            True,
        ),
    ],
)
def test_a_route_is_told_of_what_concerns_it(route: Route, cause: Cause, concerns: bool) -> None:
    assert route.concerns(cause, ENDS) is concerns


def test_who_is_to_be_told_is_said_once_and_only_of_what_is_on() -> None:
    other = Route(name="other")
    known = an_alarm()
    over = an_alarm(alarm_id=2, told=None, over_at=NOW)
    assert unaddressed([known, over], [OPS, other], ENDS) == ((1, "other"),)


def some_news(count: int, kind: AlarmKind = AlarmKind.CONNECTION_DOWN) -> list[News]:
    return [
        News(
            alarm=an_alarm(Cause(kind=kind, connection=ConnectionName(f"c{n}")), alarm_id=n),
            what=What.BEGAN,
        )
        for n in range(count)
    ]


def sizes(due: Sequence[Message]) -> list[int]:
    return [len(each.news) for each in due]


def test_few_news_come_one_by_one_and_many_as_one_digest() -> None:
    assert sizes(messages(some_news(3), (), OPS, now=NOW)) == [1, 1, 1]
    assert sizes(messages(some_news(50), (), OPS, now=NOW)) == [50]


def test_a_route_that_has_had_its_share_is_told_the_rest_together_later() -> None:
    route = Route(name="ops", most=4, within=timedelta(hours=1))
    lately = [ago(minutes=m) for m in (50, 40, 30)]
    assert sizes(messages(some_news(1), lately, route, now=NOW)) == [1]
    assert sizes(messages(some_news(2), lately, route, now=NOW)) == [2]
    full = [*lately, ago(minutes=20)]
    assert messages(some_news(9), full, route, now=NOW) == ()
    later = NOW + timedelta(minutes=10)
    assert sizes(messages(some_news(9), full, route, now=later)) == [9]


def test_a_leak_waits_for_nothing_and_stands_alone() -> None:
    route = Route(name="ops", most=1)
    news = [*some_news(5), *some_news(1, AlarmKind.LEAK)]
    due = messages(news, [ago(minutes=1)], route, now=NOW)
    assert sizes(due) == [1]
    assert due[0].news[0].alarm.condition.cause.kind is AlarmKind.LEAK
