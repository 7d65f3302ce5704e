"""What the HTTP client tells of its tries: certificates, clocks, and what is behind a failure."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.http import HttpClient, Request, exchange
from syncd.core.errors import Unreachable
from syncd.doctor.desk import DeskFacts, Silence, judge_clocks, judge_desk, skew_of
from syncd.engine.clock import SystemClock
from syncd.line import ON_CONTACT, Contact, LineFault, fault_of
from tests.support.certificates import Certificate, a_certificate, an_authority
from tests.support.clock import START, FakeClock
from tests.support.http_world import FreeBudget, a_server, stay_silent

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl program")

LONG_AGO, YESTERDAY = "20200101000000Z", f"{datetime.now(UTC) - timedelta(days=1):%Y%m%d%H%M%SZ}"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
FAR = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an authority whom nobody believes yet."""
    folder = tmp_path_factory.mktemp("authority")
    an_authority(folder)
    return folder


@pytest.fixture
def believed(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same authority, believed by this process's HTTP clients."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    exchange.tls.cache_clear()
    yield authority
    exchange.tls.cache_clear()


@contextlib.asynccontextmanager
async def a_tls_desk(made: Certificate, *, date: datetime | None = None) -> AsyncIterator[str]:
    """A desk that answers everything with an empty object."""
    stamp = f"Date: {date:%a, %d %b %Y %H:%M:%S GMT}\r\n" if date else ""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\n{stamp}Content-Length: 2\r\n\r\n{{}}".encode())
            await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def contacts(address: str, *, timeout_seconds: float = 5.0) -> list[Contact]:
    """What is told of one question, tries again included."""
    seen: list[Contact] = []
    client = HttpClient(
        connection="acme",
        base_url=address,
        budget=FreeBudget(),
        clock=SystemClock(),
        timeout_seconds=timeout_seconds,
    )
    token = ON_CONTACT.set(seen.append)
    try:
        await client.read(Request(action="look", template="/"), bytes)
    except Unreachable:
        pass
    finally:
        ON_CONTACT.reset(token)
        await client.close()
    return seen


def codes(seen: list[Contact]) -> list[str]:
    """What the doctor makes of it."""
    silence = Silence.UNREACHABLE if seen[-1].fault else None
    desk = DeskFacts(connection="acme", silence=silence, contacts=seen)
    return [one.code for one in judge_desk(desk)]


def lasting(folder: Path, ends: datetime, **more: str) -> Certificate:
    return a_certificate(folder, begins=LONG_AGO, ends=f"{ends:%Y%m%d%H%M%SZ}", **more)


async def test_a_sound_certificate_shows_its_end(believed: Path) -> None:
    async with a_tls_desk(lasting(believed, FAR), date=datetime.now(UTC)) as address:
        seen = await contacts(address)
    assert seen[0].certificate_ends_at == FAR
    assert codes(seen) == ["", ""]
    assert skew_of(seen) == timedelta()


async def test_a_certificate_that_ends_soon_is_told_before(believed: Path) -> None:
    async with a_tls_desk(lasting(believed, SOON)) as address:
        assert codes(await contacts(address)) == ["", "tls.ends_soon"]


async def test_a_certificate_that_is_over_is_named(believed: Path) -> None:
    made = a_certificate(believed, begins=LONG_AGO, ends=YESTERDAY)
    async with a_tls_desk(made) as address:
        seen = await contacts(address)
    assert codes(seen) == ["tls.expired"]
    assert {one.host for one in seen} == {"127.0.0.1"}


async def test_a_certificate_of_another_host_is_named(believed: Path) -> None:
    async with a_tls_desk(lasting(believed, FAR, names="DNS:other.example")) as address:
        assert codes(await contacts(address)) == ["tls.wrong_name"]


async def test_a_certificate_that_nobody_vouches_for_is_named(authority: Path) -> None:
    exchange.tls.cache_clear()
    async with a_tls_desk(lasting(authority, FAR)) as address:
        assert codes(await contacts(address)) == ["tls.untrusted"]


async def test_a_port_that_speaks_no_tls_is_named(believed: Path) -> None:
    del believed

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with a_server(plain) as port:
        assert codes(await contacts(f"https://127.0.0.1:{port}")) == ["tls.broken"]


async def test_a_desk_that_keeps_silent_is_told_from_one_that_refuses() -> None:
    async with a_server(stay_silent) as port:
        seen = await contacts(f"http://127.0.0.1:{port}", timeout_seconds=0.2)
        assert seen[-1].fault is LineFault.SILENT
    assert codes(await contacts(f"http://127.0.0.1:{port}")) == ["line.refused"]


async def test_a_name_that_leads_nowhere_is_told() -> None:
    seen = await contacts("https://nowhere.invalid")
    assert codes(seen) == ["line.no_name"]


async def test_a_desk_whose_clock_is_wrong_is_told_by_how_much(believed: Path) -> None:
    wrong = datetime.now(UTC) + timedelta(minutes=20)
    async with a_tls_desk(lasting(believed, FAR), date=wrong) as address:
        (one,) = judge_clocks({"acme": skew_of(await contacts(address))})
    assert one.code == "clock.far"
    assert "ahead of this machine's" in one.message


async def test_nobody_watches_unless_asked_and_a_hostile_date_is_none() -> None:
    clock = FakeClock()

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"date": "\x1b[2J"}, stream=httpx.ByteStream(b"{}"))

    client = HttpClient(
        connection="acme",
        base_url="http://127.0.0.1:9",
        budget=FreeBudget(),
        clock=clock,
        transport=httpx.MockTransport(answer),
    )
    await client.read(Request(action="look", template="/"), bytes)
    seen: list[Contact] = []
    token = ON_CONTACT.set(seen.append)
    await client.read(Request(action="look", template="/"), bytes)
    ON_CONTACT.reset(token)
    await client.close()
    assert [(one.at, one.date, one.fault) for one in seen] == [(START, None, None)]


def test_an_error_that_nobody_knows_is_a_broken_line() -> None:
    assert fault_of(ExceptionGroup("two", [ValueError(), OSError()])) is LineFault.BROKEN
    looped = ValueError()
    looped.__context__ = looped
    assert fault_of(looped) is LineFault.BROKEN
