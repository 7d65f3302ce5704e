"""Desks in miniature with tickets in them, and either syncd or the floor between them.

Desks are one process, the daemon or the floor another, so that the cost of each can be told apart.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests
import yaml

from syncd.cli.demo.desks import PartnerDesk, PlatformDesk
from syncd.cli.demo.processes import Started, free_port
from tests.bench.figure import Json
from tests.bench.floor.accepted import PATH as ACCEPTED_PATH
from tests.bench.floor.service import basic
from tests.bench.process import start, started
from tests.bench.stopwatch import rest, wait_for

PLATFORM = "heroku"
CUSTOMER, STAFF, AGENT = "Mia Keller", "Hana Sato", "alice@acme.test"
#: As many pairs at once as syncd's controller runs.
WORKERS = 16
_SECRET = "a-secret-of-the-bench"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How large a world is, and how its desks behave."""

    accounts: int = 1
    tickets: int = 1
    #: What the vendor's windows are divided by; 1 is the vendor's own time.
    time_scale: float = 1.0
    #: Of every Zendesk account; High Volume allows 2500 requests and 300 ticket updates a minute.
    plan: str = "high_volume"
    #: The platform's quota is the platform's to choose; this one limits nobody.
    platform_quota: int = 100_000
    poll: str = "1h"
    has_webhooks: bool = True
    #: Comments that each ticket starts with, the first message included.
    comments: int = 1
    #: Every ticket is another customer's; else all are of one.
    are_strangers: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Twin:
    """One ticket on both desks."""

    platform_id: str
    account: int
    partner_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Desks:
    """The desks of one world."""

    scale: Scale
    process: Started
    platform: PlatformDesk
    partners: tuple[PartnerDesk, ...]

    def connection(self, account: int) -> str:
        """The name of a partner's connection."""
        return f"acme{account:02d}"

    def view(self, account: int) -> str:
        """The platform's view of a partner."""
        return f"view{account:02d}"

    def arrivals(self, desk: PlatformDesk | PartnerDesk, *, above: int, wait: float = 10.0) -> Json:
        """The writes that reached a desk, once there are more than `above`."""
        return dict(desk.call("GET", f"/_sandbox/arrivals?above={above}&wait={wait}"))


@dataclass(kw_only=True, slots=True)
class Engine:
    """syncd or the floor at work on some desks."""

    process: Started
    address: str
    _session: requests.Session = field(default_factory=requests.Session)
    _told: int = 0

    def accepted(self) -> list[tuple[str, float]]:
        """The path and moment of every 202 since this was last asked."""
        self._session.trust_env = False
        url = f"{self.address}{ACCEPTED_PATH}?{self._told}"
        told = [(path, at) for path, at in self._session.get(url, timeout=10).json()]
        self._told += len(told)
        return told


@contextlib.contextmanager
def desks(folder: Path, scale: Scale, *, core: int | None = None) -> Iterator[Desks]:
    """Start the desks, empty."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        "accounts": scale.accounts,
        "time_scale": scale.time_scale,
        "plan": scale.plan,
        "platform_quota": scale.platform_quota,
        "views": [f"view{number:02d}" for number in range(scale.accounts)],
    }
    file = folder / "desks.json"
    file.write_text(json.dumps(wanted), encoding="utf-8")
    with started("tests.bench.desks", str(file), folder=folder, core=core) as (process, told):
        yield Desks(
            scale=scale,
            process=process,
            platform=PlatformDesk(told["ready"]),
            partners=tuple(PartnerDesk(address) for address in told["accounts"]),
        )


# --- syncd ---------------------------------------------------------------------------------------


def configure(folder: Path, there: Desks, *, hooks_to: str | None = None) -> Path:
    """Write a configuration for these desks and register the webhooks that it names.

    `hooks_to` has the desks post elsewhere than to the daemon.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    secrets = _register(there, hooks_to or url) if there.scale.has_webhooks else {}
    shared: Json = {
        "poll": {"every": there.scale.poll},
        "budget": {"share": "95%", "per_minute": 2500},
    }
    connections: Json = {
        PLATFORM: {
            "kind": "platform",
            "url": there.platform.address,
            "token": there.platform.token,
            **_hook(secrets, PLATFORM),
            **shared,
        }
    }
    links: Json = {}
    for account, partner in enumerate(there.partners):
        name = there.connection(account)
        connections[name] = {
            "kind": "zendesk",
            "url": partner.address,
            "oauth": {"client_id": partner.client_id, "client_secret": partner.client_secret},
            "exports_per_minute": round(30 * there.scale.time_scale),
            **_hook(secrets, name),
            **shared,
        }
        links[there.view(account)] = {
            "platform": {"connection": PLATFORM, "view": there.view(account)},
            "partner": {"connection": name, "group": "Heroku", "brand": "Acme"},
            "tags": {"share": ["product-*"]},
        }
    config = {
        "version": 1,
        "store": f"sqlite:///{folder / 'syncd.db'}",
        "server": {"listen": f"127.0.0.1:{port}", "public_url": url},
        "log": {"format": "json", "level": "info"},
        "connections": _with_secrets_in_files(folder, connections),
        "links": links,
    }
    file = folder / "syncd.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return file


def run_syncd(
    folder: Path, config: Path, *, commit_delay_seconds: float = 0.0, core: int | None = None
) -> Engine:
    """Start the daemon with its stopwatch."""
    extra = [str(commit_delay_seconds)] if commit_delay_seconds else []
    process, told = start("tests.bench.daemon", str(config), *extra, folder=folder, core=core)
    return Engine(process=process, address=told["ready"])


def _hook(secrets: Json, name: str) -> Json:
    return {"webhook_secret": secrets[name]} if name in secrets else {}


def _register(there: Desks, url: str) -> Json:
    there.platform.add_webhook(f"{url}/webhooks/{PLATFORM}", _SECRET)
    secrets: Json = {PLATFORM: _SECRET}
    for account, partner in enumerate(there.partners):
        name = there.connection(account)
        secrets[name] = partner.add_webhook(f"{url}/webhooks/{name}")
    return secrets


def point_platform(there: Desks, url: str) -> None:
    """Have the platform post its webhooks elsewhere from now on."""
    there.platform.add_webhook(f"{url}/webhooks/{PLATFORM}", _SECRET)


def point_partner(there: Desks, account: int, hook: str, url: str) -> None:
    """Have an account post its webhooks elsewhere from now on."""
    endpoint = f"{url}/webhooks/{there.connection(account)}"
    path = f"/api/v2/webhooks/{hook}"
    partner = there.partners[account]
    auth = (f"{partner.email}/token", partner.api_token)
    partner.call("PUT", path, json={"webhook": {"endpoint": endpoint}}, auth=auth)


def partner_hooks(there: Desks) -> tuple[str, ...]:
    """What each account calls its webhook."""
    return tuple(partner.state()["webhooks"][0]["id"] for partner in there.partners)


def _with_secrets_in_files(folder: Path, connections: Json) -> Json:
    """Each secret in a file of its own, as the configuration wants it."""

    def kept(name: str, secret: str) -> str:
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(secret, encoding="utf-8")
        return f"${{file:{name}}}"

    shown = {}
    for name, settings in connections.items():
        wanted = dict(settings)
        for key in ("token", "webhook_secret"):
            if key in wanted:
                wanted[key] = kept(f"{name}-{key}", wanted[key])
        if "oauth" in wanted:
            secret = kept(f"{name}-client", wanted["oauth"]["client_secret"])
            wanted["oauth"] = {**wanted["oauth"], "client_secret": secret}
        shown[name] = wanted
    return shown


def bear(there: Desks) -> tuple[Twin, ...]:
    """Open and escalate the scale's tickets; syncd brings them to the partners. Waits for quiet."""
    # A feed that was never read begins at the present: what came before its first poll is history.
    wait_for("a poll of every desk", lambda: all(map(_is_polled, _all(there))))
    opened = [_open(there, number) for number in range(there.scale.tickets)]
    wait_for(
        "every ticket at its partner's",
        lambda: sum(len(p.state()["tickets"]) for p in there.partners) == len(opened),
        seconds=120,
    )
    wait_quiet(there, seconds=1.5)
    found = {twin.platform_id: twin for twin in twins_of(there)}
    return tuple(found[ticket_id] for ticket_id in opened)


def twins_of(there: Desks) -> tuple[Twin, ...]:
    """What syncd has brought to the partners."""
    return tuple(
        Twin(
            platform_id=ticket["external_id"].rpartition(":")[2],
            account=account,
            partner_id=str(ticket["id"]),
        )
        for account, partner in enumerate(there.partners)
        for ticket in partner.state()["tickets"]
    )


def _all(there: Desks) -> tuple[PlatformDesk | PartnerDesk, ...]:
    return (there.platform, *there.partners)


def _is_polled(desk: PlatformDesk | PartnerDesk) -> bool:
    routes = desk.requests_since(0)["requests"]
    return any("incremental" in r["path"] or r["path"] == "/changes" for r in routes if r["status"])


def open_platform(there: Desks) -> list[str]:
    """The scale's tickets at the platform alone; their ids."""
    return [_open(there, number) for number in range(there.scale.tickets)]


def _open(there: Desks, number: int) -> str:
    view = there.view(number % there.scale.accounts)
    who = CUSTOMER
    if there.scale.are_strangers:
        who = f"{CUSTOMER} {number}"
        there.platform.call("POST", "/_sandbox/customers", json={"name": who})
    made = there.platform.act(
        who,
        "open",
        subject=f"Database {number} is slow",
        body_html=text_of(number),
        metadata={"app": "shop", "plan": "standard-2", "region": "eu"},
        view=view,
    )
    ticket_id: str = made["ticket"]["id"]
    for further in range(1, there.scale.comments):
        comment(there, Twin(platform_id=ticket_id, account=0, partner_id=""), further, who=who)
    return ticket_id


def wait_quiet(there: Desks, *, seconds: float, at_most: float = 60.0) -> None:
    """Wait until no desk was written to for `seconds`."""
    kept, since = -1, 0.0
    spent = 0.0
    while since < seconds:
        if spent > at_most:
            raise TimeoutError(f"still written to after {at_most:g} s")
        now = sum(desk.write_count() for desk in _all(there))
        kept, since = (kept, since + 0.05) if now == kept else (now, 0.0)
        rest(0.05)
        spent += 0.05


# --- the floor -----------------------------------------------------------------------------------


def run_floor(
    folder: Path,
    there: Desks,
    twins: Sequence[Twin],
    *,
    commit_delay_seconds: float = 0.0,
    core: int | None = None,
) -> Engine:
    """Start the floor between these desks; webhooks are the caller's to lead to it."""
    names = [there.connection(account) for account in range(there.scale.accounts)]
    pairs = [
        row
        for twin in twins
        for row in (
            (PLATFORM, twin.platform_id, names[twin.account], twin.partner_id),
            (names[twin.account], twin.partner_id, PLATFORM, twin.platform_id),
        )
    ]
    platform = there.platform
    reached = {
        PLATFORM: {"address": platform.address, "authorization": f"Bearer {platform.token}"},
        **{
            name: {
                "address": partner.address,
                "authorization": basic(f"{partner.email}/token", partner.api_token),
            }
            for name, partner in zip(names, there.partners, strict=True)
        },
    }
    config = {
        "platform": PLATFORM,
        "workers": WORKERS,
        "store": str(folder / "floor.db"),
        "commit_delay_seconds": commit_delay_seconds,
        "pairs": pairs,
        "desks": reached,
    }
    file = folder / "floor.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    process, told = start("tests.bench.floor.service", str(file), folder=folder, core=core)
    return Engine(process=process, address=told["ready"])


def lead_webhooks_to(there: Desks, engine: Engine) -> None:
    """Have every desk post to an engine that needs no secrets."""
    _register(there, engine.address)


def open_both(there: Desks) -> tuple[Twin, ...]:
    """The same tickets on both desks, without syncd."""
    twins = []
    for number in range(there.scale.tickets):
        account = number % there.scale.accounts
        made = there.partners[account].act(
            "syncd@acme.test",
            "create",
            subject=f"Database {number} is slow",
            comment={"html": text_of(number), "public": True},
            requester={"name": CUSTOMER},
        )
        twins.append(
            Twin(
                platform_id=_open(there, number),
                account=account,
                partner_id=str(made["ticket"]["id"]),
            )
        )
    return tuple(twins)


# --- what people do ------------------------------------------------------------------------------


def text_of(number: int) -> str:
    """A message of ordinary length."""
    return (
        f"<p>Message {number}: the nightly export stops after twenty minutes.</p>"
        "<p>We tried a larger plan and a second worker; neither changed anything. The log of the"
        " last run says that the connection was closed by the other side.</p>"
    )


def comment(there: Desks, twin: Twin, number: int, *, who: str = CUSTOMER) -> None:
    """The customer writes at the platform."""
    body: Json = {"body_html": text_of(number)}
    there.platform.act(who, "update", ticket_id=twin.platform_id, comment=body)


def reply(there: Desks, twin: Twin, number: int, *, is_public: bool = True) -> None:
    """The agent writes in Zendesk."""
    body: Json = {"html": text_of(number), "public": is_public}
    partner = there.partners[twin.account]
    partner.act(AGENT, "update", ticket_id=int(twin.partner_id), comment=body)


def tag(there: Desks, twin: Twin, number: int) -> None:
    """The platform's staff add a shared tag."""
    tags = [f"product-{number}"]
    there.platform.act(STAFF, "update", ticket_id=twin.platform_id, add_tags=tags)


def set_status(there: Desks, twin: Twin, number: int) -> None:
    """The platform's staff change the status, to and fro."""
    status = "With customer" if number % 2 else "Open"
    there.platform.act(STAFF, "update", ticket_id=twin.platform_id, status=status)


def set_status_at_partner(there: Desks, twin: Twin, number: int) -> None:
    """The agent changes the status in Zendesk, to and fro."""
    partner = there.partners[twin.account]
    status = "pending" if number % 2 else "open"
    partner.act(AGENT, "update", ticket_id=int(twin.partner_id), status=status)


def tag_at_partner(there: Desks, twin: Twin, number: int) -> None:
    """The agent adds a shared tag in Zendesk."""
    partner = there.partners[twin.account]
    tags = [f"product-z{number}"]
    partner.act(AGENT, "update", ticket_id=int(twin.partner_id), add_tags=tags)
