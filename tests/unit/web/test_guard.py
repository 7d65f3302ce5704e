"""The web server against senders who hold connections: silent, slow, many, half a request each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from syncd.core.model import ConnectionName
from syncd.web.guard import MOST_HEAD_BYTES, Doorway, GuardedProtocol, serving
from syncd.web.server import MOST_BYTES, web_app
from tests.support.serve_web import TellsAsTold, served_web

HOOK = "/webhooks/acme"
HEAD = f"POST {HOOK} HTTP/1.1\r\nhost: x\r\n"


def an_application(*, gate: asyncio.Event | None = None, patience_seconds: float = 5) -> Starlette:
    async def receive(*_: object) -> None:
        if gate is not None:
            await gate.wait()

    return web_app(
        paths={HOOK: ConnectionName("acme")},
        receive=receive,
        telling=TellsAsTold(says={"version": "1"}),
        patience_seconds=patience_seconds,
    )


class Sender:
    """One connection to the server, of somebody who takes his time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()

    async def answer(self) -> str:
        return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def is_cut_off(self) -> bool:
        """Wait until the server has ended the connection; False when it still speaks."""
        try:
            return await self.reader.read(4096) == b""
        except ConnectionError:
            return True

    async def drip(self) -> None:
        """A byte of a header now and then, for as long as the server listens."""
        with contextlib.suppress(ConnectionError):
            while not self.reader.at_eof():
                await self.say("x")
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def senders(address: str, count: int) -> AsyncIterator[list[Sender]]:
    host, _, port = address.removeprefix("http://").rpartition(":")
    made = [Sender(*await asyncio.open_connection(host, int(port))) for _ in range(count)]
    yield made
    for sender in made:
        sender.writer.close()
        with contextlib.suppress(ConnectionError):
            await sender.writer.wait_closed()


async def test_a_head_that_never_ends_is_cut_off_however_it_drips() -> None:
    doorway = Doorway(head_seconds=0.1)
    async with served_web(an_application(), doorway=doorway) as address:
        async with senders(address, 3) as (silent, half, dripping):
            await half.say(HEAD)
            await dripping.say(HEAD + "x-a: ")
            drip = asyncio.create_task(dripping.drip())
            assert await silent.is_cut_off()
            assert await half.is_cut_off()
            assert await dripping.is_cut_off()
            await drip
        assert doorway.cut_count == 3
        assert not doorway.waiting
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await client.post(HOOK, content=b"1")).status_code == 202


async def test_after_an_answer_the_next_head_has_the_same_time() -> None:
    doorway = Doorway(head_seconds=0.1)
    async with (
        served_web(an_application(), doorway=doorway) as address,
        senders(address, 1) as (sender,),
    ):
        await sender.say("GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert " 200 " in await sender.answer()
        await sender.reader.readexactly(len('{"ready":true}'))
        await sender.say("GET /rea")
        assert await sender.is_cut_off()


async def test_the_rest_of_a_refused_body_has_no_longer() -> None:
    doorway = Doorway(head_seconds=0.1)
    async with (
        served_web(an_application(), doorway=doorway) as address,
        senders(address, 1) as (sender,),
    ):
        await sender.say(f"{HEAD}content-length: {MOST_BYTES + 1}\r\n\r\n")
        assert " 413 " in await sender.answer()
        drip = asyncio.create_task(sender.drip())
        assert await sender.is_cut_off()
        await drip


async def test_a_request_without_an_end_has_its_own_bound() -> None:
    doorway = Doorway(request_seconds=0.1)
    gate = asyncio.Event()
    async with (
        served_web(an_application(gate=gate), doorway=doorway) as address,
        senders(address, 1) as (sender,),
    ):
        await sender.say(f"{HEAD}content-length: 1\r\n\r\n1")
        assert await sender.is_cut_off()
        gate.set()
    assert doorway.cut_count == 1


async def test_a_request_in_time_is_not_cut_off_by_the_bound_on_heads() -> None:
    doorway = Doorway(head_seconds=0.05)
    gate = asyncio.Event()
    async with (
        served_web(an_application(gate=gate), doorway=doorway) as address,
        senders(address, 1) as (sender,),
    ):
        await sender.say(f"{HEAD}content-length: 1\r\n\r\n1")
        await asyncio.sleep(0.15)
        gate.set()
        assert " 202 " in await sender.answer()


async def test_requests_one_behind_the_other_are_all_answered() -> None:
    doorway = Doorway(head_seconds=0.5)
    async with (
        served_web(an_application(), doorway=doorway) as address,
        senders(address, 1) as (sender,),
    ):
        await sender.say(f"{HEAD}content-length: 1\r\n\r\n1" * 5)
        for _ in range(5):
            assert " 202 " in await sender.answer()
        assert len(doorway.waiting) == 1


async def test_a_crowd_of_silent_connections_does_not_keep_a_desk_out() -> None:
    doorway = Doorway(most_connections=20)
    async with (
        served_web(an_application(), doorway=doorway) as address,
        senders(address, 60),
        httpx.AsyncClient(base_url=address) as client,
    ):
        for _ in range(3):
            assert (await client.post(HOOK, content=b"1")).status_code == 202
        assert len(doorway.waiting) <= 20
        assert doorway.cut_count == 41


async def test_who_is_being_served_is_not_cut_off_for_those_who_wait() -> None:
    doorway, gate = Doorway(most_connections=10), asyncio.Event()
    async with (
        served_web(an_application(gate=gate), doorway=doorway) as address,
        senders(address, 5) as served,
    ):
        for sender in served:
            await sender.say(f"{HEAD}content-length: 1\r\n\r\n1")
        while doorway.waiting:
            await asyncio.sleep(0)
        async with senders(address, 40):
            while doorway.cut_count < 35:
                await asyncio.sleep(0)
            gate.set()
            for sender in served:
                assert " 202 " in await sender.answer()


async def test_a_head_without_bounds_is_refused_early() -> None:
    async with served_web(an_application()) as address, senders(address, 2) as (one, many):
        await one.say(HEAD + "x-long: " + "a" * (2 * MOST_HEAD_BYTES))
        assert " 400 " in await one.answer()
        await many.say(HEAD + "".join(f"x-{n}: a\r\n" for n in range(4000)))
        assert " 400 " in await many.answer()


async def test_large_bodies_share_one_room_and_small_ones_always_fit() -> None:
    part = b"x" * (1024 * 1024)
    async with (
        served_web(an_application(patience_seconds=20)) as address,
        senders(address, 20) as slow,
        httpx.AsyncClient(base_url=address) as client,
    ):
        for sender in slow:
            await sender.say(f"{HEAD}content-length: {2 * len(part)}\r\n\r\n")
            sender.writer.write(part)
        answers = [asyncio.create_task(sender.answer()) for sender in slow]
        refused, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert all(
            " 503 " in task.result() and "retry-after: 5" in task.result() for task in refused
        )
        assert (await client.post(HOOK, content=b"small")).status_code == 202
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
    # Whoever left has given back what was taken.
    async with served_web(an_application()) as address, httpx.AsyncClient() as client:
        for _ in range(20):
            assert (await client.post(address + HOOK, content=part)).status_code == 202


async def test_noise_of_every_kind_leaves_no_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    noise = [
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        f"{HEAD}transfer-encoding: chunked\r\n\r\nzzz\r\n",
        f"{HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\n",
        f"{HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        f"{HEAD}x\x1b[31m: forged\r\n\r\n",
    ]
    with caplog.at_level(logging.INFO):
        impatient = an_application(patience_seconds=0.1)
        async with served_web(impatient) as address, senders(address, len(noise)) as made:
            for sender, text in zip(made, noise, strict=True):
                await sender.say(text)
                await sender.reader.read(4096)
            async with httpx.AsyncClient(base_url=address) as client:
                assert (await client.post(HOOK, content=b"1")).status_code == 202
    assert [r for r in caplog.records if not r.name.startswith("httpx")] == []


def test_the_servers_settings_are_bounded() -> None:
    settings = serving(an_application())
    assert settings.ws == "none"
    assert settings.h11_max_incomplete_event_size == MOST_HEAD_BYTES
    assert settings.timeout_keep_alive <= 5
    assert settings.timeout_graceful_shutdown is not None
    assert not settings.proxy_headers
    assert not settings.access_log
    assert issubclass(settings.http.func, GuardedProtocol)  # type: ignore[union-attr]
