"""Run an ASGI application on a free port of 127.0.0.1 for the length of a `with` block."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp

from syncd.web.guard import Doorway, serving


@dataclass(kw_only=True)
class TellsAsTold:
    """What a daemon would tell of itself, without one."""

    says: Mapping[str, object] = field(default_factory=dict)
    is_well: Callable[[], bool] = lambda: True

    async def health(self) -> Mapping[str, object]:
        return self.says

    def is_ready(self) -> bool:
        return self.is_well()

    async def metrics(self) -> bytes:
        return b"syncd_ready 1\n"


class _Server(uvicorn.Server):
    """Leaves the signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served_web(
    application: ASGIApp, *, has_date: bool = True, doorway: Doorway | None = None
) -> AsyncIterator[str]:
    """Serve in the running loop, with the daemon's own settings; yields the address.

    Without a date the application tells it.
    """
    settings = serving(application, doorway=doorway)
    settings.date_header = has_date
    listener = socket.create_server(("127.0.0.1", 0), backlog=settings.backlog)
    server = _Server(settings)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
