"""What a Store counts so that a flood is stopped, whoever restarts in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from syncd.core.model import PairId, Side
from syncd.core.operations import Intent
from syncd.core.work import Park, Step
from syncd.ports import Store
from tests.contract.store_story import a_pair, a_twinned_pair, settled, take
from tests.support.build import (
    AT,
    PARTNER,
    PLATFORM,
    a_ticket,
    a_whole_read,
    an_intent,
    an_update,
    later,
)

HOUR = timedelta(hours=1)


def a_hop(pair_id: PairId, number: int, *, side: Side = Side.PARTNER, seconds: int = 0) -> Intent:
    update = an_update(f"op-{number}", side=side, status="open")
    connection = PLATFORM if side is Side.PLATFORM else PARTNER
    intent = an_intent(update, pair_id=pair_id, connection=connection, sent_at=later(seconds))
    return replace(intent, is_hop=True)


async def hop(store: Store, intent: Intent, *, is_done: bool = True) -> None:
    pair_id = intent.pair_id
    await take(store, pair_id, Step(intent=intent), now=intent.sent_at)
    step = Step(settled=(settled(intent, is_done=is_done),))
    await take(store, pair_id, step, now=intent.sent_at)


class StoreGuardSuite:
    async def test_hops_are_counted_by_side_and_only_the_last_ones(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        for number in range(3):
            await hop(store, a_hop(pair_id, number, seconds=600 * number))
        await hop(store, a_hop(pair_id, 9, side=Side.PLATFORM, seconds=1300))
        await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id, sent_at=later(1400))))
        assert await store.count_hops(pair_id, since=AT - HOUR) == {
            Side.PARTNER: 3,
            Side.PLATFORM: 1,
        }
        assert await store.count_hops(pair_id, since=later(600)) == {
            Side.PARTNER: 1,
            Side.PLATFORM: 1,
        }
        assert await store.count_hops(pair_id, since=later(1300)) == {}

    async def test_a_hop_counts_while_it_is_on_its_way_and_not_when_it_never_landed(
        self, store: Store
    ) -> None:
        pair_id = await a_twinned_pair(store)
        await hop(store, a_hop(pair_id, 1), is_done=False)
        assert await store.count_hops(pair_id, since=AT - HOUR) == {}
        await take(store, pair_id, Step(intent=a_hop(pair_id, 2)))
        assert await store.count_hops(pair_id, since=AT - HOUR) == {Side.PARTNER: 1}

    async def test_hops_of_other_pairs_are_theirs(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        other = await a_pair(store, a_whole_read(a_ticket("T2")))
        await hop(store, a_hop(other, 1))
        assert await store.count_hops(pair_id, since=AT - HOUR) == {}

    async def test_what_was_counted_before_a_person_retried_counts_no_more(
        self, store: Store
    ) -> None:
        pair_id = await a_twinned_pair(store)
        await hop(store, a_hop(pair_id, 1))
        await take(store, pair_id, Step(park=Park(reason="loop", hint="Mend it.")))
        assert await store.unpark(pair_id, actor="test", now=AT)
        assert await store.count_hops(pair_id, since=AT - HOUR) == {}
