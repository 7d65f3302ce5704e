"""What `syncd check --online` asks a Zendesk account, and what is asked of it at every start.

Everything here only reads, and a refusal is a finding and no error.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from connectors.zendesk import mail_rules, rights, wire
from connectors.zendesk.account import Account
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.link_checks import check_agents, check_link, check_statuses
from connectors.zendesk.mapping import to_time
from connectors.zendesk.settings import Settings
from syncd.core.errors import RemoteError
from syncd.core.policy import LinkPolicy
from syncd.ports import CheckResult, Clock

#: An export may not ask for the most recent minute.
_RECENT = timedelta(seconds=120)
#: https://developer.zendesk.com/api-reference/introduction/security-and-auth/#api-token
_API_TOKENS_END = datetime(2027, 4, 30, tzinfo=UTC)


async def check_account(
    client: ZendeskClient,
    account: Account,
    settings: Settings,
    *,
    clock: Clock,
    policies: Sequence[LinkPolicy],
) -> Sequence[CheckResult]:
    """Ask Zendesk what this credential may do, and what the account would do with our tickets."""
    try:
        me = await client.me()
        account.known_id(me.value.user)
    except RemoteError as error:
        return (CheckResult(name="credential", is_ok=False, message=str(error), hint=error.hint),)
    results = list(await _rights(client, settings, me.value.user, clock))
    start = me.date.timestamp() if me.date is not None else None
    if start is not None and settings.feed == "exports":
        results.append(await _exports(client, int(start - _RECENT.total_seconds())))
    results.append(_webhooks(settings))
    results += await _mail(client, settings)
    results += await check_agents(client, settings.agents or {})
    results += await check_statuses(account.statuses)
    for policy in policies:
        results += await check_link(account, policy)
    return results


async def check_rights(
    client: ZendeskClient, account: Account, settings: Settings, *, clock: Clock
) -> Sequence[CheckResult]:
    """The rights alone, in two requests."""
    me = (await client.me()).value.user
    account.known_id(me)
    return await _rights(client, settings, me, clock)


async def _rights(
    client: ZendeskClient, settings: Settings, me: wire.User, clock: Clock
) -> Sequence[CheckResult]:
    needed = rights.needed(settings)
    if settings.api_token is not None:
        return _api_token(), *rights.judge(needed, scopes=None, role=me.role)
    try:
        token = await client.token_info()
    except RemoteError as error:
        # Without the scopes at hand only the role can be judged.
        unknown = CheckResult(name="scopes", is_ok=False, message=str(error), hint=error.hint)
        return unknown, *rights.judge(needed, scopes=None, role=me.role)
    judged = rights.judge(needed, scopes=token.scopes, role=me.role)
    return _oauth(settings, token, now=clock.now()), *judged


def _api_token() -> CheckResult:
    return CheckResult(
        name="credential",
        is_ok=True,
        message="the API token is accepted; Zendesk ends all API tokens on 30 April 2027",
        hint="Make an OAuth client in the Admin Center and use `oauth`.",
        ends_at=_API_TOKENS_END,
    )


def _oauth(settings: Settings, token: wire.TokenInfo, *, now: datetime) -> CheckResult:
    said = ["the OAuth client is accepted"]
    if ends := _day(token.expires_at, now):
        said.append(f"its token ends {ends} and is renewed before")
    hint = ""
    is_refreshed = settings.oauth is not None and settings.oauth.refresh_token is not None
    ends_at = _end(token.refresh_token_expires_at, now) if is_refreshed else None
    if ends_at is not None:
        said.append(f"the refresh token ends {_day(token.refresh_token_expires_at, now)}")
        hint = "syncd renews it every day that it runs; after a longer rest, authorise it anew."
    return CheckResult(
        name="credential", is_ok=True, message="; ".join(said), hint=hint, ends_at=ends_at
    )


def _day(text: str | None, now: datetime) -> str:
    """A stamp for people; nothing for one that is missing, unreadable or long over."""
    at = _end(text, now)
    return "" if at is None else f"on {at:%Y-%m-%d %H:%M UTC}"


def _end(text: str | None, now: datetime) -> datetime | None:
    try:
        at = None if text is None else to_time(text).astimezone(UTC)
    except ValueError:
        return None
    return at if at is not None and at > now - timedelta(days=1) else None


async def _exports(client: ZendeskClient, start_time: int) -> CheckResult:
    try:
        await client.ticket_export(cursor=None, start_time=start_time)
    except RemoteError as error:
        return CheckResult(name="exports", is_ok=False, message=str(error), hint=error.hint)
    return CheckResult(name="exports", is_ok=True, message="changes can be read")


async def _mail(client: ZendeskClient, settings: Settings) -> Sequence[CheckResult]:
    try:
        triggers = await client.triggers()
        automations = await client.automations()
    except RemoteError as error:
        # Said without blame: nobody needs it for keeping tickets the same.
        message = f"cannot be told: {error}"
        return (
            CheckResult(name="mail to customers", is_ok=True, message=message, hint=error.hint),
        )
    return mail_rules.judge(triggers, automations, address=settings.requester_address)


def _webhooks(settings: Settings) -> CheckResult:
    if settings.has_webhooks:
        return CheckResult(name="webhooks", is_ok=True, message="webhooks are expected")
    return CheckResult(
        name="webhooks",
        is_ok=True,
        message="no webhooks: changes are seen a minute or two late",
        hint="`webhooks: managed` has syncd make one and look after it.",
    )
