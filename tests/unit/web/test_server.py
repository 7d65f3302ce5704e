"""The daemon's web server alone: what it answers to whom, and what it does not even read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from syncd.core.errors import StoreTooNew, StoreUnavailable, Unauthentic, Unintelligible
from syncd.core.model import ConnectionName
from syncd.web.server import MOST_BYTES, NotYet, web_app
from tests.support.serve_web import TellsAsTold, served_web

ACME = ConnectionName("acme")
HOOK = "/webhooks/acme"


@dataclass(kw_only=True)
class Intake:
    """Takes webhooks in as it is told: an error to raise, or a gate to wait at."""

    error: Exception | None = None
    gate: asyncio.Event | None = None
    is_ready: bool = True
    taken: list[tuple[ConnectionName, Mapping[str, str], bytes]] = field(default_factory=list)
    waiting: int = 0

    async def receive(
        self, connection: ConnectionName, headers: Mapping[str, str], body: bytes
    ) -> None:
        if self.gate is not None:
            self.waiting += 1
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.taken.append((connection, headers, body))


@contextlib.asynccontextmanager
async def a_server(intake: Intake, *, patience_seconds: float = 5) -> AsyncIterator[str]:
    application = web_app(
        paths={HOOK: ACME, "/webhooks/other.path": ConnectionName("other")},
        receive=intake.receive,
        telling=TellsAsTold(says={"version": "1", "queue": 0}, is_well=lambda: intake.is_ready),
        patience_seconds=patience_seconds,
    )
    async with served_web(application) as address:
        yield address


async def sent(address: str, data: bytes) -> bytes:
    """Send raw bytes and read what comes back until the server is done with us."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    answer = await reader.read(4096)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_webhook_is_taken_in_whole_before_it_is_accepted() -> None:
    intake = Intake()
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.post(HOOK, content=b"\x00 raw", headers={"X-Signature": "AbC"})
        other = await client.post("/webhooks/other.path", content=b"2")
    assert (answer.status_code, other.status_code, answer.content) == (202, 202, b"")
    taken = [(name, body) for name, _, body in intake.taken]
    assert taken == [(ACME, b"\x00 raw"), ("other", b"2")]
    assert intake.taken[0][1]["x-signature"] == "AbC"


async def test_nothing_is_accepted_before_it_is_durable() -> None:
    intake = Intake(gate=asyncio.Event())
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        posting = asyncio.create_task(client.post(HOOK, content=b"1"))
        while not intake.waiting:
            await asyncio.sleep(0)
        assert not posting.done()
        assert intake.gate is not None
        intake.gate.set()
        assert (await posting).status_code == 202


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthentic("no"), 401),
        (Unintelligible("what", connection="acme", action="webhook"), 422),
        (StoreUnavailable("disk full"), 503),
        (NotYet(), 503),
        (StoreTooNew("newer"), 503),
    ],
)
async def test_a_refusal_tells_the_desk_whether_to_come_again(
    error: Exception, status: int
) -> None:
    intake = Intake(error=error)
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.post(HOOK, content=b"1")
    assert answer.status_code == status
    assert answer.content == b""
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_bug_is_a_500_and_its_text_stays_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    intake = Intake(error=KeyError("the customer's own words"))
    with caplog.at_level(logging.DEBUG, logger="uvicorn"):
        async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
            answer = await client.post(HOOK, content=b"1")
            again = await client.get("/healthz")
    assert (answer.status_code, answer.content) == (500, b"")
    assert again.status_code == 200
    assert "own words" not in caplog.text


async def test_an_oversized_webhook_is_not_read_to_its_end() -> None:
    intake = Intake()
    async with a_server(intake) as address:
        head = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\ncontent-length: {MOST_BYTES + 1}\r\n\r\n"
        assert b" 413 " in await sent(address, head.encode())
        endless = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        assert b" 413 " in await sent(address, endless.encode() + chunk * 5)
        exact = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\ncontent-length: {MOST_BYTES}\r\n\r\n"
        assert b" 202 " in await sent(address, exact.encode() + b"y" * MOST_BYTES)
    assert [len(body) for _, _, body in intake.taken] == [MOST_BYTES]


async def test_a_sender_that_dawdles_is_sent_away() -> None:
    intake = Intake()
    async with a_server(intake, patience_seconds=0.05) as address:
        slow = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"
        assert b" 408 " in await sent(address, slow.encode())
    assert intake.taken == []


async def test_a_sender_that_leaves_halfway_leaves_nothing() -> None:
    intake = Intake()
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        host, _, port = address.removeprefix("http://").rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        half = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"
        writer.write(half.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await client.post(HOOK, content=b"whole")).status_code == 202
    assert [body for _, _, body in intake.taken] == [b"whole"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\x00garbage\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n",
    ],
    ids=["noise", "negative", "no number"],
)
async def test_what_is_no_http_is_turned_away(data: bytes) -> None:
    intake = Intake()
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        assert b" 400 " in await sent(address, data)
        assert (await client.get("/healthz")).status_code == 200
    assert intake.taken == []


async def test_a_flood_is_told_to_come_back_and_health_still_answers() -> None:
    intake = Intake(gate=asyncio.Event())
    limits = httpx.Limits(max_connections=200)
    async with (
        a_server(intake) as address,
        httpx.AsyncClient(base_url=address, limits=limits) as client,
    ):
        posts = [asyncio.create_task(client.post(HOOK, content=b"1")) for _ in range(100)]
        while sum(post.done() for post in posts) < 36:
            await asyncio.sleep(0)
        assert {post.result().status_code for post in posts if post.done()} == {503}
        assert intake.waiting == 64
        assert (await client.get("/healthz")).status_code == 200
        assert intake.gate is not None
        intake.gate.set()
        answers = [(await post).status_code for post in posts]
    assert (answers.count(202), answers.count(503)) == (64, 36)


async def test_only_the_webhooks_own_path_and_method_are_open() -> None:
    intake = Intake()
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        assert (await client.get(HOOK)).status_code == 405
        assert (await client.post("/webhooks/unknown", content=b"1")).status_code == 404
        assert (await client.post("/webhooks/acme/more", content=b"1")).status_code == 404
        assert (await client.get("/")).status_code == 404
    assert intake.taken == []


async def test_ready_says_so_with_its_status() -> None:
    intake = Intake(is_ready=False)
    async with a_server(intake) as address, httpx.AsyncClient(base_url=address) as client:
        before = await client.get("/readyz")
        intake.is_ready = True
        after = await client.get("/readyz")
        health = await client.get("/healthz")
    assert (before.status_code, before.json()) == (503, {"ready": False})
    assert (after.status_code, after.json()) == (200, {"ready": True})
    assert json.loads(health.content) == {"version": "1", "queue": 0}
