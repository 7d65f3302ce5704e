"""Take over what a view already holds: once, silently, and again from where it was cut off.

Births are imported, so that no customer hears of old tickets; on pairs that exist, public comments
are reported and left to the live daemon unless a person wants them sent. Old hand-offs never run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncd.core.errors import LeaseLost, RemoteError
from syncd.core.model import Held, PairId, Side, Sighting, TicketId
from syncd.core.work import CursorMove
from syncd.engine.intake import Intake
from syncd.engine.links import Link, is_wanted
from syncd.engine.outcome import Outcome, Result
from syncd.engine.reconcile import Reconciler
from syncd.log import logger
from syncd.ports import PRIORITY, Clock, Priority, Store, ViewPage

#: A pair that must wait longer is left for later, so that the others go on.
_LONGEST_PAUSE = 120.0


@dataclass(slots=True)
class BackfillReport:
    """What a backfill did, or would do."""

    seen: int = 0
    #: Tickets in the view, where the desk tells.
    total: int | None = None
    born: int = 0
    existing: int = 0
    filtered: int = 0
    done: int = 0
    writes: int = 0
    parked: int = 0
    #: Pairs that wait for a desk; a further run or the daemon finishes them.
    waiting: int = 0
    #: Public comments that were not sent, by pair.
    left_out: dict[PairId, tuple[Held, ...]] = field(default_factory=dict)


Progress = Callable[[BackfillReport], None]


class Backfill:
    """One backfill of one link."""

    def __init__(
        self,
        link: Link,
        *,
        store: Store,
        intake: Intake,
        reconciler: Reconciler,
        clock: Clock,
        is_notifying: bool = False,
        workers: int = 8,
    ) -> None:
        self._link = link
        self._store = store
        self._intake = intake
        self._reconciler = reconciler
        self._clock = clock
        self._is_notifying = is_notifying
        self._workers = workers
        self.report = BackfillReport()

    async def run(self, *, since: datetime | None, progress: Progress) -> BackfillReport:
        """Walk the view and bring every ticket in it into step.

        Cut off anywhere, the next run with the same `since` goes on with the page in hand.
        Raises `RemoteError` leaves when a listing fails, and `StoreUnavailable`.
        """
        PRIORITY.set(Priority.BACKFILL)
        logger().info("backfill.started", link=self._link.name)
        feed = f"backfill:{self._link.name}:{since.isoformat() if since else ''}"
        platform = self._link.connectors[Side.PLATFORM]
        cursor = await self._store.load_cursor(platform.name, feed) or None
        await self._finish_begun(progress)
        async for page in platform.view(self._link.policy.view, since=since, cursor=cursor):
            await self._take(page, progress)
            move = CursorMove(feed=feed, cursor="" if page.is_end else page.cursor or "")
            await self._intake.take(platform.name, (), cursor=move)
        logger().info("backfill.finished", link=self._link.name, born=self.report.born)
        return self.report

    async def preview(self, *, since: datetime | None, progress: Progress) -> BackfillReport:
        """What `run` would begin; writes nothing, neither here nor on a desk."""
        platform = self._link.connectors[Side.PLATFORM]
        async for page in platform.view(self._link.policy.view, since=since):
            self.report.total = page.total
            for sighting in page.sightings:
                await self._count(sighting)
            progress(self.report)
        return self.report

    async def _count(self, sighting: Sighting) -> None:
        report = self.report
        report.seen += 1
        if not is_wanted(self._link.policy, sighting):
            report.filtered += 1
        elif await self._find(sighting.ticket_id):
            report.existing += 1
        else:
            report.born += 1

    async def _find(self, ticket_id: TicketId) -> bool:
        return bool(
            await self._store.find_pairs(link=self._link.name, ticket_id=ticket_id, limit=1)
        )

    async def _finish_begun(self, progress: Progress) -> None:
        """Pairs that an earlier run left half done."""
        due = await self._store.load_due(self._clock.now(), link=self._link.name)
        await self._reconcile([pair_id for pair_id, _ in due], progress)

    async def _take(self, page: ViewPage, progress: Progress) -> None:
        self.report.total = page.total
        for sighting in page.sightings:
            await self._count(sighting)
        wanted = [s for s in page.sightings if is_wanted(self._link.policy, s)]
        platform = self._link.connectors[Side.PLATFORM]
        marked = set(await self._intake.take(platform.name, wanted, is_silent=True))
        marked |= await self._compare_partners(wanted)
        await self._reconcile(sorted(marked), progress)

    async def _compare_partners(self, wanted: Sequence[Sighting]) -> frozenset[PairId]:
        """Existing twins may have moved, too; their fields tell, a hundred a request."""
        ids = []
        for sighting in wanted:
            for pair in await self._store.find_pairs(
                link=self._link.name, ticket_id=sighting.ticket_id, limit=1
            ):
                partner_ticket = pair.tickets[Side.PARTNER]
                if partner_ticket is not None:
                    ids.append(partner_ticket)
        if not ids:
            return frozenset()
        partner = self._link.connectors[Side.PARTNER]
        return await self._intake.take(partner.name, await partner.fetch_many(ids))

    async def _reconcile(self, pair_ids: Sequence[PairId], progress: Progress) -> None:
        todo = iter(pair_ids)

        async def worker() -> None:
            for pair_id in todo:
                self._add(pair_id, await self._run_to_end(pair_id))
                progress(self.report)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._workers, len(pair_ids))):
                group.create_task(worker())

    async def _run_to_end(self, pair_id: PairId) -> Outcome:
        """Run a pair until it is done or waits for longer than a moment."""
        while True:
            try:
                outcome = await self._reconciler.reconcile(pair_id, is_quiet=not self._is_notifying)
            except (LeaseLost, RemoteError):
                return Outcome(result=Result.IDLE)
            if outcome.result is not Result.WAITING or outcome.retry_at is None:
                return outcome
            self.report.writes += outcome.writes
            pause = (outcome.retry_at - self._clock.now()).total_seconds()
            if pause > _LONGEST_PAUSE:
                return outcome
            await self._clock.sleep(max(pause, 0.0))

    def _add(self, pair_id: PairId, outcome: Outcome) -> None:
        report = self.report
        report.writes += outcome.writes
        report.done += outcome.result is Result.DONE
        report.parked += outcome.result is Result.PARKED
        report.waiting += outcome.result is Result.WAITING
        if outcome.left_out:
            report.left_out[pair_id] = outcome.left_out
