"""The mappings go out, the store is lost, they come in again: nothing doubles, nothing is lost."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from syncd.app import store_path
from syncd.core.model import ConnectionName, Side
from syncd.core.work import PairState, Pause
from syncd.store.backup import back_up, put_back
from syncd.store.exporting import export_mappings
from syncd.store.importing import Imported, import_mappings
from tests.crash.older import recovered
from tests.engine.backfilling import backfilled, miss
from tests.engine.both_desks import LINK, STAFF, VIEWS, BothDesks, both_desks, both_know
from tests.engine.lineages import a_closed_pair, a_pair, follow_ups
from tests.engine.sending_files import a_file, copies, send
from tests.support.clock import START

stamps = pytest.mark.parametrize("is_readable", [True, False])


def exported(desks: BothDesks) -> list[bytes]:
    """The lines of an export, made while syncd works."""
    stream = io.BytesIO()
    path = store_path(desks.config)
    export_mappings(path, stream, link=None, made_by="test", now=START)
    return stream.getvalue().splitlines()


async def lost_and_imported(desks: BothDesks, lines: list[bytes]) -> Imported:
    """The database is deleted, the mappings are taken in, and another syncd begins."""
    await desks.end_life()
    path = store_path(desks.config)
    for file in path.parent.glob(f"{path.name}*"):
        if not file.name.endswith(".generation"):
            file.unlink()
    places = {
        name: {
            Side.PLATFORM: ConnectionName(link.platform.connection),
            Side.PARTNER: ConnectionName(link.partner.connection),
        }
        for name, link in desks.config.links.items()
    }
    done = import_mappings(lines, path, places=places, actor="test", now=desks.clock.now())
    assert done.problems == []
    await desks.begin_life()
    return done


def seen(desks: BothDesks) -> tuple[int, int, int]:
    """How many comments both desks hold, and how many tickets the partner."""
    tickets = desks.partners["acme"].desk.account.tickets.values()
    updates = [u for t in desks.platform.platform.register.tickets.values() for u in t.updates]
    said = sum(1 for update in updates if update.comment is not None)
    return said, sum(len(ticket.comments) for ticket in tickets), len(tickets)


@stamps
async def test_with_the_store_lost_at_once_both_desks_stay_as_they_are(
    tmp_path: Path, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable) as desks:
        told = await a_pair(desks)
        await send(desks, Side.PLATFORM, told, "<p>mit einer Datei</p>", a_file("dort.log"))
        await desks.settle()
        await desks.answer(told, "<p>was wir wissen</p>", status="pending", add_tags=["t-eins"])
        await send(desks, Side.PARTNER, told, "<p>auch eine</p>", a_file("hier.log"))
        handed = await a_pair(desks, "<p>das wird übergeben</p>")
        order = "<p>bitte übernehmt ihr</p><p>Reassign to Heroku</p>"
        await desks.answer(handed, order, public=False)
        await desks.settle()
        before, pairs = seen(desks), await desks.pairs()
        done = await lost_and_imported(desks, exported(desks))
        assert (done.pairs, done.tickets) == (2, 4)
        await desks.settle()
        assert seen(desks) == before
        assert desks.ticket(told).status == "With customer"
        assert (await desks.made.store.age()).doubtful == 0
        now = await desks.pairs()
        assert [(p.pair_id, p.tickets, p.ball, p.state) for p in now] == [
            (p.pair_id, p.tickets, p.ball, p.state) for p in pairs
        ]
        # And it goes on as ever.
        desks.write(told, "<p>Frage danach</p>")
        await desks.answer(told, "<p>Antwort danach</p>")
        await desks.settle()
        both_know(desks, told, "was wir wissen", "Frage danach", "Antwort danach")
        for side in Side:
            names = [file.name for file in copies(desks, side, told)]
            assert sorted(names) == ["dort.log", "hier.log"]


@stamps
async def test_with_a_day_between_nothing_doubles_and_the_gap_is_closed(
    tmp_path: Path, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable) as desks:
        old = await a_pair(desks)
        closed = await a_closed_pair(desks)
        lines = exported(desks)
        desks.write(old, "<p>Frage von heute</p>")
        await desks.answer(old, "<p>Antwort von heute</p>", status="pending", add_tags=["t-neu"])
        desks.write(closed, "<p>es geht wieder nicht</p>", status="Open")
        young = desks.open_ticket("<p>heute erst entstanden</p>")
        await desks.settle()
        await desks.answer(young, "<p>und gleich beantwortet</p>")
        await desks.settle()
        before, known = seen(desks), len(desks.twin(young).comments)
        await lost_and_imported(desks, lines)
        desks.write(old, "<p>Frage danach</p>")
        untold = desks.open_ticket("<p>inzwischen entstanden</p>")
        await desks.settle()
        both_know(desks, old, "Frage von heute", "Antwort von heute", "Frage danach")
        both_know(desks, young, "heute erst entstanden", "und gleich beantwortet")
        both_know(desks, untold, "inzwischen entstanden")
        assert "t-neu" in desks.ticket(old).tags
        (ticket,) = follow_ups(desks, desks.twin(closed))
        assert len([c for c in ticket.comments if "es geht wieder nicht" in c.body]) == 1
        now = seen(desks)
        assert len(desks.twin(young).comments) == known
        born = len(desks.twin(untold).comments)
        assert (now[0] - before[0], now[1] - before[1], now[2] - before[2]) == (2, 1 + born, 1)
        assert {pair.reason for pair in await desks.pairs()} == {""}


async def test_what_people_stopped_stays_stopped(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        gone, rests = await a_pair(desks), await a_pair(desks)
        store, now = desks.made.store, desks.clock.now()
        pair_id = (await desks.pair(gone)).pair_id
        assert await store.unlink(pair_id, actor="test", now=now)
        assert await store.pause_link(LINK, actor="mia", reason="Umzug", now=now)
        before = seen(desks)
        await lost_and_imported(desks, exported(desks))
        desks.write(gone, "<p>in einem getrennten Paar</p>")
        desks.write(rests, "<p>während der Pause</p>")
        for _ in range(4):
            await desks.round()
        assert seen(desks) == (before[0] + 2, *before[1:])
        assert await desks.made.store.paused_links() == {
            LINK: Pause(actor="mia", paused_at=now, reason="Umzug")
        }
        assert await desks.made.store.resume_link(LINK, actor="test", reason="", now=now)
        await desks.settle()
        assert len(desks.heard(rests, "während der Pause")) == 1
        assert desks.heard(gone, "in einem getrennten Paar") == []


async def test_a_file_that_names_a_held_ticket_is_refused_whole(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await a_pair(desks)
        lines = exported(desks)
        await desks.end_life()
        path = store_path(desks.config)
        kept = path.read_bytes()
        done = import_mappings(lines, path, places={}, actor="test", now=desks.clock.now())
        assert done.problem_count == 4
        said = f"pair 1: ticket {ticket_id} at heroku is in pair 1 of link {LINK} already"
        assert said in {problem.what for problem in done.problems}
        assert path.read_bytes() == kept
        await desks.begin_life()


@pytest.mark.parametrize("way", ["import", "restore"])
async def test_what_a_backfill_left_for_a_person_to_decide_is_not_sent(
    tmp_path: Path, way: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>Das war fuer alle</p>")
        await miss(desks)
        report = await backfilled(desks)
        assert len(report.left_out) == 1
        lines, copy = exported(desks), tmp_path / "copy.db"
        back_up(store_path(desks.config), copy)
        if way == "import":
            await lost_and_imported(desks, lines)
        else:
            await desks.end_life()
            put_back(copy, store_path(desks.config), actor="test", now=START)
            await recovered(desks)
            await desks.begin_life()
        await desks.settle()
        assert desks.heard(ticket_id, "Das war fuer alle") == []
        await backfilled(desks, notify=True)
        await desks.settle()
        assert len(desks.heard(ticket_id, "Das war fuer alle")) == 1


@pytest.mark.parametrize("way", ["import", "restore"])
async def test_a_pair_that_ended_and_went_on_since_copies_nothing_again(
    tmp_path: Path, way: str
) -> None:
    hidden: dict[str, Any] = {"metadata_readable": False}
    async with both_desks(tmp_path, partners=("acme", "globex"), **hidden) as desks:
        ticket_id = await a_pair(desks)
        _move(desks, ticket_id, away_from="acme", into="globex")
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ENDED
        lines, copy = exported(desks), tmp_path / "copy.db"
        back_up(store_path(desks.config), copy)
        _move(desks, ticket_id, away_from="globex", into="acme")
        await desks.settle()
        desks.write(ticket_id, "<p>wieder bei euch</p>")
        await desks.answer(ticket_id, "<p>danke, wir sehen es</p>")
        await desks.settle()
        before = seen(desks)
        if way == "import":
            await lost_and_imported(desks, lines)
        else:
            await desks.end_life()
            put_back(copy, store_path(desks.config), actor="test", now=START)
            await recovered(desks)
            await desks.begin_life()
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        both_know(desks, ticket_id, "wieder bei euch", "danke, wir sehen es")
        assert seen(desks) == before


def _move(desks: BothDesks, ticket_id: str, *, away_from: str, into: str) -> None:
    """Staff give the ticket to another partner."""
    gone, here = VIEWS[away_from], VIEWS[into]
    desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=gone)
    desks.act(STAFF, "escalate", ticket_id=ticket_id, view=here)
