"""Who we are at Zendesk: tokens and their lives, and what `check` finds out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import respx

from connectors.zendesk.credential import LIFE_SECONDS
from syncd.core.errors import Unauthorised, Unreachable
from syncd.core.model import TicketId
from syncd.ports import CheckResult, Read
from tests.support.clock import FakeClock
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk

BASE = "https://acme.example"
NOBODY = TicketId("1")


def tokens(desk: ZendeskDesk) -> int:
    """How many access tokens the desk has handed out."""
    return sum(entry.path == "/oauth/tokens" for entry in desk.sandbox.log.since(0))


async def ask(desk: ZendeskDesk) -> None:
    assert await desk.connector.fetch(NOBODY, Read.FIELDS) is None


def named(results: Any) -> dict[str, CheckResult]:
    return {result.name: result for result in results}


# --- access tokens -------------------------------------------------------------------------------


async def test_a_token_is_fetched_once_for_many_requests_at_once() -> None:
    async with a_zendesk_desk() as desk:
        await asyncio.gather(*(ask(desk) for _ in range(10)))
        assert tokens(desk) == 1


async def test_a_token_is_renewed_before_it_ends() -> None:
    async with a_zendesk_desk() as desk:
        await ask(desk)
        desk.clock.advance(LIFE_SECONDS - 61)
        await ask(desk)
        assert tokens(desk) == 1
        desk.clock.advance(2)
        await ask(desk)
        assert tokens(desk) == 2
        assert all(entry.status != 401 for entry in desk.sandbox.log.since(0))


async def test_a_revoked_token_is_renewed_once_for_all_who_met_the_refusal() -> None:
    async with a_zendesk_desk() as desk:
        await ask(desk)
        desk.sandbox.desk.credentials.revoke_all()
        await asyncio.gather(*(ask(desk) for _ in range(5)))
        assert tokens(desk) == 2


@respx.mock
async def test_a_token_without_an_end_is_not_trusted_for_long() -> None:
    clock = FakeClock()
    route = respx.post(f"{BASE}/oauth/tokens").respond(201, json={"access_token": "a"})
    respx.get(url__startswith=f"{BASE}/api/v2/tickets/").respond(404)
    connector = a_connector(BASE, clock)
    for _ in range(2):
        await connector.fetch(NOBODY, Read.FIELDS)
        clock.advance(timedelta(minutes=10).total_seconds())
    assert route.call_count == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_scope", "error_description": "the secret words"}),
        (400, {"error": "invalid_grant"}),
        (401, {"error": "invalid_client"}),
        (403, {"error": "Forbidden"}),
    ],
)
@respx.mock
async def test_a_client_that_gets_no_token_is_unauthorised(status: int, body: Any) -> None:
    respx.post(f"{BASE}/oauth/tokens").respond(status, json=body)
    with pytest.raises(Unauthorised) as caught:
        await a_connector(BASE, FakeClock()).fetch(NOBODY, Read.FIELDS)
    assert body["error"] in str(caught.value)
    assert "secret words" not in str(caught.value)
    assert "sandbox-client-secret" not in f"{caught.value!r} {vars(caught.value)}"


@respx.mock
async def test_a_token_endpoint_that_is_down_says_nothing_about_the_credential() -> None:
    respx.post(f"{BASE}/oauth/tokens").respond(502)
    with pytest.raises(Unreachable):
        await a_connector(BASE, FakeClock()).fetch(NOBODY, Read.FIELDS)


def test_a_credential_does_not_show_itself() -> None:
    connector = a_connector(BASE, FakeClock(), token=TOKEN)
    assert TOKEN not in repr(vars(connector))


# --- check ---------------------------------------------------------------------------------------


async def test_a_check_of_a_good_oauth_client_is_six_requests() -> None:
    async with a_zendesk_desk() as desk:
        results = named(await desk.connector.check())
        assert {"credential", "exports", "webhooks", "right to write tickets"} <= set(results)
        assert all(result.is_ok for result in results.values())
        templates = [entry.template for entry in desk.sandbox.log.since(2)]
        assert templates == [
            "/oauth/tokens",
            "/api/v2/users/me",
            "/api/v2/oauth/tokens/current",
            "/api/v2/incremental/tickets/cursor",
            "/api/v2/triggers",
            "/api/v2/automations",
        ]


async def test_an_api_token_is_warned_of_its_end() -> None:
    async with a_zendesk_desk(token=TOKEN) as desk:
        credential = named(await desk.connector.check())["credential"]
        assert credential.is_ok
        assert "30 April 2027" in credential.message
        assert "oauth" in credential.hint


async def test_a_caller_whom_zendesk_does_not_know_fails_though_it_is_answered() -> None:
    with respx.mock:
        user = {"user": {"id": None, "name": "Anonymous user", "role": "end-user"}}
        respx.get(f"{BASE}/api/v2/users/me").respond(200, json=user)
        results = await a_connector(BASE, FakeClock(), token="t").check()
    assert [(r.name, r.is_ok) for r in results] == [("credential", False)]
    assert results[0].hint


@respx.mock
async def test_an_agent_who_is_no_admin_is_told_what_is_missing() -> None:
    clock = FakeClock()
    dated = {"date": clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")}
    user = {"user": {"id": 1, "role": "agent"}}
    respx.get(f"{BASE}/api/v2/users/me").respond(200, json=user, headers=dated)
    refusal = {"error": {"title": "Forbidden", "message": "no"}}
    respx.get(url__startswith=f"{BASE}/api/v2/incremental/").respond(403, json=refusal)
    respx.get(f"{BASE}/api/v2/triggers").respond(403, json=refusal)
    results = named(await a_connector(BASE, clock, token="t").check())
    changes = results["right to read changes"]
    assert not changes.is_ok
    assert "needs an admin; has the role agent" in changes.message
    assert "Make the credential's user an admin." in changes.hint
    imports = results["right to import tickets"]
    assert imports.is_ok, "the rest works without"
    assert "a backfill cannot create tickets silently" in imports.hint
    assert results["right to write tickets"].is_ok
    assert results["mail to customers"].is_ok, "nobody needs it for keeping tickets the same"
    assert "cannot be told" in results["mail to customers"].message
    assert not results["exports"].is_ok
    assert "admin" in results["exports"].hint


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [
        (["read", "write"], set()),
        (["tickets:read", "tickets:write", "users:read"], set()),
        (["tickets:read", "tickets:write"], {"read people"}),
        (["read"], {"write tickets"}),
        ([], {"read tickets", "write tickets", "read people", "read changes"}),
    ],
)
@respx.mock
async def test_each_right_says_what_it_needs_and_what_is_there(
    scopes: list[str], missing: set[str]
) -> None:
    respx.post(f"{BASE}/oauth/tokens").respond(200, json={"access_token": "a", "expires_in": 600})
    respx.get(f"{BASE}/api/v2/users/me").respond(200, json={"user": {"id": 1, "role": "admin"}})
    info = {"token": {"scopes": scopes}}
    respx.get(f"{BASE}/api/v2/oauth/tokens/current").respond(200, json=info)
    respx.get(f"{BASE}/api/v2/triggers").respond(200, json={"triggers": []})
    respx.get(f"{BASE}/api/v2/automations").respond(200, json={"automations": []})
    for results in (
        named(await a_connector(BASE, FakeClock()).check()),
        named(await a_connector(BASE, FakeClock()).rights()),
    ):
        found = {name.removeprefix("right to ") for name, r in results.items() if not r.is_ok}
        assert found == missing
        for name in missing:
            assert "`oauth.scope`" in results[f"right to {name}"].hint
        assert (" ".join(scopes) or "no scope") in results["right to write tickets"].message
        assert "exports" not in results


async def test_rights_alone_are_two_requests() -> None:
    async with a_zendesk_desk() as desk:
        results = named(await desk.connector.rights())
        assert all(result.is_ok for result in results.values())
        templates = [entry.template for entry in desk.sandbox.log.since(2)]
        assert templates == ["/oauth/tokens", "/api/v2/users/me", "/api/v2/oauth/tokens/current"]


@respx.mock
async def test_a_token_that_will_not_tell_its_scopes_is_judged_by_its_role() -> None:
    respx.post(f"{BASE}/oauth/tokens").respond(200, json={"access_token": "a", "expires_in": 600})
    respx.get(f"{BASE}/api/v2/users/me").respond(200, json={"user": {"id": 1, "role": "agent"}})
    respx.get(f"{BASE}/api/v2/oauth/tokens/current").respond(403, json={"error": "Forbidden"})
    results = named(await a_connector(BASE, FakeClock()).rights())
    assert {name for name, r in results.items() if not r.is_ok} == {
        "scopes",
        "right to read changes",
    }


async def test_a_connection_without_webhooks_is_fine_and_told_so() -> None:
    async with a_zendesk_desk(token=TOKEN) as desk:
        connector = a_connector(desk.address, desk.clock, token=TOKEN)
        results = named(await connector.check())
        await connector.close()
        assert results["webhooks"].is_ok
        assert results["webhooks"].hint
