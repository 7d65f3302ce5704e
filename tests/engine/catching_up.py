"""A partner's desk that is away while its tickets change, and the daemon that catches up."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, VIEWS, BothDesks, both_know

MANY = "PUT /api/v2/tickets/update_many"
DOWN: Any = {"action": "status", "status": 503, "times": 100_000, "path": "^/api/v2/"}


@contextlib.asynccontextmanager
async def working(desks: BothDesks) -> AsyncIterator[None]:
    """The daemon's own workers run; ended when the block is left."""
    task = asyncio.create_task(desks.controller.run())
    try:
        yield
    finally:
        desks.controller.stop()
        async with asyncio.timeout(60):
            await asyncio.gather(task, return_exceptions=True)


async def born(desks: BothDesks, count: int, *, partner: str = "acme") -> list[str]:
    """So many pairs in step."""
    tickets = [desks.open_ticket(f"<p>Frage {n:05}</p>", view=VIEWS[partner]) for n in range(count)]
    await desks.settle()
    return tickets


def change(desks: BothDesks, tickets: list[str]) -> None:
    """One update each at the platform: a status, a tag, a comment of either kind."""
    for number, ticket_id in enumerate(tickets):
        said = f"<p>Nachtrag {number:05}</p>"
        match number % 4:
            case 0:
                desks.write(ticket_id, said)
            case 1:
                desks.write(ticket_id, said, who=STAFF, visibility="private", views=[VIEWS["acme"]])
            case 2:
                desks.write(ticket_id, who=STAFF, status="With customer")
            case _:
                desks.write(ticket_id, who=STAFF, add_tags=["t-urgent"])


def hold_all(desks: BothDesks, tickets: list[str]) -> None:
    """Assert that each change is at the partner, once, and as private as it was."""
    for number, ticket_id in enumerate(tickets):
        twin = desks.twin(ticket_id)
        match number % 4:
            case 0 | 1:
                both_know(desks, ticket_id, f"Nachtrag {number:05}")
                (heard,) = desks.heard(ticket_id, f"Nachtrag {number:05}")
                assert heard.is_public is (number % 4 == 0)
            case 2:
                assert twin.values["status"] == "pending"
            case _:
                assert "t-urgent" in twin.values["tags"]


def sent(desks: BothDesks, partner: str = "acme") -> Counter[str]:
    """The writes that reached a partner, by kind."""
    rows = (f"{m} {t}" for m, t in desks.requests(Side.PARTNER, partner))
    return Counter(r for r in rows if not r.startswith("GET") and "oauth" not in r)


async def outage(desks: BothDesks, tickets: list[str]) -> None:
    """The partner is down while its tickets change at the platform."""
    desks.arm(Side.PARTNER, **DOWN)
    change(desks, tickets)
    desks.clock.advance(70)
    await desks.poll()
    await desks.run_due()
    desks.disarm()
    desks.forget_requests()


async def go_missing(desks: BothDesks) -> None:
    """The partner is away for one look at its feed, and back at the next."""
    desks.arm(Side.PARTNER, **DOWN)
    desks.clock.advance(70)
    await desks.poll()
    desks.disarm()


async def catch_up(desks: BothDesks) -> None:
    """The desk is back, and the daemon works until nothing waits but names."""
    desks.clock.advance(70)
    await desks.poll()
    async with working(desks), asyncio.timeout(60):
        while await unsent(desks):
            await desks.poll()


async def unsent(desks: BothDesks) -> bool:
    """Whether some pair is due that has nothing on its way."""
    for pair_id, _ in await desks.made.store.load_due(desks.clock.now()):
        run = await desks.made.store.load_run(pair_id)
        if run is not None and not run.sent:
            return True
    return False


async def rest(desks: BothDesks) -> None:
    """Everything gets its name, and then nothing more happens."""
    await desks.settle()
    assert {pair.state for pair in await desks.pairs()} == {PairState.ACTIVE}
    assert not await desks.made.store.load_due(desks.clock.now())
