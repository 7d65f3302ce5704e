"""Notes the moment at which each 202 was handed to the socket.

Wraps any ASGI application; `GET /bench/accepted?N` tells the moments after the first N as JSON,
`[[path, at], ...]`, by the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

PATH = "/bench/accepted"
_ACCEPTED = 202


def noting(application: Application) -> Application:
    """The application, with a stopwatch beside its answers."""
    moments: list[tuple[str, float]] = []

    async def noted(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            above = int(scope["query_string"] or 0)
            await answer(send, 200, json.dumps(moments[above:]).encode())
            return
        is_accepted = False

        async def watch(message: Message) -> None:
            nonlocal is_accepted
            await send(message)
            if message["type"] == "http.response.start":
                is_accepted = message["status"] == _ACCEPTED
            elif is_accepted and not message.get("more_body"):
                moments.append((scope["path"], time.monotonic()))

        await application(scope, receive, watch)

    return noted


async def answer(send: Send, status: int, body: bytes = b"") -> None:
    """Send one whole answer."""
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
