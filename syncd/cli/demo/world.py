"""What a story may use: both desks, the daemon's life and death, and waiting for what must follow.

The demo and the end-to-end tests play the same steps; what they do differently while they wait
(show a screen, kill the daemon) they hand in as `between`.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from syncd.cli.demo.compare import Agreement
from syncd.cli.demo.desks import PartnerDesk, StoryDesk
from syncd.cli.demo.processes import NotStarted, Process, start_daemon
from syncd.cli.demo.snapshot import Json

_LOOK_SECONDS = 0.05
_REPORT_SECONDS = 30.0


class NotReached(Exception):
    """What had to follow did not; the message says what both desks show instead."""


class Daemon:
    """The daemon as a supervisor sees it: a process to start, stop, kill and start again."""

    def __init__(self, config: Path, *, start: Callable[[Path], Process] = start_daemon) -> None:
        self.config = config
        self._start = start
        self._started: Process | None = None

    @property
    def process(self) -> Process:
        """The running process. Raises NotStarted when there is none."""
        if self._started is None:
            raise NotStarted("the daemon does not run")
        return self._started

    def start(self) -> None:
        """Start it; it is ready when this returns. Raises NotStarted."""
        self._started = self._start(self.config)

    def require_alive(self) -> None:
        """Raises NotReached, with the end of its log, when it ended by itself."""
        code = self.process.exit_code
        if code is not None:
            raise NotReached(f"the daemon ended with {code}:\n{self.process.last_lines()}")

    def stop(self) -> int | None:
        """End it in order; returns its exit code, None when it did not run."""
        code = self._started.stop() if self._started is not None else None
        self._started = None
        return code

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self._started = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let it stand still for a while: what happens meanwhile, happens at once for it."""
        self.process.pause()
        try:
            yield
        finally:
            self.process.resume()

    def report(self, *words: str) -> Json:
        """What a command of syncd reports as JSON, beside the running daemon.

        Raises NotReached with what the command said.
        """
        command = [sys.executable, "-m", "syncd", *words]
        command += ["--config", str(self.config), "--format", "json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_REPORT_SECONDS, check=False
        )
        try:
            found: Json = json.loads(done.stdout)
        except ValueError:
            raise NotReached(f"syncd {' '.join(words)}: {done.stderr[-500:]}") from None
        return found


class World:
    """Both desks and the daemon between them."""

    def __init__(
        self,
        *,
        platform: StoryDesk,
        partner: PartnerDesk,
        daemon: Daemon,
        agreement: Agreement,
    ) -> None:
        self.platform = platform
        self.partner = partner
        self.daemon = daemon
        self.agreement = agreement
        #: Called again and again while something is waited for.
        self.between: Callable[[], None] = lambda: None

    def wait_until(self, what: str, problems: Callable[[], list[str]], *, seconds: float) -> None:
        """Wait until there are no problems. Raises NotReached with those that are left."""
        until = time.monotonic() + seconds
        while left := problems():
            if time.monotonic() > until:
                listed = "\n  ".join(left)
                raise NotReached(f"{what} was not reached within {seconds:g} s:\n  {listed}")
            self.between()
            self.rest(_LOOK_SECONDS)

    def wait_quiet(self, *, seconds: float, at_most: float = 30.0) -> None:
        """Wait until neither desk was written to for `seconds`. Raises NotReached."""
        until = time.monotonic() + at_most
        written, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            if time.monotonic() > until:
                raise NotReached(f"the daemon still writes after {at_most:g} s")
            self.between()
            now = self.platform.write_count() + self.partner.write_count()
            if now != written:
                written, since = now, time.monotonic()
            self.rest(_LOOK_SECONDS)

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        threading.Event().wait(seconds)
