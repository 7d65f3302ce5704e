"""The daemon's own tasks and any number of partners on virtual time: days pass in seconds.

Nothing has a thread, a socket or the machine's clock, so a delay is exact however slow the machine
is. A desk may hang: it takes a request and never answers, until the request's own time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import structlog

from config.load import load_text
from config.loaded import Config
from connectors import registry
from connectors.platform.sandbox import PlatformDesk, PlatformSandbox, Seed
from connectors.platform.sandbox.act import act
from connectors.sandbox import Call, Fault, SandboxTime
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox.records import Ticket as PartnerTicket
from syncd.app import Parts, parts
from syncd.daemon import Daemon
from syncd.log import configure
from syncd.store import SqliteStore, open_store
from tests.engine.wiring import Json, wide
from tests.simulation.clock import LoopClock, LoopExecutor, VirtualLoop
from tests.simulation.network import Network, Wire

CUSTOMER = "Mia Keller"
AGENT = "alice@acme.test"
_PLATFORM_PORT = 9001
_SECRETS = {"PLATFORM_TOKEN": "platform-token", "API_TOKEN": "sandbox-api-token"}
_COMMIT_SECONDS = 0.002


def view_of(partner: str) -> str:
    """The platform's view of a partner's link, and the link's name."""
    return f"{partner}-view"


class Line(Network):
    """A network on which some desks take requests and answer none."""

    def __init__(self, *, on_exchange: Callable[[int, str, str, int], None]) -> None:
        super().__init__(Random(4), on_exchange=on_exchange, longest_seconds=0.05)
        self.hanging: set[int] = set()

    async def _carry(self, request: Any, port: int, wire: Wire) -> Any:
        if port in self.hanging:
            await asyncio.Event().wait()
        return await super()._carry(request, port, wire)


@dataclass(kw_only=True)
class Days:
    """One platform, its partners, and a daemon at work between them."""

    loop: VirtualLoop
    line: Line
    ports: Mapping[str, int]
    platform: PlatformSandbox
    partners: Mapping[str, ZendeskSandbox]
    made: Parts
    log: io.StringIO
    #: When each request was answered, by its receiver.
    answered: Mapping[int, Sequence[tuple[float, int]]]
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def hang(self, *partners: str) -> None:
        """These desks answer nothing any more."""
        self.line.hanging |= {self.ports[name] for name in partners}

    def come_back(self) -> None:
        """Every desk answers again; what it was asked meanwhile it never saw."""
        self.line.hanging.clear()

    def open_ticket(self, partner: str, text: str) -> str:
        """A customer's ticket that belongs to a partner."""
        members = {"subject": "Betreff", "body_html": f"<p>{text}</p>", "view": view_of(partner)}
        register = self.platform.platform.register
        done: Json = act(register, {"as": CUSTOMER, "do": "open", **members})
        return str(done["ticket"]["id"])

    def ask(self, ticket_id: str, text: str, **members: Any) -> None:
        """The customer writes."""
        comment = {"body_html": f"<p>{text}</p>"}
        deed = {"as": CUSTOMER, "do": "update", "ticket_id": ticket_id, "comment": comment}
        act(self.platform.platform.register, {**deed, **members})

    def answer(self, partner: str, ticket_id: str, text: str, **members: Any) -> None:
        """An agent of the partner's writes."""
        comment = {"html": f"<p>{text}</p>", "public": True}
        twin = self.twin(partner, ticket_id)
        assert twin is not None
        deed = {"as": AGENT, "ticket_id": twin.id, "comment": comment, **members}
        controls = self.partners[partner].desk.controls
        found = controls.find("POST", "/_sandbox/act")
        assert found is not None
        call = Call(
            number=0,
            method="POST",
            path="/_sandbox/act",
            template=found.route.template,
            parameters=found.parameters,
            body=json.dumps(deed).encode(),
        )
        reply = found.route.handler(call)
        assert reply.status == 200, reply

    def twin(self, partner: str, ticket_id: str) -> PartnerTicket | None:
        """The partner's copy of a ticket."""
        key = f"syncd:{view_of(partner)}:{ticket_id}"
        tickets = self.partners[partner].desk.account.tickets.values()
        return next((t for t in tickets if t.values["external_id"] == key), None)

    def heard(self, partner: str, ticket_id: str, words: str) -> int:
        """How often the partner has them."""
        twin = self.twin(partner, ticket_id)
        return 0 if twin is None else sum(words in c.body for c in twin.comments)

    def read(self, ticket_id: str, words: str) -> int:
        """How often the platform has them."""
        updates = self.platform.platform.register.tickets[ticket_id].updates
        return sum(u.comment is not None and words in u.comment.body_html for u in updates)

    def events(self, name: str) -> list[Json]:
        """The log's lines of one event."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == name]

    def arm(self, partner: str, **members: Any) -> None:
        """Have a partner's requests fail in a chosen way."""
        self.partners[partner].faults.arm(Fault(**members))

    async def until(
        self, is_so: Callable[[], bool], *, at_most: float, look_seconds: float = 1.0
    ) -> float:
        """Wait for something; how many seconds that took, to a look's precision."""
        began = self.loop.seconds
        while not is_so():
            assert self.loop.seconds - began < at_most, "it does not come"
            await asyncio.sleep(look_seconds)
        return self.loop.seconds - began


def played(
    folder: Path,
    partners: Sequence[str],
    course: Callable[[Days], Awaitable[None]],
    *,
    settings: Mapping[str, Any] | None = None,
    polls: Mapping[str, str] | None = None,
    share: int = 100,
) -> None:
    """Run a course of events on a loop of its own, to its end.

    `settings` are those of the partners' desks that are not wide, `polls` how often each connection
    is looked at if not twice a minute, `share` the part of the partners' quotas that is ours.
    """
    loop = VirtualLoop()
    ports = {name: _PLATFORM_PORT + 1 + number for number, name in enumerate(partners)}
    config = _a_config(folder, ports, polls or {}, share)
    gc.disable()
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(_play(loop, config, ports, course, settings or {}))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        structlog.reset_defaults()
        gc.enable()


async def _play(
    loop: VirtualLoop,
    config: Config,
    ports: Mapping[str, int],
    course: Callable[[Days], Awaitable[None]],
    settings: Mapping[str, Any],
) -> None:
    log = io.StringIO()
    configure(form="json", level="info", stream=log)
    answered: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)

    def exchanged(port: int, method: str, path: str, status: int) -> None:
        answered[port].append((loop.seconds, status))

    line = Line(on_exchange=exchanged)
    clock = LoopClock(loop)
    time = SandboxTime(now=clock.time, sleep=clock.sleep)
    views = tuple(view_of(name) for name in ports)
    desk = PlatformDesk(time=time, seed=Seed(views=views), quota=1_000_000, transport=Wire(line))
    platform = PlatformSandbox(desk)
    line.apps[_PLATFORM_PORT] = platform
    sandboxes = {
        name: ZendeskSandbox(wide(settings), time=time, transport=Wire(line)) for name in ports
    }
    for name, sandbox in sandboxes.items():
        line.apps[ports[name]] = sandbox
    async with _at_work(config, loop, line, clock) as made:
        days = Days(
            loop=loop,
            line=line,
            ports=ports,
            platform=platform,
            partners=sandboxes,
            made=made,
            log=log,
            answered=answered,
        )
        # Everybody's feed has been looked at before anything happens.
        await asyncio.sleep(100)
        await course(days)
    for each in (platform, *sandboxes.values()):
        await each.close()
    await line.close()
    assert line.failures == []


@contextlib.asynccontextmanager
async def _at_work(
    config: Config, loop: VirtualLoop, line: Line, clock: LoopClock
) -> AsyncIterator[Parts]:
    wire = Wire(line)

    def connect(kind: str) -> Callable[..., Any]:
        return partial(registry.connect(kind), transport=wire)

    def opened(path: Path) -> SqliteStore:
        executor = LoopExecutor(loop, lambda: _COMMIT_SECONDS)
        return open_store(path, is_durable=False, executor=executor)

    async with parts(config, owner="daemon", clock=clock, connect=connect, opened=opened) as made:
        daemon = Daemon(made)
        async with asyncio.TaskGroup() as group:
            working = daemon.work(group)
            yield made
            daemon.stop()
            for task in working:
                task.cancel()


def _a_config(
    folder: Path, ports: Mapping[str, int], polls: Mapping[str, str], share: int
) -> Config:
    wide_budget = "budget: {share: 100%, per_minute: 100000}"
    lines = [
        "version: 1",
        f"store: sqlite:///{folder}/syncd.db",
        "sweep: {every: 24h}",
        "connections:",
        f'  heroku: {{kind: platform, url: "http://127.0.0.1:{_PLATFORM_PORT}", '
        f'token: "${{PLATFORM_TOKEN}}", {wide_budget}, '
        f"poll: {{every: {polls.get('heroku', '30s')}}}}}",
    ]
    lines += [
        f'  {name}: {{kind: zendesk, url: "http://127.0.0.1:{port}", exports_per_minute: 10000, '
        'api_token: {email: "syncd@acme.test", token: "${API_TOKEN}"}, '
        f"budget: {{share: {share}%}}, poll: {{every: {polls.get(name, '30s')}}}}}"
        for name, port in ports.items()
    ]
    lines.append("links:")
    lines += [
        f"  {view_of(name)}: {{platform: heroku/{view_of(name)}, "
        f"partner: {{connection: {name}, group: Heroku}}}}"
        for name in ports
    ]
    text = "\n".join(lines) + "\n"
    return load_text(text.encode(), _SECRETS, registry, file="syncd.yaml", folder=folder).config
