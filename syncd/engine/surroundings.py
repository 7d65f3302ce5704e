"""What a run of a pair needs of whoever started it."""

from __future__ import annotations

from typing import Protocol

from syncd.core.model import ConnectionName, LinkName, PairId, TicketId
from syncd.core.work import Park, Step
from syncd.engine.health import Health
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

    async def stop_link(self, link: LinkName, park: Park) -> None:
        """Stop every pair of a link."""
        ...

    async def holders(self, connection: ConnectionName, ticket_id: TicketId) -> frozenset[PairId]:
        """Every pair that has or had a ticket. Raises `StoreError`."""
        ...
