"""A stage for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.stage import Stage, a_stage


@pytest.fixture(autouse=True)
def _no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever listens on this machine is not this test's daemon."""
    monkeypatch.setattr("syncd.cli.daemon_word.daemon_word", lambda _: None)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A usable configuration and no store yet."""
    return a_stage(tmp_path)
