"""Webhooks kept and sent again: the load of a measure costs the machine little while it is taken.

`Recorder` is where desks post while people act; `post_all` then sends what it kept, unchanged and
still signed, as many at once as connections are open.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_SKIPPED = {"host", "connection", "accept-encoding", "accept", "content-length"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One webhook as it came."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Recorder:
    """Everything that was posted since it was last emptied."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._kept: list[Kept] = []
        self._turn = threading.Lock()

    def keep(self, one: Kept) -> None:
        """Add one; from any thread."""
        with self._turn:
            self._kept.append(one)

    def __len__(self) -> int:
        return len(self._kept)

    def take(self) -> list[Kept]:
        """All of them; none is kept any longer."""
        with self._turn:
            taken, self._kept = self._kept, []
        return taken


@contextlib.contextmanager
def recorder() -> Iterator[Recorder]:
    """A server on a free port of the loopback address that keeps what is posted to it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = tuple(
                (name, value)
                for name, value in self.headers.items()
                if name.lower() not in _SKIPPED
            )
            kept.keep(Kept(path=self.path, headers=headers, body=body))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept = Recorder(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


def post_all(address: str, webhooks: Sequence[Kept], *, connections: int) -> float:
    """Send all, in order, over so many connections; the moment when the first one left.

    Raises ValueError when an answer is not 202.
    """
    return asyncio.run(_post_all(address, webhooks, connections))


async def _post_all(address: str, webhooks: Sequence[Kept], connections: int) -> float:
    parts = urlsplit(address)
    waiting = iter([_bytes(one, parts.netloc) for one in webhooks])

    async def send() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for raw in waiting:
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 202"):
                raise ValueError(head.partition(b"\r\n")[0].decode())
        writer.close()

    begun_at = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(send())
    return begun_at


def _bytes(one: Kept, host: str) -> bytes:
    lines = [f"POST {one.path} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in one.headers]
    lines += [f"content-length: {len(one.body)}", "", ""]
    return "\r\n".join(lines).encode() + one.body
