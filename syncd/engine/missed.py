"""Counts the changes that polling found and no webhook announced.

A change is a ticket whose pair was marked by a poll or by the sweep. It was announced if a webhook
about the ticket reaches at least as far in the desk's own order, or if any webhook about it comes
within the grace afterwards: such a one is late, not lost. Several changes of one ticket within one
grace are one. What was changed while nobody listened is not counted: before the first walk has come
to its end, and for as long afterwards as a feed may lag.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from syncd.core.model import ConnectionName, Sighting, TicketId
from syncd.ports import Clock

#: As long as Zendesk withholds changes from its feed; a good webhook comes within a second or two.
GRACE_SECONDS = 60.0
#: The withheld minute and the pause between two walks.
SETTLING_SECONDS = 120.0
#: Tickets of one connection whose latest webhook is remembered; the others' are forgotten first.
_MOST_REMEMBERED = 4096


@dataclass(slots=True)
class _Tally:
    """What one connection's webhooks and polls have told."""

    #: From when on changes count, on the monotonic clock; None before the first walk's end.
    counts_from: float | None = None
    #: How far the latest webhook about each ticket reached.
    announced: OrderedDict[TicketId, int] = field(default_factory=OrderedDict)
    #: Found by polling and not announced so far: when, on the monotonic clock.
    pending: dict[TicketId, float] = field(default_factory=dict)


class Missed:
    """The tallies of all connections from which webhooks are expected."""

    def __init__(
        self,
        clock: Clock,
        *,
        grace_seconds: float = GRACE_SECONDS,
        settling_seconds: float = SETTLING_SECONDS,
    ) -> None:
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._settling_seconds = settling_seconds
        self._tallies: dict[ConnectionName, _Tally] = {}
        #: Changes missed since the start.
        self.counts: Counter[ConnectionName] = Counter()

    def expect(self, connection: ConnectionName) -> None:
        """Webhooks should come from this connection; of any other nothing is counted."""
        self._tallies.setdefault(connection, _Tally())

    def expects(self, connection: ConnectionName) -> bool:
        """Whether anything about this connection is counted."""
        return connection in self._tallies

    def walked(self, connection: ConnectionName) -> None:
        """A walk along the connection's feed has come to its end."""
        tally = self._tallies.get(connection)
        if tally is not None and tally.counts_from is None:
            tally.counts_from = self._clock.monotonic() + self._settling_seconds

    def announced(self, connection: ConnectionName, sightings: Iterable[Sighting]) -> None:
        """A webhook with these sightings was accepted."""
        tally = self._tallies.get(connection)
        if tally is None:
            return
        self._lapse(connection, tally)
        for sighting in sightings:
            ticket_id = sighting.ticket_id
            tally.pending.pop(ticket_id, None)
            before = tally.announced.pop(ticket_id, 0)
            tally.announced[ticket_id] = max(before, reach(sighting))
        while len(tally.announced) > _MOST_REMEMBERED:
            tally.announced.popitem(last=False)

    def found(
        self,
        connection: ConnectionName,
        ticket_ids: Iterable[TicketId],
        sightings: Sequence[Sighting],
    ) -> None:
        """A poll or the sweep brought these sightings, which were news of these tickets."""
        tally = self._tallies.get(connection)
        now = self._clock.monotonic()
        if tally is None or tally.counts_from is None or now < tally.counts_from:
            return
        self._lapse(connection, tally)
        for ticket_id in ticket_ids:
            order = max((reach(s) for s in sightings if s.ticket_id == ticket_id), default=0)
            if tally.announced.get(ticket_id, -1) < order:
                tally.pending.setdefault(ticket_id, now)

    def settle(self, connection: ConnectionName) -> int:
        """How many changes were missed so far, those whose grace has just ended included."""
        tally = self._tallies.get(connection)
        if tally is not None:
            self._lapse(connection, tally)
        return self.counts[connection]

    def _lapse(self, connection: ConnectionName, tally: _Tally) -> None:
        """Count what was found longer ago than the grace."""
        since = self._clock.monotonic() - self._grace_seconds
        lapsed = [ticket_id for ticket_id, at in tally.pending.items() if at <= since]
        for ticket_id in lapsed:
            del tally.pending[ticket_id]
        self.counts[connection] += len(lapsed)


def reach(sighting: Sighting) -> int:
    """How far a sighting reaches in the desk's own order: a version, or seconds of its clock."""
    orders = [0 if sighting.ticket is None else sighting.ticket.fields_as_of]
    orders += [
        comment.position or int(comment.created_at.timestamp()) for comment in sighting.comments
    ]
    return max(orders)
