"""The custom statuses that the settings name: their ids, and whether tickets can be given them.

Where the settings name none, nothing is ever asked. The listing is one request, made when it is
first needed, again every hour, and again before a status is held to be unusable. Whoever reads by
`names` has let the connector `learn` before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from connectors.zendesk import wire
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.fields import shown
from connectors.zendesk.refusal import CUSTOM_STATUS
from connectors.zendesk.status_names import StatusNames
from syncd.core.errors import Refusal, Rejected
from syncd.core.model import ConnectionName
from syncd.ports import Clock

LIFE_SECONDS = 3600.0


class CustomStatuses:
    """Names to ids and back, of one account."""

    def __init__(
        self,
        name: ConnectionName,
        client: ZendeskClient,
        named: Mapping[str, str] | None,
        *,
        clock: Clock,
    ) -> None:
        """`named` are categories by agent label."""
        self._name = name
        self._client = client
        self._clock = clock
        self._rows: Sequence[wire.CustomStatus] = ()
        self._until = float("-inf")
        self._turn = asyncio.Lock()
        self.names = StatusNames(named=dict(named or {}))

    async def learn(self) -> None:
        """Know the account's custom statuses where the settings name any. Raises as a read."""
        if not self.names.named:
            return
        async with self._turn:
            if self._until <= self._clock.monotonic():
                await self._list()

    async def key(self, raw: str) -> wire.Loose:
        """What sets a ticket's status, as a key of its body. Raises `Rejected` for one that the
        account does not take: it is the status alone that is at fault.
        """
        category = self.names.named.get(raw)
        if category is None:
            return {"status": raw}
        number = self._usable(raw)
        if number is None:
            await self._list()
            number = self._usable(raw)
        if number is None:
            raise Rejected(
                f"the account has no such custom status for tickets: {self._problem(raw)}",
                connection=self._name,
                action="set status",
                field="custom_status_id",
                hint=CUSTOM_STATUS,
                refusal=Refusal.STATUS,
            )
        return {"custom_status_id": number}

    async def key_or_category(self, raw: str) -> wire.Loose:
        """The same, and the category, which means the same, where the account does not take it."""
        try:
            return await self.key(raw)
        except Rejected:
            return {"status": self.names.named[raw]}

    async def key_of_update(self, status: str | None, again: str | None) -> wire.Loose | None:
        """The key for an update that gives a status, or says one `again` lest it change; None for
        one that does neither.
        """
        if status is not None:
            return await self.key(status)
        # The comment must not stay behind for a name.
        return await self.key_or_category(again) if again else None

    def doubt(self) -> None:
        """The account refused one: the listing is too old to go by."""
        self._until = float("-inf")

    async def problems(self) -> list[str]:
        """What keeps the named ones from being written, in words for a person."""
        await self._list()
        return [self._problem(name) for name in self.names.named if self._usable(name) is None]

    async def _list(self) -> None:
        self._rows = await self._client.custom_statuses()
        self._until = self._clock.monotonic() + LIFE_SECONDS
        named = self.names.named
        self.names = StatusNames(
            named=named,
            names={str(row.id): name for name in named for row in self._fitting(name)},
            categories={str(row.id): row.status_category for row in self._rows},
            is_known=True,
        )

    def _usable(self, name: str) -> int | None:
        ids = [str(row.id) for row in self._fitting(name) if row.active is not False]
        return next((int(number) for number in ids if number.isdecimal()), None)

    def _fitting(self, name: str) -> list[wire.CustomStatus]:
        category = self.names.named[name]
        return [row for row in self._called(name) if row.status_category == category]

    def _called(self, name: str) -> list[wire.CustomStatus]:
        return [row for row in self._rows if _fold(row.agent_label) == _fold(name)]

    def _problem(self, name: str) -> str:
        if self._fitting(name):
            return f"{shown(name)} is not active"
        called = self._called(name)
        if called:
            category = self.names.named[name]
            return f"{shown(name)} is in the category {called[0].status_category}, not {category}"
        return f"nobody knows {shown(name)}"


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()
