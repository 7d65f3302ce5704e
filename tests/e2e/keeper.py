"""systemd in miniature, for one unit of `Type=notify`: it starts, hears, and starts again.

It follows what our own unit says of restarts; only its times are shorter. Messages count from the
main process alone (`NotifyAccess=main`).
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from syncd.cli.demo.processes import NotStarted, daemon_address
from tests.meta.project import ROOT

UNIT = (ROOT / "config" / "systemd" / "syncd.service").read_text("utf-8")
#: What systemd takes for an end in order.
_CLEAN = {0, -signal.SIGHUP, -signal.SIGINT, -signal.SIGTERM, -signal.SIGPIPE}
_LOOK_SECONDS = 0.02
_READY_SECONDS = 60.0
_LOG_LINES = 15
_CREDENTIALS = struct.Struct("3i")


def setting(name: str) -> str:
    """A value of the unit; empty where it is not set."""
    found = re.search(rf"^{name}=(.*)$", UNIT, flags=re.MULTILINE)
    return "" if found is None else found[1]


class Keeper:
    """The unit; to whoever uses it, one process that may have several lives."""

    def __init__(self, config: Path, *, watchdog_seconds: float = 60.0) -> None:
        self.config = config
        self.log = config.with_name("daemon.log")
        #: Every line that was told, in order, with the process that told it.
        self.heard: list[tuple[int, str]] = []
        #: How each life ended.
        self.deaths: list[int] = []
        self.address = ""
        self._watchdog_seconds = watchdog_seconds
        self._alive_at = time.monotonic()
        self._is_ready = threading.Event()
        self._is_wanted = True
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._ear.settimeout(_LOOK_SECONDS)
        self._ear.bind(f"\0syncd-keeper-{os.getpid()}-{id(self)}")
        self._process = self._born()
        self._keeping = threading.Thread(target=self._keep, daemon=True)
        self._keeping.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while there is a life, or one to come."""
        return None if self._keeping.is_alive() else self.deaths[-1]

    def wait_ready(self) -> None:
        """Wait for a life that says so, and take its address. Raises NotStarted."""
        if not self._is_ready.wait(_READY_SECONDS) or not self._keeping.is_alive():
            raise NotStarted(f"nothing got ready:\n{self.last_lines()}")
        lines = self.log.read_text("utf-8").splitlines()
        self.address = next(filter(None, map(daemon_address, reversed(lines))))

    def told(self, *, pid: int | None = None) -> list[str]:
        """What was told but signs of life, by one process or by all."""
        return [line for who, line in self.heard if pid in (None, who) and line != "WATCHDOG=1"]

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def pause(self) -> None:
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def terminate(self) -> None:
        self._is_wanted = False
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGTERM)

    def stop(self) -> int:
        """`systemctl stop`: asked to end, killed if it does not."""
        self.terminate()
        self._keeping.join(float(setting("TimeoutStopSec").removesuffix("s")))
        if self._keeping.is_alive():
            self.kill()
            self._keeping.join()
        self._ear.close()
        return self.deaths[-1]

    def last_lines(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])

    def _born(self) -> subprocess.Popen[bytes]:
        name = self._ear.getsockname().decode()
        wanted = {
            "NOTIFY_SOCKET": "@" + name.removeprefix("\0"),
            "WATCHDOG_USEC": str(int(self._watchdog_seconds * 1e6)),
        }
        with self.log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                env={**os.environ, **wanted},
            )
        # The watchdog's signal would leave a core file.
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
        return process

    def _keep(self) -> None:
        while True:
            self._listen()
            code = self._process.poll()
            if code is None:
                is_late = time.monotonic() - self._alive_at > self._watchdog_seconds
                if self._is_ready.is_set() and is_late:
                    self._is_ready.clear()
                    self.send(signal.SIGABRT)
                continue
            self._is_ready.clear()
            self.deaths.append(code)
            if not self._is_wanted or not _is_restarted(code):
                self._is_ready.set()
                return
            self._process = self._born()

    def _listen(self) -> None:
        try:
            data, extra, _, _ = self._ear.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        except TimeoutError:
            return
        pid = next(_CREDENTIALS.unpack(each)[0] for _, _, each in extra)
        if pid != self._process.pid:
            return
        for line in data.decode().splitlines():
            self.heard.append((pid, line))
            if line in ("WATCHDOG=1", "READY=1"):
                self._alive_at = time.monotonic()
            if line == "READY=1":
                self._is_ready.set()


def _is_restarted(code: int) -> bool:
    """As `Restart=on-failure` has it, but for what the unit excepts."""
    assert setting("Restart") == "on-failure"
    prevented = {int(word) for word in setting("RestartPreventExitStatus").split()}
    return code not in _CLEAN | prevented


def kept(config: Path, *, watchdog_seconds: float = 60.0) -> Keeper:
    """Start a daemon under a keeper; ready when it returns. Raises NotStarted."""
    keeper = Keeper(config, watchdog_seconds=watchdog_seconds)
    try:
        keeper.wait_ready()
    except BaseException:
        keeper.stop()
        raise
    return keeper
