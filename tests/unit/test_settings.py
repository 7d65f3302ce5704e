"""The types that a setting can have."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.settings import (
    base_url,
    file_host,
    format_duration,
    is_loopback,
    parse_duration,
    parse_share,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("15m", 900), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172_800), ("0s", 0)],
)
def test_a_duration_has_its_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "10", "s", "1 s", "-1s", "1.5h", "10S", "1w", "٣s", 10, None]
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="with its unit"):
        parse_duration(value)


@given(st.integers(min_value=0, max_value=10**11))
def test_a_duration_is_read_back_as_it_was_written(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(("text", "share"), [("60%", 0.6), ("100%", 1.0), ("0.5%", 0.005)])
def test_a_share_has_its_sign(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("value", ["60", "%", "-1%", "6 %", "1e2%", 60, 0.6, None, True])
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="percentage"):
        parse_share(value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://desk.example/api/", "https://desk.example/api"),
        ("https://desk.example:8443", "https://desk.example:8443"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_an_address_is_https_or_of_this_machine(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("http://desk.example", "https://"),
        ("http://127.0.0.1.example", "https://"),
        ("http://0.0.0.0", "https://"),
        ("http://localhost.example", "https://"),
        ("desk.example", "is not an address"),
        ("ftp://desk.example", "is not an address"),
        ("https://", "is not an address"),
        ("https://[::1", "is not an address"),
        ("https://desk.example:x", "is not an address"),
        ("https://user:hunter2@desk.example", "user name or password"),
        ("https://desk.example/?a=hunter2", "no '?'"),
        ("https://desk.example/#x", "no '?'"),
    ],
)
def test_any_other_address_is_refused_without_repeating_it(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        base_url(text)
    assert part in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_loopback_is_more_than_one_address() -> None:
    assert is_loopback("127.8.9.1")
    assert not is_loopback("128.0.0.1")


@pytest.mark.parametrize(
    ("text", "size"), [("500KB", 500_000), ("20MB", 20_000_000), ("1 GB", 1_000_000_000)]
)
def test_a_size_has_its_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("value", ["", "20", "20 mb", "0MB", "-1MB", "1.5MB", 20, None, True])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="with its unit"):
        parse_size(value)


@pytest.mark.parametrize(
    "host",
    ["files.example.com", "*.zdusercontent.com", "*.s3.eu-west-1.amazonaws.com", "cdn.example:8443",
     "127.0.0.1:9000", "localhost"],
)  # fmt: skip
def test_a_file_host_is_a_host_or_all_below_one(host: str) -> None:
    assert file_host(host) == host


@pytest.mark.parametrize(
    "host",
    ["*", "*.com", "*.", "https://files.example.com", "files.example.com/x", "a b", "*.*.com",
     "files.*.com", "me@files.example", "UPPER.example", ".example.com", "*.10.0.0.1"],
)  # fmt: skip
def test_what_would_allow_too_much_is_no_file_host(host: str) -> None:
    with pytest.raises(ValueError, match="must be a host"):
        file_host(host)
