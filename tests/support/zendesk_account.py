"""A Zendesk in miniature in process, with a clock that stands still, and a client of its API."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from connectors.sandbox import SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox, ZendeskSettings

# A whole second, 2026-11-20T10:00:00Z.
TEN_O_CLOCK = 1_795_168_800.0


class HandClock:
    """A clock moved by hand."""

    def __init__(self, at: float = TEN_O_CLOCK) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


class Account:
    """One sandbox and a client with the integration's API token."""

    def __init__(
        self, sandbox: ZendeskSandbox, client: httpx.AsyncClient, clock: HandClock
    ) -> None:
        self.sandbox = sandbox
        self.client = client
        self.clock = clock

    @property
    def integration_id(self) -> int:
        return self.person("syncd@acme.test")

    def person(self, email: str) -> int:
        user = self.sandbox.desk.account.user_by_email(email)
        assert user is not None
        return user.id

    async def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        return await self.client.request(method, f"/api/v2{path}", **kwargs)

    async def get(
        self, path: str, query: dict[str, Any] | None = None, *, status: int = 200
    ) -> Any:
        """The JSON of a GET that is answered with that status."""
        answer = await self.call("GET", path, params=query or {})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def create(self, **ticket: Any) -> Any:
        """A ticket by the ordinary call; the answer's JSON."""
        given = {"subject": "Printer on fire", "comment": {"body": "It smokes."}} | ticket
        answer = await self.call("POST", "/tickets", json={"ticket": given})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def update(self, ticket_id: int, **ticket: Any) -> httpx.Response:
        return await self.call("PUT", f"/tickets/{ticket_id}", json={"ticket": ticket})

    async def act(self, **deed: Any) -> Any:
        """One deed of a person; the ticket as the state shows it."""
        answer = await self.client.post("/_sandbox/act", json=deed)
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket"]

    async def shown(self, ticket_id: int) -> Any:
        return (await self.client.get(f"/_sandbox/tickets/{ticket_id}")).json()

    async def state(self) -> Any:
        return (await self.client.get("/_sandbox/state")).json()

    async def switch(self, **settings: object) -> None:
        (await self.client.post("/_sandbox/settings", json=settings)).raise_for_status()


@contextlib.asynccontextmanager
async def an_account(*, scale: float = 1.0, **settings: Any) -> AsyncIterator[Account]:
    """An account with these settings; the quotas are wide unless they are the subject."""
    wide = {"requests_per_minute": 100_000, "ticket_updates_per_minute": 100_000}
    wide |= {"updates_per_ticket": 100_000, "exports_per_minute": 100_000}
    wide |= {"user_updates_per_second": 100_000}
    clock = HandClock()
    sandbox = ZendeskSandbox(
        ZendeskSettings(**(wide | settings)), time=SandboxTime(now=clock, scale=scale)
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox),
        base_url="http://acme.test",
        auth=("syncd@acme.test/token", "sandbox-api-token"),
    ) as client:
        yield Account(sandbox, client, clock)
    await sandbox.close()


def change(audit: Any, name: str) -> Any:
    """The Change event of that field, None when there is none."""
    events = [e for e in audit["events"] if e["type"] == "Change" and e["field_name"] == name]
    return events[0] if events else None


def comment(audit: Any) -> Any:
    """The Comment event of an audit."""
    return next(event for event in audit["events"] if event["type"] == "Comment")
