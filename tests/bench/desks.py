"""Both kinds of desks in one process: `python -m tests.bench.desks FILE` with a JSON configuration.

One platform and any number of Zendesk accounts, each on a port of its own, with its true quotas.
They are the ordinary sandboxes; each also notes when a write's request arrived, told by
`GET /_sandbox/arrivals?above=N&wait=SECONDS` as `{"count", "arrivals": [[at, path, bytes], ...]}`,
which waits until there are more than N. Prints `{"ready": PLATFORM, "accounts": [...]}`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
from connectors.sandbox import Sandbox, SandboxServer, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox, ZendeskSettings
from tests.bench.floor.accepted import answer

_PATH = "/_sandbox/arrivals"


class Arrivals:
    """When writes arrived at one desk, by the monotonic clock."""

    def __init__(self) -> None:
        self._moments: list[tuple[float, str, int]] = []
        self._news = asyncio.Event()

    def note(self, scope: Scope) -> None:
        """Keep the moment of a write of the daemon's; people and tokens do not count."""
        path: str = scope["path"]
        if scope["method"] in {"GET", "HEAD"} or path.startswith(("/_sandbox", "/oauth")):
            return
        size = next((int(v) for k, v in scope["headers"] if k == b"content-length"), 0)
        self._moments.append((time.monotonic(), path, size))
        self._news.set()
        self._news = asyncio.Event()

    async def tell(self, scope: Scope, send: Send) -> None:
        """Answer the question for them, once there are more than the asker knows."""
        asked = parse_qs(scope["query_string"].decode())
        above, wait = int(asked["above"][0]), float(asked["wait"][0])
        until = time.monotonic() + wait
        while len(self._moments) <= above and time.monotonic() < until:
            try:
                await asyncio.wait_for(self._news.wait(), until - time.monotonic())
            except TimeoutError:
                break
        told = {"count": len(self._moments), "arrivals": self._moments[above:]}
        await answer(send, 200, json.dumps(told).encode())


class TimedPlatform(PlatformSandbox):
    """The platform's sandbox with the list of arrivals."""

    def __init__(self, desk: PlatformDesk) -> None:
        super().__init__(desk)
        self._arrivals = Arrivals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await _is_answered(self._arrivals, scope, send):
            return
        await super().__call__(scope, receive, send)


class TimedZendesk(ZendeskSandbox):
    """A Zendesk sandbox with the list of arrivals."""

    def __init__(self, settings: ZendeskSettings, *, time: SandboxTime) -> None:
        super().__init__(settings, time=time)
        self._arrivals = Arrivals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await _is_answered(self._arrivals, scope, send):
            return
        await super().__call__(scope, receive, send)


async def _is_answered(arrivals: Arrivals, scope: Scope, send: Send) -> bool:
    if scope["type"] != "http":
        return False
    if scope["path"] == _PATH:
        await arrivals.tell(scope, send)
        return True
    arrivals.note(scope)
    return False


async def _serve(config: dict[str, Any]) -> None:
    scale = config["time_scale"]
    platform = TimedPlatform(
        PlatformDesk(
            time=SandboxTime(scale=scale),
            seed=Seed(views=tuple(config["views"])),
            quota=config["platform_quota"],
        )
    )
    settings = ZendeskSettings(plan=config["plan"])
    accounts: list[Sandbox] = [
        TimedZendesk(settings, time=SandboxTime(scale=scale)) for _ in range(config["accounts"])
    ]
    listening = asyncio.Barrier(len(accounts) + 2)
    waiting: set[asyncio.Task[int]] = set()

    def ready(_: str) -> None:
        waiting.add(asyncio.get_running_loop().create_task(listening.wait()))

    servers = [SandboxServer(app, on_ready=ready) for app in (platform, *accounts)]
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, servers)
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.serve_here())
        await listening.wait()
        first, *others = (server.address for server in servers)
        print(json.dumps({"ready": first, "accounts": others}), flush=True)


def _stop(servers: list[SandboxServer]) -> None:
    for server in servers:
        server.should_exit = True


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
