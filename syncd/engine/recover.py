"""Recover a whole store that lost its tail, pair by pair, with few requests.

A pair whose two tickets have not moved since the store saw them has lost nothing, and a hundred of
them are compared with one request a desk. The others are read and recognised one by one. Cut off
anywhere, the next run goes on with the pairs that are doubtful still; so does the daemon.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from syncd.core.errors import LeaseLost, RemoteError
from syncd.core.model import ConnectionName, End, PairId, Side, Ticket, TicketId
from syncd.core.work import Pair, PairState, Run
from syncd.engine.links import Links
from syncd.engine.reconcile import Reconciler
from syncd.engine.recovering import REASON, Recovered
from syncd.log import logger
from syncd.ports import PRIORITY, Clock, Priority, Store

#: Pairs that are compared together: what one request for many tickets holds.
_TOGETHER = 100
_WORKERS = 8
_ALL = 1_000_000_000


@dataclass(slots=True)
class RecoverReport:
    """What a recovery found, or would find."""

    #: Doubtful pairs, and how many of them are dealt with.
    total: int = 0
    handled: int = 0
    #: Neither ticket has moved since the store saw it.
    unmoved: int = 0
    recovered: int = 0
    comments: int = 0
    tickets: int = 0
    parked: int = 0
    #: Their link is not configured: they stay doubtful until it is.
    unlinked: int = 0
    #: What was found, by pair, where anything was.
    found: dict[PairId, Recovered] = field(default_factory=dict)


Progress = Callable[[RecoverReport], None]


class Recover:
    """One recovery of one store. With `is_dry` nothing is written, neither here nor on a desk."""

    def __init__(
        self,
        *,
        store: Store,
        links: Links,
        reconciler: Reconciler,
        clock: Clock,
        is_dry: bool = False,
    ) -> None:
        self._store = store
        self._links = links
        self._reconciler = reconciler
        self._clock = clock
        self._is_dry = is_dry
        self.report = RecoverReport()

    async def begin(self, *, actor: str, reason: str = "") -> None:
        """Make every pair doubtful, unless an earlier recovery is to be gone on with."""
        age = await self._store.age()
        if self._is_dry or (age.doubtful and not age.is_older):
            return
        await self._store.doubt(actor=actor, reason=reason, now=self._clock.now())

    async def run(self, *, progress: Progress = lambda _: None) -> RecoverReport:
        """Recover every doubtful pair; a dry run looks at every living one.

        Raises `RemoteError` leaves when a desk is lost on the way, and `StoreUnavailable`.
        """
        PRIORITY.set(Priority.REPAIR)
        pairs = [
            pair
            for pair in await self._store.find_pairs(limit=_ALL)
            if pair.state is not PairState.ENDED and (self._is_dry or pair.is_doubtful)
        ]
        self.report.total = len(pairs)
        progress(self.report)
        for start in range(0, len(pairs), _TOGETHER):
            await self._take(pairs[start : start + _TOGETHER], progress)
        report = self.report
        logger().info(
            "store.recovered",
            pairs=report.total,
            comments=report.comments,
            tickets=report.tickets,
            parked=report.parked,
        )
        return report

    async def pair(
        self, pair: Pair, *, is_ours: bool, actor: str, reason: str = ""
    ) -> RecoverReport:
        """Recover one pair; with `is_ours` a person vouches for what is in doubt there."""
        self.report.total = 1
        recovered = await self._reconciler.recover(
            pair.pair_id, is_ours=is_ours, is_dry=self._is_dry
        )
        self._add(pair.pair_id, recovered)
        is_settled = recovered is not None and recovered.park is None
        if is_settled and pair.reason == REASON and not self._is_dry:
            now = self._clock.now()
            await self._store.unpark(pair.pair_id, actor=actor, reason=reason, now=now)
        await self._mark([pair.pair_id])
        return self.report

    async def _take(self, pairs: Sequence[Pair], progress: Progress) -> None:
        runs = [run for pair in pairs if (run := await self._store.load_run(pair.pair_id))]
        shown = await self._look_at(runs)
        still = [run.pair.pair_id for run in runs if self._is_unmoved(run, shown)]
        if not self._is_dry:
            await self._store.trust(still)
        self.report.unmoved += len(still)
        self.report.handled += len(still)
        progress(self.report)
        todo = iter([pair.pair_id for pair in pairs if pair.pair_id not in set(still)])

        async def worker() -> None:
            for pair_id in todo:
                self._add(pair_id, await self._reconciler.recover(pair_id, is_dry=self._is_dry))
                # What both desks now show is compared with what is now known to be agreed.
                await self._mark([pair_id])
                progress(self.report)

        failures: Sequence[Exception] = ()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_WORKERS):
                    group.create_task(worker())
        except* (RemoteError, LeaseLost) as errors:
            failures = errors.exceptions
        # Older Pythons wrap in a group what is raised within `except*`.
        if failures:
            raise failures[0] from None

    async def _mark(self, pair_ids: Sequence[PairId]) -> None:
        if not self._is_dry:
            await self._store.mark(pair_ids, now=self._clock.now())

    async def _look_at(self, runs: Sequence[Run]) -> dict[tuple[ConnectionName, TicketId], Ticket]:
        """The fields of all tickets of some pairs as their desks show them now."""
        wanted: dict[ConnectionName, list[TicketId]] = defaultdict(list)
        connectors = self._links.connectors()
        for run in runs:
            link = self._links.find(run.pair.link)
            for side, ticket_id in run.pair.tickets.items():
                if link is not None and ticket_id is not None:
                    wanted[link.connectors[side].name].append(ticket_id)
        return {
            (name, sighting.ticket_id): sighting.ticket
            for name, ticket_ids in wanted.items()
            for sighting in await connectors[name].fetch_many(ticket_ids)
            if sighting.ticket is not None
        }

    def _is_unmoved(self, run: Run, shown: dict[tuple[ConnectionName, TicketId], Ticket]) -> bool:
        link = self._links.find(run.pair.link)
        if link is None or run.sent:
            return False
        for side in Side:
            known, ticket_id = run.snapshots[side], run.pair.tickets[side]
            if known is None or ticket_id is None:
                return False
            now = shown.get((link.connectors[side].name, ticket_id))
            if now is None or not _is_same(known.ticket, now):
                return False
        return True

    def _add(self, pair_id: PairId, recovered: Recovered | None) -> None:
        report = self.report
        report.handled += 1
        if recovered is None:
            report.unlinked += 1
            return
        report.parked += recovered.park is not None
        report.recovered += recovered.park is None
        report.comments += recovered.comments
        report.tickets += recovered.tickets
        if recovered.comments or recovered.tickets or recovered.park is not None:
            report.found[pair_id] = recovered


def _is_same(known: Ticket, now: Ticket) -> bool:
    """Whether nothing can have happened to a ticket: not even in the second that was seen last."""
    return (
        # A follow-up leaves the ticket that it goes on from as it was.
        known.end is End.ALIVE
        and known.is_confirmed
        and not known.is_comment_hinted
        and (known.fields_as_of, known.status, known.tags, known.end)
        == (now.fields_as_of, now.status, now.tags, now.end)
    )
