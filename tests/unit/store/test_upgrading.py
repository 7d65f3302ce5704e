"""The way back: a copy before the schema changes, and a newer file that says who can open it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from syncd import __version__
from syncd.core.errors import StoreTooNew, StoreUnavailable
from syncd.store import OwnerLock, open_store
from syncd.store.backup import put_back
from syncd.store.forgetting import people_of
from syncd.store.importing import import_mappings
from syncd.store.migrate import REVISIONS
from syncd.store.purging import Periods, purge
from tests.support.build import AT
from tests.support.schemas import a_connection, a_migrated_file


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


def open_once(path: Path) -> None:
    async def run() -> None:
        await open_store(path).close()

    asyncio.run(run())


def copies(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("*.schema-*"))


def revision(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return str(found)


def test_before_an_upgrade_the_file_is_copied_as_it_is_and_a_former_copy_goes(path: Path) -> None:
    a_migrated_file(path, "0007")
    connection = a_connection(path)
    connection.execute("INSERT INTO connection (id, name) VALUES (1, 'acme')")
    connection.close()
    (path.parent / "syncd.db.schema-0003").write_text("an upgrade of long ago")
    open_once(path)
    assert copies(path) == ["syncd.db.schema-0007"]
    copy = path.parent / "syncd.db.schema-0007"
    assert (revision(copy), revision(path)) == ("0007", REVISIONS[-1])
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as there:
        assert there.execute("SELECT name FROM connection").fetchall() == [("acme",)]
    there.close()
    open_once(path)
    assert copies(path) == ["syncd.db.schema-0007"]


def test_a_new_file_and_an_up_to_date_one_are_not_copied(path: Path) -> None:
    open_once(path)
    open_once(path)
    assert copies(path) == []


def test_without_room_for_the_copy_nothing_changes_and_the_way_on_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_migrated_file(path, "0009")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 9, 1))
    with pytest.raises(StoreUnavailable, match="has no room") as refused:
        open_once(path)
    assert "Free some space" in refused.value.hint
    assert (revision(path), copies(path)) == ("0009", [])


def test_the_copy_is_put_back_like_a_backup(path: Path) -> None:
    a_migrated_file(path, "0009")
    open_once(path)
    put_back(path.parent / "syncd.db.schema-0009", path, actor="test", now=AT)
    assert revision(path) == REVISIONS[-1]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT is_older FROM generation").fetchone() == (1,)
    connection.close()


def test_a_newer_file_says_which_syncd_opens_it_and_the_way_back(path: Path) -> None:
    open_once(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] > 0
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
        connection.execute("PRAGMA user_version = 1004002")
    connection.close()
    with pytest.raises(StoreTooNew) as refused:
        open_once(path)
    said = str(refused.value)
    assert f"has schema 0999 by syncd 1.4.2; this is syncd {__version__}" in said
    assert f"up to {REVISIONS[-1]}" in said
    for words in (
        "newer version, syncd 1.4.2 or later, again",
        "`syncd restore`",
        "syncd.db.schema-",
        "recover",
    ):
        assert words in refused.value.hint


def test_whoever_only_counts_changes_no_schema(path: Path) -> None:
    a_migrated_file(path, "0009")
    a_day = timedelta(days=1)
    periods = Periods(ended_pairs=a_day, journal=a_day, history=a_day, trail=a_day)
    for deed in (
        lambda: purge(path, periods, actor="test", now=AT, is_dry=True),
        lambda: people_of(path, "Mia"),
        lambda: import_mappings([], path, places={}, actor="test", now=AT, is_dry=True),
    ):
        with pytest.raises(StoreUnavailable, match="has schema 0009"):
            deed()
    assert (revision(path), copies(path)) == ("0009", [])


@pytest.mark.parametrize("owner", ["daemon", "backfill-acme"])
def test_a_file_is_not_changed_under_whoever_runs_on_it(path: Path, owner: str) -> None:
    a_migrated_file(path, "0007")
    with OwnerLock(path, owner):
        with pytest.raises(StoreUnavailable, match=f"runs as {owner}") as refused:
            open_once(path)
        assert "schema 0007" in str(refused.value)
        assert "Stop it first" in refused.value.hint
        assert (revision(path), copies(path)) == ("0007", [])
    open_once(path)
    assert revision(path) == REVISIONS[-1]
    with OwnerLock(path, owner):
        open_once(path)
