"""Whose name a copy may bear in Zendesk: the customer's, or the agent's whom the link names.

An end user never is the author of a private comment, nor of any on a solved ticket: whether Zendesk
then reopens the ticket by itself is not settled, so pending and hold are said again with the
comment. Who cannot be the author (unknown, suspended, light) is named by the attribution line.
The update stays ours whoever the author is, so our own writes are told by their writer as ever.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.zendesk import wire
from connectors.zendesk.byline import OURSELVES, Byline
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.customers import Customer, Customers
from connectors.zendesk.mapping import to_person
from connectors.zendesk.settings import Settings
from syncd.core.errors import Rejected
from syncd.core.model import Audience, Role
from syncd.core.operations import CreateTicket, Draft, Intent, UpdateTicket
from syncd.ports import Clock

#: An agent's rights are looked at again after this.
LIFE_SECONDS = 3600.0
#: A copy that arrives later than this shows another time than its original, so the line stays.
PUNCTUAL = timedelta(minutes=15)
_PINNED = frozenset({"pending", "hold"})
_AT_REST = frozenset({"solved", "closed"})


class Authors:
    """Finds the author of a copy. Asks Zendesk once an hour for an agent, once for a customer."""

    def __init__(
        self, client: ZendeskClient, customers: Customers, settings: Settings, clock: Clock
    ) -> None:
        self._client = client
        self._customers = customers
        self._clock = clock
        self._categories = settings.custom_statuses or {}
        self._is_on = settings.authors == "impersonate"
        # By id as given, by name without regard to case.
        self._mapped = {who.casefold(): address for who, address in (settings.agents or {}).items()}
        #: By address, no more than the map has, with the moment until which it holds.
        self._agents: dict[str, tuple[int | None, float]] = {}

    async def of_update(self, op: UpdateTicket, intent: Intent) -> Byline:
        """For the comment of an update, if it has one. Raises what a read may raise."""
        if op.comment is None:
            return OURSELVES
        status = op.status or intent.status_before
        return await self._byline(op.comment, status=status, at=intent.sent_at)

    async def of_creation(self, op: CreateTicket, intent: Intent) -> Byline:
        """For the first comment of a new ticket."""
        if not op.comments:
            return OURSELVES
        return await self._byline(op.comments[0], status=op.status, at=intent.sent_at)

    async def _byline(self, draft: Draft, *, status: str | None, at: datetime) -> Byline:
        category = self._categories.get(status or "", status)
        author_id = await self._author_id(draft, category)
        if author_id is None:
            return OURSELVES
        is_customer = draft.author is not None and draft.author.role is Role.CUSTOMER
        is_pinned = is_customer and category in _PINNED
        is_plain = draft.occurred_at is not None and at - draft.occurred_at <= PUNCTUAL
        return Byline(author_id=author_id, status=status if is_pinned else None, is_plain=is_plain)

    async def of_history(
        self, drafts: Iterable[Draft], *, not_after: datetime
    ) -> Mapping[int, Byline]:
        """For the comments of an import, by their place; times up to `not_after` are kept there."""
        found = {}
        for place, draft in enumerate(drafts):
            author_id = await self._author_id(draft, "open")
            if author_id is not None:
                keeps_time = draft.occurred_at is not None and draft.occurred_at <= not_after
                found[place] = Byline(author_id=author_id, is_plain=keeps_time)
        return found

    def customers_of(self, drafts: Iterable[Draft]) -> Sequence[Customer]:
        """The end users whom `of_history` will ask for, so that they can be made together."""
        found = (self._customer(draft) for draft in drafts)
        return [customer for customer in found if customer is not None]

    def _customer(self, draft: Draft) -> Customer | None:
        """The customer who may be the author of a copy."""
        author = draft.author
        if not self._is_on or author is None or author.role is not Role.CUSTOMER:
            return None
        if draft.audience is not Audience.PUBLIC or not draft.author_key:
            return None
        return Customer(key=draft.author_key, name=author.name)

    async def _author_id(self, draft: Draft, status: str | None) -> int | None:
        author = draft.author
        if not self._is_on or author is None:
            return None
        if author.role is not Role.CUSTOMER:
            named = (author.person_id, author.name)
            addresses = [self._mapped.get(who.casefold()) for who in named if who]
            address = next((one for one in addresses if one), None)
            return None if address is None else await self._agent(address)
        customer = self._customer(draft)
        if customer is None or status in _AT_REST:
            return None
        try:
            user = await self._customers.user(customer)
        except Rejected:
            # An account that takes no such user still takes the comment.
            return None
        return _number(user) if is_fit(user) else None

    async def _agent(self, address: str) -> int | None:
        known = self._agents.get(address)
        if known is None or known[1] <= self._clock.monotonic():
            users = await self._client.users_with_address(address)
            fit = [_number(user) for user in users if is_fit(user) and may_speak(user)]
            known = (fit[0] if fit else None, self._clock.monotonic() + LIFE_SECONDS)
            self._agents[address] = known
        return known[0]


def is_fit(user: wire.User) -> bool:
    """Whether Zendesk takes this user as an author at all."""
    return user.id is not None and not user.suspended and user.active is not False


def may_speak(user: wire.User) -> bool:
    """Whether this user's public comments are public: a light agent's never are."""
    return to_person(user).role in {Role.AGENT, Role.ADMIN}


def _number(user: wire.User) -> int | None:
    return None if user.id is None else int(user.id)
