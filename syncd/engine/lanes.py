"""Lanes: how many pairs of one link may run at a time, so that no link takes all workers.

A run may stand and wait for its desk's quota. The pairs behind it wait here, outside of the
workers, and come in one by one as others of their link go out.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator

from syncd.core.model import LinkName, PairId


class Lanes:
    """Counts what runs in each link; `let_in` is called with a pair that waited and may come."""

    def __init__(self, *, width: int, let_in: Callable[[PairId], None]) -> None:
        self._width = width
        self._let_in = let_in
        self._running: Counter[LinkName] = Counter()
        self._waiting: defaultdict[LinkName, deque[PairId]] = defaultdict(deque)

    @contextlib.contextmanager
    def place(self, link: LinkName, pair_id: PairId) -> Iterator[bool]:
        """A place in the link's lane for the length of the block; False where it is full.

        Then the pair is remembered, and its next place is announced by `let_in`.
        """
        if self._running[link] >= self._width:
            self._waiting[link].append(pair_id)
            yield False
            return
        self._running[link] += 1
        try:
            yield True
        finally:
            self._running[link] -= 1
            if self._waiting[link]:
                self._let_in(self._waiting[link].popleft())
