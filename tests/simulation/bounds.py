"""Promise 10: what must stay within limits while a history goes on, looked at as it happens."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.simulation.desks import PLATFORM, Desks

Wrong = Callable[[int, str], None]

_PROMISE = 10
_ONE_TICKET = re.compile(r"^/api/v2/tickets/(\d+)$")
#: So often an account may update one ticket in so many seconds.
_TICKET_UPDATES = 30
_TICKET_SECONDS = 600.0


class Bounds:
    """Counts for one history."""

    def __init__(self, desks: Desks, now: Callable[[], float], wrong: Wrong) -> None:
        self._desks = desks
        self._now = now
        self._wrong = wrong
        #: Desk, path and the number of the daemon's life: when it was refused last.
        self._refused: dict[tuple[str, str, int], float] = {}

    def refused(self, desk: str, method: str, path: str, *, life: int) -> None:
        """A desk answered 429, and no fault made it do so.

        How much of one ticket's own quota is left, no desk tells before it is used up: once in its
        time each process may learn of it.
        """
        key, now = (desk, path, life), self._now()
        last = self._refused.get(key)
        if self._is_of_one_ticket(desk, method, path) and (
            last is None or now - last >= _TICKET_SECONDS - 1
        ):
            self._refused[key] = now
            return
        self._wrong(_PROMISE, f"{desk}: {method} {path} was one request too many")

    def _is_of_one_ticket(self, desk: str, method: str, path: str) -> bool:
        found = _ONE_TICKET.match(path)
        if desk == PLATFORM or method != "PUT" or found is None:
            return False
        quota = self._desks.partners[desk].desk.quota.state()
        mine = [used for key, used in quota.items() if key.startswith(f"ticket:{found.group(1)}:")]
        return max(mine, default=0) >= _TICKET_UPDATES
