"""A web server on loopback that keeps every request it gets and answers as it was told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One request as it came in; header names in lower case."""

    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(kw_only=True, slots=True)
class Receiver:
    """What came in, in order."""

    url: str
    received: list[Received] = field(default_factory=list)
    # Statuses of the next answers; 204 when there is none left.
    statuses: deque[int] = field(default_factory=deque)


@contextlib.asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Listen on a free port of 127.0.0.1 for the length of the block."""
    receiver = Receiver(url="")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        receiver.received.append(Received(headers=headers, body=body))
        status = receiver.statuses.popleft() if receiver.statuses else 204
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield receiver
