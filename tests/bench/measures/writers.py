"""One private comment written to Zendesk: our connector, zenpy's bare PUT, zenpy reading first.

The same desk, the same tickets in turns. Ours carries a stamp, so that it can undo nobody's change
and be found again when its answer is lost; zenpy's bare write has neither.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from connectors import registry
from syncd.core.model import Audience, ConnectionName, TicketId
from syncd.core.operations import Intent
from syncd.engine.budget import BudgetLedger
from syncd.engine.clock import SystemClock
from syncd.ports import Connector, Read
from tests.bench import world
from tests.bench.figure import Against, Figure, Json, Measured, rounded
from tests.bench.measures import Bench
from tests.bench.peers.zenpy_process import ZenpyProcess, zenpy_process
from tests.bench.stopwatch import percentile
from tests.bench.world import Desks, Scale, Twin
from tests.support.build import a_draft, an_intent, an_update

_TICKETS = 20
_BARE, _READING = "zenpy, bare PUT", "zenpy, reading first"


def measure(bench: Bench) -> Measured:
    """Several runs, each over all tickets, all writers in turns."""
    runs = bench.times(5, 2)
    seconds: dict[str, list[float]] = {"ours": [], _BARE: [], _READING: []}
    requests: dict[str, list[float]] = {"ours": [], _BARE: [], _READING: []}
    with (
        world.desks(bench.folder / "desks", Scale(tickets=_TICKETS)) as there,
        zenpy_process("zenpy_writer", there.partners[0]) as zenpy,
        asyncio.Runner() as runner,
    ):
        twins = world.open_both(there)
        ours = _Ours(there)
        partner = there.partners[0]
        for number in range(runs):
            bench.say(f"run {number + 1} of {runs}")
            html = world.text_of(number)
            for name, times in seconds.items():
                # A mirror knows what others wrote; ours is told by a read that does not count.
                runner.run(ours.look(twins))
                before = partner.call("GET", "/_sandbox")["requests"]
                if name == "ours":
                    taken = runner.run(ours.write(twins, html))
                else:
                    taken = _ask(zenpy, twins, html, is_read_first=name == _READING)
                after = partner.call("GET", "/_sandbox")["requests"]
                times.append(1000 * percentile(taken, 0.5))
                requests[name].append((after - before) / len(twins))
        runner.run(ours.close())
    return Measured(
        title="Writing one private comment",
        figures=tuple(
            figure
            for peer in (_BARE, _READING)
            for figure in (
                Figure(
                    name=f"our connector beside {peer}",
                    unit="ms",
                    runs=rounded(seconds["ours"], 3),
                    against=Against(name=peer, runs=rounded(seconds[peer], 3)),
                ),
                Figure(
                    name=f"its requests beside {peer}",
                    unit="requests",
                    runs=tuple(requests["ours"]),
                    against=Against(name=peer, runs=tuple(requests[peer])),
                ),
            )
        ),
        conditions=(
            f"{_TICKETS} tickets of one account, one comment each a run, one at a time;"
            " a run's time is its median. Ours knows the tickets from its mirror.",
        ),
    )


class _Ours:
    """The Zendesk connector by itself."""

    def __init__(self, there: Desks) -> None:
        partner = there.partners[0]
        settings_class = registry.load("zendesk", "settings").Settings
        settings = settings_class.model_validate(
            {
                "kind": "zendesk",
                "url": partner.address,
                "oauth": {"client_id": partner.client_id, "client_secret": partner.client_secret},
                "budget": {"share": "95%", "per_minute": 2500},
            }
        )
        clock = SystemClock()
        self._connector: Connector = registry.load("zendesk", "connector").connect(
            ConnectionName("acme"),
            settings,
            budget=BudgetLedger(settings.budget, clock=clock),
            clock=clock,
            on_request=None,
            wanted=None,
        )
        self._preconditions: dict[str, str | None] = {}

    async def look(self, twins: Sequence[Twin]) -> None:
        """Bring the mirror up to date."""
        for twin in twins:
            seen = await self._connector.fetch(TicketId(twin.partner_id), Read.FIELDS)
            ticket = seen.ticket if seen is not None else None
            self._preconditions[twin.partner_id] = ticket.precondition if ticket else None

    async def write(self, twins: Sequence[Twin], html: str) -> list[float]:
        """Seconds of each write."""
        taken = []
        for twin in twins:
            intent = self._intent(twin, html)
            begun_at = time.perf_counter()
            await self._connector.write(intent)
            taken.append(time.perf_counter() - begun_at)
        return taken

    async def close(self) -> None:
        await self._connector.close()

    def _intent(self, twin: Twin, html: str) -> Intent:
        draft = a_draft(html, audience=Audience.SHARED)
        stamp = f"bench:{time.monotonic_ns()}"
        op = an_update(stamp, ticket_id=twin.partner_id, comment=draft)
        return an_intent(op, stamp=stamp, precondition=self._preconditions[twin.partner_id])


def _ask(
    zenpy: ZenpyProcess, twins: Sequence[Twin], html: str, *, is_read_first: bool
) -> list[float]:
    """Seconds of each write."""
    ticket_ids = [int(twin.partner_id) for twin in twins]
    wanted: Json = {"ticket_ids": ticket_ids, "html": html, "is_read_first": is_read_first}
    taken: list[float] = zenpy.ask(wanted)
    return taken
