"""Promise 10: what must stay within limits while a history goes on, looked at as it happens."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.simulation.desks import PLATFORM, Desks
from tests.simulation.ledger import Ledger

Wrong = Callable[[int, str], None]

_PROMISE = 10
_ONE_TICKET = re.compile(r"^/api/v2/tickets/(\d+)$")


#: How long the log may be at the most, in characters.
_LOG_START = 10_000
_LOG_OF_A_REQUEST = 500
_LOG_OF_A_DEED = 1_000


class Bounds:
    """Counts for one history."""

    def __init__(self, desks: Desks, ledger: Ledger, wrong: Wrong) -> None:
        self._desks = desks
        self._ledger = ledger
        self._wrong = wrong
        #: Desk, path and the number of the daemon's life that was told of a full ticket.
        self._full: set[tuple[str, str, int]] = set()
        self._requests = 0

    def look(self, *, queue: int, log: int) -> None:
        """A request has passed: how many pairs wait in memory, and how long the log is by now."""
        self._requests += 1
        pairs = len(self._ledger.tickets) * len(self._desks.partners)
        if queue > pairs:
            self._wrong(_PROMISE, "more in the queue than there are pairs")
        deeds = sum(self._ledger.deeds.values())
        most = _LOG_START + _LOG_OF_A_REQUEST * self._requests + _LOG_OF_A_DEED * deeds
        if log > most:
            self._wrong(_PROMISE, "the log grows faster than anything happens")

    def refused(self, desk: str, method: str, path: str, *, life: int) -> None:
        """A desk answered 429, and no fault made it do so.

        How much of one ticket's own quota is left, no desk tells before it is used up: each process
        may learn of it once, and then waits until the desk takes updates again.
        """
        key = (desk, path, life)
        if key in self._full or not self._is_of_one_ticket(desk, method, path):
            self._wrong(_PROMISE, f"{desk}: {method} {path} was one request too many")
        self._full.add(key)

    def taken(self, desk: str, path: str) -> None:
        """A desk did not refuse an update of this ticket."""
        self._full = {key for key in self._full if key[:2] != (desk, path)}

    def _is_of_one_ticket(self, desk: str, method: str, path: str) -> bool:
        found = _ONE_TICKET.match(path)
        if desk == PLATFORM or method != "PUT" or found is None:
            return False
        partner = self._desks.partners[desk].desk
        used = partner.quota.state()
        mine = [n for key, n in used.items() if key.startswith(f"ticket:{found.group(1)}:")]
        return max(mine, default=0) >= partner.account.settings.updates_per_ticket
