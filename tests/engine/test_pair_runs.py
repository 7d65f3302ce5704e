"""One pair's trouble is no other pair's: bugs, unknown statuses, held comments, other processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from syncd.app import parts
from syncd.core.errors import StoreUnavailable
from syncd.core.model import LinkName, Side, TicketId
from syncd.core.plan import Plan
from syncd.core.work import PairState
from syncd.engine.backfill import Backfill
from syncd.engine.outcome import Result
from syncd.engine.work import Work
from tests.engine.backfilling import miss
from tests.engine.both_desks import HEROKU, LINK, STAFF, BothDesks, both_desks, both_know


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


# --- bugs ----------------------------------------------------------------------------------------


async def test_a_bug_parks_its_pair_with_the_place_and_no_text_of_the_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        cursed, other = await a_pair(desks), await a_pair(desks)
        ordinary = Work.plan

        def buggy(self: Work, *rest: object) -> Plan:
            if self.pair.tickets[Side.PLATFORM] == cursed:
                said = [c.html for c in self.snapshots[Side.PLATFORM].comments]
                raise KeyError(f"woran es liegt, noch eine Frage {said}")
            return ordinary(self, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(Work, "plan", buggy)
        desks.write(cursed, "<p>noch eine Frage</p>")
        desks.write(other, "<p>noch eine Frage</p>")
        await desks.settle()

        reason, hint = await desks.parked(cursed)
        assert reason == "bug"
        assert "KeyError at test_pair_runs.py:" in hint
        assert "Frage" not in hint
        (event,) = desks.events("pair.failed")
        assert event["place"].endswith(" buggy")
        both_know(desks, other, "noch eine Frage")

        monkeypatch.undo()
        await desks.retry(cursed)
        await desks.settle()

        both_know(desks, cursed, "noch eine Frage")


async def test_one_bug_after_another_stops_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:

        def buggy(self: Work, *rest: object) -> Plan:
            raise ZeroDivisionError

        monkeypatch.setattr(Work, "plan", buggy)
        for _ in range(25):
            desks.open_ticket()
        with pytest.raises(RuntimeError, match="one bug after another"):
            await desks.settle()
        parked = [p for p in await desks.pairs() if p.state is PairState.PARKED]
        assert len(parked) == 21


async def test_a_bug_after_a_write_left_keeps_it_in_the_journal_and_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)

        def buggy(self: Work, *rest: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(Work, "settle", buggy)
            desks.write(ticket_id, "<p>noch eine Frage</p>")
            await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "bug"
        await desks.retry(ticket_id)
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")
        assert [e["side"] for e in desks.events("op.found")] == ["partner"]


# --- what a person must decide -------------------------------------------------------------------


async def test_a_status_in_no_line_of_the_link_parks_the_pair_until_it_is_mapped(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        desks.ticket(ticket_id).status = "Escalated \x1b[31m <b>"  # type: ignore[assignment]
        # Whoever asked reopens the ticket; staff leave it as it is.
        desks.write(ticket_id, "<p>noch eine Frage</p>", who=STAFF)
        desks.write(other, "<p>noch eine Frage</p>")
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "unmapped_status"
        assert "'Escalated \\x1b[31m <b>'" in hint
        both_know(desks, other, "noch eine Frage")
        assert len(desks.twin(ticket_id).comments) == 2

        desks.ticket(ticket_id).status = "Open"
        desks.write(ticket_id, "<p>alles wieder gut</p>")
        await desks.retry(ticket_id)
        await desks.settle()

        both_know(desks, ticket_id, "noch eine Frage", "alles wieder gut")


async def test_a_held_comment_is_told_once_and_holds_only_those_behind_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>Reassign to Heroku</p>")
        desks.said.clear()
        await desks.answer(ticket_id, "<p>wartet dahinter</p>")
        desks.write(ticket_id, "<p>andere Richtung</p>")
        await desks.settle()
        desks.write(ticket_id, "<p>und noch eins</p>")
        await desks.settle()
        both_know(desks, ticket_id, "andere Richtung", "und noch eins")
        assert desks.read(ticket_id, "wartet dahinter") == []
        (event,) = desks.events("comment.held")
        held = next(c for c in desks.twin(ticket_id).comments if c.body == "Reassign to Heroku")
        assert (event["side"], event["comment_id"]) == ("partner", str(held.id))
        assert event["reason"] == "public_hand_off_phrase"

        pair = await desks.pair(ticket_id)
        store, now = desks.made.store, desks.clock.now()
        assert await store.release_comment(
            pair.pair_id, Side.PARTNER, event["comment_id"], actor="test", now=now
        )
        await desks.settle()

        both_know(desks, ticket_id, "wartet dahinter")
        assert len(desks.read(ticket_id, "Reassign to Heroku")) == 1
        assert desks.ticket(ticket_id).views == ["acme-postgres"]
        assert len(desks.events("comment.held")) == 1


# --- other processes -----------------------------------------------------------------------------


async def test_a_backfill_in_another_process_and_the_daemon_double_nothing(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        # History: older than the daemon's first look at the feed.
        old = [desks.open_ticket(f"<p>alter Fall {number:03}</p>") for number in range(6)]
        await miss(desks)
        new = [desks.open_ticket(f"<p>neuer Fall {number:03}</p>") for number in range(6)]
        owner = f"backfill-{LINK}"
        async with parts(desks.made.config, owner=owner, clock=desks.clock) as beside:
            link = beside.links.find(LINK)
            assert link is not None
            backfill = Backfill(
                link,
                store=beside.store,
                intake=beside.intake,
                reconciler=beside.reconciler,
                clock=desks.clock,
            )

            async def live() -> None:
                for _ in range(6):
                    await desks.round()

            await asyncio.gather(backfill.run(since=None, progress=lambda _: None), live())
        await desks.settle()
        for number, ticket_id in enumerate(old):
            both_know(desks, ticket_id, f"alter Fall {number:03}")
        for number, ticket_id in enumerate(new):
            both_know(desks, ticket_id, f"neuer Fall {number:03}")
        assert len(desks.partners["acme"].desk.account.tickets) == 12


async def test_a_second_backfill_of_one_link_is_refused(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        config = desks.made.config
        async with parts(config, owner="backfill-x", clock=desks.clock):
            with pytest.raises(StoreUnavailable, match="already runs as backfill-x"):
                async with parts(config, owner="backfill-x", clock=desks.clock):
                    pass
            async with parts(config, owner="backfill-y", clock=desks.clock):
                pass


async def test_a_pair_that_another_process_runs_is_left_to_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.poll()
        pair_id = (await desks.pair(ticket_id)).pair_id
        async with parts(desks.made.config, owner="other", clock=desks.clock) as beside:
            outcomes = await asyncio.gather(
                desks.controller.run_pair(pair_id), beside.reconciler.reconcile(pair_id),
                return_exceptions=True,
            )  # fmt: skip
        assert len(outcomes) == 2
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")
        assert len(desks.twin(ticket_id).comments) == 3


async def test_a_pair_of_a_link_that_left_the_file_rests_and_goes_on_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        links = desks.made.links._links
        kept = links.pop(LinkName(LINK))
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        sighting = await kept.connectors[Side.PLATFORM].fetch_many([TicketId(ticket_id)])
        await desks.made.store.record_sightings(
            HEROKU, sighting, side=Side.PLATFORM, seen_at=desks.clock.now()
        )
        pair_id = (await desks.pair(ticket_id)).pair_id
        assert (await desks.controller.run_pair(pair_id)).result is Result.IDLE
        assert (await desks.pair(ticket_id)).is_dirty
        links[LinkName(LINK)] = kept
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")
