"""The account's background jobs: wait for ours, and look through all of them for a lost one.

A job that completed can hold failed rows, and one whose id we never learnt can still be at work:
until it is over, nothing that it may carry is sent again.
https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.zendesk import wire
from connectors.zendesk.client import ZendeskClient
from syncd.core.errors import OutcomeUnknown, RemoteError
from syncd.core.model import ConnectionName
from syncd.log import leave_run
from syncd.ports import PRIORITY, Clock, Priority

_FIRST_LOOK_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 8.0
#: A job that is not over by then is left to itself; its rows are looked for later.
PATIENCE_SECONDS = 300.0
_BUSY_SECONDS = 2.0
_OVER = frozenset({"completed", "failed", "killed"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Awaited:
    """Who is told of a job's end, and how urgent that is."""

    ended: asyncio.Future[wire.Job]
    priority: Priority


class Jobs:
    """Background jobs of one account."""

    def __init__(self, name: ConnectionName, client: ZendeskClient, clock: Clock) -> None:
        self._name = name
        self._client = client
        self._clock = clock
        #: Those that somebody here waits for.
        self._awaited: dict[str, _Awaited] = {}
        self._looking: asyncio.Task[None] | None = None
        #: Until then strange jobs count as being at work: a hundred ask after the same one.
        self._busy_until = 0.0

    async def end_of(self, job: wire.Job) -> wire.Job:
        """The job when it is over, however it ended. Raises `OutcomeUnknown` after five minutes,
        and for one that the account does not know any more.
        """
        if job.status in _OVER:
            return job
        ended: asyncio.Future[wire.Job] = asyncio.get_running_loop().create_future()
        self._awaited[job.id] = _Awaited(ended=ended, priority=PRIORITY.get())
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            return await ended
        finally:
            self._awaited.pop(job.id, None)

    async def all_over(self) -> Sequence[wire.Job]:
        """Every job that the account still tells of. Raises what a read may raise, and
        `OutcomeUnknown` while one is at work whose rows nobody here knows.
        """
        busy = "a job that may be ours is still at work"
        if self._clock.monotonic() < self._busy_until:
            raise self._unknown(busy)
        jobs = await self._client.jobs()
        if any(job.status not in _OVER and job.id not in self._awaited for job in jobs):
            self._busy_until = self._clock.monotonic() + _BUSY_SECONDS
            raise self._unknown(busy)
        return [job for job in jobs if job.status in _OVER]

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        """One question for all that are awaited, again and again with growing pauses."""
        leave_run()
        pause = _FIRST_LOOK_SECONDS
        began = {job_id: self._clock.monotonic() for job_id in self._awaited}
        try:
            while self._awaited:
                await self._clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                asked = tuple(self._awaited)
                fresh = [job_id for job_id in asked if job_id not in began]
                if fresh:
                    pause = _FIRST_LOOK_SECONDS * 2
                began |= dict.fromkeys(fresh, self._clock.monotonic())
                await self._ask(asked)
                for job_id in asked:
                    if self._clock.monotonic() - began[job_id] > PATIENCE_SECONDS:
                        self._give_up(job_id, "the job takes too long")
        finally:
            self._looking = None
            for job_id in tuple(self._awaited):
                self._give_up(job_id, "nobody looks for the job any more")

    async def _ask(self, asked: Sequence[str]) -> None:
        # Whoever began to look need not be whoever is in a hurry.
        PRIORITY.set(min(self._awaited[job_id].priority for job_id in asked))
        try:
            found = {job.id: job for job in await self._client.jobs_of(asked)}
        except RemoteError:
            # The next look may be answered; the patience is limited.
            return
        for job_id in asked:
            job = found.get(job_id)
            if job is None:
                self._give_up(job_id, "the account does not know the job any more")
            elif job.status in _OVER:
                waiting = self._awaited.pop(job_id, None)
                if waiting is not None and not waiting.ended.done():
                    waiting.ended.set_result(job)

    def _give_up(self, job_id: str, why: str) -> None:
        waiting = self._awaited.pop(job_id, None)
        if waiting is not None and not waiting.ended.done():
            waiting.ended.set_exception(self._unknown(why))

    def _unknown(self, message: str) -> OutcomeUnknown:
        return OutcomeUnknown(message, connection=self._name, action="wait for job")
