"""The daemon's own life, in this process: how it begins, how it ends, and what kills it loudly."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import io
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

import syncd.app
import syncd.daemon
from config.loaded import Config
from connectors.platform.connector import PlatformConnector
from connectors.platform.sandbox import PlatformDesk, PlatformSandbox
from connectors.platform.sandbox.act import act
from connectors.sandbox import Fault, Release, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox
from syncd.app import parts
from syncd.cli.daemon_report import daemon_details
from syncd.core.errors import StoreUnavailable
from syncd.core.model import PairId, TicketId
from syncd.core.work import Step
from syncd.daemon import serve
from syncd.log import configure
from syncd.store import open_store
from tests.engine.both_desks import CUSTOMER
from tests.engine.wiring import HEROKU, SECRETS, VIEWS, a_config
from tests.support.serve import served

SECONDS = 20.0


@dataclass(kw_only=True)
class Surroundings:
    """Both desks, a configuration, and what the daemon logs."""

    platform: PlatformSandbox
    partner: ZendeskSandbox
    config: Config
    folder: Path
    log: io.StringIO
    #: Where each desk is.
    addresses: dict[str, str]

    def open_ticket(self) -> str:
        deed = {"as": CUSTOMER, "do": "open", "subject": "Betreff", "body_html": "<p>Hilfe</p>"}
        done: Any = act(self.platform.platform.register, deed | {"view": VIEWS["acme"]})
        return str(done["ticket"]["id"])

    def twins(self) -> int:
        return len(self.partner.desk.account.tickets)

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.log.getvalue().splitlines()]

    def logged(self, event: str) -> dict[str, Any]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        (found,) = [line for line in lines if line["event"] == event]
        return dict(found)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not is_so():
                await asyncio.sleep(0.005)

    async def sent_count(self) -> int:
        """Writes in the journal without an answer."""
        store = open_store(self.folder / "syncd.db")
        try:
            runs = [await store.load_run(p.pair_id) for p in await store.find_pairs()]
            return sum(len(run.sent) for run in runs if run is not None)
        finally:
            await store.close()


@dataclass(kw_only=True)
class Daemon:
    """A running daemon and where it listens."""

    task: asyncio.Task[None]
    address: str

    async def stop(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await self.task


@contextlib.asynccontextmanager
async def surroundings(folder: Path, *, managed_at: str = "") -> AsyncIterator[Surroundings]:
    # Fast enough for a test: the withheld minute and the quota windows, nothing else.
    time = SandboxTime(scale=60)
    platform, partner = PlatformSandbox(PlatformDesk(time=time)), ZendeskSandbox(time=time)
    log = io.StringIO()
    configure(form="json", level="debug", stream=log)
    try:
        async with served(platform) as heroku, served(partner) as acme:
            addresses = {"heroku": heroku, "acme": acme}
            config = a_config(folder, addresses, SECRETS, managed_at=managed_at)
            yield Surroundings(
                platform=platform,
                partner=partner,
                config=config,
                folder=folder,
                log=log,
                addresses=addresses,
            )
    finally:
        structlog.reset_defaults()
    for secret in SECRETS.values():
        assert secret not in log.getvalue()
    assert "Hilfe" not in log.getvalue()


@contextlib.asynccontextmanager
async def a_daemon(around: Surroundings) -> AsyncIterator[Daemon]:
    """A daemon that has read its first page; ended at the end, if it lives."""
    addresses: list[str] = []
    task = asyncio.create_task(serve(around.config, on_ready=addresses.append))
    try:
        while not addresses and not task.done():
            await asyncio.sleep(0.005)
        if task.done():
            await task
        # Escalated before the first look, a ticket is history and a backfill's.
        await around.until(lambda: around.platform.log.request_count > 0)
        await asyncio.sleep(0.05)
        yield Daemon(task=task, address=addresses[0])
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(SECONDS):
                await task


async def test_it_says_when_it_is_ready_and_ends_in_order(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        async with a_daemon(around) as daemon:
            async with httpx.AsyncClient(base_url=daemon.address) as client:
                assert (await client.get("/readyz")).json() == {"ready": True}
                around.open_ticket()
                await around.until(lambda: around.twins() == 1)
                health = (await client.get("/healthz")).json()
            await daemon.stop()
        assert health["ready"] is True
        assert set(health["connections"]) == {"heroku", "acme"}
        assert {c["state"] for c in health["connections"].values()} == {"up"}
        details: Any = daemon_details(health)
        assert details["commits"]["count"] > 0
        assert {row["connection"] for row in details["requests"]} == {"heroku", "acme"}
        assert details["journal"]["sent"] >= 1
        assert all(row["accepted"] == 0 for row in details["webhooks"])
        daemons = [event for event in around.events() if event.startswith("daemon.")]
        assert daemons == ["daemon.started", "daemon.ready", "daemon.stopping", "daemon.stopped"]
        assert await around.sent_count() == 0
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient(base_url=daemon.address).get("/readyz")


async def test_it_makes_managed_webhooks_and_tells_how_they_are(tmp_path: Path) -> None:
    async with surroundings(tmp_path, managed_at="http://127.0.0.1:9") as around:
        async with a_daemon(around) as daemon, httpx.AsyncClient(base_url=daemon.address) as client:
            await around.until(lambda: around.events().count("webhook.mended") == 2)
            told = (await client.get("/healthz")).json()["webhooks"]
        assert set(told) == {"heroku", "acme"}
        assert {(each["state"], each["missed"]) for each in told.values()} == {("sound", 0)}
        hooks = around.partner.desk.webhooks.state()["webhooks"]
        assert [hook["endpoint"] for hook in hooks] == ["http://127.0.0.1:9/webhooks/acme"]


async def test_it_finishes_the_runs_in_progress_before_it_ends(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_daemon(around) as daemon:
        around.partner.faults.arm(Fault(action="hold_after", methods=frozenset({"POST"})))
        around.open_ticket()
        await around.partner.held.wait(SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        await around.until(lambda: "daemon.stopping" in around.events())
        await asyncio.sleep(0.1)
        assert not daemon.task.done()
        around.partner.held.release(Release())
        async with asyncio.timeout(SECONDS):
            await daemon.task
        assert await around.sent_count() == 0
        assert around.twins() == 1


async def test_it_waits_for_a_silent_desk_only_so_long_and_finds_the_write_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncd.daemon, "_GRACE_SECONDS", 0.1)
    async with surroundings(tmp_path) as around:
        async with a_daemon(around) as daemon:
            around.partner.faults.arm(Fault(action="hold_after", methods=frozenset({"POST"})))
            around.open_ticket()
            await around.partner.held.wait(SECONDS)
            await daemon.stop()
        assert "daemon.stopped" in around.events()
        assert await around.sent_count() == 1
        async with a_daemon(around):
            await around.until(lambda: "pair.reconciled" in around.events())
        assert around.twins() == 1
        assert await around.sent_count() == 0


async def test_a_poller_that_dies_takes_the_daemon_down_and_names_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with surroundings(tmp_path) as around:

        async def broken(self: PlatformConnector, cursor: str | None) -> None:
            raise KeyError("Hilfe")

        async with a_daemon(around) as daemon:
            monkeypatch.setattr(PlatformConnector, "read_changes", broken)
            with pytest.raises(KeyError):
                async with asyncio.timeout(SECONDS):
                    await daemon.task
        failed = around.logged("daemon.failed")
        assert (failed["level"], failed["reason"]) == ("critical", "KeyError")
        assert failed["place"].startswith("test_daemon.py:")
        assert "daemon.stopped" not in around.events()
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient(base_url=daemon.address).get("/healthz")


async def test_a_task_that_nobody_waits_for_and_that_dies_leaves_no_word_but_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def dying() -> None:
        raise ValueError("kanarienvogel")

    async with surroundings(tmp_path) as around, a_daemon(around):
        task = asyncio.create_task(dying(), name="kanarienname")
        await asyncio.wait([task])
        del task
        gc.collect()
        asyncio.get_running_loop().call_soon(int, "kanarienzahl")
        await around.until(lambda: around.events().count("task.failed") == 2)
    lines = [json.loads(line) for line in around.log.getvalue().splitlines()]
    failed = [line for line in lines if line["event"] == "task.failed"]
    assert [(line["level"], line["reason"]) for line in failed] == [("error", "ValueError")] * 2
    assert failed[0]["place"].startswith("test_daemon.py:")
    assert "kanarien" not in around.log.getvalue() + caplog.text


async def test_a_store_that_cannot_be_written_stops_the_daemon_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = functools.partial(open_store, busy_timeout_seconds=0.05)
    monkeypatch.setattr(syncd.app, "open_store", impatient)
    async with surroundings(tmp_path) as around:
        async with a_daemon(around) as daemon:
            await around.until(lambda: around.partner.log.request_count > 3)
            other = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            around.open_ticket()
            with pytest.raises(StoreUnavailable):
                async with asyncio.timeout(SECONDS):
                    await daemon.task
            other.close()
        assert around.logged("daemon.failed")["reason"] == "StoreUnavailable"
        async with a_daemon(around):
            await around.until(lambda: around.twins() == 1)


async def test_a_daemon_that_dies_hangs_up_on_whoever_is_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left who could answer, and what came now would begin what nobody ends."""
    impatient = functools.partial(open_store, busy_timeout_seconds=0.05)
    monkeypatch.setattr(syncd.app, "open_store", impatient)
    async with surroundings(tmp_path) as around, a_daemon(around) as daemon:
        _, _, port = daemon.address.rpartition(":")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"GET /readyz HTTP/1.1\r\nhost: syncd\r\n\r\n")
        assert b"200" in await reader.readline()
        other = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        around.open_ticket()
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(SECONDS):
                await daemon.task
        other.close()
        # Well before a connection without a request is cut off anyway.
        async with asyncio.timeout(2.0):
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        writer.close()


async def test_a_second_daemon_on_one_store_is_refused_and_the_first_goes_on(
    tmp_path: Path,
) -> None:
    async with surroundings(tmp_path) as around, a_daemon(around):
        with pytest.raises(StoreUnavailable) as caught:
            await serve(around.config)
        assert "already runs as daemon" in str(caught.value)
        assert "Stop the other one" in caught.value.hint
        around.open_ticket()
        await around.until(lambda: around.twins() == 1)


async def test_a_port_that_is_taken_is_said_before_anything_runs(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_daemon(around) as daemon:
        port = int(daemon.address.rpartition(":")[2])
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        addresses = {"heroku": "http://127.0.0.1:9", "acme": "http://127.0.0.1:9"}
        config = a_config(elsewhere, addresses, SECRETS, listen=f"127.0.0.1:{port}")
        with pytest.raises(OSError, match="in use"):
            await serve(config)
        # What the refused one held is free again.
        async with parts(config, owner="daemon"):
            pass


async def test_the_leases_of_a_killed_daemon_are_let_go_at_the_next_start(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        async with parts(around.config, owner="daemon") as killed:
            platform = killed.connectors[HEROKU]
            for owner in ("daemon", "backfill-acme-postgres"):
                ticket_id = around.open_ticket()
                sightings = await platform.fetch_many([TicketId(ticket_id)])
                (pair_id,) = await killed.intake.take(platform.name, sightings)
                await _lease(killed, pair_id, f"{owner}:0451")
            now = killed.clock.now()
            held = await killed.store.load_due(now)
            assert [at is not None for _, at in held] == [True, True]
        async with parts(around.config, owner="daemon") as again:
            due = dict(await again.store.load_due(now))
            assert [at is None for at in due.values()] == [True, False]


async def _lease(made: syncd.app.Parts, pair_id: PairId, token: str) -> None:
    now = made.clock.now()
    until = now + timedelta(minutes=5)
    await made.store.step(pair_id, token, Step(), now=now, lease_until=until)


@pytest.mark.parametrize("is_patient", [True, False])
async def test_what_was_left_over_is_run_when_both_desks_were_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_patient: bool
) -> None:
    """The mirror may be hours old on one side; a desk that does not answer holds up for so long."""
    monkeypatch.setattr(syncd.daemon, "_LOOK_SECONDS", SECONDS if is_patient else 0.3)
    monkeypatch.setattr(syncd.daemon, "_BEGIN_SECONDS", 0.1)
    async with surroundings(tmp_path) as around:
        async with parts(around.config, owner="daemon") as killed:
            platform = killed.connectors[HEROKU]
            sightings = await platform.fetch_many([TicketId(around.open_ticket())])
            assert await killed.intake.take(platform.name, sightings)
        around.partner.faults.arm(Fault(action="hold_after", path="/incremental/"))
        async with a_daemon(around):
            await around.partner.held.wait(SECONDS)
            await asyncio.sleep(0.6)
            assert around.twins() == (0 if is_patient else 1)
            around.partner.held.release(Release())
            await around.until(lambda: around.twins() == 1)
