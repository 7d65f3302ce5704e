"""Copies of the store: whole, private, made beside a writer; put back only when nobody is there."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from syncd.core.errors import StoreTooNew, StoreUnavailable
from syncd.core.model import LinkName
from syncd.core.work import Park
from syncd.store import OwnerLock, SqliteStore, open_store
from syncd.store.backup import back_up, put_back
from tests.support.build import AT
from tests.support.schemas import a_migrated_file

LINK = LinkName("acme")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


async def said(path: Path) -> list[str]:
    """Why links are stopped in a store: what tests here leave in it."""
    store = open_store(path)
    try:
        return [park.reason for park in (await store.parked_links()).values()]
    finally:
        await store.close()


async def say(store: SqliteStore, word: str) -> None:
    """Leave a word in a store."""
    await store.park_link(LINK, Park(reason=word, hint=""), now=AT)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def size_of(path: Path) -> int:
    return path.stat().st_size


async def a_store(path: Path, word: str = "before") -> None:
    store = open_store(path)
    await say(store, word)
    await store.close()


async def test_a_copy_is_one_private_file_with_everything(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    seen: list[tuple[int, int]] = []
    copied = back_up(path, tmp_path / "copy.db", progress=lambda *pages: seen.append(pages))
    assert mode_of(copied.path) == 0o600
    assert copied.size_bytes == size_of(copied.path)
    assert seen[-1] == (copied.pages, copied.pages)
    assert sorted(f for f in os.listdir(tmp_path) if "copy" in f) == ["copy.db"]
    assert await said(copied.path) == ["before"]


async def test_a_copy_beside_a_busy_writer_is_of_one_moment(path: Path, tmp_path: Path) -> None:
    store = open_store(path, is_durable=False)
    await say(store, "0")
    is_over = asyncio.Event()

    async def write() -> int:
        number = 0
        while not is_over.is_set():
            number += 1
            await say(store, str(number))
        return number

    writing = asyncio.create_task(write())
    copies = [
        await asyncio.to_thread(back_up, path, tmp_path / f"copy-{number}.db")
        for number in range(5)
    ]
    is_over.set()
    last = await writing
    await store.close()
    words = [int(*(await said(copy.path))) for copy in copies]
    assert words == sorted(words)
    assert words[-1] <= last


async def test_a_file_that_is_there_is_replaced_only_when_asked(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    target = tmp_path / "copy.db"
    shutil.copyfile(path, target)
    size = size_of(target)
    with pytest.raises(StoreUnavailable, match="is there already"):
        back_up(path, target)
    assert size_of(target) == size
    await a_store(path, "after")
    back_up(path, target, may_replace=True)
    assert await said(target) == ["after"]


@pytest.mark.parametrize("name", ["syncd.db", "."])
async def test_the_store_itself_is_no_place_for_its_copy(
    path: Path, tmp_path: Path, name: str
) -> None:
    await a_store(path)
    with pytest.raises(StoreUnavailable, match="no place"):
        back_up(path, tmp_path / name, may_replace=True)
    assert await said(path) == ["before"]


async def test_a_copy_that_cannot_be_made_leaves_nothing(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    with path.open("r+b") as damaged:
        damaged.seek(4096 * 3)
        damaged.write(b"\x55" * 4096 * 2)
    with pytest.raises(StoreUnavailable):
        back_up(path, tmp_path / "copy.db")
    assert [name for name in os.listdir(tmp_path) if "copy" in name] == []


async def test_a_copy_says_of_itself_that_it_is_older(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    copied = back_up(path, tmp_path / "copy.db")
    store = open_store(copied.path)
    assert (await store.age()).is_older
    await store.close()
    store = open_store(path)
    assert not (await store.age()).is_older
    await store.close()


async def test_what_was_there_is_kept_and_the_store_is_older(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    copied = back_up(path, tmp_path / "copy.db")
    await a_store(path, "after")
    put = put_back(copied.path, path, actor="cli:mia", now=AT)
    assert put.replaced is not None
    assert await said(put.replaced) == ["after"]
    assert mode_of(path) == 0o600
    store = open_store(path)
    assert (await store.age()).is_older
    (deed, *_) = await store.deeds()
    assert (deed.verb, deed.actor) == ("restore", "cli:mia")
    await store.close()
    assert await said(path) == ["before"]
    assert await said(copied.path) == ["before"], "the copy itself is as it was"


async def test_a_dead_daemons_log_goes_with_its_file(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    copied = back_up(path, tmp_path / "copy.db")
    store = open_store(path)
    await say(store, "after")
    # As SIGKILL leaves it: the last commits are in the log alone.
    for ending in ("", "-wal"):
        shutil.copyfile(f"{path}{ending}", tmp_path / f"dead{ending}")
    await store.close()
    for ending in ("", "-wal"):
        shutil.copyfile(tmp_path / f"dead{ending}", f"{path}{ending}")
    put = put_back(copied.path, path, actor="test", now=AT)
    assert await said(path) == ["before"]
    assert put.replaced is not None
    assert await said(put.replaced) == ["after"]


async def test_where_there_was_no_store_the_copy_is_one(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    copied = back_up(path, tmp_path / "copy.db")
    os.remove(path)
    shutil.copyfile(copied.path, f"{path}-wal")
    assert put_back(copied.path, path, actor="test", now=AT).replaced is None
    assert await said(path) == ["before"]


@pytest.mark.parametrize("owner", ["daemon", "backfill-acme"])
async def test_nothing_is_put_back_under_a_running_process(
    path: Path, tmp_path: Path, owner: str
) -> None:
    await a_store(path)
    copied = back_up(path, tmp_path / "copy.db")
    await a_store(path, "after")
    with OwnerLock(path, owner), pytest.raises(StoreUnavailable, match=owner) as refused:
        put_back(copied.path, path, actor="test", now=AT)
    assert "Stop it first" in refused.value.hint
    assert await said(path) == ["after"]


async def test_a_newer_copy_is_refused(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    copied = back_up(path, tmp_path / "copy.db")
    with sqlite3.connect(copied.path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreTooNew) as refused:
        put_back(copied.path, path, actor="test", now=AT)
    assert "newer version" in refused.value.hint
    assert await said(path) == ["before"]


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be one" * 40])
async def test_what_is_no_copy_is_refused(path: Path, tmp_path: Path, content: bytes) -> None:
    await a_store(path)
    strange = tmp_path / "strange.db"
    strange.write_bytes(content)
    for source in (strange, tmp_path / "missing.db", path):
        with pytest.raises(StoreUnavailable):
            put_back(source, path, actor="test", now=AT)
    assert await said(path) == ["before"]
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


async def test_an_older_copy_is_brought_up_to_date(path: Path, tmp_path: Path) -> None:
    await a_store(path)
    copied = tmp_path / "copy.db"
    a_migrated_file(copied, "0007")
    put_back(copied, path, actor="test", now=AT)
    store = open_store(path)
    assert (await store.age()).is_older
    await store.close()
