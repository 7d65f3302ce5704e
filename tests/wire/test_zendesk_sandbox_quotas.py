"""Quotas and credentials of the Zendesk sandbox, as a client meets them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.zendesk_account import Account, an_account

CLIENT = {"client_id": "syncd", "client_secret": "sandbox-client-secret"}


async def test_the_account_bucket_shows_in_every_answer_and_refuses_when_empty() -> None:
    async with an_account(plan="suite_team", requests_per_minute=None) as account:
        account.clock.advance(0.5)
        answer = await account.call("GET", "/users/me")
        assert answer.headers["x-rate-limit"] == "200"
        assert answer.headers["x-rate-limit-remaining"] == "199"
        assert answer.headers["ratelimit-remaining"] == "199"
        assert answer.headers["ratelimit-reset"] == "60"
        await account.switch(others_per_minute=150)
        answer = await account.call("GET", "/users/me")
        assert (answer.headers["x-rate-limit"], answer.headers["x-rate-limit-remaining"]) == (
            "200",
            "48",
        )
        await account.switch(others_per_minute=199)
        account.clock.advance(10.2)
        refused = await account.call("GET", "/users/me")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "50"
        assert refused.json()["error"] == "APIRateLimitExceeded"
        account.clock.advance(50)
        assert (await account.call("GET", "/users/me")).status_code == 200


async def test_old_header_spellings_can_be_played() -> None:
    async with an_account(header_spelling="old") as account:
        ticket = (await account.create())["ticket"]
        headers = (await account.update(ticket["id"], tags=["x"])).headers
        assert {"rate-limit", "rate-limit-remaining", "rate-limit-reset"} <= set(headers)
        assert headers["zendesk-rate-limit-tickets-update"].startswith("total=")
        assert "ratelimit-limit" not in headers


async def test_the_time_scale_shrinks_windows_and_retry_after() -> None:
    async with an_account(requests_per_minute=1, scale=20) as account:
        assert (await account.call("GET", "/users/me")).status_code == 200
        refused = await account.call("GET", "/users/me")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        account.clock.advance(3)
        assert (await account.call("GET", "/users/me")).status_code == 200


async def test_one_ticket_takes_thirty_updates_in_ten_minutes_and_refuses_in_plain_text() -> None:
    async with an_account(updates_per_ticket=30) as account:
        ticket = (await account.create())["ticket"]
        other = (await account.create())["ticket"]
        for number in range(29):
            await account.update(ticket["id"], tags=[f"t{number}"])
        last = await account.update(ticket["id"], tags=["last"])
        assert last.headers["zendesk-ratelimit-per-ticket-updates"] == (
            "total=30; remaining=0; resets=600"
        )
        refused = await account.update(ticket["id"], tags=["late"])
        assert refused.status_code == 429
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.headers["retry-after"] == "600"
        assert (await account.update(other["id"], tags=["x"])).status_code == 200
        assert "late" not in (await account.shown(ticket["id"]))["tags"]


async def test_the_ticket_update_bucket_is_shared_by_all_tickets() -> None:
    async with an_account(ticket_updates_per_minute=2) as account:
        ids = [(await account.create())["ticket"]["id"] for _ in range(3)]
        statuses = [(await account.update(one, tags=["x"])).status_code for one in ids]
        assert statuses == [200, 200, 429]


@pytest.mark.parametrize("is_shown", [True, False])
async def test_exports_have_ten_a_minute_with_their_header_or_without(*, is_shown: bool) -> None:
    async with an_account(exports_per_minute=None, shows_export_bucket=is_shown) as account:
        path, query = "/incremental/tickets/cursor", {"start_time": int(account.clock()) - 100}
        answers = [await account.call("GET", path, params=query) for _ in range(11)]
        assert [a.status_code for a in answers] == [200] * 10 + [429]
        name = "zendesk-ratelimit-incremental-exports"
        assert (name in answers[0].headers) is is_shown


async def test_a_person_is_never_refused_by_a_quota() -> None:
    async with an_account(ticket_updates_per_minute=1, ui_updates_count=True) as account:
        ticket = (await account.create())["ticket"]
        for number in range(3):
            deed = {"as": "alice@acme.test", "add_tags": [f"t{number}"]}
            await account.act(**deed, ticket_id=ticket["id"])
        assert (await account.update(ticket["id"], tags=["x"])).status_code == 429


async def test_the_date_header_tells_the_desks_own_second() -> None:
    async with an_account() as account:
        account.clock.advance(7.7)
        answer = await account.call("GET", "/users/me")
        assert answer.headers["date"] == "Fri, 20 Nov 2026 10:00:07 GMT"


async def bearer(account: Account, **asked: Any) -> httpx.Response:
    return await account.client.post("/oauth/tokens", json={**CLIENT, **asked})


def as_bearer(answer: httpx.Response) -> dict[str, str]:
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def me(account: Account, headers: dict[str, str]) -> httpx.Response:
    # A request of its own: the client's default credentials stay away.
    request = account.client.build_request("GET", "/api/v2/users/me", headers=headers)
    return await account.client.send(request, auth=None)


async def test_client_credentials_give_a_token_that_expires_by_the_clock() -> None:
    async with an_account(scale=100) as account:
        answer = await bearer(account, grant_type="client_credentials", expires_in=300)
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
        headers = as_bearer(answer)
        assert (await me(account, headers)).json()["user"]["email"] == "syncd@acme.test"
        account.clock.advance(299)
        assert (await me(account, headers)).status_code == 200
        account.clock.advance(1)
        refused = await me(account, headers)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")


async def test_refreshing_kills_the_old_pair() -> None:
    async with an_account() as account:
        grant = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
        first = await bearer(account, **grant)
        again = await bearer(account, **grant)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        second = await bearer(account, **{**grant, "refresh_token": first.json()["refresh_token"]})
        assert (await me(account, as_bearer(first))).status_code == 401
        assert (await me(account, as_bearer(second))).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"client_secret": "wrong", "grant_type": "client_credentials"}, 401),
        ({"grant_type": "client_credentials", "expires_in": 10}, 400),
        ({"grant_type": "password"}, 400),
    ],
)
async def test_a_wrong_grant_gives_no_token(asked: dict[str, Any], status: int) -> None:
    async with an_account() as account:
        assert (await bearer(account, **asked)).status_code == status


async def test_a_read_scope_may_not_write_and_an_unknown_scope_may_do_nothing() -> None:
    async with an_account() as account:
        for scope, get, post in (
            ("read", 200, 403),
            ("tickets:write", 403, 201),
            ("x:y", 403, 403),
        ):
            answer = await bearer(account, grant_type="client_credentials", scope=scope)
            headers = as_bearer(answer)
            body = {"ticket": {"subject": "s", "comment": {"body": "b"}}}
            send = account.client.send
            build = account.client.build_request
            read = await send(build("GET", "/api/v2/tickets", headers=headers), auth=None)
            write = await send(
                build("POST", "/api/v2/tickets", headers=headers, json=body), auth=None
            )
            assert (read.status_code, write.status_code) == (get, post)


async def test_the_current_token_tells_when_it_expires() -> None:
    async with an_account() as account:
        answer = await bearer(account, grant_type="client_credentials", expires_in=600)
        request = account.client.build_request(
            "GET", "/api/v2/oauth/tokens/current", headers=as_bearer(answer)
        )
        token = (await account.client.send(request, auth=None)).json()["token"]
        assert token["expires_at"] == "2026-11-20T10:10:00Z"


async def test_without_credentials_me_is_anonymous_and_everything_else_refused() -> None:
    async with an_account() as account:
        request = account.client.build_request("GET", "/api/v2/users/me")
        answer = await account.client.send(request, auth=None)
        assert (answer.status_code, answer.json()["user"]["id"]) == (200, None)
        request = account.client.build_request("GET", "/api/v2/tickets")
        refused = await account.client.send(request, auth=None)
        assert (refused.status_code, refused.json()) == (
            401,
            {"error": "Couldn't authenticate you"},
        )


@pytest.mark.parametrize("user", ["syncd@acme.test", "nobody@acme.test/token", "syncd@acme.test/"])
async def test_wrong_basic_credentials_are_refused(user: str) -> None:
    async with an_account() as account:
        answer = await account.client.get("/api/v2/tickets", auth=(user, "sandbox-api-token"))
        assert answer.status_code == 401


async def test_exports_need_an_admin() -> None:
    async with an_account() as account:
        query = {"start_time": int(account.clock()) - 100}
        answer = await account.call(
            "GET",
            "/incremental/tickets/cursor",
            params=query,
            auth=("alice@acme.test/token", "sandbox-api-token"),
        )
        assert answer.status_code == 403
