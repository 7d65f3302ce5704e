"""What a Store keeps of the tickets that a pair goes on in, and of those that went away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from syncd.core.errors import LeaseLost
from syncd.core.model import End, PairId, Side, TicketId
from syncd.core.work import Joined, PairState, Park, Step
from syncd.ports import Store
from tests.contract.store_story import a_twinned_pair, bodies, clean, load, see_partner, take
from tests.support.build import (
    AT,
    PARTNER,
    a_base,
    a_comment,
    a_mapping,
    a_sighting,
    a_ticket,
    a_whole_read,
    later,
)

GONE = Park(reason="partner_ticket_deleted", hint="Restore it.")
DELETED = a_ticket("9001", status="deleted", end=End.DELETED, fields_as_of=5)
BACK = a_ticket("9001", status="open", fields_as_of=6)


async def swept(store: Store, lost_since: datetime | None) -> list[PairId]:
    return [
        pair.pair_id async for batch in store.open_pairs(lost_since=lost_since) for pair in batch
    ]


def joined(ticket_id: str, kind: str = "merged") -> Joined:
    return Joined(side=Side.PARTNER, connection=PARTNER, ticket_id=TicketId(ticket_id), kind=kind)


class StoreLineageSuite:
    # --- lineage ---------------------------------------------------------------------------------

    @pytest.mark.parametrize("kind", ["merged", "follow_up"])
    async def test_a_joined_ticket_is_the_pairs_newest(self, store: Store, kind: str) -> None:
        pair_id = await a_twinned_pair(store)
        seen = {PARTNER: (a_whole_read(a_ticket("9005", status="pending")),)}
        await take(store, pair_id, Step(joined=(joined("9005", kind),), sightings=seen))
        run = await load(store, pair_id)
        assert run.pair.tickets[Side.PARTNER] == "9005"
        assert run.lineage == {"9001", "9005"}
        snapshot = run.snapshots[Side.PARTNER]
        assert snapshot is not None
        assert snapshot.ticket.status == "pending"

    async def test_earlier_comments_stay_in_the_thread(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        await see_partner(store, a_whole_read(BACK, a_comment("70"), a_comment("71")))
        seen = {PARTNER: (a_whole_read(a_ticket("9005"), a_comment("80")),)}
        await take(store, pair_id, Step(joined=(joined("9005"),), sightings=seen))
        snapshot = (await load(store, pair_id)).snapshots[Side.PARTNER]
        assert snapshot is not None
        assert [c.comment_id for c in snapshot.comments] == ["70", "71", "80"]
        assert snapshot.earlier_count == 2

    async def test_a_ticket_of_another_pair_is_not_joined(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        other = await a_twinned_pair(store, a_whole_read(a_ticket("T2")), partner_ticket="9005")
        assert await store.holders(PARTNER, TicketId("9005")) == {other}
        assert await store.holders(PARTNER, TicketId("9009")) == frozenset()
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(joined=(joined("9005"),)))
        assert (await load(store, pair_id)).pair.tickets[Side.PARTNER] == "9001"

    async def test_follow_ups_of_any_ticket_of_the_lineage_are_loaded(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        await take(store, pair_id, Step(joined=(joined("9005"),)))
        row = replace(a_sighting("9001"), follow_ups=(TicketId("9007"),))
        assert await see_partner(store, row) == {pair_id}
        assert await see_partner(store, row) == frozenset()
        assert (await load(store, pair_id)).follow_ups == {"9007"}

    # --- away and back ---------------------------------------------------------------------------

    async def test_a_restored_ticket_lets_its_pair_go_on(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        await see_partner(store, a_sighting(DELETED))
        await take(store, pair_id, Step(park=GONE))
        await see_partner(store, a_sighting(replace(DELETED, fields_as_of=6)))
        assert (await load(store, pair_id)).pair.state is PairState.PARKED
        await see_partner(store, a_sighting(replace(BACK, fields_as_of=7)))
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.is_dirty, pair.reason) == (PairState.ACTIVE, True, "")

    async def test_a_pair_that_parked_for_something_else_stays_parked(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        await see_partner(store, a_sighting(DELETED))
        await take(store, pair_id, Step(park=Park(reason="refused", hint="Mend it.")))
        await see_partner(store, a_sighting(BACK))
        assert (await load(store, pair_id)).pair.state is PairState.PARKED

    async def test_the_sweep_looks_for_tickets_that_may_come_back(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        await see_partner(store, a_sighting(DELETED))
        await take(store, pair_id, Step(park=GONE))
        assert await swept(store, AT) == [pair_id]
        assert await swept(store, later(1)) == []
        assert await swept(store, None) == []

    # --- redactions ------------------------------------------------------------------------------

    async def test_a_redaction_replaces_the_body_that_waits(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        before = a_comment("70", "<p>secret</p>")
        await see_partner(store, a_whole_read(BACK, before))
        after = replace(before, html="<p>▇▇▇</p>", is_redacted=True)
        assert await see_partner(store, a_whole_read(BACK, after)) == {pair_id}
        await see_partner(store, a_whole_read(BACK, before))
        assert await bodies(store, pair_id, Side.PARTNER) == {"70": "<p>▇▇▇</p>"}

    async def test_a_redaction_of_what_travelled_marks_the_pair_once(self, store: Store) -> None:
        copied = a_mapping("70", "170", origin=Side.PARTNER)
        pair_id = await a_twinned_pair(store, base=a_base(copied))
        comment = a_comment("70")
        await see_partner(store, a_whole_read(BACK, comment))
        await clean(store, pair_id)
        redacted = a_whole_read(BACK, replace(comment, is_redacted=True))
        assert await see_partner(store, redacted) == {pair_id}
        assert await see_partner(store, redacted) == frozenset()
        told = a_base(replace(copied, is_redacted=True))
        await take(store, pair_id, Step(base=told))
        await take(store, pair_id, Step(base=a_base(copied)))
        assert (await load(store, pair_id)).base.comments == told.comments
