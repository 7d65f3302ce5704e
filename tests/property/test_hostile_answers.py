"""Desks whose answers are spoilt anywhere: every call ends in a value or in one of our errors.

The sandboxes answer as they should, and a hand in between breaks what Hypothesis chose: a value, a
key, a whole body, its encoding. What a connector makes of it must be sayable to whoever waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import httpx
from hypothesis import example, given, settings

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
from tests.support.spoiling import OFTEN, SEEDS, Spoiling, must_be_ours
from tests.support.zendesk_account import an_account


async def everything_asked(connector: Connector, ticket_ids: Sequence[TicketId]) -> int:
    """Every question that a daemon asks; how many were answered."""
    answered = 0

    async def ask(question: Callable[[], Awaitable[Any]]) -> Any:
        nonlocal answered
        try:
            value = await question()
        except SyncdError as error:
            must_be_ours(error)
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
