"""A view full of old tickets, two desks that count every request, and backfills as processes.

The desks live in this process, the backfill does not: it is started as people start it, and may be
killed at any of its requests. What must hold in the end is judged here, from what the desks hold,
and not with syncd's own rules: every comment has a word of its own, so that it can be counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.load import load
from connectors import registry
from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
from connectors.platform.sandbox.act import act
from connectors.platform.sandbox.model import Ticket as PlatformTicket
from connectors.platform.sandbox.seed import add_person
from connectors.sandbox import Fault, Sandbox, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox, ZendeskSettings
from connectors.zendesk.sandbox.records import Ticket as PartnerTicket
from syncd.app import parts
from syncd.cli.demo.desks import Desk
from syncd.core.model import LinkName
from syncd.engine.backfill import Backfill
from tests.support.serve import served_in_thread

REPOSITORY = Path(__file__).resolve().parents[2]
LINK = VIEW = "acme-postgres"
CUSTOMER, STAFF, AGENT = "Mia Keller", "Hana Sato", "alice@acme.test"
SYNCD = "syncd@acme.test"
STATUSES = {"Open": {"new", "open", "hold"}, "With customer": {"pending"}, "Closed": {"solved"}}
COMMENTS = 5
_DAY = 86_400.0
_SECONDS = 120.0
_WORD = re.compile(r"\bw\d+x\d+\b")
CONFIG = """\
version: 1
store: sqlite:///{folder}/syncd.db
server: {{listen: "127.0.0.1:0"}}
log: {{format: json, level: info}}
connections:
  heroku:
    kind: platform
    url: "{platform}"
    token: platform-token
    budget: {{share: 100%, per_minute: {quota}}}
    poll: {{every: 300ms}}
  acme:
    kind: zendesk
    url: "{partner}"
    oauth: {{client_id: syncd, client_secret: sandbox-client-secret}}
    budget: {{share: 100%, per_minute: {quota}}}
    exports_per_minute: 1200
    poll: {{every: 300ms}}
links:
  acme-postgres:
    platform: heroku/acme-postgres
    partner: {{connection: acme, group: Heroku}}
    tags: {{share: ["t-*"]}}
    filter: {{metadata: {{plan: [premium, standard]}}}}
"""


@dataclass(slots=True)
class Calendar:
    """The desks' clock: the present, or some days before it."""

    days_ago: float = 0.0

    def now(self) -> float:
        return time.time() - self.days_ago * _DAY


@dataclass(kw_only=True)
class OldView:
    """Both desks, the configuration, and what was written where."""

    folder: Path
    calendar: Calendar
    platform: PlatformSandbox
    partner: ZendeskSandbox
    controls: tuple[Desk, Desk]
    #: Words of comments that may not cross for now, by the ticket they were written on.
    kept_back: set[str] = field(default_factory=set)
    #: Words of comments that are nobody's business but their own desk's.
    private: set[str] = field(default_factory=set)
    #: Tickets that no twin may be made of.
    unwanted: set[str] = field(default_factory=set)
    #: Notes of syncd on a twin beside the context note.
    notes: Counter[str] = field(default_factory=Counter)
    #: Somebody else is at the desks, too: people act by HTTP, between the requests of others.
    is_live: bool = False
    _words: int = 0

    # --- what people wrote -----------------------------------------------------------------------

    def word(self, ticket_number: int) -> str:
        """A word that no other comment has."""
        self._words += 1
        return f"w{ticket_number}x{self._words}"

    def act(self, who: str, do: str, **members: Any) -> dict[str, Any]:
        """Somebody does something at the platform."""
        if self.is_live:
            return dict(self.controls[0].act(who, do, **members))
        return act(self.platform.platform.register, {"as": who, "do": do, **members})

    def fill(self, count: int, *, seed: int = 0, are_strangers: bool = False) -> list[str]:
        """So many old tickets with five comments each, of one customer or each of another one;
        their ids.
        """
        dice = random.Random(seed)
        made = []
        for number in range(count):
            self.calendar.days_ago = 40 - 30 * number / count
            made.append(self._ticket(dice, who=self._stranger() if are_strangers else CUSTOMER))
        self.calendar.days_ago = 0.0
        return made

    def _stranger(self) -> str:
        register = self.platform.platform.register
        name = f"Kundin {len(register.people)}"
        return add_person(register, name=name, role="customer").name

    def _ticket(self, dice: random.Random, *, who: str) -> str:
        plan = dice.choice(["premium", "standard", "standard", "alpha"])
        number = len(self.platform.platform.register.tickets) + 1
        ticket_id = str(
            self.act(
                who,
                "open",
                subject=f"Ticket {number}",
                body_html=f"<p>Anfang {self.word(number)}</p>",
                tags=dice.sample(["t-db", "t-urgent", "intern"], 2),
                metadata={"plan": plan},
                view=VIEW,
            )["ticket"]["id"]
        )
        if plan == "alpha":
            self.unwanted.add(ticket_id)
        for _ in range(COMMENTS - 1):
            self.calendar.days_ago -= 0.02
            self.comment(ticket_id, dice)
        if dice.random() < 0.5:
            status = dice.choice(["With customer", "Closed"])
            self.act(STAFF, "update", ticket_id=ticket_id, status=status)
        return ticket_id

    def comment(self, ticket_id: str, dice: random.Random) -> str:
        """Somebody writes something on the platform's ticket; its word."""
        word = self.word(self.platform.platform.register.tickets[ticket_id].number)
        kind = dice.choice(["public", "public", "shared", "staff only", "local"])
        if kind == "public":
            self.say(ticket_id, word, who=dice.choice([CUSTOMER, STAFF]))
        elif kind == "shared":
            self.say(ticket_id, word, views=[VIEW])
        else:
            self.private.add(word)
            views = [VIEW] if kind == "local" else []
            self.say(ticket_id, word, views=views, before="#local " if kind == "local" else "")
        return word

    def say(
        self,
        ticket_id: str,
        word: str,
        *,
        who: str = STAFF,
        views: list[str] | None = None,
        before: str = "",
    ) -> None:
        comment: dict[str, Any] = {"body_html": f"<p>{before}Text {word}</p>"}
        if views is not None:
            comment |= {"visibility": "private", "views": views}
        self.act(who, "update", ticket_id=ticket_id, comment=comment)

    def answer(self, ticket_id: str, **members: Any) -> None:
        """An agent changes the twin in one update."""
        (twin,) = self.twins(ticket_id)
        self.controls[1].act(AGENT, "update", ticket_id=twin.id, **members)

    # --- looking ---------------------------------------------------------------------------------

    def ticket(self, ticket_id: str) -> PlatformTicket:
        return self.platform.platform.register.tickets[ticket_id]

    def twins(self, ticket_id: str) -> list[PartnerTicket]:
        key = f"syncd:{LINK}:{ticket_id}"
        account = self.partner.desk.account
        return [t for t in account.tickets.values() if t.values["external_id"] == key]

    def mails(self) -> tuple[int, int]:
        """How many notifications each desk has sent."""
        register, account = self.platform.platform.register, self.partner.desk.account
        return len(register.mails), len(account.notifications)

    def triggered(self) -> list[int]:
        """Twins on which a trigger of the desk ran."""
        return [
            ticket.id
            for ticket in self.partner.desk.account.tickets.values()
            for audit in ticket.audits
            for event in audit.events
            if event.via is not None and event.via.rel == "trigger"
        ]

    def request_counts(self) -> tuple[int, int]:
        """How many requests have reached each desk, tokens included."""
        return self.platform.log.request_count, self.partner.log.request_count

    def asked(self) -> dict[str, int]:
        """How many requests of each kind stand in the desks' logs."""
        entries = [*self.platform.log.since(0), *self.partner.log.since(0)]
        return dict(Counter(f"{entry.method} {entry.template}" for entry in entries))

    def differences(self) -> list[str]:
        """Everything in which the desks are not what one another should be."""
        found: list[str] = []
        for ticket in self.platform.platform.register.tickets.values():
            twins = self.twins(ticket.id)
            wanted = 0 if ticket.id in self.unwanted else 1
            if len(twins) != wanted:
                found.append(f"{ticket.id} has {len(twins)} twins")
            elif twins:
                found += [f"{ticket.id}: {line}" for line in self._unequal(ticket, twins[0])]
        return found

    def _unequal(self, ticket: PlatformTicket, twin: PartnerTicket) -> Iterator[str]:
        if ticket.subject != twin.values["subject"]:
            yield "subjects differ"
        if twin.status not in STATUSES[ticket.status]:
            yield f"{ticket.status} is {twin.status}"
        shared = {tag for tag in ticket.tags if tag.startswith("t-")}
        if shared != {tag for tag in twin.tags if tag.startswith("t-")}:
            yield f"tags differ: {ticket.tags}, {twin.tags}"
        here, there = _told_here(ticket), _told_there(twin)
        expected = {w: p for w, p in here.items() if w not in self.private | self.kept_back}
        for word in (self.private | self.kept_back) & here.keys() & there.keys():
            if word not in self._written_on(twin):
                yield f"{word} must not be there"
        of_both = [word for word in here if word in expected and word in there]
        if list(expected) != of_both:
            yield f"missing there: {sorted(expected.keys() - there.keys())}"
        if any(there[word] != is_public for word, is_public in expected.items() if word in there):
            yield "visibilities differ"
        back = {w: p for w, p in there.items() if w not in self.kept_back}
        if not back.keys() <= here.keys():
            yield f"missing here: {sorted(back.keys() - here.keys())}"
        yield from self._doubled(ticket, twin)

    def _doubled(self, ticket: PlatformTicket, twin: PartnerTicket) -> Iterator[str]:
        words_here = [w for u in ticket.updates if u.comment for w in _words(u.comment.body_html)]
        words_there = [w for c in twin.comments for w in _words(c.body)]
        for where, words in (("here", words_here), ("there", words_there)):
            doubled = [word for word, count in Counter(words).items() if count > 1]
            if doubled:
                yield f"doubled {where}: {doubled}"
        notes = [comment for comment in twin.comments if not _words(comment.body)]
        if len(notes) != 1 + self.notes[ticket.id] or any(note.is_public for note in notes):
            yield f"{len(notes)} notes: {[note.body[:60] for note in notes]}"

    def _written_on(self, twin: PartnerTicket) -> set[str]:
        people = self.partner.desk.account.users
        return {
            word
            for comment in twin.comments
            if people[comment.author_id].email != SYNCD
            for word in _words(comment.body)
        }

    def untimely(self, ticket_ids: list[str]) -> list[str]:
        """Words of imported comments that do not carry the second in which they were written."""
        found = []
        for ticket_id in ticket_ids:
            ticket = self.ticket(ticket_id)
            written = {
                word: int(update.at.timestamp())
                for update in ticket.updates
                if update.comment
                for word in _words(update.comment.body_html)
            }
            for comment in (c for twin in self.twins(ticket_id) for c in twin.comments):
                found += [w for w in _words(comment.body) if written[w] != comment.created_at]
        return found

    # --- backfills -------------------------------------------------------------------------------

    def run_here(self) -> None:
        """A backfill without a process of its own, where only what it leads to is of interest."""
        asyncio.run(_backfill(self.folder / "syncd.yaml"))

    def start(self, *options: str) -> subprocess.Popen[str]:
        """A backfill as a process."""
        command = [sys.executable, "-m", "syncd", "backfill", LINK]
        command += ["--config", str(self.folder / "syncd.yaml"), "--format", "json", *options]
        with (self.folder / "backfill.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            )

    def run(self, *options: str) -> dict[str, Any]:
        """A backfill that is left alone; its report."""
        process = self.start(*options)
        said, _ = process.communicate(timeout=_SECONDS)
        assert process.returncode == 0, (process.returncode, said)
        report: dict[str, Any] = json.loads(said)
        return report

    def run_killed(self, sandbox: Sandbox, fault: Fault, *, later_seconds: float = 0.0) -> bool:
        """A backfill that dies of SIGKILL when the fault strikes; False when it ended before."""
        control = self.controls[0] if sandbox is self.platform else self.controls[1]
        sandbox.faults.arm(fault)
        process = self.start()
        try:
            held = self._await_held(control, process)
            if held and later_seconds:
                control.release()
                time.sleep(later_seconds)
        finally:
            process.kill()
            process.communicate()
        sandbox.faults.clear()
        control.release()
        return held

    @staticmethod
    def _await_held(control: Desk, process: subprocess.Popen[str]) -> bool:
        while process.poll() is None:
            if control.held(wait_seconds=0.2):
                return True
        return False


async def _backfill(path: Path) -> None:
    config = load(path, {}, registry).config
    async with parts(config, owner=f"backfill-{LINK}") as made:
        link = made.links.find(LinkName(LINK))
        assert link is not None
        work = Backfill(
            link,
            store=made.store,
            intake=made.intake,
            reconciler=made.reconciler,
            clock=made.clock,
        )
        await work.run(since=None, progress=lambda _report: None)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _told_here(ticket: PlatformTicket) -> dict[str, bool]:
    """The words of the platform's comments in their order, and whether each is public."""
    return {
        word: update.comment.visibility == "public"
        for update in ticket.updates
        if update.comment is not None
        for word in _words(update.comment.body_html)
    }


def _told_there(twin: PartnerTicket) -> dict[str, bool]:
    """The same of the twin."""
    return {word: c.is_public for c in twin.comments for word in _words(c.body)}


@contextlib.contextmanager
def old_view(
    folder: Path, *, quota: int = 100_000, zendesk: Mapping[str, Any] | None = None
) -> Iterator[OldView]:
    """Both desks with nothing in them, and a configuration for them."""
    calendar = Calendar()
    desk_time = SandboxTime(now=calendar.now, scale=120)
    platform = PlatformSandbox(
        PlatformDesk(time=desk_time, seed=Seed(views=(VIEW,)), quota=1_000_000)
    )
    wide: dict[str, Any] = {
        "requests_per_minute": 1_000_000,
        "ticket_updates_per_minute": 1_000_000,
        "updates_per_ticket": 1_000_000,
        "exports_per_minute": 1_000_000,
    }
    partner = ZendeskSandbox(ZendeskSettings(**{**wide, **(zendesk or {})}), time=desk_time)
    with served_in_thread(platform) as here, served_in_thread(partner) as there:
        text = CONFIG.format(folder=folder, platform=here, partner=there, quota=quota)
        (folder / "syncd.yaml").write_text(text, encoding="utf-8")
        controls = (Desk(here), Desk(there))
        try:
            yield OldView(
                folder=folder,
                calendar=calendar,
                platform=platform,
                partner=partner,
                controls=controls,
            )
        finally:
            for control in controls:
                control.close()
