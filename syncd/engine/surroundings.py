"""What a run of a pair needs of whoever started it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from syncd.core.mass_change import DrasticChange
from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import Park, Step, Weighed
from syncd.engine.health import Health
from syncd.engine.links import Link
from syncd.ports import Clock


class Surroundings(Protocol):
    """What a run needs of whoever started it."""

    @property
    def clock(self) -> Clock: ...

    @property
    def health(self) -> Health: ...

    async def record(self, pair_id: PairId, token: str, step: Step) -> bool:
        """Make a step durable. Raises `LeaseLost` and `StoreError`."""
        ...

    def delivered(self, pair_id: PairId, link: LinkName, to: Side) -> None:
        """A desk confirmed a write to a side of a pair."""
        ...

    async def count_hops(self, pair_id: PairId, *, since: datetime) -> Mapping[Side, int]:
        """How many hops of a pair left after a moment, by side. Raises `StoreError`."""
        ...

    async def weigh(self, pair_id: PairId, changes: Sequence[DrasticChange], link: Link) -> Weighed:
        """Whether a pair's drastic changes may pass. Raises `StoreError`."""
        ...

    async def stop_link(self, link: LinkName, park: Park) -> None:
        """Stop every pair of a link."""
        ...

    async def our_writers(self, connection: ConnectionName) -> frozenset[str]:
        """Under which ids we have written on a desk. Raises `StoreError`."""
        ...

    async def holders(self, connection: ConnectionName, ticket_id: TicketId) -> frozenset[PairId]:
        """Every pair that has or had a ticket. Raises `StoreError`."""
        ...
