"""A partner that keeps its private words hands a ticket back: the order works, the words stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.backfilling import backfilled, miss, silence
from tests.engine.both_desks import STAFF, VIEWS, BothDesks, both_desks, both_know
from tests.engine.lineages import PRIVATE, a_pair
from tests.engine.test_mappings import exported, lost_and_imported
from tests.engine.test_recover import backed_up, recovered, restored

ORDER = "<p>sagt ihnen nichts davon</p><p>Reassign to Heroku</p>"
SECRET = "sagt ihnen nichts davon"
AT_HOME: dict[str, Any] = {"link": "comments: {private: none}"}
stamps = pytest.mark.parametrize("is_readable", [True, False])


async def order(desks: BothDesks, ticket_id: str) -> None:
    await desks.answer(ticket_id, ORDER, public=False)
    await desks.settle()


def has_words(desks: BothDesks, ticket_id: str) -> bool:
    return bool(desks.read(ticket_id, SECRET))


@pytest.mark.parametrize("direction", ["none", "to_partner"])
async def test_the_ticket_goes_back_in_one_write_and_no_private_word_with_it(
    tmp_path: Path, direction: str
) -> None:
    async with both_desks(tmp_path, link=f"comments: {{private: {direction}}}") as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>sagt ihnen nichts davon, niemals</p>", public=False)
        desks.write(ticket_id, "<p>unter uns am Platz</p>", **PRIVATE)
        await desks.settle()
        before = desks.writes()
        await order(desks, ticket_id)
        assert desks.ticket(ticket_id).views == []
        assert desks.ticket(ticket_id).status == "Open"
        assert "with-platform" in desks.twin(ticket_id).tags
        # The leave with its note, and a confirmation on each desk.
        assert desks.writes() - before == 3
        assert not has_words(desks, ticket_id)
        assert len(desks.heard(ticket_id, "unter uns am Platz")) == (direction == "to_partner")
        (told,) = desks.read(ticket_id, "This ticket comes back to")
        assert told.comment is not None
        assert told.views is not None, "the hand-off itself"
        both_know(desks, ticket_id, "This ticket is now with")
        await desks.settle()
        assert desks.writes() - before == 3


async def test_handed_over_and_escalated_again_it_can_be_handed_over_again(tmp_path: Path) -> None:
    async with both_desks(tmp_path, **AT_HOME) as desks:
        ticket_id = await a_pair(desks)
        for count in (1, 2):
            await order(desks, ticket_id)
            assert desks.ticket(ticket_id).views == []
            assert len(desks.read(ticket_id, "This ticket comes back to")) == count
            desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["acme"])
            await desks.settle()
            assert desks.ticket(ticket_id).views == [VIEWS["acme"]]


@pytest.mark.parametrize("notify", [False, True])
async def test_an_old_order_is_told_and_not_run(tmp_path: Path, notify: bool) -> None:
    async with both_desks(tmp_path, **AT_HOME) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, ORDER, public=False)
        await miss(desks)
        async with silence(desks):
            await backfilled(desks, notify=notify)
            await desks.settle()
        assert desks.ticket(ticket_id).views == [VIEWS["acme"]]
        *_, note = desks.twin(ticket_id).comments
        assert not note.is_public
        assert "Reassign to Heroku" in note.body
        desks.write(ticket_id, "<p>eine Frage danach</p>")
        await desks.settle()
        assert desks.ticket(ticket_id).views == [VIEWS["acme"]]
        assert not has_words(desks, ticket_id)


def said(desks: BothDesks, ticket_id: str) -> tuple[int, int]:
    updates = desks.ticket(ticket_id).updates
    there = sum(1 for update in updates if update.comment is not None)
    return there, len(desks.twin(ticket_id).comments)


@stamps
@pytest.mark.parametrize("is_back", [False, True])
async def test_after_restoring_a_backup_what_was_handed_over_is_not_handed_over_again(
    tmp_path: Path, is_readable: bool, is_back: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable, **AT_HOME) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        await order(desks, ticket_id)
        if is_back:
            desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["acme"])
            await desks.settle()
        before = said(desks, ticket_id)
        await restored(desks, backup)
        report = await recovered(desks)
        assert report.parked == 0
        await desks.begin_life()
        await desks.settle()
        assert desks.ticket(ticket_id).views == ([VIEWS["acme"]] if is_back else [])
        assert ("with-platform" in desks.twin(ticket_id).tags) is not is_back
        if not is_back:
            assert said(desks, ticket_id) == before
        assert len(desks.read(ticket_id, "This ticket comes back to")) == 1
        assert not has_words(desks, ticket_id)


@stamps
async def test_after_restoring_a_backup_an_order_that_nobody_had_read_is_obeyed(
    tmp_path: Path, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable, **AT_HOME) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        await restored(desks, backup)
        await desks.answer(ticket_id, ORDER, public=False)
        await recovered(desks)
        await desks.begin_life()
        await desks.settle()
        assert desks.ticket(ticket_id).views == []
        assert len(desks.read(ticket_id, "This ticket comes back to")) == 1
        assert not has_words(desks, ticket_id)


@stamps
@pytest.mark.parametrize("link", ["", AT_HOME["link"]], ids=["carried", "at home"])
async def test_a_forgotten_hand_off_that_the_platform_has_solved_since_is_known_as_one(
    tmp_path: Path, is_readable: bool, link: str
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable, link=link) as desks:
        ticket_id = await a_pair(desks)
        backup = backed_up(desks, tmp_path)
        await order(desks, ticket_id)
        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.settle()
        before = said(desks, ticket_id)
        await restored(desks, backup)
        await recovered(desks)
        await desks.begin_life()
        await desks.settle()
        assert said(desks, ticket_id) == before


@stamps
async def test_mappings_that_are_taken_in_hand_nothing_over_again(
    tmp_path: Path, is_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=is_readable, **AT_HOME) as desks:
        known, later = await a_pair(desks), await a_pair(desks, "<p>das andere Anliegen</p>")
        await order(desks, known)
        desks.act(STAFF, "escalate", ticket_id=known, view=VIEWS["acme"])
        await desks.settle()
        lines = exported(desks)
        await order(desks, later)
        desks.act(STAFF, "escalate", ticket_id=later, view=VIEWS["acme"])
        await desks.settle()
        await lost_and_imported(desks, lines)
        await desks.settle()
        for ticket_id in (known, later):
            assert desks.ticket(ticket_id).views == [VIEWS["acme"]]
            assert len(desks.read(ticket_id, "This ticket comes back to")) == 1
            assert desks.heard(ticket_id, SECRET)
