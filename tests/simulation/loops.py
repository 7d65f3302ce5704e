"""Promise 10: machines that answer each other through syncd are stopped, with one alarm.

What a machine said follows what syncd wrote, so each copy of it is a write of a loop. So many to
both sides of a pair in an hour, or four times as many to one, and the pair stops until a person
lets it go on, from where the count begins anew.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from tests.simulation.desks import PLATFORM, VIEWS
from tests.simulation.ledger import Ledger, Said

Wrong = Callable[[int, str], None]

_PROMISE = 10
#: Shorter than the hour by what a write may be on its way, from its journal to its desk.
_WINDOW_SECONDS = 3000.0
_ONE_WAY = 4
_REASON = "loop"


class Loops:
    """Counts for one history; `most` is the cap of every link."""

    def __init__(self, ledger: Ledger, wrong: Wrong, *, most: int) -> None:
        self._ledger = ledger
        self._wrong = wrong
        self._most = most
        #: By link and the script's ticket, the moments of copies by the desk they came to.
        self._copies: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(dict)

    def copied(self, said: Said, desk: str, at: float) -> None:
        """A text was seen on another desk for the first time."""
        if not said.is_machine:
            return
        link = VIEWS[said.desk if desk == PLATFORM else desk]
        since = max(at - _WINDOW_SECONDS, self._let_go_at(link, said.ticket))
        desks = self._copies[link, said.ticket]
        desks.setdefault(desk, []).append(at)
        counts = [sum(moment > since for moment in moments) for moments in desks.values()]
        # One that had left when a person let the pair go on was counted before.
        there, back = max(counts), min(counts) if len(counts) > 1 else 0
        if back > self._most + 1 or there > self._most * _ONE_WAY + 1:
            self._wrong(_PROMISE, f"machines answer each other on {link} {said.ticket} unstopped")

    def check(self, stopped: Mapping[str, str], log: str, *, kills: int) -> None:
        """At the end: `stopped` has the pairs that stand still now, with their reasons.

        A daemon that is killed between its stop and its alarm may tell twice or not at all.
        """
        alarms = _alarms(log)
        let_go = Counter(one.pair_id for one in self._ledger.let_go)
        stops = Counter(one.pair_id for one in self._ledger.let_go if one.reason == _REASON)
        stops.update(pair_id for pair_id, reason in stopped.items() if reason == _REASON)
        for pair_id in sorted({*alarms, *stops}):
            told = alarms[pair_id]
            if told > let_go[pair_id] + 1 + kills or told < stops[pair_id] - kills:
                self._wrong(
                    _PROMISE,
                    f"pair {pair_id} stopped {stops[pair_id]} times as a loop, told {told} times",
                )

    def _let_go_at(self, link: str, ticket: int) -> float:
        ticket_id = self._ledger.tickets[ticket]
        mine = [
            one.at for one in self._ledger.let_go if (one.link, one.platform) == (link, ticket_id)
        ]
        return max(mine, default=-1.0)


def _alarms(log: str) -> Counter[str]:
    """How often each pair was said to have stopped as a loop."""
    lines = [json.loads(line) for line in log.splitlines() if '"pair.parked"' in line]
    return Counter(str(line["pair"]) for line in lines if line["reason"] == _REASON)
