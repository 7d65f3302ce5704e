"""Whether the engine gets on with its work: what a supervisor's watchdog wants to know.

A desk that is away or a quota that is spent is no standstill: runs end then, and come back later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from syncd.ports import Clock

#: The scan for what is due comes every five seconds, and reads the store.
SCAN_PATIENCE_SECONDS = 120.0
#: The longest that a run stands without a step: a job of the desk's, or a file on a slow line.
RUN_PATIENCE_SECONDS = 900.0


class Pulse:
    """Takes the signs of life of one engine."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scanned_at = clock.monotonic()
        self._moved_at = clock.monotonic()
        self._under_way = 0

    def scanned(self) -> None:
        """The store told what is due."""
        self._scanned_at = self._clock.monotonic()

    def moved(self) -> None:
        """A step of some run is durable."""
        self._moved_at = self._clock.monotonic()

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """A run is under way for the length of the block."""
        if not self._under_way:
            self.moved()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self.moved()

    def standstill(self) -> str | None:
        """What stands still, in a few words; None while all goes on."""
        now = self._clock.monotonic()
        if now - self._scanned_at > SCAN_PATIENCE_SECONDS:
            return "the store was not asked for what is due"
        if self._under_way and now - self._moved_at > RUN_PATIENCE_SECONDS:
            return "no run has made a step"
        return None
