"""What root types beside a service leaves the service's own user every file that it must open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncd.private_file import open_private
from tests.support.schemas import a_migrated_file
from tests.unit.cli.stage import NO_SECRETS, Stage, a_stage
from tests.unit.cli.test_mappings import a_pair

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
SERVICE = (4711, 4712)


@pytest.fixture
def services(tmp_path: Path) -> Stage:
    """A stage in a folder of the service's user, with a store that has something in it."""
    folder = tmp_path / "state"
    folder.mkdir()
    stage = a_stage(folder)
    stage.fill(a_pair)
    for file in (stage.folder, *stage.folder.iterdir()):
        os.chown(file, *SERVICE)
    return stage


def strangers(stage: Stage) -> list[str]:
    """Files in the service's folder that its user does not own."""
    return sorted(
        file.name
        for file in stage.folder.iterdir()
        if (file.lstat().st_uid, file.lstat().st_gid) != SERVICE
    )


def test_a_store_that_root_restored_and_recovered_is_the_services(
    services: Stage, tmp_path: Path
) -> None:
    copy = str(tmp_path / "copy.db")
    assert services.type("backup", copy).exit_code == 0
    assert services.type("restore", copy, secrets=NO_SECRETS).exit_code == 0
    assert strangers(services) == []
    # Nobody listens at the desks: it is as far as the store goes that is looked at.
    services.type("recover")
    assert strangers(services) == []


def test_a_store_that_root_imported_anew_is_the_services(services: Stage, tmp_path: Path) -> None:
    lines = str(tmp_path / "out.jsonl")
    assert services.type("export", lines).exit_code == 0
    for file in services.folder.glob("syncd.db*"):
        file.unlink()
    assert services.type("import", lines, secrets=NO_SECRETS).exit_code == 0
    assert services.store.exists()
    assert strangers(services) == []


@pytest.mark.parametrize("words", [("backfill", "acme-postgres"), ("purge",), ("forget", "p-1")])
def test_what_root_runs_leaves_nothing_that_the_service_cannot_open(
    services: Stage, words: tuple[str, ...]
) -> None:
    for file in services.folder.glob("syncd.db.*"):
        file.unlink()
    # Nobody listens at the desks; what is looked at comes before they are asked.
    services.type(*words)
    assert strangers(services) == []


def test_the_copy_before_an_upgrade_is_the_services(services: Stage) -> None:
    services.store.unlink()
    a_migrated_file(services.store, "0011")
    assert services.type("pause", "acme-postgres").exit_code == 0
    assert (services.folder / "syncd.db.schema-0011").exists()
    assert strangers(services) == []


def test_a_copy_for_whoever_asked_for_it_stays_his(services: Stage, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chown(elsewhere, 4713, 4713)
    assert services.type("backup", str(elsewhere / "copy.db")).exit_code == 0
    assert (elsewhere / "copy.db").stat().st_uid == 0


def test_nothing_of_the_systems_is_given_away_through_a_link(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "state"
    kept.write_text("of the system")
    folder.mkdir()
    os.chown(folder, *SERVICE)
    os.symlink(kept, folder / "symbolic")
    with pytest.raises(OSError, match="symbolic"):
        open_private(folder / "symbolic", os.O_RDWR | os.O_CREAT)
    os.link(kept, folder / "hard")
    os.close(open_private(folder / "hard", os.O_RDWR | os.O_CREAT))
    assert kept.stat().st_uid == 0
