"""Serve a sandbox with uvicorn on loopback, quietly, able to close a connection unanswered.

ASGI has no way to hang up, so the protocol class puts a function that aborts the transport into
each request's scope. When ready, one JSON line `{"ready": "http://127.0.0.1:8444"}` is printed.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from connectors.sandbox.app import Sandbox
from connectors.sandbox.connection import DROP_EXTENSION


class _AbortingProtocol(H11Protocol):
    """uvicorn's h11 protocol, with `extensions["syncd.sandbox.drop"]` in every scope."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner: Any = self.app

        async def with_drop(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[DROP_EXTENSION] = self.abort
            await inner(scope, receive, send)

        self.app = with_drop

    def abort(self) -> None:
        """Close the connection at once, without flushing anything."""
        self.transport.abort()


class SandboxServer(uvicorn.Server):
    """A uvicorn server for one sandbox; `address` is known from the start.

    Stops on SIGTERM and SIGINT when run in the main thread, or when `should_exit` is set.
    """

    def __init__(
        self,
        app: Sandbox,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        on_ready: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_AbortingProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                # The desk's own clock is shown instead, see Sandbox.
                date_header=False,
                # Longer than any client keeps an idle connection, so that none is closed under it.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=2,
            )
        )
        self._sandbox = app
        self._socket = socket.create_server((host, port), backlog=512)
        # Accepted connections inherit it; asyncio itself leaves it off for a socket that it is
        # given.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_ready = on_ready
        bound_host, bound_port = self._socket.getsockname()[:2]
        self.address = f"http://{bound_host}:{bound_port}"

    def run_here(self) -> None:
        """Serve until told to stop; blocks the calling thread."""
        try:
            self.run(sockets=[self._socket])
        finally:
            self._socket.close()

    async def serve_here(self) -> None:
        """Serve in the running event loop until `should_exit` is set."""
        try:
            await self.serve(sockets=[self._socket])
        finally:
            self._socket.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready(self.address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let held requests end first, they would hold the server up."""
        self._sandbox.let_go()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers to `run`; uvicorn would raise the signal again after stopping."""
        yield


def run(
    app: Sandbox,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the one JSON line when ready, else stdout.

    Port 0 picks a free one. Raises OSError when the address cannot be bound.
    """
    say = announce or _print_line
    server = SandboxServer(
        app, host, port, on_ready=lambda address: say(json.dumps({"ready": address}))
    )

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run_here()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
