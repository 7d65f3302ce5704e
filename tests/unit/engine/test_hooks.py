"""A watch over one webhook: when it looks, what it mends, what it says."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from syncd.core.errors import Rejected, RemoteError, Unreachable
from syncd.core.hook import MENDABLE, HookFault, HookView
from syncd.engine.health import Health
from syncd.engine.hooks import DOUBT_SECONDS, SOUND_SECONDS, HookState, HookWatch
from syncd.engine.missed import GRACE_SECONDS, SETTLING_SECONDS, Missed
from syncd.log import configure
from syncd.store import SqliteStore, open_store
from tests.support.build import PLATFORM
from tests.support.clock import FakeClock
from tests.unit.engine.test_missed import T1, seen

OURS = "https://syncd.example.com/webhooks/heroku"
ABOUT: Any = {"connection": PLATFORM, "action": "look"}


class Desk:
    """A desk whose webhook has the faults that a test gives it, until they are mended."""

    def __init__(self) -> None:
        self.faults: tuple[HookFault, ...] = ()
        self.error: RemoteError | None = None
        self.refusal: RemoteError | None = None
        #: Shown only to whoever doubts.
        self.is_secret_wrong = False
        self.has_secret = True
        self.looks: list[tuple[bool, float]] = []
        self.mended: list[tuple[HookFault, ...]] = []

    async def look(
        self, endpoint: str, *, is_doubted: bool = False, within_seconds: float = 0.0
    ) -> HookView:
        self.looks.append((is_doubted, within_seconds))
        if self.error is not None:
            raise self.error
        wrong = (HookFault.WRONG_SECRET,) if is_doubted and self.is_secret_wrong else ()
        return HookView(endpoint=endpoint, hook_id="1", faults=self.faults + wrong)

    async def mend(self, view: HookView, *, may_move: bool = False) -> None:
        assert not may_move, "only a person may take another installation's"
        if self.refusal is not None:
            raise self.refusal
        self.mended.append(view.faults)
        self.faults = tuple(f for f in self.faults if f not in MENDABLE)
        self.is_secret_wrong = False

    async def reveal(self, view: HookView) -> str | None:
        raise AssertionError(view)


class Scene:
    """A watch on a store of its own, with a log."""

    def __init__(self, store: SqliteStore, *, is_managed: bool) -> None:
        self.clock = FakeClock(is_manual=True)
        self.desk = Desk()
        self.health = Health(self.clock.now)
        self.missed = Missed(self.clock)
        self.log = io.StringIO()
        configure(form="json", level="debug", stream=self.log)
        self.store = store
        self.watch = HookWatch(
            PLATFORM,
            self.desk,
            endpoint=OURS,
            is_managed=is_managed,
            store=store,
            missed=self.missed,
            clock=self.clock,
            health=self.health,
        )

    async def pass_time(self, seconds: float, step: float = 5.0) -> None:
        for _ in range(int(seconds // step)):
            self.clock.advance(step)
            await self.watch.tick()

    async def miss(self) -> None:
        """Have a poll find what nobody announces."""
        self.missed.found(PLATFORM, {T1}, [seen(5)])
        self.clock.advance(GRACE_SECONDS)
        await self.watch.tick()

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == name]


@contextlib.asynccontextmanager
async def a_scene(folder: Path, *, is_managed: bool = True) -> AsyncIterator[Scene]:
    store = open_store(folder / "syncd.db", is_durable=False)
    try:
        scene = Scene(store, is_managed=is_managed)
        scene.missed.walked(PLATFORM)
        scene.clock.advance(SETTLING_SECONDS)
        yield scene
    finally:
        structlog.reset_defaults()
        await store.close()


# --- when it looks -------------------------------------------------------------------------------


async def test_a_sound_webhook_is_looked_at_once_an_hour(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        assert not scene.watch.is_sound
        await scene.watch.tick()
        assert scene.watch.is_sound
        await scene.pass_time(SOUND_SECONDS - 5)
        assert len(scene.desk.looks) == 1
        await scene.pass_time(5)
        assert len(scene.desk.looks) == 2
        assert scene.desk.mended == []


async def test_deliveries_from_before_the_start_are_not_judged(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        await scene.pass_time(SOUND_SECONDS)
        assert [within for _, within in scene.desk.looks] == [SETTLING_SECONDS, 900.0]


async def test_a_change_that_nobody_announced_is_looked_into_at_once(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        await scene.miss()
        assert len(scene.desk.looks) == 2
        assert scene.watch.is_sound
        assert scene.watch.report().missed == 1
        (told,) = scene.events("webhook.missed")
        assert told["changes"] == 1


async def test_after_a_miss_polling_is_not_relaxed_before_something_is_delivered(
    tmp_path: Path,
) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        assert scene.watch.is_trusted
        await scene.miss()
        assert (scene.watch.is_sound, scene.watch.is_trusted) == (True, False)
        scene.watch.accepted()
        assert scene.watch.is_trusted


async def test_one_loss_after_another_does_not_make_one_look_after_another(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        for _ in range(20):
            await scene.miss()
        # Twenty minutes: one look at the first of them, then one in five minutes.
        assert len(scene.desk.looks) <= 2 + 20 * GRACE_SECONDS / DOUBT_SECONDS
        assert scene.watch.report().missed == 20


@pytest.mark.parametrize(("refused", "looks"), [(2, 1), (3, 2)])
async def test_wrong_signatures_in_a_row_raise_a_doubt(
    tmp_path: Path, refused: int, looks: int
) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        for _ in range(refused):
            scene.watch.refused()
        await scene.pass_time(5)
        assert [is_doubted for is_doubted, _ in scene.desk.looks] == [False, True][:looks]


async def test_a_good_delivery_between_them_makes_a_strangers_knock_of_wrong_ones(
    tmp_path: Path,
) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        for _ in range(10):
            scene.watch.refused()
            scene.watch.refused()
            scene.watch.accepted()
        await scene.pass_time(60)
        assert len(scene.desk.looks) == 1


async def test_a_stranger_who_knocks_for_an_hour_costs_few_looks(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        for _ in range(720):
            scene.watch.refused()
            await scene.pass_time(5)
        assert len(scene.desk.looks) <= 2 + 3600 / DOUBT_SECONDS
        assert scene.watch.report().state is HookState.SOUND


async def test_a_broken_one_is_looked_at_every_few_minutes(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.desk.faults = (HookFault.FAILING,)
        await scene.watch.tick()
        await scene.pass_time(DOUBT_SECONDS)
        assert len(scene.desk.looks) == 2


async def test_one_that_may_not_be_looked_at_is_asked_about_hourly(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.desk.faults = (HookFault.UNREADABLE,)
        await scene.watch.tick()
        await scene.pass_time(SOUND_SECONDS - 5)
        assert len(scene.desk.looks) == 1
        assert not scene.watch.is_sound
        assert scene.watch.report().state is HookState.UNSEEN
        assert scene.events("webhook.broken") == []
        (told,) = scene.events("webhook.unseen")
        assert told["reason"] == "unreadable"


async def test_a_desk_that_does_not_answer_is_asked_again_and_accused_of_nothing(
    tmp_path: Path,
) -> None:
    async with a_scene(tmp_path) as scene:
        scene.desk.error = Unreachable("no answer", **ABOUT)
        await scene.watch.tick()
        assert scene.watch.report().state is HookState.UNSEEN
        assert scene.events("webhook.broken") == []
        assert scene.health.report() == {}
        scene.desk.error = None
        await scene.pass_time(DOUBT_SECONDS)
        assert scene.watch.is_sound


# --- what it mends and says ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", sorted(MENDABLE))
async def test_a_managed_one_is_mended_and_that_is_said(tmp_path: Path, fault: HookFault) -> None:
    async with a_scene(tmp_path) as scene:
        scene.desk.faults = (fault,)
        await scene.watch.tick()
        assert scene.desk.mended == [(fault,)]
        assert scene.watch.is_sound
        (told,) = scene.events("webhook.mended")
        assert told["faults"] == [fault.value]
        assert scene.events("webhook.broken") == []


async def test_any_other_is_left_as_it_is_and_told_of_once_with_a_hint(tmp_path: Path) -> None:
    async with a_scene(tmp_path, is_managed=False) as scene:
        scene.desk.faults = (HookFault.DISABLED,)
        await scene.watch.tick()
        await scene.pass_time(3 * DOUBT_SECONDS)
        assert scene.desk.mended == []
        (told,) = scene.events("webhook.broken")
        assert (told["faults"], told["level"]) == (["disabled"], "warning")
        assert "syncd webhooks ensure" in told["hint"]
        assert not scene.watch.is_sound
        scene.desk.faults = ()
        await scene.pass_time(DOUBT_SECONDS)
        assert len(scene.events("webhook.sound")) == 1
        assert scene.watch.is_sound


async def test_a_wrong_secret_is_sent_again_where_it_is_managed(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        await scene.watch.tick()
        scene.desk.is_secret_wrong = True
        for _ in range(3):
            scene.watch.refused()
        await scene.pass_time(5)
        assert scene.desk.mended == [(HookFault.WRONG_SECRET,)]
        assert scene.watch.is_sound


async def test_a_wrong_secret_stays_a_fault_until_a_delivery_is_good(tmp_path: Path) -> None:
    async with a_scene(tmp_path, is_managed=False) as scene:
        await scene.watch.tick()
        scene.desk.is_secret_wrong = True
        for _ in range(3):
            scene.watch.refused()
        await scene.pass_time(2 * DOUBT_SECONDS)
        assert scene.watch.report().faults == (HookFault.WRONG_SECRET,)
        scene.watch.accepted()
        await scene.pass_time(DOUBT_SECONDS)
        assert scene.watch.is_sound


async def test_what_cannot_be_mended_is_said_with_the_desks_reason(tmp_path: Path) -> None:
    async with a_scene(tmp_path) as scene:
        scene.desk.faults = (HookFault.MISSING,)
        scene.desk.refusal = Rejected("refused", hint="Ten are the most.", **ABOUT)
        await scene.watch.tick()
        (told,) = scene.events("webhook.unmended")
        assert told["hint"] == "Ten are the most."
        assert scene.watch.report().faults == (HookFault.MISSING,)


@pytest.mark.parametrize(
    ("is_managed", "has_secret", "is_ready"),
    [(True, True, True), (True, False, False), (False, False, True)],
)
async def test_deliveries_wait_only_for_a_secret_that_is_still_to_be_fetched(
    tmp_path: Path, is_managed: bool, has_secret: bool, is_ready: bool
) -> None:
    async with a_scene(tmp_path, is_managed=is_managed) as scene:
        scene.desk.has_secret = has_secret
        assert scene.watch.is_ready is is_ready


async def test_its_condition_outlives_the_process(tmp_path: Path) -> None:
    async with a_scene(tmp_path, is_managed=False) as scene:
        await scene.watch.tick()
        began = scene.clock.now()
        await scene.miss()
        scene.desk.faults = (HookFault.FAILING,)
        await scene.pass_time(SOUND_SECONDS)
        await scene.miss()
        (summary,) = await scene.store.webhooks()
        assert (summary.connection, summary.state) == (PLATFORM, "broken")
        assert summary.faults == ("failing",)
        assert summary.missed_count == 2
        assert summary.since > began
        assert summary.missed_at == scene.clock.now()
