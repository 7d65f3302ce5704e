"""The links that this process serves: each one's policy and the connectors of its two sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from syncd.core.capabilities import Capabilities
from syncd.core.model import ConnectionName, End, LinkName, Side, Sighting
from syncd.core.policy import LinkPolicy
from syncd.core.work import Birth
from syncd.ports import Connector


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A policy with the connectors that it joins."""

    policy: LinkPolicy
    connectors: Mapping[Side, Connector]

    @property
    def name(self) -> LinkName:
        return self.policy.link

    @property
    def capabilities(self) -> Mapping[Side, Capabilities]:
        return {side: connector.capabilities for side, connector in self.connectors.items()}


class Links:
    """All links by name, and which of them a connection's news concern."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._links = {link.name: link for link in links}

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())

    def __len__(self) -> int:
        return len(self._links)

    def find(self, name: LinkName) -> Link | None:
        """The link, or None when the configuration has it no more."""
        return self._links.get(name)

    def connectors(self) -> Mapping[ConnectionName, Connector]:
        """Every connector in use, once."""
        return {
            connector.name: connector
            for link in self._links.values()
            for connector in link.connectors.values()
        }

    def side_of(self, connection: ConnectionName) -> Side | None:
        """On which side the connection's desk stands; None for one that no link uses."""
        for link in self._links.values():
            for side, connector in link.connectors.items():
                if connector.name == connection:
                    return side
        return None

    def births(
        self,
        connection: ConnectionName,
        sightings: Iterable[Sighting],
        *,
        backfill: LinkName | None = None,
    ) -> tuple[Birth, ...]:
        """The twins that a platform's sightings ask for: in a link's view, alive, not filtered.

        A link's `backfill` asks for its own only, silently.
        """
        mine = [
            link
            for link in self._links.values()
            if link.connectors[Side.PLATFORM].name == connection and backfill in (None, link.name)
        ]
        return tuple(
            Birth(
                link=link.name,
                ticket_id=sighting.ticket_id,
                partner_connection=link.connectors[Side.PARTNER].name,
                is_silent=backfill is not None,
            )
            for sighting in sightings
            for link in mine
            if is_wanted(link.policy, sighting)
        )


def is_wanted(policy: LinkPolicy, sighting: Sighting) -> bool:
    """Whether a link wants a twin of the ticket that a sighting shows."""
    ticket = sighting.ticket
    return (
        ticket is not None
        and ticket.end is End.ALIVE
        and policy.view in ticket.views
        and policy.wants(dict(ticket.metadata))
    )
