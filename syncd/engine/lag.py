"""How long changes took from desk to desk: from when one was seen to the write that it caused.

Kept in memory, for a picture of how quick things are; what waits now is the store's to say. A
change that the process before this one saw is not in it, nor is anything that a backfill sends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from syncd.core.model import LinkName, PairId, Side
from syncd.ports import Clock

#: Of a link, the side that was written to, and seconds.
OnDelivered = Callable[[LinkName, Side, float], None]
#: Changes that are remembered; the oldest is forgotten first. Pairs that ended leave theirs.
_MOST = 100_000


@dataclass(slots=True)
class _Change:
    """The oldest change that a side is owed, on the monotonic clock."""

    seen: float
    is_delivered: bool = False


class Lag:
    """What each pair's sides are owed since when; tells how long each took."""

    def __init__(self, clock: Clock, tell: OnDelivered, *, most: int = _MOST) -> None:
        self._clock = clock
        self._tell = tell
        self._most = most
        self._changes: OrderedDict[tuple[PairId, Side], _Change] = OrderedDict()

    def seen(self, pair_ids: Iterable[PairId], *, on: Side) -> None:
        """The desk of a side showed that something is new in these pairs.

        What comes before an earlier change was written counts from that one: one write may carry
        both.
        """
        for pair_id in pair_ids:
            key = (pair_id, on.other)
            known = self._changes.get(key)
            if known is None or known.is_delivered:
                self._changes[key] = _Change(seen=self._clock.monotonic())
                self._changes.move_to_end(key)
        while len(self._changes) > self._most:
            self._changes.popitem(last=False)

    def delivered(self, pair_id: PairId, link: LinkName, to: Side) -> None:
        """A desk confirmed a write; one that nothing on the other desk caused is not told."""
        change = self._changes.get((pair_id, to))
        if change is not None:
            change.is_delivered = True
            self._tell(link, to, self._clock.monotonic() - change.seen)

    def rested(self, pair_id: PairId) -> None:
        """Nothing is owed to either side of the pair."""
        for side in Side:
            self._changes.pop((pair_id, side), None)

    def __len__(self) -> int:
        return len(self._changes)
