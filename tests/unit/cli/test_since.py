"""What `--since` means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import typer

from syncd.cli.since import rounded_since, since

NOW = datetime(2026, 3, 10, 15, 42, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30d", datetime(2026, 2, 8, 15, 42, 7, tzinfo=UTC)),
        ("1h30m", datetime(2026, 3, 10, 14, 12, 7, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T10:00+02:00", datetime(2026, 1, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_span_or_a_date_is_a_moment(text: str, at: datetime) -> None:
    assert since(text, NOW) == at


def test_nothing_stays_nothing() -> None:
    assert since(None, NOW) is None
    assert rounded_since(None, NOW) is None


@pytest.mark.parametrize("text", ["", "soon", "30", "2026-13-01", "2027-01-01", "999999d999999d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        since(text, NOW)


def test_the_same_span_a_little_later_is_the_same_moment() -> None:
    later = NOW.replace(hour=23)
    assert rounded_since("30d", NOW) == rounded_since("30d", later)
    assert rounded_since("30d", NOW) == datetime(2026, 2, 8, tzinfo=UTC)
    assert rounded_since("6h", NOW) == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert rounded_since("2026-01-01T10:30", NOW) == datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
