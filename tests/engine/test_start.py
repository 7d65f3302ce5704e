"""The start: ready once the store is migrated and each connection was asked, broken ones or not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import syncd.daemon
from config.loaded import Config
from connectors.platform.sandbox import PlatformDesk, PlatformSandbox
from connectors.platform.sandbox.act import act
from connectors.sandbox import Fault, Sandbox, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox
from syncd.daemon import serve
from syncd.store.migrate import REVISIONS
from tests.engine.both_desks import CUSTOMER
from tests.engine.wiring import SECRETS, VIEWS, a_config
from tests.support.schemas import a_migrated_file
from tests.support.serve import served

SECONDS = 30.0
#: Nothing of this desk is answered, by any way in which a desk can be away.
AWAY = {
    "hangs": Fault(action="hold_before", times=None),
    "is out of order": Fault(action="status", status=503, times=None),
    "hangs up": Fault(action="drop_before", times=None),
    "refuses the credential": Fault(action="status", status=401, times=None),
    "answers with a page": Fault(action="html", status=200, times=None),
}


@dataclass(kw_only=True)
class Start:
    """Three desks, two links, and a daemon that is on its way."""

    platform: PlatformSandbox
    partners: dict[str, ZendeskSandbox]
    task: asyncio.Task[None] | None = None
    ready: list[str] = field(default_factory=list)

    @property
    def desks(self) -> list[Sandbox]:
        return [self.platform, *self.partners.values()]

    def open_ticket(self, partner: str) -> None:
        deed: dict[str, Any] = {"as": CUSTOMER, "do": "open", "subject": "Betreff"}
        deed |= {"body_html": "<p>Hilfe</p>", "view": VIEWS[partner]}
        act(self.platform.platform.register, deed)

    def twins(self, partner: str) -> int:
        return len(self.partners[partner].desk.account.tickets)

    async def until(self, what: str) -> None:
        async with asyncio.timeout(SECONDS):
            while not self.is_so(what):
                await asyncio.sleep(0.01)

    def is_so(self, what: str) -> bool:
        assert self.task is not None
        if self.task.done():
            self.task.result()
        if what == "ready":
            return bool(self.ready)
        return self.twins(what) == 1


@contextlib.asynccontextmanager
async def three_desks(
    folder: Path, *, listen: str = "127.0.0.1:0"
) -> AsyncIterator[tuple[Start, Config]]:
    clock = SandboxTime(scale=60)
    platform = PlatformSandbox(PlatformDesk(time=clock))
    partners = {name: ZendeskSandbox(time=clock) for name in VIEWS}
    async with contextlib.AsyncExitStack() as stack:
        addresses = {"heroku": await stack.enter_async_context(served(platform))}
        for name, partner in partners.items():
            addresses[name] = await stack.enter_async_context(served(partner))
        config = a_config(folder, addresses, SECRETS, listen=listen)
        yield Start(platform=platform, partners=partners), config


@contextlib.asynccontextmanager
async def starting(start: Start, config: Config) -> AsyncIterator[None]:
    start.task = asyncio.create_task(serve(config, on_ready=start.ready.append))
    try:
        yield
    finally:
        for desk in start.desks:
            desk.faults.clear()
            desk.let_go()
        if not start.task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await start.task


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncd.daemon, "_BEGIN_SECONDS", 1.0)


async def test_when_it_is_ready_the_store_is_migrated_and_each_desk_was_asked_once(
    tmp_path: Path,
) -> None:
    a_migrated_file(tmp_path / "syncd.db", "0004")
    async with three_desks(tmp_path) as (start, config), starting(start, config):
        await start.until("ready")
        assert [desk.log.request_count > 0 for desk in start.desks] == [True] * 3
        with contextlib.closing(sqlite3.connect(tmp_path / "syncd.db")) as db:
            (found,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
        assert found == REVISIONS[-1]


async def test_it_is_not_ready_while_a_desk_has_not_answered_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncd.daemon, "_BEGIN_SECONDS", SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    async with three_desks(tmp_path, listen=listen) as (start, config):
        start.platform.faults.arm(Fault(action="hold_before", times=None))
        async with starting(start, config), httpx.AsyncClient() as client:
            address = f"http://{listen}/readyz"
            await _until_it_listens(client, address)
            assert (await client.get(address)).status_code == 503
            assert start.ready == []
            start.platform.faults.clear()
            start.platform.let_go()
            await start.until("ready")
            assert (await client.get(address)).status_code == 200


@pytest.mark.parametrize("how", AWAY)
async def test_one_broken_desk_keeps_neither_the_start_nor_another_link_back(
    tmp_path: Path, how: str
) -> None:
    async with three_desks(tmp_path) as (start, config):
        start.partners["acme"].faults.arm(AWAY[how])
        async with starting(start, config):
            await start.until("ready")
            start.open_ticket("acme")
            start.open_ticket("globex")
            await start.until("globex")
            assert start.twins("acme") == 0


async def _until_it_listens(client: httpx.AsyncClient, address: str) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            with contextlib.suppress(httpx.ConnectError):
                await client.get(address)
                return
            await asyncio.sleep(0.01)
