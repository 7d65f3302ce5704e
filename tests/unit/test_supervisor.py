"""What a supervisor hears of us; a socket of our own stands for systemd's."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.supervisor import Supervisor


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def heard(ear: socket.socket) -> str:
    return ear.recv(4096).decode()


def test_it_hears_that_we_are_ready_and_why(ear: socket.socket) -> None:
    Supervisor(ear.getsockname()).ready("2 links")
    assert heard(ear) == "READY=1\nSTATUS=2 links"


def test_it_hears_signs_of_life_and_the_end(ear: socket.socket) -> None:
    supervisor = Supervisor(ear.getsockname())
    supervisor.alive()
    assert heard(ear) == "WATCHDOG=1"
    supervisor.stopping()
    assert heard(ear).startswith("STOPPING=1\n")


def test_it_is_found_in_the_environment_and_hidden_from_children(ear: socket.socket) -> None:
    environment = {
        "NOTIFY_SOCKET": ear.getsockname(),
        "WATCHDOG_USEC": "120000000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    supervisor = Supervisor.of(environment)
    assert environment == {"HOME": "/"}
    assert supervisor.watchdog_seconds == 120.0
    supervisor.status("all is well")
    assert heard(ear) == "STATUS=all is well"


def test_an_abstract_name_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = f"syncd-test-{os.getpid()}"
        listening.bind(f"\0{name}")
        Supervisor(f"@{name}").alive()
        assert heard(listening) == "WATCHDOG=1"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
    ],
    ids=["nobody", "no socket", "no number", "another process"],
)
def test_without_a_watchdog_of_ours_there_is_none(environment: dict[str, str]) -> None:
    supervisor = Supervisor.of(environment)
    assert supervisor.watchdog_seconds is None
    supervisor.ready("nobody hears it, and nothing is raised")
