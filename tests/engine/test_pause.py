"""A paused link: nothing is written, everything is read, and what waited travels in its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.zendesk.connector import ZendeskConnector
from syncd.app import parts
from syncd.core.model import Side, Snapshot
from syncd.core.operations import Answer, Finding, Intent
from syncd.engine.outcome import Result
from tests.engine.backfilling import a_history, backfilled, miss
from tests.engine.both_desks import LINK, STAFF, BothDesks, both_desks, both_know
from tests.engine.wiring import VIEWS

WORDS = [f"Zeile Nummer {number:02}" for number in range(6)]


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


async def pause(desks: BothDesks) -> None:
    assert await desks.made.store.pause_link(LINK, actor="test", now=desks.clock.now())


async def resume(desks: BothDesks) -> None:
    assert await desks.made.store.resume_link(LINK, actor="test", now=desks.clock.now())


def lines_heard(desks: BothDesks, ticket_id: str) -> list[str]:
    """The numbered lines in the order of the partner's desk."""
    bodies = [c.body for c in desks.twin(ticket_id).comments if "Zeile Nummer" in c.body]
    return [body[body.index("Zeile") :][: len(WORDS[0])] for body in bodies]


async def test_nothing_is_written_for_a_paused_link_and_all_of_it_afterwards_in_order(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await pause(desks)
        desks.forget_requests()
        before = desks.writes()
        for number, words in enumerate(WORDS):
            desks.write(ticket_id, f"<p>{words}</p>", who=STAFF, visibility="private", views=[LINK])
            await desks.answer(ticket_id, f"<p>Antwort {number}</p>", public=number % 2 == 0)
            await desks.round()
        await desks.answer(ticket_id, status="pending", tags=["t-vip"])
        newborn = desks.open_ticket("<p>noch ein Kunde</p>")
        await desks.round()
        assert desks.writes() == before
        assert desks.twins(newborn) == []
        assert desks.requests(Side.PARTNER) != [], "it is read all the while"
        assert (await desks.pair(ticket_id)).is_dirty

        await resume(desks)
        await desks.settle()

        both_know(desks, ticket_id, *WORDS, *(f"Antwort {number}" for number in range(6)))
        assert lines_heard(desks, ticket_id) == WORDS
        answers = [u for n in range(6) for u in desks.read(ticket_id, f"Antwort {n}")]
        order = [u for u in desks.ticket(ticket_id).updates if u in answers]
        assert order == answers
        assert desks.ticket(ticket_id).status == "With customer"
        both_know(desks, newborn, "noch ein Kunde")
        # Twelve comments, the status with the tags, and the newborn's twin.
        assert desks.writes() - before == 2 * len(WORDS) + 2


async def test_a_pause_is_one_links_and_outlives_the_daemon(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=("acme", "globex")) as desks:
        ticket_id = await a_pair(desks)
        other = desks.open_ticket("<p>eine andere Sache</p>", view=VIEWS["globex"])
        await desks.settle()
        await pause(desks)
        desks.write(ticket_id, "<p>das bleibt liegen</p>")
        desks.write(other, "<p>das geht weiter</p>")
        await desks.settle()
        assert desks.heard(ticket_id, "das bleibt liegen") == []
        assert len(desks.heard(other, "das geht weiter", "globex")) == 1

        async with parts(desks.made.config, owner="again", clock=desks.clock) as again:
            pair_id = (await desks.pair(ticket_id)).pair_id
            assert (await again.reconciler.reconcile(pair_id)).result is Result.IDLE
            assert list(await again.store.paused_links()) == [LINK]
        await resume(desks)
        await desks.settle()
        both_know(desks, ticket_id, "das bleibt liegen")


async def test_a_pause_in_the_middle_of_a_run_lets_the_running_write_end_and_no_other_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        ordinary = ZendeskConnector.write

        async def paused_meanwhile(self: ZendeskConnector, intent: Intent) -> Answer:
            answer = await ordinary(self, intent)
            await pause(desks)
            return answer

        monkeypatch.setattr(ZendeskConnector, "write", paused_meanwhile)
        for words in WORDS:
            desks.write(ticket_id, f"<p>{words}</p>", who=STAFF, visibility="private", views=[LINK])
        before = desks.writes()
        await desks.settle()
        assert lines_heard(desks, ticket_id) == WORDS[:1]
        assert desks.writes() == before + 1
        run = await desks.made.store.load_run((await desks.pair(ticket_id)).pair_id)
        assert run is not None
        assert run.sent == (), "its answer is on record"

        monkeypatch.undo()
        await resume(desks)
        await desks.run_due()
        assert lines_heard(desks, ticket_id) == WORDS, "at once: nobody holds the pair"


async def test_a_lost_write_is_not_repeated_once_its_link_is_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PARTNER, "drop_before", kind="write")
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.poll()
        await desks.run_due()
        assert desks.events("op.unknown") != []
        ordinary = ZendeskConnector.find

        async def paused_meanwhile(
            self: ZendeskConnector, intent: Intent, *, shown: Snapshot | None = None
        ) -> Finding:
            monkeypatch.undo()
            await pause(desks)
            return await ordinary(self, intent, shown=shown)

        monkeypatch.setattr(ZendeskConnector, "find", paused_meanwhile)
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before
        assert desks.heard(ticket_id, "noch eine Frage") == []

        await resume(desks)
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")


async def test_a_backfill_that_is_overtaken_by_a_pause_says_that_pairs_wait(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        await miss(desks)
        first, second = a_history(desks), a_history(desks)
        await miss(desks)
        await pause(desks)
        report = await backfilled(desks)
        assert (report.done, report.waiting) == (0, 2)
        assert desks.twins(first) + desks.twins(second) == []
        await resume(desks)
        report = await backfilled(desks)
        await desks.settle()
        assert [len(desks.twins(each)) for each in (first, second)] == [1, 1]
