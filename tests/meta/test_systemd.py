"""The unit that ops install: systemd understands it, and it leaves little to attack."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import ProcessCollector
from typer.main import get_command

from syncd import daemon
from syncd.cli.root import app
from syncd.web import guard
from tests.meta.project import ROOT

UNIT = ROOT / "config" / "systemd" / "syncd.service"
HIGHEST_EXPOSURE = 1.5
_WORDS = {5.0: "five"}

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def analyze(*arguments: str | Path) -> str:
    command = ["systemd-analyze", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    here = tmp_path / "syncd.service"
    program = re.sub(
        r"^(Exec\w+=)\S+", rf"\g<1>{sys.executable}", UNIT.read_text("utf-8"), flags=re.M
    )
    here.write_text(program, encoding="utf-8")
    analyze("verify", "--recursive-errors=no", here)


def test_its_exposure_is_low() -> None:
    said = analyze("security", "--offline=true", UNIT)
    found = re.search(r"Overall exposure level for syncd\.service: ([\d.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= HIGHEST_EXPOSURE


def test_it_lets_the_process_own_figures_be_read(tmp_path: Path) -> None:
    """Without the machine's /proc/stat the library shows none of them, and says nothing."""
    hidden = tmp_path / "proc"
    hidden.mkdir()
    (hidden / "self").symlink_to("/proc/self")
    assert not list(ProcessCollector(proc=str(hidden), registry=None).collect())
    (hidden / "stat").symlink_to("/proc/stat")
    assert list(ProcessCollector(proc=str(hidden), registry=None).collect())
    assert "ProcSubset=pid" not in UNIT.read_text("utf-8")


def test_the_time_to_end_is_the_one_that_the_docs_state_and_less_than_systemds_patience() -> None:
    patience = re.search(r"^TimeoutStopSec=(\d+)s$", UNIT.read_text("utf-8"), flags=re.M)
    assert patience is not None
    # Runs in progress, then callers; and a moment for the store.
    assert float(patience[1]) >= daemon._GRACE_SECONDS + guard._ENDING_SECONDS + 5
    said = f"runs in progress have {daemon._GRACE_SECONDS:.0f} seconds"
    assert said in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


def test_a_start_is_given_longer_than_a_silent_desk_takes() -> None:
    unit = UNIT.read_text("utf-8")
    assert "Type=notify" in unit
    patience = re.search(r"^TimeoutStartSec=(\d+)min$", unit, flags=re.M)
    assert patience is not None
    assert float(patience[1]) * 60 > daemon._BEGIN_SECONDS * 2
    said = f"keeps it back for {_WORDS[daemon._BEGIN_SECONDS]} seconds"
    assert said in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


def test_what_it_calls_is_a_command_of_ours() -> None:
    names = set(vars(get_command(app))["commands"])
    called = re.findall(r"^Exec\w+=\S+/syncd (\w+)", UNIT.read_text("utf-8"), flags=re.M)
    assert called
    assert set(called) <= names
