"""The two desks from outside: people who act in their pages, and everything that the desks hold.

Speaks HTTP by `requests`, so that the judge does not share the daemon's client.
Raises `DeskError` for whatever a desk refuses; a desk in miniature refuses only what is a mistake.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from connectors.platform.hook import webhook_id
from connectors.zendesk.event_types import SUBSCRIPTIONS
from syncd.cli.demo.snapshot import Json, Snapshot, partner_snapshot, platform_snapshot
from syncd.core.model import ConnectionName

_SECONDS = 20.0


class DeskError(Exception):
    """A desk did not do what it was asked; the message holds its answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A notification that a desk sent; `about` names the update or comment that caused it."""

    to: str
    reason: str
    ticket_id: str
    about: str


class Desk:
    """What every desk in miniature lets an outsider do, under `/_sandbox`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._session = requests.Session()
        # Loopback only: no proxy of the surroundings has a say.
        self._session.trust_env = False

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def state(self) -> Json:
        """Everything the desk holds."""
        return self.call("GET", "/_sandbox/state")

    def write_count(self) -> int:
        """How many writes have reached the desk's API so far, refused ones and tokens included."""
        count: int = self.call("GET", "/_sandbox")["writes"]
        return count

    def requests_since(self, number: int) -> Json:
        """The request log above `number`, with counts over all."""
        return self.call("GET", f"/_sandbox/requests?since={number}")

    def arm(self, *faults: dict[str, object]) -> None:
        """Make requests fail in a chosen way; see the chassis for the keys."""
        self.call("POST", "/_sandbox/faults", json=list(faults))

    def disarm(self) -> None:
        """Let every request pass again; what is held stays held."""
        self.call("DELETE", "/_sandbox/faults")

    def held(self, *, wait_seconds: float = 0.0) -> Sequence[Json]:
        """The requests that a fault holds, waiting a while for the first."""
        answer = self.call("GET", f"/_sandbox/held?wait_seconds={wait_seconds}")
        found: Sequence[Json] = answer["held"]
        return found

    def release(self, number: int | None = None) -> None:
        """Let one held request go on, or all."""
        self.call("POST", "/_sandbox/release", json={} if number is None else {"number": number})

    def change_settings(self, settings: dict[str, object]) -> None:
        """Change how the desk behaves."""
        self.call("POST", "/_sandbox/settings", json=settings)

    def act(self, who: str, do: str, **members: object) -> Json:
        """Act as a person in the desk's own pages, in one update."""
        return self.call("POST", "/_sandbox/act", json={"as": who, "do": do, **members})

    def call(self, method: str, path: str, **options: Any) -> Json:
        """One request; the answer's JSON object, empty where there is none. Raises DeskError."""
        try:
            answer = self._session.request(method, self.address + path, timeout=_SECONDS, **options)
        except requests.RequestException as error:
            raise DeskError(f"{self.address} does not answer: {type(error).__name__}") from error
        if not answer.ok:
            raise DeskError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        found: Json = answer.json() if answer.content else {}
        return found


class StoryDesk(Desk, abc.ABC):
    """A desk whose tickets and mails are judged."""

    @property
    def page(self) -> str:
        """Where a person looks at what it holds."""
        return f"{self.address}/_sandbox/state"

    def example(self, ticket_id: str) -> str:
        """A command by which the customer says something."""
        said = (
            f'{{"as": "Mia Keller", "do": "update", "ticket_id": "{ticket_id}",'
            ' "comment": {"body_html": "Hello?"}}'
        )
        return f"curl -d '{said}' {self.address}/_sandbox/act"

    @abc.abstractmethod
    def snapshots(self, state: Json) -> tuple[Snapshot, ...]:
        """Its tickets, oldest first."""

    @abc.abstractmethod
    def mails(self, state: Json) -> tuple[Mail, ...]:
        """Everything it mailed, with the receivers' names."""


class PlatformDesk(StoryDesk):
    """The platform's support system."""

    token = "platform-token"  # noqa: S105 - the sandbox's, it guards nothing

    def snapshots(self, state: Json) -> tuple[Snapshot, ...]:
        """Its tickets, oldest first."""
        return tuple(platform_snapshot(ticket) for ticket in state["tickets"])

    def mails(self, state: Json) -> tuple[Mail, ...]:
        """Everything it mailed, with the receivers' names."""
        names = {person["id"]: person["name"] for person in state["people"]}
        return tuple(
            Mail(
                to=names.get(mail["to"], mail["to"]),
                reason=mail["reason"],
                ticket_id=mail["ticket_id"],
                about=mail["update_id"],
            )
            for mail in state["notifications"]
        )

    def add_webhook(self, url: str, secret: str) -> None:
        """Have every change posted to `url`, which ends with the connection's name."""
        name = ConnectionName(url.rpartition("/")[2])
        self.call(
            "PUT",
            f"/webhooks/{webhook_id(name, url)}",
            json={"url": url, "secret": secret},
            headers={"Authorization": f"Bearer {self.token}"},
        )


class PartnerDesk(StoryDesk):
    """The partner's Zendesk account."""

    email = "syncd@acme.test"
    api_token = "sandbox-api-token"  # noqa: S105
    client_id = "syncd"
    client_secret = "sandbox-client-secret"  # noqa: S105

    def snapshots(self, state: Json) -> tuple[Snapshot, ...]:
        """Its tickets, oldest first."""
        names = {user["id"]: user["name"] for user in state["users"]}
        return tuple(partner_snapshot(ticket, names) for ticket in state["tickets"])

    def mails(self, state: Json) -> tuple[Mail, ...]:
        """Everything it mailed."""
        return tuple(
            Mail(
                to=mail["to"],
                reason=mail["reason"],
                ticket_id=str(mail["ticket_id"]),
                about=str(mail["comment_id"]),
            )
            for mail in state["notifications"]
        )

    def add_webhook(self, url: str) -> str:
        """Have changes of tickets posted to `url`; returns the secret that the desk signs with."""
        account = {"auth": (f"{self.email}/token", self.api_token)}
        wanted = {
            "name": "syncd",
            "endpoint": url,
            "http_method": "POST",
            "request_format": "json",
            "status": "active",
            "subscriptions": sorted(SUBSCRIPTIONS),
        }
        made = self.call("POST", "/api/v2/webhooks", json={"webhook": wanted}, **account)
        path = f"/api/v2/webhooks/{made['webhook']['id']}/signing_secret"
        secret: str = self.call("GET", path, **account)["signing_secret"]["secret"]
        return secret
