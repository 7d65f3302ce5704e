"""Start the desks and the daemon as processes of their own, and end exactly those.

Each writes into a log of its own; a process that dies before it is ready raises `NotStarted` with
the end of that log. Everything listens on the loopback address only.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.02
_LOG_LINES = 15
# Below the ports that a system gives to outgoing connections, so that none takes ours while the
# daemon is down.
_PORTS = range(20_000, 32_000)
_READY_EVENT = "daemon.ready"


class NotStarted(Exception):
    """A process did not get ready; the message holds the last lines of its log."""


class Process(Protocol):
    """A process that can be stopped in every way."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    @property
    def address(self) -> str:
        """Where it listens."""
        ...

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, negative for the signal that killed it."""
        ...

    def pause(self) -> None:
        """Stop it where it stands (SIGSTOP)."""
        ...

    def resume(self) -> None:
        """Let it go on."""
        ...

    def kill(self) -> None:
        """End it without warning (SIGKILL)."""
        ...

    def terminate(self) -> None:
        """Ask it to end in order (SIGTERM), and do not wait."""
        ...

    def stop(self) -> int:
        """Ask it to end, wait, kill it when it does not; returns its exit code."""
        ...

    def last_lines(self) -> str:
        """The end of its log."""
        ...


class Started:
    """One running process of ours, and the address it told."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self.address = ""
        self._seen = log.stat().st_size if log.exists() else 0
        with log.open("ab") as stream:
            # A group of its own: Ctrl-C reaches us alone, and we end the others in order.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def wait_ready(self, address_in: Callable[[str], str | None]) -> None:
        """Wait for the line that tells the address. Raises NotStarted."""
        for _ in range(int(_READY_SECONDS / _LOOK_SECONDS)):
            # Before the log: what a process says last must still be read.
            has_ended = self.exit_code is not None
            for line in self._new_lines():
                if (address := address_in(line)) is not None:
                    self.address = address
                    return
            if has_ended:
                raise NotStarted(f"{self.name} ended with {self.exit_code}:\n{self.last_lines()}")
            self._pause()
        raise NotStarted(f"{self.name} did not get ready:\n{self.last_lines()}")

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        if self.exit_code is None:
            self.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait()

    def last_lines(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    def _pause(self) -> None:
        try:
            self._process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            return

    def _new_lines(self) -> list[str]:
        with self.log.open("rb") as stream:
            stream.seek(self._seen)
            new = stream.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._seen += len(whole)
        return whole.decode("utf-8", "replace").splitlines()


def start_sandbox(kind: str, folder: Path, *options: str) -> Started:
    """Start a desk in miniature on a free port; ready when it returns. Raises NotStarted."""
    command = [sys.executable, "-m", f"connectors.{kind}.sandbox", "--port", "0", *options]
    started = Started(f"the {kind} sandbox", command, folder / f"{kind}.log")
    return _ready(started, _sandbox_address)


def start_daemon(config: Path) -> Started:
    """Start the daemon; ready when it returns. Raises NotStarted."""
    command = [sys.executable, "-m", "syncd", "run", "--config", str(config)]
    return _ready(Started("the daemon", command, config.with_name("daemon.log")), daemon_address)


def _ready(started: Started, address_in: Callable[[str], str | None]) -> Started:
    try:
        started.wait_ready(address_in)
    except BaseException:
        started.stop()
        raise
    return started


def _sandbox_address(line: str) -> str | None:
    found = _object(line).get("ready")
    return found if isinstance(found, str) else None


def daemon_address(line: str) -> str | None:
    """The address in the daemon's log line that says it is ready; None in every other line."""
    told = _object(line)
    return str(told.get("address")) if told.get("event") == _READY_EVENT else None


def _object(line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def free_port() -> int:
    """A port of the loopback address that nobody listens on; it stays the same over restarts."""
    for port in random.sample(_PORTS, k=100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NotStarted("no free port between 20000 and 32000")
