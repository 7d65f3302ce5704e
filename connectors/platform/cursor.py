"""Where the reading of changes goes on, as the one opaque text that the store keeps."""

from __future__ import annotations

import msgspec

from connectors.platform import wire


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in the feed, or in the listing of all tickets that bridges a gap before it."""

    #: The platform's own cursor.
    feed: str
    is_listing: bool = False
    #: The next page of the listing; None is its first.
    page: str | None = None


def read_cursor(text: str) -> Cursor | None:
    """The place that a text stands for; None for a text that `write_cursor` never wrote."""
    try:
        return wire.read(Cursor, text.encode("utf-8", "replace"))
    except wire.NotAsDocumented:
        return None


def write_cursor(cursor: Cursor) -> str:
    """The place as text."""
    return wire.write(cursor).decode()
