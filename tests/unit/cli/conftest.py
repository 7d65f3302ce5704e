"""A stage for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.stage import Stage, a_stage


@pytest.fixture(autouse=True)
def _no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever listens or is installed on this machine is not this test's daemon."""
    monkeypatch.setattr("syncd.cli.daemon_word.daemon_word", lambda _: None)
    monkeypatch.setattr("syncd.checkup.daemon.is_taken", lambda _: False)
    monkeypatch.setattr("syncd.checkup.daemon.unit", lambda: None)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A usable configuration and no store yet."""
    return a_stage(tmp_path)
