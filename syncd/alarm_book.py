"""What the alarms ask of the store: a part of the Store port.

What is told is on record before it is sent, so that a daemon that dies forgets nobody; who was told
just then may be told once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from syncd.core.alarm import Alarm, AlarmChanges, Sign, Told


class AlarmBook(Protocol):
    """All methods may raise `StoreUnavailable`; a returned write is on disk."""

    async def signs(self) -> Sequence[Sign]:
        """Stopped links, parked pairs (but for those that a person parked) and hand-offs that are
        not confirmed, from our own records.
        """
        ...

    async def lying_signs(self) -> Sequence[Sign]:
        """Tickets that lie: customers who wait for an answer, by the platform's time, and those
        that are with the platform's staff, by ours. Slower than `signs`.
        """
        ...

    async def alarms(self, *, has_over: bool = True) -> Sequence[Alarm]:
        """Those on record, oldest first; those that are on, and with `has_over` the others too."""
        ...

    async def note_alarms(self, changes: AlarmChanges, *, now: datetime) -> None:
        """Put on record what a look came to."""
        ...

    async def address_alarms(
        self, wanted: Sequence[tuple[int, str]], *, routes: Sequence[str], now: datetime
    ) -> None:
        """Put on record who is to be told of which alarms, by their ids and routes' names; forget
        those whom no route of these leads to, and what has long been over.
        """
        ...

    async def note_told(self, route: str, told: Mapping[int, Told], *, now: datetime) -> None:
        """A route was told of these alarms, at this moment."""
        ...

    async def begin_life(self, *, now: datetime) -> datetime | None:
        """A daemon began; when one last found that the one before it had not ended in order, which
        may be now. None where none did since the store was made.
        """
        ...

    async def end_life(self) -> None:
        """It ended in order."""
        ...


__all__ = ["Alarm", "AlarmBook", "AlarmChanges", "Sign", "Told"]
