"""`feed: sweep`: an agent's rights, no exports, and the same end of every story."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncd.core.model import ConnectionName, Side, TicketId
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, BothDesks, both_desks, both_know
from tests.engine.test_reading import AUDITS, carried

ACME = ConnectionName("acme")
LOOK = ("GET", "/api/v2/tickets/show_many")
FIELDS = ("GET", "/api/v2/tickets/{id}")
WRITE = ("PUT", "/api/v2/tickets/{id}")
#: Another trigger of the account puts it on every new ticket.
TAG = "auto_triage"


def at_partner(desks: BothDesks) -> list[tuple[str, str]]:
    return desks.requests(Side.PARTNER)


async def a_pair(desks: BothDesks, html: str = "<p>woran es liegt</p>") -> str:
    ticket_id = desks.open_ticket(html)
    await desks.settle()
    return ticket_id


async def test_everything_travels_without_one_request_for_an_admin(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>", add_tags=["t-eilig"])
        await desks.settle()
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await desks.answer(ticket_id, "<p>unter uns gesagt</p>", public=False)
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage", "eine gute Antwort", "unter uns gesagt")
        assert desks.ticket(ticket_id).status == "With customer"
        assert "t-eilig" in desks.twin(ticket_id).tags
        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.settle()
        assert desks.twin(ticket_id).status == "solved"
        refused = [e for e in desks.desk(Side.PARTNER).log.since(0) if e.status in (401, 403)]
        assert refused == []
        assert not any("incremental" in template for _, template in at_partner(desks))


async def test_tickets_left_alone_cost_one_look_a_poll_for_all_of_them(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        for _ in range(4):
            await a_pair(desks)
        desks.forget_requests()
        for _ in range(10):
            await desks.round()
        assert at_partner(desks) == [LOOK] * 10


async def test_a_change_at_the_partner_costs_one_read_beside_the_looks(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        ticket_id = await a_pair(desks)
        desks.forget_requests()
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await desks.settle()
        both_know(desks, ticket_id, "eine gute Antwort")
        assert [r for r in at_partner(desks) if r != LOOK] == [AUDITS]


async def test_our_own_write_is_looked_behind_once(tmp_path: Path) -> None:
    """Its second may hold more than our comment, and no export will tell."""
    async with both_desks(tmp_path, feed="sweep") as desks:
        ticket_id = await a_pair(desks)
        desks.forget_requests()
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.settle()
        assert [r for r in at_partner(desks) if r != LOOK] == [WRITE, AUDITS]


async def test_a_word_in_the_very_second_of_our_own_write_travels(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        desks.clock.advance(70)
        await desks.poll()
        await desks.run_due()
        before = desks.twin(ticket_id).updated_at
        await desks.answer(ticket_id, "<p>im selben Augenblick</p>")
        assert desks.twin(ticket_id).updated_at == before
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage", "im selben Augenblick")


async def test_more_tickets_than_one_look_holds_are_all_seen(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        ids = [desks.open_ticket(f"<p>Anliegen {number:04}</p>") for number in range(103)]
        await desks.settle()
        for number, ticket_id in enumerate(ids):
            await desks.answer(ticket_id, f"<p>Antwort {number:04}</p>")
        for _ in range(6):
            await desks.round()
        for number, ticket_id in enumerate(ids):
            both_know(desks, ticket_id, f"Antwort {number:04}")


async def test_a_trigger_tells_at_once_and_its_body_proves_only_that_something_moved(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, feed="sweep", has_webhooks=True, trigger_tag=TAG) as desks:
        ticket_id = await a_pair(desks)
        await carried(desks)
        desks.forget_requests()
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await carried(desks)
        both_know(desks, ticket_id, "eine gute Antwort")
        assert desks.ticket(ticket_id).status == "With customer"
        assert at_partner(desks) == [FIELDS, AUDITS]


async def test_a_trigger_is_not_called_for_what_we_write(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep", has_webhooks=True, trigger_tag=TAG) as desks:
        ticket_id = await a_pair(desks)
        accepted = desks.made.health.counts["webhook.accepted"]
        desks.platform.platform.hooks.webhooks.clear()
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")
        assert desks.made.health.counts["webhook.accepted"] == accepted


async def test_a_deleted_ticket_parks_its_pair_and_a_closed_one_is_not_looked_at(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        deleted, closed, other = await a_pair(desks), await a_pair(desks), await a_pair(desks)
        deed: dict[str, Any] = {"as": "alice@acme.test", "ticket_id": desks.twin(deleted).id}
        await desks.agent_does("acme", {**deed, "do": "delete"})
        await desks.answer(closed, status="closed")
        await desks.settle()
        reason, _ = await desks.parked(deleted)
        assert reason == "partner_ticket_gone"
        desks.forget_requests()
        await desks.round()
        await desks.round()
        assert at_partner(desks) == [LOOK] * 2
        tickets = await desks.made.store.open_tickets(ACME, TicketId(""), 100)
        assert set(tickets) == {str(desks.twin(deleted).id), str(desks.twin(other).id)}
        assert (await desks.pair(other)).state is PairState.ACTIVE


async def test_a_listing_that_leaves_out_everything_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        ids = [await a_pair(desks) for _ in range(3)]
        empty: dict[str, list[str]] = {"tickets": []}
        desks.arm(Side.PARTNER, "status", status=200, body=empty, path="show_many", times=3)
        desks.forget_requests()
        await desks.round()
        assert at_partner(desks) == [LOOK, FIELDS]
        await desks.settle()
        for ticket_id in ids:
            assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_what_was_changed_between_two_runs_of_the_daemon_is_seen(tmp_path: Path) -> None:
    async with both_desks(tmp_path, feed="sweep") as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>während der Pause</p>", public=False)
        desks.clock.advance(7200)
        await desks.settle()
        both_know(desks, ticket_id, "während der Pause")
