"""A backfill between both desks, and what it must not have caused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from syncd.core.model import Side
from syncd.core.work import CursorMove
from syncd.engine.backfill import Backfill, BackfillReport
from syncd.engine.poll import FEED
from tests.engine.both_desks import CUSTOMER, LINK, LOOK_SECONDS, BothDesks

#: What the desk's own triggers leave on a ticket that was not imported.
TRIGGERED = {"auto_triage", "area_general", "in_conversation"}


async def backfilled(
    desks: BothDesks, *, since: datetime | None = None, notify: bool = False
) -> BackfillReport:
    """One backfill of acme's link, run to its end."""
    work = a_backfill(desks, notify=notify).run(since=since, progress=_nobody)
    # In a task of its own: its priority is not for what follows.
    return await asyncio.create_task(work)


async def counted(desks: BothDesks) -> BackfillReport:
    """A dry run of the same."""
    work = a_backfill(desks).preview(since=None, progress=_nobody)
    return await asyncio.create_task(work)


def a_backfill(desks: BothDesks, *, notify: bool = False) -> Backfill:
    link = desks.made.links.find(LINK)
    assert link is not None
    return Backfill(
        link,
        store=desks.made.store,
        intake=desks.made.intake,
        reconciler=desks.made.reconciler,
        clock=desks.clock,
        is_notifying=notify,
    )


async def miss(desks: BothDesks) -> None:
    """Put every feed's cursor to the present: the daemon was not there for what came before."""
    desks.clock.advance(LOOK_SECONDS)
    for name, connector in desks.made.links.connectors().items():
        page = await connector.read_changes(None)
        await desks.made.intake.take(name, (), cursor=CursorMove(feed=FEED, cursor=page.cursor))


async def a_pair(desks: BothDesks, html: str = "<p>womit es begann</p>", **members: Any) -> str:
    """A ticket whose twin the daemon has made, everything in step; the ticket's id."""
    ticket_id = desks.open_ticket(html, **members)
    await desks.settle()
    return ticket_id


def mails(desks: BothDesks) -> tuple[int, int]:
    """How many notifications each desk has sent."""
    partner = desks.partners["acme"].desk.account
    return len(desks.platform.platform.register.mails), len(partner.notifications)


@asynccontextmanager
async def silence(desks: BothDesks) -> AsyncIterator[None]:
    """Nobody is mailed meanwhile, by either desk."""
    before = mails(desks)
    yield
    assert mails(desks) == before


def a_history(desks: BothDesks, count: int = 3, **members: Any) -> str:
    """A ticket with so many public comments, a minute between them."""
    ticket_id = desks.open_ticket("<p>Satz 0 der Reihe</p>", **members)
    for number in range(1, count):
        desks.clock.advance(60)
        desks.write(ticket_id, f"<p>Satz {number} der Reihe</p>", who=CUSTOMER)
    return ticket_id


def kinds(desks: BothDesks, side: Side) -> dict[str, int]:
    """How many requests of each kind reached a desk since they were forgotten."""
    found: dict[str, int] = {}
    for method, template in desks.requests(side):
        name = f"{method} {template}"
        found[name] = found.get(name, 0) + 1
    return found


def _nobody(report: BackfillReport) -> None:
    del report
