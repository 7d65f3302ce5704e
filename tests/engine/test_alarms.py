"""A real daemon, real desks and a real mail server: who is told what, and how often."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import syncd.alarms.look
import syncd.alarms.watch
import syncd.engine.health
from config.alarms import Alarms
from config.loaded import Config
from connectors.sandbox import Fault
from syncd.core.alarm import Alarm
from syncd.core.model import LinkName
from syncd.core.work import Park
from syncd.daemon import serve
from syncd.store import open_reader, open_store
from tests.engine.test_daemon import SECONDS, Surroundings, surroundings
from tests.engine.wiring import LINK
from tests.support.mail_server import MailServer, a_mail_server

DOWN = "[prod] acme does not answer"
BACK = "[prod] Over: acme answers again"
_NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LEAK = "[prod] A PRIVATE COMMENT CAME OUT PUBLIC on acme-postgres"


@pytest.fixture(autouse=True)
def _sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncd.alarms.watch, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(syncd.alarms.watch, "_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(syncd.alarms.look, "_STORE_SECONDS", 0.0)
    monkeypatch.setattr(syncd.engine.health, "_STEADY", timedelta(milliseconds=100))


def with_alarms(config: Config, **routes: Mapping[str, Any]) -> Config:
    values = {"name": "prod", "after": {"connection_down": "100ms"}, "routes": routes}
    return replace(config, alarms=Alarms.model_validate(values))


@contextlib.asynccontextmanager
async def a_daemon(config: Config) -> AsyncIterator[None]:
    addresses: list[str] = []
    task = asyncio.create_task(serve(config, on_ready=addresses.append, read_again=lambda: config))
    try:
        async with asyncio.timeout(SECONDS):
            while not addresses and not task.done():
                await asyncio.sleep(0.01)
        yield
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await task


@contextlib.contextmanager
def an_outage(around: Surroundings) -> Iterator[None]:
    fault = Fault(action="html", status=503, times=None)
    around.partner.faults.arm(fault)
    try:
        yield
    finally:
        around.partner.faults.clear()


async def record(around: Surroundings) -> list[Alarm]:
    reader = open_reader(around.folder / "syncd.db")
    try:
        return list(await reader.alarms())
    finally:
        await reader.close()


async def until_told(around: Surroundings, count: int) -> None:
    await around.until(lambda: around.events().count("alarm.told") >= count)


async def test_a_desk_that_goes_and_comes_back_is_told_twice_and_a_restart_adds_nothing(
    tmp_path: Path,
) -> None:
    async with surroundings(tmp_path) as around, a_mail_server() as mail:
        config = with_alarms(around.config, ops={"to": mail.address()})
        with an_outage(around):
            async with a_daemon(config):
                await until_told(around, 1)
            assert mail.subjects == [DOWN]
            assert "Connection: acme" in mail.text()
            assert "What helps: syncd status" in mail.text()
            async with a_daemon(config):
                # Down again, and told before.
                await around.until(lambda: around.events().count("connection.down") >= 2)
                await asyncio.sleep(0.5)
            assert mail.subjects == [DOWN]
        async with a_daemon(config):
            await until_told(around, 2)
            await asyncio.sleep(0.3)
        assert mail.subjects == [DOWN, BACK]
        (alarm,) = await record(around)
        assert alarm.over_at is not None
        assert alarm.told["ops"].is_over


async def test_what_a_mail_server_that_is_away_could_not_take_comes_later(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_mail_server() as mail:
        await mail.stop()
        config = with_alarms(around.config, ops={"to": mail.address()})
        with an_outage(around):
            async with a_daemon(config):
                await around.until(lambda: around.events().count("alarm.untold") >= 2)
            # It is owed across a restart, and the desk's return beside it.
        async with a_daemon(config):
            await around.until(lambda: "alarm.over" in around.events())
            # What was on its way meanwhile was written before that.
            tries = around.events().count("alarm.untold")
            await around.until(lambda: around.events().count("alarm.untold") >= tries + 2)
            await mail.start()
            await until_told(around, 1)
            await asyncio.sleep(0.3)
        assert mail.subjects == ["[prod] Was, and is over: acme does not answer"]
        assert "until" in mail.text()


async def test_tickets_travel_while_messages_hang(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        writers: list[asyncio.StreamWriter] = []
        silent = await asyncio.start_server(
            lambda _, writer: writers.append(writer), "127.0.0.1", 0
        )
        hanging = MailServer(port=silent.sockets[0].getsockname()[1]).address()
        config = with_alarms(around.config, ops={"to": hanging})
        store = open_store(around.folder / "syncd.db")
        await store.park_link(LinkName("gone"), Park(reason="leak", hint=""), now=_NOW)
        await store.close()
        async with a_daemon(config):
            await around.until(lambda: bool(writers))
            around.open_ticket()
            await around.until(lambda: around.twins() == 1)
        for writer in writers:
            writer.close()
        silent.close()


async def test_each_route_is_told_of_what_concerns_it(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_mail_server() as mail:
        leaks = {"to": mail.address(), "kinds": ["leak"]}
        downs = {"to": mail.address(), "kinds": ["connection_down"], "connections": ["acme"]}
        config = with_alarms(around.config, leaks=leaks, downs=downs)
        async with a_daemon(config):
            with an_outage(around):
                await until_told(around, 1)
                assert mail.subjects == [DOWN]
        told = {name for alarm in await record(around) for name in alarm.told}
        assert told == {"downs"}


async def test_a_leak_is_told_at_once_and_when_the_link_goes_on(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_mail_server() as mail:
        config = with_alarms(around.config, ops={"to": mail.address()})
        store = open_store(around.folder / "syncd.db")
        await store.park_link(LINK, Park(reason="leak", hint="secret words"), now=_NOW)
        async with a_daemon(config):
            await until_told(around, 1)
            assert mail.subjects == [LEAK]
            assert "syncd retry --link acme-postgres" in mail.text()
            assert "secret words" not in mail.text()
            await store.unpark_link(LINK, actor="cli:ada", now=_NOW)
            await until_told(around, 2)
        await store.close()
        assert mail.subjects[1] == "[prod] Over: acme-postgres goes on after a leak"


async def test_a_daemon_that_was_killed_is_told_by_the_next_one(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_mail_server() as mail:
        config = with_alarms(around.config, ops={"to": mail.address()})
        store = open_store(around.folder / "syncd.db")
        await store.begin_life(now=_NOW)
        await store.close()
        async with a_daemon(config):
            await until_told(around, 1)
        async with a_daemon(config):
            await asyncio.sleep(0.3)
        assert mail.subjects == ["[prod] the daemon was started again after a crash"]


async def test_a_route_that_a_reload_adds_is_told_of_what_is_on(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around, a_mail_server() as mail:
        before = with_alarms(around.config)
        after = with_alarms(around.config, ops={"to": mail.address()})
        store = open_store(around.folder / "syncd.db")
        await store.park_link(LINK, Park(reason="leak", hint=""), now=_NOW)
        await store.close()
        addresses: list[str] = []
        task = asyncio.create_task(
            serve(before, on_ready=addresses.append, read_again=lambda: after)
        )
        await around.until(lambda: bool(addresses) or task.done())
        assert await record(around) == []
        os.kill(os.getpid(), signal.SIGHUP)
        await until_told(around, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        await task
        assert mail.subjects == [LEAK]
