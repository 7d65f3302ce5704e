"""Which configuration a command takes that names none."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from syncd.cli import app, config_place
from tests.unit.cli.stage import CONFIG, SECRETS, a_stage

_ENV: dict[str, str | None] = {**SECRETS, "SYNCD_CONFIG": None, "COLUMNS": None}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the person stands in; the service's file is elsewhere."""
    folder, service = tmp_path / "here", tmp_path / "etc"
    folder.mkdir()
    service.mkdir()
    stage = a_stage(service, config=CONFIG.replace("acme-postgres:", "the-services:"))
    monkeypatch.setattr(config_place, "SERVICE_CONFIG", stage.config)
    monkeypatch.chdir(folder)
    return folder


def check(*words: str) -> Result:
    return CliRunner().invoke(app, ["check", *words], env=_ENV)


def test_beside_the_service_its_file_is_taken(here: Path) -> None:
    result = check()
    assert result.exit_code == 0, result.output
    assert "the-services" in result.stdout


def test_a_file_in_this_folder_comes_before_the_services(here: Path) -> None:
    a_stage(here)
    result = check()
    assert "acme-postgres" in result.stdout
    assert "the-services" not in result.stdout


def test_a_file_that_was_named_and_is_missing_is_not_replaced_by_the_services(here: Path) -> None:
    result = check("--config", "syncd.yaml")
    assert result.exit_code == 2
    assert "syncd.yaml" in result.stderr
    assert "the-services" not in result.output


def test_the_shell_completes_from_the_services_file(here: Path) -> None:
    env = {
        **_ENV,
        "_SYNCD_COMPLETE": "complete_bash",
        "COMP_WORDS": "syncd pause ",
        "COMP_CWORD": "2",
    }
    result = CliRunner().invoke(app, [], prog_name="syncd", env=env)
    assert "the-services" in result.stdout


def test_the_example_is_printed_as_it_is_kept(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["config", "example"])
    assert result.exit_code == 0
    root = Path(__file__).resolve().parents[3]
    assert result.stdout == (root / "syncd.yaml.example").read_text(encoding="utf-8")
