"""A receiver of webhooks on a free port: keeps what arrives, answers as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

# Status and extra headers of the answer to the delivery of that number, counted from 1.
Answering = Callable[[int], tuple[int, dict[str, str]]]


@dataclass(kw_only=True)
class Received:
    """One delivery."""

    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Receiver:
    """Deliveries in the order of arrival."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, count: int, seconds: float = 5.0) -> list[Received]:
        """The deliveries once there are `count`; fails after a while."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def keep(self, received: Received) -> int:
        async with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
            return len(self.received)


@contextlib.asynccontextmanager
async def a_receiver(answering: Answering = lambda _number: (202, {})) -> AsyncIterator[Receiver]:
    """Listen on loopback for the length of a `with` block."""
    receiver = Receiver()
    writers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        writers[writer] = task
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = head.split("\r\n")[1:-2]
                headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                number = await receiver.keep(Received(headers=headers, body=body))
                status, extra = answering(number)
                rows = "".join(f"{k}: {v}\r\n" for k, v in extra.items())
                answer = f"HTTP/1.1 {status} -\r\n{rows}content-length: 0\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*writers.values(), return_exceptions=True)
