"""What a Store keeps so that people are told once, and nobody is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.core.agreed import HandOff, HandOffState
from syncd.core.alarm import AlarmChanges, AlarmKind, Cause, Condition, Told
from syncd.core.mass_change import MASS_CHANGE
from syncd.core.model import Ball, CommentId, LinkName, PairId
from syncd.core.work import Park, Step
from syncd.ports import Store
from tests.contract.store_story import a_pair, a_twinned_pair, take
from tests.support.build import (
    AT,
    LINK,
    PARTNER,
    a_base,
    a_comment,
    a_ticket,
    a_whole_read,
    later,
)

DOWN = Condition(
    cause=Cause(kind=AlarmKind.CONNECTION_DOWN, connection=PARTNER), since=AT, reason="Unreachable"
)
PARKED = Condition(
    cause=Cause(kind=AlarmKind.PAIRS_PARKED, link=LINK),
    since=later(60),
    count=3,
    pairs=(PairId(1), PairId(2)),
)


class StoreAlarmSuite:
    async def test_an_untroubled_store_shows_nothing(self, store: Store) -> None:
        await a_twinned_pair(store)
        assert list(await store.signs()) == []
        assert list(await store.alarms()) == []

    @pytest.mark.parametrize(
        ("reason", "kind"),
        [
            ("leak", AlarmKind.LEAK),
            (MASS_CHANGE, AlarmKind.MASS_CHANGE),
            ("else", AlarmKind.LINK_STOPPED),
        ],
    )
    async def test_a_stopped_link_shows_what_it_was_stopped_for(
        self, store: Store, reason: str, kind: AlarmKind
    ) -> None:
        await store.park_link(LINK, Park(reason=reason, hint="a desk's own words"), now=AT)
        (sign,) = await store.signs()
        assert (sign.cause, sign.since) == (Cause(kind=kind, link=LINK), AT)
        assert "words" not in sign.reason

    async def test_parked_pairs_are_counted_by_link_and_reason(self, store: Store) -> None:
        park = Park(reason="refused", hint="the desk's own words")
        ids = []
        for number in range(7):
            pair_id = await a_pair(store, a_whole_read(a_ticket(f"T{number}")))
            await take(store, pair_id, Step(park=park), now=later(number))
            ids.append(pair_id)
        (sign,) = await store.signs()
        assert (sign.cause.kind, sign.cause.link) == (AlarmKind.PAIRS_PARKED, LINK)
        assert (sign.count, sign.since, sign.reason) == (7, AT, "refused")
        assert sign.pairs == tuple(ids[:5])

    async def test_a_pair_that_a_person_parked_alarms_nobody(self, store: Store) -> None:
        pair_id = await a_pair(store)
        park = Park(reason="by_hand", hint="theirs")
        assert await store.park(pair_id, park, actor="cli:ada", reason="theirs", now=AT)
        assert list(await store.signs()) == []

    async def test_an_offered_hand_off_shows_since_we_saw_it(self, store: Store) -> None:
        pair_id = await a_twinned_pair(store)
        offered = HandOff(
            state=HandOffState.OFFERED,
            comment_id=CommentId("c1"),
            offered_at=later(-7200),
            seen_at=later(30),
        )
        await take(store, pair_id, Step(base=a_base(hand_off=offered)))
        (sign,) = await store.signs()
        assert sign.cause == Cause(kind=AlarmKind.HAND_OFF_LATE, link=LINK)
        assert (sign.since, sign.pairs) == (later(30), (pair_id,))
        handed = HandOff(state=HandOffState.HANDED, seen_at=later(30))
        await take(store, pair_id, Step(base=a_base(hand_off=handed)))
        assert list(await store.signs()) == []

    async def test_a_waiting_customer_and_a_ticket_with_the_platform_lie(
        self, store: Store
    ) -> None:
        asked = a_whole_read(a_ticket("T1"), a_comment("1", at=later(-60)))
        waiting = await a_twinned_pair(store, asked, partner_ticket="9001")
        handed = await a_twinned_pair(store, a_whole_read(a_ticket("T2")), partner_ticket="9002")
        away = a_base(hand_off=HandOff(state=HandOffState.HANDED, turn=1))
        await take(store, handed, Step(base=away, ball=Ball.PLATFORM), now=later(5))
        found = {sign.pairs: sign for sign in await store.lying_signs()}
        assert set(found) == {(waiting,), (handed,)}
        assert all(each.cause.kind is AlarmKind.TICKETS_STALE for each in found.values())
        assert found[waiting,].since == later(-60), "by the platform's time"
        assert found[handed,].since == later(5)

    async def test_an_alarm_is_on_record_until_it_is_over_and_after(self, store: Store) -> None:
        await store.note_alarms(AlarmChanges(begun=(PARKED, DOWN)), now=later(90))
        down, parked = await store.alarms()
        assert (down.condition, parked.condition) == (DOWN, PARKED)
        assert (down.over_at, dict(down.told)) == (None, {})
        more = Condition(cause=PARKED.cause, since=AT, count=9, pairs=(), reason="bug")
        changes = AlarmChanges(moved={parked.alarm_id: more}, over=(down.alarm_id,))
        await store.note_alarms(changes, now=later(100))
        found = {alarm.alarm_id: alarm for alarm in await store.alarms()}
        assert found[parked.alarm_id].condition == more
        assert found[down.alarm_id].over_at == later(100)
        assert [each.alarm_id for each in await store.alarms(has_over=False)] == [parked.alarm_id]

    async def test_whom_it_concerns_is_on_record_before_they_are_told(self, store: Store) -> None:
        await store.note_alarms(AlarmChanges(begun=(DOWN,)), now=AT)
        (alarm,) = await store.alarms()
        wanted = [(alarm.alarm_id, "ops"), (alarm.alarm_id, "chat")]
        await store.address_alarms(wanted, routes=["ops", "chat"], now=AT)
        await store.note_told("ops", {alarm.alarm_id: Told(count=1)}, now=later(3))
        (alarm,) = await store.alarms()
        assert alarm.told == {"ops": Told(told_at=later(3), count=1), "chat": Told()}
        # Once more changes nothing of what they know.
        await store.address_alarms(wanted, routes=["ops", "chat"], now=AT)
        assert (await store.alarms())[0].told["ops"].told_at == later(3)
        over = {alarm.alarm_id: Told(count=2, is_over=True)}
        await store.note_told("ops", over, now=later(9))
        assert (await store.alarms())[0].told["ops"] == Told(
            told_at=later(9), count=2, is_over=True
        )

    async def test_a_route_that_is_gone_is_forgotten(self, store: Store) -> None:
        await store.note_alarms(AlarmChanges(begun=(DOWN,)), now=AT)
        (alarm,) = await store.alarms()
        wanted = [(alarm.alarm_id, "ops"), (alarm.alarm_id, "chat")]
        await store.address_alarms(wanted, routes=["ops", "chat"], now=AT)
        await store.address_alarms([], routes=["chat"], now=AT)
        assert set((await store.alarms())[0].told) == {"chat"}

    async def test_what_has_long_been_over_is_forgotten_and_what_is_on_never(
        self, store: Store
    ) -> None:
        await store.note_alarms(AlarmChanges(begun=(DOWN, PARKED)), now=AT)
        down, parked = await store.alarms()
        await store.address_alarms([(down.alarm_id, "ops")], routes=["ops"], now=AT)
        await store.note_alarms(AlarmChanges(over=(down.alarm_id,)), now=AT)
        month = AT + timedelta(days=30)
        await store.address_alarms([], routes=["ops"], now=month)
        assert len(await store.alarms()) == 2
        await store.address_alarms([], routes=["ops"], now=month + timedelta(seconds=1))
        assert [each.alarm_id for each in await store.alarms()] == [parked.alarm_id]

    async def test_alarms_that_are_over_are_a_thousand_at_most(self, store: Store) -> None:
        some = tuple(
            Condition(
                cause=Cause(kind=AlarmKind.LEAK, link=LinkName(f"l{number}")), since=later(number)
            )
            for number in range(1005)
        )
        await store.note_alarms(AlarmChanges(begun=some), now=AT)
        ids = tuple(each.alarm_id for each in await store.alarms())
        await store.note_alarms(AlarmChanges(over=ids), now=AT)
        await store.address_alarms([], routes=["ops"], now=AT)
        assert {each.alarm_id for each in await store.alarms()} == set(ids[5:])

    async def test_a_daemon_that_did_not_end_in_order_is_noticed_by_the_next(
        self, store: Store
    ) -> None:
        assert await store.begin_life(now=AT) is None
        await store.end_life()
        assert await store.begin_life(now=later(10)) is None
        assert await store.begin_life(now=later(20)) == later(20)
        await store.end_life()
        # A restart within the hour does not make it forgotten.
        assert await store.begin_life(now=later(30)) == later(20)
