"""The one task that asks after everybody's jobs: it speaks for all who wait, and for none alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import structlog

from connectors.zendesk import wire
from connectors.zendesk.client import ZendeskClient
from connectors.zendesk.jobs import Jobs
from connectors.zendesk.together import Together
from syncd.core.model import ConnectionName
from syncd.ports import PRIORITY, Priority
from tests.support.clock import FakeClock


class Account(ZendeskClient):
    """Jobs that end when a test says so; keeps under what each question was asked."""

    def __init__(self) -> None:
        self.over: set[str] = set()
        self.asked: list[tuple[Priority, object]] = []

    async def jobs_of(self, job_ids: Sequence[str]) -> Sequence[wire.Job]:
        run_id = structlog.contextvars.get_contextvars().get("run_id")
        self.asked.append((PRIORITY.get(), run_id))
        return [
            wire.Job(id=job_id, status="completed" if job_id in self.over else "working")
            for job_id in job_ids
        ]


def a_wait(jobs: Jobs, job_id: str, *, run_id: str, priority: Priority) -> asyncio.Task[wire.Job]:
    """A run that waits for its job, as the controller starts one."""

    async def run() -> wire.Job:
        PRIORITY.set(priority)
        with structlog.contextvars.bound_contextvars(run_id=run_id):
            return await jobs.end_of(wire.Job(id=job_id, status="queued"))

    return asyncio.create_task(run())


async def test_a_shared_question_is_in_nobodys_run_and_as_urgent_as_the_most_urgent_wait() -> None:
    account, clock = Account(), FakeClock(is_manual=True)
    jobs = Jobs(ConnectionName("acme"), account, clock)
    first = a_wait(jobs, "a", run_id="1", priority=Priority.BACKFILL)
    await clock.play(5)
    assert set(account.asked) == {(Priority.BACKFILL, None)}

    account.asked.clear()
    second = a_wait(jobs, "b", run_id="2", priority=Priority.LIVE)
    await clock.play(15)
    assert set(account.asked) == {(Priority.LIVE, None)}

    account.over.add("b")
    await clock.play(30)
    assert (await second).status == "completed"
    account.asked.clear()
    await clock.play(45)
    # Whoever is left is in no hurry.
    assert set(account.asked) == {(Priority.BACKFILL, None)}
    account.over.add("a")
    await clock.play(60)
    assert (await first).status == "completed"
    await jobs.close()


@pytest.mark.parametrize(("count", "run_ids"), [(1, {"0"}), (2, {None})])
async def test_what_goes_together_is_in_nobodys_run(count: int, run_ids: set[object]) -> None:
    seen: set[object] = set()

    async def carry(items: Sequence[int]) -> Sequence[int | Exception]:
        seen.add(structlog.contextvars.get_contextvars().get("run_id"))
        return list(items)

    together = Together(carry)

    async def run(number: int) -> int:
        with structlog.contextvars.bound_contextvars(run_id=str(number)):
            return await together.add(number)

    assert await asyncio.gather(*map(run, range(count))) == list(range(count))
    assert seen == run_ids
