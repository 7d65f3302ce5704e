"""The platform's connector on its sandbox, every request and answer held to the contract.

`a_rig` runs both in one process without a network; `lost_answers` puts loopback HTTP between them,
for what only a connection can suffer. `scripted` answers without any desk.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.platform.connector import PlatformConnector
from connectors.platform.settings import Settings
from connectors.sandbox import Fault
from syncd.core.mirror import merge_snapshot
from syncd.core.model import (
    Audience,
    CommentId,
    ConnectionName,
    LinkName,
    OpId,
    PairId,
    Person,
    Role,
    Side,
    Sighting,
    Snapshot,
    TicketId,
)
from syncd.core.operations import Draft, Intent, Operation, UpdateTicket
from syncd.core.stamp import stamp_for
from syncd.ports import Changes, Read, Reading
from tests.support.clock import FakeClock
from tests.support.platform_contract import find_operation, hold_against_contract, problems
from tests.support.platform_desk import VIEW, Json, Platform, a_platform
from tests.support.serve import served

TOKEN = "platform-token"
SECRET = "webhook-secret-of-length"
LINK = LinkName("acme-postgres")
ANN = Person(person_id="4711", name="Ann Agent", role=Role.AGENT)


def unread(answer: httpx.Response) -> httpx.Response:
    """The same answer as from a line: what is given as `content` counts as read already."""
    stream = httpx.ByteStream(answer.content)
    return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)


class FreeBudget:
    """A budget that lets everything pass and remembers what it was told."""

    def __init__(self) -> None:
        self.spent: list[tuple[str, ...]] = []
        self.readings: list[Reading] = []
        self.paused: dict[str, float] = {}

    async def spend(self, buckets: Sequence[str]) -> None:
        self.spent.append(tuple(buckets))

    def assume(self, bucket: str, *, per_minute: int) -> None:
        raise AssertionError(f"the platform publishes {bucket}: {per_minute}")

    def observe(self, readings: Sequence[Reading]) -> None:
        self.readings += readings

    def pause(self, bucket: str, seconds: float) -> None:
        self.paused[bucket] = seconds


class PausingBudget(FreeBudget):
    """Free, but for the pauses that a desk asks for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    async def spend(self, buckets: Sequence[str]) -> None:
        await super().spend(buckets)
        waits = [self.paused.pop(bucket, 0.0) for bucket in buckets]
        await self._clock.sleep(max(waits, default=0.0))


class ContractTransport(httpx.AsyncBaseTransport):
    """Holds requests against the contract before it passes them on, and answers unless faulty."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, is_faulty: bool = False) -> None:
        self._inner = inner
        self._is_faulty = is_faulty
        self.requests: list[httpx.Request] = []
        #: Run once, before the request of that number (from 1) leaves.
        self.before: dict[int, Callable[[], Awaitable[object]]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if act := self.before.pop(len(self.requests), None):
            await act()
        await request.aread()
        hold_request_against_contract(request)
        answer = await self._inner.handle_async_request(request)
        if not self._is_faulty:
            answer.request = request
            await hold_against_contract(answer)
            return unread(answer)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


def hold_request_against_contract(request: httpx.Request) -> None:
    """Raise AssertionError unless the contract describes this request."""
    operation = find_operation(request.method, request.url.path)
    described = {
        parameter["name"] if "name" in parameter else parameter["$ref"].rpartition("/")[2].lower()
        for parameter in operation.get("parameters", [])
    }
    names = set(request.url.params) | ({"If-Match"} if "if-match" in request.headers else set())
    assert names <= described, f"{names - described} at {request.url.path}"
    bodies = operation.get("requestBody", {}).get("content", {})
    if request.content and "*/*" not in bodies:
        schema = bodies["application/json"]["schema"]
        assert problems(schema, json.loads(request.content)) == []


@dataclass(kw_only=True, slots=True)
class Rig:
    """A connector, the platform it speaks to, and what lies between."""

    connector: PlatformConnector
    platform: Platform
    clock: FakeClock
    budget: FreeBudget
    transport: ContractTransport

    def strike(self, action: Any, **members: Any) -> None:
        """Arm a fault for the next write."""
        self.platform.sandbox.faults.arm(Fault(action=action, kind="write", **members))

    async def walk(self, cursor: str | None) -> tuple[list[Changes], str]:
        """One poll: pages until the end, and the cursor after it."""
        pages: list[Changes] = []
        while True:
            page = await self.connector.read_changes(cursor)
            pages.append(page)
            cursor = page.cursor
            if page.is_end:
                return pages, cursor

    async def look(self, ticket: Json) -> Snapshot:
        """The ticket as the connector reads it whole."""
        sighting = await self.connector.fetch(TicketId(ticket["id"]), Read.WHOLE)
        assert sighting is not None
        return merged(None, [sighting])

    async def comment(self, ticket: Json, text: str) -> None:
        """The customer writes on the platform."""
        body = {"body_html": f"<p>{text}</p>"}
        await self.platform.act("Mia Keller", "update", ticket_id=ticket["id"], comment=body)

    async def count(self, ticket: Json, html: str = "<p>Only once</p>") -> int:
        """How many comments with that text the desk really holds."""
        updates = (await self.platform.dump(ticket))["updates"]
        return sum(u["comment"] is not None and u["comment"]["body_html"] == html for u in updates)


def sightings_of(pages: Sequence[Changes]) -> list[Sighting]:
    """All that a poll brought."""
    return [sighting for page in pages for sighting in page.sightings]


def merged(known: Snapshot | None, sightings: Sequence[Sighting]) -> Snapshot:
    """What a mirror that held `known` holds afterwards."""
    for sighting in sightings:
        known = merge_snapshot(known, sighting)
    assert known is not None
    return known


def a_copy(html: str = "<p>Only once</p>", **members: Any) -> Draft:
    """A public answer of an agent, to be written."""
    wanted: dict[str, Any] = {"html": html, "audience": Audience.PUBLIC, "author": ANN, **members}
    return Draft(**wanted)


def an_aside(html: str = "<p>Only once</p>", **members: Any) -> Draft:
    """A private comment of an agent for the link's view, to be written."""
    return a_copy(html, **{"audience": Audience.SHARED, "view": VIEW, **members})


@contextlib.asynccontextmanager
async def a_rig(*, token: str = TOKEN, quota: int = 100_000) -> AsyncIterator[Rig]:
    """Connector and sandbox in one process."""
    async with a_platform(quota=quota) as platform:
        transport = ContractTransport(httpx.ASGITransport(app=platform.sandbox))
        async with _a_rig(platform, transport, "http://127.0.0.1/", token) as rig:
            yield rig


@contextlib.asynccontextmanager
async def lost_answers() -> AsyncIterator[Rig]:
    """Connector and sandbox with loopback HTTP between them, which faults may break."""
    async with a_platform() as platform, served(platform.sandbox) as address:
        transport = ContractTransport(httpx.AsyncHTTPTransport(), is_faulty=True)
        async with _a_rig(platform, transport, address, TOKEN) as rig:
            yield rig


@contextlib.asynccontextmanager
async def _a_rig(
    platform: Platform, transport: ContractTransport, url: str, token: str
) -> AsyncIterator[Rig]:
    clock, budget = FakeClock(), FreeBudget()
    connector = a_connector(transport, clock=clock, budget=budget, url=url, token=token)
    yield Rig(
        connector=connector, platform=platform, clock=clock, budget=budget, transport=transport
    )
    await connector.close()


def a_connector(
    transport: httpx.AsyncBaseTransport,
    *,
    clock: FakeClock,
    budget: FreeBudget,
    url: str = "http://127.0.0.1/",
    token: str = TOKEN,
    webhook_secret: str | None = SECRET,
) -> PlatformConnector:
    """A connector with a token, at any transport."""
    members: Json = {"kind": "platform", "url": url, "token": token}
    if webhook_secret is not None:
        members["webhook_secret"] = webhook_secret
    return PlatformConnector(
        ConnectionName("heroku"),
        Settings.model_validate(members),
        budget=budget,
        clock=clock,
        transport=transport,
    )


@dataclass(kw_only=True, slots=True)
class Scripted:
    """A connector to a desk that gives one prepared answer after the other, the last for ever."""

    connector: PlatformConnector
    clock: FakeClock
    budget: FreeBudget
    requests: list[httpx.Request] = field(default_factory=list)


@contextlib.asynccontextmanager
async def scripted(*answers: httpx.Response | Exception | Json) -> AsyncIterator[Scripted]:
    """A connector to prepared answers; JSON stands for a 200 with it."""
    left = list(answers)
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        if isinstance(given, dict):
            given = httpx.Response(200, json=given)
        return unread(given)

    clock, budget = FakeClock(), FreeBudget()
    connector = a_connector(httpx.MockTransport(answer), clock=clock, budget=budget)
    yield Scripted(connector=connector, clock=clock, budget=budget, requests=requests)
    await connector.close()


def refusal(status: int, code: str, **members: object) -> httpx.Response:
    """An error as the contract has it."""
    error = {"code": code, "message": "Words for a person.", **members}
    return httpx.Response(status, json={"error": error})


def an_update_op(
    ticket_id: str,
    *,
    comment: Draft | None = None,
    status: str | None = None,
    add_tags: frozenset[str] = frozenset(),
    remove_tags: frozenset[str] = frozenset(),
    leave_view: str | None = None,
    is_silent: bool = False,
    op_id: str = "0123456789abcdef0123456789abcdef",
) -> UpdateTicket:
    return UpdateTicket(
        op_id=OpId(op_id),
        side=Side.PLATFORM,
        ticket_id=TicketId(ticket_id),
        comment=comment,
        status=status,
        add_tags=add_tags,
        remove_tags=remove_tags,
        leave_view=leave_view,
        is_silent=is_silent,
    )


def an_intent(op: Operation, *, version: int | None = None) -> Intent:
    """The journal's entry of an operation, decided on a version of the ticket."""
    return Intent(
        op=op,
        pair_id=PairId(1),
        connection=ConnectionName("heroku"),
        stamp=stamp_for(LINK, op.op_id),
        precondition=None if version is None else f'"{version}"',
        tags_before=frozenset(),
        status_before=None,
        highest_comment_id=None,
        known_ids=frozenset[CommentId](),
        attempt=1,
        sent_at=FakeClock().now(),
    )
