"""What a backfill makes of tickets without a twin: imported whole, and nobody hears of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.platform.sandbox.model import Comment, Intent
from connectors.platform.sandbox.model import Ticket as PlatformTicket
from syncd.core.model import Side
from tests.engine.backfilling import (
    TRIGGERED,
    a_history,
    a_pair,
    backfilled,
    counted,
    kinds,
    miss,
    silence,
)
from tests.engine.both_desks import CUSTOMER, STAFF, VIEWS, BothDesks, both_desks

ACME, GLOBEX = VIEWS["acme"], VIEWS["globex"]


def told(ticket: PlatformTicket) -> list[tuple[str, str, int]]:
    """What a ticket's comments say: the text, the visibility, the second."""
    return [
        (u.comment.body_html, u.comment.visibility, int(u.at.timestamp()))
        for u in ticket.updates
        if u.comment is not None
    ]


def a_rich_ticket(desks: BothDesks) -> str:
    """Public and private comments of three people, tags, a status, metadata."""
    ticket_id = desks.open_ticket(
        "<p>Meine Datenbank steht</p>", tags=["t-db", "geheim"], metadata={"plan": "premium-4"}
    )
    for who, html, visibility, views in (
        (STAFF, "<p>Wir sehen nach</p>", "public", None),
        (STAFF, "<p>Nur mit euch: der Plattenplatz</p>", "private", [ACME]),
        (STAFF, "<p>Nur unter uns Angestellten</p>", "private", []),
        (STAFF, "<p>Nur mit den anderen</p>", "private", [GLOBEX]),
        (CUSTOMER, "<p>Es eilt ein wenig</p>", "public", None),
    ):
        desks.clock.advance(3600)
        desks.write(ticket_id, html, who=who, visibility=visibility, views=views)
    desks.clock.advance(60)
    desks.write(ticket_id, who=STAFF, status="With customer")
    desks.clock.advance(60)
    return ticket_id


async def test_a_twin_comes_with_its_whole_history_in_one_import(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_rich_ticket(desks)
        desks.forget_requests()
        async with silence(desks):
            report = await backfilled(desks)
        twin = desks.twin(ticket_id)

        assert (report.born, report.done, report.writes, report.waiting) == (1, 1, 1, 0)
        assert kinds(desks, Side.PARTNER)["POST /api/v2/imports/tickets"] == 1
        assert twin.values["subject"] == desks.ticket(ticket_id).subject
        assert twin.status == "pending"
        assert "t-db" in twin.tags
        assert not TRIGGERED & {*twin.tags} - {"area_general"}
        assert "geheim" not in twin.tags

        travelled = [row for row in told(desks.ticket(ticket_id)) if "Nur unter" not in row[0]]
        travelled = [row for row in travelled if "anderen" not in row[0]]
        *copies, context = twin.comments
        assert len(copies) == len(travelled) == 4
        for copy, (html, visibility, second) in zip(copies, travelled, strict=True):
            assert html.removeprefix("<p>").removesuffix("</p>") in copy.body
            assert (copy.is_public, copy.created_at) == (visibility == "public", second)
        assert [CUSTOMER in c.body for c in copies] == [True, False, False, True]
        assert [STAFF in c.body for c in copies] == [False, True, True, False]
        assert not context.is_public
        assert "premium-4" in context.body


async def test_what_was_imported_does_not_come_back_as_news(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_rich_ticket(desks)
        await backfilled(desks)
        before = desks.writes(), len(desks.ticket(ticket_id).updates)
        async with silence(desks):
            await desks.settle()
        assert (desks.writes(), len(desks.ticket(ticket_id).updates)) == before


async def test_a_second_backfill_writes_nothing_and_costs_two_listings(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(7):
            a_history(desks)
        await backfilled(desks)
        desks.forget_requests()
        report = await backfilled(desks)
        assert (report.born, report.existing, report.writes, report.handled) == (0, 7, 0, 7)
        assert kinds(desks, Side.PLATFORM) == {"GET /tickets": 1}
        assert kinds(desks, Side.PARTNER) == {"GET /api/v2/tickets/show_many": 1}


async def test_more_than_a_page_of_tickets_is_taken_over(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [a_history(desks, 1) for _ in range(105)]
        report = await backfilled(desks)
        assert (report.seen, report.handled, report.born, report.done) == (105, 105, 105, 105)
        assert [len(desks.twins(ticket_id)) for ticket_id in tickets] == [1] * 105


async def test_a_history_beyond_the_links_limit_is_imported_comment_by_comment(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_history(desks, 60)
        async with silence(desks):
            report = await backfilled(desks)
        twin = desks.twin(ticket_id)
        assert report.writes == 1
        assert len(twin.comments) == 61
        for number, comment in enumerate(twin.comments[:60]):
            assert f"Satz {number} der Reihe" in comment.body
            assert comment.is_public


async def test_a_history_that_no_ticket_can_hold_has_its_oldest_part_in_one_private_note(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_history(desks, 1)
        ticket, register = desks.ticket(ticket_id), desks.platform.platform.register
        for number in range(1, 5100):
            said = Comment(
                author=ticket.requester,
                visibility="public",
                views=frozenset(),
                body_html=f"<p>Satz {number}.</p>",
            )
            register.commit(ticket, Intent(actor=ticket.requester, via="web", comment=said))
        async with silence(desks):
            report = await backfilled(desks)
        twin = desks.twin(ticket_id)
        assert (report.done, report.parked) == (1, 0)
        assert len(twin.comments) < 5000, "no room is left for what people will write"
        digest, *rest = twin.comments
        assert not digest.is_public
        assert "Satz 5099." in rest[-2].body
        first = 5100 - (len(rest) - 1)
        assert f"Satz {first}." in rest[0].body
        assert (await backfilled(desks)).writes == 0
        await desks.settle()
        assert len(desks.twin(ticket_id).comments) == len(twin.comments)


async def test_a_comment_too_long_for_the_desk_is_imported_in_parts(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        words = " ".join(f"wort{number}" for number in range(20_000))
        ticket_id = desks.open_ticket(f"<p>{words}</p>")
        desks.clock.advance(60)
        await backfilled(desks)
        *parts, _context = desks.twin(ticket_id).comments
        assert len(parts) > 2
        joined = " ".join(part.body for part in parts)
        assert all(f"wort{number}" in joined for number in (0, 7_777, 19_999))
        async with silence(desks):
            await desks.settle()
        assert len(desks.twin(ticket_id).comments) == len(parts) + 1


async def test_a_closed_ticket_is_imported_as_solved_and_stays_closed(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_history(desks)
        desks.write(ticket_id, "<p>Erledigt, danke</p>", who=STAFF, status="Closed")
        desks.clock.advance(60)
        async with silence(desks):
            await backfilled(desks)
            await desks.settle()
        assert desks.twin(ticket_id).status == "solved"
        assert desks.ticket(ticket_id).status == "Closed"


async def test_what_the_link_does_not_want_is_not_touched(tmp_path: Path) -> None:
    line = 'filter: {metadata: {plan: ["premium"]}}'
    async with both_desks(tmp_path, partners=("acme", "globex"), link=line) as desks:
        wanted = a_history(desks, metadata={"plan": "premium"})
        alpha = a_history(desks, metadata={"plan": "alpha"})
        other = a_history(desks, metadata={"plan": "premium"}, view=GLOBEX)
        nobodys = a_history(desks, metadata={"plan": "premium"}, view=None)
        both = a_history(desks, metadata={"plan": "premium"})
        desks.act(STAFF, "escalate", ticket_id=both, view=GLOBEX)
        report = await backfilled(desks)
        assert (report.seen, report.filtered, report.born) == (3, 1, 2)
        assert [len(desks.twins(one)) for one in (wanted, both, alpha)] == [1, 1, 0]
        assert [t.id for t in desks.partners["globex"].desk.account.tickets.values()] == []
        assert {len(desks.twins(one)) for one in (other, nobodys)} == {0}
        assert {len(desks.twins(one, "globex")) for one in (other, both)} == {0}


async def test_a_dry_run_counts_and_leaves_no_trace(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        await a_pair(desks)
        for _ in range(3):
            a_history(desks)
        writes, pairs = desks.writes(), await desks.pairs()
        report = await counted(desks)
        assert (report.seen, report.born, report.existing) == (4, 3, 1)
        assert (desks.writes(), await desks.pairs()) == (writes, pairs)


async def test_only_tickets_touched_since_then_are_taken_over(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        old = a_history(desks)
        desks.clock.advance(86_400)
        since = desks.clock.now()
        new = a_history(desks)
        report = await backfilled(desks, since=since)
        assert report.born == 1
        assert [len(desks.twins(one)) for one in (old, new)] == [0, 1]


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "status", "html", "truncate"])
async def test_an_import_without_an_answer_is_looked_for_and_not_doubled(
    tmp_path: Path, action: str
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [a_history(desks) for _ in range(3)]
        applied: Any = {"is_applied": True} if action in {"status", "html"} else {}
        desks.arm(Side.PARTNER, action, path="/imports/tickets", times=2, **applied)
        async with silence(desks):
            report = await backfilled(desks)
        assert (report.done, report.waiting, report.parked) == (3, 0, 0)
        for ticket_id in tickets:
            assert len(desks.twin(ticket_id).comments) == 4


async def test_an_import_is_looked_for_twice_before_it_is_sent_again(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        a_history(desks)
        desks.arm(Side.PARTNER, "drop_before", path="/imports/tickets")
        desks.forget_requests()
        before = desks.clock.now()
        await backfilled(desks)
        seen = kinds(desks, Side.PARTNER)
        assert seen["GET /api/v2/tickets"] == 2
        assert seen["POST /api/v2/imports/tickets"] == 2
        assert desks.clock.now() - before >= timedelta(seconds=5)


@pytest.mark.parametrize("hours", [-7.0, 7.0])
async def test_clocks_that_differ_keep_no_ticket_from_being_imported(
    tmp_path: Path, hours: float
) -> None:
    async with both_desks(tmp_path, platform_hours=hours) as desks:
        ticket_id = a_history(desks)
        report = await backfilled(desks)
        assert (report.done, report.parked) == (1, 0), await desks.pairs()
        bodies = [comment.body for comment in desks.twin(ticket_id).comments[:3]]
        assert [f"Satz {n} der Reihe" in body for n, body in enumerate(bodies)] == [True] * 3
        told_at = desks.ticket(ticket_id).updates[0].at
        assert told_at.strftime("%H:%M") in bodies[0]


async def test_what_came_before_the_daemon_and_after_it_ends_in_one_order(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = a_history(desks)
        await miss(desks)
        await backfilled(desks)
        desks.write(ticket_id, "<p>Nachsatz des Kunden</p>")
        await desks.settle()
        said = [c.body for c in desks.twin(ticket_id).comments]
        assert "Nachsatz des Kunden" in said[-1]
        assert len(said) == 5


async def test_history_brings_its_files_silently_and_late_ones_are_for_staff(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        files = [{"name": f"{n}.log", "text": f"Inhalt von {n}"} for n in ("eins", "zwei")]
        ticket_id = desks.open_ticket("<p>mit zwei Dateien</p>", attachments=files)
        await miss(desks)
        desks.arm(Side.PLATFORM, "status", path="/attachments/", skip=1)
        async with silence(desks):
            await backfilled(desks)
            (first,) = desks.heard(ticket_id, "mit zwei Dateien")
            assert [(f.file_name, f.content) for f in first.attachments] == [
                ("eins.log", b"Inhalt von eins")
            ]
            assert "zwei.log" in first.body
            desks.clock.advance(600)
            await backfilled(desks)
        (late,) = [c for c in desks.twin(ticket_id).comments if c.attachments and c is not first]
        assert ([f.content for f in late.attachments], late.is_public) == (
            [b"Inhalt von zwei"],
            False,
        )
