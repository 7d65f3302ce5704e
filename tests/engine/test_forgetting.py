"""A person is forgotten: gone from every byte of the store, and their pairs go on as ever."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.app import store_path
from syncd.core.errors import LeaseLost
from syncd.core.model import Side
from syncd.core.work import Park, Step
from syncd.store.backup import back_up
from syncd.store.forgetting import ERASED, Forgotten, forget, people_of
from tests.engine.both_desks import CUSTOMER, STAFF, BothDesks, both_desks, both_know
from tests.engine.lineages import a_pair
from tests.engine.sending_files import a_file, send

FILE = "zeugnis-keller.pdf"
ADDRESS = "mia.keller@example.com"


def held(path: Path, *words: str) -> set[tuple[str, str]]:
    """File and word, for each that the raw bytes of the store and its log hold."""
    return {
        (file.name, word)
        for file in path.parent.iterdir()
        if file.name in (path.name, f"{path.name}-wal", f"{path.name}-shm")
        for word in words
        if word.encode() in file.read_bytes() or word.encode("utf-16-le") in file.read_bytes()
    }


async def a_case(desks: BothDesks) -> tuple[str, str]:
    """A ticket of the customer's and one of somebody else's in which nothing of them is."""
    theirs = await a_pair(desks, "<p>mein Fall</p>", subject=f"Anliegen von {CUSTOMER}")
    await desks.answer(theirs, "<p>wir sehen nach</p>", status="pending")
    await send(desks, Side.PLATFORM, theirs, "<p>mit Zeugnis</p>", a_file(FILE))
    done = desks.act(STAFF, "open", subject="nicht von ihr", body_html="<p>unser Fall</p>",
                     view="acme-postgres")  # fmt: skip
    other = str(done["ticket"]["id"])
    await desks.settle()
    store, now = desks.made.store, desks.clock.now()
    pair_id = (await desks.pair(theirs)).pair_id
    park = Park(reason="by_hand", hint=f"asked by {CUSTOMER}")
    assert await store.park(pair_id, park, actor="test", reason=f"{ADDRESS} asked", now=now)
    assert await store.unpark(pair_id, actor="test", now=now)
    await desks.settle()
    return theirs, other


def forgotten(desks: BothDesks, wanted: str, *, is_dry: bool = False) -> Forgotten:
    path = store_path(desks.config)
    return forget(
        path,
        people_of(path, wanted),
        words=[wanted, ADDRESS],
        actor="test",
        now=desks.clock.now(),
        reason="request 12",
        is_dry=is_dry,
    )


async def test_no_byte_of_the_store_names_the_person_afterwards(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        theirs, _ = await a_case(desks)
        path = store_path(desks.config)
        assert {word for _, word in held(path, CUSTOMER, FILE, ADDRESS)} == {
            CUSTOMER,
            FILE,
            ADDRESS,
        }
        done = forgotten(desks, CUSTOMER)
        assert held(path, CUSTOMER, FILE, ADDRESS, "Keller") == set()
        assert done.waiting == 0
        assert done.scrubbed is not None
        assert done.scrubbed.is_rewritten
        twin = str(desks.twin(theirs).id)
        assert {(p.connection, p.ticket_id, p.role) for p in done.places} == {
            ("heroku", theirs, "requester"),
            ("acme", twin, "twin"),
        }
        (deed,) = [d for d in await desks.made.store.deeds() if d.verb == "forget"]
        assert (deed.subject, deed.reason) == ("a person, 2 tickets", "request 12")
    assert held(path, CUSTOMER, FILE, ADDRESS) == set()


async def test_the_pairs_go_on_and_nothing_comes_twice(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        theirs, other = await a_case(desks)
        writes = desks.writes()
        forgotten(desks, CUSTOMER)
        await desks.settle()
        assert desks.writes() == writes, "to forget changes nothing on a desk"
        await desks.end_life()
        await desks.begin_life()
        desks.write(theirs, "<p>eine Frage danach</p>", who=STAFF)
        await desks.answer(theirs, "<p>eine Antwort danach</p>", status="solved")
        await desks.answer(other, "<p>auch hier</p>")
        await desks.settle()
        both_know(desks, theirs, "mein Fall", "wir sehen nach", "mit Zeugnis")
        both_know(desks, theirs, "eine Frage danach", "eine Antwort danach")
        both_know(desks, other, "auch hier")
        assert (await desks.pair(theirs)).reason == ""


async def test_a_dry_run_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        await a_case(desks)
        path = store_path(desks.config)
        dry = forgotten(desks, CUSTOMER, is_dry=True)
        assert {word for _, word in held(path, CUSTOMER, FILE)} == {CUSTOMER, FILE}
        done = forgotten(desks, CUSTOMER)
        assert (dry.counts, dry.places) == (done.counts, done.places)
        assert all(done.counts[kind] for kind in ("subjects", "files", "names", "mentions"))
        assert people_of(path, CUSTOMER) == []


async def test_others_keep_their_names_and_copies_are_told_of(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        theirs, other = await a_case(desks)
        path = store_path(desks.config)
        back_up(path, path.parent / f"{path.name}.replaced-1")
        done = forgotten(desks, CUSTOMER)
        assert [copy.name for copy in done.copies] == [f"{path.name}.replaced-1"]
        for ticket_id, name, subject in (
            (theirs, ERASED, ERASED),
            (other, STAFF, "nicht von ihr"),
        ):
            run = await desks.made.store.load_run((await desks.pair(ticket_id)).pair_id)
            assert run is not None
            snapshot = run.snapshots[Side.PLATFORM]
            assert snapshot is not None
            assert (snapshot.ticket.requester.name, snapshot.ticket.subject) == (name, subject)
            assert snapshot.ticket.requester.person_id


async def test_what_is_on_its_way_arrives_and_is_forgotten_the_next_time(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        theirs, _ = await a_case(desks)
        desks.arm(Side.PARTNER, "drop_before", times=None)
        desks.write(theirs, f"<p>wartet noch, Gruß {CUSTOMER}</p>")
        for _ in range(3):
            await desks.round()
        assert forgotten(desks, CUSTOMER).waiting > 0
        desks.disarm()
        await desks.settle()
        assert len(desks.heard(theirs, "wartet noch")) == 1
        assert forgotten(desks, CUSTOMER).waiting == 0
        assert held(store_path(desks.config), CUSTOMER) == set()


async def test_while_a_run_has_the_pair_nothing_is_forgotten(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        theirs, _ = await a_case(desks)
        pair, now = await desks.pair(theirs), desks.clock.now()
        until = now + timedelta(minutes=1)
        await desks.made.store.step(pair.pair_id, "daemon:x", Step(), now=now, lease_until=until)
        with pytest.raises(LeaseLost, match="being run"):
            forgotten(desks, CUSTOMER)
        assert held(store_path(desks.config), CUSTOMER) != set()


async def test_an_id_that_is_an_address_becomes_one_that_says_nothing(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        theirs, _ = await a_case(desks)
        path = store_path(desks.config)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE person SET person_id = ? WHERE name = ?",
                               (ADDRESS, CUSTOMER))  # fmt: skip
        connection.close()
        assert forgotten(desks, ADDRESS.upper()).counts["ids"] > 0
        assert held(path, ADDRESS, CUSTOMER) == set()
        desks.write(theirs, "<p>noch eine Frage</p>")
        await desks.settle()
        both_know(desks, theirs, "noch eine Frage")
