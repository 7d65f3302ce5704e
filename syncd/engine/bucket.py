"""One quota of an account, in the window that it is in now: what is ours of it, and what is left.

Windows follow the desk's own figures. What was used before we first looked counts as ours, because
it may have been: a process that starts in the middle of a window spends nothing twice. Desks tell
whole seconds and nobody says how they round, so that a window counts as over a second later than
told. A desk that forgets each request after a while, instead of all of them at once, is noticed;
our share is then one of any minute.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from syncd.ports import Priority, Reading

WINDOW_SECONDS = 60.0
#: Answers take a while, and differ by the second that they were rounded to.
_ROUNDING_SECONDS = 1.5
#: By how much a desk that rounds down ends its windows later than it says.
_ROUNDED_DOWN_SECONDS = 1.0
#: The part of our share that each kind of work may use at once; the rest is kept for what is more
#: urgent, less and less of it as the window runs out, and nothing in the last part of it.
_REACH = {Priority.LIVE: 1.0, Priority.REPAIR: 0.9, Priority.BACKFILL: 0.75}
_LAST_PART = 0.1
#: So many requests ask whether a new window has begun, for so long, before the others follow.
_SCOUTS = 2
_SCOUTING_SECONDS = 1.0
#: An answer from the beginning of a window tells at least this part of its length.
_NEARLY_WHOLE = 0.9
#: So many times fewer are next to none.
_MUCH = 4
#: What has not answered by then never will.
_LONGEST_ANSWER_SECONDS = 35.0
#: Reckonings of one moment differ by less.
_SAME_MOMENT_SECONDS = 1e-6


@dataclass(slots=True)
class Bucket:
    """A quota; all moments are of the ledger's monotonic clock."""

    limit: int
    #: Our part of it.
    share: float
    ends_at: float
    #: The desk itself said when the window ends; else it is a guess of ours.
    is_told: bool = False
    #: Never published by the desk: spaced out instead of counted by window.
    is_assumed: bool = False
    #: Our own requests in this window, as far as we know.
    used: int = 0
    #: What is left for all, our requests since then taken off; None while nobody said.
    left: int | None = None
    next_at: float = 0.0
    paused_until: float = 0.0
    refused_count: int = 0
    #: Whether the desk has spoken of it at all.
    is_known: bool = False
    #: The desk forgets requests one by one.
    is_windowless: bool = False
    #: The longest that a window was told to last, whole or in part.
    _length_seconds: float = 0.0
    #: Until then only scouts leave.
    _scouting_until: float = 0.0
    _scouts: int = 0
    #: Our requests of the last minute, as second and count.
    _recent: deque[tuple[int, int]] = field(default_factory=deque)
    #: When those left of which no answer has told yet, oldest first.
    _on_way: deque[float] = field(default_factory=deque)

    @property
    def ours(self) -> int:
        """Requests per window that are ours; always one, or nothing would ever be done."""
        return max(1, math.floor(self.limit * self.share))

    # --- spending --------------------------------------------------------------------------------

    def roll(self, now: float) -> None:
        """Begin a new window when the present one is over."""
        if self.is_windowless:
            self.used = self._recent_count(now)
        if now < self.ends_at:
            return
        if self.is_told:
            self._scouting_until, self._scouts = now + _SCOUTING_SECONDS, _SCOUTS
        if not self.is_windowless:
            # What is still on its way may be counted in the new one.
            self.used = self._on_way_count(now) if self.is_known else 0
        self.left, self.is_told = None, False
        self.ends_at = now + WINDOW_SECONDS

    def wait_seconds(self, now: float, priority: Priority) -> float:
        """How long until one more request may count here; 0 for now."""
        waits = [self.paused_until - now]
        if self.is_assumed:
            waits.append(self.next_at - now)
        else:
            waits.append(self._wait_for_share(now, priority))
            if self._scouts <= 0:
                waits.append(self._scouting_until - now)
        return max(0.0, *waits)

    def _wait_for_share(self, now: float, priority: Priority) -> float:
        free = self.ours - self.used - 1
        if self.is_windowless and free < 0:
            # As soon as the oldest of ours is forgotten.
            return self._recent[0][0] + 1 + WINDOW_SECONDS - now
        if self.left is not None:
            free = min(free, self.left - 1)
        remaining = self.ends_at - now
        if free < 0:
            return remaining
        # What less urgent work leaves is left to other processes of ours as well: a daemon beside
        # a backfill spends what only the desk sees.
        kept = self.ours - max(1, math.floor(self.ours * _REACH[priority]))
        if kept <= free or self.is_windowless:
            return 0.0
        # As much of the window must be over as leaves no more to keep than there is free.
        length = self._length_seconds or WINDOW_SECONDS
        last = length * _LAST_PART
        wait = remaining - last - (length - last) * free / kept
        return wait if wait > _SAME_MOMENT_SECONDS else 0.0

    def take(self, now: float) -> None:
        """Count one request."""
        self.used += 1
        self._scouts -= 1
        self._log(now)
        self._on_way.append(now)
        if self.left is not None:
            self.left -= 1
        if self.is_assumed:
            self.next_at = now + WINDOW_SECONDS / self.ours

    # --- what the desk says ----------------------------------------------------------------------

    def observe(self, reading: Reading, now: float) -> None:
        """Take over what the desk says, unless it speaks of a window that is over."""
        if self._on_way:
            self._on_way.popleft()
        ends_at = now + reading.reset_seconds + _ROUNDED_DOWN_SECONDS
        if self.is_told and not self.is_windowless and ends_at < self.ends_at - _ROUNDING_SECONDS:
            # An answer that was overtaken on its way.
            return
        self.limit, self.is_assumed = reading.limit, False
        self._length_seconds = max(self._length_seconds, reading.reset_seconds)
        is_same = self.is_told and ends_at <= self.ends_at + _ROUNDING_SECONDS
        if is_same and not self.is_windowless:
            # In one window the figure only falls; requests on their way are not in it yet.
            known = reading.remaining if self.left is None else self.left
            self.left = min(known, reading.remaining)
            self.ends_at = min(self.ends_at, ends_at)
            return
        self._begin(reading, now)
        self.left, self.ends_at = reading.remaining - self._on_way_count(now), ends_at
        self.is_told = self.is_known = True
        self._scouting_until = 0.0

    def _begin(self, reading: Reading, now: float) -> None:
        """A window that the desk had not spoken of yet: how much of it may be ours already."""
        gone = max(0, reading.limit - reading.remaining) + self._on_way_count(now)
        recent = self._recent_count(now)
        if self.is_windowless:
            # All of ours forgotten at once: there are windows after all.
            self.is_windowless = _MUCH * gone > recent
            self.used = recent if self.is_windowless else min(recent, gone)
        elif not self.is_known:
            # Whoever stopped a moment ago may have been us.
            self.used = max(self.used, min(self.ours, gone))
        elif self.is_told:
            # It ends later than it should. Either a new one began before we thought so, and then
            # most is forgotten, or there are none.
            self.is_windowless = now < self.ends_at - 2 * _ROUNDING_SECONDS and 2 * gone > recent
            self.used = recent if self.is_windowless else min(self.used, gone)
        elif self._remembers(gone, recent) and reading.reset_seconds < self._beginning_seconds:
            self.is_windowless, self.used = True, recent

    def _remembers(self, gone: int, recent: int) -> bool:
        """Whether the desk, after a window of much use, has forgotten nothing of ours."""
        return gone >= recent and 2 * (recent - self.used) >= self.ours

    @property
    def _beginning_seconds(self) -> float:
        """What is told to be left of a window at its beginning."""
        return _NEARLY_WHOLE * self._length_seconds

    # --- our own requests ------------------------------------------------------------------------

    def _log(self, now: float) -> None:
        second = math.floor(now)
        count = self._recent.pop()[1] if self._recent and self._recent[-1][0] == second else 0
        self._recent.append((second, count + 1))
        if len(self._on_way) > self.limit:
            self._on_way.popleft()
        while self._recent[0][0] + 1 + WINDOW_SECONDS <= now:
            self._recent.popleft()

    def _on_way_count(self, now: float) -> int:
        while self._on_way and self._on_way[0] < now - _LONGEST_ANSWER_SECONDS:
            self._on_way.popleft()
        return len(self._on_way)

    def _recent_count(self, now: float) -> int:
        while self._recent and self._recent[0][0] + 1 + WINDOW_SECONDS <= now:
            self._recent.popleft()
        return sum(count for _, count in self._recent)
