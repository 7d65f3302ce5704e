"""The file that joins both desks, and what stands around them: clients, webhooks, quotas, time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from config.load import load_text
from config.loaded import Config
from connectors import registry
from connectors.sandbox import SandboxTime
from connectors.zendesk.sandbox import Person, ZendeskSettings
from syncd.core.model import ConnectionName, LinkName
from tests.support.clock import FakeClock

VIEWS = {"acme": "acme-postgres", "globex": "globex-search"}
HEROKU = ConnectionName("heroku")
LINK = LinkName(VIEWS["acme"])
SECRETS = {
    "PLATFORM_TOKEN": "platform-token",
    "API_TOKEN": "sandbox-api-token",
    "HEROKU_HOOK": "hook-secret-of-the-platform",
}
Json = dict[str, Any]


def a_config(
    folder: Path,
    addresses: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    link: str = "",
    partner: str = "",
    has_webhooks: bool = False,
    managed_at: str = "",
    listen: str = "127.0.0.1:0",
    feed: str = "exports",
) -> Config:
    """The file of a link for every partner, read as the daemon reads it.

    Webhooks that lead to `managed_at` are syncd's own to make and mend.
    """
    hook = ', webhook_secret: "${%s_HOOK}"' if has_webhooks else "%.0s"
    hook = ", webhooks: managed%.0s" if managed_at else hook
    quota = "budget: {share: 100%, per_minute: 100000}, poll: {every: 1s}"
    lines = [
        "version: 1",
        f"store: sqlite:///{folder}/syncd.db",
        f'server: {{listen: "{listen}", public_url: "{managed_at or "http://127.0.0.1:8480"}"}}',
        "connections:",
        f'  heroku: {{kind: platform, url: "{addresses["heroku"]}", '
        f'token: "${{PLATFORM_TOKEN}}", {quota}{hook % "HEROKU"}}}',
    ]
    partners = [name for name in addresses if name != "heroku"]
    lines += [
        f'  {name}: {{kind: zendesk, url: "{addresses[name]}", exports_per_minute: 10000, '
        'api_token: {email: "syncd@acme.test", token: "${API_TOKEN}"}, '
        f"feed: {feed}, {quota}{hook % name.upper()}{partner and f', {partner}'}}}"
        for name in partners
    ]
    lines.append("links:")
    for name in partners:
        lines += [f"  {VIEWS[name]}:", f"    platform: heroku/{VIEWS[name]}"]
        if "partner:" not in link:
            lines += [f"    partner: {{connection: {name}, group: Heroku}}"]
        lines += ['    tags: {share: ["t-*"]}', *(f"    {line}" for line in link.splitlines())]
    text = "\n".join(lines) + "\n"
    return load_text(text.encode(), secrets, registry, file="syncd.yaml", folder=folder).config


def desk_time(clock: FakeClock, hours: float) -> SandboxTime:
    ahead = timedelta(hours=hours).total_seconds()
    return SandboxTime(now=lambda: clock.time() + ahead, sleep=clock.sleep)


def wide(settings: Mapping[str, Any]) -> ZendeskSettings:
    wide: Json = {"requests_per_minute": 1_000_000, "ticket_updates_per_minute": 1_000_000}
    wide |= {"updates_per_ticket": 1_000_000, "exports_per_minute": 1_000_000}
    return ZendeskSettings(**(wide | dict(settings)))


#: An account where syncd is an agent like the others, and somebody else the admin.
WITHOUT_RIGHTS = (
    Person(name="syncd", email="syncd@acme.test", role="agent", groups=("Heroku",)),
    Person(name="Alice Agent", email="alice@acme.test", role="agent", groups=("Heroku",)),
    Person(name="Ada Admin", email="ada@acme.test", role="admin", groups=("Support",)),
)


def a_control(name: str, address: str, *, admin: str = "syncd@acme.test") -> httpx.AsyncClient:
    """A client of a desk's controls and API, for all that the connector does not do."""
    account = (f"{admin}/token", SECRETS["API_TOKEN"])
    token = {"authorization": f"Bearer {SECRETS['PLATFORM_TOKEN']}"}
    # Ten megabytes of comments take a moment to be shown.
    if name == HEROKU:
        return httpx.AsyncClient(base_url=address, headers=token, timeout=30)
    return httpx.AsyncClient(base_url=address, auth=account, timeout=30)


_EVENTS = (
    "created", "comment_added", "comment_made_private", "comment_redacted", "status_changed",
    "tags_changed", "subject_changed", "merged", "soft_deleted", "undeleted", "marked_as_spam",
)  # fmt: skip


async def zendesk_hook(control: httpx.AsyncClient, *, is_by_trigger: bool = False) -> str:
    """A webhook that leads nowhere yet; its secret."""
    of_events = [f"zen:event-type:ticket.{event}" for event in _EVENTS]
    wanted = {
        "name": "syncd",
        "endpoint": "http://127.0.0.1:9/",
        "status": "active",
        "subscriptions": ["conditional_ticket_events"] if is_by_trigger else of_events,
    }
    made = (await control.post("/api/v2/webhooks", json={"webhook": wanted})).json()["webhook"]
    answer = await control.get(f"/api/v2/webhooks/{made['id']}/signing_secret")
    return str(answer.json()["signing_secret"]["secret"])


async def point_hooks(controls: Mapping[str, httpx.AsyncClient], address: str) -> None:
    for name, control in controls.items():
        url = f"{address}/webhooks/{name}"
        if name == "heroku":
            wanted = {"url": url, "secret": SECRETS["HEROKU_HOOK"]}
            token = {"authorization": f"Bearer {SECRETS['PLATFORM_TOKEN']}"}
            answer = await control.put("/webhooks/syncd", json=wanted, headers=token)
        else:
            shown = (await control.get("/api/v2/webhooks")).json()["webhooks"][0]
            path = f"/api/v2/webhooks/{shown['id']}"
            answer = await control.put(path, json={"webhook": {"endpoint": url}})
        assert answer.is_success, answer.text
