"""syncd with one desk's door open, a pair behind it, and whatever may come through that door.

The platform and a partner's Zendesk are the sandboxes. Request Tracker has none: its door needs no
desk behind it, and what syncd would ask of one is counted and refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.types import Message

from config.load import load_text
from connectors import registry
from syncd.app import Parts, parts
from syncd.core.model import ConnectionName, LinkName, Side, TicketId
from syncd.core.work import Birth
from syncd.log import configure
from syncd.web.server import web_app
from tests.engine import senders
from tests.engine.both_desks import HEROKU, SECRETS, BothDesks, both_desks
from tests.engine.senders import Headers, Sender
from tests.engine.test_webhooks import a_change
from tests.support.clock import FakeClock
from tests.support.serve_web import TellsAsTold

RT_SECRET = "hook-secret-of-the-tracker"
RT = ConnectionName("rt")
_QUEUE = LinkName("acme-postgres")
_TICKET = TicketId("41")
_RT_FILE = f"""\
version: 1
store: sqlite:///{{folder}}/syncd.db
server: {{{{listen: "127.0.0.1:0", public_url: "http://127.0.0.1:9"}}}}
connections:
  rt: {{{{kind: request_tracker, url: "{{address}}", token: "${{{{TOKEN}}}}",
       queues: [{_QUEUE}], hand_off: {{{{queue: Platform}}}}, webhook_secret: "${{{{HOOK}}}}"}}}}
  acme: {{{{kind: zendesk, url: "{{address}}",
         api_token: {{{{email: "syncd@acme.test", token: "${{{{TOKEN}}}}"}}}}}}}}
links:
  {_QUEUE}: {{{{platform: rt/{_QUEUE}, partner: {{{{connection: acme, group: Heroku}}}}}}}}
"""


@dataclass(kw_only=True)
class Attacked:
    """syncd, and the desk in whose name others knock."""

    made: Parts
    clock: FakeClock
    log: io.StringIO
    sender: Sender
    #: What the desk itself has sent of a ticket that has a pair: syncd knows it by now.
    genuine: bytes
    #: The same of the n-th of those tickets that nobody here has to do with.
    strange: Callable[[int], bytes]
    #: How many requests went to any desk so far.
    asked: Callable[[], int]

    def door(self, *, patience_seconds: float = 8.0) -> Starlette:
        """Where webhooks come in."""
        return web_app(
            paths={self.sender.path: ConnectionName(self.sender.connection)},
            receive=self.made.receive,
            telling=TellsAsTold(),
            patience_seconds=patience_seconds,
        )

    def signed(self, body: bytes, *, age: float = 0) -> Headers:
        """The headers of what the desk sent so many seconds ago."""
        return self.sender.signed(body, at=self.clock.time() - age)

    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@contextlib.asynccontextmanager
async def attacked(connection: str, folder: Path) -> AsyncIterator[Attacked]:
    """syncd behind the door of one of the connections `heroku`, `acme` and `rt`."""
    if connection == RT:
        async with _with_request_tracker(folder) as made:
            yield made
        return
    async with both_desks(folder, has_webhooks=True) as desks:
        desks.platform.platform.hooks.webhooks.clear()
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        desks.write(ticket_id, "<p>ein Wort</p>")
        shown = await a_change(desks, ticket_id)
        called = _called(str(desks.twin(ticket_id).id), desks.clock.time())
        strange = await a_change(
            desks, desks.open_ticket("<p>geht niemand an</p>", view="globex-search")
        )
        await desks.settle()
        is_platform = connection == HEROKU
        yield Attacked(
            made=desks.made,
            clock=desks.clock,
            log=desks.log,
            sender=senders.platform(SECRETS["HEROKU_HOOK"])
            if is_platform
            else senders.zendesk(_zendesk_secret(desks)),
            genuine=shown if is_platform else called,
            strange=functools.partial(_strange_change, strange)
            if is_platform
            else lambda number: _called(f"{77_000_000 + number}", desks.clock.time()),
            asked=lambda: sum(len(desks.requests(side)) for side in Side),
        )


@contextlib.asynccontextmanager
async def _with_request_tracker(folder: Path) -> AsyncIterator[Attacked]:
    clock, log, asked = FakeClock(), io.StringIO(), [0]
    configure(form="json", level="debug", stream=log)

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked[0] += 1
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    text = _RT_FILE.format(folder=folder, address=address)
    known = {"TOKEN": "a-token-of-some-length", "HOOK": RT_SECRET}
    config = load_text(text.encode(), known, registry, file="syncd.yaml", folder=folder).config
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(structlog.reset_defaults)
        await stack.enter_async_context(server)
        made = await stack.enter_async_context(parts(config, owner="daemon", clock=clock))
        birth = Birth(link=_QUEUE, ticket_id=_TICKET, partner_connection=ConnectionName("acme"))
        await made.store.record_sightings(
            RT, (), side=Side.PLATFORM, births=(birth,), seen_at=clock.now()
        )
        yield Attacked(
            made=made,
            clock=clock,
            log=log,
            sender=senders.request_tracker(RT_SECRET),
            genuine=_transaction(int(_TICKET), 907),
            strange=lambda number: _transaction(1_000 + number, 5_000 + number),
            asked=lambda: asked[0],
        )
        assert RT_SECRET not in log.getvalue()


def _transaction(ticket: int, number: int) -> bytes:
    """As Request Tracker's scrip tells of one."""
    about = {"ticket": ticket, "transaction": number, "type": "Correspond"}
    return json.dumps(about, separators=(",", ":")).encode()


def _called(ticket_id: str, at: float) -> bytes:
    """As a trigger of Zendesk's calls."""
    about = {"syncd": 1, "ticket_id": ticket_id, "updated_at": senders.utc_text(at)}
    return json.dumps(about).encode()


def _strange_change(shown: bytes, number: int) -> bytes:
    change = json.loads(shown)
    change["ticket"]["id"] = change["update"]["ticket_id"] = f"K{number}"
    return json.dumps(change).encode()


def _zendesk_secret(desks: BothDesks) -> str:
    (hook,) = desks.partners["acme"].desk.webhooks._hooks.values()
    return hook.secret


# --- knocking ------------------------------------------------------------------------------------


async def posted(
    application: Starlette, path: str, headers: Headers, body: bytes, *, is_whole: bool = True
) -> int:
    """One POST, without a socket; its status. Where it is not whole, its end never comes."""
    statuses: list[int] = []
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": not is_whole}]

    async def receive() -> Message:
        if not messages and not is_whole:
            await asyncio.Event().wait()
        return messages.pop() if messages else {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode("latin-1"), v.encode("latin-1")) for name, v in headers.items()],
    }
    await application(scope, receive, send)
    # As between any two requests: the loop forgets the timers of the last one.
    await asyncio.sleep(0)
    return statuses[0]


def attacks(desk: Attacked) -> Iterator[tuple[str, Headers, bytes, int]]:
    """Path, headers, body and the due answer, for ever."""
    sender, genuine, riddle = desk.sender, desk.genuine, b'{"ticket": null}'
    known, stale, solved = desk.signed(genuine), desk.signed(genuine, age=3600), desk.signed(riddle)
    early = desk.signed(genuine, age=-3600)
    huge = {**known, "content-length": str(64 * 1024 * 1024)}
    number = 0
    while True:
        number += 1
        at = sender.moment(desk.clock.time() + 1 + number % 100)
        # Forged: another's words, a later time, one byte more, no secret, no sense.
        yield sender.path, known, desk.strange(number), 401
        yield sender.path, {**known, sender.timestamp: at}, genuine, 401
        yield sender.path, known, genuine + b" ", 401
        yield sender.path, {**known, sender.signature: f"sig{number}"}, genuine, 401
        yield sender.path, {sender.timestamp: f"{number}é"}, genuine, 401
        yield sender.path, stale, genuine, 401
        yield sender.path, early, genuine, 401
        yield sender.path, solved, riddle, 422
        yield sender.path, huge, genuine, 413
        yield f"/webhooks/{number}", known, genuine, 404
