"""Time as a desk in miniature lives it: an injected clock and one scale.

The scale shortens how long things last (quota windows, the withheld minute, pauses between webhook
attempts). It never touches the stamps: a desk's whole seconds stay whole seconds of the clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxTime:
    """A clock in Unix seconds, a way to sleep, and the factor by which durations shrink."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError(f"time scale must be at least 1, not {self.scale}")

    def shrunk(self, seconds: float) -> float:
        """How long `seconds` of the vendor's last here."""
        return seconds / self.scale

    def now_at(self) -> datetime:
        """The clock's reading, aware, UTC."""
        return datetime.fromtimestamp(self.now(), UTC)
