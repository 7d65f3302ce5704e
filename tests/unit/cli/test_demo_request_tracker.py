"""`syncd demo --desk rt` on a machine that lacks Request Tracker, or a part of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.request_tracker.sandbox import installed
from syncd.cli import app
from syncd.cli.exit_code import ExitCode


@pytest.mark.parametrize("part", ["LIBRARY", "SERVER", "WEB_SERVER", "DRIVERS"])
def test_without_a_part_of_request_tracker_the_demo_says_how_to_install_it(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there" / "perl5" / "5.36" / "DBD"
    there.mkdir(parents=True)
    (there / "SQLite.pm").touch()
    for name in ("LIBRARY", "SERVER", "SET_UP_DATABASE", "PERL", "WEB_SERVER"):
        monkeypatch.setattr(installed, name, tmp_path)
    monkeypatch.setattr(installed, "DRIVERS", tmp_path)
    monkeypatch.setattr(installed, part, tmp_path / "nowhere")
    result = CliRunner().invoke(app, ["demo", "--desk", "rt"])
    assert result.exit_code == ExitCode.USAGE
    assert "nowhere" in result.output
    assert "`.ci/install-request-tracker`" in result.output
