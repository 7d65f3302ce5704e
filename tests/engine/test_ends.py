"""Tickets that go away: nothing is deleted, the other side is told, and a restore is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syncd.core.model import ConnectionName, Side, Sighting
from syncd.core.work import PairState
from syncd.engine.sweep import Sweep
from tests.engine.both_desks import STAFF, BothDesks, both_desks, both_know
from tests.engine.lineages import a_pair, bodies, do, said_at_platform

GONE = "was deleted at"
BACK = "is back at"


@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_a_deleted_twin_parks_and_the_platform_is_told_once(
    tmp_path: Path, has_webhooks: bool
) -> None:
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id = await a_pair(desks)
        await do(desks, "delete", desks.twin(ticket_id))
        await desks.settle()
        for _ in range(2):
            reason, hint = await desks.parked(ticket_id)
            assert reason in ("partner_ticket_deleted", "partner_ticket_gone")
            assert "The other copy was left" in hint
            assert said_at_platform(desks, ticket_id, GONE) == 1
            desks.write(ticket_id, "<p>hört mich jemand</p>")
            await desks.retry(ticket_id)
            await desks.settle()
        (told,) = desks.read(ticket_id, GONE)
        assert told.comment is not None
        assert told.comment.visibility == "private"
        assert desks.ticket(ticket_id).status == "Open"


@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_a_twin_marked_as_spam_parks_once_and_the_platforms_ticket_stays_open(
    tmp_path: Path, has_webhooks: bool
) -> None:
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id = await a_pair(desks)
        await do(desks, "mark_as_spam", desks.twin(ticket_id))
        await desks.partners["acme"].desk.webhooks.courier.idle()
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        # The exports call it deleted; only the webhook knows better, and its word stays.
        assert reason == ("partner_ticket_spam" if has_webhooks else "partner_ticket_deleted")
        assert "The other copy was left" in hint
        desks.write(ticket_id, "<p>hört mich jemand</p>")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, GONE) == 1
        assert desks.ticket(ticket_id).status == "Open"
        # No spam after all.
        await do(desks, "restore", desks.twin(ticket_id))
        await desks.settle()
        await heard_again(desks, ticket_id)


async def test_a_deleted_platform_ticket_parks_and_the_partner_is_told_once(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.act(STAFF, "delete", ticket_id=ticket_id)
        await desks.answer(ticket_id, "<p>eine Antwort ins Leere</p>")
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "platform_ticket_gone"
        told = [c for c in desks.twin(ticket_id).comments if GONE in c.body]
        assert [c.is_public for c in told] == [False]
        assert desks.twin(ticket_id).deleted_at is None


async def test_a_webhook_from_before_the_end_that_comes_after_it_brings_nobody_back(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        run = await desks.made.store.load_run((await desks.pair(ticket_id)).pair_id)
        platform = run.snapshots[Side.PLATFORM] if run else None
        assert platform is not None
        before = platform.ticket
        desks.act(STAFF, "delete", ticket_id=ticket_id)
        await desks.answer(ticket_id, "<p>eine Antwort ins Leere</p>")
        await desks.settle()
        told = [c.body for c in desks.twin(ticket_id).comments]
        late = replace(before, fields_as_of=before.fields_as_of + 1)
        sighting = Sighting(ticket_id=late.ticket_id, ticket=late)
        await desks.made.intake.take(ConnectionName("heroku"), [sighting])
        await desks.settle()
        assert (await desks.parked(ticket_id))[0] == "platform_ticket_gone"
        assert [c.body for c in desks.twin(ticket_id).comments] == told
        assert not desks.events("ticket.restored")


async def heard_again(desks: BothDesks, ticket_id: str) -> None:
    """Both sides are in step again, and what was written meanwhile came through."""
    assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
    both_know(desks, ticket_id, "hört mich jemand")
    assert said_at_platform(desks, ticket_id, GONE) == 1
    assert said_at_platform(desks, ticket_id, BACK) == 1
    assert len(desks.events("ticket.restored")) == 1


@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_a_restored_twin_goes_on_by_itself(tmp_path: Path, has_webhooks: bool) -> None:
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id = await a_pair(desks)
        await do(desks, "delete", desks.twin(ticket_id))
        await desks.settle()
        desks.write(ticket_id, "<p>hört mich jemand</p>")
        await desks.settle()
        assert len(bodies(desks.twin(ticket_id))) == 2
        await do(desks, "restore", desks.twin(ticket_id))
        await desks.settle()
        await heard_again(desks, ticket_id)


async def test_the_sweep_notices_a_restore_that_no_feed_told_of(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await do(desks, "delete", desks.twin(ticket_id))
        await desks.settle()
        desks.write(ticket_id, "<p>hört mich jemand</p>")
        await desks.settle()
        await do(desks, "restore", desks.twin(ticket_id))
        made = desks.made
        sweep = Sweep(
            links=made.links,
            every_seconds=1,
            store=made.store,
            intake=made.intake,
            clock=desks.clock,
            health=made.health,
        )
        assert await sweep.sweep() == 1
        await desks.run_due()
        await heard_again(desks, ticket_id)


async def test_a_ticket_that_is_deleted_again_is_told_again(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for _ in range(2):
            await do(desks, "delete", desks.twin(ticket_id))
            await desks.settle()
            await do(desks, "restore", desks.twin(ticket_id))
            await desks.settle()
        assert said_at_platform(desks, ticket_id, GONE) == 2
        assert said_at_platform(desks, ticket_id, BACK) == 2


async def test_a_ticket_restored_before_anybody_was_told_needs_no_word(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PLATFORM, "status", kind="write", status=503, times=3)
        await do(desks, "delete", desks.twin(ticket_id))
        await desks.round()
        await do(desks, "restore", desks.twin(ticket_id))
        desks.disarm()
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        told = said_at_platform(desks, ticket_id, GONE)
        assert told == said_at_platform(desks, ticket_id, BACK)


async def test_a_ticket_that_is_deleted_for_good_stays_parked(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        twin = desks.twin(ticket_id)
        await do(desks, "delete", twin)
        await desks.settle()
        answer = await desks.controls["acme"].delete(f"/api/v2/deleted_tickets/{twin.id}")
        assert answer.is_success
        await desks.settle()
        assert twin.is_scrubbed
        assert (await desks.parked(ticket_id))[0].startswith("partner_ticket_")
        assert said_at_platform(desks, ticket_id, GONE) == 1
        assert said_at_platform(desks, ticket_id, "SCRUBBED") == 0
        assert desks.ticket(ticket_id).subject == "Betreff ohne Belang"


@pytest.mark.parametrize("loss", ["drop_before", "drop_after", "503 before", "503 after"])
async def test_a_lost_answer_to_the_note_tells_the_platform_once(tmp_path: Path, loss: str) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        action = "status" if loss.startswith("503") else loss
        is_applied = loss == "503 after"
        desks.arm(Side.PLATFORM, action, kind="write", status=503, is_applied=is_applied)
        await do(desks, "delete", desks.twin(ticket_id))
        await desks.settle()
        assert said_at_platform(desks, ticket_id, GONE) == 1
        assert (await desks.pair(ticket_id)).state is PairState.PARKED
