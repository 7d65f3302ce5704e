"""Looks at the ticket in which a pair may go on, and lets the pair move there or not.

Whether it may is `core.lineage`'s decision; here is what it takes to know: one read, and the
question whether another pair has the ticket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from syncd.core.ends import Stop
from syncd.core.lineage import Kin, Successor, refuse
from syncd.core.mirror import merge_snapshot
from syncd.core.model import ConnectionName, PairId, TicketId
from syncd.engine.work import Work
from syncd.ports import Read

Holders = Callable[[ConnectionName, TicketId], Awaitable[frozenset[PairId]]]


async def succeed(work: Work, successor: Successor, holders: Holders) -> Stop | None:
    """Move the run on to the successor; a stop when it must not, and the other side was told.

    The first time that it must not, None: the run tells the other side, and asks again. Raises
    `RemoteError` leaves and `StoreUnavailable`.
    """
    told = work.refusal(successor)
    if told is not None:
        return told
    side, connector = successor.side, work.link.connectors[successor.side]
    if successor.ticket_id is None and await _learn_target(work, successor):
        return None
    found = None
    is_held = False
    if successor.ticket_id is not None:
        sighting = await connector.fetch(successor.ticket_id, Read.WHOLE)
        found = None if sighting is None else merge_snapshot(None, sighting)
        is_held = bool(await holders(connector.name, successor.ticket_id))
        if sighting is not None and found is not None:
            predecessor = work.snapshots[side].ticket
            stop = refuse(successor, predecessor, found, is_held=is_held)
            if stop is None:
                work.join(successor, found, sighting)
            else:
                work.refuse(successor, stop, url=found.ticket.url)
            return None
    stop = refuse(successor, work.snapshots[side].ticket, found, is_held=is_held)
    assert stop is not None  # noqa: S101 - what cannot be read is not followed
    work.refuse(successor, stop, url="")
    return None


async def _learn_target(work: Work, successor: Successor) -> bool:
    """Read the merged ticket's whole thread, which may say where it went."""
    assert successor.kin is Kin.MERGED  # noqa: S101 - a follow-up is known by its id
    side = successor.side
    ticket = work.snapshots[side].ticket
    sighting = await work.link.connectors[side].fetch(ticket.ticket_id, Read.THREAD)
    if sighting is None:
        return False
    work.absorb(side, sighting)
    return work.snapshots[side].ticket.merged_into is not None
