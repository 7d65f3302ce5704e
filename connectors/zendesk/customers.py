"""The platform's customers as end users of the account: one each, found again by external id.

A customer is looked for before one is made, and looked for again where the answer to the making is
lost, so that nobody is made twice; Zendesk itself refuses a second user of one external id. A name
is all that Zendesk is told; by the connection's switch, an address that leads nowhere, or the real
one, which then goes from the platform's answer into this one request and is kept nowhere.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from connectors.richtext import plain_characters, without_placeholders
from connectors.zendesk import wire
from connectors.zendesk.client import IDS_PER_REQUEST, ZendeskClient
from connectors.zendesk.settings import Settings
from syncd.core.errors import OutcomeUnknown, Rejected, Unreachable
from syncd.core.model import ConnectionName, TicketId
from syncd.core.operations import CreateTicket

#: Asks the desk that a ticket came from for its requester's address.
AddressOf = Callable[[ConnectionName, TicketId], Awaitable[str | None]]

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
        address_of: AddressOf | None = None,
        most: int = MOST_CUSTOMERS,
    ) -> None:
        self._name = name
        self._client = client
        self._address = settings.requester_address
        self._address_of = address_of
        self._most = most
        # Oldest first; by key, with what Zendesk showed last.
        self._known: dict[str, wire.User] = {}
        #: Looked for in company and not found, so that nobody looks again before making them.
        self._absent: set[str] = set()
        self._turn = asyncio.Lock()

    async def user(
        self, key: str, name: str, *, ask: Callable[[], Awaitable[str | None]] | None = None
    ) -> wire.User:
        """The end user of that key, made if there is none; `ask` tells the address then.

        Raises what a read may raise, and `Rejected`; nothing of a ticket is written then.
        """
        async with self._turn:
            if key not in self._known and key not in self._absent:
                await self._look([key])
            self._absent.discard(key)
            if key not in self._known:
                address = None if ask is None else await ask()
                return await self._make(key, name, address)
            return self._known[key]

    async def look_for(self, keys: Iterable[str]) -> None:
        """Learn which of these are there already, a hundred a request; makes nobody."""
        async with self._turn:
            missing = [key for key in dict.fromkeys(keys) if key not in self._known]
            for start in range(0, len(missing), IDS_PER_REQUEST):
                await self._look(missing[start : start + IDS_PER_REQUEST])
            self._absent = {key for key in missing if key not in self._known}

    async def requester(self, op: CreateTicket) -> wire.Loose | None:
        """What names the requester in a new ticket; None for one who has a name and nothing else.

        Raises as `user`.
        """
        if not op.requester_key:
            return None
        user = await self.user(
            op.requester_key, op.requester.name, ask=functools.partial(self._asked, op)
        )
        return None if user.id is None else {"requester_id": int(user.id)}

    async def _asked(self, op: CreateTicket) -> str | None:
        if self._address != "full" or self._address_of is None:
            return None
        if op.origin is None or op.origin_id is None:
            return None
        return await self._address_of(op.origin, op.origin_id)

    async def _look(self, keys: list[str]) -> None:
        for user in await self._client.users_known_as(keys):
            # Zendesk tells upper case from lower case in no external id.
            if user.id is not None and user.external_id is not None:
                self._keep(user.external_id.lower(), user)

    async def _make(self, key: str, name: str, address: str | None) -> wire.User:
        try:
            user = await self._client.create_user(self._body(key, name, address))
        except (OutcomeUnknown, Rejected) as error:
            # Lost on the way, or somebody else was faster: either way it shows now, or soon.
            await self._look([key])
            if key in self._known:
                return self._known[key]
            if isinstance(error, Rejected):
                return await self._known_to_the_account(key, name, address, error)
            raise Unreachable(
                "the creation of the requester was not answered",
                connection=self._name,
                action="create person",
                status=error.status,
            ) from error
        self._keep(key, user)
        return user

    async def _known_to_the_account(
        self, key: str, name: str, address: str | None, error: Rejected
    ) -> wire.User:
        """Whoever has the address already, if it is a customer; else a user without it."""
        if address is None:
            raise error
        for user in await self._client.users_with_address(address):
            if user.role == "end-user" and (user.email or "").casefold() == address.casefold():
                self._keep(key, user)
                return user
        return await self._make(key, name, None)

    def _body(self, key: str, name: str, address: str | None) -> bytes:
        user: wire.Loose = {
            "name": shown_name(name),
            "external_id": key,
            "role": "end-user",
            # Nobody is asked to confirm anything.
            "skip_verify_email": True,
        }
        if self._address == "hashed":
            user["email"] = f"{key}@{NOWHERE}"
        elif address is not None:
            user["email"] = address
        return wire.encode({"user": user})

    def _keep(self, key: str, user: wire.User) -> None:
        self._known.pop(key, None)
        # An address is for the account, not for our memory.
        self._known[key] = msgspec.structs.replace(user, email=None)
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def shown_name(name: str) -> str:
    """The customer's name as a user's; Zendesk wants one."""
    return without_placeholders(plain_characters(name)).strip() or _NAMELESS
