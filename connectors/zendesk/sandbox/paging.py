"""The vendor's two ways of paging a list, and which of them a request asks for.

Cursor paging answers with `meta` and `links`, whose next link is there even on the last page;
offset paging with `count`, `next_page` and `previous_page`.
https://developer.zendesk.com/api-reference/introduction/pagination/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from connectors.sandbox import Call
from connectors.zendesk.sandbox.errors import invalid_attribute, too_deep
from connectors.zendesk.sandbox.records import Json

T = TypeVar("T")

DEEPEST = 10_000
PAGE_LIMIT = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """The rows of one page and the keys that go beside them in the answer."""

    rows: list[T]
    around: Json
    is_cursor: bool


def page_of(call: Call, rows: Sequence[T], position: Callable[[T], int]) -> Page[T]:
    """The page a request asks for. `rows` are sorted; `position` tells them apart."""
    if call.value("page[size]") or call.value("page[after]") or call.value("page[before]"):
        return _by_cursor(call, rows, position)
    return _by_offset(call, rows)


def number(call: Call, name: str, default: int) -> int:
    """A whole number from the query. Raises Refusal when it is none."""
    value = call.value(name)
    try:
        return default if value is None else int(value)
    except ValueError:
        raise invalid_attribute(name, f"Invalid parameter: {name} must be an integer") from None


def url(call: Call, **changes: object) -> str:
    """The request's own address with other query values; None takes one away."""
    query = [(key, value) for key, value in call.query if key not in changes]
    query += [(key, str(value)) for key, value in changes.items() if value is not None]
    return f"{call.base_url}{call.path}?{urlencode(query)}"


def _by_cursor(call: Call, rows: Sequence[T], position: Callable[[T], int]) -> Page[T]:
    size = max(1, min(PAGE_LIMIT, number(call, "page[size]", PAGE_LIMIT)))
    places = {position(row): index for index, row in enumerate(rows)}
    start = 0
    if after := call.value("page[after]"):
        start = places.get(_decoded(after), -1) + 1
    elif before := call.value("page[before]"):
        start = max(0, places.get(_decoded(before), 0) - size)
    page = list(rows[start : start + size])
    first = _encoded(position(page[0])) if page else None
    last = _encoded(position(page[-1])) if page else call.value("page[after]")
    around = {
        "meta": {
            "has_more": start + size < len(rows),
            "after_cursor": last,
            "before_cursor": first,
        },
        "links": {
            "next": url(call, **{"page[after]": last, "page[before]": None}) if last else None,
            "prev": url(call, **{"page[before]": first, "page[after]": None}) if first else None,
        },
    }
    return Page(rows=page, around=around, is_cursor=True)


def _by_offset(call: Call, rows: Sequence[T]) -> Page[T]:
    size = max(1, min(PAGE_LIMIT, number(call, "per_page", PAGE_LIMIT)))
    page_number = max(1, number(call, "page", 1))
    start = (page_number - 1) * size
    if start + size > DEEPEST:
        raise too_deep()
    has_next = start + size < len(rows)
    around = {
        "count": len(rows),
        "next_page": url(call, page=page_number + 1) if has_next else None,
        "previous_page": url(call, page=page_number - 1) if page_number > 1 else None,
    }
    return Page(rows=list(rows[start : start + size]), around=around, is_cursor=False)


def _encoded(place: int) -> str:
    return base64.urlsafe_b64encode(f"o|{place}".encode()).decode()


def _decoded(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().partition("|")[2])
    except (binascii.Error, ValueError):
        raise invalid_attribute("page", "Invalid cursor") from None
