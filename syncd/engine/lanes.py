"""Lanes: how many pairs of one link may run at a time, so that no link takes all workers.

A run may stand and wait for its desk's quota. The pairs behind it wait here, outside of the
workers, and come in one by one as others of their link go out. Where many wait for a desk that was
away, they come in together, as a convoy, in the place of one.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from syncd.core.model import LinkName, PairId

#: Fewer that wait are let in one by one: nobody is slowed down who would soon have a turn.
FEWEST_TOGETHER = 4
#: Places for those who may come in together: few go ahead by themselves, so that the rest piles up.
_WIDTH_BEHIND = 3
#: As many as a request of a desk's may carry.
MOST_TOGETHER = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """Pairs of one link that piled up, and hold one place in its lane together."""

    link: LinkName
    pair_ids: Sequence[PairId]


class Lanes:
    """Counts what runs in each link; `let_in` is called with a pair that waited and may come."""

    def __init__(
        self,
        *,
        width: int,
        let_in: Callable[[PairId], None],
        is_behind: Callable[[LinkName], bool] = lambda _: False,
    ) -> None:
        """`is_behind` says of which links those who pile up may come in together."""
        self._width = width
        self._let_in = let_in
        self._is_behind = is_behind
        self._running: Counter[LinkName] = Counter()
        self._waiting: defaultdict[LinkName, deque[PairId]] = defaultdict(deque)
        #: Those of them that may come in together.
        self._sharing: defaultdict[LinkName, set[PairId]] = defaultdict(set)
        self._piled_up: deque[Queued] = deque()

    @contextlib.contextmanager
    def place(self, link: LinkName, pair_id: PairId, *, may_share: bool = False) -> Iterator[bool]:
        """A place in the link's lane for the length of the block; False where it is full.

        Then the pair is remembered, and its next place is announced by `let_in` or, if its writes
        `may_share` a request with others, by `take`.
        """
        is_narrow = may_share and self._is_behind(link)
        width = min(self._width, _WIDTH_BEHIND) if is_narrow else self._width
        if self._running[link] >= width:
            self._waiting[link].append(pair_id)
            if may_share:
                self._sharing[link].add(pair_id)
            yield False
            return
        self._running[link] += 1
        try:
            yield True
        finally:
            self._leave(link)

    def take(self) -> Queued | None:
        """Pairs that may come in together; whoever leaves a place asks, and `give_back`s theirs."""
        return self._piled_up.popleft() if self._piled_up else None

    def more(self, link: LinkName, most: int) -> Sequence[PairId]:
        """Those who may still join the pairs of their link that are about to come in."""
        return self._pull(link, most)

    def give_back(self, queued: Queued) -> None:
        """They are through, and their place is free."""
        self._leave(queued.link)

    def _leave(self, link: LinkName) -> None:
        waiting, sharing = self._waiting[link], self._sharing[link]
        if len(sharing) >= FEWEST_TOGETHER and self._is_behind(link):
            # Evenly, so that the last ones are not too few to go together.
            convoys = -(-len(sharing) // MOST_TOGETHER)
            size = -(-len(sharing) // convoys)
            self._piled_up.append(Queued(link=link, pair_ids=self._pull(link, size)))
            return
        self._running[link] -= 1
        if waiting:
            pair_id = waiting.popleft()
            sharing.discard(pair_id)
            self._let_in(pair_id)

    def _pull(self, link: LinkName, most: int) -> Sequence[PairId]:
        waiting, sharing = self._waiting[link], self._sharing[link]
        pair_ids = [pair_id for pair_id in waiting if pair_id in sharing][:most]
        taken = set(pair_ids)
        sharing.difference_update(taken)
        self._waiting[link] = deque(pair_id for pair_id in waiting if pair_id not in taken)
        return pair_ids
