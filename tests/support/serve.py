"""Run a sandbox on a free port of 127.0.0.1 for the length of a `with` block."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

from connectors.sandbox import Sandbox, SandboxServer


@contextlib.asynccontextmanager
async def served(app: Sandbox) -> AsyncIterator[str]:
    """Serve in the running loop; yields the address."""
    ready = asyncio.Event()
    server = SandboxServer(app, on_ready=lambda _address: ready.set())
    serving = asyncio.create_task(server.serve_here())
    try:
        await ready.wait()
        yield server.address
    finally:
        server.should_exit = True
        await serving


@contextlib.contextmanager
def served_in_thread(app: Sandbox) -> Iterator[str]:
    """Serve from a thread of its own, for clients that block; yields the address."""
    ready = threading.Event()
    server = SandboxServer(app, on_ready=lambda _address: ready.set())
    thread = threading.Thread(target=server.run_here, daemon=True)
    thread.start()
    try:
        if not ready.wait(10):
            raise RuntimeError("the sandbox did not start within 10 s")
        yield server.address
    finally:
        server.should_exit = True
        thread.join(10)
