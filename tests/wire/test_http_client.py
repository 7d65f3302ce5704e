"""The shared HTTP client: error table, retries, quotas, credentials, what never leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
import respx

from connectors.http import MEANINGS, Explanation, HttpClient, Meaning, Request
from connectors.http.client import READ_SECONDS, READ_TRIES
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RemoteError,
    Stale,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from tests.support.clock import FakeClock
from tests.support.http_world import (
    Behaviour,
    FreeBudget,
    Tokens,
    a_server,
    answering,
    hang_up,
    stay_silent,
)

BASE = "https://desk.example"
SECRET = "a-token-nobody-may-see"
READ = Request(
    action="read ticket",
    template="/tickets/{id}",
    parameters={"id": "7"},
    is_about_one_ticket=True,
)
WRITE = Request(
    action="update ticket",
    method="PUT",
    template="/tickets/{id}",
    parameters={"id": "7"},
    body=b'{"status":"open"}',
    buckets=("updates",),
    is_about_one_ticket=True,
)


def an_object(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


def a_client(base_url: str = BASE, **given: Any) -> HttpClient:
    usual: dict[str, Any] = {
        "connection": "acme",
        "base_url": base_url,
        "budget": FreeBudget(),
        "clock": FakeClock(),
        "timeout_seconds": 5.0,
        "credential": Tokens([SECRET]),
    }
    return HttpClient(**(usual | given))


@contextlib.asynccontextmanager
async def on_the_line(
    behaviour: Behaviour, *, scheme: str = "http", timeout_seconds: float = 5.0
) -> AsyncIterator[HttpClient]:
    """A client of a server that does what it is told."""
    async with a_server(behaviour) as port:
        client = a_client(f"{scheme}://127.0.0.1:{port}", timeout_seconds=timeout_seconds)
        try:
            yield client
        finally:
            await client.close()


# --- the error table -----------------------------------------------------------------------------

READS: list[tuple[int, type[RemoteError]]] = [
    (301, Unintelligible),
    (304, Unintelligible),
    (400, Unintelligible),
    (401, Unauthorised),
    (403, Unauthorised),
    (404, Gone),
    (405, Unintelligible),
    (408, Unreachable),
    (409, Unintelligible),
    (410, Gone),
    (422, Unintelligible),
    (429, RateLimited),
    (500, Unreachable),
    (502, Unreachable),
    (503, Unreachable),
]
WRITES: list[tuple[int, type[RemoteError]]] = [
    (301, OutcomeUnknown),
    (400, Rejected),
    (401, Unauthorised),
    (403, Unauthorised),
    (404, Gone),
    (405, Rejected),
    (408, OutcomeUnknown),
    (409, Stale),
    (410, Gone),
    (412, Stale),
    (413, Rejected),
    (422, Rejected),
    (429, RateLimited),
    (500, OutcomeUnknown),
    (502, OutcomeUnknown),
    (503, OutcomeUnknown),
    (507, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "expected"), READS)
@respx.mock
async def test_a_refused_read_is_named_by_what_to_do(
    status: int, expected: type[RemoteError]
) -> None:
    respx.get(f"{BASE}/tickets/7").respond(status, headers={"x-request-id": "r-1"})
    with pytest.raises(expected) as caught:
        await a_client().read(READ, an_object)
    assert (caught.value.status, caught.value.request_id) == (status, "r-1")
    assert (caught.value.connection, caught.value.action) == ("acme", "read ticket")
    assert caught.value.hint


@pytest.mark.parametrize(("status", "expected"), WRITES)
@respx.mock
async def test_a_refused_write_is_named_by_what_to_do_and_sent_once(
    status: int, expected: type[RemoteError]
) -> None:
    route = respx.put(f"{BASE}/tickets/7").respond(status, headers={"retry-after": "0"})
    with pytest.raises(expected):
        await a_client().write(WRITE, an_object)
    assert route.call_count == 1


@respx.mock
async def test_a_connector_may_override_a_row() -> None:
    respx.put(f"{BASE}/tickets/7").respond(423)
    client = a_client(meanings={**MEANINGS, 423: Meaning.STALE})
    with pytest.raises(Stale):
        await client.write(WRITE, an_object)


@respx.mock
async def test_an_explanation_may_say_more_than_the_status() -> None:
    respx.put(f"{BASE}/tickets/7").respond(409, text="permanent")
    client = a_client(
        explain=lambda _status, body: Explanation(
            meaning=Meaning.REJECTED if body == b"permanent" else None
        )
    )
    with pytest.raises(Rejected):
        await client.write(WRITE, an_object)


@respx.mock
async def test_a_missing_address_is_not_a_missing_ticket() -> None:
    respx.get(f"{BASE}/tickets").respond(404)
    with pytest.raises(Unintelligible):
        await a_client().read(Request(action="list", template="/tickets"), an_object)


@pytest.mark.parametrize(
    "body", [b"<html>maintenance</html>", b'{"a": ', b"", b"[]", b'{"a": "\xff"}']
)
@respx.mock
async def test_an_answer_that_is_no_answer_is_a_riddle_to_a_read_and_unknown_to_a_write(
    body: bytes,
) -> None:
    respx.route(url=f"{BASE}/tickets/7").respond(200, content=body)
    with pytest.raises(Unintelligible):
        await a_client().read(READ, an_object)
    with pytest.raises(OutcomeUnknown):
        await a_client().write(WRITE, an_object)


@respx.mock
async def test_an_answer_beyond_the_limit_is_not_read_to_its_end() -> None:
    respx.route(url=f"{BASE}/tickets/7").respond(200, content=b'{"a": "' + b"x" * 5000 + b'"}')
    client = a_client(max_answer_bytes=1000)
    with pytest.raises(Unintelligible):
        await client.read(READ, an_object)
    with pytest.raises(OutcomeUnknown):
        await client.write(WRITE, an_object)


# --- what an error may say -----------------------------------------------------------------------


@respx.mock
async def test_an_error_shows_codes_and_fields_but_no_sentence_and_no_address() -> None:
    respx.put(f"{BASE}/tickets/7").respond(422, json={})
    client = a_client(
        explain=lambda _status, _body: Explanation(
            code="RecordInvalid", fields=("she said hello", "me@example.com", "status"), hint="Do."
        )
    )
    with pytest.raises(Rejected) as caught:
        await client.write(WRITE, an_object)
    assert "RecordInvalid" in str(caught.value)
    assert "status" in str(caught.value)
    assert (caught.value.field, caught.value.hint) == ("status", "Do.")
    assert "hello" not in str(caught.value)
    assert "@" not in str(caught.value)


@respx.mock
async def test_nothing_private_is_in_any_representation() -> None:
    respx.route(url=f"{BASE}/tickets/7").respond(200, text='"what the customer wrote"')
    client = a_client()
    for call in (client.read(READ, an_object), client.write(WRITE, an_object)):
        with pytest.raises(RemoteError) as caught:
            await call
        shown = f"{caught.value!r} {caught.value} {vars(caught.value)} {caught.value.__cause__!r}"
        assert "customer" not in shown
        assert SECRET not in shown
    assert SECRET not in repr(client)


@respx.mock
async def test_a_request_id_that_is_none_is_left_out() -> None:
    respx.get(f"{BASE}/tickets/7").respond(403, headers={"x-request-id": "some words here"})
    with pytest.raises(Unauthorised) as caught:
        await a_client().read(READ, an_object)
    assert caught.value.request_id is None


# --- whether a byte left -------------------------------------------------------------------------


async def test_a_desk_that_nobody_listens_at_is_unreachable_for_a_write_too() -> None:
    async with a_server(hang_up) as port:
        pass
    client = a_client(f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable):
        await client.write(WRITE, an_object)
    with pytest.raises(Unreachable):
        await client.read(READ, an_object)


async def test_a_write_that_was_hung_up_on_is_unknown() -> None:
    async with on_the_line(hang_up) as client:
        with pytest.raises(OutcomeUnknown):
            await client.write(WRITE, an_object)


async def test_a_write_that_is_never_answered_is_unknown() -> None:
    async with on_the_line(stay_silent, timeout_seconds=0.1) as client:
        with pytest.raises(OutcomeUnknown):
            await client.write(WRITE, an_object)


async def test_a_write_whose_answer_drips_in_for_ever_is_unknown_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while not reader.at_eof():
            writer.write(b" ")
            # Returns at once when the client leaves, else after a moment with nothing read.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.01)

    async with on_the_line(drip, timeout_seconds=0.2) as client:
        with pytest.raises(OutcomeUnknown):
            await client.write(WRITE, an_object)


async def test_a_line_that_never_gets_as_far_as_the_request_is_unreachable() -> None:
    # The greeting of TLS is never answered: not a byte of the request has left.
    async with on_the_line(stay_silent, scheme="https", timeout_seconds=0.1) as client:
        with pytest.raises(Unreachable):
            await client.write(WRITE, an_object)


async def test_half_an_answer_is_unknown_to_a_write() -> None:
    half = b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ticket": '
    async with on_the_line(answering(half)) as client:
        with pytest.raises(OutcomeUnknown):
            await client.write(WRITE, an_object)
        with pytest.raises(Unreachable):
            await client.read(READ, an_object)


# --- retries -------------------------------------------------------------------------------------


@respx.mock
async def test_a_read_is_tried_a_few_times_within_ten_seconds() -> None:
    route = respx.get(f"{BASE}/tickets/7").respond(502)
    clock = FakeClock()
    with pytest.raises(Unreachable):
        await a_client(clock=clock).read(READ, an_object)
    assert route.call_count == READ_TRIES
    assert clock.monotonic() <= READ_SECONDS


@respx.mock
async def test_a_read_is_not_begun_again_when_the_ten_seconds_are_over() -> None:
    clock = FakeClock()

    def slowly(_request: httpx.Request) -> httpx.Response:
        clock.advance(READ_SECONDS)
        return httpx.Response(502)

    route = respx.get(f"{BASE}/tickets/7").mock(side_effect=slowly)
    with pytest.raises(Unreachable):
        await a_client(clock=clock).read(READ, an_object)
    assert route.call_count == 1


@respx.mock
async def test_a_read_that_succeeds_the_second_time_says_nothing_of_the_first() -> None:
    respx.get(f"{BASE}/tickets/7").mock(
        side_effect=[httpx.ReadTimeout("slow"), httpx.Response(200, json={"id": 7})]
    )
    assert (await a_client().read(READ, an_object)).value == {"id": 7}


@pytest.mark.parametrize("status", [401, 404, 422, 429])
@respx.mock
async def test_a_verdict_is_not_asked_for_twice(status: int) -> None:
    route = respx.get(f"{BASE}/tickets/7").respond(status)
    with pytest.raises(RemoteError):
        await a_client().read(READ, an_object)
    assert route.call_count == 1


# --- quotas --------------------------------------------------------------------------------------


@respx.mock
async def test_every_request_is_paid_for_before_it_leaves() -> None:
    budget = FreeBudget()
    respx.get(f"{BASE}/tickets/7").respond(502)
    with pytest.raises(Unreachable):
        await a_client(budget=budget).read(READ, an_object)
    assert budget.spent == [("account",)] * READ_TRIES

    respx.put(f"{BASE}/tickets/7").respond(200, json={})
    await a_client(budget=budget).write(WRITE, an_object)
    assert budget.spent[-1] == ("account", "updates")


@respx.mock
async def test_a_quota_that_an_answer_names_is_paid_into_from_then_on() -> None:
    budget = FreeBudget()
    header = {"zendesk-ratelimit-tickets-show": "total=50; remaining=49; resets=12"}
    respx.get(f"{BASE}/tickets/7").respond(200, json={}, headers=header)
    client = a_client(budget=budget)
    await client.read(READ, an_object)
    await client.read(READ, an_object)
    assert budget.spent == [("account",), ("account", "tickets-show")]
    assert budget.readings[0].limit == 50


@respx.mock
async def test_a_429_stops_the_quota_that_is_spent_and_no_other() -> None:
    budget = FreeBudget()
    respx.put(f"{BASE}/tickets/7").respond(
        429,
        headers={
            "retry-after": "41",
            "ratelimit-limit": "400",
            "ratelimit-remaining": "300",
            "ratelimit-reset": "20",
            "zendesk-ratelimit-updates": "total=100; remaining=0; resets=41",
        },
    )
    clock = FakeClock()
    with pytest.raises(RateLimited) as caught:
        await a_client(budget=budget, clock=clock).write(WRITE, an_object)
    assert budget.paused == {"updates": 41.0}
    assert (caught.value.retry_at - clock.now()).total_seconds() == pytest.approx(41)


@respx.mock
async def test_a_429_that_names_nothing_stops_everything_it_could_mean() -> None:
    budget = FreeBudget()
    respx.put(f"{BASE}/tickets/7").respond(429, text="slow down")
    with pytest.raises(RateLimited):
        await a_client(budget=budget).write(WRITE, an_object)
    assert set(budget.paused) == {"account", "updates"}
    assert min(budget.paused.values()) >= 1


@respx.mock
async def test_a_429_for_one_ticket_stops_nothing_but_that_ticket() -> None:
    budget = FreeBudget()
    header = {"zendesk-ratelimit-per-ticket": "total=30; remaining=0; resets=468"}
    route = respx.put(f"{BASE}/tickets/7")
    route.respond(429, headers=header | {"retry-after": "468"})
    clock = FakeClock()
    client = a_client(budget=budget, clock=clock, narrow_buckets=frozenset({"per-ticket"}))
    with pytest.raises(RateLimited) as told:
        await client.write(WRITE, an_object)
    assert budget.paused == {}
    assert budget.readings == []

    clock.advance(400)
    with pytest.raises(RateLimited) as known:
        await client.write(WRITE, an_object)
    assert route.call_count == 1
    assert known.value.retry_at == told.value.retry_at
    respx.put(f"{BASE}/tickets/8").respond(200, json={})
    await client.write(replace(WRITE, parameters={"id": "8"}), an_object)
    clock.advance(68)
    with pytest.raises(RateLimited):
        await client.write(WRITE, an_object)
    assert route.call_count == 2


@respx.mock
async def test_maintenance_with_a_date_is_waited_for() -> None:
    budget = FreeBudget()
    header = {
        "retry-after": "Fri, 15 Jan 2027 08:10:00 GMT",
        "date": "Fri, 15 Jan 2027 08:00:00 GMT",
    }
    respx.route(url=f"{BASE}/tickets/7").respond(503, headers=header)
    client = a_client(budget=budget)
    with pytest.raises(RateLimited) as caught:
        await client.read(READ, an_object)
    assert caught.value.status == 503
    assert budget.paused == {"account": 600.0}
    with pytest.raises(OutcomeUnknown):
        await client.write(WRITE, an_object)
    assert budget.paused["updates"] == 600.0


# --- credentials and hosts -----------------------------------------------------------------------


@respx.mock
async def test_a_refused_credential_is_renewed_once_for_reads_and_writes() -> None:
    def only_fresh(request: httpx.Request) -> httpx.Response:
        is_fresh = request.headers["authorization"] == "Bearer fresh"
        return httpx.Response(200 if is_fresh else 401, json={"ok": True})

    route = respx.route(url=f"{BASE}/tickets/7").mock(side_effect=only_fresh)
    for call in (
        lambda client: client.read(READ, an_object),
        lambda client: client.write(WRITE, an_object),
    ):
        ask: Callable[[HttpClient], Any] = call
        assert (await ask(a_client(credential=Tokens(["old", "fresh"])))).value == {"ok": True}
    assert route.call_count == 4


@respx.mock
async def test_a_credential_that_is_refused_again_is_refused() -> None:
    route = respx.put(f"{BASE}/tickets/7").respond(401)
    with pytest.raises(Unauthorised):
        await a_client(credential=Tokens(["old", "newer", "newest"])).write(WRITE, an_object)
    assert route.call_count == 2


@respx.mock
async def test_a_redirect_takes_no_credential_anywhere() -> None:
    elsewhere = respx.get("https://evil.example/").respond(200, json={})
    respx.get(f"{BASE}/tickets/7").respond(302, headers={"location": "https://evil.example/"})
    with pytest.raises(Unintelligible):
        await a_client().read(READ, an_object)
    assert elsewhere.call_count == 0


@respx.mock
async def test_an_anonymous_request_carries_no_credential() -> None:
    route = respx.post(f"{BASE}/token").respond(200, json={})
    request = Request(action="ask", method="POST", template="/token", body=b"{}", is_anonymous=True)
    await a_client().read(request, an_object)
    assert "authorization" not in route.calls.last.request.headers


@respx.mock
async def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    route = respx.route(host="desk.example").respond(200, json={})
    request = Request(
        action="read", template="/tickets/{id}/x", parameters={"id": "../../admin?a=b#c"}
    )
    await a_client(f"{BASE}/api/").read(request, an_object)
    sent = route.calls.last.request.url
    assert sent.raw_path == b"/api/tickets/..%2F..%2Fadmin%3Fa%3Db%23c/x"


@respx.mock
async def test_the_bytes_of_a_write_are_sent_as_they_are() -> None:
    route = respx.put(f"{BASE}/tickets/7").respond(200, json={})
    await a_client().write(WRITE, an_object)
    sent = route.calls.last.request
    assert (sent.content, sent.headers["content-type"]) == (WRITE.body, "application/json")
    assert json.loads(sent.content) == {"status": "open"}


# --- what is told --------------------------------------------------------------------------------


@respx.mock
async def test_an_answer_brings_the_desks_time_and_its_headers() -> None:
    respx.get(f"{BASE}/tickets/7").respond(
        200, json={}, headers={"Date": "Fri, 15 Jan 2027 08:00:01 GMT", "X-Thing": "1"}
    )
    answer = await a_client().read(READ, an_object)
    assert answer.date is not None
    assert answer.date.isoformat() == "2027-01-15T08:00:01+00:00"
    assert answer.headers["x-thing"] == "1"


@respx.mock
async def test_whoever_counts_is_told_of_every_request_by_its_template() -> None:
    told: list[tuple[str, str, str, int | None]] = []

    def count(
        *, connection: str, template: str, method: str, status: int | None, seconds: float
    ) -> None:
        assert seconds >= 0
        told.append((connection, method, template, status))

    respx.put(f"{BASE}/tickets/7").mock(
        side_effect=[httpx.ConnectError("refused"), httpx.Response(200, json={})]
    )
    client = a_client(on_request=count)
    with pytest.raises(Unreachable):
        await client.write(WRITE, an_object)
    await client.write(WRITE, an_object)
    assert told == [
        ("acme", "PUT", "/tickets/{id}", None),
        ("acme", "PUT", "/tickets/{id}", 200),
    ]
