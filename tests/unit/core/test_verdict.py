"""Whether all is well: figures and the time in, troubles out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.cli.ways_on import WAYS_ON
from syncd.core.figures import (
    PARK_REASONS,
    ConnectionFigures,
    ConnectionState,
    DaemonFigures,
    LinkFigures,
)
from syncd.core.model import ConnectionName, LinkName, Side
from syncd.core.verdict import About, Level, Verdict, judge, spell
from tests.support.build import AT

ACME = ConnectionFigures(
    connection=ConnectionName("acme"),
    state=ConnectionState.UP,
    since=AT - timedelta(days=1),
    polled_at=AT - timedelta(seconds=5),
    poll_seconds=10,
)
LINK = LinkFigures(link=LinkName("acme-postgres"))
DAEMON = DaemonFigures(has_begun=True)


def ago(**passed: float) -> object:
    return AT - timedelta(**passed)


def verdict(
    *,
    link: LinkFigures = LINK,
    connection: ConnectionFigures = ACME,
    daemon: DaemonFigures | None = DAEMON,
) -> Verdict:
    return judge(now=AT, daemon=daemon, connections=(connection,), links=(link,))


def test_where_nothing_is_wrong_all_is_well() -> None:
    assert verdict() == Verdict(level=Level.OK)
    assert verdict().is_ready


@pytest.mark.parametrize(
    ("changes", "kind", "level"),
    [
        ({"waiting": 1, "waiting_since": ago(minutes=4)}, "", Level.OK),
        ({"waiting": 1, "waiting_since": ago(minutes=5)}, "lag", Level.WARNING),
        ({"waiting": 1, "waiting_since": ago(minutes=30)}, "lag", Level.CRITICAL),
        ({"parked": {"refused": 2}}, "parked", Level.WARNING),
        ({"parked": {"refused": 2, "bug": 1}}, "parked", Level.CRITICAL),
        ({"stopped_because": "mass_change"}, "stopped", Level.CRITICAL),
        ({"is_paused": True}, "paused", Level.WARNING),
        ({"unconfirmed": 1, "unconfirmed_since": ago(minutes=14)}, "", Level.OK),
        ({"unconfirmed": 1, "unconfirmed_since": ago(minutes=15)}, "hand_off", Level.CRITICAL),
        ({"sent": 1, "sent_since": ago(minutes=14)}, "", Level.OK),
        ({"sent": 1, "sent_since": ago(minutes=15)}, "unanswered", Level.WARNING),
        ({"conflicts": 900, "balls": {"partner": 3}}, "", Level.OK),
    ],
)
def test_a_link_is_judged_by_how_long_and_how_bad(
    changes: dict[str, object], kind: str, level: Level
) -> None:
    found = verdict(link=replace(LINK, **changes))  # type: ignore[arg-type]
    assert found.level is level
    assert [trouble.kind for trouble in found.troubles] == ([kind] if kind else [])
    assert all(trouble.name == LINK.link for trouble in found.troubles)
    assert found.is_ready


@pytest.mark.parametrize(
    ("changes", "kind", "level"),
    [
        ({"state": ConnectionState.UNTRIED, "since": None}, "", Level.OK),
        ({"state": ConnectionState.DOWN, "since": ago(seconds=119)}, "", Level.OK),
        ({"state": ConnectionState.DOWN, "since": ago(minutes=2)}, "down", Level.WARNING),
        ({"state": ConnectionState.DOWN, "since": ago(minutes=10)}, "down", Level.CRITICAL),
        ({"state": ConnectionState.UNAUTHORISED, "since": AT}, "unauthorised", Level.CRITICAL),
        ({"polled_at": ago(minutes=5)}, "", Level.OK),
        ({"polled_at": ago(minutes=5, seconds=30)}, "unpolled", Level.WARNING),
        ({"polled_at": ago(minutes=60), "poll_seconds": 3600.0}, "", Level.OK),
        ({"webhook_state": "sound"}, "", Level.OK),
        ({"webhook_state": "unseen"}, "", Level.OK),
        (
            {"webhook_state": "broken", "webhook_faults": ("disabled",)},
            "webhook",
            Level.WARNING,
        ),
    ],
)
def test_a_connection_is_judged_by_its_answers_its_feed_and_its_webhook(
    changes: dict[str, object], kind: str, level: Level
) -> None:
    found = verdict(connection=replace(ACME, **changes))  # type: ignore[arg-type]
    assert found.level is level
    assert [trouble.kind for trouble in found.troubles] == ([kind] if kind else [])
    assert found.is_ready, "a desk takes nobody's readiness away"


@pytest.mark.parametrize(
    ("daemon", "kind", "level"),
    [
        (None, "away", Level.CRITICAL),
        (DaemonFigures(has_begun=False), "starting", Level.WARNING),
        (DaemonFigures(has_begun=True, is_stopping=True), "stopping", Level.WARNING),
        (DaemonFigures(has_begun=True, standstill="no run has made a step"), "stuck", 2),
        (DaemonFigures(has_begun=True, is_store_well=False), "store", Level.CRITICAL),
    ],
)
def test_a_daemon_that_does_not_work_is_not_ready(
    daemon: DaemonFigures | None, kind: str, level: int
) -> None:
    found = verdict(daemon=daemon)
    (trouble,) = found.troubles
    assert (trouble.about, trouble.kind, found.level) == (About.DAEMON, kind, level)
    assert not found.is_ready


@pytest.mark.parametrize("why", [{"stopped_because": "leak"}, {"is_paused": True}])
def test_what_waits_because_somebody_wants_it_to_is_no_lag(why: dict[str, object]) -> None:
    late = replace(
        LINK,
        waiting=3,
        waiting_since=AT - timedelta(days=2),
        sent=1,
        sent_since=AT - timedelta(days=2),
        **why,  # type: ignore[arg-type]
    )
    assert {trouble.kind for trouble in verdict(link=late).troubles} <= {"stopped", "paused"}


def test_a_lag_says_for_which_side() -> None:
    late = replace(LINK, waiting=2, waiting_since=AT - timedelta(hours=26))
    owed = {Side.PARTNER: AT - timedelta(hours=26), Side.PLATFORM: AT - timedelta(seconds=1)}
    (told,) = verdict(link=replace(late, owed_since=owed)).troubles
    assert told.text == "2 pairs wait for the partner, since 1 d 2 h"
    both = dict.fromkeys(Side, AT - timedelta(hours=26))
    (told,) = verdict(link=replace(late, owed_since=both)).troubles
    assert told.text == "2 pairs wait, since 1 d 2 h"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"stopped_because": "leak"}, "stopped: leak"),
        ({"is_paused": True}, "paused by a person"),
        ({"parked": {"refused": 2, "bug": 1}}, "3 pairs parked, 1 for a bug"),
        ({"unconfirmed_since": ago(minutes=20)}, "a hand-off is unconfirmed for 20 m"),
        ({"sent_since": ago(minutes=15)}, "a write is without an answer for 15 m"),
        ({"waiting": 1, "waiting_since": ago(minutes=6)}, "1 pair waits, since 6 m"),
    ],
)
def test_of_a_link_people_read_what_is_wrong_and_for_how_long(
    changes: dict[str, object], text: str
) -> None:
    (told,) = verdict(link=replace(LINK, **changes)).troubles  # type: ignore[arg-type]
    assert (told.name, told.text) == (LINK.link, text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"state": ConnectionState.UNAUTHORISED}, "the desk refuses the credential"),
        (
            {"state": ConnectionState.DOWN, "since": ago(minutes=3)},
            "the desk has not answered for 3 m",
        ),
        ({"polled_at": ago(minutes=7)}, "not polled for 7 m"),
        (
            {"webhook_state": "broken", "webhook_faults": ("disabled", "address")},
            "its webhook is broken: disabled, address",
        ),
    ],
)
def test_of_a_connection_people_read_which_it_is_and_what_is_wrong(
    changes: dict[str, object], text: str
) -> None:
    (told,) = verdict(connection=replace(ACME, **changes)).troubles  # type: ignore[arg-type]
    assert (told.name, told.text) == (ACME.connection, text)


@pytest.mark.parametrize(
    ("daemon", "text"),
    [
        (None, "no daemon answers"),
        (DaemonFigures(has_begun=False), "it starts"),
        (DaemonFigures(has_begun=True, is_stopping=True), "it ends, or reloads"),
        (DaemonFigures(has_begun=True, standstill="no step"), "it stands still: no step"),
        (DaemonFigures(has_begun=True, is_store_well=False), "the store cannot be read"),
    ],
)
def test_of_the_daemon_people_read_what_is_wrong(daemon: DaemonFigures | None, text: str) -> None:
    (told,) = verdict(daemon=daemon).troubles
    assert told.text == text


def test_what_is_late_by_just_the_limit_has_its_side_told() -> None:
    since = AT - timedelta(minutes=5)
    late = replace(LINK, waiting=2, waiting_since=since, owed_since={Side.PARTNER: since})
    (told,) = verdict(link=late).troubles
    assert told.text == "2 pairs wait for the partner, since 5 m"


def test_a_time_is_spelt_in_its_two_largest_units() -> None:
    assert spell(timedelta(hours=1, minutes=2, seconds=3)) == "1 h 2 m"
    assert spell(timedelta(minutes=2, seconds=3)) == "2 m 3 s"


def test_the_worst_comes_first() -> None:
    found = verdict(
        link=replace(LINK, parked={"refused": 1}, stopped_because="leak"),
        connection=replace(ACME, webhook_state="broken"),
        daemon=None,
    )
    levels = [trouble.level for trouble in found.troubles]
    assert levels == sorted(levels, reverse=True)
    assert found.level is Level.CRITICAL


def test_one_pair_is_one_pair_and_a_moment_is_told() -> None:
    (told,) = verdict(link=replace(LINK, parked={"refused": 1})).troubles
    assert told.text == "1 pair parked"
    assert spell(timedelta()) == "0 s"
    assert spell(timedelta(seconds=-5)) == "0 s"


def test_each_reason_that_a_command_knows_is_one_that_metrics_tell() -> None:
    assert set(WAYS_ON) == PARK_REASONS
