"""Names that lead elsewhere, cookies and paths: nothing of ours reaches a stranger."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest
import respx

from connectors.http import HttpClient, Request
from connectors.http.exchange import tls
from connectors.http.request import segment
from syncd.core.errors import Rejected, Unreachable
from tests.support.clock import FakeClock
from tests.support.file_host import a_file_host
from tests.support.http_world import FreeBudget, Tokens, a_server

SECRET = "a-token-nobody-may-see"


def a_client(base_url: str) -> HttpClient:
    return HttpClient(
        connection="acme",
        base_url=base_url,
        budget=FreeBudget(),
        clock=FakeClock(),
        credential=Tokens([SECRET]),
        timeout_seconds=5.0,
    )


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names that lead where they are told, as a hostile name server's would."""
    names: dict[str, str] = {}
    real = socket.getaddrinfo

    def lying(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real(names.get(name, host), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    return names


# --- DNS rebinding -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["files.acme.example", "evil.zdusercontent.example"])
async def test_a_name_that_leads_to_this_machine_meets_a_certificate_and_asks_nothing(
    resolving: dict[str, str], name: str
) -> None:
    came = bytearray()

    async def inner_service(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.extend(await reader.read(65_536))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nsecrets")
        await writer.drain()

    resolving[name] = "127.0.0.1"
    async with a_server(inner_service) as port:
        client = a_client("https://acme.example")
        downloads = client.downloads([f"{name}:{port}"])
        with pytest.raises(Unreachable):
            async with downloads.open(f"https://{name}:{port}/latest/meta-data"):
                pytest.fail("an inner service was read")
        await downloads.close()
        await client.close()
    assert came[:1] == b"\x16", "the greeting of TLS, and nothing else"
    assert b"meta-data" not in came
    assert SECRET.encode() not in came


async def test_without_https_such_a_name_is_not_even_looked_up(resolving: dict[str, str]) -> None:
    resolving["files.acme.example"] = "127.0.0.1"
    async with a_file_host() as inner:
        port = inner.address.rpartition(":")[2]
        client = a_client("https://acme.example")
        downloads = client.downloads([f"files.acme.example:{port}"])
        with pytest.raises(Rejected):
            async with downloads.open(f"http://files.acme.example:{port}/f"):
                pytest.fail("an inner service was read")
        await downloads.close()
        await client.close()
        assert inner.asked == []


def test_certificates_are_checked_and_must_be_for_the_name() -> None:
    assert tls().verify_mode is ssl.CERT_REQUIRED
    assert tls().check_hostname


# --- cookies -------------------------------------------------------------------------------------


@respx.mock
async def test_a_desks_cookies_are_not_kept_and_reach_nobody() -> None:
    cookies = [("set-cookie", f"session{n}=canary; Domain=zendesk.com; Path=/") for n in range(50)]
    own = respx.get("https://acme.zendesk.com/tickets/7")
    own.respond(200, json={}, headers=cookies)
    sister = respx.get("https://sister.zendesk.com/f")
    sister.respond(200, content=b"x", headers=cookies)
    page = respx.get("https://acme.zendesk.com/f")
    page.respond(302, headers=[("location", "https://sister.zendesk.com/f"), *cookies])
    client = a_client("https://acme.zendesk.com")
    downloads = client.downloads(["*.zendesk.com"])
    request = Request(action="read ticket", template="/tickets/7")
    for _ in range(2):
        await client.read(request, lambda body: body)
        async with downloads.open("/f") as opened:
            assert b"".join([piece async for piece in opened.content]) == b"x"
    calls = [call.request for route in (own, sister, page) for call in route.calls]
    assert len(calls) == 6
    assert all("cookie" not in call.headers for call in calls)
    assert all("authorization" not in call.request.headers for call in sister.calls)
    await downloads.close()
    await client.close()


# --- paths ---------------------------------------------------------------------------------------


@respx.mock
@pytest.mark.parametrize("hostile", ["..", ".", "../..", "...", "a/../../b", "%2e%2e", "\\..\\"])
async def test_an_id_from_a_desk_names_no_other_path(hostile: str) -> None:
    route = respx.route(host="desk.example").respond(200, json={})
    request = Request(action="read", template="/tickets/{id}/updates", parameters={"id": hostile})
    client = a_client("https://desk.example/api/v1")
    await client.read(request, lambda body: body)
    await client.close()
    raw = route.calls.last.request.url.raw_path
    assert raw.startswith(b"/api/v1/tickets/")
    assert raw.endswith(b"/updates")
    assert raw.count(b"/") == 5


def test_an_id_stays_readable_where_it_does_no_harm() -> None:
    assert (segment("1.5-a_b"), segment("a b/c"), segment("..")) == (
        "1.5-a_b",
        "a%20b%2Fc",
        "%2E%2E",
    )
