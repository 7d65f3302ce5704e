"""Walk a listing by cursor, a hundred rows a page.

`links.next` and `after_cursor` are there on the last page too, so only `has_more` counts; a cursor
that does not move on ends the walk as well.
https://developer.zendesk.com/api-reference/introduction/pagination/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from connectors.http import Answered, Request
from connectors.zendesk import wire

PAGE_SIZE = "100"
#: Of any list that people make by hand.
MOST_PAGES = 50


class Page(Protocol):
    """One page of a listing."""

    @property
    def meta(self) -> wire.Meta | None: ...


P = TypeVar("P", bound=Page)


async def pages(
    request: Request, send: Callable[[Request], Awaitable[Answered[P]]], *, most: int = MOST_PAGES
) -> list[Answered[P]]:
    """The pages of a listing in order, `most` at the most. Raises what `send` does."""
    found: list[Answered[P]] = []
    query = (*request.query, ("page[size]", PAGE_SIZE))
    after: str | None = None
    while len(found) < most:
        cursor = () if after is None else (("page[after]", after),)
        page = await send(replace(request, query=query + cursor))
        found.append(page)
        meta = page.value.meta
        if meta is None or not meta.has_more or meta.after_cursor in (None, after):
            break
        after = meta.after_cursor
    return found
