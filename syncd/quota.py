"""The right to send requests, as a port: who goes first, what headers say, and whom to ask.

`syncd.ports` hands all of it on; the engine's budget is the one that keeps count.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol


class Priority(IntEnum):
    """Who goes first when a quota is short: lower goes first."""

    LIVE = 0
    REPAIR = 1
    BACKFILL = 2


#: The priority under which the current task spends; set by the engine, read by the connectors'
#: HTTP client.
PRIORITY: ContextVar[Priority] = ContextVar("PRIORITY", default=Priority.LIVE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a desk's headers say of one bucket; `reset_seconds` until its window ends."""

    bucket: str
    limit: int
    remaining: int
    reset_seconds: float


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


class Paused(Exception):
    """A desk asked to keep off for longer than a request should wait; nothing was sent."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"for {seconds:.0f} s")
        self.seconds = seconds


class Budget(Protocol):
    """The right to send requests over one connection; every bucket the desk publishes, and our
    share of it.
    """

    async def spend(self, buckets: Sequence[str]) -> None:
        """Wait until one request may leave that counts in all `buckets`, then count it.

        By `PRIORITY`. Raises `Paused` where a pause is longer than a minute.
        """
        ...

    def assume(self, bucket: str, *, per_minute: int) -> None:
        """Name a quota that the desk may not publish: until it does, space it out."""
        ...

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take a desk's own figures into account."""
        ...

    def pause(self, bucket: str, seconds: float) -> None:
        """Send nothing in `bucket` before `seconds` have passed (a 429's Retry-After)."""
        ...
