"""A link that a reload takes out rests with what it had begun, and goes on where it was."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import syncd.daemon
from config.loaded import Config
from connectors.platform.sandbox.act import act
from connectors.sandbox import Fault, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox
from tests.engine.both_desks import AGENT, CUSTOMER
from tests.engine.test_daemon import Surroundings, surroundings
from tests.engine.test_reload import a_daemon, count, hang_up
from tests.engine.wiring import SECRETS, VIEWS, a_config
from tests.support.serve import served

WORDS = ("vor dem Neuladen", "waehrend sie fehlt", "vom Partner")


@dataclass(kw_only=True)
class TwoPartners:
    """Two links; acme's stays, globex's goes and comes back."""

    around: Surroundings
    globex: ZendeskSandbox
    globex_address: str
    #: What the next reload finds.
    config: Config

    def opened(self, partner: str) -> str:
        deed = {"as": CUSTOMER, "do": "open", "subject": "Betreff", "body_html": "<p>Hilfe</p>"}
        register = self.around.platform.platform.register
        done: Any = act(register, deed | {"view": VIEWS[partner]})
        return str(done["ticket"]["id"])

    def written(self, ticket_id: str, words: str) -> None:
        act(
            self.around.platform.platform.register,
            {
                "as": CUSTOMER,
                "do": "update",
                "ticket_id": ticket_id,
                "comment": {"body_html": f"<p>{words}</p>"},
            },
        )

    async def answered(self, words: str) -> None:
        (ticket,) = self.globex.desk.account.tickets.values()
        async with httpx.AsyncClient(base_url=self.globex_address) as client:
            comment = {"html": f"<p>{words}</p>", "public": True}
            deed = {"as": AGENT, "ticket_id": ticket.id, "comment": comment}
            (await client.post("/_sandbox/act", json=deed)).raise_for_status()

    def heard(self, desk: ZendeskSandbox, words: str) -> int:
        """How many comments at a partner's hold the words."""
        tickets = desk.desk.account.tickets.values()
        return sum(words in comment.body for ticket in tickets for comment in ticket.comments)

    def read(self, words: str) -> int:
        """How many at the platform."""
        tickets = self.around.platform.platform.register.tickets.values()
        updates = [update for ticket in tickets for update in ticket.updates]
        return sum(words in update.comment.body_html for update in updates if update.comment)

    async def reloaded(self, config: Config) -> None:
        ready = count(self.around, "daemon.ready")
        self.config = config
        hang_up()
        await self.around.until(lambda: count(self.around, "daemon.ready") == ready + 1)


@contextlib.asynccontextmanager
async def two_partners(folder: Path) -> AsyncIterator[TwoPartners]:
    """A daemon with two links, and a ticket in step at each."""
    globex = ZendeskSandbox(time=SandboxTime(scale=60))
    async with surroundings(folder) as around, served(globex) as address:
        around.config = a_config(folder, around.addresses | {"globex": address}, SECRETS)
        both = TwoPartners(
            around=around, globex=globex, globex_address=address, config=around.config
        )
        async with a_daemon(around, lambda: both.config):
            yield both


def without_globex(config: Config) -> Config:
    return replace(
        config,
        connections={name: each for name, each in config.connections.items() if name != "globex"},
        links={name: each for name, each in config.links.items() if name != VIEWS["globex"]},
    )


@pytest.mark.parametrize("what", ["waits", "is_unanswered"])
async def test_a_link_that_was_out_goes_on_with_what_it_had_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(syncd.daemon, "_GRACE_SECONDS", 0.2)
    async with two_partners(tmp_path) as both:
        around, globex = both.around, both.globex
        acmes, theirs = both.opened("acme"), both.opened("globex")
        await around.until(lambda: around.twins() == 1)
        await around.until(lambda: len(globex.desk.account.tickets) == 1)
        await around.until(lambda: count(around, "pair.reconciled") >= 2)

        refused = Fault(
            action="status", status=429, kind="write", times=None, headers=(("retry-after", "1"),)
        )
        held = Fault(action="hold_after", kind="write")
        globex.faults.arm(refused if what == "waits" else held)
        both.written(theirs, WORDS[0])
        if what == "waits":
            await around.until(lambda: "connection.limited" in around.events())
        else:
            await around.until(lambda: both.heard(globex, WORDS[0]) == 1)
        whole = both.config
        await both.reloaded(without_globex(whole))
        globex.faults.clear()
        asked = globex.log.request_count

        both.written(theirs, WORDS[1])
        await both.answered(WORDS[2])
        history = both.opened("globex")
        both.written(acmes, "an Acme")
        await around.until(lambda: both.heard(around.partner, "an Acme") == 1)
        assert globex.log.request_count == asked
        assert both.read(WORDS[2]) == 0

        await both.reloaded(whole)
        await around.until(lambda: both.heard(globex, WORDS[1]) == 1)
        await around.until(lambda: both.read(WORDS[2]) == 1)
        both.written(theirs, "danach")
        await around.until(lambda: both.heard(globex, "danach") == 1)
        assert [both.heard(globex, words) for words in WORDS] == [1, 1, 1]
        assert [both.read(words) for words in WORDS] == [1, 1, 1]
        # Escalated while nobody looked, it is history, and a backfill's.
        assert history
        assert len(globex.desk.account.tickets) == 1
        assert count(around, "pair.parked") == 0
    assert await around.sent_count() == 0
