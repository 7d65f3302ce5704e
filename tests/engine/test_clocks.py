"""Desks whose clocks are hours off: times of two desks are never compared, nor with ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, both_desks, both_know

HOURS = [(5.0, -7.0), (-9.0, 3.0), (0.0, 30.0), (0.0, -30.0), (-30.0, 0.0)]


@pytest.mark.parametrize(("platform_hours", "partner_hours"), HOURS)
async def test_clocks_that_differ_by_hours_change_nothing(
    tmp_path: Path, platform_hours: float, partner_hours: float
) -> None:
    async with both_desks(
        tmp_path, platform_hours=platform_hours, partner_hours=partner_hours
    ) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>", tags=["t-eins"])
        await desks.settle()
        for number in range(3):
            desks.write(ticket_id, f"<p>Frage Nummer {number:03}</p>", status="Open")
            await desks.settle()
            await desks.answer(ticket_id, f"<p>Antwort Nummer {number:03}</p>", status="pending")
            await desks.settle()
            assert desks.ticket(ticket_id).status == "With customer"
        words = [f"{word} Nummer {n:03}" for n in range(3) for word in ("Frage", "Antwort")]
        both_know(desks, ticket_id, "woran es liegt", *words)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE

        # Both at once: the policy decides, not a clock.
        desks.write(ticket_id, who=STAFF, status="Closed", add_tags=["t-zwei"])
        await desks.answer(ticket_id, status="open", remove_tags=["t-eins"])
        await desks.settle()

        assert desks.ticket(ticket_id).status == "Open"
        assert desks.twin(ticket_id).status == "open"
        assert "t-zwei" in desks.twin(ticket_id).tags
        assert "t-eins" not in desks.ticket(ticket_id).tags


async def test_an_answer_that_closes_is_guarded_whatever_the_clocks_say(tmp_path: Path) -> None:
    async with both_desks(tmp_path, platform_hours=8, partner_hours=-8) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="solved")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "With customer"
        assert desks.twin(ticket_id).status == "pending"
        await desks.answer(ticket_id, status="solved")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Closed"


async def test_webhooks_with_a_clock_hours_off_are_refused_and_polling_goes_on(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, has_webhooks=True, platform_hours=2, partner_hours=-2) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>")
        await desks.settle()
        both_know(desks, ticket_id, "woran es liegt", "eine gute Antwort")
        refused = {(e["connection"], e["reason"]) for e in desks.events("webhook.rejected")}
        assert refused == {("heroku", "Unauthentic"), ("acme", "Unauthentic")}
        assert desks.made.health.counts["webhook.accepted"] == 0
