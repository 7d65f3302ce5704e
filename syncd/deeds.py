"""What people do to pairs and links by hand, and what is on record of it: a part of the Store port.

Each deed is one transaction with its line in the audit trail: who (`actor`), when (`now`, aware
UTC), what, and the `reason` in the person's own words. One that changes nothing answers False and
leaves no line. A running daemon heeds it with its next step, or takes it up within seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from syncd.core.inspection import Inspection
from syncd.core.mass_change import PendingChange
from syncd.core.model import CommentId, LinkName, PairId, Side
from syncd.core.report import DeedRow
from syncd.core.work import Ignored, Park, Pause


class Deeds(Protocol):
    """All methods may raise `StoreUnavailable`; a returned deed is on disk."""

    # --- a pair ----------------------------------------------------------------------------------

    async def park(
        self, pair_id: PairId, park: Park, *, actor: str, reason: str, now: datetime
    ) -> bool:
        """Stop a pair; False when it is parked already, or has ended."""
        ...

    async def unpark(self, pair_id: PairId, *, actor: str, reason: str = "", now: datetime) -> bool:
        """Let a parked pair run again, or a status that a desk refused be tried again, and mark it;
        False when neither waited.
        """
        ...

    async def release_comment(
        self,
        pair_id: PairId,
        side: Side,
        comment_id: CommentId,
        *,
        actor: str,
        reason: str = "",
        now: datetime,
    ) -> bool:
        """Let a held comment travel; False when there is none of that id."""
        ...

    async def ignore(
        self, pair_id: PairId, left: Ignored, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        """Leave something as it is and let the pair go on; False when it has moved on since, so
        that it has to be worked out anew. Raises `LeaseLost` while it is being run.
        """
        ...

    async def replay(self, pair_id: PairId, *, actor: str, reason: str = "", now: datetime) -> bool:
        """Have both its tickets read anew, comments included, and the pair planned from that; a
        parked one when it goes on. False when it has ended.
        """
        ...

    async def unlink(self, pair_id: PairId, *, actor: str, reason: str = "", now: datetime) -> bool:
        """End a pair: no effect in either direction, until a backfill takes its ticket over again.
        False when it has ended already. Raises `LeaseLost` while it is being run, or while a write
        is on its way.
        """
        ...

    async def inspect(self, pair_id: PairId, *, limit: int = 100) -> Inspection | None:
        """Everything on record of a pair, at most so many rows of each kind; None if unknown."""
        ...

    # --- a link ----------------------------------------------------------------------------------

    async def unpark_link(
        self, link: LinkName, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        """End a stop; False when there was none. A pause holds on, and so does the stop that a mass
        change made: that is `confirm_link`'s.
        """
        ...

    async def confirm_link(
        self,
        link: LinkName,
        changes: Sequence[PendingChange],
        *,
        actor: str,
        reason: str = "",
        now: datetime,
    ) -> bool:
        """Let these drastic changes pass, count anew, and end the stop that a mass change made;
        False when there was no such stop.
        """
        ...

    async def pause_link(
        self, link: LinkName, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        """From now on no write begins for the link; its pairs go on being marked, and desks being
        read. False when it is paused already.
        """
        ...

    async def resume_link(
        self, link: LinkName, *, actor: str, reason: str = "", now: datetime
    ) -> bool:
        """End a pause: its pairs run as they are marked. False when there was none. A stop holds
        on.
        """
        ...

    async def paused_links(self) -> Mapping[LinkName, Pause]: ...

    # --- the audit trail -------------------------------------------------------------------------

    async def deeds(
        self, *, link: LinkName | None = None, pair_id: PairId | None = None, limit: int = 1000
    ) -> Sequence[DeedRow]:
        """What people did, newest first; of a link with what they did to its pairs."""
        ...
