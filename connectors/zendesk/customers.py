"""The platform's customers as end users of the account: one each, found again by external id.

A customer is looked for before one is made, and looked for again where the answer to the making is
lost, so that nobody is made twice; Zendesk itself refuses a second user of one external id. Names
are all that Zendesk is told, and, by the connection's switch, an address that leads nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from connectors.richtext import plain_characters, without_placeholders
from connectors.zendesk import wire
from connectors.zendesk.client import IDS_PER_REQUEST, ZendeskClient
from connectors.zendesk.settings import Settings
from syncd.core.errors import OutcomeUnknown, Rejected, Unreachable
from syncd.core.model import ConnectionName
from syncd.core.operations import CreateTicket

MOST_CUSTOMERS = 10_000
#: RFC 2606: no name below it ever leads anywhere.
NOWHERE = "customers.invalid"
_NAMELESS = "Customer"


class Customers:
    """A bounded memory of the end users that stand for a platform's customers."""

    def __init__(
        self,
        name: ConnectionName,
        client: ZendeskClient,
        settings: Settings,
        *,
        most: int = MOST_CUSTOMERS,
    ) -> None:
        self._name = name
        self._client = client
        self._is_hashed = settings.requester_address == "hashed"
        self._most = most
        # Oldest first; by key, with what Zendesk showed last.
        self._known: dict[str, wire.User] = {}
        self._turn = asyncio.Lock()

    async def user(self, key: str, name: str) -> wire.User:
        """The end user of that key, made if there is none.

        Raises what a read may raise, and `Rejected`; nothing of a ticket is written then.
        """
        return (await self.users({key: name}))[key]

    async def requester(self, op: CreateTicket) -> wire.Loose | None:
        """What names the requester in a new ticket; None for one who has a name and nothing else.

        Raises as `user`.
        """
        if not op.requester_key:
            return None
        user = await self.user(op.requester_key, op.requester.name)
        return None if user.id is None else {"requester_id": int(user.id)}

    async def users(self, names: Mapping[str, str]) -> Mapping[str, wire.User]:
        """The end users of these keys, with one look-up for a hundred of them."""
        async with self._turn:
            missing = [key for key in names if key not in self._known]
            for start in range(0, len(missing), IDS_PER_REQUEST):
                await self._look(missing[start : start + IDS_PER_REQUEST])
            found = {key: self._known[key] for key in names if key in self._known}
            for key in missing:
                if key not in found:
                    found[key] = await self._make(key, names[key])
            return found

    async def _look(self, keys: list[str]) -> None:
        for user in await self._client.users_known_as(keys):
            # Zendesk tells upper case from lower case in no external id.
            if user.id is not None and user.external_id is not None:
                self._keep(user.external_id.lower(), user)

    async def _make(self, key: str, name: str) -> wire.User:
        try:
            user = await self._client.create_user(self._body(key, name))
        except (OutcomeUnknown, Rejected) as error:
            # Lost on the way, or somebody else was faster: either way it shows now, or soon.
            await self._look([key])
            if key in self._known:
                return self._known[key]
            if isinstance(error, Rejected):
                raise
            raise Unreachable(
                "the creation of the requester was not answered",
                connection=self._name,
                action="create person",
                status=error.status,
            ) from error
        self._keep(key, user)
        return user

    def _body(self, key: str, name: str) -> bytes:
        user: wire.Loose = {
            "name": shown_name(name),
            "external_id": key,
            "role": "end-user",
            # Nobody is asked to confirm anything.
            "skip_verify_email": True,
        }
        if self._is_hashed:
            user["email"] = f"{key}@{NOWHERE}"
        return wire.encode({"user": user})

    def _keep(self, key: str, user: wire.User) -> None:
        self._known.pop(key, None)
        self._known[key] = user
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def shown_name(name: str) -> str:
    """The customer's name as a user's; Zendesk wants one."""
    return without_placeholders(plain_characters(name)).strip() or _NAMELESS
