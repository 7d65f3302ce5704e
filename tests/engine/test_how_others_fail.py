"""Failures seen in other bridges between help desks, at the level where each is real.

docs/invariants.md has the whole list; most of its tests stand where their subject does. These are
those that had no place yet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, both_desks, both_know, text_of

OURSELVES = "syncd@acme.test"


@pytest.mark.parametrize("has_webhooks", [True, False])
async def test_comments_that_come_before_the_first_is_handled_all_arrive_in_order(
    tmp_path: Path, *, has_webhooks: bool
) -> None:
    """Reading only the newest comment on an event loses all but one."""
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id = desks.open_ticket("<p>womit es begann</p>")
        await desks.settle()
        words = [f"Satz Nummer {n} der Reihe" for n in range(7)]
        for sentence in words:
            await desks.answer(ticket_id, f"<p>{sentence}</p>")
            desks.write(ticket_id, f"<p>Gegen-{sentence}</p>")
        await desks.settle()
        both_know(desks, ticket_id, *(f"Gegen-{sentence}" for sentence in words))
        heard = [text_of(u) for u in desks.ticket(ticket_id).updates if u.comment is not None]
        answers = [text for text in heard if "Satz Nummer" in text and "Gegen-" not in text]
        assert len(answers) == len(words)
        for sentence, text in zip(words, answers, strict=True):
            assert sentence in text


async def test_a_person_who_uses_our_own_account_is_heard(tmp_path: Path) -> None:
    """Dropping by the author alone silences whoever works with the same account."""
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>womit es begann</p>")
        await desks.settle()
        await desks.answer(ticket_id, "<p>von Hand geschrieben</p>", who=OURSELVES)
        await desks.answer(ticket_id, who=OURSELVES, status="pending")
        await desks.settle()
        both_know(desks, ticket_id, "von Hand geschrieben")
        assert desks.ticket(ticket_id).status == "With customer"


async def test_a_poisoned_ticket_holds_up_no_other(tmp_path: Path) -> None:
    """One message that always fails blocks a queue that has to be worked off in order."""
    async with both_desks(tmp_path) as desks:
        tickets = [desks.open_ticket(f"<p>womit {n} begann</p>") for n in range(4)]
        await desks.settle()
        path = f"/{desks.twin(tickets[0]).id}$"
        desks.arm(Side.PARTNER, "status", status=422, kind="write", path=path, times=None)
        for ticket_id in tickets:
            desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.settle()
        assert (await desks.pair(tickets[0])).state is PairState.PARKED
        for ticket_id in tickets[1:]:
            both_know(desks, ticket_id, "noch eine Frage")


async def test_no_search_decides_whether_a_twin_exists(tmp_path: Path) -> None:
    """A search index is a minute or two behind: who asks it makes a second twin."""
    async with both_desks(tmp_path) as desks:
        desks.arm(Side.PARTNER, "drop_after", methods=frozenset({"POST"}), path="/tickets$")
        ticket_id = desks.open_ticket("<p>womit es begann</p>")
        await desks.settle()
        assert len(desks.twins(ticket_id)) == 1
        asked = {template for side in Side for _, template in desks.requests(side)}
        assert not any("search" in template for template in asked)


async def test_the_same_change_on_both_desks_is_no_conflict(tmp_path: Path) -> None:
    """Comparing with the other side instead of with what was agreed makes one of it."""
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>womit es begann</p>", tags=["t-a"])
        await desks.settle()
        await desks.answer(ticket_id, status="solved", add_tags=["t-neu"])
        desks.write(ticket_id, who=STAFF, status="Closed", add_tags=["t-neu"])
        written = desks.writes()
        await desks.settle()
        assert not await desks.made.store.conflicts()
        assert desks.writes() == written
        assert desks.ticket(ticket_id).status == "Closed"
        assert desks.twin(ticket_id).status == "solved"


async def test_a_closed_ticket_is_not_closed_again_after_a_person_opened_it(tmp_path: Path) -> None:
    """A bridge that writes states instead of changes undoes people for ever."""
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>womit es begann</p>")
        await desks.settle()
        await desks.answer(ticket_id, status="solved")
        await desks.settle()
        desks.write(ticket_id, who=STAFF, status="Open")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert desks.twin(ticket_id).status == "open"
        written = desks.writes()
        for _ in range(30):
            await desks.round()
        assert desks.writes() == written
