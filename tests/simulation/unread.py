"""Whether a ticket came to rest over a customer's words that nobody had before them.

Worked out from what people did and what stands on both desks; whoever sets a status again, on
either side and after the words are there to read, has read them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

from tests.simulation.desks import CUSTOMERS
from tests.simulation.ledger import Ledger, Said
from tests.simulation.statuses import MEANS, Move, Statuses

#: What syncd's note to whoever put a ticket away begins with.
UNREAD = "The customer had written before this status was set"
#: A desk whose stamps have whole seconds does not tell apart what happens within one.
_BLINK_SECONDS = 1.0


class Seen(Protocol):
    """A text seen where it was not written."""

    @property
    def number(self) -> int: ...

    @property
    def desk(self) -> str: ...

    @property
    def ticket_id(self) -> str: ...

    @property
    def at(self) -> float: ...


class Reading:
    """What customers wrote on one ticket of a pair, and when it could be read on the other."""

    def __init__(
        self,
        ledger: Ledger,
        copies: Sequence[Seen],
        *,
        written: tuple[str, str],
        copied: tuple[str, str],
    ) -> None:
        self._written = written
        self._copied = copied
        self._came_at = {
            copy.number: copy.at for copy in copies if (copy.desk, copy.ticket_id) == copied
        }
        self._asked = [
            said
            for said in ledger.said.values()
            if (said.desk, said.ticket_id) == written and _is_question(said)
        ]
        #: When something was written where the copies are, by whomever.
        self._touched_at = [
            *self._came_at.values(),
            *(said.at for said in ledger.said.values() if (said.desk, said.ticket_id) == copied),
            *(one.at for one in ledger.settings if (one.desk, one.ticket_id) == copied),
        ]

    def is_behind(self, since: float, until: float) -> bool:
        """Whether some words were written by `until`, and could not be read at `since`."""
        return any(said.at <= until and self._arrival(said) > since for said in self._asked)

    def rests_unread(self, statuses: Statuses) -> Iterator[int]:
        """The texts over which both tickets have come to rest."""
        here = statuses.moves.get(self._written, [])
        there = statuses.moves.get(self._copied, [])
        if not there or any(MEANS[moves[-1].after] == "open" for moves in (here, there) if moves):
            return
        for said in self._asked:
            is_left = _was_open(here, said.at) and not _is_decided(here, said.at)
            if is_left and self._was_put_away(there, self._arrival(said)):
                yield said.number

    def _arrival(self, said: Said) -> float:
        return self._came_at.get(said.number, math.inf)

    def _was_put_away(self, moves: Sequence[Move], came_at: float) -> bool:
        """Whether what the copy met was a person's decision, and nobody took another one since."""
        met = [move for move in moves if move.at < came_at]
        if not met or met[-1].is_syncd or MEANS[met[-1].after] == "open":
            return False
        if _is_decided(moves, met[-1].at):
            return False
        touched_at = [*self._touched_at, *(move.at for move in moves if move.is_syncd)]
        return not any(0 < met[-1].at - at <= _BLINK_SECONDS for at in touched_at)


def _is_question(said: Said) -> bool:
    is_as_written = said.made_private_at is None and said.redacted_at is None
    return is_as_written and said.who in CUSTOMERS and said.to == "public"


def _was_open(moves: Sequence[Move], at: float) -> bool:
    """What a ticket without a move shows is what it began with."""
    before = [move.after for move in moves if move.at <= at]
    first = moves[0].before if moves else "Open"
    return MEANS[before[-1] if before else first] == "open"


def _is_decided(moves: Sequence[Move], since: float) -> bool:
    """Whether people set a status after that."""
    return any(move.at > since and not move.is_syncd for move in moves)
