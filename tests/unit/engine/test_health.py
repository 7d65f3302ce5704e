"""How a connection is doing, told once, and who is to blame for a riddle."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog

from syncd.core.errors import OutcomeUnknown, RateLimited, Unauthorised, Unintelligible, Unreachable
from syncd.core.model import ConnectionName
from syncd.engine.health import ConnectionState, Health
from syncd.log import configure
from tests.support.clock import FakeClock

ACME = ConnectionName("acme")
ABOUT: Any = {"connection": "acme", "action": "read ticket"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure(form="json", level="debug", stream=stream)
    yield stream
    structlog.reset_defaults()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock, log: io.StringIO) -> Health:
    return Health(clock.now)


def events(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


def test_a_connection_that_nobody_tried_is_neither_up_nor_down(
    health: Health, log: io.StringIO
) -> None:
    assert health.state(ACME) is ConnectionState.UNTRIED
    assert health.report() == {}
    health.succeeded(ACME)
    assert health.state(ACME) is ConnectionState.UP
    assert events(log) == []


def test_going_down_and_coming_back_is_told_once_each(
    health: Health, clock: FakeClock, log: io.StringIO
) -> None:
    for _ in range(3):
        health.failed(Unreachable("no answer", **ABOUT))
        clock.advance(60)
    began_at = (clock.now() - timedelta(minutes=3)).isoformat()
    down = {"state": "down", "since": began_at, "last_error": "Unreachable"}
    assert health.report() == {"acme": down}
    for _ in range(3):
        health.succeeded(ACME)
    assert events(log) == ["connection.down", "connection.up"]


def test_another_kind_of_trouble_is_told_again(health: Health, log: io.StringIO) -> None:
    health.failed(Unreachable("no answer", **ABOUT))
    health.failed(Unauthorised("not allowed", **ABOUT))
    health.failed(Unreachable("no answer", **ABOUT))
    assert events(log) == ["connection.down", "connection.unauthorised", "connection.down"]


def test_a_429_is_counted_and_says_nothing_about_the_connection(
    health: Health, clock: FakeClock, log: io.StringIO
) -> None:
    health.succeeded(ACME)
    health.failed(RateLimited("too many", retry_at=clock.now(), **ABOUT))
    assert health.state(ACME) is ConnectionState.UP
    assert health.paused_until(ACME) is None
    assert health.counts["connection.limited"] == 1
    assert events(log) == ["connection.limited"]


def test_a_refused_credential_pauses_for_a_minute_after_the_last_refusal(
    health: Health, clock: FakeClock
) -> None:
    health.failed(Unauthorised("not allowed", **ABOUT))
    assert health.paused_until(ACME) == clock.now() + timedelta(seconds=60)
    clock.advance(59)
    health.failed(Unauthorised("not allowed", **ABOUT))
    clock.advance(59)
    assert health.paused_until(ACME) is not None
    clock.advance(1)
    assert health.paused_until(ACME) is None
    health.failed(Unauthorised("not allowed", **ABOUT))
    health.succeeded(ACME)
    assert health.paused_until(ACME) is None


def test_other_trouble_pauses_nobody(health: Health) -> None:
    health.failed(Unreachable("no answer", **ABOUT))
    assert health.paused_until(ACME) is None
    assert health.paused_until(ConnectionName("globex")) is None


def test_a_pair_is_to_blame_for_a_riddle_only_while_the_desk_answers_others(
    health: Health,
) -> None:
    riddle = Unintelligible("not as documented", **ABOUT)
    assert not health.doubt(riddle), "nobody has ever got an answer"
    health.succeeded(ACME)
    assert health.doubt(riddle)
    assert not health.doubt(riddle), "no good answer since the last one"
    health.succeeded(ACME)
    assert health.doubt(riddle)
    health.succeeded(ACME)
    health.failed(Unreachable("no answer", **ABOUT))
    assert not health.doubt(riddle)


def test_whoever_knocks_again_and_again_gets_one_line_a_minute(
    health: Health, clock: FakeClock, log: io.StringIO
) -> None:
    for _ in range(1000):
        health.webhook_rejected(ACME, "Unauthentic")
    health.webhook_rejected(ACME, "Unintelligible")
    clock.advance(60)
    health.webhook_rejected(ACME, "Unauthentic")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [(line["reason"], line["unlogged"]) for line in lines]
    assert told == [("Unauthentic", 0), ("Unintelligible", 0), ("Unauthentic", 999)]
    assert health.counts["webhook.rejected"] == 1002


def test_a_write_without_an_answer_is_a_failed_connection(health: Health) -> None:
    health.failed(OutcomeUnknown("no answer", **ABOUT))
    assert health.state(ACME) is ConnectionState.DOWN
