"""Open tickets that a desk's list leaves out: a gap in the list, a few deletions, or a desk that is
suddenly empty.

A list proves nothing of a single ticket, so a few are left to the runs of their own pairs, which
read them. Of more than a link lets pass at once, some are read here before any pair runs: were they
really gone, all count as gone from the same moment, and the guard of mass changes has them whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from syncd.core.ends import LOST
from syncd.core.errors import RemoteError
from syncd.core.model import LinkName, Side, Sighting, TicketId
from syncd.engine.health import Health
from syncd.engine.intake import Intake
from syncd.engine.links import Links
from syncd.ports import Connector, Read


class Absences:
    """What one sweep found missing."""

    def __init__(self, *, links: Links, intake: Intake, health: Health) -> None:
        self._links = links
        self._intake = intake
        self._health = health
        self._missing: dict[tuple[LinkName, Side], set[TicketId]] = defaultdict(set)

    def add(self, link: LinkName, side: Side, ticket_id: TicketId) -> None:
        """The list of a desk lacks the ticket of an active pair."""
        self._missing[link, side].add(ticket_id)

    async def look(self) -> None:
        """Find out what is behind it and have the pairs run. Raises `StoreUnavailable`; a desk
        that fails meanwhile is asked again by the next sweep.
        """
        for (name, side), tickets in sorted(self._missing.items()):
            link = self._links.find(name)
            if link is None:
                continue
            connector = link.connectors[side]
            missing = sorted(tickets)
            least = link.policy.mass_rule.least
            if len(missing) <= least:
                found = [Sighting(ticket_id=one, is_unreadable=True) for one in missing]
            else:
                try:
                    found = await self._look_at_many(connector, missing, enough=least + 1)
                except RemoteError as error:
                    self._health.failed(error)
                    continue
            # In one transaction: the first run that asks the guard is shown all of them.
            await self._intake.take(connector.name, found)

    async def _look_at_many(
        self, connector: Connector, missing: Sequence[TicketId], *, enough: int
    ) -> list[Sighting]:
        """What is to be believed of many that a list lacks, after twice `enough` reads at most."""
        found: list[Sighting] = []
        gone = 0
        for ticket_id in missing[: 2 * enough]:
            sighting = await connector.fetch(ticket_id, Read.FIELDS)
            self._health.succeeded(connector.name)
            if sighting is None or _is_lost(sighting):
                gone += 1
                found.append(Sighting(ticket_id=ticket_id, is_missing=True))
            else:
                found.append(sighting)
            if gone == enough:
                read = {each.ticket_id for each in found}
                rest = [one for one in missing if one not in read]
                return [*found, *(Sighting(ticket_id=one, is_missing=True) for one in rest)]
        return found


def _is_lost(sighting: Sighting) -> bool:
    ticket = sighting.ticket
    return ticket is not None and ticket.end in LOST
