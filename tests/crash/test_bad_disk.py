"""A disk that is full, locked or read-only stops syncd loudly; mended, it goes on and lost nothing.

The fault comes at every commit of a busy hour in turn, as SQLite itself meets it: a file that may
not grow, a lock that another process holds, a connection that may not write.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import syncd.store.store as opening
from syncd.app import store_path
from syncd.core.errors import StoreUnavailable
from syncd.store import open_store
from syncd.store.file import connect_writer
from tests.crash.shown import counted
from tests.engine.both_desks import BothDesks, both_desks, both_know
from tests.engine.lineages import a_pair
from tests.engine.sending_files import a_file

Spoil = Callable[[sqlite3.Connection, int], None]

#: What commits of the busy hour are spoilt; it has more than twenty.
COMMITS = range(0, 21, 2)


def full(connection: sqlite3.Connection, room: int) -> None:
    """The file may grow by so many pages and no more."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + room}")


class Spoilt(sqlite3.Connection):
    """A connection that may not write any more from one commit on."""

    left = 0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self.left -= 1
            if self.left < 0:
                super().execute("PRAGMA query_only = ON")
        return super().execute(sql, parameters)


@contextlib.contextmanager
def spoiling(spoil: Spoil, number: int) -> Iterator[None]:
    """Every store that is opened meanwhile gets a fault."""

    def connect(path: Path, **members: Any) -> sqlite3.Connection:
        connection = connect_writer(path, **members)
        spoil(connection, number)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "connect_writer", connect)
        yield


@contextlib.contextmanager
def read_only_from(number: int) -> Iterator[None]:
    """Every store that is opened meanwhile becomes read-only at a commit."""
    with pytest.MonkeyPatch.context() as patch:
        factory = type("_Spoilt", (Spoilt,), {"left": number})
        made = functools.partial(sqlite3.connect, factory=factory)
        patch.setattr("syncd.store.file.sqlite3.connect", made)
        yield


async def busy_hour(desks: BothDesks, old: str) -> str:
    """People write on both desks; the ticket that is new."""
    young = desks.open_ticket("<p>heute erst entstanden</p>", attachments=[a_file("eins.txt")])
    desks.write(old, f"<p>Frage von heute {'lang ' * 2000}</p>", status="Open", add_tags=["t-neu"])
    await desks.answer(old, "<p>Antwort von heute</p>", status="pending")
    return young


async def survives(desks: BothDesks, old: str, young: str) -> None:
    """Without the fault syncd goes on, and everything is on both desks once."""
    await desks.begin_life()
    await desks.settle()
    both_know(desks, old, "woran es liegt", "Frage von heute", "Antwort von heute")
    both_know(desks, young, "heute erst entstanden")
    assert [len(c.attachments) for c in desks.heard(young, "heute erst")] == [1]
    statuses = desks.ticket(old).status, desks.twin(old).status
    assert statuses in (("With customer", "pending"), ("Open", "open"))
    assert counted(desks)[:2] == (2, 2)
    assert await desks.made.store.conflicts() == []


@pytest.mark.parametrize("room", [0, 1, 2, 3, 4])
async def test_a_full_disk_stops_syncd_and_once_there_is_room_it_goes_on(
    tmp_path: Path, room: int
) -> None:
    async with both_desks(tmp_path) as desks:
        old = await a_pair(desks)
        young = await busy_hour(desks, old)
        await desks.end_life()
        with spoiling(full, room):
            with contextlib.suppress(StoreUnavailable):
                await desks.begin_life()
                with pytest.raises(StoreUnavailable, match="full") as caught:
                    await _until_it_stops(desks)
                assert "free some space" in caught.value.hint
            await desks.end_life()
        await survives(desks, old, young)


@pytest.mark.parametrize("commit", COMMITS)
async def test_a_file_that_becomes_read_only_stops_syncd_and_mended_it_goes_on(
    tmp_path: Path, commit: int
) -> None:
    async with both_desks(tmp_path) as desks:
        old = await a_pair(desks)
        young = await busy_hour(desks, old)
        await desks.end_life()
        with read_only_from(commit):
            # Opening it takes a commit of its own.
            with contextlib.suppress(StoreUnavailable):
                await desks.begin_life()
                with pytest.raises(StoreUnavailable, match="readonly") as caught:
                    await _until_it_stops(desks)
                assert "read-only" in caught.value.hint
            await desks.end_life()
        await survives(desks, old, young)


async def test_a_file_that_may_only_be_read_is_told_at_the_start(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        await a_pair(desks)
        path = store_path(desks.config)
        before = await _everything(path)
        await desks.end_life()
        with pytest.MonkeyPatch.context() as patch:
            # As root, whom no permission stops, tests open it the way that a read-only mount does.
            connect = sqlite3.connect
            patch.setattr(
                "syncd.store.file.sqlite3.connect",
                lambda place, **members: connect(
                    place.replace("mode=rw", "mode=ro&immutable=1"), **members
                ),
            )
            with pytest.raises(StoreUnavailable) as caught:
                await desks.begin_life()
        assert "read-only" in caught.value.hint or "may write" in caught.value.hint
        await desks.begin_life()
        assert await _everything(path) == before


async def _everything(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if '"generation"' not in line]


@pytest.mark.parametrize("rounds", [0, 1, 2])
async def test_a_lock_that_another_process_holds_stops_syncd_and_without_it_it_goes_on(
    tmp_path: Path, rounds: int
) -> None:
    async with both_desks(tmp_path) as desks:
        old = await a_pair(desks)
        await desks.end_life()
        impatient = functools.partial(open_store, busy_timeout_seconds=0.1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("syncd.app.open_store", impatient)
            await desks.begin_life()
            young = await busy_hour(desks, old)
            for _ in range(rounds):
                await desks.round()
            desks.write(old, "<p>und noch ein Wort</p>")
            with (
                another_process(store_path(desks.config)),
                pytest.raises(StoreUnavailable, match="locked") as caught,
            ):
                await _until_it_stops(desks)
            assert "Another process" in caught.value.hint
            await desks.end_life()
        await survives(desks, old, young)
        both_know(desks, old, "und noch ein Wort")


async def _until_it_stops(desks: BothDesks) -> None:
    """syncd at work: raises what stops it."""
    for _ in range(40):
        await desks.round()


@contextlib.contextmanager
def another_process(path: Path) -> Iterator[None]:
    """Somebody who began to write and does not end."""
    code = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
