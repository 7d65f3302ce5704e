"""Since when a ticket was seen in the queue in which it is.

RT changes a ticket's queue first, and its history says so only when the scrips of the move have run
(`RT::Ticket::_Set`, `RT::Record::_NewTransaction`, 5.0.3): seconds later, or never where RT dies in
between. Until then a ticket that was never moved before looks as if it had been made where it is,
and what staff said among themselves as if it were for that queue. A look at the ticket proves where
it was for all that was said after the look.

Forgotten with the process, and with age: then comments wait until no move can be under way.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

_MOST = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A ticket was in a queue; what was said by then has no number above `version`."""

    queue: str
    version: int
    #: By our own clock.
    at: datetime


class Whereabouts:
    """The first look at each ticket since it is where it is; queues by their numbers."""

    def __init__(self) -> None:
        self._looks: OrderedDict[int, Looked] = OrderedDict()

    def saw(self, ticket: int, queue: str, *, version: int, at: datetime) -> None:
        """The queue was read, and after it the newest transaction."""
        if self.of(ticket, queue) is None:
            self._looks[ticket] = Looked(queue=queue, version=version, at=at)
        self._looks.move_to_end(ticket)
        while len(self._looks) > _MOST:
            self._looks.popitem(last=False)

    def of(self, ticket: int, queue: str) -> Looked | None:
        """The look at a ticket that is in this queue; None without one."""
        known = self._looks.get(ticket)
        return known if known is not None and known.queue == queue else None
