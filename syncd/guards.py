"""What a store counts, so that a flood is stopped by numbers that no restart forgets: a part of the
Store port.

How many are too many is the core's; each method is one transaction and may raise
`StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from syncd.core.mass_change import DrasticChange, PendingChange
from syncd.core.model import PairId, Side
from syncd.core.policy import LinkPolicy
from syncd.core.work import Weighed


class Guards(Protocol):
    """Counts of what could be a loop, or a mass change."""

    async def count_hops(self, pair_id: PairId, *, since: datetime) -> Mapping[Side, int]:
        """How many writes of a pair that could be part of a loop left after `since`, by side;
        those before a person last let it run are not counted.
        """
        ...

    async def weigh(
        self,
        pair_id: PairId,
        changes: Sequence[DrasticChange],
        *,
        policy: LinkPolicy,
        has_views: bool,
        now: datetime,
    ) -> Weighed:
        """Let drastic changes of a pair pass and count them, or stop its link.

        Those that wait in the link's other marked pairs count as well. A change that a person
        confirmed passes uncounted.
        """
        ...

    async def pending_changes(
        self, policy: LinkPolicy, *, has_views: bool
    ) -> Sequence[PendingChange]:
        """The drastic changes that wait in a link's marked pairs, by pair."""
        ...
