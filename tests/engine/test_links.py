"""One platform ticket and several links: who sees what, whose status counts, who goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.sandbox import Release
from connectors.zendesk.sandbox.records import Ticket
from syncd.core.model import ConnectionName, Side, TicketId
from syncd.core.work import PairState
from tests.engine.both_desks import (
    LOOK_SECONDS,
    STAFF,
    VIEWS,
    BothDesks,
    both_desks,
    both_know,
)

BOTH = ("acme", "globex")
ACME, GLOBEX = VIEWS["acme"], VIEWS["globex"]


def said(ticket: Ticket) -> str:
    return "\n".join(comment.body for comment in ticket.comments)


async def an_escalated_ticket(desks: BothDesks, *views: str) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>", view=None)
    for view in views:
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view=view)
    await desks.settle()
    return ticket_id


def move(desks: BothDesks, ticket_id: str, *, away_from: str | None, into: str | None) -> None:
    """Staff take the ticket out of one view and put it into another."""
    if into is not None:
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view=into)
    if away_from is not None:
        desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=away_from)


async def test_public_words_reach_both_partners_and_private_ones_stay_with_theirs(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME, GLOBEX)
        await desks.answer(ticket_id, "<p>sagt Acme allen</p>", partner="acme")
        await desks.answer(ticket_id, "<p>sagt Acme leise</p>", partner="acme", public=False)
        await desks.answer(ticket_id, "<p>sagt Globex leise</p>", partner="globex", public=False)
        desks.write(ticket_id, "<p>Mitarbeiter an Globex</p>", who=STAFF, visibility="private",
                    views=[GLOBEX])  # fmt: skip
        desks.write(ticket_id, "<p>Mitarbeiter intern</p>", who=STAFF, visibility="private")
        await desks.settle()
        acme, globex = desks.twin(ticket_id, "acme"), desks.twin(ticket_id, "globex")
        for partner in BOTH:
            both_know(desks, ticket_id, "woran es liegt", "sagt Acme allen", partner=partner)
        assert "sagt Acme leise" not in said(globex)
        assert "sagt Globex leise" not in said(acme)
        assert "Mitarbeiter an Globex" not in said(acme)
        assert "Mitarbeiter an Globex" in said(globex)
        assert "intern" not in said(acme) + said(globex)
        (quiet,) = desks.read(ticket_id, "sagt Acme leise")
        assert quiet.comment is not None
        assert quiet.comment.views == {ACME}


async def test_the_platforms_status_is_the_most_open_of_both(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME, GLOBEX)
        await desks.answer(ticket_id, partner="acme", status="pending")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert desks.twin(ticket_id, "acme").status == "pending"
        assert desks.twin(ticket_id, "globex").status == "open"

        await desks.answer(ticket_id, partner="globex", status="solved")
        await desks.settle()

        assert desks.ticket(ticket_id).status == "With customer"
        assert desks.twin(ticket_id, "acme").status == "pending"

        await desks.answer(ticket_id, partner="acme", status="solved")
        await desks.settle()

        assert desks.ticket(ticket_id).status == "Closed"


async def run_crossing(desks: BothDesks, ticket_id: str, *, late: str) -> None:
    """Both pairs run, and the `late` partner's write comes to the platform after the other's."""
    desks.clock.advance(LOOK_SECONDS)
    await desks.poll()
    (early,) = set(BOTH) - {late}
    held = desks.platform.held
    desks.arm(Side.PLATFORM, "hold_before", kind="write")
    run = asyncio.create_task(
        desks.controller.run_pair((await desks.pair(ticket_id, late)).pair_id)
    )
    assert await held.wait(10)
    await desks.controller.run_pair((await desks.pair(ticket_id, early)).pair_id)
    held.release(Release())
    await run
    assert desks.events("op.stale")


@pytest.mark.parametrize(
    ("before", "wanted", "late", "statuses"),
    [
        (("open", "pending"), ("pending", "open"), "acme", ["Open"]),
        (("open", "solved"), ("solved", "open"), "acme", ["Open"]),
        (("pending", "open"), ("open", "solved"), "globex", ["Open"]),
        (("open", "open"), ("solved", "solved"), "globex", ["Open", "Closed"]),
        (("open", "open"), ("solved", "pending"), "globex", ["Open", "With customer"]),
    ],
)
async def test_a_write_that_comes_behind_another_partners_goes_by_what_that_one_wanted(
    tmp_path: Path,
    before: tuple[str, str],
    wanted: tuple[str, str],
    late: str,
    statuses: list[str],
) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME, GLOBEX)
        for partner, status in zip(BOTH, before, strict=True):
            await desks.answer(ticket_id, f"<p>so steht es bei {partner}</p>", partner=partner)
            await desks.answer(ticket_id, partner=partner, status=status)
        await desks.settle()
        for partner, status in zip(BOTH, wanted, strict=True):
            words = f"<p>nun will es {partner} so</p>"
            await desks.answer(ticket_id, words, partner=partner, public=False, status=status)

        await run_crossing(desks, ticket_id, late=late)
        await desks.settle()

        shown = [update.status for update in desks.ticket(ticket_id).updates]
        assert [step.after for step in shown if step is not None] == statuses
        assert tuple(desks.twin(ticket_id, partner).status for partner in BOTH) == wanted
        for partner in BOTH:
            both_know(desks, ticket_id, f"nun will es {partner} so", partner=partner)


@pytest.mark.parametrize("wanted", ["solved", "pending"])
async def test_what_the_other_partner_set_just_before_does_not_close_a_hand_off(
    tmp_path: Path, wanted: str
) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME, GLOBEX)
        for partner in BOTH:
            await desks.answer(ticket_id, f"<p>wir sehen nach bei {partner}</p>", partner=partner)
        await desks.settle()
        await desks.answer(ticket_id, "<p>Reassign to Heroku</p>", partner="acme", public=False)
        await desks.answer(
            ticket_id, "<p>fertig</p>", partner="globex", public=False, status=wanted
        )

        await run_crossing(desks, ticket_id, late="acme")
        await desks.settle()

        assert desks.ticket(ticket_id).status == "Open"
        assert ACME not in desks.ticket(ticket_id).views
        assert desks.twin(ticket_id, "acme").status == "open"


async def test_a_ticket_moved_to_another_partner_ends_its_pair_and_begins_one_there(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME)
        move(desks, ticket_id, away_from=ACME, into=GLOBEX)
        await desks.settle()
        assert (await desks.pair(ticket_id, "acme")).state is PairState.ENDED
        assert (await desks.pair(ticket_id, "globex")).state is PairState.ACTIVE
        note = desks.twin(ticket_id, "acme").comments[-1]
        assert not note.is_public
        assert "another partner" in note.body

        held = len(desks.twin(ticket_id, "acme").comments)
        desks.write(ticket_id, "<p>nur noch f\u00fcr Globex</p>")
        await desks.answer(ticket_id, "<p>Acme spricht ins Leere</p>", partner="acme")
        await desks.settle()

        both_know(desks, ticket_id, "woran es liegt", "noch f\u00fcr Globex", partner="globex")
        assert len(desks.twin(ticket_id, "acme").comments) == held + 1
        assert desks.read(ticket_id, "ins Leere") == []


async def test_a_ticket_that_comes_back_to_its_first_partner_goes_on_in_the_same_pair(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME)
        move(desks, ticket_id, away_from=ACME, into=GLOBEX)
        await desks.settle()
        desks.write(ticket_id, "<p>gesagt in der Fremde</p>")
        await desks.answer(ticket_id, "<p>Globex sagt allen</p>", partner="globex")
        await desks.answer(ticket_id, "<p>Globex sagt leise</p>", partner="globex", public=False)
        await desks.answer(ticket_id, "<p>Acme spricht ins Leere</p>", partner="acme")
        await desks.settle()
        first = await desks.pair(ticket_id, "acme")

        move(desks, ticket_id, away_from=GLOBEX, into=ACME)
        await desks.settle()

        again = await desks.pair(ticket_id, "acme")
        assert (again.pair_id, again.state) == (first.pair_id, PairState.ACTIVE)
        assert (await desks.pair(ticket_id, "globex")).state is PairState.ENDED
        assert len(desks.twins(ticket_id, "acme")) == 1
        words = ("woran es liegt", "in der Fremde", "Globex sagt allen", "ins Leere")
        both_know(desks, ticket_id, *words, partner="acme")
        assert "Globex sagt leise" not in said(desks.twin(ticket_id, "acme"))

        desks.write(ticket_id, "<p>wieder bei Acme</p>", status="With customer")
        await desks.settle()

        both_know(desks, ticket_id, "wieder bei Acme", partner="acme")
        assert desks.twin(ticket_id, "acme").status == "pending"
        assert "wieder bei Acme" not in said(desks.twin(ticket_id, "globex"))


async def test_late_news_of_a_ticket_that_left_do_not_bring_its_pair_back(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=BOTH) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME)
        connector = desks.made.connectors[ConnectionName("heroku")]
        late = await connector.fetch_many([TicketId(ticket_id)])
        move(desks, ticket_id, away_from=ACME, into=GLOBEX)
        await desks.settle()
        written = desks.writes()
        await desks.made.intake.take(connector.name, late)
        await desks.settle()
        assert (await desks.pair(ticket_id, "acme")).state is PairState.ENDED
        assert desks.writes() == written


async def test_a_ticket_that_leaves_before_its_twin_is_born_has_none(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.poll()
        desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=ACME)
        await desks.settle()
        assert desks.twins(ticket_id) == []
        assert (await desks.pair(ticket_id)).state is PairState.ENDED

        desks.act(STAFF, "escalate", ticket_id=ticket_id, view=ACME)
        await desks.settle()

        both_know(desks, ticket_id, "woran es liegt")
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_a_ticket_taken_back_and_given_again_goes_on(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await an_escalated_ticket(desks, ACME)
        move(desks, ticket_id, away_from=ACME, into=None)
        await desks.settle()
        await desks.answer(ticket_id, "<p>geschrieben w\u00e4hrenddessen</p>", status="solved")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert desks.twin(ticket_id).status == "open"
        move(desks, ticket_id, away_from=None, into=ACME)
        await desks.settle()
        await desks.answer(ticket_id, status="pending")
        await desks.settle()
        both_know(desks, ticket_id, "w\u00e4hrenddessen")
        assert desks.ticket(ticket_id).status == "With customer"
        assert desks.requests(Side.PLATFORM)
