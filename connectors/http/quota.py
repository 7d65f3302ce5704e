"""Read what a desk says of its quotas: rate-limit headers in every spelling, and Retry-After.

Headers are hostile text like any other: what cannot be read is left out, and no figure makes us
wait for longer than an hour at a time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from syncd.ports import Reading

LONGEST_WAIT_SECONDS = 3600.0
#: Quotas without a reset figure are per minute, as far as anybody documents them.
USUAL_WINDOW_SECONDS = 60.0
#: What Zendesk's own Ruby client waits when a 429 names no time.
DEFAULT_WAIT_SECONDS = 10.0
#: Names of buckets that one answer may tell us of.
_MOST_BUCKETS = 16

_FIRST_YEAR, _LAST_YEAR = 1970, 9000

_GENERAL = re.compile(r"(?:x-)?rate-?limit(?:-(limit|remaining|reset))?")
_BUCKET = re.compile(r"[a-z]+-rate-?limit-([a-z0-9-]{1,64})")
_FIGURE = re.compile(r"(total|remaining|resets)\s*=\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)")
_NUMBER = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*")


def readings(headers: Mapping[str, str], *, general: str) -> tuple[Reading, ...]:
    """What lower-case headers say of quotas; those without a bucket's name speak of `general`."""
    whole: dict[str, float] = {}
    found: list[Reading] = []
    for name, value in headers.items():
        if match := _GENERAL.fullmatch(name):
            if (number := _number(value)) is not None:
                whole[match.group(1) or "limit"] = number
        elif (match := _BUCKET.fullmatch(name)) and len(found) < _MOST_BUCKETS:
            said = {key: float(figure) for key, figure in _FIGURE.findall(value)}
            if {"total", "remaining"} <= said.keys():
                found.append(
                    _reading(match.group(1), said["total"], said["remaining"], said.get("resets"))
                )
    if {"limit", "remaining"} <= whole.keys():
        found.append(_reading(general, whole["limit"], whole["remaining"], whole.get("reset")))
    return tuple(found)


def wait_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Retry-After in seconds, 0 included; None when it is missing or unreadable.

    An HTTP date is measured against the desk's own Date, against `now` only where that is missing.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    if (number := _number(value)) is not None:
        return min(number, LONGEST_WAIT_SECONDS)
    until = http_date(value)
    if until is None:
        return None
    since = http_date(headers.get("date", "")) or now
    return min(max((until - since).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)


def http_date(value: str) -> datetime | None:
    """An HTTP date, aware UTC; None for any other text."""
    try:
        parsed = parsedate_to_datetime(value)
        at = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, IndexError, OverflowError):
        return None
    # No clock shows anything else, and there is room to reckon with on both sides.
    return at if _FIRST_YEAR <= at.year <= _LAST_YEAR else None


def _reading(bucket: str, limit: float, remaining: float, reset: float | None) -> Reading:
    seconds = USUAL_WINDOW_SECONDS if reset is None else min(reset, LONGEST_WAIT_SECONDS)
    return Reading(
        bucket=bucket,
        limit=math.floor(limit),
        remaining=math.floor(remaining),
        reset_seconds=seconds,
    )


def _number(value: str) -> float | None:
    match = _NUMBER.fullmatch(value)
    return float(match.group(1)) if match else None
