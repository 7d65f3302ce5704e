"""Dated copies in a folder: the newest stay, and what is no copy of this store is never touched."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.core.errors import StoreUnavailable
from syncd.store.backup_series import Series, back_up_into
from syncd.store.store import open_store
from tests.support.build import AT

DAY = timedelta(days=1)


async def a_store(path: Path) -> Path:
    await open_store(path, is_durable=False).close()
    return path


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    return await a_store(tmp_path / "syncd.db")


def backed_up(store: Path, *, day: int, keep: int | None = 3) -> Series:
    return back_up_into(store, store.parent / "backups", now=AT + day * DAY, keep=keep)


def names(series: Series) -> list[str]:
    return [path.name for path in series.kept]


def there(store: Path) -> set[str]:
    return {path.name for path in (store.parent / "backups").iterdir()}


def named(day: int) -> str:
    return f"syncd-{AT + day * DAY:%Y%m%dT%H%M%SZ}.db"


async def test_the_newest_stay_and_the_folder_is_its_owners_alone(store: Path) -> None:
    for day in range(4):
        backed_up(store, day=day)
    series = backed_up(store, day=4)
    assert names(series) == [named(2), named(3), named(4)]
    assert [path.name for path in series.removed] == [named(1)]
    assert there(store) == {named(2), named(3), named(4)}
    assert (store.parent / "backups").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in series.kept)


async def test_without_a_number_all_stay(store: Path) -> None:
    for day in range(3):
        backed_up(store, day=day, keep=None)
    series = backed_up(store, day=3, keep=None)
    assert len(series.kept) == 4


async def test_what_is_no_whole_copy_of_this_store_neither_counts_nor_goes(
    store: Path, tmp_path: Path
) -> None:
    backed_up(store, day=10)
    folder = tmp_path / "backups"
    whole = (folder / named(10)).read_bytes()
    (folder / named(-1)).write_bytes(whole[: len(whole) // 2])
    (folder / named(-2)).write_bytes(b"")
    (folder / named(-3)).write_text("notes of mine")
    (folder / named(-4)).symlink_to(folder / named(10))
    (folder / named(-5)).mkdir()
    (folder / f"{named(10)}.old").write_bytes(whole)
    (folder / "syncd.db.schema-0010").write_bytes(whole)
    other = await a_store(tmp_path / "other.db")
    back_up_into(other, folder, now=AT - 6 * DAY)
    with sqlite3.connect(folder / named(-7)) as foreign:
        foreign.execute("CREATE TABLE ours (id)")
    foreign.close()
    before = there(store)
    series = backed_up(store, day=11, keep=1)
    assert names(series) == [named(11)]
    assert there(store) == before - {named(10)} | {named(11)}


async def test_the_store_itself_never_goes_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    store = await a_store(folder / named(-1))
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as put_back:
        put_back.execute("PRAGMA journal_mode = DELETE")
        put_back.execute("UPDATE generation SET is_older = 1")
    for day in range(2):
        back_up_into(store, folder, now=AT + day * DAY, keep=1)
    series = back_up_into(store, folder, now=AT + 2 * DAY, keep=1)
    assert store.exists()
    assert names(series) == [named(2)]


async def test_what_a_killed_backup_left_counts_as_none_and_goes_after_a_day(store: Path) -> None:
    now = AT + 5 * DAY
    backed_up(store, day=4)
    folder = store.parent / "backups"
    old, young = folder / f".{named(1)}.77.part", folder / f".{named(5)}.78.part"
    for path, age in ((old, 2 * DAY), (young, DAY / 2)):
        path.write_bytes((folder / named(4)).read_bytes())
        os.utime(path, times=((now - age).timestamp(),) * 2)
    series = backed_up(store, day=5, keep=2)
    assert names(series) == [named(4), named(5)]
    assert series.removed == (old,)
    assert young.exists()


async def test_a_clock_that_was_set_back_costs_the_new_copy_nothing(store: Path) -> None:
    backed_up(store, day=8)
    backed_up(store, day=9)
    series = backed_up(store, day=1, keep=2)
    assert names(series) == [named(9), named(1)]


async def test_where_no_copy_can_be_made_nothing_goes(store: Path) -> None:
    backed_up(store, day=1)
    backed_up(store, day=2)
    with pytest.raises(StoreUnavailable, match="there already"):
        backed_up(store, day=2, keep=1)
    assert there(store) == {named(1), named(2)}
    with pytest.raises(StoreUnavailable):
        back_up_into(store, store.parent / "no" / "folder", now=AT, keep=1)
