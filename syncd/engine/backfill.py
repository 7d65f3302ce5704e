"""Take over what a view already holds: once, silently, and again from where it was cut off.

Births are imported, so that no customer hears of old tickets; on pairs that exist, public comments
are reported and left unless a person wants them sent. Old hand-offs never run.
What has changed since by the hand of somebody else is the daemon's, and is not touched here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncd.core.errors import LeaseLost, RemoteError, Unauthorised, Unreachable
from syncd.core.model import ConnectionName, Held, PairId, Side, Sighting, TicketId
from syncd.core.work import CursorMove, Pair, PairState
from syncd.engine.controller import wait_or_stop
from syncd.engine.convoy import Convoy
from syncd.engine.health import ConnectionState
from syncd.engine.importing import Importing, imported_in
from syncd.engine.intake import Intake
from syncd.engine.links import Link, is_wanted
from syncd.engine.outcome import Outcome, Result
from syncd.engine.reconcile import Manner, Reconciler
from syncd.log import logger
from syncd.ports import PRIORITY, Clock, Priority, Store, ViewPage

#: A pair that must wait longer, in one go or in all, is left for later, so that the others go on.
_PATIENCE_SECONDS = 120.0
#: New twins that are made at one time: as many as a request of a desk's may carry.
_TOGETHER = 100
#: Between looks for the names of imported comments, the first at once: a long backfill has most of
#: them by then. A desk may withhold a minute of its feed.
_NAMING_PAUSES = (0.0, 2.0, 4.0, 8.0, 16.0, 35.0, 35.0, 35.0)
_NAMING_SECONDS = 62.0


@dataclass(slots=True)
class BackfillReport:
    """What a backfill did, or would do."""

    seen: int = 0
    #: Tickets in the view, where the desk tells.
    total: int | None = None
    #: Of those seen, how many are dealt with for this time.
    handled: int = 0
    born: int = 0
    existing: int = 0
    filtered: int = 0
    #: Rows of the listing that could not be read; a pair that exists reads its ticket by itself.
    unreadable: int = 0
    done: int = 0
    writes: int = 0
    parked: int = 0
    #: Pairs that wait for a desk, or for the daemon because of fresh changes.
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
        self._manner = Manner.NOTIFYING if is_notifying else Manner.QUIET
        self._workers = workers
        self._convoy = Convoy()
        self._importing = Importing(link, intake=intake, health=reconciler.health)
        #: Pairs that were imported by this run and are to be finished.
        self._finishing: set[PairId] = set()
        self.report = BackfillReport()
        #: Why it cannot go on.
        self._lost: RemoteError | None = None
        self._stopping = asyncio.Event()

    async def run(self, *, since: datetime | None, progress: Progress) -> BackfillReport:
        """Walk the view and bring every ticket in it into step.

        Cut off anywhere, the next run with the same `since` goes on with the page in hand.
        Raises `RemoteError` leaves when a listing fails or a desk is lost on the way, and
        `StoreUnavailable`.
        """
        PRIORITY.set(Priority.BACKFILL)
        logger().info("backfill.started", link=self._link.name)
        feed = f"backfill:{self._link.name}:{since.isoformat() if since else ''}"
        platform = self._link.connectors[Side.PLATFORM]
        cursor = await self._store.load_cursor(platform.name, feed) or None
        await self._finish_begun(progress)
        view = self._link.policy.view
        async for page in platform.view(view, since=since, cursor=cursor, has_threads=True):
            await self._take(page, progress)
            move = CursorMove(feed=feed, cursor="" if page.is_end else page.cursor or "")
            await self._intake.take(platform.name, (), cursor=move)
        await self._finish_importing(progress)
        logger().info("backfill.finished", link=self._link.name, born=self.report.born)
        return self.report

    async def preview(self, *, since: datetime | None, progress: Progress) -> BackfillReport:
        """What `run` would begin; writes nothing, neither here nor on a desk."""
        PRIORITY.set(Priority.BACKFILL)
        platform = self._link.connectors[Side.PLATFORM]
        async for page in platform.view(self._link.policy.view, since=since):
            await self._count(page)
            self.report.handled = self.report.seen
            progress(self.report)
        return self.report

    async def _count(self, page: ViewPage) -> list[Pair]:
        """Count a page's tickets by what becomes of them; the pairs that exist already."""
        report = self.report
        report.total = page.total
        pairs: list[Pair] = []
        for sighting in page.sightings:
            report.seen += 1
            found = await self._find(sighting.ticket_id)
            pairs += found
            if found:
                report.existing += 1
            elif sighting.ticket is None:
                report.unreadable += 1
            elif is_wanted(self._link.policy, sighting):
                report.born += 1
            else:
                report.filtered += 1
        return pairs

    async def _find(self, ticket_id: TicketId) -> list[Pair]:
        found = await self._store.find_pairs(link=self._link.name, ticket_id=ticket_id)
        # The partner's tickets have numbers, too, and one may be the same.
        return [pair for pair in found if pair.tickets[Side.PLATFORM] == ticket_id]

    async def _finish_begun(self, progress: Progress) -> None:
        """Pairs that an earlier run left half done, or whose comments it left out."""
        now = self._clock.now()
        due = await self._store.load_due(now, link=self._link.name, is_quiet=True)
        begun, unborn = [], []
        for pair_id, _ in due:
            run = await self._store.load_run(pair_id)
            imported = imported_in(run) if run is not None else None
            if imported is not None:
                self._importing.add(pair_id, imported)
            elif run is not None and run.pair.tickets[Side.PARTNER] is None:
                unborn.append(pair_id)
            else:
                begun.append(pair_id)
        await self._reconcile(begun, progress)
        await self._reconcile(unborn, progress, workers=_TOGETHER)

    async def _finish_importing(self, progress: Progress) -> None:
        """Have the imported comments named, as far as the desk's feed tells in good time."""
        waited = 0.0
        for pause in _NAMING_PAUSES:
            if not self._importing:
                return
            await wait_or_stop(self._clock, self._stopping, pause)
            waited += pause
            is_late = waited > _NAMING_SECONDS
            told = await self._importing.read(is_last=is_late)
            todo = self._importing.take(None if is_late else told)
            self._finishing.update(todo)
            await self._reconcile(todo, progress)
        self.report.waiting += len(self._importing)

    async def _take(self, page: ViewPage, progress: Progress) -> None:
        pairs = await self._count(page)
        platform = self._link.connectors[Side.PLATFORM]
        marked = await self._mark(platform.name, page.sightings)
        marked |= await self._compare_partners(pairs)
        marked = await self._ours(marked, pairs)
        self.report.handled = max(self.report.seen - len(marked), self.report.handled)
        progress(self.report)
        known = {pair.pair_id for pair in pairs}
        await self._reconcile(sorted(marked & known), progress, is_page=True)
        # Their imports share requests.
        await self._reconcile(sorted(marked - known), progress, is_page=True, workers=_TOGETHER)

    async def _mark(
        self, connection: ConnectionName, sightings: Sequence[Sighting]
    ) -> frozenset[PairId]:
        return await self._intake.take(
            connection, sightings, backfill=self._link.name, is_waking=False
        )

    async def _ours(self, marked: frozenset[PairId], known: Iterable[Pair]) -> frozenset[PairId]:
        """Without the pairs that other links have of the same tickets: they are the daemon's."""
        ours = marked & {pair.pair_id for pair in known}
        for pair_id in marked - ours:
            found = await self._store.find_pairs(link=self._link.name, pair_id=pair_id)
            ours |= {pair.pair_id for pair in found}
        return ours

    async def _compare_partners(self, pairs: Iterable[Pair]) -> frozenset[PairId]:
        """Existing twins may have moved, too; their fields tell, a hundred a request."""
        ids = [
            ticket_id
            for pair in pairs
            if pair.state is PairState.ACTIVE and (ticket_id := pair.tickets[Side.PARTNER])
        ]
        if not ids:
            return frozenset()
        partner = self._link.connectors[Side.PARTNER]
        return await self._mark(partner.name, await partner.fetch_many(ids))

    # --- pairs -----------------------------------------------------------------------------------

    async def _reconcile(
        self,
        pair_ids: Sequence[PairId],
        progress: Progress,
        *,
        is_page: bool = False,
        workers: int | None = None,
    ) -> None:
        todo = iter(pair_ids)

        async def worker() -> None:
            for pair_id in todo:
                self._add(pair_id, await self._run_to_end(pair_id))
                self.report.handled += is_page
                progress(self.report)
                if self._stopping.is_set():
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(workers or self._workers, len(pair_ids))):
                group.create_task(worker())
        if self._lost is not None:
            raise self._lost

    async def _run_to_end(self, pair_id: PairId) -> Outcome:
        """Run a pair until it is done or waits for longer than a moment."""
        waited = 0.0
        while True:
            try:
                with self._convoy.member():
                    outcome = await self._reconciler.reconcile(pair_id, manner=self._manner)
            except LeaseLost:
                return Outcome(result=Result.IDLE, is_dirty=True)
            self.report.writes += outcome.writes
            if outcome.imported is not None:
                return outcome
            if outcome.result is not Result.WAITING or outcome.retry_at is None:
                return outcome
            pause = max((outcome.retry_at - self._clock.now()).total_seconds(), 0.0)
            waited += pause
            self._lost = self._lost or self._lost_desk(is_patient=waited <= _PATIENCE_SECONDS)
            if self._lost is not None:
                # The others finish what they are at: a run that was cut short would have to be
                # mended.
                self._stopping.set()
            if waited > _PATIENCE_SECONDS or self._stopping.is_set():
                return outcome
            await wait_or_stop(self._clock, self._stopping, pause)

    def _lost_desk(self, *, is_patient: bool) -> RemoteError | None:
        """Thousands of pairs would otherwise be tried one by one against a desk that is down."""
        for connector in self._link.connectors.values():
            state = self._reconciler.health.state(connector.name)
            if state is ConnectionState.UNAUTHORISED:
                return Unauthorised(
                    "not allowed",
                    connection=connector.name,
                    action="backfill",
                    hint="`syncd check --online` says what is missing; then run it again.",
                )
            if state is ConnectionState.DOWN and not is_patient:
                return Unreachable(
                    "no answer for a while",
                    connection=connector.name,
                    action="backfill",
                    hint="Run it again when the desk is back: it goes on where it was.",
                )
        return None

    def _add(self, pair_id: PairId, outcome: Outcome) -> None:
        report = self.report
        if outcome.imported is not None:
            self._importing.add(pair_id, outcome.imported)
            return
        # The daemon may have been first with an import's names.
        is_named = pair_id in self._finishing and outcome.result is Result.IDLE
        report.done += outcome.result in (Result.DONE, Result.ENDED) or (
            is_named and not outcome.is_dirty
        )
        report.parked += outcome.result is Result.PARKED
        is_left = outcome.result is Result.IDLE and outcome.is_dirty
        report.waiting += outcome.result is Result.WAITING or is_left
        if outcome.left_out:
            report.left_out[pair_id] = outcome.left_out
