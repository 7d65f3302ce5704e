"""An unlinked pair has no effect in either direction; a replayed one doubles nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.zendesk.connector import ZendeskConnector
from syncd.core.errors import LeaseLost
from syncd.core.model import Side
from syncd.core.operations import Answer, Intent
from syncd.core.work import UNLINKED, PairState
from tests.engine.backfilling import backfilled
from tests.engine.both_desks import LINK, STAFF, BothDesks, both_desks, both_know
from tests.engine.wiring import VIEWS

WORDS = [f"Zeile Nummer {number:02}" for number in range(4)]


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


async def unlink(desks: BothDesks, ticket_id: str) -> bool:
    pair_id = (await desks.pair(ticket_id)).pair_id
    return await desks.made.store.unlink(pair_id, actor="cli:test", now=desks.clock.now())


async def people_write(desks: BothDesks, ticket_id: str) -> None:
    desks.write(ticket_id, "<p>vom Kunden</p>")
    desks.write(ticket_id, who=STAFF, status="Closed", add_tags=["t-neu"])
    await desks.answer(ticket_id, "<p>vom Partner</p>", status="pending")
    await desks.answer(ticket_id, "<p>Reassign to Heroku</p>", public=False)
    await desks.settle()


# --- unlink --------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_nothing_travels_between_unlinked_tickets_and_both_stay_as_they_are(
    tmp_path: Path, has_webhooks: bool
) -> None:
    async with both_desks(tmp_path, has_webhooks=has_webhooks) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        before = desks.writes()
        assert await unlink(desks, ticket_id)
        assert not await unlink(desks, ticket_id)
        await desks.settle()
        assert desks.writes() == before, "no note tells of it"

        await people_write(desks, ticket_id)

        assert desks.writes() == before
        assert desks.heard(ticket_id, "vom Kunden") == []
        assert desks.read(ticket_id, "vom Partner") == []
        assert LINK in desks.ticket(ticket_id).views
        assert len(desks.twins(ticket_id)) == 1, "no second twin is made"
        pair = await desks.pair(ticket_id)
        assert (pair.state, pair.reason) == (PairState.ENDED, UNLINKED)
        await people_write(desks, other)
        both_know(desks, other, "vom Kunden", "vom Partner")


async def test_an_unlinked_pair_is_taken_over_again_by_a_backfill_alone(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await unlink(desks, ticket_id)
        desks.write(ticket_id, "<p>nur hier</p>", who=STAFF, visibility="private", views=[LINK])
        await desks.settle()
        assert desks.heard(ticket_id, "nur hier") == []

        await backfilled(desks)
        await desks.settle()

        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        assert len(desks.twins(ticket_id)) == 1
        both_know(desks, ticket_id, "woran es liegt", "nur hier")
        desks.write(ticket_id, "<p>und wieder zusammen</p>")
        await desks.settle()
        both_know(desks, ticket_id, "und wieder zusammen")


async def test_another_partners_pair_of_the_ticket_goes_on(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=("acme", "globex")) as desks:
        ticket_id = await a_pair(desks)
        desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["globex"])
        await desks.settle()
        await unlink(desks, ticket_id)
        desks.write(ticket_id, "<p>nur noch einer</p>")
        await desks.settle()
        assert desks.heard(ticket_id, "nur noch einer") == []
        both_know(desks, ticket_id, "nur noch einer", partner="globex")


async def test_a_write_on_its_way_is_settled_before_its_pair_is_unlinked(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PARTNER, "drop_after", kind="write")
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.poll()
        await desks.run_due()
        with pytest.raises(LeaseLost, match="on its way"):
            await unlink(desks, ticket_id)
        await desks.settle()
        assert await unlink(desks, ticket_id)
        both_know(desks, ticket_id, "noch eine Frage")


async def test_a_pair_is_not_unlinked_under_a_running_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        ordinary, refused = ZendeskConnector.write, []

        async def unlinked_meanwhile(self: ZendeskConnector, intent: Intent) -> Answer:
            with pytest.raises(LeaseLost) as lost:
                await unlink(desks, ticket_id)
            refused.append(lost.value.hint)
            return await ordinary(self, intent)

        monkeypatch.setattr(ZendeskConnector, "write", unlinked_meanwhile)
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.settle()
        assert refused == ["Try again in a moment."]
        both_know(desks, ticket_id, "noch eine Frage")


# --- replay --------------------------------------------------------------------------------------


async def replay(desks: BothDesks, ticket_id: str) -> bool:
    pair_id = (await desks.pair(ticket_id)).pair_id
    return await desks.made.store.replay(pair_id, actor="cli:test", now=desks.clock.now())


async def test_a_replayed_pair_is_read_from_both_desks_and_nothing_is_doubled(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for words in WORDS:
            desks.write(ticket_id, f"<p>{words}</p>", who=STAFF, visibility="private", views=[LINK])
        await desks.answer(ticket_id, "<p>die Antwort</p>", status="pending", tags=["t-neu"])
        await desks.settle()
        before = desks.writes()
        desks.forget_requests()

        assert await replay(desks, ticket_id)
        await desks.run_due()

        assert desks.writes() == before
        both_know(desks, ticket_id, *WORDS, "die Antwort")
        reads = {side: [r for r in desks.requests(side) if r[0] == "GET"] for side in Side}
        assert 0 < len(reads[Side.PLATFORM]) <= 2
        assert 0 < len(reads[Side.PARTNER]) <= 2
        assert not (await desks.pair(ticket_id)).is_dirty


async def test_what_the_mirror_missed_travels_after_a_replay(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>niemand hat es gemeldet</p>")
        await desks.answer(ticket_id, "<p>auch das nicht</p>")
        # No poll: the feeds have told of neither.
        assert await replay(desks, ticket_id)
        await desks.run_due()
        both_know(desks, ticket_id, "niemand hat es gemeldet", "auch das nicht")
        await desks.settle()
        both_know(desks, ticket_id, "niemand hat es gemeldet", "auch das nicht")


async def test_an_ended_pair_is_not_replayed(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await unlink(desks, ticket_id)
        desks.forget_requests()
        assert not await replay(desks, ticket_id)
        assert await desks.run_due() == []
