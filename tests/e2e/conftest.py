"""A place for processes to leave their files, and what they said when a test fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from syncd.cli.demo.processes import Process
from tests.e2e.nursery import nursery
from tests.support.request_tracker import request_tracker, rt_room, rt_seed

__all__ = ["folder", "forked", "pytest_runtest_makereport", "request_tracker", "rt_room", "rt_seed"]

_LOG_LINES = 40
_FOLDER = pytest.StashKey[Path]()


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where the processes keep their files; a failing test shows the ends of their logs."""
    request.node.stash[_FOLDER] = tmp_path
    return tmp_path


@pytest.fixture(scope="session")
def forked() -> Iterator[Callable[[Path], Process]]:
    """Starts daemons quickly, see nursery.py."""
    with nursery() as start:
        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ends of the logs to a failed test's report."""
    report = yield
    place = item.stash.get(_FOLDER, None)
    if report.failed and place is not None:
        for log in sorted(place.glob("*.log")):
            lines = log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
            report.sections.append((log.name, "\n".join(lines)))
    return report
