"""The contract file is sound, complete, and what the sandbox really speaks."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from connectors.platform.sandbox.model import SCOPES
from tests.support.platform_contract import contract, hold_against_contract
from tests.support.platform_desk import VIEW, Platform, a_client, a_platform

METHODS = {"get", "put", "post", "patch", "delete"}


async def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> None:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("field")) == (status, code, field)


def test_the_contract_is_a_valid_openapi_document() -> None:
    OpenAPIV31SpecValidator(contract()).validate()


async def test_the_sandbox_serves_the_operations_of_the_contract_and_no_others() -> None:
    described = {
        (method.upper(), path)
        for path, item in contract()["paths"].items()
        for method in item
        if method in METHODS
    }

    async with a_platform() as platform:
        routes = platform.sandbox.platform.api.routes()

    assert {(route.method, route.template) for route in routes} == described


async def test_an_answer_that_the_contract_does_not_describe_fails_the_check() -> None:
    request = httpx.Request("GET", "http://platform.test/me")
    account = {
        "id": "x",
        "name": "x",
        "views": [],
        "scopes": [],
        "server_time": "2026-01-01T00:00:00Z",
    }
    rate = {"RateLimit-Limit": "1", "RateLimit-Remaining": "1", "RateLimit-Reset": "1"}
    bad: list[dict[str, object]] = [
        {**account, "surprise": 1},
        {**account, "scopes": ["everything"]},
        {"id": "x"},
    ]

    await hold_against_contract(httpx.Response(200, json=account, headers=rate, request=request))
    for body in bad:
        with pytest.raises(AssertionError):
            await hold_against_contract(
                httpx.Response(200, json=body, headers=rate, request=request)
            )
    with pytest.raises(AssertionError):
        await hold_against_contract(httpx.Response(200, json=account, request=request))
    with pytest.raises(AssertionError):
        await hold_against_contract(httpx.Response(418, json={}, request=request))


async def test_me_tells_the_tokens_views_scopes_and_the_servers_time() -> None:
    async with a_platform() as platform:
        ours = (await platform.api.get("/me")).json()
        acme = (await platform.acme.get("/me")).json()

    assert ours["views"] == ["acme-postgres", "globex-search"]
    assert set(ours["scopes"]) == set(SCOPES)
    assert acme["views"] == [VIEW]
    assert ours["server_time"] == "2027-01-15T08:00:00.250000Z"


async def test_every_answer_carries_the_desks_own_date() -> None:
    async with a_platform() as platform:
        answers = [await platform.api.get("/me"), await platform.api.get("/tickets/nothing")]

    assert [answer.headers["date"] for answer in answers] == ["Fri, 15 Jan 2027 08:00:00 GMT"] * 2


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic platform-token", "platform-token"])
async def test_a_call_without_a_valid_token_is_refused(header: str) -> None:
    async with a_platform() as platform, a_client(platform.sandbox, "") as client:
        answer = await client.get("/me", headers={"Authorization": header})

    await refused(answer, 401, "token_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("tickets:read", "GET", "/tickets"),
        ("tickets:read", "GET", "/changes"),
        ("tickets:write", "PUT", "/tickets/t1198847/updates/a"),
        ("webhooks", "DELETE", "/webhooks/a"),
    ],
)
async def test_a_token_without_the_scope_is_refused(scope: str, method: str, path: str) -> None:
    async with a_platform() as platform:
        await platform.a_ticket()
        without(platform, scope)
        answer = await platform.acme.request(method, path)

    await refused(answer, 403, "scope_missing")


async def test_the_requesters_address_is_shown_only_with_its_scope() -> None:
    async with a_platform() as platform:
        ticket = await platform.a_ticket()
        ours = (await platform.api.get(f"/tickets/{ticket['id']}")).json()["ticket"]
        acme = (await platform.acme.get(f"/tickets/{ticket['id']}")).json()["ticket"]

    assert ours["requester"].pop("email") == "u1004@customer.example"
    assert ours["requester"] == acme["requester"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/tickets?limit=0", "limit"),
        ("/tickets?limit=101", "limit"),
        (f"/changes?limit={'9' * 5000}", "limit"),
        ("/changes?wait_seconds=-1", "wait_seconds"),
        ("/tickets?status=Solved", "status"),
        ("/tickets?include=everything", "include"),
        ("/tickets?updated_since=yesterday", "updated_since"),
        ("/tickets?updated_since=2026-13-01T00:00:00Z", "updated_since"),
        ("/tickets?updated_since=2026-01-01T00:00:00", "updated_since"),
        ("/tickets:batch", "ids"),
        (f"/tickets:batch?ids={','.join(map(str, range(101)))}", "ids"),
    ],
)
async def test_a_parameter_out_of_its_range_is_refused(path: str, field: str) -> None:
    async with a_platform() as platform:
        answer = await platform.api.get(path)

    await refused(answer, 400, "bad_request", field)


async def test_a_quota_that_is_used_up_refuses_until_its_window_ends() -> None:
    async with a_platform(quota=2, scale=10.0) as platform:
        first = await platform.api.get("/me")
        await platform.api.get("/me")
        refusal = await platform.api.get("/me")
        other = await platform.acme.get("/me")
        platform.clock.seconds += 6
        again = await platform.api.get("/me")

    await refused(refusal, 429, "rate_limited")
    assert refusal.headers["retry-after"] == "6"
    assert [first.headers[f"ratelimit-{n}"] for n in ("limit", "remaining", "reset")] == [
        "2",
        "1",
        "6",
    ]
    assert (other.status_code, again.status_code) == (200, 200)


async def test_a_refused_write_over_quota_changes_nothing() -> None:
    async with a_platform(quota=1) as platform:
        ticket = await platform.a_ticket()
        await platform.api.get("/me")
        answer = await platform.put(ticket, "a", {"status": "Closed"})
        dump = await platform.dump(ticket)

    assert answer.status_code == 429
    assert (dump["status"], dump["version"]) == ("Open", 2)


def without(platform: Platform, scope: str) -> None:
    """Take a scope from the partner's token."""
    tokens = platform.sandbox.platform.register.tokens
    token = tokens[f"integration-{VIEW}"]
    tokens[token.id] = replace(token, scopes=token.scopes - {scope})
