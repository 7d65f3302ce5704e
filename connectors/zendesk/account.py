"""The account behind a connection: who we are there, and where new tickets go.

Names from the configuration (group, brand, form, assignee) become ids when they are first needed
and stay known until the process ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import httpx

from connectors.http import MEANINGS, Credential, HttpClient, Meaning, OnRequest
from connectors.zendesk import wire
from connectors.zendesk.client import NARROW_BUCKETS, ZendeskClient
from connectors.zendesk.credential import OAuthCredential, api_token_credential
from connectors.zendesk.custom_statuses import CustomStatuses
from connectors.zendesk.fields import Fields
from connectors.zendesk.kept_tokens import TokenFile
from connectors.zendesk.refresh import RefreshCredential
from connectors.zendesk.refusal import explain
from connectors.zendesk.settings import Settings
from syncd.core.errors import Rejected, Unauthorised
from syncd.core.model import ConnectionName
from syncd.core.operations import CreateTicket
from syncd.ports import Budget, Clock


class Account:
    """What is known of one account beyond its tickets."""

    def __init__(
        self, name: ConnectionName, client: ZendeskClient, statuses: CustomStatuses
    ) -> None:
        self._name = name
        self._client = client
        self._our_id: str | None = None
        #: Those who ask at one moment need one answer.
        self._asking = asyncio.Lock()
        self._placed: dict[tuple[str, str], int] = {}
        self.fields = Fields(name, client)
        self.statuses = statuses

    async def our_id(self) -> str:
        """The user whom our writes are by. Raises `Unauthorised` when Zendesk knows nobody."""
        async with self._asking:
            if self._our_id is None:
                self._our_id = self.known_id((await self._client.me()).value.user)
        return self._our_id

    async def date(self) -> datetime | None:
        """The desk's clock, with whoever we are there; None when it does not show it."""
        me = await self._client.me()
        if self._our_id is None and me.value.user.id is not None:
            self._our_id = str(me.value.user.id)
        return me.date

    def known_id(self, user: wire.User) -> str:
        """The id of a user that is one; callers unknown to Zendesk are answered with a null id."""
        if user.id is None:
            raise Unauthorised(
                "the desk does not know us", connection=self._name, action="read own user"
            )
        return str(user.id)

    async def placed(self, op: CreateTicket) -> wire.Loose:
        """Where a new ticket goes and what is filled in, its status too, as keys of its body.

        Raises `Rejected`.
        """
        return {
            **await self.placement(op.placement),
            **await self.fields.values(op.fields),
            # A ticket must not stay unborn for the sake of a name.
            **await self.statuses.key_or_category(op.status),
        }

    async def placement(self, names: Sequence[tuple[str, str]]) -> dict[str, int]:
        """The ids of group, brand, form and assignee. Raises `Rejected` for a name nobody has."""
        return {_KEYS[kind]: await self._place(kind, name) for kind, name in names if kind in _KEYS}

    async def _place(self, kind: str, name: str) -> int:
        if (kind, name) not in self._placed:
            self._placed[kind, name] = await self._look_up(kind, name)
        return self._placed[kind, name]

    async def _look_up(self, kind: str, name: str) -> int:
        if kind == "assignee":
            users = await self._client.users_with_address(name)
            ids = [user.id for user in users if user.id is not None]
        else:
            rows = await _listing(self._client, kind)()
            ids = [row.id for row in rows if row.name.casefold() == name.casefold()]
        if not ids:
            raise Rejected(
                f"the account has no such {kind}",
                connection=self._name,
                action="place new ticket",
                field=_KEYS[kind],
                hint=f"Compare the link's `partner.{kind}` with the names in Zendesk.",
            )
        return int(ids[0])


_KEYS = {
    "group": "group_id",
    "brand": "brand_id",
    "form": "ticket_form_id",
    "assignee": "assignee_id",
}


def _listing(client: ZendeskClient, kind: str) -> Callable[[], Awaitable[Sequence[wire.Named]]]:
    return {"group": client.groups, "brand": client.brands, "form": client.forms}[kind]


def build_client(
    name: ConnectionName,
    settings: Settings,
    *,
    budget: Budget,
    clock: Clock,
    on_request: OnRequest | None,
    transport: httpx.AsyncBaseTransport | None,
    beside: Path | None,
) -> ZendeskClient:
    """The client of an account, with whatever credential the settings name.

    Refresh tokens are kept next to the file `beside`; without one there is no using them.
    """

    def http(
        credential: Credential | None, meanings: Mapping[int, Meaning] = MEANINGS
    ) -> HttpClient:
        return HttpClient(
            connection=name,
            base_url=settings.base_url,
            budget=budget,
            clock=clock,
            timeout_seconds=settings.timeout.total_seconds(),
            credential=credential,
            meanings=meanings,
            explain=explain,
            narrow_buckets=NARROW_BUCKETS,
            on_request=on_request,
            transport=transport,
        )

    if settings.api_token is not None:
        return ZendeskClient(name, http(api_token_credential(settings.api_token)))
    assert settings.oauth is not None  # noqa: S101 - the settings hold one of the two
    # A token endpoint says 400 for a wrong grant or scope: it is the credential that is refused.
    tokens = http(None, {**MEANINGS, 400: Meaning.UNAUTHORISED})
    credential: Credential = OAuthCredential(settings.oauth, http=tokens, clock=clock)
    if settings.oauth.refresh_token is not None:
        if beside is None:
            raise ValueError("a refresh token needs a place to keep its successors in")
        credential = RefreshCredential(
            name,
            settings.oauth,
            http=tokens,
            clock=clock,
            kept=TokenFile(beside.with_name(f"{beside.name}.oauth-{name}")),
        )
    return ZendeskClient(name, http(credential), tokens=tokens)
