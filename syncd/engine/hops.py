"""The hops of one run's pair: counted in the journal, so that a restart forgets none."""

from __future__ import annotations

from syncd.core.loop import LOOP_WINDOW, stop_loop
from syncd.core.model import PairId, Side
from syncd.core.operations import Intent
from syncd.core.work import Park
from syncd.engine.surroundings import Surroundings


class Hops:
    """Says whether one more may leave. What a loop is, is `core.loop`'s."""

    def __init__(self, surroundings: Surroundings, pair_id: PairId, *, most: int) -> None:
        self._env = surroundings
        self._pair_id = pair_id
        self._most = most
        self._counts: dict[Side, int] | None = None

    async def take(self, intent: Intent) -> Park | None:
        """Count a write that is about to be journaled; a park when it would be one hop too many.

        Most runs have no hop, and ask nothing. Raises `StoreError`.
        """
        if not intent.is_hop:
            return None
        if self._counts is None:
            since = intent.sent_at - LOOP_WINDOW
            self._counts = dict(await self._env.count_hops(self._pair_id, since=since))
        stop = stop_loop(self._counts, self._most)
        if stop is not None:
            return Park(reason=stop.reason, hint=stop.hint)
        side = intent.op.side
        self._counts[side] = self._counts.get(side, 0) + 1
        return None
