"""Reading what a plan lacks, no more than it lacks."""

from __future__ import annotations

from dataclasses import replace

from syncd.core.errors import Stale
from syncd.core.mirror import is_another, is_older
from syncd.core.model import End, Side, Sighting
from syncd.core.plan import Need
from syncd.engine.work import Work
from syncd.ports import Read

#: So often a ticket is shown as it was before, with growing pauses, until that is no lagging copy
#: of the desk's database any more, but the desk as it now is: some minutes.
_OLDER_READS = 8


async def fetch_need(work: Work, need: Need) -> None:
    """Fetch one need into the run. Raises `RemoteError` leaves; a missing ticket is news, and so is
    one that has another's number. `Stale` while it is shown as it was before what is known of it.
    """
    side = need.side
    ticket_id = work.ticket_id(side)
    if ticket_id is None:
        return
    snapshot = work.snapshots.get(side)
    since = 0
    if snapshot is not None and not need.is_whole_thread:
        since = snapshot.ticket.comments_as_of
    connector = work.link.connectors[side]
    sighting = await connector.fetch(ticket_id, _depth(need), comments_as_of=since)
    if sighting is None or snapshot is None or sighting.ticket is None:
        work.absorb(side, sighting or gone(work, side))
    elif is_another(snapshot.ticket, sighting.ticket):
        work.absorb(side, gone(work, side))
    elif is_older(snapshot.ticket, sighting.ticket):
        if work.pair.tries < _OLDER_READS:
            raise Stale("older than before", connection=connector.name, action="read ticket")
        work.set_back(side, sighting)
    else:
        work.absorb(side, sighting)


def _depth(need: Need) -> Read:
    if need.fields and need.thread:
        return Read.WHOLE
    return Read.THREAD if need.thread else Read.FIELDS


def gone(work: Work, side: Side) -> Sighting:
    """What the mirror must say of a ticket that its desk no longer has."""
    snapshot = work.snapshots.get(side)
    ticket_id = work.ticket_id(side)
    assert ticket_id is not None  # noqa: S101 - only a ticket with an id was asked for
    if snapshot is None:
        return Sighting(ticket_id=ticket_id, is_read=True)
    ticket = replace(snapshot.ticket, end=End.GONE)
    return Sighting(ticket_id=ticket_id, ticket=ticket, is_read=True)
