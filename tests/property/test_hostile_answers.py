"""Desks whose answers are spoilt anywhere: every call ends in a value or in one of our errors.

The sandboxes answer as they should, and a hand in between breaks what Hypothesis chose: a value, a
key, a whole body, its encoding. What a connector makes of it must be sayable to whoever waits.
"""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.platform.connector import PlatformConnector
from connectors.platform.settings import Settings as PlatformSettings
from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.settings import Settings as ZendeskSettings
from syncd.core.errors import SyncdError
from syncd.core.model import ConnectionName, TicketId
from syncd.ports import Connector, Read
from tests.support.clock import FakeClock
from tests.support.http_world import FreeBudget
from tests.support.platform_desk import a_platform
from tests.support.request_tracker_script import a_row, a_script, listing, scripted
from tests.support.zendesk_account import an_account

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 2**63, 1e308, "", " ", "0", "-1", "x" * 5000, "\x00",
    "\x1b[2J", "a\nb", "\u202e", "..", "../..", "{{ticket.id}}", [], {}, [[]], [None], {"id": None},
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2027-99-99T99:99:99Z", "٣", "1e5", "NaN",
)  # fmt: skip
BODIES = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'{"ticket": {"id": "\xff"}}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"<html>maintenance</html>",
    b'{"tickets": [1, "x", null, [], {}]}',
    b"1" * 5000,
)


class Spoiling(httpx.AsyncBaseTransport):
    """Hands requests on, and breaks some of the answers."""

    def __init__(self, desk: Any, seed: int, *, often: float) -> None:
        is_line = isinstance(desk, httpx.AsyncBaseTransport)
        self._desk = desk if is_line else httpx.ASGITransport(app=desk)
        self._random = random.Random(seed)
        self._often = often

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._desk.handle_async_request(request)
        body = await answer.aread()
        if self._random.random() < self._often:
            body = self._spoilt(body)
        headers = [(k, v) for k, v in answer.headers.items() if k != "content-length"]
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))

    def _spoilt(self, body: bytes) -> bytes:
        if self._random.random() < 0.15:
            return self._random.choice((*BODIES, body[: len(body) // 2]))
        try:
            value = json.loads(body)
        except ValueError:
            return body
        for _ in range(self._random.choice((1, 1, 1, 3, 20))):
            value = self._broken(value)
        return json.dumps(value).encode()

    def _broken(self, value: Any) -> Any:
        value = copy.deepcopy(value)
        places = list(_places(value))
        if not places:
            return self._random.choice(NASTY)
        holder, key = self._random.choice(places)
        deed = self._random.random()
        if deed < 0.2:
            del holder[key]
        elif deed < 0.3 and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = self._random.choice(NASTY)
        return value


def _places(value: Any) -> Any:
    """Every container with every key or index in it."""
    keys: Sequence[Any] = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from _places(value[key])


async def everything_asked(connector: Connector, ticket_ids: Sequence[TicketId]) -> int:
    """Every question that a daemon asks; how many were answered."""
    answered = 0

    async def ask(question: Callable[[], Awaitable[Any]]) -> Any:
        nonlocal answered
        try:
            value = await question()
        except SyncdError:
            return None
        answered += 1
        return value

    changes = await ask(partial(connector.read_changes, None))
    for _ in range(3):
        cursor = changes.cursor if changes is not None else None
        changes = await ask(partial(connector.read_changes, cursor)) or changes
    for ticket_id in ticket_ids:
        for read in Read:
            await ask(partial(connector.fetch, ticket_id, read))
        await ask(partial(connector.requester_address, ticket_id))
    await ask(partial(connector.fetch_many, ticket_ids))
    await ask(connector.check)
    await ask(connector.rights)
    await connector.close()
    return answered


SEEDS = st.integers(0, 2**32)
OFTEN = st.sampled_from((0.0, 0.2, 0.6, 1.0))


async def _ask_zendesk(seed: int, often: float) -> int:
    async with an_account() as account:
        made = await account.create(tags=["a"], comment={"html_body": "<p>It <b>smokes</b></p>"})
        number = made["ticket"]["id"]
        await account.update(number, comment={"body": "And burns", "public": False})
        account.clock.advance(120)
        connector = ZendeskConnector(
            ConnectionName("acme"),
            ZendeskSettings.model_validate(
                {
                    "kind": "zendesk",
                    "url": "http://127.0.0.1:9",
                    "api_token": {"email": "syncd@acme.test", "token": "sandbox-api-token"},
                }
            ),
            budget=FreeBudget(),
            clock=FakeClock(),
            transport=Spoiling(account.sandbox, seed, often=often),
        )
        return await everything_asked(connector, [TicketId(str(number)), TicketId("404")])


async def _ask_platform(seed: int, often: float) -> int:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        connector = PlatformConnector(
            ConnectionName("heroku"),
            PlatformSettings.model_validate(
                {"kind": "platform", "url": "http://127.0.0.1:9", "token": "platform-token"}
            ),
            budget=FreeBudget(),
            clock=FakeClock(),
            transport=Spoiling(platform.sandbox, seed, often=often),
        )
        return await everything_asked(connector, [TicketId(str(ticket["id"])), TicketId("404")])


async def _ask_request_tracker(seed: int, often: float) -> int:
    rt = a_script()
    rt.on("GET transactions", listing(a_row(7, "Create")), listing(a_row(8), a_row(9, "Status")))
    transport = Spoiling(httpx.MockTransport(rt), seed, often=often)
    connector = scripted(transport, FakeClock())
    return await everything_asked(connector, [TicketId("1"), TicketId("404")])


@settings(max_examples=40)
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_a_request_tracker_that_answers_anything_gets_an_answer_or_one_of_our_errors(
    seed: int, often: float
) -> None:
    answered = asyncio.run(_ask_request_tracker(seed, often))
    assert answered >= (8 if often == 0.0 else 0)


@settings(max_examples=40)
@given(SEEDS, OFTEN)
@example(0, 0.0)
@example(417968, 0.6)
def test_a_zendesk_that_answers_anything_gets_an_answer_or_one_of_our_errors(
    seed: int, often: float
) -> None:
    answered = asyncio.run(_ask_zendesk(seed, often))
    assert answered >= (8 if often == 0.0 else 0)


@settings(max_examples=40)
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_a_platform_that_answers_anything_gets_an_answer_or_one_of_our_errors(
    seed: int, often: float
) -> None:
    answered = asyncio.run(_ask_platform(seed, often))
    assert answered >= (8 if often == 0.0 else 0)
