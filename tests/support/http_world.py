"""What an HTTP client under test stands on: a free budget, scripted tokens, raw TCP servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.ports import Reading


@dataclass(slots=True)
class FreeBudget:
    """Lets everything pass and remembers what it was told."""

    spent: list[tuple[str, ...]] = field(default_factory=list)
    assumed: dict[str, int] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    paused: dict[str, float] = field(default_factory=dict)

    async def spend(self, buckets: Sequence[str]) -> None:
        self.spent.append(tuple(buckets))

    def assume(self, bucket: str, *, per_minute: int) -> None:
        self.assumed[bucket] = per_minute

    def observe(self, readings: Sequence[Reading]) -> None:
        self.readings += readings

    def pause(self, bucket: str, seconds: float) -> None:
        self.paused[bucket] = seconds


@dataclass(slots=True)
class Tokens:
    """A credential with a new token after each refusal, as many as there are."""

    left: list[str]

    async def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.left[0]}"}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        if len(self.left) == 1:
            return False
        del self.left[0]
        return True


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def a_server(behaviour: Behaviour) -> AsyncIterator[int]:
    """A TCP server on 127.0.0.1 that does to each connection what it is told; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read the request's head, then close without a word."""
    await reader.readuntil(b"\r\n\r\n")


async def stay_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Read whatever comes and never answer."""
    while await reader.read(1024):
        pass


def answering(text: bytes) -> Behaviour:
    """Read the request's head, send these bytes, close."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()

    return answer
