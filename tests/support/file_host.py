"""A host of files on a free loopback port: answers what it is told, remembers who asked and how."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

PIECE = b"\x5a" * 65_536


@dataclass(kw_only=True, slots=True)
class Asked:
    """One request: its line and its headers, in lower case."""

    line: str
    headers: dict[str, str]


@dataclass(kw_only=True, slots=True)
class FileHost:
    """By path: status, headers and how many bytes of `PIECE` follow; and what was taken in."""

    address: str = ""
    answers: dict[str, tuple[int, dict[str, str], int]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    #: Bytes of bodies that came in whole.
    taken_bytes: int = 0
    #: Stop in the middle of an answer after so many bytes.
    cut_after: int | None = None

    def serve(self, path: str, size: int, *, status: int = 200) -> None:
        """Answer a path with `size` bytes."""
        self.answers[path] = (status, {"content-length": str(size)}, size)

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        self.answers[path] = (status, {"location": to, "content-length": "0"}, 0)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            rows = (row.partition(":") for row in head[1:] if row)
            headers = {name.lower(): value.strip() for name, _, value in rows}
            self.asked.append(Asked(line=head[0], headers=headers))
            self.taken_bytes += await _drain(reader, headers)
            await self._answer(head[0].split()[1].partition("?")[0], writer)
        writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        status, headers, size = self.answers.get(path, (404, {"content-length": "0"}, 0))
        lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in headers.items())]
        writer.write(("\r\n".join([*lines, "connection: close"]) + "\r\n\r\n").encode())
        left = size if self.cut_after is None else min(size, self.cut_after)
        while left > 0:
            writer.write(PIECE[:left])
            left -= len(PIECE[:left])
            await writer.drain()
        await writer.drain()


async def _drain(reader: asyncio.StreamReader, headers: dict[str, str]) -> int:
    size = int(headers.get("content-length", "0"))
    left = size
    while left > 0:
        piece = await reader.read(min(left, 65_536))
        if not piece:
            return 0
        left -= len(piece)
    if headers.get("transfer-encoding") == "chunked":
        while length := int((await reader.readline()).strip() or b"0", 16):
            await reader.readexactly(length + 2)
            size += length
        await reader.readline()
    return size


@contextlib.asynccontextmanager
async def a_file_host() -> AsyncIterator[FileHost]:
    """Serve until the block ends."""
    host = FileHost()
    server = await asyncio.start_server(host.handle, "127.0.0.1", 0)
    host.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield host
    finally:
        server.close()
        await server.wait_closed()
