"""Managed webhooks on both desks: made, lost, switched off, signed anew, held back, and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from syncd.core.hook import HookFault
from syncd.core.model import ConnectionName, Side, TicketId
from syncd.engine.hooks import DOUBT_SECONDS, HookState
from syncd.engine.missed import GRACE_SECONDS, SETTLING_SECONDS
from syncd.engine.sweep import Sweep
from tests.engine.both_desks import HEROKU, STAFF, BothDesks, both_desks, both_know

ACME = ConnectionName("acme")


async def watched(desks: BothDesks) -> None:
    """Let every watch look after its webhook once more."""
    for watch in desks.made.watches.values():
        await watch.tick()


async def begun(desks: BothDesks) -> None:
    """Webhooks are made, and what is missed counts from now on."""
    await watched(desks)
    desks.clock.advance(SETTLING_SECONDS)
    await desks.poll()


async def delivered(desks: BothDesks) -> None:
    """Whatever the desks send has arrived, and its pairs were run."""
    for _ in range(4):
        desks.clock.advance(2)
        await desks.platform.platform.courier.idle()
        await desks.partners["acme"].desk.webhooks.courier.idle()
        await desks.run_due()


async def graced(desks: BothDesks) -> None:
    """A good minute passes, feeds are read, and then the grace."""
    await desks.settle()
    desks.clock.advance(GRACE_SECONDS)
    await watched(desks)


async def a_pair(desks: BothDesks, words: str = "woran es liegt") -> str:
    ticket_id = desks.open_ticket(f"<p>{words}</p>")
    await delivered(desks)
    await desks.settle()
    return ticket_id


async def at_zendesk(desks: BothDesks) -> dict[str, Any]:
    (hook,) = (await desks.controls["acme"].get("/api/v2/webhooks")).json()["webhooks"]
    return dict(hook)


def missed(desks: BothDesks, name: ConnectionName = ACME) -> int:
    return desks.made.watches[name].report().missed


async def test_managed_webhooks_are_made_by_the_daemon_and_carry_both_ways(tmp_path: Path) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        desks.forget_requests()
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await delivered(desks)
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await delivered(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>", status="Open", who=STAFF)
        await delivered(desks)
        both_know(desks, ticket_id, "woran es liegt", "eine gute Antwort", "noch eine Frage")
        for side in Side:
            assert not [r for r in desks.requests(side) if "changes" in r[1] or "incre" in r[1]]
        await graced(desks)
        assert (missed(desks), missed(desks, HEROKU)) == (0, 0)
        assert {w.report().state for w in desks.made.watches.values()} == {HookState.SOUND}


async def test_deliveries_before_the_secret_is_known_are_asked_to_come_again(
    tmp_path: Path,
) -> None:
    async with (
        both_desks(tmp_path, is_managed=True) as desks,
        httpx.AsyncClient(base_url=desks.address) as client,
    ):
        early = await client.post("/webhooks/acme", content=b"{}")
        assert (early.status_code, early.headers["retry-after"]) == (503, "5")
        await begun(desks)
        assert (await client.post("/webhooks/acme", content=b"{}")).status_code == 401


async def test_one_that_is_switched_off_is_noticed_by_what_it_misses_and_switched_on(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        ticket_id = await a_pair(desks)
        hook = await at_zendesk(desks)
        change = {"webhook": {"status": "inactive"}}
        await desks.controls["acme"].patch(f"/api/v2/webhooks/{hook['id']}", json=change)
        await desks.answer(ticket_id, "<p>niemand sagt es</p>")
        await graced(desks)
        both_know(desks, ticket_id, "niemand sagt es")
        assert (missed(desks), missed(desks, HEROKU)) == (1, 0)
        assert (await at_zendesk(desks))["status"] == "active"
        (mended,) = [e for e in desks.events("webhook.mended") if e["faults"] == ["disabled"]]
        assert mended["connection"] == "acme"
        await desks.answer(ticket_id, "<p>jetzt wieder sofort</p>")
        await delivered(desks)
        both_know(desks, ticket_id, "jetzt wieder sofort")
        await graced(desks)
        assert missed(desks) == 1


async def test_one_that_is_removed_is_made_anew_with_its_new_secret(tmp_path: Path) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        ticket_id = await a_pair(desks)
        hook = await at_zendesk(desks)
        await desks.controls["acme"].delete(f"/api/v2/webhooks/{hook['id']}")
        await desks.answer(ticket_id, "<p>niemand sagt es</p>")
        await graced(desks)
        assert (await at_zendesk(desks))["id"] != hook["id"]
        await desks.answer(ticket_id, "<p>jetzt wieder sofort</p>")
        await delivered(desks)
        both_know(desks, ticket_id, "niemand sagt es", "jetzt wieder sofort")


async def test_a_secret_that_was_reset_is_taken_over_after_a_few_refusals(tmp_path: Path) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        ticket_id = await a_pair(desks)
        hook = await at_zendesk(desks)
        await desks.controls["acme"].post(f"/api/v2/webhooks/{hook['id']}/signing_secret")
        for number in range(3):
            await desks.answer(ticket_id, f"<p>verweigert {number} Mal</p>")
        await delivered(desks)
        assert desks.made.health.counts["webhook.rejected"] >= 3
        await watched(desks)
        await desks.answer(ticket_id, "<p>jetzt wieder sofort</p>")
        await delivered(desks)
        both_know(desks, ticket_id, "jetzt wieder sofort")
        await desks.settle()
        both_know(desks, ticket_id, *(f"verweigert {number} Mal" for number in range(3)))


async def test_deliveries_that_the_desk_holds_back_are_told_of_until_they_come(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        ticket_id = await a_pair(desks)
        await desks.switch(webhook_is_tripped=True)
        await desks.answer(ticket_id, "<p>steckt fest</p>")
        await graced(desks)
        both_know(desks, ticket_id, "steckt fest")
        assert desks.made.watches[ACME].report().faults == (HookFault.TRIPPED,)
        (told,) = desks.events("webhook.broken")
        assert told["faults"] == ["tripped"]
        assert not desks.made.watches[ACME].is_trusted
        await desks.switch(webhook_is_tripped=False)
        await delivered(desks)
        desks.clock.advance(DOUBT_SECONDS)
        await watched(desks)
        assert desks.made.watches[ACME].is_trusted
        assert len(desks.events("webhook.sound")) == 1


@pytest.mark.parametrize(
    ("awkwardness", "count"),
    [
        ({"webhook_loss": 1.0}, 4),
        ({"webhook_loss": 0.0}, 0),
        ({"webhook_duplicate": 1.0}, 0),
        ({"webhook_reorder": 1.0}, 0),
    ],
    ids=["lost", "good", "doubled", "reordered"],
)
async def test_exactly_what_no_webhook_told_is_counted(
    tmp_path: Path, awkwardness: dict[str, Any], count: int
) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        tickets = [await a_pair(desks, f"Anliegen Nummer {n}") for n in range(4)]
        await graced(desks)
        assert missed(desks) == 0
        await desks.switch(**awkwardness)
        for ticket_id in tickets:
            await desks.answer(ticket_id, f"<p>die Antwort auf {ticket_id}</p>")
        await delivered(desks)
        await graced(desks)
        for ticket_id in tickets:
            both_know(desks, ticket_id, f"die Antwort auf {ticket_id}")
        assert missed(desks) == count
        assert missed(desks, HEROKU) == 0
        await desks.switch(webhook_loss=0.0)
        (summary,) = [w for w in await desks.made.store.webhooks() if w.connection == ACME]
        assert summary.missed_count == count


async def test_what_the_sweep_finds_first_is_counted_too(tmp_path: Path) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        ticket_id = await a_pair(desks)
        await desks.switch(webhook_loss=1.0)
        await desks.answer(ticket_id, status="pending")
        sweep = Sweep(
            links=desks.made.links,
            every_seconds=3600,
            store=desks.made.store,
            intake=desks.made.intake,
            clock=desks.clock,
            health=desks.made.health,
        )
        assert await sweep.sweep() == 1
        await graced(desks)
        assert missed(desks) == 1


async def test_a_poll_that_is_faster_than_the_webhook_finds_nothing_missed(tmp_path: Path) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        await begun(desks)
        ticket_id = await a_pair(desks)
        await desks.switch(webhook_loss=1.0)
        await desks.answer(ticket_id, "<p>erst gelesen, dann gemeldet</p>")
        await desks.round()
        both_know(desks, ticket_id, "erst gelesen, dann gemeldet")
        desks.clock.advance(GRACE_SECONDS - 5)
        # What a webhook tells, late.
        twin = TicketId(str(desks.twin(ticket_id).id))
        told = await desks.made.connectors[ACME].fetch_many([twin])
        await desks.made.intake.take(ACME, told, is_announced=True)
        await graced(desks)
        assert missed(desks) == 0


async def test_what_happened_before_anybody_listened_is_not_counted(tmp_path: Path) -> None:
    async with both_desks(tmp_path, is_managed=True) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.poll()
        await graced(desks)
        both_know(desks, ticket_id, "woran es liegt")
        assert missed(desks, HEROKU) == 0
