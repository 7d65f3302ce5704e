"""What the engine and the command line ask of a store that may be older than the desks: a part of
the Store port.

A store that lost its tail does not know what it has written since. Until `syncd recover` nothing
runs on it; after that each of its pairs is doubtful, and nothing is written for a doubtful one
before it is known which comments on both desks are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncd.core.model import ConnectionName, PairId
from syncd.core.work import StoreAge


class Aging(Protocol):
    """All methods may raise `StoreUnavailable`."""

    async def age(self) -> StoreAge: ...

    async def doubt(self, *, actor: str, reason: str = "", now: datetime) -> int:
        """Make every living pair doubtful, and the store no longer older; how many pairs. With its
        line in the audit trail.
        """
        ...

    async def trust(self, pair_ids: Sequence[PairId]) -> int:
        """Neither desk has changed these pairs since the store saw them: they are doubtful no
        more. How many of them were.
        """
        ...

    async def our_writers(self, connection: ConnectionName) -> frozenset[str]:
        """Under which ids syncd has written comments on a desk, as far as the newest ones tell."""
        ...


__all__ = ["Aging", "StoreAge"]
