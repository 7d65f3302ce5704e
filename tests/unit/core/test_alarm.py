"""Which causes are on, and what changed against the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.core.alarm import (
    Alarm,
    AlarmKind,
    Cause,
    Condition,
    Patience,
    Sign,
    Survey,
    compare,
    conditions,
)
from syncd.core.model import ConnectionName, LinkName, PairId

NOW = datetime(2027, 1, 14, 12, tzinfo=UTC)
ACME = ConnectionName("acme")
LINK = LinkName("acme-postgres")
DOWN = Cause(kind=AlarmKind.CONNECTION_DOWN, connection=ACME)
PARKED = Cause(kind=AlarmKind.PAIRS_PARKED, link=LINK)
LATE = Cause(kind=AlarmKind.HAND_OFF_LATE, link=LINK)
ENDS = Cause(kind=AlarmKind.CREDENTIAL_ENDS, connection=ACME)
PATIENCE = Patience(
    of_kind={
        AlarmKind.CONNECTION_DOWN: timedelta(minutes=2),
        AlarmKind.PAIRS_PARKED: timedelta(minutes=1),
        AlarmKind.CREDENTIAL_ENDS: -timedelta(days=14),
        AlarmKind.HAND_OFF_LATE: timedelta(minutes=1),
    },
    of_hand_off={LINK: timedelta(minutes=15)},
)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def on_record(cause: Cause, *, since: datetime, count: int = 1) -> Alarm:
    return Alarm(alarm_id=7, condition=Condition(cause=cause, since=since, count=count))


@pytest.mark.parametrize(
    ("cause", "since", "is_on"),
    [
        (DOWN, ago(minutes=2), True),
        (DOWN, ago(seconds=119), False),
        (LATE, ago(minutes=16), True),
        (LATE, ago(minutes=15), False),
        # It ends in the future, and is told ahead of that.
        (ENDS, NOW + timedelta(days=14), True),
        (ENDS, NOW + timedelta(days=15), False),
        (Cause(kind=AlarmKind.LEAK, link=LINK), NOW, True),
    ],
)
def test_a_cause_is_on_once_it_has_lasted_as_long_as_its_kind_may(
    cause: Cause, since: datetime, is_on: bool
) -> None:
    found = conditions(Survey(signs=[Sign(cause=cause, since=since)]), PATIENCE, now=NOW)
    assert (cause in found.on) is is_on


def test_signs_of_one_cause_are_one_condition_with_the_oldest_since() -> None:
    signs = [
        Sign(cause=PARKED, since=ago(hours=1), count=3, pairs=(PairId(4),), reason="refused"),
        Sign(cause=PARKED, since=ago(hours=2), count=1, pairs=(PairId(1),), reason="bug"),
        # Too young to be counted.
        Sign(cause=PARKED, since=ago(seconds=5), count=9),
    ]
    (found,) = conditions(Survey(signs=signs), PATIENCE, now=NOW).on.values()
    assert (found.count, found.since, found.reason) == (4, ago(hours=2), "bug, refused")
    assert found.pairs == (1, 4)


def test_a_message_names_five_pairs_at_most() -> None:
    signs = [Sign(cause=LATE, since=ago(hours=1), pairs=(PairId(n),)) for n in range(1, 30)]
    (found,) = conditions(Survey(signs=signs), PATIENCE, now=NOW).on.values()
    assert (found.count, len(found.pairs)) == (29, 5)


def test_what_is_new_begins_and_what_is_gone_is_over() -> None:
    found = conditions(Survey(signs=[Sign(cause=DOWN, since=ago(hours=1))]), PATIENCE, now=NOW)
    changes = compare([on_record(PARKED, since=ago(hours=3))], found)
    assert [each.cause for each in changes.begun] == [DOWN]
    assert changes.over == (7,)
    assert compare([on_record(DOWN, since=ago(hours=1))], found).is_empty


def test_a_connection_that_nobody_has_asked_yet_leaves_its_alarm_as_it_is() -> None:
    record = [on_record(DOWN, since=ago(hours=1))]
    unknown = Survey(unknown=frozenset({DOWN}))
    assert compare(record, conditions(unknown, PATIENCE, now=NOW)).is_empty
    assert compare(record, conditions(Survey(), PATIENCE, now=NOW)).over == (7,)


def test_after_a_restart_the_same_outage_looks_younger_and_is_the_same() -> None:
    record = [on_record(DOWN, since=ago(hours=1))]
    young = Survey(signs=[Sign(cause=DOWN, since=ago(seconds=10))])
    assert compare(record, conditions(young, PATIENCE, now=NOW)).is_empty
    older = Survey(signs=[Sign(cause=DOWN, since=ago(minutes=5))])
    changes = compare(record, conditions(older, PATIENCE, now=NOW))
    assert changes.is_empty, "it goes on since it was first seen"


def test_a_young_hand_off_does_not_keep_an_alarm_of_older_ones_on() -> None:
    record = [on_record(LATE, since=ago(hours=1))]
    young = Survey(signs=[Sign(cause=LATE, since=ago(minutes=1))])
    assert compare(record, conditions(young, PATIENCE, now=NOW)).over == (7,)


def test_a_renewed_credential_is_over_and_not_just_younger() -> None:
    record = [on_record(ENDS, since=NOW + timedelta(days=3))]
    renewed = Survey(signs=[Sign(cause=ENDS, since=NOW + timedelta(days=90))])
    assert compare(record, conditions(renewed, PATIENCE, now=NOW)).over == (7,)


def test_other_figures_move_the_record_and_equal_ones_do_not() -> None:
    record = [on_record(PARKED, since=ago(hours=1), count=2)]
    more = Survey(signs=[Sign(cause=PARKED, since=ago(hours=1), count=3)])
    (moved,) = compare(record, conditions(more, PATIENCE, now=NOW)).moved.values()
    assert (moved.count, moved.since) == (3, ago(hours=1))
    same = Survey(signs=[Sign(cause=PARKED, since=ago(hours=1), count=2)])
    assert compare(record, conditions(same, PATIENCE, now=NOW)).is_empty


def test_the_record_names_the_pairs_of_now_and_a_reason_for_as_long_as_none_is_newer() -> None:
    before = Condition(cause=PARKED, since=ago(hours=1), pairs=(PairId(1),), reason="bug")
    for told, kept in (("", "bug"), ("refused", "refused")):
        sign = Sign(cause=PARKED, since=ago(hours=1), pairs=(PairId(4),), reason=told)
        found = conditions(Survey(signs=[sign]), PATIENCE, now=NOW)
        (moved,) = compare([Alarm(alarm_id=7, condition=before)], found).moved.values()
        assert (moved.pairs, moved.reason) == ((4,), kept)


def test_a_credential_that_was_renewed_for_a_few_days_ends_when_it_now_says() -> None:
    record = [on_record(ENDS, since=NOW + timedelta(days=3))]
    renewed = Survey(signs=[Sign(cause=ENDS, since=NOW + timedelta(days=9))])
    (moved,) = compare(record, conditions(renewed, PATIENCE, now=NOW)).moved.values()
    assert moved.since == NOW + timedelta(days=9)


def test_a_link_without_a_patience_of_its_own_has_that_of_the_kind() -> None:
    of_another = Cause(kind=AlarmKind.HAND_OFF_LATE, link=LinkName("globex-search"))
    assert PATIENCE.of(of_another) == timedelta(minutes=1)


def test_an_alarm_that_is_over_and_comes_back_begins_anew() -> None:
    over = Alarm(
        alarm_id=7, condition=Condition(cause=DOWN, since=ago(days=1)), over_at=ago(hours=9)
    )
    again = Survey(signs=[Sign(cause=DOWN, since=ago(minutes=3))])
    (begun,) = compare([over], conditions(again, PATIENCE, now=NOW)).begun
    assert begun.since == ago(minutes=3)
