"""`syncd demo` as a newcomer runs it: it shows, judges, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.support.request_tracker import Room

_MARK = "SYNCD_TEST_DEMO"
_SECONDS = 90.0
#: RT answers in a second or two on a busy machine.
_RT_SECONDS = 400.0


@dataclass(kw_only=True, slots=True)
class Demo:
    """The demo with files of its own, and a mark by which its processes are known."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "syncd", "demo", "--speed", "20", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": str(self.folder), _MARK: self.mark},
        )

    def processes(self) -> dict[int, str]:
        """What it started and what still runs, by process id."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if f"{_MARK}={self.mark}".encode() in (place / "environ").read_bytes():
                    found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
            except (OSError, ValueError):
                continue
        return found

    def at_work(self) -> dict[int, Path]:
        """What runs in its folders: RT's own processes have no environment but theirs."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                folder = (place / "cwd").readlink()
            except OSError:
                continue
            if folder.is_relative_to(self.folder):
                found[int(place.name)] = folder
        return found

    def end(self) -> None:
        for pid in {*self.processes(), *self.at_work()}:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    if not Path("/proc/self/environ").exists():
        pytest.skip("finds the demo's processes in /proc")
    made = Demo(folder=tmp_path)
    yield made
    made.end()


def wait_for_daemon(demo: Demo) -> int:
    """The daemon's process id, once it runs."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for pid, command in demo.processes().items():
            if " run --config " in command:
                return pid
        time.sleep(0.05)
    raise AssertionError("the demo did not start a daemon")


def ended(process: subprocess.Popen[str], seconds: float = _SECONDS) -> tuple[int, str]:
    said, _ = process.communicate(timeout=seconds)
    return process.returncode, said


def must_be_whole(said: str) -> None:
    """All steps, equal desks, nothing for a terminal only."""
    steps = re.findall(r"^Step ([0-9]+)", said, re.MULTILINE)
    assert set(steps) == {str(number) for number in range(1, 11)}
    assert re.search(r"^All [0-9]+ fields are equal on both desks\.$", said, re.MULTILINE)
    assert "DIFFERS" not in said
    assert "\x1b" not in said


@pytest.mark.slow
def test_the_demo_plays_all_steps_ends_with_equal_desks_and_leaves_nothing(demo: Demo) -> None:
    code, said = ended(demo.start())
    assert code == 0, said
    must_be_whole(said)
    assert demo.processes() == {}
    assert list(demo.folder.iterdir()) == []


@pytest.mark.slow
def test_the_demo_with_a_real_request_tracker_shows_the_same_and_leaves_nothing(
    demo: Demo, rt_room: Room
) -> None:
    with rt_room():
        code, said = ended(demo.start("--desk", "rt"), _RT_SECONDS)
    assert code == 0, said
    must_be_whole(said)
    assert demo.processes() == {}
    assert demo.at_work() == {}
    assert list(demo.folder.iterdir()) == []


@pytest.mark.slow
def test_a_kept_demo_stays_until_it_is_ended_as_it_says(demo: Demo) -> None:
    code, said = ended(demo.start("--keep", "--language", "de"))
    assert code == 0, said
    for address in re.findall(r"http://127\.0\.0\.1:[0-9]+/(?:_sandbox/state|healthz)", said):
        assert requests.get(address, timeout=5).status_code == 200
    acts = re.findall(r"curl -d '(.+)' (\S+)$", said, re.MULTILINE)
    assert len(acts) == 2
    for body, address in acts:
        answer = requests.post(address, data=body.encode(), timeout=5)
        assert answer.status_code == 200, answer.text
    told = re.search(r"^  kill ([0-9 ]+); rm -r (\S+)$", said, re.MULTILINE)
    assert told is not None
    pids = {int(pid) for pid in told[1].split()}
    assert pids == set(demo.processes())
    assert Path(told[2]).parent == demo.folder
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 20
    while demo.processes() and time.monotonic() < until:
        time.sleep(0.05)
    assert demo.processes() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(demo: Demo, number: signal.Signals) -> None:
    process = demo.start()
    wait_for_daemon(demo)
    time.sleep(0.5)
    process.send_signal(number)
    code, said = ended(process)
    assert code == 130, said
    assert demo.processes() == {}
    assert list(demo.folder.iterdir()) == []


def test_a_demo_whose_daemon_dies_says_so_and_keeps_the_logs(demo: Demo) -> None:
    process = demo.start()
    daemon = wait_for_daemon(demo)
    time.sleep(1.0)
    os.kill(daemon, signal.SIGKILL)
    code, said = ended(process)
    assert code == 1, said
    assert "the daemon ended with -9" in said
    place = re.search(r"^The logs of all processes are in (\S+)\.$", said, re.MULTILINE)
    assert place is not None
    assert (Path(place[1]) / "daemon.log").exists()
    assert demo.processes() == {}
