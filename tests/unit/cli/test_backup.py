"""`syncd backup`, `restore` and `recover` as typed: what they say, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.core.model import LinkName
from syncd.core.work import Park
from syncd.store import OwnerLock, SqliteStore
from tests.support.build import AT
from tests.unit.cli.stage import NO_SECRETS, Stage

LINK = LinkName("acme-postgres")


async def stopped(store: SqliteStore) -> None:
    await store.park_link(LINK, Park(reason="before", hint=""), now=AT)


async def stopped_again(store: SqliteStore) -> None:
    await store.park_link(LINK, Park(reason="after", hint=""), now=AT)


def reason(stage: Stage) -> str:
    (row,) = stage.json("parked", secrets=NO_SECRETS)["parked"]
    return str(row["reason"])


def test_a_backup_needs_no_secret_and_is_restored(stage: Stage, tmp_path: Path) -> None:
    stage.fill(stopped)
    target = tmp_path / "copy.db"
    (made,) = stage.json("backup", str(target), secrets=NO_SECRETS)["copies"]
    assert (made["file"], made["bytes"]) == (str(target), target.stat().st_size)
    stage.fill(stopped_again)
    assert reason(stage) == "after"
    restored = stage.type("restore", str(target), secrets=NO_SECRETS)
    assert restored.exit_code == 0
    assert "Next: `syncd recover`" in restored.stdout
    assert "syncd.db.replaced-" in restored.stdout
    assert reason(stage) == "before"


def test_a_restored_store_runs_nothing_until_it_is_recovered(stage: Stage, tmp_path: Path) -> None:
    stage.fill(stopped)
    stage.type("backup", str(tmp_path / "copy.db"))
    stage.type("restore", str(tmp_path / "copy.db"))
    for command in (("run",), ("backfill", LINK)):
        refused = stage.type(*command)
        assert refused.exit_code == 5
        assert "is older than what was written last" in refused.stderr
        assert "syncd recover" in refused.stderr
    dry = stage.json("recover", "--dry-run")
    assert (dry["was_older"], dry["is_dry_run"], dry["pairs"]) == (True, True, 0)
    assert stage.type("backfill", LINK).exit_code == 5
    assert stage.json("recover", "--reason", "disk died")["was_older"] is True
    assert stage.json("recover")["was_older"] is False
    deeds = stage.json("trail", secrets=NO_SECRETS)["trail"]
    assert [deed["verb"] for deed in deeds] == ["recover", "recover", "restore"]
    assert [deed["reason"] for deed in deeds][1] == "disk died"


def test_nothing_is_restored_or_recovered_under_a_daemon(stage: Stage, tmp_path: Path) -> None:
    stage.fill(stopped)
    copy = str(tmp_path / "copy.db")
    with OwnerLock(stage.store, "daemon"):
        assert stage.type("backup", copy).exit_code == 0
        for command in (("restore", copy), ("recover",)):
            refused = stage.type(*command)
            assert refused.exit_code == 4
            assert "daemon" in refused.stderr


def test_what_cannot_be_done_is_said_with_its_reason(stage: Stage, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy.db")
    assert stage.type("backup", copy).exit_code == 4
    assert stage.type("recover").exit_code == 4
    stage.fill(stopped)
    assert stage.type("backup", copy).exit_code == 0
    again = stage.type("backup", copy)
    assert (again.exit_code, "--replace" in again.stderr) == (4, True)
    assert stage.type("backup", copy, "--replace").exit_code == 0
    assert stage.type("restore", str(tmp_path / "nothing.db")).exit_code == 4
    assert stage.type("recover", "--ours").exit_code == 2
    assert stage.type("recover", "4711").exit_code == 2


def test_dated_copies_are_made_and_the_oldest_let_go(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.fill(stopped)
    folder = tmp_path / "backups"
    report: Any = {}
    for day in range(3):
        monkeypatch.setattr("syncd.cli.opening.now", lambda day=day: AT + timedelta(days=day))
        report = stage.json("backup", "--into", str(folder), "--keep", "2", secrets=NO_SECRETS)
    (made,) = report["copies"]
    assert report["copies_there"] == 2
    assert [Path(row["file"]).name for row in report["removed"]] == [
        f"syncd-{AT:%Y%m%dT%H%M%SZ}.db"
    ]
    assert Path(made["file"]).parent == folder
    restored = stage.type("restore", made["file"], secrets=NO_SECRETS)
    assert restored.exit_code == 0


@pytest.mark.parametrize(
    "words",
    [(), ("a.db", "--into", "b"), ("a.db", "--keep", "3"), ("--into", "b", "--replace")],
    ids=" ".join,
)
def test_a_backup_that_is_asked_for_in_two_ways_is_refused(
    stage: Stage, tmp_path: Path, words: tuple[str, ...]
) -> None:
    stage.fill(stopped)
    refused = stage.type("backup", *words)
    assert refused.exit_code == 2
    assert "syncd backup --into FOLDER --keep 14" in refused.stderr or "--replace" in refused.stderr
