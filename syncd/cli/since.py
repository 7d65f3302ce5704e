"""Read `--since`: a span back from now, or a date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import typer

SINCE_HELP = "A span back from now (30d, 12h) or a date (2026-01-01, UTC)."
_DAY = timedelta(days=1)


def since(text: str | None, now: datetime) -> datetime | None:
    """The moment that is meant, aware UTC; None for None. Raises typer's error for a wrong one."""
    if text is None:
        return None
    at = _back(text, now) or _date(text)
    if at is None:
        raise typer.BadParameter(f"{text!r} is neither a span nor a date. {SINCE_HELP}")
    if at > now:
        raise typer.BadParameter(f"{text!r} is in the future.")
    return at


def rounded_since(text: str | None, now: datetime) -> datetime | None:
    """The same, but a span counts from the start of its day or hour.

    What goes on where it was cut off needs that: asked again a little later, the same words still
    mean the same moment.
    """
    at = since(text, now)
    if at is None or text is None or _date(text) is not None:
        return at
    at = at.replace(minute=0, second=0, microsecond=0)
    return at.replace(hour=0) if now - at >= _DAY else at


def _back(text: str, now: datetime) -> datetime | None:
    from syncd.settings import parse_duration

    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        return None


def _date(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        # Two signs of time zone are no date; a year that overflows is none either.
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
