"""`syncd check`: everything that is wrong with a file at once, and what is right with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contract.store_story import a_twinned_pair
from tests.unit.cli.stage import CONFIG, NO_SECRETS, SECRETS, Stage, a_stage

BROKEN = """\
version: 1
store: sqlite:///{store}
connections:
  heroku: {{kind: platform, url: "https://desk.example/api", tokn: x}}
links:
  db: {{platform: heroku/acme, partner: nobody}}
"""


def test_a_sound_file_is_shown_as_understood(stage: Stage) -> None:
    result = stage.type("check")
    assert result.exit_code == 0
    assert "No problems." in result.stdout
    assert "heroku/acme" in result.stdout
    assert "syncd backfill acme-postgres" in result.stdout
    assert not stage.store.exists()


def test_a_link_with_pairs_needs_no_backfill(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    result = stage.type("check")
    assert result.exit_code == 0
    assert "backfill" not in result.stdout


def test_a_broken_file_ends_with_2_and_all_of_its_problems(tmp_path: Path) -> None:
    result = a_stage(tmp_path, config=BROKEN).type("check")
    assert result.exit_code == 2
    assert result.stdout == ""
    for fault in ("tokn", "token", "nobody"):
        assert fault in result.stderr
    assert "syncd.yaml:4:" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [["run"], ["plan", "1"], ["backfill", "db"], ["check"]])
def test_a_missing_secret_ends_with_2_before_anything_is_done(
    stage: Stage, command: list[str]
) -> None:
    result = stage.type(*command, secrets=NO_SECRETS)
    assert result.exit_code == 2
    assert "PLATFORM_TOKEN" in result.stderr
    assert "ACME_SECRET" in result.stderr
    assert not stage.store.exists()


def test_the_problems_come_as_json_too(tmp_path: Path) -> None:
    result = a_stage(tmp_path, config=BROKEN).type("check", "--format", "json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["is_usable"] is False
    assert {problem["path"] for problem in report["problems"]} >= {"links.db.partner.connection"}
    assert all(problem["line"] and problem["message"] for problem in report["problems"])


def test_a_file_that_is_not_there_says_where_to_start(tmp_path: Path) -> None:
    result = Stage(folder=tmp_path).type("check")
    assert result.exit_code == 2
    assert "`syncd config example > syncd.yaml`" in result.stderr


def test_a_secret_in_the_file_is_a_warning_and_never_printed(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, config=CONFIG.replace('"${{ACME_SECRET}}"', "s3cr3t-in-file"))
    result = stage.type("check", secrets={"PLATFORM_TOKEN": SECRETS["PLATFORM_TOKEN"]})
    assert result.exit_code == 0
    assert "this secret stands in the file itself" in result.stdout
    assert "s3cr3t-in-file" not in result.output


def test_desks_that_do_not_answer_end_with_3(stage: Stage) -> None:
    result = stage.type("check", "--online", "--format", "json")
    assert result.exit_code == 3
    desks = json.loads(result.stdout)["desks"]
    assert {desk["connection"] for desk in desks if not desk["is_ok"]} == {"heroku", "acme"}
    assert all(desk["hint"] for desk in desks)
    assert not stage.store.exists()
