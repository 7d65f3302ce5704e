"""A desk whose every link leads to a stranger: page links, jobs, files, its own addresses.

Bodies and headers are as the sandbox made them, but for their addresses; a request that follows one
of them reaches the stranger, and is noticed there.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox import Sandbox
from tests.support.serve_web import served_web

#: Keys by which vendors lead to a next page, a job or a file.
_LURES = (
    "next_page", "previous_page", "before_url", "after_url", "url", "location", "href", "next",
    "content_url", "mapped_content_url", "upload_url", "status_url", "end_of_stream_url",
)  # fmt: skip


class Misleading:
    """An ASGI application between syncd and a desk."""

    def __init__(self, desk: Sandbox, stranger: str) -> None:
        self._desk = desk
        self._stranger = stranger
        self.lure_count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._desk(scope, receive, send)
            return
        begun: list[Message] = []
        parts: list[bytes] = []

        async def rewrite(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            start, body = begun[0], self._body(scope["path"], b"".join(parts))
            dropped = (b"content-length", b"location", b"link")
            headers = [pair for pair in start["headers"] if pair[0].lower() not in dropped]
            lures = (b"link", f'<{self._stranger}/link>; rel="next"'.encode())
            length = (b"content-length", str(len(body)).encode())
            refresh = (b"refresh", f"0; url={self._stranger}/refresh".encode())
            await send({**start, "headers": [*headers, length, lures, refresh]})
            await send({"type": "http.response.body", "body": body})

        await self._desk(scope, receive, rewrite)

    def _body(self, path: str, body: bytes) -> bytes:
        try:
            shown = json.loads(body)
        except ValueError:
            return body
        # What the desk itself says under a key is a cursor of its own, and stays.
        if isinstance(shown, dict):
            shown = dict[str, Any]({key: f"{self._stranger}/{key}{path}" for key in _LURES} | shown)
            shown["links"] = {"next": f"{self._stranger}/links{path}", "prev": None}
            self.lure_count += 1
        return json.dumps(self._lead_away(shown)).encode()

    def _lead_away(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"{self._stranger}/{key}"
                if key in _LURES and isinstance(part, str) and key != "next"
                else self._lead_away(part)
                for key, part in value.items()
            }
        return [self._lead_away(part) for part in value] if isinstance(value, list) else value


def serving_misleading(
    stranger: str, made: list[Misleading]
) -> Callable[[Sandbox], contextlib.AbstractAsyncContextManager[str]]:
    """What stands in for `tests.support.serve.served`."""

    @contextlib.asynccontextmanager
    async def served(desk: Sandbox) -> AsyncIterator[str]:
        made.append(Misleading(desk, stranger))
        application: ASGIApp = made[-1]
        async with served_web(application, has_date=False) as address:
            yield address

    return served
