"""Zendesk as `feed: sweep` sees it: no exports, an agent's rights, threads read on call."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.sandbox import Person
from syncd.core.model import Sighting, TicketId
from syncd.ports import Changes, Read
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk
from tests.support.zendesk_oas import CheckedTransport

ADMIN = "ada@acme.test"
PEOPLE = (
    Person(name="syncd", email="syncd@acme.test", role="agent", groups=("Heroku",)),
    Person(name="Alice Agent", email="alice@acme.test", role="agent", groups=("Heroku",)),
    Person(name="Ada Admin", email=ADMIN, role="admin", groups=("Support",)),
    Person(name="Carl Customer", email="carl@globex.test", organization="Globex"),
)


class SweepingConnector(ZendeskConnector):
    """Reads at once what a look calls for, as a run of the pair does."""

    async def read_changes(self, cursor: str | None) -> Changes:
        changes = await super().read_changes(cursor)
        read = [await self._read(sighting) for sighting in changes.sightings]
        return replace(changes, sightings=tuple(one for one in read if one is not None))

    async def _read(self, shown: Sighting) -> Sighting | None:
        if shown.ticket is None:
            return await self.fetch(shown.ticket_id, Read.WHOLE)
        thread = await self.fetch(shown.ticket_id, Read.THREAD)
        return None if thread is None else replace(thread, ticket=shown.ticket)


@contextlib.asynccontextmanager
async def a_swept_desk() -> AsyncIterator[ZendeskDesk]:
    """A fresh account in which syncd is an agent, and every ticket is one of ours."""
    async with a_zendesk_desk(admin=ADMIN, people=PEOPLE) as desk:
        account = desk.sandbox.desk.account

        async def open_tickets(after: TicketId, most: int) -> Sequence[TicketId]:
            ids = sorted(
                TicketId(str(ticket.id))
                for ticket in account.tickets.values()
                if ticket.status != "closed"
            )
            return [ticket_id for ticket_id in ids if ticket_id > after][:most]

        desk.connector = a_connector(
            desk.address,
            desk.clock,
            token=TOKEN,
            secret=desk.secret,
            feed="sweep",
            open_tickets=open_tickets,
            transport=CheckedTransport(),
            kind=SweepingConnector,
        )
        try:
            yield desk
        finally:
            await desk.connector.close()
