"""What a Store does with the steps of a run: lease, journal, agreement and pair row."""

from __future__ import annotations

import asyncio

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState, Known, OwedNote
from syncd.core.errors import LeaseLost
from syncd.core.model import Ball, CommentId, PairId, Side, Status, TicketId
from syncd.core.operations import Operation
from syncd.core.work import PairState, Park, Step
from syncd.ports import Store
from tests.contract.store_story import (
    a_change,
    a_pair,
    a_twinned_pair,
    clean,
    load,
    next_version,
    see,
    settled,
    take,
)
from tests.support.build import (
    AT,
    LINK,
    PARTNER,
    PLATFORM,
    a_base,
    a_comment,
    a_creation,
    a_draft,
    a_mapping,
    a_restriction,
    a_sighting,
    a_status_base,
    a_tag_base,
    a_ticket,
    a_whole_read,
    an_intent,
    an_update,
    later,
)

PARK = Park(reason="rejected", hint="Mend the ticket.")


class StoreStepSuite:
    # --- lease -----------------------------------------------------------------------------------

    async def test_a_step_takes_the_lease_and_shuts_others_out(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(), token="a")
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(), token="b", now=later(59))
        await take(store, pair_id, Step(), token="a", now=later(59))

    async def test_an_expired_lease_is_free(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(), token="a")
        await take(store, pair_id, Step(), token="b", now=later(60))
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(), token="a", now=later(61))

    @pytest.mark.parametrize(
        "end",
        [Step(done_gen=1), Step(not_before=later(5)), Step(park=PARK), Step(ends_pair=True)],
        ids=["done", "waits", "parked", "ended"],
    )
    async def test_the_end_of_a_run_lets_go_of_the_lease(self, store: Store, end: Step) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(), token="a")
        await take(store, pair_id, end, token="a")
        await take(store, pair_id, Step(), token="b")

    async def test_a_plan_older_than_another_runs_step_is_refused(self, store: Store) -> None:
        pair_id = await a_pair(store)
        revision = (await load(store, pair_id)).pair.revision
        await take(store, pair_id, Step(done_gen=1, revision=revision), token="a")
        step = Step(intent=an_intent(pair_id=pair_id), revision=revision)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, step, token="b")
        assert (await load(store, pair_id)).sent == ()

    async def test_a_run_need_not_mind_its_own_steps(self, store: Store) -> None:
        pair_id = await a_pair(store)
        revision = (await load(store, pair_id)).pair.revision
        await take(store, pair_id, Step(revision=revision))
        await take(store, pair_id, Step(revision=revision))
        assert (await load(store, pair_id)).pair.revision == revision + 2

    async def test_the_leases_of_a_dead_owner_are_let_go_and_no_others(self, store: Store) -> None:
        mine, other = await a_pair(store), await a_pair(store, a_whole_read(a_ticket("T2")))
        await take(store, mine, Step(), token="daemon:1")
        await take(store, other, Step(), token="daemonic:1")
        assert await store.release_leases("daemon") == 1
        await take(store, mine, Step(), token="daemon:2")
        with pytest.raises(LeaseLost):
            await take(store, other, Step(), token="daemon:2")

    async def test_a_pair_that_does_not_exist_has_no_lease(self, store: Store) -> None:
        with pytest.raises(LeaseLost):
            await take(store, PairId(7), Step())
        assert await store.load_run(PairId(7)) is None

    # --- all or nothing --------------------------------------------------------------------------

    async def test_a_refused_step_leaves_nothing_behind(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(), token="a")
        before = await load(store, pair_id)
        step = Step(
            base=a_base(a_mapping()),
            sightings={PLATFORM: (a_change(),)},
            intent=an_intent(pair_id=pair_id),
            done_gen=1,
        )
        with pytest.raises(LeaseLost):
            await take(store, pair_id, step, token="b")
        assert await load(store, pair_id) == before

    async def test_a_ticket_of_another_pair_of_the_link_is_refused_whole(
        self, store: Store
    ) -> None:
        await a_twinned_pair(store)
        pair_id = await a_pair(store, a_whole_read(a_ticket("T2")))
        intent = an_intent(a_creation(), pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent))
        before = await load(store, pair_id)
        taken = settled(intent, created=(Side.PARTNER, PARTNER, TicketId("9001")))
        with pytest.raises(ValueError, match="refused"):
            await take(store, pair_id, Step(settled=(taken,), base=a_base()))
        assert await load(store, pair_id) == before

    async def test_one_partner_ticket_may_be_in_pairs_of_two_links(self, store: Store) -> None:
        await a_twinned_pair(store, link="one")
        two = await a_twinned_pair(store, link="two")
        assert (await load(store, two)).pair.tickets[Side.PARTNER] == "9001"

    async def test_many_steps_at_once_are_all_durable(self, store: Store) -> None:
        pairs = [await a_pair(store, a_whole_read(a_ticket(f"T{n}"))) for n in range(20)]
        steps = [take(store, p, Step(base=a_base(a_mapping(f"{p}")), done_gen=1)) for p in pairs]
        await asyncio.gather(*steps)
        for pair_id in pairs:
            assert (await load(store, pair_id)).base.comments == (a_mapping(f"{pair_id}"),)

    # --- journal ---------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "operation",
        [
            a_creation("op", a_draft(), a_draft("<p>2</p>", source_id="2"), tags=["heroku"]),
            an_update(
                "op",
                comment=a_draft("<p>🐘 مرحبا</p>", note_key="n", source_id=None),
                status="open",
                add_tags=["a"],
                remove_tags=["b"],
                leave_view="acme",
                is_silent=True,
            ),
            a_restriction("op"),
        ],
        ids=["create", "update", "restrict"],
    )
    async def test_an_intent_is_on_its_way_until_it_is_settled(
        self, store: Store, operation: Operation
    ) -> None:
        pair_id = await a_pair(store)
        intent = an_intent(
            operation,
            pair_id=pair_id,
            tags_before=["x", "y"],
            highest_comment_id="100",
            known_ids=["99", "100"],
            attempt=2,
            sent_at=later(3),
        )
        await take(store, pair_id, Step(intent=intent))
        assert (await load(store, pair_id)).sent == (intent,)
        await take(store, pair_id, Step(settled=(settled(intent, "101"),)))
        assert (await load(store, pair_id)).sent == ()

    async def test_one_operation_is_not_on_its_way_twice(self, store: Store) -> None:
        pair_id = await a_pair(store)
        intent = an_intent(pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent))
        with pytest.raises(ValueError, match="refused"):
            await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id, attempt=2)))
        assert (await load(store, pair_id)).sent == (intent,)

    async def test_a_dropped_operation_may_leave_again_in_the_same_step(self, store: Store) -> None:
        pair_id = await a_pair(store)
        first, second = an_intent(pair_id=pair_id), an_intent(pair_id=pair_id, attempt=2)
        await take(store, pair_id, Step(intent=first))
        again = Step(settled=(settled(first, is_done=False),), intent=second)
        await take(store, pair_id, again)
        assert (await load(store, pair_id)).sent == (second,)

    async def test_what_another_run_settled_is_not_settled_again(self, store: Store) -> None:
        pair_id = await a_pair(store)
        intent = an_intent(pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent))
        step = Step(settled=(settled(intent),), base=a_base())
        await take(store, pair_id, step)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, step)

    async def test_a_creation_gives_the_pair_its_second_ticket(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        run = await load(store, pair_id)
        assert run.pair.tickets == {Side.PLATFORM: "T1", Side.PARTNER: "9001"}
        partner = run.snapshots[Side.PARTNER]
        assert partner is not None
        assert partner.ticket.ticket_id == "9001"

    async def test_a_follow_up_takes_the_place_of_the_first_ticket(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        intent = an_intent(a_creation("op-2"), pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent))
        created = settled(intent, created=(Side.PARTNER, PARTNER, TicketId("9002")))
        shown = a_whole_read(a_ticket("9002", status="new"))
        await take(store, pair_id, Step(settled=(created,), sightings={PARTNER: (shown,)}))
        run = await load(store, pair_id)
        assert run.pair.tickets[Side.PARTNER] == "9002"
        partner = run.snapshots[Side.PARTNER]
        assert partner is not None
        assert partner.ticket.status == "new"
        assert [p.pair_id for p in await store.find_pairs(ticket_id=TicketId("9001"))] == [pair_id]

    # --- agreement -------------------------------------------------------------------------------

    async def test_before_the_first_agreement_the_base_is_empty(self, store: Store) -> None:
        pair_id = await a_pair(store)
        assert (await load(store, pair_id)).base == Base()

    async def test_a_base_comes_back_as_it_was_agreed(self, store: Store) -> None:
        pair_id = await a_pair(store)
        base = a_base(
            a_mapping("1", "101"),
            a_mapping("n1", None, kind=Known.NOTE, origin=Side.PARTNER, note_key="context"),
            status=a_status_base(Status.WITH_CUSTOMER, platform="With customer", partner="pending"),
            tags=a_tag_base(["urgent"], kept=["auto"]),
            hand_off=HandOff(
                state=HandOffState.OFFERED,
                comment_id=CommentId("55"),
                by="Ada",
                offered_at=later(9),
                turn=3,
            ),
            owed=(OwedNote(key="k", side=Side.PARTNER, kind="hint", facts=(("who", "Ada"),)),),
            released=["7"],
        )
        await take(store, pair_id, Step(base=base))
        assert (await load(store, pair_id)).base == base

    async def test_the_comment_map_only_grows(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(base=a_base(a_mapping("1", "101"))))
        await take(store, pair_id, Step(base=a_base(a_mapping("2", None))))
        await take(store, pair_id, Step(base=a_base(a_mapping("2", "102"), a_mapping("1", None))))
        base = (await load(store, pair_id)).base
        assert base.comments == (a_mapping("1", "101"), a_mapping("2", "102"))

    async def test_a_released_comment_survives_a_step_that_did_not_know_of_it(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store, a_whole_read(None, a_comment("1")))
        args = (pair_id, Side.PLATFORM, CommentId("1"))
        assert await store.release_comment(*args, actor="ops", now=AT)
        await take(store, pair_id, Step(base=a_base()))
        assert (await load(store, pair_id)).base.released == {"1"}

    async def test_a_step_without_a_base_leaves_it_as_it_is(self, store: Store) -> None:
        pair_id = await a_pair(store)
        base = a_base(a_mapping())
        await take(store, pair_id, Step(base=base))
        await take(store, pair_id, Step())
        assert (await load(store, pair_id)).base == base

    # --- the pair row ----------------------------------------------------------------------------

    async def test_a_run_that_dealt_with_all_leaves_the_pair_clean(self, store: Store) -> None:
        pair_id = await a_pair(store)
        assert await take(store, pair_id, Step()) is True
        assert await take(store, pair_id, Step(done_gen=1)) is False
        assert await store.load_due(AT) == []

    async def test_a_mark_during_a_run_asks_for_one_more(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step())
        await see(store, a_change())
        assert await take(store, pair_id, Step(done_gen=1)) is True
        assert [due for due, _ in await store.load_due(AT)] == [pair_id]

    async def test_what_the_run_itself_saw_asks_for_no_other_run(self, store: Store) -> None:
        pair_id = await a_pair(store)
        step = Step(sightings={PLATFORM: (a_change(),)}, done_gen=1)
        assert await take(store, pair_id, step) is False

    async def test_an_answer_that_the_mirror_has_overtaken_asks_for_one_more(
        self, store: Store
    ) -> None:
        """The mirror heard of it before the answer came, and saw nothing new in it then."""
        pair_id = await a_pair(store)
        answer = a_change(status="Open")
        known = a_sighting(a_ticket(fields_as_of=next_version()))
        assert await see(store, known) == frozenset()
        assert await take(store, pair_id, Step(sightings={PLATFORM: (answer,)})) is True
        assert await take(store, pair_id, Step(done_gen=1)) is True
        shown = (await load(store, pair_id)).snapshots[Side.PLATFORM]
        assert shown is not None
        assert (shown.ticket.status, shown.ticket.tags) == ("Open", frozenset())

    async def test_an_answer_that_says_no_less_than_the_mirror_asks_for_no_other_run(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        older = a_sighting(a_ticket(fields_as_of=next_version()))
        await see(store, a_sighting(a_ticket(fields_as_of=next_version())))
        step = Step(sightings={PLATFORM: (older,)}, done_gen=1)
        assert await take(store, pair_id, step) is False

    async def test_what_a_run_of_a_clean_pair_saw_is_not_forgotten_with_it(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        assert await take(store, pair_id, Step(sightings={PLATFORM: (a_change(),)})) is True

    async def test_what_a_run_saw_marks_the_other_pairs_of_the_ticket(self, store: Store) -> None:
        one, two = await a_pair(store, link="one"), await a_pair(store, link="two")
        await clean(store, two)
        await take(store, one, Step(sightings={PLATFORM: (a_change(),)}, done_gen=1))
        assert [due for due, _ in await store.load_due(AT)] == [two]

    async def test_a_back_off_is_told_and_an_immediate_mark_overtakes_it(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        assert await take(store, pair_id, Step(not_before=later(600), tries=3)) is True
        assert await store.load_due(AT) == [(pair_id, later(600))]
        assert (await load(store, pair_id)).pair.tries == 3
        assert await store.load_due(later(600)) == [(pair_id, None)]
        await store.mark([pair_id], now=AT)
        assert await store.load_due(AT) == [(pair_id, None)]

    async def test_a_pair_under_way_is_due_when_its_lease_ends(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(), seconds=60)
        assert await store.load_due(AT) == [(pair_id, later(60))]

    async def test_a_clean_pair_with_a_lost_write_is_due(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id), done_gen=1))
        assert await store.load_due(AT) == [(pair_id, None)]
        assert await store.load_due(AT, link=LINK) == [(pair_id, None)]

    async def test_due_pairs_can_be_asked_for_by_link(self, store: Store) -> None:
        await a_pair(store, link="one")
        two = await a_pair(store, link="two")
        (pair,) = await store.find_pairs(pair_id=two)
        assert await store.load_due(AT, link=pair.link) == [(two, None)]

    async def test_a_parked_pair_remembers_marks_and_does_not_run(self, store: Store) -> None:
        pair_id = await a_pair(store)
        assert await take(store, pair_id, Step(park=PARK, done_gen=1), now=later(4)) is False
        await see(store, a_change())
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.is_dirty) == (PairState.PARKED, True)
        assert (pair.reason, pair.hint, pair.parked_at) == (PARK.reason, PARK.hint, later(4))
        assert await store.load_due(AT) == []

    @pytest.mark.parametrize(
        "stop", [Step(park=PARK), Step(ends_pair=True)], ids=["parked", "ended"]
    )
    async def test_nothing_is_written_for_a_stopped_pair(self, store: Store, stop: Step) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, stop)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id)))

    async def test_nothing_is_written_for_a_paused_link(self, store: Store) -> None:
        pair_id, other = await a_pair(store), await a_pair(store, link="other")
        await store.pause_link(LINK, actor="cli:ops", now=AT)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id)))
        assert (await load(store, pair_id)).sent == ()
        await take(store, other, Step(intent=an_intent(pair_id=other)))

    async def test_a_write_is_not_repeated_for_a_paused_link_either(self, store: Store) -> None:
        pair_id = await a_pair(store)
        intent = an_intent(pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent))
        await take(store, pair_id, Step(is_repeat=True))
        await store.pause_link(LINK, actor="cli:ops", now=AT)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(is_repeat=True))
        assert (await load(store, pair_id)).sent == (intent,), "it is looked for again"

    @pytest.mark.parametrize("how", ["parked", "stopped", "paused"])
    async def test_a_run_that_must_not_go_on_leaves_what_it_learnt_and_its_lease(
        self, store: Store, how: str
    ) -> None:
        pair_id = await a_pair(store)
        intent = an_intent(pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent), token="a")
        if how == "parked":
            await store.park(pair_id, PARK, actor="cli:ops", reason="", now=AT)
        elif how == "stopped":
            await store.park_link(LINK, PARK, now=AT)
        else:
            await store.pause_link(LINK, actor="cli:ops", now=AT)
        following = an_intent(an_update(op_id="op-2"), pair_id=pair_id, stamp="stamp-2")
        learnt = Step(settled=(settled(intent),), base=a_base(a_mapping()), intent=following)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, learnt, token="a")
        run = await load(store, pair_id)
        assert (run.sent, run.base.comments) == ((), (a_mapping(),))
        assert run.pair.is_dirty, "it goes on from here"
        await take(store, pair_id, Step(), token="b")

    async def test_a_write_under_way_is_settled_although_the_pair_was_stopped(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        intent = an_intent(pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent))
        await store.park_link(LINK, PARK, now=AT)
        await take(store, pair_id, Step(settled=(settled(intent),), base=a_base(a_mapping())))
        run = await load(store, pair_id)
        assert (run.sent, run.base.comments) == ((), (a_mapping(),))

    async def test_an_ended_pair_takes_no_marks(self, store: Store) -> None:
        pair_id = await a_pair(store)
        assert await take(store, pair_id, Step(ends_pair=True, done_gen=1)) is False
        await store.mark([pair_id], now=AT)
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.is_dirty) == (PairState.ENDED, False)

    async def test_the_ball_keeps_its_since_while_it_stays(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(ball=Ball.PARTNER), now=later(1))
        await take(store, pair_id, Step(ball=Ball.PARTNER), now=later(2))
        await take(store, pair_id, Step(), now=later(3))
        pair = (await load(store, pair_id)).pair
        assert (pair.ball, pair.ball_since) == (Ball.PARTNER, later(1))
        await take(store, pair_id, Step(ball=Ball.CUSTOMER), now=later(4))
        pair = (await load(store, pair_id)).pair
        assert (pair.ball, pair.ball_since) == (Ball.CUSTOMER, later(4))

    # --- siblings --------------------------------------------------------------------------------

    async def test_a_run_knows_what_other_links_ask_of_the_ticket(self, store: Store) -> None:
        pairs = {link: await a_pair(store, link=link) for link in ("a", "b", "c", "d", "e")}
        closed = a_status_base(Status.CLOSED)
        handed = a_base(hand_off=HandOff(state=HandOffState.HANDED, turn=1))
        await take(store, pairs["b"], Step(base=a_base(status=closed)))
        await take(store, pairs["c"], Step(base=handed))
        await take(store, pairs["d"], Step(base=a_base(), ends_pair=True))
        assert (await load(store, pairs["a"])).sibling_statuses == ("closed",)

    @pytest.mark.parametrize(
        ("written", "told"), [("Closed", ("closed",)), ("With customer", ()), (None, ())]
    )
    async def test_what_another_link_is_writing_is_its_own_also_before_the_answer(
        self, store: Store, written: str | None, told: tuple[str, ...]
    ) -> None:
        """A feed tells of the write first; what staff set instead is not the other link's."""
        one, two = await a_pair(store, link="one"), await a_pair(store, link="two")
        closing = an_update(side=Side.PLATFORM, ticket_id="T1", status=written)
        agreed = a_base(status=a_status_base(Status.CLOSED, platform="Open"))
        await take(store, one, Step(base=agreed, intent=an_intent(closing, pair_id=one)))
        await see(store, a_change(status="Closed"))
        assert (await load(store, two)).sibling_statuses == told

    async def test_a_new_agreement_marks_the_other_links_pairs(self, store: Store) -> None:
        one, two = await a_pair(store, link="one"), await a_pair(store, link="two")
        await take(store, one, Step(base=a_base()))
        await clean(store, two)
        await take(store, one, Step(base=a_base(a_mapping())))
        assert two not in dict(await store.load_due(AT))
        await take(store, one, Step(base=a_base(status=a_status_base(Status.CLOSED))))
        assert two in dict(await store.load_due(AT))

    async def test_nothing_is_written_for_a_doubtful_pair_until_it_is_recovered(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        assert await store.doubt(actor="test", now=AT) == 1
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id)))
        assert (await load(store, pair_id)).sent == ()
        intent = an_intent(pair_id=pair_id)
        await take(store, pair_id, Step(intent=intent, is_recovered=True))
        run = await load(store, pair_id)
        assert (len(run.sent), run.pair.is_doubtful) == (1, False)

    async def test_a_run_that_began_before_the_doubt_writes_nothing_any_more(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(), token="one")
        await store.doubt(actor="test", now=AT)
        with pytest.raises(LeaseLost):
            await take(store, pair_id, Step(intent=an_intent(pair_id=pair_id)), token="one")
        assert (await load(store, pair_id)).pair.is_doubtful
