"""What the connector says of its token, of its desk, and of what it spends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.platform import wire
from connectors.platform.account import check_account
from syncd.core.errors import Unauthorised
from syncd.core.model import TicketId
from syncd.ports import Connector, Read
from tests.support.platform_connector import a_rig, scripted
from tests.support.platform_desk import OTHER_VIEW, VIEW, Json


async def test_a_check_is_one_request_and_names_the_views() -> None:
    async with a_rig() as rig:
        results = {result.name: result for result in await rig.connector.check()}
        assert all(result.is_ok for result in results.values())
        assert results["views"].message == f"{VIEW}, {OTHER_VIEW}"
        assert len(rig.transport.requests) == 1


def me(**members: Any) -> wire.Me:
    given: Json = {
        "name": "syncd",
        "views": (VIEW,),
        "scopes": ("tickets:read", "tickets:write"),
        "server_time": datetime(2027, 1, 15, 8, tzinfo=UTC),
        **members,
    }
    return wire.Me(**given)


async def test_a_refused_token_is_a_failed_check_with_a_hint() -> None:
    async with a_rig(token="wrong") as rig:
        (result,) = await rig.connector.check()
    assert (result.name, result.is_ok) == ("token", False)
    assert "token" in result.hint


@pytest.mark.parametrize(
    ("members", "name", "word"),
    [
        ({"scopes": ("tickets:read",)}, "scopes", "tickets:write"),
        ({"views": ()}, "views", "none"),
        ({"server_time": datetime(2027, 1, 15, 7, tzinfo=UTC)}, "clock", "3600 s ahead"),
        ({"server_time": datetime(2027, 1, 15, 9, tzinfo=UTC)}, "clock", "3600 s behind"),
    ],
)
def test_what_a_token_lacks_is_named_with_a_hint(members: Json, name: str, word: str) -> None:
    results = check_account(me(**members), now=datetime(2027, 1, 15, 8, tzinfo=UTC))
    (failed,) = [result for result in results if not result.is_ok]
    assert failed.name == name
    assert word in failed.message
    assert failed.hint


def test_a_check_shows_no_control_characters() -> None:
    results = check_account(me(name="a\x1b[31m\nb"), now=datetime(2027, 1, 15, 8, tzinfo=UTC))
    assert results[0].message == "accepted as a [31m b"


def test_seconds_between_two_clocks_are_no_fault() -> None:
    now = datetime(2027, 1, 15, 8, tzinfo=UTC) + timedelta(seconds=20)
    assert all(result.is_ok for result in check_account(me(), now=now))


async def test_the_connector_is_what_the_engine_asks_for() -> None:
    async with a_rig() as rig:
        connector: Connector = rig.connector
        assert connector.name == "heroku"
        capabilities = connector.capabilities
        assert capabilities.has_views
        assert capabilities.keeps_author
        assert capabilities.keeps_time
        assert not capabilities.can_create
        assert not capabilities.can_restrict


async def test_every_request_spends_and_the_desks_figures_are_reported() -> None:
    async with a_rig(quota=500) as rig:
        await rig.connector.check()
        assert rig.budget.spent == [("account",)]
        (reading,) = rig.budget.readings
        assert (reading.limit, reading.remaining) == (500, 499)


async def test_the_token_shows_nowhere() -> None:
    async with scripted(httpx.Response(401, text="platform-token")) as desk:
        with pytest.raises(Unauthorised) as caught:
            await desk.connector.fetch(TicketId("t1"), Read.FIELDS)
    shown = f"{caught.value} {caught.value!r} {caught.value.hint} {desk.connector!r}"
    assert "platform-token" not in shown
