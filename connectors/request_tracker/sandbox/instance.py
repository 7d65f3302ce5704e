"""One private Request Tracker 5 in a folder of its own: made, started, stopped, killed, restarted.

It listens on 127.0.0.1 only and is a process group of its own, of which exactly that is ended. It
is the Debian package's own code with its own database; nothing of the system's is touched.
Seeded as seed.pl says; `tokens` are those of its people by their names.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from connectors.request_tracker.sandbox.installed import (
    PERL,
    SERVER,
    SET_UP_DATABASE,
    environment,
    require_installed,
)
from connectors.request_tracker.sandbox.site_config import write_site_config

_SEED = Path(__file__).with_name("seed.pl")
_TOKENS = "tokens.json"
_DATABASE = "var"
#: The database as it was seeded, to go back to and to be copied.
_SEEDED = "seeded"
_READY_SECONDS = 60.0
_SET_UP_SECONDS = 120.0
_SCRIPT_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.05
_LOG_LINES = 15
# Below the ports that a system gives to outgoing connections, so that none takes ours meanwhile.
_PORTS = range(20_000, 32_000)


class NotWorking(Exception):
    """A program of RT failed; the message holds the end of what it said."""


class Instance:
    """One private Request Tracker; `make` makes it, `start` lets it answer."""

    def __init__(self, folder: Path, *, port: int | None = None, public_port: int | None = None):
        """Take the instance that is in `folder`; it does not run yet.

        Links that RT shows lead to `public_port`, where somebody stands before it.
        """
        self.folder = folder.resolve()
        self.port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None
        write_site_config(self.folder, port=self.port if public_port is None else public_port)

    @property
    def address(self) -> str:
        """Where it listens; the same over restarts."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.folder / "rt.log"

    @property
    def tokens(self) -> Mapping[str, str]:
        """The authentication token of each of its people."""
        found: dict[str, str] = json.loads((self.folder / _TOKENS).read_text("utf-8"))
        return found

    @property
    def pid(self) -> int | None:
        """The server's process, which leads a group of its own; None while it does not run."""
        return None if self._process is None else self._process.pid

    def make(self) -> None:
        """Set up an empty database and seed it. Raises NotInstalled, NotWorking."""
        require_installed()
        command = [str(SET_UP_DATABASE), "--action", "init", "--skip-create"]
        _run(self.folder, command, _SET_UP_SECONDS)
        told = json.loads(self.perl(_SEED.read_text("utf-8")).splitlines()[-1])
        file = self.folder / _TOKENS
        file.touch(mode=0o600)
        file.write_text(json.dumps(told["tokens"]), encoding="utf-8")
        shutil.copytree(self.folder / _DATABASE, self.folder / _SEEDED)

    @property
    def is_made(self) -> bool:
        """Whether there is a seeded database already."""
        return (self.folder / _SEEDED).exists()

    def copy_of(self, made: Path) -> None:
        """Take over the seeded database and the tokens of another instance: quicker than `make`."""
        shutil.copy2(made / _TOKENS, self.folder / _TOKENS)
        shutil.copytree(made / _SEEDED, self.folder / _SEEDED)
        self.reset()

    def reset(self) -> None:
        """Go back to what was seeded; it must not run."""
        shutil.rmtree(self.folder / _DATABASE)
        shutil.copytree(self.folder / _SEEDED, self.folder / _DATABASE)

    def start(self, *, workers: int = 3) -> None:
        """Start it; it answers when this returns. Raises NotInstalled, NotWorking."""
        require_installed()
        command = [str(SERVER), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as stream:
            self._process = subprocess.Popen(
                [*command, "--max-workers", str(workers)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment(self.folder),
                cwd=self.folder,
                start_new_session=True,
            )
        try:
            self._wait_ready(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Let it finish what it does and end; nothing where it does not run."""
        process = self._process
        if process is None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and its workers without warning; nothing where it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        # The group outlives its leader while a worker is left.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self, *, workers: int = 3) -> None:
        """Stop it, and start it with the same database on the same port."""
        self.stop()
        self.start(workers=workers)

    def perl(self, script: str, *arguments: str) -> str:
        """Run a script inside this RT, see `run_perl`."""
        return run_perl(self.folder, script, *arguments)

    def last_lines(self) -> str:
        """The end of the server's log."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-_LOG_LINES:])

    def mails(self) -> str:
        """Everything that it mailed, one mbox."""
        boxes = sorted((self.folder / _DATABASE).glob("*.mbox"))
        return "".join(box.read_text("utf-8", "replace") for box in boxes)

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if process.poll() is not None:
                raise NotWorking(f"RT ended with {process.returncode}:\n{self.last_lines()}")
            if self._answers():
                return
            threading.Event().wait(_LOOK_SECONDS)
        raise NotWorking(f"RT did not get ready:\n{self.last_lines()}")

    def _answers(self) -> bool:
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_READY_SECONDS)
        try:
            asked.request("GET", "/REST/2.0/rt")
            # Without a token: 401 says that all of it is there.
            return asked.getresponse().status in {200, 401}
        except OSError:
            return False
        finally:
            asked.close()


def run_perl(folder: Path, script: str, *arguments: str) -> str:
    """Run a script inside the RT of a folder, as its administrator would; returns what it printed.

    It sees the database whether the server runs or not. Raises NotWorking.
    """
    return _run(folder, [str(PERL), "-", *arguments], _SCRIPT_SECONDS, script)


def _run(folder: Path, command: list[str], seconds: float, script: str = "") -> str:
    try:
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            env=environment(folder),
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise NotWorking(f"{command[0]} took more than {seconds:g} s") from expired
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_LINES:])
        raise NotWorking(f"{command[0]} ended with {done.returncode}:\n{said}")
    return done.stdout


def free_port() -> int:
    """A port of the loopback address that nobody listens on. Raises NotWorking."""
    for port in random.sample(_PORTS, k=100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NotWorking("no free port between 20000 and 32000")
