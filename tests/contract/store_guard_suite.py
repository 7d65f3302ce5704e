"""What a Store counts so that a flood is stopped, whoever restarts in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.core.mass_change import Drastic, DrasticChange, PendingChange
from syncd.core.model import LinkName, PairId, Side
from syncd.core.operations import Intent
from syncd.core.policy import LinkPolicy, MassRule
from syncd.core.work import PairState, Park, Step, Weighed
from syncd.ports import Store
from tests.contract.store_story import (
    a_change,
    a_pair,
    a_twinned_pair,
    see,
    settled,
    take,
)
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
LINK = LinkName("acme-postgres")
#: Of four, two may pass.
RULE = MassRule(least=1, most=9, share=0.5, within=HOUR)
POLICY = LinkPolicy(link=LINK, view="acme", mass_rule=RULE)
CLOSED = DrasticChange(
    side=Side.PLATFORM, kind=Drastic.CLOSED, before="Open", after="Closed", at=AT
)


async def four(store: Store) -> list[PairId]:
    return [
        await a_twinned_pair(store, a_whole_read(a_ticket(f"T{n}")), partner_ticket=f"900{n}")
        for n in range(4)
    ]


async def weigh(
    store: Store, pair_id: PairId, *changes: DrasticChange, now: datetime = AT
) -> Weighed:
    return await store.weigh(pair_id, changes or (CLOSED,), policy=POLICY, has_views=False, now=now)


async def pending(store: Store) -> Sequence[PendingChange]:
    return await store.pending_changes(POLICY, has_views=False)


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

    # --- mass changes ----------------------------------------------------------------------------

    async def test_changes_pass_one_by_one_up_to_the_threshold_and_then_the_link_is_stopped(
        self, store: Store
    ) -> None:
        pairs = await four(store)
        assert await weigh(store, pairs[0]) == Weighed()
        assert await weigh(store, pairs[1]) == Weighed()
        # The same change asked about again is one.
        assert await weigh(store, pairs[1]) == Weighed()
        stopped = await weigh(store, pairs[2])
        assert stopped.is_news
        assert stopped.park is not None
        assert stopped.park.reason == "mass_change"
        assert await store.parked_links() == {LINK: stopped.park}
        assert await weigh(store, pairs[3]) == Weighed(park=stopped.park)
        assert {p.state for p in await store.find_pairs(link=LINK)} == {PairState.PARKED}

    async def test_of_many_at_once_no_more_than_the_threshold_pass(self, store: Store) -> None:
        pairs = await four(store)
        verdicts = await asyncio.gather(*(weigh(store, pair_id) for pair_id in pairs))
        assert [v.park is None for v in verdicts].count(True) == 2
        assert [v.is_news for v in verdicts].count(True) == 1

    async def test_what_waits_in_marked_pairs_counts_before_any_of_it_passes(
        self, store: Store
    ) -> None:
        pairs = await four(store)
        for number in range(3):
            await see(store, a_change(f"T{number}"))
        waiting = await pending(store)
        assert [found.pair_id for found in waiting] == pairs[:3]
        assert {(f.change.kind, f.change.before, f.change.after) for f in waiting} == {
            (Drastic.CLOSED, "Open", "Closed")
        }
        assert [found.tickets[Side.PARTNER] for found in waiting] == ["9000", "9001", "9002"]
        assert (await weigh(store, pairs[0])).park is not None

    async def test_a_pair_whose_own_write_is_on_its_way_does_not_wait(self, store: Store) -> None:
        pairs = await four(store)
        await take(store, pairs[0], Step(intent=an_intent(pair_id=pairs[0])))
        await see(store, a_change("T0"))
        assert await pending(store) == []

    async def test_what_was_confirmed_passes_uncounted_and_nothing_else_does(
        self, store: Store
    ) -> None:
        pairs = await four(store)
        for number in range(3):
            await see(store, a_change(f"T{number}"))
        assert (await weigh(store, pairs[0])).park is not None
        shown = await pending(store)
        assert await store.confirm_link(LINK, shown, actor="cli:ada", reason="meant", now=AT)
        assert await store.parked_links() == {}
        assert await pending(store) == []
        for pair_id in pairs[:3]:
            assert await weigh(store, pair_id) == Weighed()
        (deed,) = await store.deeds(link=LINK)
        assert (deed.actor, deed.verb, deed.reason) == ("cli:ada", "confirm", "meant")
        assert deed.subject == f"3 changes of link {LINK}"
        # Another kind of change is another matter.
        untagged = replace(CLOSED, kind=Drastic.UNTAGGED)
        assert await weigh(store, pairs[0], untagged) == Weighed()
        assert await weigh(store, pairs[1], untagged) == Weighed()
        assert (await weigh(store, pairs[2], untagged)).park is not None

    async def test_only_a_mass_change_is_confirmed_and_only_a_confirmation_ends_it(
        self, store: Store
    ) -> None:
        pairs = await four(store)
        assert not await store.confirm_link(LINK, (), actor="test", now=AT)
        await store.park_link(LINK, Park(reason="leak", hint="Hide it."), now=AT)
        assert not await store.confirm_link(LINK, (), actor="test", now=AT)
        assert await store.unpark_link(LINK, actor="test", now=AT)
        for pair_id in pairs[:3]:
            await weigh(store, pair_id)
        assert not await store.unpark_link(LINK, actor="test", now=AT)
        assert set(await store.parked_links()) == {LINK}
        assert await store.confirm_link(LINK, (), actor="test", now=AT)

    async def test_a_day_later_what_passed_counts_no_more(self, store: Store) -> None:
        pairs = await four(store)
        for number, pair_id in enumerate(pairs):
            day = AT + timedelta(days=2 * number)
            changed = replace(CLOSED, at=None)
            assert await weigh(store, pair_id, changed, now=day) == Weighed()

    async def test_each_side_and_each_link_is_counted_by_itself(self, store: Store) -> None:
        pairs = await four(store)
        theirs = replace(CLOSED, side=Side.PARTNER, before="open", after="solved")
        for pair_id in pairs[:2]:
            assert await weigh(store, pair_id) == Weighed()
        for pair_id in pairs[2:]:
            assert await weigh(store, pair_id, theirs) == Weighed()
