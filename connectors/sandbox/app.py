"""The chassis: any desk in miniature as an ASGI app with faults, held requests and a request log.

The desk answers calls; the chassis decides whether, when and in which state an answer reaches the
client. Vendor paths go to the desk, `/_sandbox/...` to the controls, which have no quota and are
not logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from email.utils import formatdate
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from connectors.sandbox.call import Call, Handler, Match, Reply, Router, json_reply, text_reply
from connectors.sandbox.connection import ClientGone, Connection
from connectors.sandbox.control import ControlRoutes
from connectors.sandbox.faults import Fault, FaultBook
from connectors.sandbox.hold import HoldBook, Release
from connectors.sandbox.record import Entry, RequestLog
from connectors.sandbox.time import SandboxTime

PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Desk(Protocol):
    """What the chassis asks of a desk in miniature; everything here is in memory."""

    @property
    def name(self) -> str:
        """The word shown in the overview, such as "zendesk"."""

    @property
    def time(self) -> SandboxTime:
        """The desk's clock and scale."""

    @property
    def router(self) -> Router:
        """The vendor's API."""

    @property
    def controls(self) -> Router:
        """The desk's own `/_sandbox/...` routes; handlers answer without credentials."""

    def serve(self, call: Call, handler: Handler | None) -> Reply:
        """Answer one vendor call: credentials, quota, handler, the vendor's error bodies.

        `handler` is None when no route matched. Must not raise for anything a client can send.
        """

    async def settle(self) -> None:
        """Run between an update's effect and its answer, such as webhooks that come first."""

    def state(self) -> dict[str, object]:
        """Everything the desk holds, as JSON."""

    def reset(self) -> None:
        """Back to the seeded state."""

    async def close(self) -> None:
        """Stop what runs in the background."""


class Sandbox:
    """An ASGI app around one desk. Use the attributes for tests in process."""

    def __init__(self, desk: Desk, *, seed: int = 0) -> None:
        self.desk = desk
        self.faults = FaultBook(seed=seed)
        self.held = HoldBook()
        self.log = RequestLog()
        self._controls = ControlRoutes(self).router()
        self._number = 0
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: http and lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        connection = Connection(scope, receive, send)
        try:
            body = await connection.body()
        except ClientGone:
            return
        call = Call(
            number=0,
            method=scope["method"],
            path=scope["path"],
            query=_query(scope["query_string"]),
            headers=connection.headers(),
            body=body,
            base_url=connection.base_url(),
        )
        if call.path == "/_sandbox" or call.path.startswith("/_sandbox/"):
            await connection.answer(self._dated(await self._control(call)))
        else:
            await self._vendor(call, connection)

    def reset(self) -> None:
        """Back to the seeded state: desk, log, faults; held requests end unapplied."""
        self.let_go()
        self.faults.clear()
        self.log.forget()
        self._number = 0
        self.desk.reset()

    def let_go(self) -> None:
        """End every held request, unapplied where it was not applied yet."""
        self.held.release(Release(is_applied=False, is_answered=False))

    async def landed(self) -> None:
        """Wait until the late writes are applied; whoever calls has released them all."""
        if self._late:
            await asyncio.wait(self._late)

    async def close(self) -> None:
        """Stop what runs in the background; for use without a lifespan."""
        self.let_go()
        if self._late:
            await asyncio.wait(self._late)
        await self.desk.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _control(self, call: Call) -> Reply:
        if call.path == "/_sandbox/held" and call.method == "GET":
            seconds = float(call.value("wait_seconds") or 0)
            return json_reply(200, {"held": await self.held.wait(seconds)})
        for router in (self._controls, self.desk.controls):
            if found := router.find(call.method, call.path):
                try:
                    reply = found.route.handler(_routed(call, found))
                except ValueError as error:
                    reply = json_reply(400, {"error": str(error)})
                await self.desk.settle()
                return reply
        return json_reply(404, {"error": "no such control", "path": call.path})

    async def _vendor(self, incoming: Call, connection: Connection) -> None:
        self._number += 1
        found = self.desk.router.find(incoming.method, incoming.path)
        call = replace(_routed(incoming, found), number=self._number)
        entry = self.log.open(call)
        fault = self.faults.strike(call, entry.write_number)
        entry.fault = fault.action if fault else None
        started = asyncio.get_running_loop().time()
        try:
            handler = found.route.handler if found else None
            reply = await self._carry_out(call, handler, entry, fault, connection)
            if reply is None:
                await connection.drop()
            else:
                entry.status = reply.status
                await connection.answer(self._dated(reply))
        finally:
            entry.seconds = asyncio.get_running_loop().time() - started

    def _dated(self, reply: Reply) -> Reply:
        """Every answer tells the desk's time, whoever serves the app."""
        if reply.header("date") is not None:
            return reply
        date = ("date", formatdate(self.desk.time.now(), usegmt=True))
        return replace(reply, headers=(*reply.headers, date))

    async def _carry_out(
        self,
        call: Call,
        handler: Handler | None,
        entry: Entry,
        fault: Fault | None,
        connection: Connection,
    ) -> Reply | None:
        """Apply the call unless the fault prevents it; None closes the connection unanswered."""
        if fault is None:
            return await self._apply(call, handler, entry)
        release = Release()
        match fault.action:
            case "drop_before":
                return None
            case "land_late":
                self._land_late(call, handler, entry)
                return None
            case "status" | "html" if not fault.is_applied:
                return _canned(fault)
            case "hold_before":
                release = await self.held.hold(call, "before", connection.gone)
            case "delay_before":
                await asyncio.sleep(fault.delay_seconds)
            case _:
                pass
        if not release.is_applied:
            return None
        reply = await self._apply(call, handler, entry)
        return await self._spoil(call, reply, fault, connection) if release.is_answered else None

    async def _apply(self, call: Call, handler: Handler | None, entry: Entry) -> Reply:
        reply = self.desk.serve(call, handler)
        if reply.later is not None:
            reply = await reply.later()
        entry.user = reply.user
        if reply.is_applied:
            self.log.applied(entry)
        await self.desk.settle()
        return reply

    async def _spoil(
        self, call: Call, reply: Reply, fault: Fault, connection: Connection
    ) -> Reply | None:
        """What becomes of the answer of an applied call."""
        match fault.action:
            case "drop_after":
                return None
            case "hold_after":
                release = await self.held.hold(call, "after", connection.gone)
                return reply if release.is_answered else None
            case "status" | "html":
                return _canned(fault)
            case "truncate":
                return replace(reply, body=reply.body[: len(reply.body) // 2])
            case "delay_after":
                await asyncio.sleep(fault.delay_seconds)
            case _:
                pass
        return reply

    def _land_late(self, call: Call, handler: Handler | None, entry: Entry) -> None:
        async def land() -> None:
            if (await self.held.hold(call, "before", None)).is_applied:
                await self._apply(call, handler, entry)

        task = asyncio.get_running_loop().create_task(land())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))


def _routed(call: Call, found: Match | None) -> Call:
    if found is None:
        return call
    return replace(call, template=found.route.template, parameters=found.parameters)


def _canned(fault: Fault) -> Reply:
    if fault.action == "html":
        reply = text_reply(fault.status, PAGE.format(fault.status), content_type="text/html")
    elif fault.body is None or isinstance(fault.body, str):
        reply = text_reply(fault.status, fault.body or "")
    else:
        reply = json_reply(fault.status, fault.body)
    return replace(reply, headers=_overlaid(reply.headers, fault.headers))


def _overlaid(
    headers: Iterable[tuple[str, str]], over: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    replaced = {name.lower() for name, _ in over}
    return (*((n, v) for n, v in headers if n.lower() not in replaced), *over)
