"""Where the reading of transactions goes on: a watermark, and what was delivered behind it.

Pure. Numbers are given before their transactions are committed, so that a lower one may show after
a higher. The watermark therefore rises only over what is older than the horizon; what is younger is
asked for again with each poll, page by page, and delivered once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from connectors.request_tracker import wire

#: Longer than any request of RT's takes to commit what it has numbered.
HORIZON = timedelta(seconds=60)
#: Should more than this happen within the horizon, the watermark rises all the same.
MOST_SEEN = 5000


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in the feed."""

    #: From here on the feed was followed without a gap.
    since: int
    #: Everything up to here was delivered, and nothing more can come before it.
    low: int
    #: What was delivered behind it.
    seen: tuple[int, ...] = ()
    #: Which page behind `low` is the next one of this walk.
    page: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A page as far as it matters here: when each transaction was made, by its number."""

    made: dict[int, datetime]
    #: RT's clock when it answered; None when it did not say.
    date: datetime | None
    is_full: bool

    @property
    def old(self) -> tuple[int, ...]:
        """Those before which no other one can appear any more."""
        found: list[int] = []
        for number in sorted(self.made):
            if self.date is None or self.made[number] > self.date - HORIZON:
                break
            found.append(number)
        return tuple(found)


def read_cursor(text: str) -> Cursor | None:
    """The place that a text stands for; None for a text that `write_cursor` never wrote."""
    try:
        return wire.read(Cursor, text.encode("utf-8", "replace"))
    except wire.NotAsDocumented:
        return None


def write_cursor(cursor: Cursor) -> str:
    """The place as text."""
    return wire.write(cursor).decode()


def present(newest: Seen) -> Cursor:
    """The place at which nothing of a page of the newest is news."""
    numbers = sorted(newest.made)
    # Of what lies before a page that is young throughout, nothing is known, and nothing is owed.
    default = numbers[0] - 1 if newest.is_full else 0
    low = max(newest.old, default=default)
    return Cursor(since=max(numbers, default=0), low=low, seen=_behind(low, numbers))


def following(place: Cursor, page: Seen) -> Cursor:
    """The place behind a page. Later pages of a walk are young, because what is before them is."""
    low = max(page.old, default=place.low) if place.page == 1 else place.low
    seen = _behind(low, {*place.seen, *page.made})
    if len(seen) > MOST_SEEN:
        low = seen[len(seen) // 2]
        seen = _behind(low, seen)
    is_further = page.is_full and low == place.low
    return Cursor(since=place.since, low=low, seen=seen, page=place.page + 1 if is_further else 1)


def news(place: Cursor, page: Seen) -> frozenset[int]:
    """What of a page was not delivered yet."""
    return frozenset(number for number in page.made if number > place.low) - set(place.seen)


def _behind(low: int, numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(number for number in numbers if number > low))
