"""Packed answers over real sockets: a few kilobytes that hold gigabytes cost neither memory nor us.

httpx alone unpacks a whole chunk at once, and one layer of packing after the other.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.http import Downloads, HttpClient, Request
from connectors.http.unpack import PIECE_BYTES, Packed, unpacker
from syncd.core.errors import OutcomeUnknown, SyncdError, Unintelligible, Unreachable
from tests.support.clock import FakeClock
from tests.support.http_world import FreeBudget, Tokens, a_server, answering

MEGABYTE = 1_000_000
READ = Request(action="read ticket", template="/tickets/7", is_about_one_ticket=True)
WRITE = Request(action="update ticket", method="PUT", template="/tickets/7", body=b"{}")


def an_object(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


@functools.cache
def a_bomb(megabytes: int) -> bytes:
    """A thousandth of the zeros that it holds."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MEGABYTE)
    return b"".join([*(packer.compress(zeros) for _ in range(megabytes)), packer.flush()])


def an_answer(body: bytes, encoding: str, *, status: int = 200) -> bytes:
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n"
        f"content-encoding: {encoding}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


@contextlib.asynccontextmanager
async def a_desk(answer: bytes, *, most: int = 4 * MEGABYTE) -> AsyncIterator[HttpClient]:
    async with a_server(answering(answer)) as port:
        client = HttpClient(
            connection="acme",
            base_url=f"http://127.0.0.1:{port}",
            budget=FreeBudget(),
            clock=FakeClock(),
            credential=Tokens(["a-token"]),
            timeout_seconds=20.0,
            max_answer_bytes=most,
        )
        yield client
        await client.close()


@contextlib.asynccontextmanager
async def the_files_of(client: HttpClient) -> AsyncIterator[Downloads]:
    downloads = client.downloads()
    yield downloads
    await downloads.close()


async def fetched(downloads: Downloads) -> bytes:
    async with downloads.open("/f") as opened:
        return b"".join([piece async for piece in opened.content])


@contextlib.contextmanager
def in_little_memory(most_bytes: int) -> Any:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most_bytes, f"{peak / MEGABYTE:.0f} MB"


async def test_a_gzip_bomb_is_left_when_it_is_too_large() -> None:
    bomb = a_bomb(200)
    async with a_desk(an_answer(bomb, "gzip")) as client:
        with in_little_memory(20 * MEGABYTE), pytest.raises(Unintelligible) as refused:
            await client.read(READ, an_object)
    assert "too large" in str(refused.value)


async def test_a_bomb_for_an_answer_to_a_write_leaves_the_write_in_doubt() -> None:
    async with a_desk(an_answer(a_bomb(200), "gzip")) as client:
        with in_little_memory(20 * MEGABYTE), pytest.raises(OutcomeUnknown):
            await client.write(WRITE, an_object)


async def test_a_bomb_in_an_error_is_not_read_either() -> None:
    async with a_desk(an_answer(a_bomb(200), "gzip", status=422)) as client:
        with in_little_memory(20 * MEGABYTE), pytest.raises(SyncdError):
            await client.write(WRITE, an_object)


@pytest.mark.parametrize(
    "encoding",
    ["gzip, gzip", "gzip,gzip,gzip,gzip", "br", "zstd", "deflate", "compress", "x, gzip"],
)
async def test_layers_and_packings_that_nobody_asked_for_are_not_opened(encoding: str) -> None:
    nested = gzip.compress(a_bomb(200))
    async with a_desk(an_answer(nested, encoding)) as client:
        with in_little_memory(5 * MEGABYTE), pytest.raises(Unintelligible):
            await client.read(READ, an_object)
        async with the_files_of(client) as downloads:
            with in_little_memory(5 * MEGABYTE), pytest.raises(Unintelligible):
                async with downloads.open("/f"):
                    pytest.fail("such a file is not begun")


async def test_a_packed_file_comes_in_small_pieces_and_whoever_takes_it_may_stop() -> None:
    async with a_desk(an_answer(a_bomb(200), "gzip")) as client, the_files_of(client) as downloads:
        size, largest = 0, 0
        with in_little_memory(20 * MEGABYTE):
            async with downloads.open("/f") as opened:
                assert opened.size is None, "the announced length is of the packed bytes"
                async for piece in opened.content:
                    size, largest = size + len(piece), max(largest, len(piece))
                    if size > 50 * MEGABYTE:
                        break
        assert largest <= PIECE_BYTES


async def test_an_answer_in_gzip_is_read() -> None:
    body = json.dumps({"text": "é" * 200_000}).encode()
    async with a_desk(an_answer(gzip.compress(body), "gzip")) as client:
        assert (await client.read(READ, an_object)).value == json.loads(body)


@pytest.mark.parametrize("spoil", [lambda b: b[:-9], lambda b: b"\x00" + b, lambda b: b[:40] + b])
async def test_a_damaged_packing_is_no_answer_and_no_file(spoil: Any) -> None:
    whole = gzip.compress(json.dumps({"n": list(range(9999))}).encode())
    async with a_desk(an_answer(spoil(whole), "gzip")) as client:
        with pytest.raises(Unintelligible):
            await client.read(READ, an_object)
        async with the_files_of(client) as downloads:
            with pytest.raises(Unreachable):
                await fetched(downloads)


@respx.mock
async def test_only_what_can_be_opened_is_asked_for() -> None:
    route = respx.get("https://desk.example/tickets/7").respond(200, json={})
    client = HttpClient(
        connection="acme",
        base_url="https://desk.example",
        budget=FreeBudget(),
        clock=FakeClock(),
    )
    await client.read(READ, an_object)
    await client.close()
    assert route.calls.last.request.headers["accept-encoding"] == "gzip"


@given(st.binary(max_size=300_000), st.integers(1, 70_000), st.booleans())
@example(b"", 1, True)
@example(bytes(PIECE_BYTES), 7, True)
@example(bytes(PIECE_BYTES * 3), 1, True)
def test_what_was_packed_comes_out_in_whatever_parts_it_arrives(
    content: bytes, step: int, is_packed: bool
) -> None:
    unpacking = unpacker("gzip" if is_packed else "identity")
    raw = gzip.compress(content) if is_packed else content
    pieces = [
        piece
        for start in range(0, len(raw), step)
        for piece in unpacking.take(raw[start : start + step])
    ]
    unpacking.end()
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


@given(st.binary(max_size=2000))
@example(b"\x1f\x8b")
def test_noise_is_refused_and_raises_nothing_else(noise: bytes) -> None:
    unpacking = unpacker("gzip")
    with contextlib.suppress(Packed):
        list(unpacking.take(noise))
        unpacking.end()


def test_httpx_would_open_the_bomb_at_once() -> None:
    """Why there is an unpacker of our own: when this fails, it may go."""
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, content=a_bomb(60))
    assert len(response.content) == 60 * MEGABYTE
    chunks = httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(a_bomb(60))
    ).iter_bytes()
    assert len(next(chunks)) == 60 * MEGABYTE
