"""A store that has fewer commits than there were, or is another one, is noticed and stays so."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.core.model import LinkName, Side
from syncd.core.work import Birth
from syncd.store import SqliteStore, open_reader, open_store
from tests.support.build import AT, PLATFORM, a_birth, a_ticket, a_whole_read

LINK = LinkName("acme")


async def commit(store: SqliteStore, times: int = 1, *, link: str = "acme") -> None:
    """Something that leaves a trace, and its end."""
    for _ in range(times):
        await store.pause_link(LinkName(link), actor="test", now=AT)
        await store.resume_link(LinkName(link), actor="test", now=AT)


async def is_older(path: Path) -> bool:
    """What the store says of itself when it is opened next."""
    store = open_store(path)
    try:
        return (await store.age()).is_older
    finally:
        await store.close()


async def test_a_store_that_nobody_touched_is_not_older(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    for _ in range(3):
        store = open_store(path)
        await commit(store, 2)
        await store.close()
    assert not await is_older(path)


async def test_each_commit_counts_and_one_that_changes_nothing_does_not(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db")
    before = (await store.age()).generation
    await commit(store)
    await store.resume_link(LINK, actor="test", now=AT)
    assert (await store.age()).generation == before + 2
    await store.close()


async def test_a_copy_that_is_put_back_is_noticed_and_stays_older(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    store = open_store(path)
    await commit(store)
    await store.close()
    copy = path.read_bytes()
    store = open_store(path)
    await commit(store)
    await store.close()
    path.write_bytes(copy)
    assert await is_older(path)
    store = open_store(path)
    await commit(store, 20)
    await store.close()
    assert await is_older(path), "what is written since tells nothing of what was lost"


async def test_a_lost_write_ahead_log_is_noticed(tmp_path: Path) -> None:
    path, kept = tmp_path / "syncd.db", tmp_path / "kept.db"
    store = open_store(path)
    await store.close()
    store = open_store(path)
    await commit(store)
    # The file itself, as a machine leaves it that lost the log beside it.
    kept.write_bytes(path.read_bytes())
    await store.close()
    path.write_bytes(kept.read_bytes())
    assert await is_older(path)


async def test_another_store_in_its_place_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    store = open_store(path)
    await commit(store)
    await store.close()
    path.unlink()
    assert await is_older(path)


@pytest.mark.parametrize("line", ["", "nonsense", "one two three", "ÿ"])
async def test_a_marker_that_says_nothing_is_written_anew(tmp_path: Path, line: str) -> None:
    path, marker = tmp_path / "syncd.db", tmp_path / "syncd.db.generation"
    store = open_store(path)
    await commit(store)
    await store.close()
    good = marker.read_text()
    marker.write_text(line, "latin-1")
    assert not await is_older(path)
    assert marker.read_text() == good
    assert marker.stat().st_mode & 0o777 == 0o600


async def test_a_marker_behind_the_store_says_nothing(tmp_path: Path) -> None:
    path, marker = tmp_path / "syncd.db", tmp_path / "syncd.db.generation"
    store = open_store(path)
    await commit(store)
    early = marker.read_bytes()
    await commit(store)
    await store.close()
    # A power cut may take what was never synced.
    marker.write_bytes(early)
    assert not await is_older(path)


async def test_two_processes_on_one_store_do_not_take_each_other_for_older(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    one, two = open_store(path), open_store(path)
    for _ in range(5):
        await commit(one)
        await commit(two, link="globex")
    third = open_store(path)
    assert not (await third.age()).is_older
    for store in (one, two, third):
        await store.close()


async def test_doubting_reaches_every_living_pair_and_ends_the_stores_age(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    store = open_store(path)
    await born(store, "T1", "T2")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE generation SET is_older = 1")
        connection.execute("UPDATE pair SET state = 'ended' WHERE id = 2")
    connection.close()
    assert await store.doubt(actor="cli:mia", reason="disk died", now=AT) == 1
    age = await store.age()
    assert (age.is_older, age.recovered_at, age.doubtful) == (False, AT, 1)
    (deed,) = await store.deeds()
    assert (deed.verb, deed.actor, deed.reason) == ("recover", "cli:mia", "disk died")
    (pair, _) = await store.find_pairs()
    assert await store.trust([pair.pair_id]) == 1
    assert await store.trust([pair.pair_id]) == 0
    assert (await store.age()).doubtful == 0
    await store.close()


async def test_births_of_what_may_have_a_twin_already_are_doubtful(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db")
    await born(store, "T0")
    await store.doubt(actor="test", now=AT)
    await born(store, "T1")
    await born(store, "T2", days=3)
    found = {p.tickets[Side.PLATFORM]: p.is_doubtful for p in await store.find_pairs()}
    assert found == {"T0": True, "T1": True, "T2": False}
    await store.close()


async def test_a_reader_knows_the_age_too(tmp_path: Path) -> None:
    path = tmp_path / "syncd.db"
    store = open_store(path)
    await commit(store)
    age = await store.age()
    await store.close()
    reader = open_reader(path)
    assert await reader.age() == age
    await reader.close()


async def born(store: SqliteStore, *ticket_ids: str, days: int = 0) -> None:
    births: list[Birth] = [a_birth(ticket_id) for ticket_id in ticket_ids]
    made_at = AT + timedelta(days=days)
    shown = [a_whole_read(a_ticket(t, created_at=made_at)) for t in ticket_ids]
    await store.record_sightings(PLATFORM, shown, side=Side.PLATFORM, births=births, seen_at=AT)
