"""Both desks in miniature, and the real parts of syncd between them, in one process.

The configuration, the store on disk, the connectors over loopback HTTP, the engine and the web
server are the daemon's own; only the time is the test's, and nothing runs unless it is told to.
When the block is left, nothing that anybody wrote on a desk, and no secret, may stand in its log.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog

from config.loaded import Config
from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
from connectors.platform.sandbox.act import act
from connectors.platform.sandbox.model import Ticket as PlatformTicket
from connectors.platform.sandbox.model import Update
from connectors.sandbox import Fault, Sandbox
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox.records import Comment as PartnerComment
from connectors.zendesk.sandbox.records import Ticket as PartnerTicket
from syncd.app import Parts, parts
from syncd.core.model import ConnectionName, Side
from syncd.core.work import Pair, PairState
from syncd.engine.controller import Controller
from syncd.engine.outcome import Outcome
from syncd.engine.poll import Poller
from syncd.log import configure
from syncd.web.server import web_app
from tests.engine.wiring import (
    HEROKU,
    LINK,
    SECRETS,
    VIEWS,
    WITHOUT_RIGHTS,
    Json,
    a_config,
    a_control,
    desk_time,
    point_hooks,
    wide,
    zendesk_hook,
)
from tests.support.clock import FakeClock
from tests.support.serve import served
from tests.support.serve_web import TellsAsTold, served_web

CUSTOMER = "Mia Keller"
STAFF = "Hana Sato"
AGENT = "alice@acme.test"
#: Longer than the minute that Zendesk withholds from its exports.
LOOK_SECONDS = 70.0
_MOST_ROUNDS = 40


@dataclass(kw_only=True)
class BothDesks:
    """One platform, one or two partners, and syncd."""

    made: Parts
    controller: Controller
    pollers: Sequence[Poller]
    clock: FakeClock
    platform: PlatformSandbox
    partners: Mapping[str, ZendeskSandbox]
    controls: Mapping[str, httpx.AsyncClient]
    log: io.StringIO
    #: Where syncd's own web server listens; empty without webhooks.
    address: str
    config: Config
    #: What the syncd that is there now holds open.
    life: contextlib.AsyncExitStack
    #: Everything that people wrote, by the words that must not be logged.
    said: list[str] = field(default_factory=list)

    # --- people ----------------------------------------------------------------------------------

    def act(self, who: str, do: str, **members: Any) -> Json:
        """Somebody does something at the platform."""
        return act(self.platform.platform.register, {"as": who, "do": do, **members})

    def open_ticket(
        self,
        html: str = "<p>mein Anliegen</p>",
        *,
        subject: str = "Betreff ohne Belang",
        view: str | None = VIEWS["acme"],
        **members: Any,
    ) -> str:
        """A customer opens a ticket at the platform, staff escalate it."""
        self.said += [subject, html]
        done = self.act(CUSTOMER, "open", subject=subject, body_html=html, view=view, **members)
        return str(done["ticket"]["id"])

    def write(
        self,
        ticket_id: str,
        html: str | None = None,
        *,
        who: str = CUSTOMER,
        visibility: str = "public",
        views: Sequence[str] | None = None,
        **members: Any,
    ) -> None:
        """Somebody changes the platform's ticket in one update."""
        if html is not None:
            self.said.append(html)
            comment: Json = {"body_html": html, "visibility": visibility}
            members["comment"] = comment if views is None else {**comment, "views": list(views)}
        self.act(who, "update", ticket_id=ticket_id, **members)

    async def answer(
        self,
        ticket_id: str,
        html: str | None = None,
        *,
        who: str = AGENT,
        public: bool = True,
        partner: str = "acme",
        **members: Any,
    ) -> None:
        """An agent changes the twin of the platform's ticket in one update."""
        if html is not None:
            self.said.append(html)
            members["comment"] = {"html": html, "public": public}
        twin = self.twin(ticket_id, partner)
        await self.agent_does(partner, {"as": who, "ticket_id": twin.id, **members})

    async def agent_does(self, partner: str, deed: Json) -> Json:
        """One deed in a partner's desk."""
        # In ASCII: half a character is in no other encoding.
        text = json.dumps(deed)
        answer = await self.controls[partner].post("/_sandbox/act", content=text)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    async def switch(self, partner: str = "acme", **settings: object) -> None:
        """Change how a partner's desk behaves."""
        answer = await self.controls[partner].post("/_sandbox/settings", json=settings)
        assert answer.status_code == 200, answer.text

    def arm(self, side: Side, action: Any, *, partner: str = "acme", **members: Any) -> None:
        """Have a desk's next matching request fail in a chosen way."""
        self.desk(side, partner).faults.arm(Fault(action=action, **members))

    def disarm(self) -> None:
        """Every request passes again."""
        for sandbox in (self.platform, *self.partners.values()):
            sandbox.faults.clear()

    # --- syncd -----------------------------------------------------------------------------------

    async def poll(self) -> int:
        """One walk along every connection's feed; how many pairs that marked.

        A desk's error is taken as the poller takes it: noted, and the cursor stays.
        """
        counts = self.made.health.counts
        before = counts["poll.marked"]
        for poller in self.pollers:
            await poller.look()
        return counts["poll.marked"] - before

    async def run_due(self) -> list[Outcome]:
        """Run the pairs whose moment has come, until none is left that may run now."""
        outcomes: list[Outcome] = []
        while True:
            now = self.clock.now()
            due = await self.made.store.load_due(now)
            ready = [pair_id for pair_id, at in due if at is None or at <= now]
            if not ready:
                return outcomes
            outcomes += [await self.controller.run_pair(pair_id) for pair_id in ready]
            assert len(outcomes) < 500, "the pairs do not come to rest"

    async def round(self) -> bool:
        """Let a good minute pass, look at the feeds, run what is due; whether anything was."""
        self.clock.advance(LOOK_SECONDS)
        marked = await self.poll()
        return bool(await self.run_due()) or marked > 0

    async def settle(self) -> None:
        """Go on until nothing happens any more, parked pairs aside."""
        quiet = 0
        for _ in range(_MOST_ROUNDS):
            is_busy = await self.round() or await self.made.store.load_due(self.clock.now())
            quiet = 0 if is_busy else quiet + 1
            if quiet == 2:
                return
        raise AssertionError("no rest after many rounds:\n" + self.log.getvalue()[-4000:])

    async def end_life(self) -> None:
        """Nothing of the syncd that was there stays, but what its store has."""
        await self.life.aclose()

    async def begin_life(self, *, is_recovering: bool = False) -> None:
        """Another syncd begins on the same store."""
        made = parts(self.config, owner="daemon", clock=self.clock, is_recovering=is_recovering)
        self.made = await self.life.enter_async_context(made)
        self.controller = _a_controller(self.made)
        self.pollers = _pollers(self.made)

    # --- looking ---------------------------------------------------------------------------------

    def desk(self, side: Side, partner: str = "acme") -> Sandbox:
        """The sandbox of a side."""
        return self.platform if side is Side.PLATFORM else self.partners[partner]

    def ticket(self, ticket_id: str) -> PlatformTicket:
        """The platform's ticket."""
        return self.platform.platform.register.tickets[ticket_id]

    def twins(self, ticket_id: str, partner: str = "acme") -> list[PartnerTicket]:
        """The partner's tickets that carry the platform ticket's key, deleted ones too."""
        key = f"syncd:{VIEWS[partner]}:{ticket_id}"
        tickets = self.partners[partner].desk.account.tickets.values()
        return [ticket for ticket in tickets if ticket.values["external_id"] == key]

    def twin(self, ticket_id: str, partner: str = "acme") -> PartnerTicket:
        """The one twin of the platform's ticket."""
        (found,) = self.twins(ticket_id, partner)
        return found

    def heard(self, ticket_id: str, words: str, partner: str = "acme") -> list[PartnerComment]:
        """The twin's comments that hold these words."""
        return [c for c in self.twin(ticket_id, partner).comments if words in c.body]

    def read(self, ticket_id: str, words: str) -> list[Update]:
        """The platform's updates whose comment holds these words."""
        return [
            update
            for update in self.ticket(ticket_id).updates
            if update.comment is not None and words in update.comment.body_html
        ]

    async def pairs(self, ticket_id: str | None = None) -> Sequence[Pair]:
        """Every pair, or those of a platform ticket."""
        found = await self.made.store.find_pairs()
        return [p for p in found if ticket_id in (None, p.tickets[Side.PLATFORM])]

    async def pair(self, ticket_id: str, partner: str = "acme") -> Pair:
        """The pair of a ticket and a partner."""
        (found,) = [p for p in await self.pairs(ticket_id) if p.link == VIEWS[partner]]
        return found

    async def parked(self, ticket_id: str, partner: str = "acme") -> tuple[str, str]:
        """Why the pair was parked, and the hint; fails when it was not."""
        found = await self.pair(ticket_id, partner)
        assert found.state is PairState.PARKED, found
        return found.reason, found.hint

    async def retry(self, ticket_id: str, partner: str = "acme") -> None:
        """A person lets a parked pair run again."""
        pair_id = (await self.pair(ticket_id, partner)).pair_id
        assert await self.made.store.unpark(pair_id, actor="test", now=self.clock.now())

    def events(self, name: str | None = None) -> list[Json]:
        """What was logged, or the lines of one event."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if name in (None, line["event"])]

    def requests(self, side: Side, partner: str = "acme") -> list[tuple[str, str]]:
        """Method and template of every request to a desk's API so far."""
        return [(e.method, e.template) for e in self.desk(side, partner).log.since(0)]

    def forget_requests(self) -> None:
        """Empty the request logs."""
        for sandbox in (self.platform, *self.partners.values()):
            sandbox.log.clear()

    def writes(self) -> int:
        """How many writes have reached all desks' APIs, refused ones included."""
        return sum(s.log.write_count for s in (self.platform, *self.partners.values()))


def text_of(update: Update) -> str:
    """The body of an update's comment."""
    assert update.comment is not None
    return update.comment.body_html


def both_know(desks: BothDesks, ticket_id: str, *words: str, partner: str = "acme") -> None:
    """Assert that each of the comments with these words is on both desks exactly once."""
    for each in words:
        assert len(desks.read(ticket_id, each)) == 1, f"platform: {each}"
        assert len(desks.heard(ticket_id, each, partner)) == 1, f"partner: {each}"


@contextlib.asynccontextmanager
async def both_desks(
    folder: Path,
    *,
    partners: Sequence[str] = ("acme",),
    has_webhooks: bool = False,
    is_managed: bool = False,
    link: str = "",
    partner: str = "",
    feed: str = "exports",
    platform_hours: float = 0.0,
    partner_hours: float = 0.0,
    **settings: Any,
) -> AsyncIterator[BothDesks]:
    """Fresh desks with wide quotas, and syncd that has looked at both once.

    `feed` is how changes are read at the partners: in a sweep syncd is an agent there.
    `link` holds further lines of every link's YAML, `partner` further keys of every partner's
    connection, `settings` the partners' awkwardness; the hours are how far a desk's clock is ahead
    of ours. With `is_managed` the desks have no webhook before syncd makes it.
    """
    clock = FakeClock()
    log = io.StringIO()
    configure(form="json", level="debug", stream=log)
    admin = "syncd@acme.test"
    if feed == "sweep":
        # An agent's rights are all that it takes, so it has no more.
        admin, settings = "ada@acme.test", {"people": WITHOUT_RIGHTS, **settings}
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(structlog.reset_defaults)
        platform = PlatformSandbox(
            PlatformDesk(
                time=desk_time(clock, platform_hours),
                seed=Seed(views=tuple(VIEWS.values())),
                quota=1_000_000,
            )
        )
        sandboxes = {
            name: ZendeskSandbox(wide(settings), time=desk_time(clock, partner_hours))
            for name in partners
        }
        addresses = {"heroku": await stack.enter_async_context(served(platform))}
        for name, sandbox in sandboxes.items():
            addresses[name] = await stack.enter_async_context(served(sandbox))
        controls = {
            name: await stack.enter_async_context(a_control(name, address, admin=admin))
            for name, address in addresses.items()
        }
        hooks = dict(SECRETS)
        if has_webhooks:
            for name in partners:
                hooks[f"{name.upper()}_HOOK"] = await zendesk_hook(
                    controls[name], is_by_trigger=feed == "sweep"
                )
        door = Door()
        life = await stack.enter_async_context(contextlib.AsyncExitStack())
        address = ""
        if is_managed:
            named = {f"/webhooks/{name}": ConnectionName(name) for name in addresses}
            address = await stack.enter_async_context(served_web(door.application(named)))
        config = a_config(
            folder,
            addresses,
            hooks,
            link=link,
            partner=partner,
            has_webhooks=has_webhooks,
            managed_at=address,
            feed=feed,
        )
        made = await life.enter_async_context(parts(config, owner="daemon", clock=clock))
        if has_webhooks:
            paths = {config.webhook_path(name): name for name in made.connectors}
            address = await stack.enter_async_context(served_web(door.application(paths)))
            await point_hooks(controls, address)
        desks = BothDesks(
            made=made,
            controller=_a_controller(made),
            pollers=_pollers(made),
            clock=clock,
            platform=platform,
            partners=sandboxes,
            controls=controls,
            log=log,
            address=address,
            config=config,
            life=life,
        )
        door.desks = desks
        await desks.poll()
        clock.advance(LOOK_SECONDS)
        yield desks
        tells_nothing(log.getvalue(), desks.said, hooks.values())


class Door:
    """syncd's web server, which may stand before what is behind it does."""

    def __init__(self) -> None:
        self.desks: BothDesks | None = None

    def application(self, paths: Mapping[str, ConnectionName]) -> Any:
        return web_app(paths=paths, receive=self._receive, telling=TellsAsTold())

    async def _receive(
        self, connection: ConnectionName, headers: Mapping[str, str], body: bytes
    ) -> None:
        assert self.desks is not None
        await self.desks.made.receive(connection, headers, body)


def tells_nothing(log: str, said: Sequence[str], secrets: Any) -> None:
    """Assert that no line of a log holds a secret or what somebody wrote."""
    for secret in secrets:
        assert secret not in log
    for text in said:
        for words in _words(text):
            assert words not in log, words


def _words(html: str) -> list[str]:
    """Stretches of a text that are long enough to be nobody else's."""
    bare = html.replace("<", "\n").replace(">", "\n")
    return [line.strip()[:60] for line in bare.splitlines() if len(line.strip()) > 9]


def _a_controller(made: Parts) -> Controller:
    return Controller(
        store=made.store,
        queue=made.queue,
        reconciler=made.reconciler,
        clock=made.clock,
        health=made.health,
    )


def _pollers(made: Parts) -> list[Poller]:
    return [
        Poller(
            connector,
            every_seconds=1,
            store=made.store,
            intake=made.intake,
            clock=made.clock,
            health=made.health,
        )
        for connector in made.links.connectors().values()
    ]


__all__ = [
    "AGENT",
    "CUSTOMER",
    "HEROKU",
    "LINK",
    "LOOK_SECONDS",
    "SECRETS",
    "STAFF",
    "VIEWS",
    "BothDesks",
    "Json",
    "both_desks",
    "both_know",
    "text_of",
]
