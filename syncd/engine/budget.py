"""Spend an account's request quotas: our share of each, live work first, never what others need.

Windows follow the desk's own figures. In each window we use at most our share of the limit, and
nothing at all once the desk says that nothing is left, whoever used it up. A quota that the desk
does not publish is spaced out evenly. Less urgent work stops before the share is spent, so that a
change that comes up meanwhile need not wait for the next window.
The ledger holds one small record for each bucket and one for each waiting request.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from syncd.ports import PRIORITY, Clock, Paused, Priority, Reading
from syncd.settings import BudgetShare

WINDOW_SECONDS = 60.0
#: Whoever stands longer forgets what the world looked like: its lease would run out.
LONGEST_STAND_SECONDS = 60.0
#: Buckets that a desk may name; more are not remembered.
MOST_BUCKETS = 64
#: Desks tell whole seconds, and answers take a while.
_ROUNDING_SECONDS = 1.5
#: The part of our share that each kind of work may use in a window.
_REACH = {Priority.LIVE: 1.0, Priority.REPAIR: 0.9, Priority.BACKFILL: 0.75}


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketFigures:
    """One bucket, for status and metrics."""

    bucket: str
    #: Of the whole account, per window.
    limit: int
    #: Of it, what we may use.
    ours: int
    #: What we used in the present window.
    used: int
    #: What the desk last said is left for all; None while it has said nothing in this window.
    left: int | None
    #: Until nothing is sent any more because the desk asked; 0 when it did not.
    paused_seconds: float
    #: How often the desk refused us for this bucket.
    refused_count: int


@dataclass(slots=True)
class _Bucket:
    """A quota of the account, in the window that it is in now."""

    limit: int
    ends_at: float
    #: The desk itself said when the window ends; else it is a guess of ours.
    is_told: bool = False
    #: Never published by the desk: spaced out instead of counted by window.
    is_assumed: bool = False
    #: Our own requests in this window.
    used: int = 0
    #: What is left for all, our requests since then taken off; None while nobody said.
    left: int | None = None
    next_at: float = 0.0
    paused_until: float = 0.0
    refused_count: int = 0

    def roll(self, now: float) -> None:
        """Begin a new window when the present one is over."""
        if now >= self.ends_at:
            self.used, self.left = 0, None
            self.ends_at, self.is_told = now + WINDOW_SECONDS, False

    def ours(self, share: float) -> int:
        """Requests per window that are ours; always one, or nothing would ever be done."""
        return max(1, math.floor(self.limit * share))

    def wait_seconds(self, now: float, share: float, priority: Priority) -> float:
        """How long until one more request may count here; 0 for now."""
        waits = [self.paused_until - now]
        reach = max(1, math.floor(self.ours(share) * _REACH[priority]))
        # What less urgent work leaves is left to other processes of ours as well: a daemon beside
        # a backfill spends what only the desk sees.
        kept = self.ours(share) - reach
        if self.is_assumed:
            waits.append(self.next_at - now)
        elif self.used >= reach or (self.left is not None and self.left <= kept):
            waits.append(self.ends_at - now)
        return max(0.0, *waits)

    def take(self, now: float, share: float) -> None:
        """Count one request."""
        self.used += 1
        if self.left is not None:
            self.left -= 1
        if self.is_assumed:
            self.next_at = now + WINDOW_SECONDS / self.ours(share)

    def observe(self, reading: Reading, now: float) -> None:
        """Take over what the desk says, unless it speaks of a window that is over."""
        ends_at = now + reading.reset_seconds
        if self.is_told and ends_at < self.ends_at - _ROUNDING_SECONDS:
            # An answer that was overtaken on its way.
            return
        if self.is_told and ends_at <= self.ends_at + _ROUNDING_SECONDS:
            # In one window the figure only falls; requests on their way are not in it yet.
            known = reading.remaining if self.left is None else self.left
            self.left = min(known, reading.remaining)
            self.ends_at = min(self.ends_at, ends_at)
        else:
            if self.is_told:
                # The desk began a new window before we thought so; at most this is ours of it.
                self.used = min(self.used, max(0, reading.limit - reading.remaining))
            self.left, self.ends_at, self.is_told = reading.remaining, ends_at, True
        self.limit, self.is_assumed = reading.limit, False


@dataclass(slots=True, order=True)
class _Waiter:
    """One request that wants to leave; sorted by urgency, then by when it came."""

    priority: Priority
    number: int
    buckets: tuple[str, ...] = field(compare=False)
    granted: asyncio.Event = field(compare=False, default_factory=asyncio.Event)
    #: Sent away instead, because of a pause of this length.
    paused_seconds: float = field(compare=False, default=0.0)


class BudgetLedger:
    """Implements `syncd.ports.Budget` for one connection in one process."""

    def __init__(self, share: BudgetShare, *, clock: Clock) -> None:
        self._share = share.share
        self._per_minute = share.per_minute
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._waiters: list[_Waiter] = []
        self._numbers = itertools.count()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = math.inf

    async def spend(self, buckets: Sequence[str]) -> None:
        """Wait until one request may leave that counts in all `buckets`, then count it.

        More urgent requests go first, equally urgent ones in the order of their coming; a request
        whose buckets are free never waits for one whose are not. One whose bucket is paused for
        longer than anybody should stand is sent away with `Paused`, now or when the pause comes.
        """
        waiter = _Waiter(PRIORITY.get(), next(self._numbers), tuple(dict.fromkeys(buckets)))
        bisect.insort(self._waiters, waiter)
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
                    ours=bucket.ours(self._share),
                    used=bucket.used,
                    left=bucket.left,
                    paused_seconds=max(0.0, bucket.paused_until - now),
                    refused_count=bucket.refused_count,
                )
            )
        return tuple(shown)

    def _bucket(self, name: str) -> _Bucket:
        found = self._buckets.get(name)
        if found is None:
            ends_at = self._clock.monotonic() + WINDOW_SECONDS
            found = self._buckets[name] = _Bucket(limit=self._per_minute, ends_at=ends_at)
        return found

    def _dispatch(self) -> None:
        """Let go whoever may, most urgent first, and set the alarm for the rest."""
        now = self._clock.monotonic()
        for bucket in self._buckets.values():
            bucket.roll(now)
        soonest = math.inf
        waiting: list[_Waiter] = []
        for waiter in self._waiters:
            buckets = [self._bucket(name) for name in waiter.buckets]
            seconds = max(
                (b.wait_seconds(now, self._share, waiter.priority) for b in buckets), default=0.0
            )
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
                bucket.take(now, self._share)
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
