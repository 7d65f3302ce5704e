"""Quotas of one ticket or user that are used up: which single addresses are left alone until when.

Kept beside the account's budget, which they must not slow down. Whoever asks for such an address
is told without a request; a pair that is marked meanwhile so costs nothing.
"""

from __future__ import annotations

from connectors.http.request import Request
from syncd.ports import Clock

#: Addresses remembered; of more, those that may be asked soonest are forgotten.
MOST_ADDRESSES = 1_000

_Address = tuple[str, str]


class NarrowPauses:
    """Those of one account in one process; seconds are of its monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[_Address, float] = {}

    def put(self, request: Request, seconds: float) -> None:
        """Leave the request's address alone for so long; a longer pause stays.

        Only where it is one ticket's: at any other address it would hold up strangers.
        """
        if not request.is_about_one_ticket:
            return
        now, address = self._clock.monotonic(), _address(request)
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[address] = max(self._until.get(address, 0.0), now + seconds)
        if len(self._until) > MOST_ADDRESSES:
            del self._until[min(self._until, key=self._until.__getitem__)]

    def left_seconds(self, request: Request) -> float:
        """For how long the request's address is left alone still; 0 for not at all."""
        until = self._until.get(_address(request), 0.0)
        return max(0.0, until - self._clock.monotonic())


def _address(request: Request) -> _Address:
    return request.method, request.path
