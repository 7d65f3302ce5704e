"""A store is examined without a change to it, whatever state it is in."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.doctor.store import StoreFacts, judge_store
from syncd.store import open_store
from syncd.store.backup import back_up
from syncd.store.migrate import REVISIONS
from syncd.store.soundness import examine
from tests.contract.store_story import a_twinned_pair
from tests.support.schemas import a_migrated_file


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """A closed store with a pair in it."""
    opened = open_store(tmp_path / "syncd.db", is_durable=False)
    await a_twinned_pair(opened)
    await opened.close()
    return tmp_path / "syncd.db"


def looked_at(path: Path, *, is_held: bool = False, patience: float = 60.0) -> StoreFacts:
    return examine(path, is_held=is_held, patience_seconds=patience)


def codes(facts: StoreFacts) -> list[str]:
    return [one.code for one in judge_store(facts)]


@contextlib.contextmanager
def changed(path: Path) -> Iterator[sqlite3.Connection]:
    """By somebody else's hand, with no log left behind."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        yield db


def test_a_sound_store_is_whole_and_nothing_appears_beside_it(store: Path) -> None:
    before = {name: os.stat(store.parent / name).st_mtime_ns for name in os.listdir(store.parent)}
    facts = looked_at(store)
    assert codes(facts) == [""]
    assert facts.revision == REVISIONS[-1]
    after = {name: os.stat(store.parent / name).st_mtime_ns for name in os.listdir(store.parent)}
    assert after == before


async def test_a_store_in_use_is_examined_beside_its_writer(store: Path) -> None:
    opened = open_store(store, is_durable=False)
    assert codes(looked_at(store, is_held=True)) == [""]
    await opened.take_turn()
    await opened.close()


def test_no_store_is_said_and_none_is_made(tmp_path: Path) -> None:
    assert codes(looked_at(tmp_path / "syncd.db")) == ["store.missing"]
    assert os.listdir(tmp_path) == []


def test_damaged_pages_are_found(store: Path) -> None:
    size = store.stat().st_size
    with store.open("r+b") as file:
        for page in range(4096 * 8, size, 4096):
            file.seek(page)
            file.write(b"\xde\xad\xbe\xef" * 64)
    assert codes(looked_at(store)) == ["store.damaged"]


def test_a_head_that_is_no_stores_is_found(store: Path) -> None:
    with store.open("r+b") as file:
        file.write(b"not a store at all")
    assert codes(looked_at(store)) == ["store.damaged"]


def test_rows_that_name_a_lost_one_are_found(store: Path) -> None:
    with changed(store) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DELETE FROM pair")
    (one,) = judge_store(looked_at(store))
    assert one.code == "store.damaged"
    assert "rows name one that is not there" in one.message


def test_a_check_that_takes_too_long_is_cut_off_and_says_so(store: Path) -> None:
    with changed(store) as db:
        db.execute("CREATE TABLE filler (x)")
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
            " INSERT INTO filler SELECT i FROM n"
        )
    assert codes(looked_at(store, patience=-1)) == ["store.unchecked"]


def test_an_older_schema_and_a_newer_one_are_told_apart(tmp_path: Path) -> None:
    a_migrated_file(tmp_path / "old.db", "0004")
    assert codes(looked_at(tmp_path / "old.db")) == ["store.old_schema"]
    a_migrated_file(tmp_path / "new.db")
    with changed(tmp_path / "new.db") as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    assert codes(looked_at(tmp_path / "new.db")) == ["store.too_new"]


def test_another_programs_file_is_not_ours(tmp_path: Path) -> None:
    with changed(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE albums (x)")
    assert codes(looked_at(tmp_path / "other.db")) == ["store.not_ours"]


def test_a_folder_in_its_place_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "syncd.db").mkdir()
    (one,) = judge_store(looked_at(tmp_path / "syncd.db"))
    assert one.code == "store.unreadable"


def test_a_backup_says_that_it_is_older(store: Path, tmp_path: Path) -> None:
    back_up(store, tmp_path / "copy.db")
    assert codes(looked_at(tmp_path / "copy.db")) == ["store.older"]


def test_a_store_with_fewer_commits_than_were_counted_is_older_and_stays_so(store: Path) -> None:
    marker = store.with_name("syncd.db.generation")
    store_id, number = marker.read_text("ascii").split()
    marker.write_text(f"{store_id:<32} {int(number) + 5:020d}\n", encoding="ascii")
    assert codes(looked_at(store)) == ["store.older"]
    # It is a start that puts it down.
    marker.unlink()
    assert codes(looked_at(store)) == [""]


def test_pairs_that_wait_for_their_recovery_are_counted(store: Path) -> None:
    with changed(store) as db:
        db.execute("UPDATE pair SET is_doubtful = 1")
    facts = looked_at(store)
    assert (codes(facts), facts.doubtful_count) == (["store.doubtful"], 1)
