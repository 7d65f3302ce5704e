"""Yesterday's backup is put back: nothing comes twice, and what happened since is caught up."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from syncd.app import store_path
from syncd.core.errors import StoreOlder, Unreachable
from syncd.core.model import CommentId, Side
from syncd.engine.recover import Recover, RecoverReport
from syncd.engine.recovering import REASON
from syncd.store.backup import back_up, put_back
from tests.engine.both_desks import AGENT, STAFF, BothDesks, both_desks, both_know
from tests.engine.lineages import PRIVATE, a_closed_pair, a_pair, follow_ups
from tests.engine.sending_files import a_file, copies, send
from tests.support.clock import START

HIDDEN: dict[str, Any] = {"metadata_readable": False}
stamps = pytest.mark.parametrize("is_readable", [True, False])


def backed_up(desks: BothDesks, folder: Path) -> Path:
    """A backup, made while syncd works."""
    return back_up(store_path(desks.config), folder / "yesterday.db").path


async def restored(desks: BothDesks, backup: Path) -> None:
    """The store is lost, and the backup is in its place; syncd does not run."""
    await desks.end_life()
    put_back(backup, store_path(desks.config), actor="test", now=START)


@contextlib.asynccontextmanager
async def recovering(desks: BothDesks, *, is_dry: bool = False) -> AsyncIterator[Recover]:
    """The command at work."""
    await desks.begin_life(is_recovering=True)
    try:
        yield Recover(
            store=desks.made.store,
            links=desks.made.links,
            reconciler=desks.made.reconciler,
            clock=desks.clock,
            is_dry=is_dry,
        )
    finally:
        await desks.end_life()


async def recovered(desks: BothDesks, *, is_dry: bool = False) -> RecoverReport:
    """`syncd recover`."""
    async with recovering(desks, is_dry=is_dry) as work:
        await work.begin(actor="test")
        return await work.run()


@stamps
async def test_after_restoring_yesterdays_backup_nothing_doubles_and_the_gap_is_closed(
    tmp_path: Path, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable) as desks:
        old = await a_pair(desks)
        handed = await a_pair(desks, "<p>das wird übergeben</p>")
        closed = await a_closed_pair(desks)
        backup = backed_up(desks, tmp_path)
        # The day that the store forgets.
        desks.write(old, "<p>Frage von heute</p>")
        await desks.answer(old, "<p>Antwort von heute</p>", status="pending", add_tags=["t-heute"])
        await send(desks, Side.PLATFORM, old, "<p>mit einer Datei</p>", a_file("heute.log"))
        order = "<p>bitte übernehmt ihr</p><p>Reassign to Heroku</p>"
        await desks.answer(handed, order, public=False)
        desks.write(closed, "<p>es geht wieder nicht</p>", status="Open")
        young = desks.open_ticket("<p>heute erst entstanden</p>")
        await desks.settle()
        await desks.answer(young, "<p>und gleich beantwortet</p>")
        await desks.settle()
        before = _seen(desks)
        # What people write while syncd lies there.
        await restored(desks, backup)
        with pytest.raises(StoreOlder):
            await desks.begin_life()
        report = await recovered(desks)
        assert (report.parked, report.unlinked) == (0, 0)
        assert report.comments > 0
        assert _seen(desks) == before, "a recovery writes nothing to a desk"
        desks.write(old, "<p>Frage danach</p>")
        await desks.answer(young, "<p>Antwort danach</p>")
        await desks.begin_life()
        await desks.settle()
        both_know(desks, old, "Frage von heute", "Antwort von heute", "Frage danach")
        both_know(desks, young, "heute erst entstanden", "und gleich beantwortet", "Antwort danach")
        both_know(desks, handed, "bitte übernehmt ihr", "This ticket is now with Heroku")
        assert [file.name for file in copies(desks, Side.PLATFORM, old)] == ["heute.log"]
        assert "t-heute" in desks.ticket(old).tags
        assert desks.ticket(handed).views == []
        (ticket,) = follow_ups(desks, desks.twin(closed))
        assert len([c for c in ticket.comments if "es geht wieder nicht" in c.body]) == 1
        for ticket_id in (old, handed, closed, young):
            assert (await desks.pair(ticket_id)).reason == ""
        # As many as there were, and the two of afterwards on both desks.
        now = _seen(desks)
        assert (now[0] - before[0], now[1] - before[1], now[2]) == (2, 2, before[2])


def _seen(desks: BothDesks) -> tuple[int, int, int]:
    """How many comments both desks hold, and how many tickets the partner."""
    tickets = desks.partners["acme"].desk.account.tickets.values()
    updates = [u for t in desks.platform.platform.register.tickets.values() for u in t.updates]
    said = sum(1 for update in updates if update.comment is not None)
    return said, sum(len(ticket.comments) for ticket in tickets), len(tickets)


async def test_pairs_that_did_not_move_cost_one_request_a_desk(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(12):
            desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        # A read of today says that nothing hides in the second of the last change.
        await desks.settle()
        backup = backed_up(desks, tmp_path)
        moved = desks.open_ticket("<p>noch eines davon</p>")
        await desks.settle()
        await restored(desks, backup)
        desks.forget_requests()
        report = await recovered(desks)
        assert (report.total, report.unmoved, report.recovered) == (12, 12, 0)
        assert len(desks.requests(Side.PLATFORM)) == 1
        assert len(desks.requests(Side.PARTNER)) == 1
        await desks.begin_life()
        await desks.settle()
        assert len(desks.twins(moved)) == 1


@stamps
async def test_a_dry_run_says_the_same_and_leaves_no_trace(
    tmp_path: Path, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        desks.write(ticket_id, "<p>Frage von heute</p>")
        await desks.settle()
        await restored(desks, backup)
        writes = desks.writes()
        dry = await recovered(desks, is_dry=True)
        with pytest.raises(StoreOlder):
            await desks.begin_life()
        report = await recovered(desks)
        assert (dry.total, dry.recovered, dry.comments) == (1, 1, 1)
        assert (report.total, report.recovered, report.comments) == (1, 1, 1)
        assert desks.writes() == writes
        await desks.begin_life()


async def test_two_equal_comments_of_one_second_without_stamps_stay_two(tmp_path: Path) -> None:
    async with both_desks(tmp_path, **HIDDEN) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        for _ in range(2):
            desks.write(ticket_id, "<p>bitte melden</p>")
        await desks.settle()
        assert len(desks.heard(ticket_id, "bitte melden")) == 2
        await restored(desks, backup)
        await recovered(desks)
        await desks.begin_life()
        await desks.settle()
        assert len(desks.heard(ticket_id, "bitte melden")) == 2
        assert len(desks.read(ticket_id, "bitte melden")) == 2


async def test_a_conflict_note_that_stands_there_does_not_come_again(tmp_path: Path) -> None:
    async with both_desks(tmp_path, **HIDDEN) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.answer(ticket_id, status="pending")
        await desks.settle()
        before = _seen(desks)
        await restored(desks, backup)
        await recovered(desks)
        await desks.begin_life()
        await desks.settle()
        assert _seen(desks) == before
        assert desks.ticket(ticket_id).status == "With customer"


@pytest.mark.parametrize("side", list(Side))
@stamps
async def test_a_status_that_we_carried_is_not_taken_for_somebodys_wish(
    tmp_path: Path, side: Side, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable) as desks:
        ticket_id = await a_pair(desks)
        # Elsewhere, so that it is known under which name syncd writes at the platform.
        other = await a_pair(desks, "<p>das andere Anliegen</p>")
        await desks.answer(other, "<p>eine Antwort dort</p>")
        await desks.settle()
        backup = backed_up(desks, tmp_path)
        await _set_status(desks, ticket_id, side, is_waiting=True)
        await desks.settle()
        await restored(desks, backup)
        # While the store is forgotten, the same person goes on.
        await _set_status(desks, ticket_id, side, is_waiting=False)
        await recovered(desks)
        await desks.begin_life()
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Closed"
        assert desks.twin(ticket_id).status == "solved"
        assert await desks.made.store.conflicts() == []


async def _set_status(desks: BothDesks, ticket_id: str, side: Side, *, is_waiting: bool) -> None:
    if side is Side.PLATFORM:
        status = "With customer" if is_waiting else "Closed"
        desks.write(ticket_id, who=STAFF, status=status)
    else:
        await desks.answer(ticket_id, status="pending" if is_waiting else "solved")


@pytest.mark.parametrize("is_ours", [True, False])
async def test_what_nobody_can_tell_waits_for_a_person(tmp_path: Path, is_ours: bool) -> None:
    async with both_desks(tmp_path, **HIDDEN) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        await restored(desks, backup)
        # Somebody uses syncd's own account at the partner's.
        await desks.answer(ticket_id, "<p>wer bin ich wohl</p>", who="syncd@acme.test")
        report = await recovered(desks)
        assert (report.parked, report.recovered) == (1, 0)
        await desks.begin_life()
        reason, hint = await desks.parked(ticket_id)
        (doubtful,) = desks.heard(ticket_id, "wer bin ich wohl")
        assert reason == REASON
        assert str(doubtful.id) in hint
        assert "wer bin ich" not in hint
        pair = await desks.pair(ticket_id)
        now = desks.clock.now()
        if is_ours:
            await desks.end_life()
            async with recovering(desks) as work:
                settled = await work.pair(pair, is_ours=True, actor="test")
                assert settled.recovered == 1
            await desks.begin_life()
        else:
            store = desks.made.store
            comment_id = CommentId(str(doubtful.id))
            assert await store.release_comment(
                pair.pair_id, Side.PARTNER, comment_id, actor="test", now=now
            )
            await desks.retry(ticket_id)
        desks.write(ticket_id, "<p>es geht weiter</p>")
        await desks.settle()
        both_know(desks, ticket_id, "es geht weiter")
        assert len(desks.read(ticket_id, "wer bin ich wohl")) == (0 if is_ours else 1)


async def test_a_recovery_that_a_desk_interrupts_goes_on_and_nothing_is_written_before(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, **HIDDEN) as desks:
        one, two = await a_pair(desks), await a_pair(desks, "<p>das zweite Anliegen</p>")
        backup = backed_up(desks, tmp_path)
        for ticket_id in (one, two):
            desks.write(ticket_id, "<p>Frage von heute</p>")
        await desks.settle()
        await restored(desks, backup)
        desks.arm(Side.PARTNER, "status", status=503, path="/audits", times=None)
        with pytest.raises(Unreachable):
            await recovered(desks)
        # A person starts the daemon all the same: it recovers each pair by itself, first.
        await desks.begin_life()
        assert (await desks.made.store.age()).doubtful == 2
        for _ in range(3):
            await desks.round()
        assert len(desks.heard(one, "Frage von heute")) == 1
        desks.disarm()
        await desks.settle()
        assert (await desks.made.store.age()).doubtful == 0
        for ticket_id in (one, two):
            both_know(desks, ticket_id, "Frage von heute")
        assert {e["comments"] for e in desks.events("pair.recovered")} == {1}


async def test_a_twin_that_was_made_and_handed_back_at_once_is_found(tmp_path: Path) -> None:
    async with both_desks(tmp_path, **HIDDEN) as desks:
        backup = backed_up(desks, tmp_path)
        ticket_id = await a_pair(desks)
        order = "<p>nicht für uns</p><p>Reassign to Heroku</p>"
        await desks.answer(ticket_id, order, public=False)
        await desks.settle()
        before = _seen(desks)
        await restored(desks, backup)
        await recovered(desks)
        await desks.begin_life()
        await desks.settle()
        assert _seen(desks) == before
        await desks.agent_does(
            "acme",
            {
                "as": AGENT,
                "ticket_id": desks.twin(ticket_id).id,
                "comment": {"html": "<p>noch ein Hinweis</p>", "public": False},
            },
        )
        desks.said.append("<p>noch ein Hinweis</p>")
        desks.write(ticket_id, "<p>eine Antwort darauf</p>", **PRIVATE)
        await desks.settle()
        assert _seen(desks)[2] == before[2], "no second twin"
