"""The fields of tickets: of one by itself, of many a hundred a request.

Threads are `thread`'s, and what a ticket's values mean is `mapping`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from connectors.zendesk import wire
from connectors.zendesk.client import IDS_PER_REQUEST, ZendeskClient
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.mapping import to_ticket
from connectors.zendesk.people import People
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName, Sighting, TicketId


class TicketReader:
    """Reads one account's tickets."""

    def __init__(
        self,
        name: ConnectionName,
        client: ZendeskClient,
        people: People,
        statuses: CustomStatuses,
        *,
        base_url: str,
    ) -> None:
        self._name = name
        self._client = client
        self._people = people
        self._statuses = statuses
        self._base_url = base_url

    async def one(self, ticket_id: TicketId) -> Sighting | None:
        """One ticket; None when the desk has none such.

        Raises what a read may raise, and `Unintelligible`.
        """
        if not ticket_id.isdecimal():
            return None
        answered = await self._client.ticket(ticket_id)
        if answered is None:
            return None
        try:
            return self.shown(answered.value.ticket, answered.date)
        except ValueError:
            raise Unintelligible(
                "a time is not as documented", connection=self._name, action="read ticket"
            ) from None

    async def many(self, ticket_ids: Sequence[str]) -> list[tuple[wire.Ticket, Sighting]]:
        """Those of the tickets that are there and can be read, each as it came and as it is meant.

        Raises what a read may raise.
        """
        numbers = [number for number in dict.fromkeys(ticket_ids) if number.isdecimal()]
        found: list[tuple[wire.Ticket, Sighting]] = []
        for start in range(0, len(numbers), IDS_PER_REQUEST):
            page = await self._client.tickets(numbers[start : start + IDS_PER_REQUEST])
            for raw in page.value.tickets:
                try:
                    row = wire.decode(raw, wire.Ticket)
                    found.append((row, self.shown(row, page.date)))
                except (ValueError, msgspec.MsgspecError):
                    continue
        return found

    def shown(self, row: wire.Ticket, seen_at: datetime | None) -> Sighting:
        """A ticket as the desk showed it. Raises `ValueError` for a time that is none."""
        ticket = to_ticket(
            row,
            seen_at=seen_at,
            people=self._people.known([str(row.requester_id)]),
            base_url=self._base_url,
            names=self._statuses.names,
        )
        return Sighting(ticket_id=ticket.ticket_id, ticket=ticket, is_read=True)
