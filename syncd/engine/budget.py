"""Spend an account's request quotas: our share of each, live work first, never what others need.

In each window we use at most our share of the limit, and nothing at all once the desk says that
nothing is left, whoever used it up. A quota that the desk does not publish is spaced out evenly.
Less urgent work leaves some of the share to what may come up, less and less as the window runs
out, so that in the end nothing of it is wasted; whoever has waited long is as urgent as anybody.
The ledger holds one small record for each bucket and one for each waiting request.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from syncd.engine.bucket import WINDOW_SECONDS, Bucket
from syncd.ports import PRIORITY, Clock, Paused, Priority, Reading
from syncd.quota import BucketFigures
from syncd.settings import BudgetShare

#: Whoever stands longer forgets what the world looked like: its lease would run out.
LONGEST_STAND_SECONDS = 60.0
#: Buckets that a desk may name; more are not remembered.
MOST_BUCKETS = 64
#: Whoever has waited for so long counts as one degree more urgent, and so on.
AGE_SECONDS = 300.0


@dataclass(slots=True)
class _Waiter:
    """One request that wants to leave."""

    priority: Priority
    #: The order of coming.
    number: int
    since: float
    buckets: tuple[str, ...]
    granted: asyncio.Event = field(default_factory=asyncio.Event)
    #: Sent away instead, because of a pause of this length.
    paused_seconds: float = 0.0

    def urgency(self, now: float) -> Priority:
        """Its priority, raised the longer it waits: whatever else there is, everybody gets away."""
        degrees = int((now - self.since) // AGE_SECONDS)
        return Priority(max(Priority.LIVE, self.priority - degrees))


class BudgetLedger:
    """Implements `syncd.ports.Budget` for one account in one process."""

    def __init__(self, share: BudgetShare, *, clock: Clock) -> None:
        self._share = share.share
        self._per_minute = share.per_minute
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._waiters: list[_Waiter] = []
        self._numbers = itertools.count()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = math.inf

    async def spend(self, buckets: Sequence[str]) -> None:
        """Wait until one request may leave that counts in all `buckets`, then count it.

        More urgent requests go first, equally urgent ones in the order of their coming, and whoever
        has waited long is more urgent; a request whose buckets are free never waits for one whose
        are not. One whose bucket is paused for longer than anybody should stand is sent away with
        `Paused`, now or when the pause comes.
        """
        waiter = _Waiter(
            PRIORITY.get(),
            next(self._numbers),
            self._clock.monotonic(),
            tuple(dict.fromkeys(buckets)),
        )
        self._waiters.append(waiter)
        self._dispatch()
        try:
            await waiter.granted.wait()
        finally:
            if not waiter.granted.is_set():
                self._waiters.remove(waiter)
                self._dispatch()
        if waiter.paused_seconds > 0:
            raise Paused(waiter.paused_seconds)

    def assume(self, bucket: str, *, per_minute: int) -> None:
        """Name a quota that the desk may not publish: until it does, our share is spaced out."""
        found = self._bucket(bucket)
        if not found.is_told:
            found.limit, found.is_assumed = per_minute, True

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take a desk's own figures into account."""
        now = self._clock.monotonic()
        for reading in readings:
            if reading.bucket in self._buckets or len(self._buckets) < MOST_BUCKETS:
                self._bucket(reading.bucket).observe(reading, now)
        self._dispatch()

    def pause(self, bucket: str, seconds: float) -> None:
        """Send nothing in `bucket` before `seconds` have passed; a longer pause stays."""
        if bucket not in self._buckets and len(self._buckets) >= MOST_BUCKETS:
            return
        found = self._bucket(bucket)
        found.refused_count += 1
        found.paused_until = max(found.paused_until, self._clock.monotonic() + seconds)
        self._dispatch()

    def snapshot(self) -> tuple[BucketFigures, ...]:
        """The figures of every bucket known, by name."""
        now = self._clock.monotonic()
        shown = []
        for name, bucket in sorted(self._buckets.items()):
            bucket.roll(now)
            shown.append(
                BucketFigures(
                    bucket=name,
                    limit=bucket.limit,
                    ours=bucket.ours,
                    used=bucket.used,
                    left=bucket.left,
                    paused_seconds=max(0.0, bucket.paused_until - now),
                    refused_count=bucket.refused_count,
                )
            )
        return tuple(shown)

    def standing_seconds(self) -> float:
        """For how long the request that has waited longest does so, or, where the desk has asked
        for a pause, for how long that still lasts; 0 while there is quota for all.
        """
        now = self._clock.monotonic()
        waits = [now - waiter.since for waiter in self._waiters]
        pauses = [bucket.paused_until - now for bucket in self._buckets.values()]
        return max(0.0, *waits, *pauses)

    def report(self) -> dict[str, dict[str, int | float | None]]:
        """The same for /healthz: what was refused is counted since the start."""
        return {
            shown.bucket: {
                "limit": shown.limit,
                "ours": shown.ours,
                "used": shown.used,
                "left": shown.left,
                "paused_seconds": round(shown.paused_seconds, 1),
                "refused": shown.refused_count,
            }
            for shown in self.snapshot()
        }

    def _bucket(self, name: str) -> Bucket:
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = Bucket(
                limit=self._per_minute,
                share=self._share,
                ends_at=self._clock.monotonic() + WINDOW_SECONDS,
            )
        return found

    def _dispatch(self) -> None:
        """Let go whoever may, most urgent first, and set the alarm for the rest."""
        now = self._clock.monotonic()
        for bucket in self._buckets.values():
            bucket.roll(now)
        soonest = math.inf
        waiting: list[_Waiter] = []
        self._waiters.sort(key=lambda waiter: (waiter.urgency(now), waiter.number))
        for waiter in self._waiters:
            buckets = [self._bucket(name) for name in waiter.buckets]
            urgency = waiter.urgency(now)
            seconds = max((b.wait_seconds(now, urgency) for b in buckets), default=0.0)
            paused = max((b.paused_until - now for b in buckets), default=0.0)
            if paused > LONGEST_STAND_SECONDS:
                waiter.paused_seconds = paused
                waiter.granted.set()
                continue
            if seconds > 0:
                soonest = min(soonest, seconds)
                waiting.append(waiter)
                continue
            for bucket in buckets:
                bucket.take(now)
            waiter.granted.set()
        self._waiters = waiting
        self._set_alarm(now + soonest)

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            if self._waiters and self._alarm_at <= at:
                # It rings in time, if early; then it is set again.
                return
            self._alarm.cancel()
            self._alarm = None
        if self._waiters:
            self._alarm_at = at
            self._alarm = asyncio.get_running_loop().create_task(self._ring())

    async def _ring(self) -> None:
        await self._clock.sleep(self._alarm_at - self._clock.monotonic())
        # Not to be cancelled by what follows from it.
        self._alarm = None
        self._dispatch()
