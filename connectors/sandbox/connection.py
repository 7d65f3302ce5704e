"""One client's connection: read its request, answer it, or close it without a word.

Closing without an answer is not part of ASGI. `serve.py` puts a function for it into the scope's
extensions; where nobody did (the ASGI transport of httpx), `drop` raises ConnectionDropped instead,
which the in-process client sees as the call's exception.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import Message, Receive, Scope, Send

from connectors.sandbox.call import Reply

BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
DROP_EXTENSION = "syncd.sandbox.drop"


class ConnectionDropped(Exception):
    """The in-process stand-in for a connection closed without an answer."""


class ClientGone(Exception):
    """The client left before its request was complete."""


class Connection:
    """The ASGI triple of one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        """The whole request body. Raises ClientGone when the client leaves half-way."""
        parts: list[bytes] = []
        while True:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    async def gone(self) -> None:
        """Return once the client has closed the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def answer(self, reply: Reply) -> None:
        """Send a complete answer; a client that has gone misses it silently."""
        has_body = self._scope["method"] != "HEAD" and reply.status not in BODILESS
        body = reply.body if has_body else b""
        headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers]
        if reply.status != HTTPStatus.NO_CONTENT:
            headers.append((b"content-length", str(len(body)).encode()))
        await self._send(
            {"type": "http.response.start", "status": reply.status, "headers": headers}
        )
        await self._send({"type": "http.response.body", "body": body})

    async def drop(self) -> None:
        """Close the connection without an answer. Raises ConnectionDropped under ASGI transport."""
        abort = self._scope.get("extensions", {}).get(DROP_EXTENSION)
        if abort is None:
            raise ConnectionDropped
        abort()
        await self.gone()

    def base_url(self) -> str:
        """Scheme and host as the client addressed them."""
        host = self.headers().get("host", "sandbox.test")
        return f"{self._scope.get('scheme', 'http')}://{host}"

    def headers(self) -> dict[str, str]:
        """Header values by lower-case name; of repeated ones the last."""
        return {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in self._scope["headers"]}
