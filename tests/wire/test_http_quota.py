"""Rate-limit headers in every spelling, and Retry-After in every form."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.http.quota import http_date, readings, wait_seconds
from syncd.ports import Reading

NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)


def a_reading(
    bucket: str = "account", limit: int = 400, remaining: int = 399, reset_seconds: float = 33.0
) -> Reading:
    return Reading(bucket=bucket, limit=limit, remaining=remaining, reset_seconds=reset_seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {"ratelimit-limit": "400", "ratelimit-remaining": "399", "ratelimit-reset": "33"},
        {"rate-limit": "400", "rate-limit-remaining": "399", "rate-limit-reset": "33"},
        {"x-rate-limit": "400", "x-rate-limit-remaining": "399", "ratelimit-reset": "33"},
        {"x-ratelimit-limit": "400", "x-ratelimit-remaining": "399", "x-ratelimit-reset": "33"},
    ],
)
def test_the_general_quota_is_read_in_every_spelling(headers: dict[str, str]) -> None:
    assert readings(headers, general="account") == (a_reading(),)


@pytest.mark.parametrize(
    "name", ["zendesk-ratelimit-tickets-update", "zendesk-rate-limit-tickets-update"]
)
def test_a_named_quota_is_read_in_every_spelling(name: str) -> None:
    headers = {name: "total=100; remaining=98; resets=59"}
    assert readings(headers, general="account") == (a_reading("tickets-update", 100, 98, 59.0),)


def test_a_quota_without_a_reset_is_taken_for_one_per_minute() -> None:
    headers = {"x-rate-limit": "700", "x-rate-limit-remaining": "3"}
    assert readings(headers, general="other") == (a_reading("other", 700, 3, 60.0),)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ratelimit-limit": "400"},
        {"ratelimit-limit": "lots", "ratelimit-remaining": "1"},
        {"ratelimit-limit": "-1", "ratelimit-remaining": "1"},
        {"zendesk-ratelimit-x": "total=5"},
        {"zendesk-ratelimit-x": "words"},
    ],
)
def test_what_is_no_figure_is_left_out(headers: dict[str, str]) -> None:
    assert readings(headers, general="account") == ()


def test_no_answer_names_more_than_a_handful_of_quotas() -> None:
    headers = {f"zendesk-ratelimit-b{n}": "total=1; remaining=1; resets=1" for n in range(1000)}
    assert len(readings(headers, general="account")) <= 16


def test_no_figure_stops_us_for_longer_than_an_hour() -> None:
    headers = {"ratelimit-limit": "4", "ratelimit-remaining": "0", "ratelimit-reset": "999999999"}
    assert readings(headers, general="account")[0].reset_seconds == 3600
    assert wait_seconds({"retry-after": "999999999"}, now=NOW) == 3600


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("37", 37.0),
        ("1.5", 1.5),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str, expected: float | None) -> None:
    assert wait_seconds({"retry-after": value}, now=NOW) == expected


def test_a_date_to_wait_for_is_measured_on_the_desks_own_clock() -> None:
    headers = {
        "retry-after": "Fri, 15 Jan 2027 12:00:30 GMT",
        "date": "Fri, 15 Jan 2027 12:00:00 GMT",
    }
    assert wait_seconds(headers, now=NOW) == 30


def test_a_missing_retry_after_is_none_and_not_nothing() -> None:
    assert wait_seconds({}, now=NOW) is None


@pytest.mark.parametrize("value", ["", "yesterday", "Fri, 99 Foo 2027 99:99:99 GMT", "1"])
def test_what_is_no_date_is_none(value: str) -> None:
    assert http_date(value) is None
