"""The floor as a process: `python -m tests.bench.floor.service FILE` with a JSON configuration.

Takes a webhook in, commits it, answers 202; commits the intent, writes, commits the answer. Prints
`{"ready": ADDRESS}`. The same server, client, concurrency and durable points as syncd's.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import uuid
from pathlib import Path

import httpx

from tests.bench.floor.accepted import Application, Message, Receive, Send, answer, noting
from tests.bench.floor.exchange import Desk, Json, Wanted, read_of, wanted, write_of
from tests.bench.floor.journal import Journal
from tests.bench.floor.server import FloorServer


class Floor:
    """One configuration at work."""

    def __init__(self, config: Json) -> None:
        self._platform: str = config["platform"]
        self._workers: int = config["workers"]
        self._pairs = {
            (connection, ticket): (other, counterpart)
            for connection, ticket, other, counterpart in config["pairs"]
        }
        self._desks = {name: Desk(**desk) for name, desk in config["desks"].items()}
        self._journal = Journal(
            Path(config["store"]), commit_delay_seconds=config["commit_delay_seconds"]
        )
        self._queue: asyncio.Queue[Wanted] = asyncio.Queue()
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def run(self) -> None:
        """Serve until told to stop."""
        for name, desk in self._desks.items():
            self._clients[name] = httpx.AsyncClient(
                base_url=desk.address,
                headers={"authorization": desk.authorization, "accept": "application/json"},
                trust_env=False,
                timeout=30.0,
            )
        workers = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        serving = asyncio.create_task(FloorServer(self._app()).serve_here())
        # A worker ends by its error only: a floor that drops changes is none.
        ended, _ = await asyncio.wait({serving, *workers}, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        for worker in workers:
            worker.cancel()
        for client in self._clients.values():
            await client.aclose()
        self._journal.close()

    def _app(self) -> Application:
        async def take(scope: Message, receive: Receive, send: Send) -> None:
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            await self._journal.put(uuid.uuid4().hex, "taken", body)
            connection = scope["path"].rpartition("/")[2]
            found = wanted(self._platform, connection, json.loads(body), self._pairs)
            if found is not None:
                self._queue.put_nowait(found)
            await answer(send, 202)

        return noting(take)

    async def _work(self) -> None:
        while True:
            await self._carry(await self._queue.get())

    async def _carry(self, one: Wanted) -> None:
        read = read_of(self._platform, one)
        shown = None
        if read is not None:
            got = await self._clients[read.connection].get(read.path)
            shown = got.raise_for_status().content
        write = write_of(self._platform, one, shown)
        key = uuid.uuid4().hex
        await self._journal.put(key, "sent", write.body)
        put = await self._clients[write.connection].put(
            write.path, content=write.body, headers={"content-type": "application/json"}
        )
        json.loads(put.raise_for_status().content)
        await self._journal.mark(key, "done")


def basic(user: str, secret: str) -> str:
    """The header of an API token."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


if __name__ == "__main__":
    asyncio.run(Floor(json.loads(Path(sys.argv[1]).read_text("utf-8"))).run())
