"""A hand-off phrase that was public and is private by the time we look hands nothing over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.both_desks import AGENT, both_desks


@pytest.mark.parametrize("around", ["", "<p>wir kommen nicht weiter</p>"], ids=["alone", "words"])
async def test_a_phrase_made_private_while_syncd_was_away_is_no_order(
    tmp_path: Path, around: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        await desks.answer(ticket_id, f"{around}<p>Reassign to Heroku</p>", public=True)
        number, comment_id = desks.twin(ticket_id).id, desks.twin(ticket_id).comments[-1].id
        deed = {"as": AGENT, "do": "make_private", "ticket_id": number, "comment_id": comment_id}
        desks.clock.advance(5)
        await desks.agent_does("acme", deed)
        await desks.settle()
        assert desks.events("hand_off.moved") == []
        told = [c for c in desks.twin(ticket_id).comments if "is private now, but only" in c.body]
        assert [c.is_public for c in told] == [False]
        assert len(desks.heard(ticket_id, "Reassign to Heroku")) == 2
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before
