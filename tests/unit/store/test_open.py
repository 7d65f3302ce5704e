"""Opening a store: where it is, who may read it, and what is said when it cannot be used."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from syncd.core.errors import StoreUnavailable
from syncd.core.model import PairId
from syncd.store import open_reader, open_store
from syncd.store.file import OLDEST_SQLITE, check_engine, path_of
from syncd.store.reader import Reader
from syncd.store.statement import Statement
from tests.contract.store_story import a_pair, load
from tests.support.build import AT


async def test_the_folder_and_the_file_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "syncd.db"
    store = open_store(path)
    await a_pair(store)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes["syncd.db"] == 0o600
    assert set(modes.values()) == {0o600}, "the log beside it holds ticket text, too"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await store.close()


async def test_a_url_and_a_path_name_the_same_file(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a store?#%20.db")
    pair_id = await a_pair(store)
    await store.close()
    store = open_store(tmp_path / "a store?#%20.db")
    assert (await load(store, pair_id)).pair.pair_id == pair_id
    await store.close()


def test_a_relative_place_is_under_the_working_folder() -> None:
    assert path_of("sqlite:///syncd.db") == Path.cwd() / "syncd.db"
    assert path_of("data/syncd.db") == Path.cwd() / "data/syncd.db"


async def test_a_closed_store_is_one_whole_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db")
    pair_id = await a_pair(store)
    await load(store, pair_id)
    await store.close()
    assert sorted(os.listdir(tmp_path)) == ["syncd.db", "syncd.db.generation"]


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db")
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.mark([PairId(1)], now=AT)
    with pytest.raises(StoreUnavailable):
        await store.load_due(AT)


def test_a_folder_that_cannot_be_made_is_told_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable) as refused:
        open_store(tmp_path / "file" / "syncd.db")
    assert refused.value.hint


def test_a_file_that_is_no_database_is_told_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "syncd.db").write_text("dear diary, " * 200, encoding="utf-8")
    with pytest.raises(StoreUnavailable) as refused:
        open_store(tmp_path / "syncd.db")
    assert "not a store" in refused.value.hint
    assert "dear diary" not in str(refused.value)


def test_an_old_sqlite_is_refused() -> None:
    check_engine(OLDEST_SQLITE)
    with pytest.raises(StoreUnavailable, match=r"3\.37\.2 is too old"):
        check_engine((3, 37, 2))


async def test_a_file_that_another_process_writes_to_is_waited_for(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db", busy_timeout_seconds=30)
    other = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    working = asyncio.create_task(a_pair(store))
    await asyncio.sleep(0)
    other.execute("COMMIT")
    other.close()
    pair_id = await working
    assert (await load(store, pair_id)).pair.is_dirty
    await store.close()


async def test_a_file_that_stays_locked_is_told_with_a_hint(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db", busy_timeout_seconds=0)
    other = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as refused:
        await store.mark([PairId(1)], now=AT)
    assert "Another process" in refused.value.hint
    other.execute("COMMIT")
    other.close()
    await a_pair(store)
    await store.close()


async def test_two_stores_on_one_file_see_each_others_work(tmp_path: Path) -> None:
    daemon, backfill = (open_store(tmp_path / "syncd.db") for _ in range(2))
    pair_id = await a_pair(backfill)
    assert await daemon.load_due(AT) == [(pair_id, None)]
    await daemon.close()
    await backfill.close()


# --- the reader ----------------------------------------------------------------------------------


async def test_reports_are_read_beside_the_daemon_and_without_it(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db")
    pair_id = await a_pair(store)
    reader = open_reader(tmp_path / "syncd.db")
    assert [pair.pair_id for pair in await reader.find_pairs()] == [pair_id]
    await store.mark([pair_id], now=AT)
    (summary,) = await reader.summaries()
    assert summary.dirty == 1
    await reader.close()
    await store.close()
    reader = open_reader(tmp_path / "syncd.db")
    assert [pair.pair_id for pair in await reader.find_pairs()] == [pair_id]
    await reader.close()


async def test_a_read_cannot_write(tmp_path: Path) -> None:
    await open_store(tmp_path / "syncd.db").close()
    reader = Reader(tmp_path / "syncd.db", busy_timeout_seconds=1)
    with pytest.raises(StoreUnavailable) as refused:
        await reader.read(lambda session: session.run(Statement("DELETE FROM pair")))
    assert "read-only" in refused.value.hint
    assert await reader.read(lambda session: session.number(Statement("SELECT 1"))) == 1
    await reader.close()


def test_a_reader_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_reader(tmp_path / "syncd.db")
    assert os.listdir(tmp_path) == []


def test_a_reader_leaves_an_unfinished_schema_to_the_daemon(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "syncd.db").close()
    (tmp_path / "syncd.db").touch()
    with pytest.raises(StoreUnavailable) as refused:
        open_reader(tmp_path / "syncd.db")
    assert "syncd run" in refused.value.hint
