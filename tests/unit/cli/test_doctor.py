"""`syncd doctor`: what is wrong, why it matters, and what mends it; nothing is changed."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.cli import opening
from syncd.store.backup_series import back_up_into
from tests.contract.store_story import a_twinned_pair
from tests.unit.cli.stage import CONFIG, NO_SECRETS, SECRETS, Stage, a_stage


def findings(stage: Stage, *words: str, **secrets: Any) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and all findings."""
    result = stage.type("doctor", *words, "--format", "json", **secrets)
    return result.exit_code, json.loads(result.stdout)["findings"]


def codes(found: list[dict[str, Any]]) -> set[str]:
    return {one["code"] for one in found if one["code"]}


def test_desks_that_do_not_answer_end_with_3_and_say_what_to_do(stage: Stage) -> None:
    code, found = findings(stage)
    assert code == 3
    asked = [one for one in found if one["code"] == "line.refused"]
    assert {one["connection"] for one in asked} == {"heroku", "acme"}
    assert all(one["hint"] and one["why"] for one in found if not one["is_ok"])
    assert not stage.store.exists()


def test_one_connection_is_asked_alone_and_nothing_else_is_looked_at(stage: Stage) -> None:
    _, found = findings(stage, "heroku")
    assert {one["connection"] for one in found} == {"heroku"}


def test_an_unknown_connection_is_refused_with_those_that_there_are(stage: Stage) -> None:
    result = stage.type("doctor", "herokku")
    assert result.exit_code == 2
    assert "heroku, acme" in result.stderr


@pytest.mark.parametrize("option", ["--script", "--scrip"])
def test_a_desk_that_tells_all_by_its_api_has_no_program_to_run(option: str, stage: Stage) -> None:
    result = stage.type("doctor", "acme", option)
    assert result.exit_code == 2
    assert "syncd doctor acme" in result.stderr


def test_a_program_is_for_one_connection(stage: Stage) -> None:
    result = stage.type("doctor", "--script")
    assert result.exit_code == 2
    assert "which connection" in result.stderr


def test_offline_no_desk_is_asked_and_a_sound_installation_ends_with_0(stage: Stage) -> None:
    stage.folder.chmod(0o700)
    stage.fill(a_twinned_pair)
    before = {name: os.stat(stage.folder / name).st_mtime_ns for name in os.listdir(stage.folder)}
    code, found = findings(stage, "--offline")
    # No daemon runs, and no copies are where the timer puts them; each is worth a note.
    assert (code, codes(found)) == (0, {"daemon.absent", "backup.elsewhere"})
    assert {one["connection"] for one in found} == {None}
    after = {name: os.stat(stage.folder / name).st_mtime_ns for name in os.listdir(stage.folder)}
    assert after == before


def test_backups_that_have_stopped_are_noticed_and_nothing_in_their_folder_is_changed(
    stage: Stage,
) -> None:
    stage.folder.chmod(0o700)
    stage.fill(a_twinned_pair)
    folder = stage.folder / "backups"
    found: list[dict[str, Any]] = []
    for days, code, wanted in ((0, 0, set()), (3, 1, {"backup.stopped"})):
        back_up_into(stage.store, folder, now=opening.now() - timedelta(days=days), keep=1)
        before = {path.name: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
        ended, found = findings(stage, "--offline")
        assert (ended, codes(found)) == (code, wanted | {"daemon.absent"})
        after = {path.name: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
        assert after == before
    (stopped,) = [one for one in found if one["code"] == "backup.stopped"]
    assert "3.0 days" in stopped["message"]
    assert stopped["subject"] == str(folder)


def test_another_stores_copy_and_half_a_copy_are_no_backup(stage: Stage, tmp_path: Path) -> None:
    stage.folder.chmod(0o700)
    stage.fill(a_twinned_pair)
    (tmp_path / "other").mkdir()
    other = a_stage(tmp_path / "other")
    other.fill(a_twinned_pair)
    folder = stage.folder / "backups"
    back_up_into(other.store, folder, now=opening.now())
    code, found = findings(stage, "--offline")
    assert (code, codes(found)) == (1, {"backup.stopped", "daemon.absent"})
    (made,) = back_up_into(stage.store, folder, now=opening.now() + timedelta(seconds=5)).kept
    assert "backup.stopped" not in codes(findings(stage, "--offline")[1])
    os.truncate(made, made.stat().st_size // 2)
    assert "backup.stopped" in codes(findings(stage, "--offline")[1])


def test_a_file_that_cannot_be_used_is_one_finding_among_others(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, config=CONFIG.replace("tags:", "tagss:"))
    stage.store.write_text("not a store")
    stage.store.chmod(0o644)
    code, found = findings(stage)
    assert code == 4
    assert codes(found) >= {"config.invalid", "file.open_to_all", "store.damaged"}
    (invalid,) = [one for one in found if one["code"] == "config.invalid"]
    assert "tagss" in invalid["message"] + invalid["subject"]


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "nowhere", "[::1:x", "7"])
def test_a_place_to_listen_that_is_none_is_a_finding_and_no_bug(
    listen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    server = f'server: {{{{listen: "{listen}"}}}}\nconnections:'
    stage = a_stage(tmp_path, config=CONFIG.replace("connections:", server))
    code, found = findings(stage, "--offline")
    assert code == 2
    assert "config.invalid" in codes(found)


def test_missing_secrets_are_said_once_each_and_end_with_2(stage: Stage) -> None:
    code, found = findings(stage, secrets=NO_SECRETS)
    assert code == 2
    assert [one["code"] for one in found if not one["is_ok"]] == ["secret.missing"] * 2


def test_a_secret_with_a_blank_and_one_of_two_uses_are_found_and_never_shown(stage: Stage) -> None:
    same = {"PLATFORM_TOKEN": "pt-0451 ", "ACME_SECRET": "pt-0451 "}
    result = stage.type("doctor", "--offline", "--format", "json", secrets=same)
    assert result.exit_code == 1
    assert codes(json.loads(result.stdout)["findings"]) >= {"secret.blank_edge", "secret.shared"}
    assert "pt-0451" not in result.output


def test_the_table_says_what_why_and_which_command(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    stage.store.chmod(0o644)
    result = stage.type("doctor", "--offline")
    assert result.exit_code == 1
    assert "[file.open_to_all]" in result.stdout
    assert "why: It holds secrets" in result.stdout
    assert f"chmod 600 {stage.store}" in result.stdout
    assert "\x1b" not in result.stdout
    assert "ok " not in result.stdout
    assert "checks found nothing" in result.stdout
    assert "ok " in stage.type("doctor", "--offline", "--all").stdout


def test_commands_alone_are_ready_for_a_shell(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    stage.store.chmod(0o644)
    result = stage.type("doctor", "--offline", "--commands")
    assert result.stdout.splitlines() == [f"chmod 600 {stage.store}"]


def test_a_command_of_ours_names_the_file_that_was_looked_at(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    marker = stage.store.with_name("syncd.db.generation")
    marker.write_text(f"{'another':<32} {1:020d}\n", encoding="ascii")
    named = ("doctor", "--offline", "--commands", "--config", str(stage.config))
    # The name is in the environment here, where a next command finds it too.
    assert stage.type(*named).stdout == "syncd recover\n"


def test_a_hostile_name_of_a_file_cannot_reach_the_terminal(stage: Stage) -> None:
    stage.fill(a_twinned_pair)
    hostile = stage.folder / "syncd.db.\x1b[2Jx"
    hostile.touch(mode=0o644)
    hostile.chmod(0o644)
    for words in (["--offline"], ["--offline", "--commands"], ["--offline", "--format", "csv"]):
        assert "\x1b" not in stage.type("doctor", *words).stdout


def test_csv_has_a_line_for_each_finding(stage: Stage) -> None:
    result = stage.type("doctor", "--offline", "--format", "csv", secrets=SECRETS)
    head, *lines = result.stdout.splitlines()
    assert head == "severity,code,connection,area,check,subject,message,why,hint,remedy"
    assert len(lines) > 3
