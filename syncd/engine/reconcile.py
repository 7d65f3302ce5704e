"""Reconcile: bring one pair into step, from whatever state it is in.

Who runs when is the controller's, the run itself `pair_run`'s, all decisions `syncd.core`'s.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count

import structlog

from syncd.core.errors import LeaseLost, StoreError
from syncd.core.mass_change import DrasticChange
from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.core.work import PairState, Park, Run, Step, Weighed
from syncd.engine.health import Health
from syncd.engine.lag import Lag
from syncd.engine.lanes import Lanes
from syncd.engine.links import Link, Links
from syncd.engine.outcome import Outcome, Result
from syncd.engine.pair_run import PairRun
from syncd.engine.pulse import Pulse
from syncd.engine.recovering import PairRecovery, Recovered, recover_first
from syncd.engine.work import Work
from syncd.log import logger
from syncd.ports import Clock, Store

_LEASE = timedelta(minutes=5)


class Manner(StrEnum):
    """Whose run it is, and so what it may do."""

    LIVE = "live"
    #: A backfill's: public comments are reported and left, old hand-offs are not run.
    QUIET = "quiet"
    #: A backfill's by a person who wants public comments sent.
    NOTIFYING = "notifying"


class Reconciler:
    """Runs pairs. Raises `StoreError` and `LeaseLost`; desks' errors and bugs end inside.

    `owner` names the process's part in the store: the leases that it leaves behind when it is
    killed are let go when the next process of that name begins.
    """

    def __init__(
        self,
        *,
        owner: str,
        store: Store,
        links: Links,
        clock: Clock,
        health: Health,
        lag: Lag,
    ) -> None:
        self._owner = owner
        self._store = store
        self._links = links
        self._clock = clock
        self._health = health
        self._lag = lag
        self.pulse = Pulse(clock)
        # What tells our lines from those of the process before us and of the one beside us.
        life = uuid.uuid4().hex[:6]
        self._run_ids = (f"{life}-{number:x}" for number in count(1))

    def links_of(self, connections: Collection[ConnectionName]) -> Sequence[LinkName]:
        """The links that use one of these connections."""
        return [
            link.name
            for link in self._links
            if any(c.name in connections for c in link.connectors.values())
        ]

    def is_behind(self, name: LinkName) -> bool:
        """Whether a desk of the link that was away, or refused us for its quota, is just back."""
        link = self._links.find(name)
        return link is not None and any(
            self._health.is_just_back(connector.name) for connector in link.connectors.values()
        )

    async def reconcile(
        self, pair_id: PairId, *, manner: Manner = Manner.LIVE, lanes: Lanes | None = None
    ) -> Outcome:
        """Bring one pair into step, as far as desks and budgets allow.

        What waits for a backfill is left to one, and a backfill leaves what waits for the daemon:
        that run is idle, and says that the pair is dirty. A run takes a place in the `lanes`, if
        there are any.
        """
        run = await self._store.load_run(pair_id)
        if run is None or run.pair.state is not PairState.ACTIVE:
            return Outcome(result=Result.IDLE)
        if not run.pair.is_dirty and not run.sent:
            return Outcome(result=Result.IDLE)
        is_backfill = manner is not Manner.LIVE
        if run.pair.is_paused:
            return Outcome(result=Result.IDLE, is_dirty=is_backfill)
        if run.pair.is_quiet is not is_backfill:
            return Outcome(result=Result.IDLE, is_dirty=is_backfill)
        link = self._links.find(run.pair.link)
        if link is None:
            # The link left the configuration: its pairs rest until it is back.
            return Outcome(result=Result.IDLE)
        # What has no twin yet is born by itself.
        may_share = run.pair.tickets[Side.PARTNER] is not None
        place = lanes.place(link.name, pair_id, may_share=may_share) if lanes else nullcontext(True)
        with place as has_place:
            if not has_place:
                return Outcome(result=Result.CROWDED)
            run_id = next(self._run_ids)
            with self.pulse.run(), structlog.contextvars.bound_contextvars(run_id=run_id):
                return await self._run(run, link, manner)

    async def _run(self, run: Run, link: Link, manner: Manner) -> Outcome:
        token = f"{self._owner}:{uuid.uuid4().hex}"
        is_backfill = manner is not Manner.LIVE
        work = Work(run, link, is_quiet=manner is Manner.QUIET, is_historic=is_backfill)
        pair_run = PairRun(self, run, link, token=token, work=work)
        try:
            if run.pair.is_doubtful:
                outcome = await recover_first(self, link, work, token=token)
                if outcome is not None:
                    return outcome
            return await pair_run.run()
        except LeaseLost:
            logger().info("pair.lease_lost", pair=run.pair.pair_id)
            raise
        except StoreError:
            raise
        except Exception as bug:  # noqa: BLE001 - the border: a bug parks one pair and no other
            return await pair_run.park_for(bug)

    async def recover(
        self, pair_id: PairId, *, is_ours: bool = False, is_dry: bool = False
    ) -> Recovered | None:
        """Find what an older store has forgotten of a pair, and write nothing to a desk; None for
        a pair that has ended, or whose link is not configured.

        With `is_dry` nothing is written here either. Raises `RemoteError` leaves, `LeaseLost` and
        `StoreError`.
        """
        run = await self._store.load_run(pair_id)
        link = None if run is None else self._links.find(run.pair.link)
        if run is None or link is None or run.pair.state is PairState.ENDED:
            return None
        token = f"{self._owner}:{uuid.uuid4().hex}"
        work = Work(run, link, is_quiet=False)

        async def record(step: Step) -> None:
            if not is_dry:
                await self.record(pair_id, token, step)

        recovered = await PairRecovery(self, link, work, record=record, is_ours=is_ours).run()
        now = self._clock.now()
        park = recovered.park
        await record(work.step(park=park, is_recovered=park is None, not_before=now))
        return recovered

    # What a run needs of its surroundings.

    async def record(self, pair_id: PairId, token: str, step: Step) -> bool:
        now = self._clock.now()
        is_dirty = await self._store.step(pair_id, token, step, now=now, lease_until=now + _LEASE)
        self.pulse.moved()
        self._health.recorded(step)
        if not is_dirty:
            self._lag.rested(pair_id)
        return is_dirty

    def delivered(self, pair_id: PairId, link: LinkName, to: Side) -> None:
        self._lag.delivered(pair_id, link, to)

    async def count_hops(self, pair_id: PairId, *, since: datetime) -> Mapping[Side, int]:
        return await self._store.count_hops(pair_id, since=since)

    async def weigh(self, pair_id: PairId, changes: Sequence[DrasticChange], link: Link) -> Weighed:
        return await self._store.weigh(
            pair_id,
            changes,
            policy=link.policy,
            has_views=link.capabilities[Side.PLATFORM].has_views,
            now=self._clock.now(),
        )

    async def stop_link(self, link: LinkName, park: Park) -> None:
        await self._store.park_link(link, park, now=self._clock.now())

    async def our_writers(self, connection: ConnectionName) -> frozenset[str]:
        return await self._store.our_writers(connection)

    async def holders(self, connection: ConnectionName, ticket_id: TicketId) -> frozenset[PairId]:
        return await self._store.holders(connection, ticket_id)

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def health(self) -> Health:
        return self._health
