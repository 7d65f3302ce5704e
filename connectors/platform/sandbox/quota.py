"""How many requests a token may send: a fixed window that starts with its first request.

A refused request costs nothing. The window's length shrinks with the time scale, the number in it
does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from connectors.platform.sandbox.refusal import Refusal
from connectors.sandbox import SandboxTime

WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


@dataclass(kw_only=True, slots=True)
class Quota:
    """The windows of all tokens."""

    time: SandboxTime
    # Requests in one window of one token.
    limit: int = 600
    _windows: dict[str, _Window] = field(default_factory=dict)

    def take(self, token_id: str) -> tuple[tuple[str, str], ...]:
        """Count one request; returns the headers of its answer. Raises Refusal (429)."""
        now = self.time.now()
        window = self._windows.get(token_id)
        if window is None or now >= window.ends:
            window = _Window(now + self.time.shrunk(WINDOW_SECONDS))
            self._windows[token_id] = window
        reset = str(math.ceil(window.ends - now))
        if window.used >= self.limit:
            headers = (*self._headers(0, reset), ("retry-after", reset))
            raise Refusal(429, "rate_limited", "Too many requests in this window.", headers=headers)
        window.used += 1
        return self._headers(self.limit - window.used, reset)

    def forget(self) -> None:
        """Start all windows anew."""
        self._windows.clear()

    def _headers(self, remaining: int, reset: str) -> tuple[tuple[str, str], ...]:
        return (
            ("ratelimit-limit", str(self.limit)),
            ("ratelimit-remaining", str(remaining)),
            ("ratelimit-reset", reset),
        )
