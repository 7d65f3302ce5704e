"""The writer thread: group commit, savepoints, and what happens when a commit does not."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from syncd.core.errors import LeaseLost, StoreUnavailable
from syncd.store.file import connect_writer, create
from syncd.store.statement import Session, Statement
from syncd.store.writer import Fuse, Writer

ADD = Statement("INSERT INTO note (text) VALUES (:text)")
ALL = "SELECT text FROM note ORDER BY rowid"


def a_writer(path: Path, *, fuse: Fuse | None = None, waiting_limit: int = 1000) -> Writer:
    create(path)
    connection = connect_writer(path, busy_timeout_seconds=5, is_durable=False)
    connection.execute("CREATE TABLE IF NOT EXISTS note (text TEXT NOT NULL UNIQUE)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS reply (note TEXT REFERENCES note (text)"
        " DEFERRABLE INITIALLY DEFERRED)"
    )
    return Writer(connection, path=path, fuse=fuse, waiting_limit=waiting_limit)


def on_disk(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    texts = [text for (text,) in connection.execute(ALL)]
    connection.close()
    return texts


def adds(text: str | None) -> Callable[[Session], object]:
    def work(session: Session) -> str | None:
        session.run(ADD, {"text": text})
        return text

    return work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "syncd.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    opened = a_writer(path)
    yield opened
    await opened.close()


class Held:
    """Holds the writer inside a unit of work until it is let go, so that others gather."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self, session: Session) -> None:
        self.has_begun.set()
        assert self.may_end.wait(10)


async def gathered(writer: Writer, *works: Callable[[Session], object]) -> list[object]:
    """Run the works in one transaction; their results or errors."""
    held = Held()
    first = asyncio.create_task(writer.submit(held))
    await asyncio.to_thread(held.has_begun.wait, 10)
    tasks = [asyncio.create_task(writer.submit(work)) for work in works]
    await asyncio.sleep(0)
    held.may_end.set()
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_unit_is_on_disk_when_its_answer_comes(writer: Writer, path: Path) -> None:
    assert await writer.submit(adds("a")) == "a"
    assert on_disk(path) == ["a"]


async def test_what_gathered_during_a_commit_is_committed_together(
    writer: Writer, path: Path
) -> None:
    texts = [f"{n}" for n in range(20)]
    assert await gathered(writer, *(adds(text) for text in texts)) == texts
    assert on_disk(path) == texts
    assert writer.commit_count == 2


async def test_a_unit_alone_waits_for_no_company(writer: Writer) -> None:
    for n in range(3):
        await writer.submit(adds(f"{n}"))
    assert writer.commit_count == 3


async def test_a_unit_that_fails_takes_back_its_own_work_only(writer: Writer, path: Path) -> None:
    def fails(session: Session) -> None:
        session.run(ADD, {"text": "half"})
        raise LeaseLost("no")

    first, second, third = await gathered(writer, adds("a"), fails, adds("b"))
    assert (first, third) == ("a", "b")
    assert isinstance(second, LeaseLost)
    with pytest.raises(LeaseLost):
        await writer.submit(fails)
    assert on_disk(path) == ["a", "b"]


async def test_what_the_schema_refuses_is_the_units_own_error(writer: Writer, path: Path) -> None:
    first, second = await gathered(writer, adds("a"), adds("a"))
    assert first == "a"
    assert isinstance(second, ValueError)
    with pytest.raises(ValueError, match="refused"):
        await writer.submit(adds(None))
    assert on_disk(path) == ["a"]


async def test_a_commit_that_fails_fails_all_of_it(writer: Writer, path: Path) -> None:
    def dangles(session: Session) -> None:
        session.run(Statement("INSERT INTO reply (note) VALUES (:note)"), {"note": "nowhere"})

    results = await gathered(writer, adds("a"), dangles)
    assert [type(result) for result in results] == [StoreUnavailable, StoreUnavailable]
    assert results[0] is not results[1]
    assert await writer.submit(adds("b")) == "b"
    assert on_disk(path) == ["b"]


async def test_a_full_disk_fails_all_of_it_with_a_hint(writer: Writer, path: Path) -> None:
    await writer.submit(lambda session: session.run(Statement("PRAGMA max_page_count = 1")))
    results = await gathered(writer, adds("small"), adds("x" * 100_000))
    assert [type(result) for result in results] == [StoreUnavailable, StoreUnavailable]
    assert isinstance(results[0], StoreUnavailable)
    assert "disk is full" in results[0].hint
    assert on_disk(path) == []


async def test_a_caller_who_gave_up_is_told_nothing(writer: Writer, path: Path) -> None:
    held = Held()
    waiting = asyncio.create_task(writer.submit(held))
    await asyncio.to_thread(held.has_begun.wait, 10)
    given_up = asyncio.create_task(writer.submit(adds("a")))
    await asyncio.sleep(0)
    given_up.cancel()
    held.may_end.set()
    await waiting
    await writer.submit(adds("b"))
    assert given_up.cancelled()
    assert "b" in on_disk(path)


async def test_closing_finishes_what_was_handed_over(path: Path) -> None:
    writer = a_writer(path)
    tasks = [asyncio.create_task(writer.submit(adds(f"{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await writer.close()
    await asyncio.gather(*tasks)
    assert len(on_disk(path)) == 50


async def test_more_units_than_may_wait_are_handed_over_in_turn(path: Path) -> None:
    writer = a_writer(path, waiting_limit=2)
    await asyncio.gather(*(writer.submit(adds(f"{n}")) for n in range(20)))
    assert writer.commit_count >= 10
    assert len(on_disk(path)) == 20
    await writer.close()


async def test_a_crowd_is_taken_in_more_than_one_commit(path: Path) -> None:
    writer = a_writer(path, waiting_limit=2000)
    await gathered(writer, *(adds(f"{n}") for n in range(1200)))
    assert writer.commit_count == 4
    assert len(on_disk(path)) == 1200
    await writer.close()


async def test_a_writer_that_died_says_so_to_all(path: Path) -> None:
    def fuse(moment: str) -> None:
        raise RuntimeError(moment)

    writer = a_writer(path, fuse=fuse)
    results = await asyncio.gather(
        *(writer.submit(adds(f"{n}")) for n in range(5)),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {StoreUnavailable}
    with pytest.raises(StoreUnavailable, match="stopped: RuntimeError"):
        await writer.submit(adds("late"))
    await writer.close()
    assert on_disk(path) == []


async def test_units_of_a_loop_that_is_gone_disturb_nobody(path: Path) -> None:
    writer = a_writer(path)
    held = Held()

    def elsewhere() -> None:
        async def hand_over() -> None:
            task = asyncio.create_task(writer.submit(held))
            await asyncio.to_thread(held.has_begun.wait, 10)
            task.cancel()

        asyncio.run(hand_over())

    await asyncio.to_thread(elsewhere)
    held.may_end.set()
    await writer.submit(adds("a"))
    assert on_disk(path) == ["a"]
    await writer.close()


# --- nothing deleted stays on the disk -----------------------------------------------------------

CANARY = "kanarienvogel" * 400
DELETE = Statement("DELETE FROM note WHERE text = :text")


def still_there(path: Path) -> list[str]:
    """The files beside the store that hold the canary, whatever SQLite says of them."""
    return [file.name for file in path.parent.iterdir() if b"kanarienvogel" in file.read_bytes()]


async def gone(path: Path) -> None:
    """Wait until no file holds it."""
    while still_there(path):
        await asyncio.sleep(0.01)


def a_tidy_writer(path: Path, *, seconds: float) -> Writer:
    create(path)
    connection = connect_writer(path, busy_timeout_seconds=5, is_durable=False)
    connection.execute("CREATE TABLE note (text TEXT NOT NULL UNIQUE)")
    return Writer(connection, path=path, tidy_seconds=seconds)


async def test_what_was_deleted_is_soon_in_no_file(path: Path) -> None:
    writer = a_tidy_writer(path, seconds=0.05)
    await writer.submit(adds(CANARY))
    await writer.submit(lambda session: session.run(DELETE, {"text": CANARY}))
    assert still_there(path) != []
    async with asyncio.timeout(10):
        await gone(path)
    await writer.submit(adds("one"))
    await writer.close()
    assert on_disk(path) == ["one"]


async def test_without_tidying_it_would_stay(path: Path) -> None:
    writer = a_tidy_writer(path, seconds=3600)
    await writer.submit(adds(CANARY))
    await writer.submit(lambda session: session.run(DELETE, {"text": CANARY}))
    await asyncio.sleep(0.2)
    assert still_there(path) == ["syncd.db-wal"]
    await writer.close()
    assert still_there(path) == []


async def test_a_reader_delays_the_tidying_and_no_commit(path: Path) -> None:
    writer = a_tidy_writer(path, seconds=0.05)
    await writer.submit(adds(CANARY))
    reading = sqlite3.connect(path, isolation_level=None)
    reading.execute("BEGIN")
    assert len(reading.execute(ALL).fetchall()) == 1
    await writer.submit(lambda session: session.run(DELETE, {"text": CANARY}))
    for number in range(20):
        async with asyncio.timeout(2):
            await writer.submit(adds(f"note {number}"))
        await asyncio.sleep(0.01)
    assert still_there(path) != []
    reading.execute("COMMIT")
    reading.close()
    async with asyncio.timeout(10):
        await gone(path)
    await writer.close()


async def test_steady_writing_does_not_put_the_tidying_off(path: Path) -> None:
    writer = a_tidy_writer(path, seconds=0.1)
    await writer.submit(adds(CANARY))
    await writer.submit(lambda session: session.run(DELETE, {"text": CANARY}))
    async with asyncio.timeout(10):
        number = 0
        while still_there(path):
            number += 1
            await writer.submit(adds(f"note {number}"))
            await asyncio.sleep(0.005)
    await writer.close()


async def test_a_killed_daemons_log_is_emptied_after_the_next_start(path: Path) -> None:
    first = a_tidy_writer(path, seconds=3600)
    await first.submit(adds(CANARY))
    await first.submit(lambda session: session.run(DELETE, {"text": CANARY}))
    second = connect_writer(path, busy_timeout_seconds=5, is_durable=False)
    following = Writer(second, path=path, tidy_seconds=0.05)
    async with asyncio.timeout(10):
        await gone(path)
    await following.close()
    await first.close()
