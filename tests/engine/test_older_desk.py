"""A desk is put back to an older state than our mirror's: its vendor restored a backup.

Nothing is deleted or doubled, nobody's ticket is taken for another's, and where syncd cannot know
what should stand there now, the pair waits for a person who is told.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, BothDesks, both_desks, both_know
from tests.engine.test_sweep import a_sweep

SIDES = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)


def backup(desks: BothDesks, side: Side) -> Callable[[], None]:
    """Back a desk's tickets up; what puts them back, numbers and feed included."""
    if side is Side.PLATFORM:
        register = desks.platform.platform.register
        number, kept = register._next_number, copy.deepcopy((register.tickets, register.feed))

        def restore() -> None:
            register._next_number = number
            register.tickets, register.feed = kept

        return restore
    account = desks.partners["acme"].desk.account
    held = copy.deepcopy((account.tickets, account.feed))

    def put_back() -> None:
        account.tickets, account.feed = held

    return put_back


async def some_hours(desks: BothDesks) -> None:
    for _ in range(3):
        desks.clock.advance(3600)
        await a_sweep(desks).sweep()
        await desks.settle()


def texts(desks: BothDesks, ticket_id: str) -> tuple[list[str], list[str]]:
    """All that stands on both desks."""
    here = [u.comment.body_html for u in desks.ticket(ticket_id).updates if u.comment]
    return here, [comment.body for comment in desks.twin(ticket_id).comments]


@pytest.mark.parametrize(
    ("side", "is_written_on"),
    [(Side.PLATFORM, False), (Side.PLATFORM, True), (Side.PARTNER, False)],
)
async def test_a_ticket_that_lost_its_newest_comments_parks_and_nothing_is_sent_or_taken(
    tmp_path: Path, side: Side, is_written_on: bool
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, untouched = desks.open_ticket("<p>erster Fall</p>"), desks.open_ticket()
        await desks.settle()
        restore = backup(desks, side)
        desks.write(ticket_id, "<p>eine Frage</p>", who=STAFF, status="With customer")
        await desks.settle()
        await desks.answer(ticket_id, "<p>eine Antwort</p>", status="open")
        await desks.settle()
        restore()
        if is_written_on:
            # A refused write finds out before any sweep.
            await desks.answer(ticket_id, "<p>und weiter</p>")
        before = texts(desks, ticket_id)
        await some_hours(desks)
        reason, hint = await desks.parked(ticket_id)
        assert reason == f"{side.value}_set_back"
        assert "syncd retry PAIR" in hint
        assert len([e for e in desks.events("pair.parked") if e["level"] == "error"]) == 1
        assert texts(desks, ticket_id) == before
        assert (await desks.pair(untouched)).state is PairState.ACTIVE

        # A person has looked, and both desks go on from what they show now.
        await desks.retry(ticket_id)
        desks.write(ticket_id, "<p>neue Frage</p>", who=STAFF)
        await desks.answer(ticket_id, "<p>neue Antwort</p>")
        await desks.settle()
        await some_hours(desks)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        both_know(desks, ticket_id, "neue Frage", "neue Antwort")
        for once in (*before[0], "eine Frage", "eine Antwort"):
            assert len(desks.read(ticket_id, once)) <= 1
        for shown, was in zip(texts(desks, ticket_id), before, strict=True):
            assert shown[: len(was)] == was


@SIDES
async def test_a_ticket_that_was_gone_and_is_back_goes_on(tmp_path: Path, side: Side) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>erster Fall</p>")
        await desks.settle()
        restore = backup(desks, side)
        await desks.answer(ticket_id, "<p>eine Antwort</p>")
        await desks.settle()
        if side is Side.PLATFORM:
            desks.platform.platform.register.tickets.clear()
        else:
            desks.partners["acme"].desk.account.tickets.clear()
        await some_hours(desks)
        assert (await desks.parked(ticket_id))[0] == f"{side.value}_ticket_gone"
        restore()
        await some_hours(desks)
        # Back, and as it was before: a person is told, once more.
        assert (await desks.parked(ticket_id))[0] == f"{side.value}_set_back"
        await desks.retry(ticket_id)
        desks.write(ticket_id, "<p>neue Frage</p>")
        await desks.settle()
        both_know(desks, ticket_id, "neue Frage")
        here, there = texts(desks, ticket_id)
        assert sum("was deleted" in text for text in (*here, *there)) == 1


async def test_a_number_that_is_given_again_is_another_ticket(tmp_path: Path) -> None:
    """Else the words of one customer would stand in the ticket of another."""
    async with both_desks(tmp_path) as desks:
        restore = backup(desks, Side.PLATFORM)
        ticket_id = desks.open_ticket("<p>der eine Kunde</p>")
        await desks.settle()
        desks.clock.advance(600)
        restore()
        assert desks.open_ticket("<p>ein anderer Kunde</p>") == ticket_id
        desks.write(ticket_id, "<p>streng geheim</p>", status="With customer")
        await desks.settle()
        await desks.answer(ticket_id, "<p>für den einen</p>")
        await desks.settle()
        await some_hours(desks)
        assert (await desks.parked(ticket_id))[0] == "platform_ticket_gone"
        assert desks.heard(ticket_id, "anderer") == desks.heard(ticket_id, "geheim") == []
        assert desks.read(ticket_id, "für den einen") == []
        assert desks.twin(ticket_id).status == "open"
        # Also after a person lets it run again.
        await desks.retry(ticket_id)
        await some_hours(desks)
        assert (await desks.parked(ticket_id))[0] == "platform_ticket_gone"
        assert desks.heard(ticket_id, "geheim") == []
        assert desks.read(ticket_id, "für den einen") == []
