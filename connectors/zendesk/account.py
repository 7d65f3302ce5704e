"""The account behind a connection: who we are there, where new tickets go, what we may do.

Names from the configuration (group, brand, form, assignee) become ids when they are first needed
and stay known until the process ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import httpx

from connectors.http import MEANINGS, Credential, HttpClient, Meaning, OnRequest
from connectors.zendesk import wire
from connectors.zendesk.client import NARROW_BUCKETS, ZendeskClient
from connectors.zendesk.credential import ApiTokenCredential, OAuthCredential
from connectors.zendesk.refusal import explain
from connectors.zendesk.settings import Settings
from syncd.core.errors import Rejected, RemoteError, Unauthorised
from syncd.core.model import ConnectionName
from syncd.ports import Budget, CheckResult, Clock

#: An export may not ask for the most recent minute.
_RECENT = timedelta(seconds=120)


class Account:
    """What is known of one account beyond its tickets."""

    def __init__(self, name: ConnectionName, client: ZendeskClient) -> None:
        self._name = name
        self._client = client
        self._our_id: str | None = None
        self._placed: dict[tuple[str, str], int] = {}

    async def our_id(self) -> str:
        """The user whom our writes are by. Raises `Unauthorised` when Zendesk knows nobody."""
        if self._our_id is None:
            self._our_id = self.known_id((await self._client.me()).value.user)
        return self._our_id

    def known_id(self, user: wire.User) -> str:
        """The id of a user that is one; callers unknown to Zendesk are answered with a null id."""
        if user.id is None:
            raise Unauthorised(
                "the desk does not know us", connection=self._name, action="read own user"
            )
        return str(user.id)

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
) -> ZendeskClient:
    """The client of an account, with whatever credential the settings name."""

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
        return ZendeskClient(http(ApiTokenCredential(settings.api_token)))
    assert settings.oauth is not None  # noqa: S101 - the settings hold one of the two
    # A token endpoint says 400 for a wrong grant or scope: it is the credential that is refused.
    tokens = http(None, {**MEANINGS, 400: Meaning.UNAUTHORISED})
    credential = OAuthCredential(settings.oauth, http=tokens, clock=clock)
    return ZendeskClient(http(credential), tokens=tokens)


async def check_account(
    client: ZendeskClient, account: Account, settings: Settings
) -> Sequence[CheckResult]:
    """Ask Zendesk what this credential may do; three requests at most."""
    try:
        me = await client.me()
        account.known_id(me.value.user)
    except RemoteError as error:
        return (CheckResult(name="credential", is_ok=False, message=str(error), hint=error.hint),)
    results = [_credential(settings), _role(me.value.user)]
    start = me.date.timestamp() if me.date is not None else None
    if start is not None:
        results.append(await _exports(client, int(start - _RECENT.total_seconds())))
    if settings.oauth is not None:
        results.append(await _scopes(client))
    results.append(_webhooks(settings))
    return results


def _credential(settings: Settings) -> CheckResult:
    if settings.api_token is None:
        return CheckResult(name="credential", is_ok=True, message="the OAuth client is accepted")
    return CheckResult(
        name="credential",
        is_ok=True,
        message="the API token is accepted; Zendesk ends all API tokens on 30 April 2027",
        hint="Make an OAuth client in the Admin Center and use `oauth`.",
    )


def _role(user: wire.User) -> CheckResult:
    is_admin = user.role == "admin"
    return CheckResult(
        name="role",
        is_ok=is_admin,
        message="the user is an admin" if is_admin else "the user is not an admin",
        hint="" if is_admin else "Exports and imports need an admin; change the user's role.",
    )


async def _exports(client: ZendeskClient, start_time: int) -> CheckResult:
    try:
        await client.ticket_export(cursor=None, start_time=start_time)
    except RemoteError as error:
        return CheckResult(name="exports", is_ok=False, message=str(error), hint=error.hint)
    return CheckResult(name="exports", is_ok=True, message="changes can be read")


async def _scopes(client: ZendeskClient) -> CheckResult:
    try:
        scopes = (await client.token_info()).scopes
    except RemoteError as error:
        return CheckResult(name="scopes", is_ok=False, message=str(error), hint=error.hint)
    missing = [need for need in ("read", "write") if need not in scopes]
    if not missing:
        return CheckResult(name="scopes", is_ok=True, message="the token may read and write")
    return CheckResult(
        name="scopes",
        # Narrow scopes may do as well: tickets:write, users:read and so on.
        is_ok=any(":" in scope for scope in scopes),
        message=f"the token lacks the scope {' and '.join(missing)}",
        hint="Ask for `read write` in `oauth.scope`, and allow both in the OAuth client.",
    )


def _webhooks(settings: Settings) -> CheckResult:
    if settings.has_webhooks:
        return CheckResult(name="webhooks", is_ok=True, message="webhooks are expected")
    return CheckResult(
        name="webhooks",
        is_ok=True,
        message="no webhooks: changes are seen a minute or two late",
        hint="Make a webhook in Zendesk and give its secret as `webhook_secret`.",
    )
