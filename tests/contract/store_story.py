"""How a store gets to where a test begins, through the port alone."""

from __future__ import annotations

import itertools
from datetime import datetime

from syncd.core.agreed import Base
from syncd.core.model import CommentId, ConnectionName, PairId, Side, Sighting, TicketId
from syncd.core.operations import Intent
from syncd.core.work import Run, Settled, Step
from syncd.ports import Store
from tests.support.build import (
    AT,
    LINK,
    PARTNER,
    PLATFORM,
    a_base,
    a_birth,
    a_creation,
    a_sighting,
    a_ticket,
    a_whole_read,
    an_intent,
    later,
)

TOKEN = "run-1"


async def see(
    store: Store,
    *sightings: Sighting,
    connection: ConnectionName = PLATFORM,
    side: Side = Side.PLATFORM,
    at: datetime = AT,
) -> frozenset[PairId]:
    """A feed shows something; the pairs that it marks."""
    return await store.record_sightings(connection, sightings, side=side, seen_at=at)


async def see_partner(store: Store, *sightings: Sighting) -> frozenset[PairId]:
    return await see(store, *sightings, connection=PARTNER, side=Side.PARTNER)


async def a_pair(
    store: Store, sighting: Sighting | None = None, *, link: str = LINK, is_silent: bool = False
) -> PairId:
    """A newborn, dirty pair of the platform ticket that is sighted."""
    shown = sighting or a_whole_read()
    birth = a_birth(shown.ticket_id, link=link, is_silent=is_silent)
    marked = await store.record_sightings(
        PLATFORM, [shown], side=Side.PLATFORM, births=[birth], seen_at=AT
    )
    newest = await store.find_pairs(ticket_id=shown.ticket_id)
    (pair,) = [pair for pair in newest if pair.link == link]
    assert pair.pair_id in marked
    return pair.pair_id


async def a_twinned_pair(
    store: Store,
    sighting: Sighting | None = None,
    *,
    link: str = LINK,
    partner: ConnectionName = PARTNER,
    partner_ticket: str = "9001",
    base: Base | None = None,
) -> PairId:
    """A clean pair whose twin was created."""
    pair_id = await a_pair(store, sighting, link=link)
    intent = an_intent(a_creation(), pair_id=pair_id, connection=partner)
    await take(store, pair_id, Step(intent=intent))
    step = Step(
        settled=(settled(intent, created=(Side.PARTNER, partner, TicketId(partner_ticket))),),
        sightings={partner: (a_whole_read(a_ticket(partner_ticket, status="open")),)},
        base=base or a_base(),
        done_gen=(await load(store, pair_id)).pair.marked_gen,
    )
    await take(store, pair_id, step)
    return pair_id


async def clean(store: Store, pair_id: PairId) -> None:
    """A run that deals with everything seen so far."""
    marked_gen = (await load(store, pair_id)).pair.marked_gen
    await take(store, pair_id, Step(done_gen=marked_gen))


async def take(
    store: Store,
    pair_id: PairId,
    step: Step,
    *,
    token: str = TOKEN,
    now: datetime = AT,
    seconds: float = 60,
) -> bool:
    """Take one step with a lease of so many seconds."""
    seconds += (now - AT).total_seconds()
    return await store.step(pair_id, token, step, now=now, lease_until=later(seconds))


async def load(store: Store, pair_id: PairId) -> Run:
    run = await store.load_run(pair_id)
    assert run is not None
    return run


async def bodies(store: Store, pair_id: PairId, side: Side = Side.PLATFORM) -> dict[str, str]:
    """The bodies that the store holds, by comment."""
    snapshot = (await load(store, pair_id)).snapshots[side]
    assert snapshot is not None
    return {c.comment_id: c.html for c in snapshot.comments if c.html is not None}


def settled(
    intent: Intent,
    *comment_ids: str,
    is_done: bool = True,
    created: tuple[Side, ConnectionName, TicketId] | None = None,
) -> Settled:
    return Settled(
        op_id=intent.op.op_id,
        is_done=is_done,
        created=created,
        comment_ids=tuple(CommentId(comment_id) for comment_id in comment_ids),
    )


_versions = itertools.count(1_000)


def next_version() -> int:
    """Later than all before."""
    return next(_versions)


def a_change(ticket_id: str = "T1", *, status: str = "Closed") -> Sighting:
    """A later sighting that any plan cares for."""
    version = next_version()
    return a_sighting(
        a_ticket(ticket_id, status=status, tags=[f"t{version}"], fields_as_of=version)
    )
