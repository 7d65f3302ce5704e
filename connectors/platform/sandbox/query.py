"""Reads query parameters and headers of the contract; what is out of range is refused with 400."""

from __future__ import annotations

import re
from datetime import datetime

from connectors.platform.sandbox.model import STATUSES, Token
from connectors.platform.sandbox.refusal import Refusal, bad_request
from connectors.sandbox import Call

RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
# Up to 17 digits, so that no number is too long to be read.
_DIGITS = re.compile(r"[0-9]{1,17}")
_IF_MATCH = re.compile(r'\*|"([0-9]{1,17})"')


def whole_number(call: Call, name: str, *, default: int, least: int, most: int) -> int:
    """A number within its range."""
    value = call.value(name)
    if value is None:
        return default
    if not _DIGITS.fullmatch(value) or not least <= int(value) <= most:
        raise bad_request(name, f"A whole number from {least} to {most}.")
    return int(value)


def cursor_number(cursor: str) -> int:
    """The number inside a cursor."""
    if not _DIGITS.fullmatch(cursor):
        raise cursor_invalid()
    return int(cursor)


def cursor_invalid() -> Refusal:
    """The answer to a cursor that never was one."""
    return Refusal(400, "cursor_invalid", "This cursor was never given out.", field="cursor")


def view_of(call: Call, token: Token) -> str | None:
    """The view asked for, one of the token's; None when none was."""
    view = call.value("view")
    if view is not None and view not in token.views:
        raise Refusal(403, "view_not_allowed", "This token does not have that view.", field="view")
    return view


def statuses_of(call: Call) -> set[str]:
    """The statuses asked for; all when none was."""
    value = call.value("status")
    if value is None:
        return set(STATUSES)
    statuses = set(value.split(","))
    if not statuses <= set(STATUSES):
        raise bad_request("status", "Statuses separated by commas.")
    return statuses


def is_included(call: Call, name: str) -> bool:
    """Whether `include` asks for that; it knows nothing else."""
    value = call.value("include")
    if value not in (None, name):
        raise bad_request("include", f"Only {name}.")
    return value is not None


def time_of(call: Call, name: str) -> datetime | None:
    """An aware time, None when absent."""
    value = call.value(name)
    if value is None:
        return None
    try:
        if not re.fullmatch(RFC3339, value):
            raise ValueError(name)
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_request(name, "A time with its offset, as in RFC 3339.") from error


def if_match(call: Call) -> int | None:
    """The version the writer decided on; None when any will do."""
    value = call.headers.get("if-match")
    if value is None:
        return None
    found = _IF_MATCH.fullmatch(value.strip())
    if found is None:
        raise bad_request("If-Match", "One version in double quotes, or *.")
    return int(found[1]) if found[1] else None
