"""A dry run of one pair: everything a run would write and overwrite, and nothing written."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.core.model import PairId
from syncd.core.plan import Plan
from syncd.core.work import Pair
from syncd.engine.links import Links
from syncd.engine.reading import fetch_need
from syncd.engine.work import Work
from syncd.ports import Clock, Store

_MOST_READS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A pair, what a run would do to it, and the writes that still wait for their answer."""

    pair: Pair
    plan: Plan
    sent_count: int


async def preview(
    pair_id: PairId, *, store: Store, links: Links, clock: Clock, is_quiet: bool = False
) -> Preview | None:
    """Plan a pair from the mirror, reading from the desks only what the plan lacks.

    None when there is no such pair or its link is not configured. Raises `RemoteError` leaves.
    """
    run = await store.load_run(pair_id)
    link = links.find(run.pair.link) if run is not None else None
    if run is None or link is None:
        return None
    work = Work(run, link, is_quiet=is_quiet)
    decided = work.plan(clock.now())
    for _ in range(_MOST_READS):
        if not decided.needs:
            break
        for need in decided.needs:
            await fetch_need(work, need)
        decided = work.plan(clock.now())
    return Preview(pair=run.pair, plan=decided, sent_count=len(run.sent))
