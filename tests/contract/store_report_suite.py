"""What a Store tells people, and what people do with it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from syncd.core.agreed import HandOff, HandOffState, RefusedStatus
from syncd.core.model import (
    Audience,
    Ball,
    CommentId,
    ConnectionName,
    End,
    LinkName,
    PairId,
    Role,
    Side,
    Status,
    TicketId,
)
from syncd.core.report import DeedRow, WebhookNote
from syncd.core.work import CursorMove, PairState, Park, Pause, Step
from syncd.ports import Store
from tests.contract.store_story import (
    a_pair,
    a_twinned_pair,
    clean,
    load,
    see,
    see_partner,
    take,
)
from tests.support.build import (
    AT,
    LINK,
    PARTNER,
    PLATFORM,
    a_base,
    a_comment,
    a_conflict,
    a_mapping,
    a_person,
    a_sighting,
    a_status_base,
    a_ticket,
    a_transition,
    a_whole_read,
    an_intent,
    later,
)

PARK = Park(reason="leak", hint="Compare both tickets.")
CUSTOMER = a_person("Cora", Role.CUSTOMER)
PARTNER_AGENT = a_person("Ada", Role.PARTNER)


def noted(
    connection: ConnectionName, state: str, faults: Sequence[str], missed: int, at: datetime
) -> WebhookNote:
    return WebhookNote(
        connection=connection, state=state, faults=tuple(faults), missed=missed, seen_at=at
    )


class StoreReportSuite:
    async def test_conflicts_come_newest_first_with_both_values(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        first, second = a_conflict("status"), a_conflict("tags", platform="a", partner="b")
        await take(store, pair_id, Step(conflicts=(first,)), now=later(1))
        await take(store, pair_id, Step(conflicts=(second,)), now=later(2))
        rows = await store.conflicts()
        assert [(row.conflict, row.seen_at) for row in rows] == [
            (second, later(2)),
            (first, later(1)),
        ]
        assert rows[0].tickets == {Side.PLATFORM: "T1", Side.PARTNER: "9001"}
        assert [row.conflict for row in await store.conflicts(since=later(2))] == [second]
        assert [row.conflict for row in await store.conflicts(limit=1)] == [second]
        assert await store.conflicts(link=LinkName("other")) == []

    async def test_transitions_are_taken_without_being_asked_for_again(self, store: Store) -> None:
        pair_id = await a_pair(store)
        transitions = (a_transition(), a_transition("ball", side=None, at=None))
        await take(store, pair_id, Step(transitions=transitions))
        assert (await load(store, pair_id)).pair.is_dirty

    # --- webhooks --------------------------------------------------------------------------------

    async def test_a_webhooks_condition_keeps_its_beginning_and_adds_up_its_misses(
        self, store: Store
    ) -> None:
        assert await store.webhooks() == []
        await store.note_webhook(noted(PLATFORM, "sound", [], 0, later(1)))
        await store.note_webhook(noted(PLATFORM, "sound", [], 2, later(2)))
        (sound,) = await store.webhooks()
        assert (sound.connection, sound.state, sound.faults) == (PLATFORM, "sound", ())
        assert (sound.since, sound.seen_at) == (later(1), later(2))
        assert (sound.missed_count, sound.missed_at) == (2, later(2))
        faults = ["missing", "disabled"]
        await store.note_webhook(noted(PLATFORM, "broken", faults, 0, later(3)))
        (broken,) = await store.webhooks()
        assert (broken.state, broken.faults, broken.since) == ("broken", tuple(faults), later(3))
        assert (broken.missed_count, broken.missed_at) == (2, later(2))
        await store.note_webhook(noted(PARTNER, "sound", [], 0, later(4)))
        assert [each.connection for each in await store.webhooks()] == [PARTNER, PLATFORM]

    async def test_the_tickets_of_pairs_are_told_for_one_connection(self, store: Store) -> None:
        first = await a_twinned_pair(store)
        second = await a_pair(store, a_whole_read(a_ticket("T2")))
        assert await store.tickets_of(PLATFORM, {first, second}) == {"T1", "T2"}
        assert await store.tickets_of(PARTNER, [first, second]) == {"9001"}
        assert await store.tickets_of(PLATFORM, ()) == frozenset()

    # --- stale -----------------------------------------------------------------------------------

    async def test_a_customer_who_spoke_last_waits_since_the_first_unanswered_word(
        self, store: Store
    ) -> None:
        thread = (
            a_comment("1", author=CUSTOMER),
            a_comment("2", author=PARTNER_AGENT),
            a_comment("3", author=CUSTOMER),
            a_comment("4", author=CUSTOMER),
        )
        pair_id = await a_twinned_pair(store, a_whole_read(None, *thread))
        await take(store, pair_id, Step(ball=Ball.PARTNER))
        (row,) = await store.stale()
        assert (row.pair_id, row.link, row.ball) == (pair_id, LINK, Ball.PARTNER)
        assert row.waiting_since == later(3)
        assert row.tickets == {Side.PLATFORM: "T1", Side.PARTNER: "9001"}
        assert await store.stale(link=LinkName("other")) == []

    async def test_a_public_answer_ends_the_wait(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store, a_whole_read(None, a_comment("1")))
        await see(store, a_sighting("T1", a_comment("2", author=PARTNER_AGENT)))
        assert await store.stale() == []
        assert (await load(store, pair_id)).pair.state is PairState.ACTIVE

    async def test_a_private_note_ends_no_wait(self, store: Store) -> None:
        note = a_comment("2", author=PARTNER_AGENT, audience=Audience.SHARED)
        await a_twinned_pair(store, a_whole_read(None, a_comment("1"), note))
        assert len(await store.stale()) == 1

    async def test_the_longest_wait_comes_first(self, store: Store) -> None:
        for number, seconds in (("1", 50), ("2", 20), ("3", 70)):
            comment = a_comment("1", at=later(seconds))
            shown = a_whole_read(a_ticket(f"T{number}"), comment)
            await a_twinned_pair(store, shown, partner_ticket=f"900{number}")
        assert [row.waiting_since for row in await store.stale()] == [
            later(20),
            later(50),
            later(70),
        ]

    async def test_only_open_pairs_that_the_partner_has_are_stale(self, store: Store) -> None:
        shown = a_whole_read(None, a_comment("1"))
        pair_id = await a_twinned_pair(store, shown)
        waiting = a_base(status=a_status_base(Status.WITH_CUSTOMER))
        away = a_base(hand_off=HandOff(state=HandOffState.HANDED, turn=1))
        for base in (waiting, away):
            await take(store, pair_id, Step(base=base))
            assert await store.stale() == []
        await take(store, pair_id, Step(base=a_base()))
        assert len(await store.stale()) == 1
        await take(store, pair_id, Step(ends_pair=True))
        assert await store.stale() == []

    # --- summaries and feeds -----------------------------------------------------------------

    async def test_a_link_is_summed_up(self, store: Store) -> None:
        open_one = await a_twinned_pair(store, a_whole_read(a_ticket("T1")))
        await take(store, open_one, Step(ball=Ball.PARTNER, conflicts=(a_conflict(),)))
        dirty = await a_pair(store, a_whole_read(a_ticket("T2")))
        await take(store, dirty, Step(intent=an_intent(pair_id=dirty), ball=Ball.PLATFORM))
        parked = await a_pair(store, a_whole_read(a_ticket("T3")))
        await take(store, parked, Step(park=PARK, done_gen=1))
        ended = await a_twinned_pair(store, a_whole_read(a_ticket("T4")), partner_ticket="9004")
        await take(store, ended, Step(ends_pair=True, ball=Ball.NOBODY))
        (summary,) = await store.summaries()
        assert (summary.link, summary.pairs, summary.open_pairs) == (LINK, 4, 1)
        assert (summary.dirty, summary.parked, summary.ended) == (1, 1, 1)
        assert (summary.sent, summary.conflicts) == (1, 1)
        assert summary.balls == {"partner": 1, "platform": 1}
        assert (summary.oldest_dirty_at, summary.parked_reason) == (AT, "")

    async def test_the_oldest_change_is_the_first_that_was_not_dealt_with(
        self, store: Store
    ) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        (summary,) = await store.summaries()
        assert summary.oldest_dirty_at is None
        await store.mark([pair_id], now=later(10))
        await store.mark([pair_id], now=later(20))
        (summary,) = await store.summaries()
        assert summary.oldest_dirty_at == later(10)

    async def test_a_stopped_link_is_told_even_without_pairs(self, store: Store) -> None:
        await store.park_link(LINK, PARK, now=AT)
        (summary,) = await store.summaries()
        assert (summary.link, summary.pairs, summary.parked_reason) == (LINK, 0, "leak")

    async def test_a_link_is_told_in_figures(self, store: Store) -> None:
        open_one = await a_twinned_pair(store, a_whole_read(a_ticket("T1")))
        await take(store, open_one, Step(ball=Ball.PARTNER, conflicts=(a_conflict(),)))
        dirty = await a_pair(store, a_whole_read(a_ticket("T2")))
        await take(store, dirty, Step(intent=an_intent(pair_id=dirty), ball=Ball.PLATFORM))
        parked = await a_pair(store, a_whole_read(a_ticket("T3")))
        await take(store, parked, Step(park=PARK))
        ended = await a_twinned_pair(store, a_whole_read(a_ticket("T4")), partner_ticket="9004")
        await take(store, ended, Step(ends_pair=True, ball=Ball.NOBODY))
        (link,) = await store.figures()
        assert (link.link, link.pairs) == (LINK, {"active": 2, "parked": 1, "ended": 1})
        # What is parked waits for a person, and is nobody's lag.
        assert (link.waiting, link.waiting_since) == (1, AT)
        assert link.owed_since == {Side.PARTNER: AT}
        assert (link.sent, link.sent_since) == (1, AT)
        assert (link.parked, link.conflicts) == ({"leak": 1}, 1)
        assert link.balls == {"partner": 1, "platform": 1}
        assert (link.stopped_because, link.is_paused) == ("", False)

    async def test_lag_is_counted_for_the_side_that_is_owed_it(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        (link,) = await store.figures()
        assert (link.waiting, link.owed_since) == (0, {})
        await see_partner(store, a_sighting(a_ticket("9001", status="pending", fields_as_of=9)))
        (link,) = await store.figures()
        assert link.owed_since == {Side.PLATFORM: AT}
        await see(store, a_sighting(a_ticket(status="Closed", fields_as_of=9)), at=later(30))
        (link,) = await store.figures()
        assert link.owed_since == {Side.PLATFORM: AT, Side.PARTNER: AT}
        await clean(store, pair_id)
        await store.mark([pair_id], now=later(60))
        (link,) = await store.figures()
        assert (link.waiting_since, link.owed_since) == (later(60), {})

    async def test_an_unconfirmed_hand_off_counts_until_it_is_confirmed(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)

        async def move(state: HandOffState, at: datetime, turn: int = 1) -> None:
            base = a_base(hand_off=HandOff(state=state, turn=turn, comment_id=CommentId("1")))
            await take(store, pair_id, Step(base=base), now=at)

        await move(HandOffState.OFFERED, later(5))
        (link,) = await store.figures()
        assert (link.unconfirmed, link.unconfirmed_since) == (1, later(5))
        assert link.hand_offs == {"offered": 1}
        await move(HandOffState.HANDED, later(9))
        (link,) = await store.figures()
        assert (link.unconfirmed, link.unconfirmed_since) == (0, None)
        assert link.hand_offs == {"offered": 1, "handed": 1}
        await move(HandOffState.OFFERED, later(50), turn=2)
        (link,) = await store.figures()
        assert (link.unconfirmed, link.unconfirmed_since) == (1, later(50))

    async def test_a_stopped_or_paused_link_is_told_in_figures_without_pairs(
        self, store: Store
    ) -> None:
        await store.park_link(LINK, PARK, now=AT)
        await store.pause_link(LinkName("other"), actor="cli:ada", now=AT)
        stopped, paused = await store.figures()
        assert (stopped.link, stopped.stopped_because, stopped.is_paused) == (LINK, "leak", False)
        assert (paused.link, paused.stopped_because, paused.is_paused) == ("other", "", True)

    async def test_a_feed_tells_when_it_last_moved(self, store: Store) -> None:
        for seconds in (1, 2):
            await store.record_sightings(
                PLATFORM,
                [],
                side=Side.PLATFORM,
                cursor=CursorMove(feed="updates", cursor=f"{seconds}"),
                seen_at=later(seconds),
            )
        (feed,) = await store.feeds()
        assert (feed.connection, feed.feed, feed.moved_at) == (PLATFORM, "updates", later(2))

    # --- finding -----------------------------------------------------------------------------

    async def test_pairs_are_found_by_any_of_their_marks(self, store: Store) -> None:
        one = await a_twinned_pair(store, link="one")
        two = await a_pair(store, a_whole_read(a_ticket("T2")), link="two")
        await take(store, two, Step(park=PARK))

        async def found(**filters: object) -> list[PairId]:
            return [p.pair_id for p in await store.find_pairs(**filters)]  # type: ignore[arg-type]

        assert await found() == [one, two]
        assert await found(limit=1) == [one]
        assert await found(link=LinkName("two")) == [two]
        assert await found(state=PairState.PARKED) == [two]
        assert await found(state=PairState.ACTIVE, link=LinkName("two")) == []
        assert await found(ticket_id=TicketId("9001")) == [one]
        assert await found(ticket_id=TicketId("T2"), pair_id=two) == [two]
        assert await found(pair_id=PairId(99)) == []

    async def test_open_pairs_come_in_batches_and_live_on_both_sides(self, store: Store) -> None:
        pairs = [
            await a_twinned_pair(store, a_whole_read(a_ticket(f"T{n}")), partner_ticket=f"900{n}")
            for n in range(6)
        ]
        await see(store, a_sighting(a_ticket("T1", end=End.DELETED, fields_as_of=9)))
        await take(store, pairs[2], Step(park=PARK))
        await take(store, pairs[3], Step(ends_pair=True))
        await a_pair(store, a_whole_read(a_ticket("T9")))
        batches = [batch async for batch in store.open_pairs(batch=2)]
        assert [[pair.pair_id for pair in batch] for batch in batches] == [
            [pairs[0], pairs[4]],
            [pairs[5]],
        ]

    # --- by hand -----------------------------------------------------------------------------

    async def test_a_retried_pair_runs_again_at_once(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await take(store, pair_id, Step(park=PARK, done_gen=1, tries=4, not_before=later(900)))
        assert await store.unpark(pair_id, actor="ops", now=AT) is True
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.reason, pair.hint) == (PairState.ACTIVE, "", "")
        assert (pair.parked_at, pair.tries, pair.not_before) == (None, 0, None)
        assert await store.load_due(AT) == [(pair_id, None)]

    async def test_a_pair_that_was_not_parked_is_not_retried(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await clean(store, pair_id)
        assert await store.unpark(pair_id, actor="ops", now=AT) is False
        assert not (await load(store, pair_id)).pair.is_dirty

    async def test_a_held_comment_is_released_once_it_is_known(self, store: Store) -> None:
        shown = a_whole_read(None, a_comment("1"), a_comment("2"))
        pair_id = await a_twinned_pair(store, shown, base=a_base(a_mapping("2", "102")))

        async def release(side: Side, comment_id: str) -> bool:
            comment = CommentId(comment_id)
            return await store.release_comment(pair_id, side, comment, actor="ops", now=AT)

        assert await release(Side.PLATFORM, "9") is False, "no such comment"
        assert await release(Side.PARTNER, "1") is False, "it is on the other side"
        assert await release(Side.PLATFORM, "2") is False, "it has travelled"
        assert await store.load_due(AT) == []
        assert await release(Side.PLATFORM, "1") is True
        run = await load(store, pair_id)
        assert set(run.base.released) == {"1"}
        assert run.pair.is_dirty
        assert run.base.comments == (a_mapping("2", "102"),)

    async def test_a_stopped_link_stops_all_its_pairs(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        other = await a_pair(store, a_whole_read(a_ticket("T2")), link="other")
        await store.mark([pair_id], now=AT)
        await store.park_link(LINK, PARK, now=later(7))
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.reason, pair.hint) == (PairState.PARKED, PARK.reason, PARK.hint)
        assert pair.parked_at == later(7)
        assert await store.parked_links() == {LINK: PARK}
        assert await store.load_due(AT) == [(other, None)]
        assert [batch async for batch in store.open_pairs()] == []
        assert [p.pair_id for p in await store.find_pairs(state=PairState.PARKED)] == [pair_id]

    async def test_a_link_that_runs_again_finds_its_marks(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await store.park_link(LINK, PARK, now=AT)
        assert await store.unpark_link(LINK, actor="ops", now=AT) is True
        assert await store.unpark_link(LINK, actor="ops", now=AT) is False
        assert await store.parked_links() == {}
        assert await store.load_due(AT) == [(pair_id, None)]

    # --- pauses and the audit trail --------------------------------------------------------------

    async def test_a_paused_links_pairs_are_marked_and_looked_at_and_not_run(
        self, store: Store
    ) -> None:
        pair_id = await a_twinned_pair(store)
        other = await a_pair(store, a_whole_read(a_ticket("T2")), link="other")
        assert await store.pause_link(LINK, actor="cli:mia", reason="a move", now=later(3))
        assert not await store.pause_link(LINK, actor="cli:tom", now=later(4))
        assert await see(store, a_sighting(a_ticket("T1", status="Closed", fields_as_of=9)))
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.is_paused, pair.is_dirty) == (PairState.ACTIVE, True, True)
        assert await store.load_due(AT) == [(other, None)]
        assert [[p.pair_id for p in batch] async for batch in store.open_pairs()] == [[pair_id]]
        pause = Pause(actor="cli:mia", paused_at=later(3), reason="a move")
        assert await store.paused_links() == {LINK: pause}
        assert [s.pause for s in await store.summaries()] == [pause, None]

    async def test_a_resumed_link_finds_its_marks(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await store.pause_link(LINK, actor="cli:mia", now=AT)
        assert await store.resume_link(LINK, actor="cli:mia", now=AT)
        assert not await store.resume_link(LINK, actor="cli:mia", now=AT)
        assert await store.paused_links() == {}
        assert await store.load_due(AT) == [(pair_id, None)]
        assert not (await load(store, pair_id)).pair.is_paused

    async def test_a_pause_and_a_stop_end_apart(self, store: Store) -> None:
        pair_id = await a_pair(store)
        await store.park_link(LINK, PARK, now=AT)
        await store.pause_link(LINK, actor="cli:mia", now=AT)
        await store.resume_link(LINK, actor="cli:mia", now=AT)
        assert (await load(store, pair_id)).pair.state is PairState.PARKED
        await store.pause_link(LINK, actor="cli:mia", now=AT)
        await store.unpark_link(LINK, actor="cli:mia", now=AT)
        assert (await load(store, pair_id)).pair.is_paused
        assert await store.load_due(AT) == []

    async def test_a_paused_link_is_told_even_without_pairs(self, store: Store) -> None:
        await store.pause_link(LINK, actor="cli:mia", now=AT)
        (summary,) = await store.summaries()
        assert (summary.link, summary.pairs, summary.parked_reason) == (LINK, 0, "")
        assert summary.pause == Pause(actor="cli:mia", paused_at=AT)

    async def test_a_pair_is_parked_by_hand_once(self, store: Store) -> None:
        pair_id = await a_pair(store)
        deed = {"actor": "cli:mia", "reason": "two customers"}
        assert await store.park(pair_id, PARK, **deed, now=later(1))
        assert not await store.park(pair_id, PARK, **deed, now=later(2))
        pair = (await load(store, pair_id)).pair
        assert (pair.state, pair.reason, pair.parked_at) == (
            PairState.PARKED,
            PARK.reason,
            later(1),
        )
        await take(store, pair_id, Step(ends_pair=True))
        assert not await store.park(pair_id, PARK, **deed, now=later(3))

    async def test_the_trail_tells_who_did_what_to_what_and_why_newest_first(
        self, store: Store
    ) -> None:
        one = await a_pair(store)
        other = await a_pair(store, a_whole_read(a_ticket("T2")), link="other")
        await store.park(one, PARK, actor="cli:mia", reason="two customers", now=later(1))
        await store.park(other, PARK, actor="cli:mia", reason="", now=later(2))
        await store.unpark(one, actor="cli:tom", reason="was one", now=later(3))
        await store.pause_link(LINK, actor="cli:tom", reason="a move", now=later(4))
        rows = [
            DeedRow(
                at=later(4),
                actor="cli:tom",
                verb="pause",
                subject=f"link {LINK}",
                reason="a move",
                link=LINK,
                pair_id=None,
            ),
            DeedRow(
                at=later(3),
                actor="cli:tom",
                verb="retry",
                subject=f"pair {one}",
                reason="was one",
                link=LINK,
                pair_id=one,
            ),
        ]
        assert (await store.deeds(limit=2)) == rows
        assert [deed.verb for deed in await store.deeds(link=LINK)] == ["pause", "retry", "park"]
        assert [deed.verb for deed in await store.deeds(pair_id=one)] == ["retry", "park"]

    # --- refused statuses ------------------------------------------------------------------------

    async def test_a_refused_status_is_told_with_its_pair_and_survives(self, store: Store) -> None:
        pair_id = await a_refused_status(store)
        await a_twinned_pair(store, a_whole_read(a_ticket("T2")), partner_ticket="9002")
        (row,) = await store.refused()
        assert (row.pair_id, row.link, row.side) == (pair_id, LINK, Side.PARTNER)
        assert row.tickets == {Side.PLATFORM: "T1", Side.PARTNER: "9001"}
        assert row.refused == REFUSED
        assert await store.refused(link=LinkName("other")) == []
        run = await load(store, pair_id)
        assert run.base.status is not None
        assert run.base.status.refused == {Side.PARTNER: REFUSED}

    async def test_another_try_may_be_asked_for_while_the_pair_goes_on(self, store: Store) -> None:
        pair_id = await a_refused_status(store)
        before = await load(store, pair_id)
        assert await store.unpark(pair_id, actor="ops", now=later(5))
        after = await load(store, pair_id)
        assert after.pair.is_dirty
        assert after.pair.revision > before.pair.revision, "whoever planned from it must look again"
        (row,) = await store.refused()
        assert row.refused.is_due
        assert not await store.unpark(PairId(4711), actor="ops", now=later(5))

    async def test_a_change_of_any_kind_marks_a_pair_whose_status_waits(self, store: Store) -> None:
        pair_id = await a_refused_status(store)
        same, moved = (
            a_sighting(a_ticket("9001", status="open", fields_as_of=as_of)) for as_of in (50, 51)
        )
        assert await see_partner(store, same) == frozenset()
        assert await see_partner(store, moved) == {pair_id}

    async def test_an_ended_pairs_refused_status_is_nobodys_concern(self, store: Store) -> None:
        pair_id = await a_refused_status(store)
        await take(store, pair_id, Step(ends_pair=True))
        assert await store.refused() == []


REFUSED = RefusedStatus(status="solved", as_of=50, since=40, lacks=("Root cause", "Grund"))


async def a_refused_status(store: Store) -> PairId:
    """A clean pair whose partner does not take its status."""
    status = replace(a_status_base(), refused={Side.PARTNER: REFUSED})
    return await a_twinned_pair(store, base=a_base(status=status))
