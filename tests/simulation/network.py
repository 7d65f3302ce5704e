"""The network between desks and daemon: no socket, a seeded delay, and what can go wrong on a wire.

A request that has left goes on at the desk whatever becomes of its sender, as on a real wire.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from connectors.sandbox.connection import DROP_EXTENSION

Message = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]
#: Told of each request that was received: port, method, path, status or 0.
Told = Callable[[int, str, str, int], None]
#: What happens to a request between sender and desk; told by whoever has the dice.
Moment = Callable[[httpx.Request, str], None]


class _Content(httpx.AsyncByteStream):
    """An answer's body that nobody has read yet."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


@dataclass(slots=True)
class _Exchange:
    """One request at a receiver, as ASGI sees it."""

    body: bytes
    done: asyncio.Future[httpx.Response]
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    is_read: bool = False
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    async def receive(self) -> Message:
        if not self.is_read:
            self.is_read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
            return
        self.parts.append(message.get("body", b""))
        if not message.get("more_body", False) and not self.done.done():
            content = _Content(b"".join(self.parts))
            self.done.set_result(httpx.Response(self.status, headers=self.headers, stream=content))

    def drop(self) -> None:
        """Hang up without an answer."""
        if not self.done.done():
            self.done.set_exception(httpx.ReadError("the connection was closed"))
        self.gone.set()


class Network:
    """Who listens where, and how long the way takes."""

    def __init__(self, chance: Random, *, on_exchange: Told, longest_seconds: float = 0.3) -> None:
        self.apps: dict[int, App] = {}
        #: Ports that nobody reaches at the moment.
        self.cut: set[int] = set()
        #: What went wrong inside of a desk or of the daemon's web server: a bug there.
        self.failures: list[str] = []
        self._on_exchange = on_exchange
        self._chance = chance
        self._longest = longest_seconds
        self._serving: set[asyncio.Task[None]] = set()

    def pause(self) -> float:
        """How long one way takes; mostly short, now and then long enough to be overtaken."""
        throw = self._chance.random()
        return self._longest * throw**4

    async def carry(self, request: httpx.Request, wire: Wire) -> httpx.Response:
        """One request and its answer, or the error of a wire."""
        port = request.url.port or 0
        seconds = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(seconds):
                return await self._carry(request, port, wire)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time") from None

    async def _carry(self, request: httpx.Request, port: int, wire: Wire) -> httpx.Response:
        body = await request.aread()
        wire.passes("leaves", request)
        await asyncio.sleep(self.pause())
        app = self.apps.get(port)
        if app is None or port in self.cut or wire.is_dead:
            raise httpx.ConnectError("nobody listens")
        exchange = _Exchange(body, asyncio.get_running_loop().create_future())
        self._begin(app, request, exchange)
        wire.passes("arrives", request)
        try:
            response = await exchange.done
            wire.passes("answered", request)
            await asyncio.sleep(self.pause())
        except BaseException:
            exchange.gone.set()
            raise
        exchange.gone.set()
        return response

    def _begin(self, app: App, request: httpx.Request, exchange: _Exchange) -> None:
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("127.0.0.1", 1),
            "server": (request.url.host, request.url.port),
            "extensions": {DROP_EXTENSION: exchange.drop},
        }
        # The receiver is nobody's child: it goes on when the sender dies.
        task = asyncio.get_running_loop().create_task(
            self._serve(app, scope, exchange), context=contextvars.Context()
        )
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, app: App, scope: Message, exchange: _Exchange) -> None:
        try:
            await app(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - a bug of the receiver's, told at the end
            self.failures.append(f"{scope['path']}: {error!r}")
        finally:
            if not exchange.done.done():
                exchange.drop()
            # Whoever waited may be gone.
            if not exchange.done.cancelled():
                exchange.done.exception()
            self._on_exchange(scope["server"][1], scope["method"], scope["path"], exchange.status)

    async def close(self) -> None:
        """End what is still being served."""
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


class Wire(httpx.AsyncBaseTransport):
    """One party's way into the network; cut for good when its party dies."""

    def __init__(self, network: Network, on_moment: Moment | None = None) -> None:
        self._network = network
        self._on_moment = on_moment
        self.is_dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_dead:
            raise httpx.ConnectError("the process is dead")
        return await self._network.carry(request, self)

    def passes(self, moment: str, request: httpx.Request) -> None:
        """The request is at a point of its way at which its sender may die."""
        if self._on_moment is not None and not self.is_dead:
            self._on_moment(request, moment)
