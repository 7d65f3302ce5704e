"""Asks, before a run takes a drastic change over, whether too many of its kind came at once."""

from __future__ import annotations

from syncd.core.mass_change import Drastic, drastic_changes
from syncd.core.model import End, Side, Sighting
from syncd.engine.surroundings import Surroundings
from syncd.engine.telling import tell_stopped
from syncd.engine.work import Work


class MassGuard:
    """The guard of one run. Most runs see nothing drastic, and ask nothing."""

    def __init__(self, surroundings: Surroundings, work: Work) -> None:
        self._env = surroundings
        self._work = work
        self._passed: set[tuple[Side, Drastic, str]] = set()

    async def stops(self) -> bool:
        """Whether the link is stopped, and the run must not decide anything. Raises `StoreError`.

        Nothing of such a change has been decided before, so nothing of it can have left.
        """
        link = self._work.link
        changes = drastic_changes(
            self._work.base,
            {side: snapshot.ticket for side, snapshot in self._work.snapshots.items()},
            link.policy,
            has_views=link.capabilities[Side.PLATFORM].has_views,
        )
        fresh = {c.name: c for c in changes}
        for key in self._passed & fresh.keys():
            del fresh[key]
        if not fresh:
            return False
        weighed = await self._env.weigh(self._work.pair.pair_id, tuple(fresh.values()), link)
        if weighed.park is None:
            self._passed |= fresh.keys()
            return False
        self._doubt_losses()
        if weighed.is_news:
            tell_stopped(weighed.park, link.name)
        return True

    def _doubt_losses(self) -> None:
        """Have a ticket that is gone read again before it is told of: until somebody confirms, the
        whole desk may be back, and no feed says so.
        """
        for side, snapshot in self._work.snapshots.items():
            if snapshot.ticket.end is End.GONE:
                doubt = Sighting(ticket_id=snapshot.ticket.ticket_id, is_missing=True)
                self._work.absorb(side, doubt)
