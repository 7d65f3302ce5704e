"""SIGHUP: a sound configuration takes the old one's place, a wrong one changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from config.loaded import Config
from config.schema import Log
from connectors.sandbox import Fault
from syncd.core.errors import ConfigError, Problem
from syncd.daemon import serve
from syncd.log import logger
from syncd.supervisor import Supervisor
from tests.engine.test_daemon import SECONDS, Daemon, Surroundings, surroundings
from tests.engine.wiring import SECRETS, a_config


@contextlib.asynccontextmanager
async def a_daemon(
    around: Surroundings, read_again: Callable[[], Config], supervisor: Supervisor | None = None
) -> AsyncIterator[Daemon]:
    addresses: list[str] = []
    task = asyncio.create_task(
        serve(
            around.config,
            on_ready=addresses.append,
            read_again=read_again,
            supervisor=supervisor,
        )
    )
    try:
        await around.until(lambda: bool(addresses) or task.done())
        yield Daemon(task=task, address=addresses[0])
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await task


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def count(around: Surroundings, event: str) -> int:
    return around.events().count(event)


async def test_a_sound_configuration_takes_over_on_the_same_address(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        without_links = replace(around.config, links={})
        given = iter([without_links, around.config])
        async with a_daemon(around, lambda: next(given)) as daemon:
            hang_up()
            await around.until(lambda: count(around, "daemon.ready") == 2)
            ticket = around.open_ticket()
            async with httpx.AsyncClient(base_url=daemon.address) as client:
                assert (await client.get("/readyz")).status_code == 200
            assert around.twins() == 0
            hang_up()
            await around.until(lambda: count(around, "daemon.ready") == 3)
            # Its link was away when it was opened, so it is history there.
            assert ticket
            around.open_ticket()
            await around.until(lambda: around.twins() >= 1)
        assert count(around, "config.reloaded") == 2


async def test_work_in_progress_is_finished_first_and_nothing_is_doubled(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:
        async with a_daemon(around, lambda: around.config):
            held = Fault(action="delay_before", methods=frozenset({"POST"}), delay_seconds=0.3)
            around.partner.faults.arm(held)
            around.open_ticket()
            await around.until(lambda: "op.sent" in around.events())
            hang_up()
            await around.until(lambda: count(around, "daemon.ready") == 2)
            await around.until(lambda: around.twins() == 1)
        assert around.twins() == 1
        assert await around.sent_count() == 0


async def test_a_wrong_configuration_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    def wrong() -> Config:
        raise ConfigError((Problem(message="no such key", path="links.acme", line=7),))

    async with surroundings(tmp_path) as around:
        async with a_daemon(around, wrong):
            hang_up()
            await around.until(lambda: "config.refused" in around.events())
            around.open_ticket()
            await around.until(lambda: around.twins() == 1)
        assert "links.acme: no such key" in around.logged("config.refused")["reason"]
        assert count(around, "daemon.started") == 1


@pytest.mark.parametrize("what", ["store", "listen"])
async def test_what_one_process_has_once_is_not_changed_by_a_reload(
    tmp_path: Path, what: str
) -> None:
    async with surroundings(tmp_path) as around:
        if what == "store":
            other = replace(around.config, store=f"sqlite:///{tmp_path}/other.db")
        else:
            addresses = {"heroku": "http://127.0.0.1:9", "acme": "http://127.0.0.1:9"}
            folder = tmp_path / "other"
            folder.mkdir()
            elsewhere = a_config(folder, addresses, SECRETS, listen="127.0.0.1:9")
            other = replace(around.config, server=elsewhere.server)
        async with a_daemon(around, lambda: other):
            hang_up()
            await around.until(lambda: "config.refused" in around.events())
        assert "restart" in around.logged("config.refused")["reason"].lower()
        assert not (tmp_path / "other.db").exists()


async def test_the_supervisor_is_told_of_the_start_the_reload_and_the_end(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address)
        ear.setblocking(False)
        supervisor = Supervisor(address, watchdog_seconds=0.4)
        async with surroundings(tmp_path) as around:
            said: list[str] = []

            def is_ready_again() -> bool:
                # A full ear hears nothing more.
                said.extend(_all(ear))
                return count(around, "daemon.ready") == 2

            async with a_daemon(around, lambda: around.config, supervisor):
                await around.until(lambda: bool(around.events()))
                await asyncio.sleep(0.5)
                hang_up()
                await around.until(is_ready_again)
            said += _all(ear)
    kinds = [message.partition("=")[0] for message in said]
    assert kinds[0] in {"READY", "WATCHDOG"}
    assert "WATCHDOG" in kinds
    states = [kind for kind in kinds if kind != "WATCHDOG"]
    assert states == ["READY", "RELOADING", "READY", "STOPPING"]


def _all(ear: socket.socket) -> list[str]:
    said: list[str] = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(ear.recv(4096).decode())
    return said


async def test_signals_in_a_row_neither_kill_it_nor_get_lost(tmp_path: Path) -> None:
    # Where one finds nobody who hears it, this whole process dies of it.
    async with surroundings(tmp_path) as around:
        async with a_daemon(around, lambda: around.config) as daemon:
            for _ in range(100):
                hang_up()
                await asyncio.sleep(0.004)
            await around.until(
                lambda: count(around, "daemon.ready") == count(around, "config.reloaded") + 1
            )
            assert not daemon.task.done()
            around.open_ticket()
            await around.until(lambda: around.twins() == 1)
        assert count(around, "config.reloaded") >= 2


@pytest.mark.parametrize("is_first_sound", [True, False])
async def test_a_file_saved_again_while_it_is_read_is_read_again(
    tmp_path: Path, is_first_sound: bool
) -> None:
    async with surroundings(tmp_path) as around:
        given: list[Config] = []

        def read() -> Config:
            if not given:
                hang_up()
            given.append(around.config)
            if len(given) == 1 and not is_first_sound:
                raise ConfigError((Problem(message="half written"),))
            return around.config

        async with a_daemon(around, read):
            hang_up()
            await around.until(lambda: len(given) == 2)
            await around.until(lambda: count(around, "config.reloaded") == 1 + is_first_sound)


async def test_a_signal_to_end_is_not_lost_in_a_reload(tmp_path: Path) -> None:
    async with surroundings(tmp_path) as around:

        def read() -> Config:
            os.kill(os.getpid(), signal.SIGTERM)
            return around.config

        async with a_daemon(around, read) as daemon:
            hang_up()
            async with asyncio.timeout(SECONDS):
                await daemon.task
        assert around.events()[-1] == "daemon.stopped"


async def test_a_reload_changes_what_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with surroundings(tmp_path) as around:
        loud = replace(around.config, log=Log(format="json", level="debug"))
        quiet = replace(around.config, log=Log(format="json", level="error"))
        given = iter([loud, quiet])

        def is_logged(level: str) -> bool:
            getattr(logger(), level)("feed.polled", test=level)
            return f'"test": "{level}"' in capsys.readouterr().err

        async with a_daemon(around, lambda: next(given)):
            assert not is_logged("debug")
            hang_up()
            await around.until(lambda: is_logged("debug"))
            hang_up()
            await around.until(lambda: not is_logged("warning"))
            assert is_logged("error")


async def test_a_supervisor_hears_of_a_refused_reload(tmp_path: Path) -> None:
    def wrong() -> Config:
        raise ConfigError((Problem(message="no such key\nREADY=0", path="links.acme"),))

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        async with (
            surroundings(tmp_path) as around,
            a_daemon(around, wrong, Supervisor(ear.getsockname())),
        ):
            hang_up()
            await around.until(lambda: "config.refused" in around.events())
        ready, refused, ending = _all(ear)
    assert ready.startswith("READY=1\n")
    assert refused == "STATUS=a new configuration was refused, the former one stays"
    assert ending.startswith("STOPPING=1\n")
