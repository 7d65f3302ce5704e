"""A process that holds what any daemon of this kind holds: libraries, a database, a listening server.

`python -m tests.bench.floor.idle FILE` opens the SQLite file and waits; prints `{"ready": ADDRESS}`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import sqlite3
import sys

import httpx
import uvicorn

from tests.bench.floor.accepted import Message, Receive, Send, answer

#: The third-party libraries that syncd's own parts are built on.
LIBRARIES = (
    "msgspec",
    "nh3",
    "pydantic",
    "sqlmodel",
    "starlette.applications",
    "structlog",
    "yaml",
)


async def _nothing(scope: Message, receive: Receive, send: Send) -> None:
    del scope, receive
    await answer(send, 404)


async def _serve(path: str) -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    connection = sqlite3.connect(path)
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    async with httpx.AsyncClient():
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(_nothing, log_config=None, lifespan="off", access_log=False)
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        print(json.dumps({"ready": listener.getsockname()[1]}), flush=True)
        await serving
    connection.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
