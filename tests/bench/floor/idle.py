"""A process that holds what any daemon of this kind does: libraries, a database, a web server.

`python -m tests.bench.floor.idle FILE` opens the SQLite file and waits.
"""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import sys

import httpx

from tests.bench.floor.accepted import Message, Receive, Send, answer
from tests.bench.floor.server import FloorServer

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
        await FloorServer(_nothing).serve_here()
    connection.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
