"""A platform's sandbox in process with a client per token; every answer is held to the contract."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx

from connectors.platform.sandbox import PlatformDesk, PlatformSandbox
from connectors.sandbox import SandboxTime
from tests.support.platform_contract import hold_against_contract

VIEW = "acme-postgres"
OTHER_VIEW = "globex-search"
START = 1_800_000_000.25
Json = dict[str, Any]


@dataclass(kw_only=True, slots=True)
class HandClock:
    """A clock that only moves when told, or when somebody sleeps by it."""

    seconds: float = START
    # Stopped, a sleep never ends.
    is_stopped: bool = False

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        if self.is_stopped:
            await asyncio.Event().wait()
        self.seconds += seconds


@dataclass(kw_only=True, slots=True)
class Platform:
    """The sandbox, its clock, and the clients that speak to it."""

    sandbox: PlatformSandbox
    clock: HandClock
    # The platform's own integration, which has every view.
    api: httpx.AsyncClient
    # A partner's integration, which has VIEW only.
    acme: httpx.AsyncClient
    # A partner's integration, which has OTHER_VIEW only.
    globex: httpx.AsyncClient
    control: httpx.AsyncClient

    async def act(self, who: str, do: str, **members: object) -> Json:
        """Act as a person; returns {"ticket", "update"}."""
        answer = await self.control.post("/_sandbox/act", json={"as": who, "do": do, **members})
        assert answer.status_code == 200, answer.text
        return cast(Json, answer.json())

    async def a_ticket(self, *, view: str | None = VIEW, **members: object) -> Json:
        """A customer's ticket, escalated into `view`, version 2 then."""
        wanted = {
            "subject": "Cannot connect",
            "body_html": "<p>Since this morning.</p>",
            "metadata": {"app": "shop", "plan": "premium"},
            "view": view,
            **members,
        }
        return cast(Json, (await self.act("Mia Keller", "open", **wanted))["ticket"])

    async def put(
        self,
        ticket: Json,
        update_id: str,
        body: Json,
        *,
        by: httpx.AsyncClient | None = None,
        if_match: int | None = None,
    ) -> httpx.Response:
        """Write one update."""
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        path = f"/tickets/{ticket['id']}/updates/{update_id}"
        return await (by or self.api).put(path, json=body, headers=headers)

    async def dump(self, ticket: Json) -> Json:
        """The ticket with nothing hidden."""
        return cast(Json, (await self.control.get(f"/_sandbox/tickets/{ticket['id']}")).json())

    async def state(self) -> Json:
        """Everything the desk holds."""
        return cast(Json, (await self.control.get("/_sandbox/state")).json())

    async def mails(self, update_id: str) -> set[tuple[str, str]]:
        """Who was mailed about an update, by name, and why."""
        state = await self.state()
        names = {person["id"]: person["name"] for person in state["people"]}
        return {
            (names[mail["to"]], mail["reason"])
            for mail in state["notifications"]
            if mail["update_id"] == update_id
        }


@contextlib.asynccontextmanager
async def a_platform(*, quota: int = 600, scale: float = 1.0) -> AsyncIterator[Platform]:
    """A fresh sandbox behind httpx's ASGI transport, closed at the end."""
    clock = HandClock()
    desk = PlatformDesk(
        time=SandboxTime(now=clock.now, sleep=clock.sleep, scale=scale), quota=quota
    )
    sandbox = PlatformSandbox(desk)
    async with contextlib.AsyncExitStack() as stack:

        async def client(secret: str) -> httpx.AsyncClient:
            return await stack.enter_async_context(a_client(sandbox, secret))

        yield Platform(
            sandbox=sandbox,
            clock=clock,
            api=await client("platform-token"),
            acme=await client(f"{VIEW}-token"),
            globex=await client(f"{OTHER_VIEW}-token"),
            control=await client(""),
        )
        await sandbox.close()


def a_client(sandbox: PlatformSandbox, secret: str) -> httpx.AsyncClient:
    """A client with that token whose every answer is held to the contract."""
    hook: Callable[[httpx.Response], Awaitable[None]] = hold_against_contract
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox),
        base_url="http://platform.test",
        headers={"Authorization": f"Bearer {secret}"} if secret else {},
        event_hooks={"response": [hook]},
    )
