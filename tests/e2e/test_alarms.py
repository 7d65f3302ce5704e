"""Alarms of a daemon in a process of its own: killed, it is told of once, whatever comes after."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from syncd.cli.demo.scene import set_up
from syncd.cli.exit_code import ExitCode
from tests.e2e.test_daemon import POLLING
from tests.support.mail_server import MailServer

CRASHED = "[e2e] the daemon was started again after a crash"
_SECONDS = 30.0


@contextlib.contextmanager
def a_mail_server_beside() -> Iterator[MailServer]:
    """In a thread, because the test waits for processes."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = MailServer()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def alarms(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "syncd", "alarms", *words, "--config", str(config)]
    return subprocess.run(
        [*command, "--format", "json"], capture_output=True, text=True, check=False, timeout=60
    )


def until_mails(mail: MailServer, count: int) -> None:
    ends_at = time.monotonic() + _SECONDS
    while len(mail.mails) < count:
        assert time.monotonic() < ends_at, mail.subjects
        time.sleep(0.1)


def test_a_killed_daemon_is_told_of_once_by_the_next_one(folder: Path) -> None:
    with a_mail_server_beside() as mail, set_up(folder, POLLING) as scene:
        daemon = scene.world.daemon
        assert daemon.stop() == ExitCode.OK
        wanted = yaml.safe_load(daemon.config.read_text(encoding="utf-8"))
        (folder / "ops-mail").write_text(mail.address(), encoding="utf-8")
        address = "${file:" + str(folder / "ops-mail") + "}"
        wanted["alarms"] = {"name": "e2e", "routes": {"ops": {"to": address}}}
        daemon.config.write_text(yaml.safe_dump(wanted), encoding="utf-8")

        assert alarms(daemon.config, "test").returncode == ExitCode.OK
        assert mail.subjects == ["[e2e] test of route ops"]
        daemon.start()
        daemon.kill()
        daemon.start()
        until_mails(mail, 2)
        assert mail.subjects[1:] == [CRASHED]
        assert daemon.stop() == ExitCode.OK
        daemon.start()
        # Longer than it takes to look.
        time.sleep(6)
        assert mail.subjects[1:] == [CRASHED]
        listed = alarms(daemon.config, "list")
        assert listed.returncode == ExitCode.ATTENTION
        (row,) = json.loads(listed.stdout)["alarms"]
        assert (row["kind"], row["told"]) == ("daemon_crashed", ["ops"])
