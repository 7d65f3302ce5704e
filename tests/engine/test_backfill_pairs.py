"""What a backfill makes of pairs that exist: customers hear nothing, the daemon loses nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from syncd.core.errors import Unauthorised, Unreachable
from syncd.core.model import Side
from tests.engine.backfilling import (
    a_history,
    a_pair,
    backfilled,
    kinds,
    mails,
    miss,
    silence,
)
from tests.engine.both_desks import (
    AGENT,
    STAFF,
    VIEWS,
    BothDesks,
    both_desks,
    both_know,
)

ACME = VIEWS["acme"]
PHRASE = "<p>Bitte uebernehmen, wir kommen nicht weiter.</p><p>Reassign to Heroku</p>"


async def missed(desks: BothDesks, ticket_id: str) -> None:
    """Three comments that no feed has told of: private, public, private again."""
    for html, visibility in (
        ("<p>Vorher unter uns</p>", "private"),
        ("<p>Das war fuer alle</p>", "public"),
        ("<p>Nachher unter uns</p>", "private"),
    ):
        views = [ACME] if visibility == "private" else None
        desks.write(ticket_id, html, who=STAFF, visibility=visibility, views=views)
        desks.clock.advance(60)
    await miss(desks)


async def missed_answers(desks: BothDesks, ticket_id: str) -> None:
    """The same, written by the partner's agent."""
    for html, public in (
        ("<p>Vorher unter uns</p>", False),
        ("<p>Das war fuer alle</p>", True),
        ("<p>Nachher unter uns</p>", False),
    ):
        await desks.answer(ticket_id, html, public=public)
        desks.clock.advance(60)
    await miss(desks)


def arrived(desks: BothDesks, ticket_id: str, side: Side) -> list[str]:
    """Which of the three came to a side, in their order there."""
    if side is Side.PARTNER:
        bodies = [comment.body for comment in desks.twin(ticket_id).comments]
    else:
        bodies = [u.comment.body_html for u in desks.ticket(ticket_id).updates if u.comment]
    return [word for body in bodies for word in ("Vorher", "Das war", "Nachher") if word in body]


MISSING = pytest.mark.parametrize(
    ("write", "target"),
    [(missed, Side.PARTNER), (missed_answers, Side.PLATFORM)],
    ids=["to the partner", "to the platform"],
)
Write = Callable[[BothDesks, str], Awaitable[None]]


@MISSING
async def test_a_missing_public_comment_is_reported_and_what_follows_it_waits(
    tmp_path: Path, write: Write, target: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await write(desks, ticket_id)
        async with silence(desks):
            report = await backfilled(desks)
            ((pair_id, (held,)),) = report.left_out.items()
            assert pair_id == (await desks.pair(ticket_id)).pair_id
            assert (held.side, held.reason) == (target.other, "public_in_backfill")
            assert arrived(desks, ticket_id, target) == ["Vorher"]

            writes = desks.writes()
            again = await backfilled(desks)
            assert again.left_out == report.left_out
            await desks.settle()
        assert desks.writes() == writes, "neither a second backfill nor the daemon sends them"


@MISSING
async def test_a_person_can_have_them_sent(tmp_path: Path, write: Write, target: Side) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await write(desks, ticket_id)
        await backfilled(desks)
        report = await backfilled(desks, notify=True)
        assert report.left_out == {}
        assert arrived(desks, ticket_id, target) == ["Vorher", "Das war", "Nachher"]
        writes = desks.writes()
        assert (await backfilled(desks)).left_out == {}
        await desks.settle()
        assert desks.writes() == writes


@MISSING
async def test_the_next_change_by_a_person_takes_them_along_in_order(
    tmp_path: Path, write: Write, target: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await write(desks, ticket_id)
        await backfilled(desks)
        desks.write(ticket_id, "<p>Gibt es Neues?</p>")
        await desks.settle()
        assert arrived(desks, ticket_id, target) == ["Vorher", "Das war", "Nachher"]
        both_know(desks, ticket_id, "Gibt es Neues?")


@MISSING
async def test_a_comment_that_the_backfill_reads_before_its_feed_does_is_no_history(
    tmp_path: Path, write: Write, target: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        if target is Side.PARTNER:
            desks.write(ticket_id, "<p>Das war eben erst</p>", who=STAFF)
        else:
            await desks.answer(ticket_id, "<p>Das war eben erst</p>")
        report = await backfilled(desks)
        assert len(report.left_out) == 1
        await desks.settle()
        both_know(desks, ticket_id, "Das war eben erst")


async def test_what_the_daemon_is_to_do_is_left_to_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, PHRASE, public=False)
        desks.write(ticket_id, "<p>Bitte bald</p>")
        desks.clock.advance(70)
        await desks.poll()
        desks.write(ticket_id, "<p>Es eilt</p>")
        report = await backfilled(desks)
        assert (report.waiting, report.writes, report.left_out) == (1, 0, {})
        await desks.settle()
        both_know(desks, ticket_id, "Bitte bald", "Es eilt")
        assert ACME not in desks.ticket(ticket_id).views, "the hand-off was fresh, and is run"


async def test_the_daemon_leaves_to_the_backfill_what_is_its_own(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await missed(desks, ticket_id)
        connector = desks.made.connectors[next(iter(desks.made.connectors))]
        pages = [page async for page in connector.view(ACME)]
        marked = await desks.made.intake.take(
            connector.name, pages[0].sightings, backfill=(await desks.pair(ticket_id)).link
        )
        assert len(marked) == 1
        async with silence(desks):
            await desks.settle()
            for pair_id in marked:
                await desks.controller.run_pair(pair_id)
            assert arrived(desks, ticket_id, Side.PARTNER) == []
            await backfilled(desks)
        assert arrived(desks, ticket_id, Side.PARTNER) == ["Vorher"]


@pytest.mark.parametrize("notify", [False, True], ids=["silent", "notify"])
async def test_an_old_hand_off_is_told_and_not_run(tmp_path: Path, notify: bool) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, PHRASE, public=False)
        await miss(desks)
        async with silence(desks):
            await backfilled(desks, notify=notify)
            await desks.settle()
        assert ACME in desks.ticket(ticket_id).views
        assert "with-platform" not in desks.twin(ticket_id).tags
        both_know(desks, ticket_id, "wir kommen nicht weiter")
        *_, note = desks.twin(ticket_id).comments
        assert not note.is_public
        assert "Reassign to Heroku" in note.body


async def test_status_and_tags_are_brought_into_step(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks, tags=["t-alt"])
        desks.write(ticket_id, who=STAFF, status="With customer", add_tags=["t-neu"])
        await desks.answer(ticket_id, add_tags=["t-hier"], remove_tags=["t-alt"])
        await miss(desks)
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.existing, report.done, report.left_out) == (1, 1, {})
        ticket, twin = desks.ticket(ticket_id), desks.twin(ticket_id)
        assert (ticket.status, twin.status) == ("With customer", "pending")
        shared = {"t-neu", "t-hier"}
        assert {t for t in ticket.tags if t.startswith("t-")} == shared
        assert {t for t in twin.tags if t.startswith("t-")} == shared


async def test_a_pair_of_another_link_on_the_same_ticket_stays_the_daemons(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=("acme", "globex")) as desks:
        ticket_id = desks.open_ticket("<p>fuer beide</p>")
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["globex"])
        await desks.settle()
        await missed(desks, ticket_id)
        before = len(desks.twin(ticket_id, "globex").comments)
        report = await backfilled(desks)
        assert len(report.left_out) == 1
        assert len(desks.twin(ticket_id, "globex").comments) == before
        await desks.settle()
        there = [c.body for c in desks.twin(ticket_id, "globex").comments]
        assert any("Das war" in body for body in there)


async def test_an_agent_who_answers_an_imported_ticket_is_heard(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_history(desks)
        await backfilled(desks)
        await desks.answer(ticket_id, "<p>Wir haben es gefunden</p>", status="pending")
        await desks.settle()
        both_know(desks, ticket_id, "Wir haben es gefunden")
        assert desks.ticket(ticket_id).status == "With customer"


async def test_the_desks_word_to_wait_is_obeyed(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(5):
            a_history(desks)
        wait: Any = {"status": 429, "headers": (("retry-after", "37"),)}
        desks.arm(Side.PARTNER, "status", path="/imports/tickets", **wait)
        desks.arm(Side.PLATFORM, "status", path="/updates", **wait)
        before = desks.clock.monotonic()
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.done, report.waiting) == (5, 0)
        assert desks.clock.monotonic() - before >= 37


async def test_a_refused_credential_ends_it_at_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(30):
            a_history(desks)
        desks.arm(Side.PARTNER, "status", status=401, times=None)
        desks.forget_requests()
        with pytest.raises(Unauthorised):
            await backfilled(desks)
        assert len(desks.requests(Side.PARTNER)) < 40
        desks.disarm()
        desks.clock.advance(61)
        assert (await backfilled(desks)).done == 30


async def test_a_desk_that_is_down_ends_it_after_a_while_and_it_goes_on_later(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [a_history(desks, 1) for _ in range(30)]
        desks.arm(Side.PARTNER, "status", status=503, times=None)
        with pytest.raises(Unreachable):
            await backfilled(desks)
        desks.disarm()
        desks.clock.advance(600)
        async with silence(desks):
            await backfilled(desks)
        assert [len(desks.twins(ticket_id)) for ticket_id in tickets] == [1] * 30


async def test_writes_are_counted_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(3):
            a_history(desks)
        desks.arm(Side.PLATFORM, "drop_before", path="/updates", times=8)
        before = desks.writes()
        report = await backfilled(desks)
        # Beside the tickets, their one customer was made.
        assert report.writes == desks.writes() - before - 1 == 3


async def test_mails_are_counted(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        before = mails(desks)
        await desks.answer(ticket_id, "<p>Ein Satz an alle</p>", who=AGENT)
        await desks.settle()
        assert mails(desks) != before
        assert kinds(desks, Side.PARTNER)
