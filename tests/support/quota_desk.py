"""A desk's quotas in virtual time, as fixed windows, a sliding log or a leaking bucket.

Several parties draw on one account; each has its counts. The desk rounds the seconds that it tells
one way or the other, and its answers take a while.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from syncd.ports import Reading
from tests.support.clock import FakeClock

MINUTE = 60.0
Rounding = Callable[[float], float]
ROUNDINGS: Mapping[str, Rounding] = {"up": math.ceil, "down": math.floor, "not": float}


class Meter(Protocol):
    """How a desk counts one bucket."""

    limit: int

    def take(self, now: float) -> bool:
        """Count one request; False when it is refused, which counts nothing."""
        ...

    def remaining(self, now: float) -> int: ...

    def reset_seconds(self, now: float) -> float: ...


@dataclass(kw_only=True)
class FixedWindows:
    """As Zendesk documents it: so many requests in each window, however they come."""

    limit: int
    began: float = 0.0
    length: float = MINUTE
    used: Counter[int] = field(default_factory=Counter)

    def window(self, now: float) -> int:
        return math.floor((now - self.began) / self.length)

    def take(self, now: float) -> bool:
        if self.remaining(now) <= 0:
            return False
        self.used[self.window(now)] += 1
        return True

    def remaining(self, now: float) -> int:
        return self.limit - self.used[self.window(now)]

    def reset_seconds(self, now: float) -> float:
        return self.began + (self.window(now) + 1) * self.length - now


@dataclass(kw_only=True)
class SlidingLog:
    """So many requests in any minute; the reset is when the oldest of them is forgotten."""

    limit: int
    log: list[float] = field(default_factory=list)

    def take(self, now: float) -> bool:
        if self.remaining(now) <= 0:
            return False
        self.log.append(now)
        return True

    def remaining(self, now: float) -> int:
        self.log = [at for at in self.log if at > now - MINUTE]
        return self.limit - len(self.log)

    def reset_seconds(self, now: float) -> float:
        return self.log[0] + MINUTE - now if self.log else MINUTE


@dataclass(kw_only=True)
class LeakingBucket:
    """Room comes back evenly; the reset is when the bucket is empty again."""

    limit: int
    level: float = 0.0
    at: float = 0.0

    def _leak(self, now: float) -> None:
        self.level = max(0.0, self.level - (now - self.at) * self.limit / MINUTE)
        self.at = now

    def take(self, now: float) -> bool:
        if self.remaining(now) <= 0:
            return False
        self.level += 1
        return True

    def remaining(self, now: float) -> int:
        self._leak(now)
        return math.floor(self.limit - self.level + 1e-9)

    def reset_seconds(self, now: float) -> float:
        self._leak(now)
        return self.level * MINUTE / self.limit


@dataclass(kw_only=True)
class QuotaDesk:
    """An account; `meters` by bucket. Every request of anybody counts in the buckets it names."""

    clock: FakeClock
    meters: Mapping[str, Meter]
    rounding: Rounding = math.ceil
    latency_seconds: float = 0.05
    #: Moments of the requests that were let in, and of those refused, by party.
    taken: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, list[float]] = field(default_factory=dict)
    #: Before which each bucket said that it wants nothing, as we were told.
    until: dict[str, float] = field(default_factory=dict)
    #: Requests of ours that came before the time that they had been told.
    early: int = 0

    def take(self, party: str, buckets: Sequence[str]) -> tuple[str, ...]:
        """One request arrives; the buckets that are spent, for which it is refused."""
        now = self.clock.monotonic()
        spent = tuple(name for name in buckets if self.meters[name].remaining(now) <= 0)
        if not spent:
            for name in buckets:
                self.meters[name].take(now)
        log = self.refused if spent else self.taken
        log.setdefault(party, []).append(now)
        return spent

    async def answer(self, party: str, buckets: Sequence[str]) -> tuple[list[Reading], Refused]:
        """The same as a client sees it: some time later, with the figures of all buckets."""
        sent = self.clock.monotonic()
        self.early += sum(sent < self.until.get(name, 0.0) for name in buckets)
        await self.clock.sleep(self.latency_seconds / 2)
        now = self.clock.monotonic()
        spent = self.take(party, buckets)
        readings = [self._reading(name, now) for name in buckets]
        wait = max((self.meters[name].reset_seconds(now) for name in spent), default=0.0)
        told = math.ceil(wait)
        await self.clock.sleep(self.latency_seconds / 2)
        for name in spent:
            self.until[name] = now + told
        return readings, Refused(buckets=spent, retry_after=told)

    def _reading(self, name: str, now: float) -> Reading:
        meter = self.meters[name]
        return Reading(
            bucket=name,
            limit=meter.limit,
            remaining=max(0, meter.remaining(now)),
            reset_seconds=max(0.0, self.rounding(meter.reset_seconds(now))),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """What a 429 says; without buckets there was none."""

    buckets: tuple[str, ...]
    retry_after: float
