"""Watches the webhook by which one desk calls us: looks, tells, and mends what it may.

A sound one costs a request or two an hour. It is looked at sooner when there is a doubt: polling
found what nobody announced, or deliveries came with wrong signatures. Polling goes on in any case;
only where the file says so it is relaxed, and only while the webhook is known to be sound.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.core.errors import OutcomeUnknown, Rejected, RemoteError
from syncd.core.hook import HINTS, HookFault, HookView
from syncd.core.model import ConnectionName
from syncd.core.report import WebhookNote
from syncd.engine.controller import wait_or_stop
from syncd.engine.health import Health
from syncd.engine.missed import Missed
from syncd.hook_desk import HookDesk
from syncd.log import logger
from syncd.ports import PRIORITY, Clock, Priority, Store

#: Between two looks at a sound webhook, and at one that is not or that gave cause for doubt.
SOUND_SECONDS = 3600.0
DOUBT_SECONDS = 300.0
#: How often doubts are looked for.
_TICK_SECONDS = 5.0
#: Deliveries of the last quarter of an hour are judged, those from before our start left out.
_RECENT_SECONDS = 900.0
#: Refused deliveries in a row that are no longer a stranger's knock.
_MOST_REFUSED = 3


class HookState(StrEnum):
    """What is known of a webhook from the last look at it."""

    UNSEEN = "unseen"
    SOUND = "sound"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True, slots=True)
class HookReport:
    """A webhook's condition, for health and `syncd status`; `since` is when it began."""

    state: HookState
    faults: tuple[HookFault, ...]
    since: datetime | None
    missed: int


class HookWatch:
    """Looks after one connection's webhook until it is told to stop."""

    def __init__(
        self,
        name: ConnectionName,
        hook: HookDesk,
        *,
        endpoint: str,
        is_managed: bool,
        store: Store,
        missed: Missed,
        clock: Clock,
        health: Health,
    ) -> None:
        self._name = name
        self._hook = hook
        self._endpoint = endpoint
        self._is_managed = is_managed
        self._store = store
        self._missed = missed
        self._clock = clock
        self._health = health
        self._stopping = asyncio.Event()
        self._began = clock.monotonic()
        self._state = HookState.UNSEEN
        self._faults: tuple[HookFault, ...] = ()
        self._since: datetime | None = None
        self._looked: float | None = None
        self._was_doubted = False
        self._refused = 0
        self._missed_before = 0
        self._is_missing_news = False
        #: Something was missed, and nothing was delivered since.
        self._is_distrusted = False
        missed.expect(name)

    @property
    def name(self) -> ConnectionName:
        return self._name

    @property
    def is_ready(self) -> bool:
        """Whether deliveries can be judged; before, they are asked to come again."""
        return self._hook.has_secret or not self._is_managed

    @property
    def is_sound(self) -> bool:
        """Whether the desk showed no fault, and nothing since then gave cause for doubt."""
        return self._state is HookState.SOUND and not self._is_doubted

    @property
    def is_trusted(self) -> bool:
        """Whether polling may be relaxed: it is sound, and after a miss something was delivered."""
        return self.is_sound and not self._is_distrusted

    @property
    def _is_doubted(self) -> bool:
        return self._is_missing_news or self._refused >= _MOST_REFUSED

    def report(self) -> HookReport:
        """Its condition now."""
        missed = self._missed.settle(self._name)
        return HookReport(state=self._state, faults=self._faults, since=self._since, missed=missed)

    def accepted(self) -> None:
        """A delivery was signed as it should be."""
        self._refused = 0
        self._is_distrusted = False

    def refused(self) -> None:
        """A delivery was not signed by whoever knows the secret, or not just now."""
        self._refused += 1

    def stop(self) -> None:
        """End after the look in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Look, wait, look again. Raises `StoreUnavailable`; a desk's error only delays."""
        PRIORITY.set(Priority.REPAIR)
        while not self._stopping.is_set():
            await self.tick()
            await wait_or_stop(self._clock, self._stopping, _TICK_SECONDS)

    async def tick(self) -> None:
        """Count what was missed, and look where it is time. Raises `StoreUnavailable`."""
        await self._count()
        if self._is_due():
            await self.look()

    def _is_due(self) -> bool:
        if self._looked is None:
            return True
        passed = self._clock.monotonic() - self._looked
        if passed >= SOUND_SECONDS:
            return True
        # The first doubt is looked into at once, further ones not all the time.
        if self._is_doubted and not self._was_doubted:
            return True
        is_quiet = self.is_sound or self._faults == (HookFault.UNREADABLE,)
        return passed >= DOUBT_SECONDS and not is_quiet

    async def look(self) -> None:
        """One look with its consequences. Raises `StoreUnavailable`; a desk's error only delays."""
        self._was_doubted = self._is_doubted
        now = self._clock.monotonic()
        self._looked = now
        try:
            view = await self._hook.look(
                self._endpoint,
                is_doubted=self._refused >= _MOST_REFUSED,
                within_seconds=min(now - self._began, _RECENT_SECONDS),
            )
            if self._is_managed:
                view = await self._mended(view)
        except RemoteError as error:
            # Whether the desk answers at all is the poller's to tell.
            logger().debug("webhook.unseen", connection=self._name, reason=type(error).__name__)
            return
        if HookFault.WRONG_SECRET not in view.faults:
            # The secret is right: whoever knocked is a stranger.
            self._refused = 0
        self._is_missing_news = False
        self._tell(view)
        await self._keep()

    async def _mended(self, view: HookView) -> HookView:
        is_secret_sent = HookFault.WRONG_SECRET in view.faults
        if not view.mendable and not is_secret_sent:
            return view
        try:
            await self._hook.mend(view)
        except (Rejected, OutcomeUnknown) as error:
            logger().warning(
                "webhook.unmended",
                connection=self._name,
                faults=_words(view.faults),
                reason=type(error).__name__,
                hint=error.hint,
            )
            return view
        after = await self._hook.look(self._endpoint)
        if is_secret_sent and HookFault.WRONG_SECRET not in after.faults:
            self._refused = 0
        gone = tuple(fault for fault in view.faults if fault not in after.faults)
        if gone:
            self._health.counts["webhook.mended"] += 1
            logger().info("webhook.mended", connection=self._name, faults=_words(gone))
        return after

    def _tell(self, view: HookView) -> None:
        state = HookState.SOUND if view.is_sound else HookState.BROKEN
        if HookFault.UNREADABLE in view.faults:
            # It may well be sound: nobody knows.
            state = HookState.UNSEEN
        if (state, view.faults) == (self._state, self._faults):
            return
        was_broken = self._state is HookState.BROKEN
        self._state, self._faults, self._since = state, view.faults, self._clock.now()
        if state is HookState.SOUND:
            if was_broken:
                logger().info("webhook.sound", connection=self._name)
            return
        if state is HookState.UNSEEN:
            hint = HINTS[HookFault.UNREADABLE]
            logger().info("webhook.unseen", connection=self._name, reason="unreadable", hint=hint)
            return
        logger().warning(
            "webhook.broken",
            connection=self._name,
            faults=_words(view.faults),
            status=view.failed_status,
            hint=" ".join(HINTS[fault] for fault in view.faults),
        )

    async def _count(self) -> None:
        """Take note of changes that nobody announced."""
        missed = self._missed.settle(self._name)
        new = missed - self._missed_before
        if new <= 0:
            return
        self._missed_before = missed
        self._is_missing_news = self._is_distrusted = True
        self._health.counts["webhook.missed"] += new
        logger().warning("webhook.missed", connection=self._name, changes=new)
        await self._keep(missed=new)

    async def _keep(self, *, missed: int = 0) -> None:
        note = WebhookNote(
            connection=self._name,
            state=self._state.value,
            faults=tuple(_words(self._faults)),
            missed=missed,
            seen_at=self._clock.now(),
        )
        await self._store.note_webhook(note)


def _words(faults: tuple[HookFault, ...]) -> list[str]:
    return [fault.value for fault in faults]
