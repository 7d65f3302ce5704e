"""The units that ops install: systemd understands them, and they leave little to attack."""

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
from syncd.checkup.machine import BACKUPS
from syncd.cli.exit_code import ExitCode
from syncd.cli.root import app
from syncd.web import guard
from tests.meta.project import ROOT

FOLDER = ROOT / "config" / "systemd"
UNIT = FOLDER / "syncd.service"
PURGE, BACKUP = FOLDER / "syncd-purge.service", FOLDER / "syncd-backup.service"
BESIDE = pytest.mark.parametrize("unit", [PURGE, BACKUP], ids=lambda unit: unit.name)
SERVICES = pytest.mark.parametrize("unit", [UNIT, PURGE, BACKUP], ids=lambda unit: unit.name)
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


def settings(unit: Path) -> dict[str, str]:
    """What a unit sets, the last word for each name."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text("utf-8"), flags=re.M))


def test_systemd_finds_nothing_wrong_with_them(tmp_path: Path) -> None:
    units = sorted(FOLDER.iterdir())
    assert {unit.suffix for unit in units} == {".service", ".timer"}
    for unit in units:
        text = unit.read_text("utf-8")
        program = re.sub(r"^(Exec\w+=)\S+", rf"\g<1>{sys.executable}", text, flags=re.M)
        (tmp_path / unit.name).write_text(program, encoding="utf-8")
    for unit in units:
        analyze("verify", "--recursive-errors=no", tmp_path / unit.name)


@SERVICES
def test_its_exposure_is_low(unit: Path) -> None:
    said = analyze("security", "--offline=true", unit)
    found = re.search(rf"Overall exposure level for {re.escape(unit.name)}: ([\d.]+)", said)
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


@SERVICES
def test_a_crash_leaves_no_file(unit: Path) -> None:
    assert settings(unit)["LimitCORE"] == "0"


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


@SERVICES
def test_what_it_calls_is_a_command_of_ours(unit: Path) -> None:
    names = set(vars(get_command(app))["commands"])
    called = re.findall(r"^Exec\w+=\S+/syncd (\w+)", unit.read_text("utf-8"), flags=re.M)
    assert called
    assert set(called) <= names


@BESIDE
def test_a_timers_work_is_done_in_the_daemons_folder_as_the_daemons_user(unit: Path) -> None:
    # Under another name systemd would give the folder to another user while the daemon writes.
    shared = ("User", "DynamicUser", "StateDirectory", "StateDirectoryMode", "UMask")
    daemon_has, has = settings(UNIT), settings(unit)
    assert {name: has[name] for name in shared} == {name: daemon_has[name] for name in shared}
    assert daemon_has["User"] == "syncd"


@BESIDE
def test_a_timers_work_reaches_no_network_and_no_night_is_missed(unit: Path) -> None:
    assert settings(unit)["PrivateNetwork"] == "yes"
    assert settings(unit)["RestrictAddressFamilies"] == "AF_UNIX"
    assert settings(unit.with_suffix(".timer"))["Persistent"] == "yes"


def test_the_backup_comes_before_the_purge_and_keeps_as_many_as_the_handbook_says() -> None:
    command = settings(BACKUP)["ExecStart"]
    kept = re.search(r"--into %S/syncd/backups --keep (\d+)$", command)
    assert kept is not None
    # Where `syncd doctor` looks for them.
    assert f"--into %S/syncd/{BACKUPS} " in command
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"the newest {kept[1]} stay" in handbook
    backup, purge = (settings(unit.with_suffix(".timer"))["OnCalendar"] for unit in (BACKUP, PURGE))
    assert backup < purge


@pytest.mark.parametrize("code", [ExitCode.USAGE, ExitCode.STORE_AGE], ids=lambda code: code.name)
def test_what_only_a_person_mends_is_not_started_again(code: ExitCode) -> None:
    assert str(code.value) in settings(UNIT)["RestartPreventExitStatus"].split()
    assert str(ExitCode.STORE.value) not in settings(UNIT)["RestartPreventExitStatus"].split()
