"""A real Request Tracker 5 for tests: one for the whole session, and private ones by and by.

Skips where RT is not installed; `SYNCD_FORBID_SKIPS=request_tracker` makes that a failure. The
seed is made once for all workers of pytest-xdist; the shared instance ends with the process that
started them all, however that ends. A test on the shared one makes a queue of its own; whoever
stops, kills or strains RT takes a private one, of which there are at most two at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.request_tracker.sandbox import (
    INSTALL_COMMAND,
    Instance,
    NotInstalled,
    require_installed,
    run_perl,
)
from syncd.cli.demo.processes import Started
from syncd.cli.demo.request_tracker import RequestTracker

_PRIVATE_ONES = 2
# The shared instance outlives the fixture that started it, for the sake of the other workers.
_RUNNING: list[Started] = []


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an instance can be met."""

    #: Where the daemon meets it: behind the chassis, with faults and the request log.
    address: str
    #: RT itself.
    direct: str
    folder: Path

    @property
    def tokens(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "tokens.json").read_text("utf-8"))
        return found

    def people(self) -> RequestTracker:
        """Its people, who write past the chassis. To be closed."""
        return RequestTracker(self.direct, self.tokens)

    def perl(self, script: str, *arguments: str) -> str:
        """Run Perl as RT's administrator. Raises NotWorking."""
        return run_perl(self.folder, script, *arguments)


def skip_unless_installed() -> None:
    """Skip the test on a machine without RT; the reason has the word that CI forbids."""
    try:
        require_installed()
    except NotInstalled as error:
        pytest.skip(f"request_tracker: {error}; `{INSTALL_COMMAND}` installs it")


@pytest.fixture(scope="session")
def rt_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a seeded instance that never runs, to be copied."""
    skip_unless_installed()
    folder = _common_folder(tmp_path_factory) / "request-tracker-seed"
    with _locked(folder.with_suffix(".lock")):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            Instance(folder).make()
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def request_tracker(rt_seed: Path) -> Place:
    """One running instance for everybody; it ends with the process that started the workers."""
    folder = rt_seed.with_name("request-tracker-shared")
    told = folder / "place.json"
    with _locked(folder.with_suffix(".lock")):
        if not told.exists():
            folder.mkdir()
            started = _start(folder, rt_seed, until_ends=_root_process())
            _RUNNING.append(started)
            told.write_text(json.dumps(_told(started)), encoding="utf-8")
    return _place(json.loads(told.read_text("utf-8")))


PrivateOnes = Callable[[Path], contextlib.AbstractContextManager[Place]]


@pytest.fixture(scope="session")
def private_request_tracker(rt_seed: Path) -> PrivateOnes:
    """Starts an instance in a folder for one test, once there is room for it."""

    @contextlib.contextmanager
    def start(folder: Path) -> Iterator[Place]:
        folder.mkdir(parents=True, exist_ok=True)
        with _room(rt_seed.parent):
            started = _start(folder, rt_seed, until_ends=os.getpid())
            try:
                yield _place(_told(started))
            finally:
                started.stop()

    return start


Room = Callable[[], contextlib.AbstractContextManager[None]]


@pytest.fixture(scope="session")
def rt_room(rt_seed: Path) -> Room:
    """Waits for the room of a private instance that a test starts by itself."""
    return lambda: _room(rt_seed.parent)


def _start(folder: Path, seed: Path, *, until_ends: int) -> Started:
    command = [sys.executable, "-m", "connectors.request_tracker.sandbox"]
    command += ["--folder", str(folder), "--like", str(seed), "--until-ends", str(until_ends)]
    started = Started("Request Tracker", command, folder / "sandbox.log")
    try:
        started.wait_ready(lambda line: json.loads(line)["ready"] if "ready" in line else None)
    except BaseException:
        started.stop()
        raise
    return started


def _told(started: Started) -> dict[str, str]:
    lines = started.log.read_text("utf-8").splitlines()
    found: dict[str, str] = json.loads(next(line for line in lines if '"ready"' in line))
    return found


def _place(told: dict[str, str]) -> Place:
    return Place(address=told["ready"], direct=told["direct"], folder=Path(told["folder"]))


def _common_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole session: a worker's own is below it."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _root_process() -> int:
    """The process that a person started: a worker's parent."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Wait for one of the places for private instances."""
    number = os.getpid() % _PRIVATE_ONES
    with _locked(folder / f"request-tracker-room-{number}.lock"):
        yield
