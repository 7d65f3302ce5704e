"""Daemons in quick succession: one process imports everything once, and each is forked off it.

A forked daemon is a process like any other, with its own memory, files and connections, and dies of
SIGKILL like any other; it only saves the second that Python needs to import it. Tests that start
it the way a supervisor does are in test_daemon.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from syncd.cli.demo.processes import NotStarted, Process, daemon_address, start_daemon

REPOSITORY = Path(__file__).resolve().parents[2]
_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOG_LINES = 15

#: Beside a configuration, JSON: at which `commit` of its store the next daemon kills itself,
#: counted from its start, and whether `before_commit` or `after_commit`, with nobody told yet.
DEATH = "death.json"

# Reads one JSON line for each daemon: its configuration, its log and how it dies; answers with its
# process id.
_TEMPLATE = """
import gc, json, os, signal, sys
import syncd.daemon, syncd.cli.run, syncd.store.migrate, connectors.platform.connector
import connectors.zendesk.connector
from syncd.cli import main
# Nobody waits for the children: the system clears them away.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
gc.freeze()

def die_at(orders):
    from syncd.store.writer import Writer
    commits = 0
    def blow(self, moment):
        nonlocal commits
        if moment != orders["moment"]:
            return
        commits += 1
        if commits == orders["commit"]:
            os.kill(os.getpid(), signal.SIGKILL)
    Writer._blow = blow

print("ready", flush=True)
for line in sys.stdin:
    wanted = json.loads(line)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0), os.dup2(log, 1), os.dup2(log, 2)
        if wanted["death"]:
            die_at(wanted["death"])
        sys.argv = ["syncd", "run", "--config", wanted["config"]]
        try:
            main()
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 0)
        os._exit(0)
    print(pid, flush=True)
"""


class Forked:
    """One daemon of the nursery, watched by a descriptor: its id cannot become another's."""

    def __init__(self, pid: int, log: Path, seen: int) -> None:
        self.pid = pid
        self.address = ""
        self._log = log
        self._seen = seen
        self._descriptor = os.pidfd_open(pid)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 0 afterwards, because only a parent is told more."""
        return 0 if self._has_ended(0) else None

    def wait_ready(self) -> None:
        """Wait for its address. Raises NotStarted."""
        for _ in range(int(_READY_SECONDS / 0.01)):
            has_ended = self._has_ended(0.01)
            with self._log.open("rb") as stream:
                stream.seek(self._seen)
                new = stream.read().decode("utf-8", "replace")
            for line in new.splitlines():
                if (address := daemon_address(line)) is not None:
                    self.address = address
                    return
            if has_ended:
                break
        raise NotStarted(f"the forked daemon did not get ready:\n{self.last_lines()}")

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        if not self._has_ended(_STOP_SECONDS):
            raise NotStarted(f"{self.pid} does not die")
        os.close(self._descriptor)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)
        self.resume()

    def stop(self) -> int:
        self.terminate()
        if not self._has_ended(_STOP_SECONDS):
            self.kill()
            return -signal.SIGKILL
        os.close(self._descriptor)
        return 0

    def last_lines(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])

    def _send(self, number: signal.Signals) -> None:
        """As `Popen.send_signal`: whoever has died in this moment gets none."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def _has_ended(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])


@contextlib.contextmanager
def nursery() -> Iterator[Callable[[Path], Process]]:
    """Yields a function that starts a daemon with a configuration and returns it ready."""
    if not hasattr(os, "pidfd_open"):
        # Linux alone has such descriptors; elsewhere every daemon is started the slow way.
        yield start_daemon
        return
    template = subprocess.Popen(
        [sys.executable, "-c", _TEMPLATE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert template.stdin is not None
    assert template.stdout is not None
    stdin, stdout = template.stdin, template.stdout
    stdout.readline()

    def start(config: Path) -> Process:
        log = config.with_name("daemon.log")
        log.touch()
        seen = log.stat().st_size
        orders = config.with_name(DEATH)
        death = json.loads(orders.read_text()) if orders.exists() else None
        line = {"config": str(config), "log": str(log), "death": death}
        stdin.write(json.dumps(line) + "\n")
        stdin.flush()
        forked = Forked(int(stdout.readline()), log, seen)
        try:
            forked.wait_ready()
        except BaseException:
            forked.stop()
            raise
        return forked

    try:
        yield start
    finally:
        stdin.close()
        template.wait(_STOP_SECONDS)
        stdout.close()
