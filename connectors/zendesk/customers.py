"""The platform's customers as end users of the account: one each, found again by external id.

A customer is looked for before one is made, and looked for again where the answer to the making is
lost, so that nobody is made twice; Zendesk itself refuses a second user of one external id. Many
are made by one job where the account allows it, and whom it leaves out by themselves. A name is all
that Zendesk is told; by the connection's switch, an address that leads nowhere, or the real one,
which then goes from the platform's answer into this one request and is kept nowhere.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from connectors.richtext import plain_characters, without_placeholders
from connectors.zendesk import wire
from connectors.zendesk.client import IDS_PER_REQUEST, ZendeskClient
from connectors.zendesk.jobs import Jobs
from connectors.zendesk.settings import Settings
from syncd.core.errors import OutcomeUnknown, Rejected, RemoteError, Unreachable
from syncd.core.model import ConnectionName, TicketId
from syncd.core.operations import CreateTicket
from syncd.log import logger

#: Asks the desk that a ticket came from for its requester's address.
AddressOf = Callable[[ConnectionName, TicketId], Awaitable[str | None]]

MOST_CUSTOMERS = 10_000
#: RFC 2606: no name below it ever leads anywhere.
NOWHERE = "customers.invalid"
#: Fewer who are missing are made one by one: a job costs three requests.
FEWEST_TOGETHER = 4
MOST_TOGETHER = 100
_NAMELESS = "Customer"
_ASK = (
    "New customers cost one request each. The account's owner can ask Zendesk's customer support to"
    " enable bulk imports of users; that takes an admin's credential, too."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Somebody of the platform's; `ask` tells the address, and is called for whoever is made."""

    key: str
    name: str
    ask: Callable[[], Awaitable[str | None]] | None = None


class _NoJob(Exception):
    """Nobody was made together; everybody may be made alone."""


class Customers:
    """A bounded memory of the end users that stand for a platform's customers."""

    def __init__(
        self,
        name: ConnectionName,
        client: ZendeskClient,
        settings: Settings,
        *,
        jobs: Jobs,
        address_of: AddressOf | None = None,
        most: int = MOST_CUSTOMERS,
    ) -> None:
        self._name = name
        self._client = client
        self._jobs = jobs
        self._address = settings.requester_address
        self._address_of = address_of
        self._most = most
        # Oldest first; by key, with what Zendesk showed last.
        self._known: dict[str, wire.User] = {}
        #: Looked for in company and not found, so that nobody looks again before making them.
        self._absent: set[str] = set()
        self._turn = asyncio.Lock()
        #: Not so on every account, and for good where it was refused once.
        self._is_bulk_allowed = True

    async def user(self, customer: Customer) -> wire.User:
        """The end user for a customer, made if there is none.

        Raises what a read may raise, and `Rejected`; nothing of a ticket is written then.
        """
        key = customer.key
        async with self._turn:
            if key not in self._known and key not in self._absent:
                await self._look([key])
            self._absent.discard(key)
            if key not in self._known:
                address = None if customer.ask is None else await customer.ask()
                return await self._make(key, customer.name, address)
            return self._known[key]

    async def make_ready(self, customers: Iterable[Customer]) -> Mapping[str, RemoteError]:
        """Find or make all of these, a hundred a request; of two with one key the first counts.

        The errors are of those, by key, of whom it is not known whether they were made: they are
        looked for when they are asked for again. Whom Zendesk did not make is left to `user`.
        Raises what a read may raise.
        """
        wanted: dict[str, Customer] = {}
        for customer in customers:
            wanted.setdefault(customer.key, customer)
        async with self._turn:
            keys = [key for key in wanted if key not in self._known]
            await self._look_all(keys)
            self._absent = {key for key in keys if key not in self._known}
            missing = [wanted[key] for key in keys if self._may_join(wanted[key])]
        unsettled: dict[str, RemoteError] = {}
        for start in range(0, len(missing), MOST_TOGETHER):
            some = missing[start : start + MOST_TOGETHER]
            if self._is_bulk_allowed and len(some) >= FEWEST_TOGETHER:
                unsettled |= await self._make_together(some)
        return unsettled

    def _may_join(self, customer: Customer) -> bool:
        """Whether a job may make this one. What a job does with an address that somebody of the
        account has is not settled, so whoever may have a real one is made alone.
        """
        has_address = self._address == "full" and customer.ask is not None
        return customer.key in self._absent and not has_address

    async def _make_together(self, customers: Sequence[Customer]) -> Mapping[str, RemoteError]:
        """Make up to a hundred by a job. Live work goes on meanwhile: should it make one of these,
        Zendesk refuses the second one.
        """
        rows = {one.key: self._fields(one.key, one.name, None) for one in customers}
        try:
            is_certain = await self._is_job_over(list(rows.values()))
            async with self._turn:
                await self._look_all(list(rows))
        except _NoJob:
            return {}
        except RemoteError as error:
            return dict.fromkeys(rows, error)
        missing = [key for key in rows if key not in self._known]
        return {} if is_certain else {key: self._unanswered() for key in missing}

    async def _is_job_over(self, rows: Sequence[wire.Loose]) -> bool:
        """Have a job make them; False where it may be at work yet. Raises `_NoJob` where none
        began, and as a write does.
        """
        try:
            job = await self._client.create_users(wire.encode({"users": rows}))
            if job is not None:
                await self._jobs.end_of(job)
                return True
        except OutcomeUnknown:
            return False
        except Rejected:
            # Nobody was made, and who of them is at fault is not told.
            raise _NoJob from None
        self._is_bulk_allowed = False
        logger().warning("customers.alone", connection=self._name, hint=_ASK)
        raise _NoJob

    async def requester(self, op: CreateTicket) -> wire.Loose | None:
        """What names the requester in a new ticket; None for one who has a name and nothing else.

        Raises as `user`.
        """
        customer = self.requester_of(op)
        if customer is None:
            return None
        user = await self.user(customer)
        return None if user.id is None else {"requester_id": int(user.id)}

    def requester_of(self, op: CreateTicket) -> Customer | None:
        """A new ticket's requester; None for one who has no key."""
        if not op.requester_key:
            return None
        ask = functools.partial(self._asked, op)
        return Customer(key=op.requester_key, name=op.requester.name, ask=ask)

    async def _asked(self, op: CreateTicket) -> str | None:
        if self._address != "full" or self._address_of is None:
            return None
        if op.origin is None or op.origin_id is None:
            return None
        return await self._address_of(op.origin, op.origin_id)

    async def _look_all(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), IDS_PER_REQUEST):
            await self._look(keys[start : start + IDS_PER_REQUEST])

    async def _look(self, keys: Sequence[str]) -> None:
        for user in await self._client.users_known_as(keys):
            # Zendesk tells upper case from lower case in no external id.
            if user.id is not None and user.external_id is not None:
                self._keep(user.external_id.lower(), user)

    async def _make(self, key: str, name: str, address: str | None) -> wire.User:
        try:
            body = wire.encode({"user": self._fields(key, name, address)})
            user = await self._client.create_user(body)
        except (OutcomeUnknown, Rejected) as error:
            # Lost on the way, or somebody else was faster: either way it shows now, or soon.
            await self._look([key])
            if key in self._known:
                return self._known[key]
            if isinstance(error, Rejected):
                return await self._known_to_the_account(key, name, address, error)
            raise self._unanswered(error.status) from error
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

    def _unanswered(self, status: int | None = None) -> Unreachable:
        return Unreachable(
            "the creation of the requester was not answered",
            connection=self._name,
            action="create person",
            status=status,
        )

    def _fields(self, key: str, name: str, address: str | None) -> wire.Loose:
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
        return user

    def _keep(self, key: str, user: wire.User) -> None:
        self._known.pop(key, None)
        # An address is for the account, not for our memory.
        self._known[key] = msgspec.structs.replace(user, email=None)
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]


def shown_name(name: str) -> str:
    """The customer's name as a user's; Zendesk wants one."""
    return without_placeholders(plain_characters(name)).strip() or _NAMELESS
