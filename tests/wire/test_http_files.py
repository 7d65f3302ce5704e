"""Files over real sockets: in pieces, from allowed hosts, the credential for the desk alone."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.http import Downloads, HttpClient, Request
from connectors.http.hosts import Hosts, NotAllowed
from syncd.core.errors import (
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SyncdError,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from syncd.engine.budget import BudgetLedger
from syncd.settings import BudgetShare
from tests.support.clock import FakeClock
from tests.support.file_host import FileHost, a_file_host

SECRET = "Bearer s3cret-of-the-desk"
MEGABYTE = 1_000_000


class ACredential:
    """Refused once, it has another one."""

    def __init__(self) -> None:
        self.value = SECRET

    async def headers(self) -> Mapping[str, str]:
        return {"authorization": self.value}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        self.value = f"{SECRET}-renewed"
        return refused["authorization"] == SECRET


def a_client(address: str) -> HttpClient:
    clock = FakeClock()
    return HttpClient(
        connection="acme",
        base_url=f"{address}/api",
        budget=BudgetLedger(BudgetShare(per_minute=1000), clock=clock),
        clock=clock,
        credential=ACredential(),
        timeout_seconds=5,
    )


async def fetched(downloads: Downloads, address: str) -> int:
    """How many bytes came."""
    size = 0
    async with downloads.open(address) as opened:
        async for piece in opened.content:
            size += len(piece)
    return size


@pytest.fixture
async def desk() -> AsyncIterator[FileHost]:
    async with a_file_host() as host:
        yield host


@pytest.fixture
async def stranger() -> AsyncIterator[FileHost]:
    async with a_file_host() as host:
        yield host


@pytest.fixture
async def downloads(desk: FileHost, stranger: FileHost) -> AsyncIterator[Downloads]:
    """Of the desk; files may be at the stranger's as well."""
    client = a_client(desk.address)
    made = client.downloads([stranger.address.removeprefix("http://")])
    yield made
    await made.close()
    await client.close()


async def test_the_desk_itself_is_asked_with_the_credential(
    desk: FileHost, downloads: Downloads
) -> None:
    desk.serve("/api/f", 100)
    async with downloads.open("/f") as opened:
        assert opened.size == 100
    assert desk.asked[0].headers["authorization"] == SECRET


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_another_host_never_sees_the_credential(
    desk: FileHost, stranger: FileHost, downloads: Downloads, status: int
) -> None:
    desk.redirect("/api/f", f"{stranger.address}/there?signature=x", status=status)
    stranger.serve("/there", 70_000)
    assert await fetched(downloads, "/f") == 70_000
    assert desk.asked[0].headers["authorization"] == SECRET
    assert [a.line for a in stranger.asked] == ["GET /there?signature=x HTTP/1.1"]
    assert "authorization" not in stranger.asked[0].headers
    assert "cookie" not in stranger.asked[0].headers


async def test_back_at_the_desk_the_credential_is_sent_again(
    desk: FileHost, stranger: FileHost, downloads: Downloads
) -> None:
    desk.redirect("/api/f", f"{stranger.address}/there")
    stranger.redirect("/there", f"{desk.address}/end")
    desk.serve("/end", 5)
    assert await fetched(downloads, "/f") == 5
    assert [a.headers.get("authorization") for a in desk.asked] == [SECRET, SECRET]
    assert "authorization" not in stranger.asked[0].headers


async def test_a_redirect_within_the_desk_is_followed(desk: FileHost, downloads: Downloads) -> None:
    desk.redirect("/api/f", "/elsewhere")
    desk.serve("/elsewhere", 3)
    assert await fetched(downloads, "/f") == 3


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/f",
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/f",
        "http://127.0.0.1:1/f",
        "http://[::1]:1/f",
        "file:///etc/passwd",
        "ftp://desk.example/f",
        "//evil.example/f",
        "https://me:pw@127.0.0.1/f",
        "https://[broken/f",
    ],
)
async def test_a_host_that_is_not_allowed_is_not_asked(
    desk: FileHost, downloads: Downloads, target: str
) -> None:
    desk.redirect("/api/f", target)
    with pytest.raises(Rejected) as refused:
        await fetched(downloads, "/f")
    assert "s3cret" not in str(refused.value)
    assert len(desk.asked) == 1


async def test_endless_redirects_end(desk: FileHost, downloads: Downloads) -> None:
    desk.redirect("/api/f", "/api/f")
    with pytest.raises(Rejected):
        await fetched(downloads, "/f")
    assert len(desk.asked) == 4


async def test_a_refused_credential_is_renewed_once(desk: FileHost, downloads: Downloads) -> None:
    desk.serve("/api/f", 0, status=401)
    with pytest.raises(Unauthorised):
        await fetched(downloads, "/f")
    assert [a.headers["authorization"] for a in desk.asked] == [SECRET, f"{SECRET}-renewed"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, Unauthorised),
        (404, Gone),
        (410, Gone),
        (204, Unintelligible),
        (206, Unintelligible),
        (400, Unintelligible),
        (429, RateLimited),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
async def test_every_status_is_named_by_what_to_do(
    desk: FileHost, downloads: Downloads, status: int, expected: type[SyncdError]
) -> None:
    desk.serve("/api/f", 0, status=status)
    with pytest.raises(expected):
        await fetched(downloads, "/f")
    assert len(desk.asked) == 1


async def test_a_file_that_is_cut_short_is_not_taken_for_whole(
    desk: FileHost, downloads: Downloads
) -> None:
    desk.serve("/api/f", 100_000)
    desk.cut_after = 70_000
    with pytest.raises(Unreachable):
        await fetched(downloads, "/f")


# --- addresses -----------------------------------------------------------------------------------

ZENDESK = Hosts("https://acme.zendesk.com", ("*.zendesk.com", "*.zdusercontent.com"))


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.zendesk.com/attachments/token/x",
        "https://ACME.zendesk.com:443/x",
        "https://p20.zdusercontent.com/attachment/1?token=x",
        "https://a.b.zdusercontent.com/x",
    ],
)
def test_the_desks_own_hosts_are_allowed(url: str) -> None:
    assert str(ZENDESK.allowed(url)).startswith("https://")


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.zendesk.com/x",
        "http://p20.zdusercontent.com/x",
        "https://p20.zdusercontent.com:8443/x",
        "https://zdusercontent.com.evil.example/x",
        "https://evilzdusercontent.com/x",
        "https://zdusercontent.com/x",
        "https://acme.zendesk.com@evil.example/x",
        "https://evil.example/?.zdusercontent.com",
        "https://evil.example#.zdusercontent.com",
        "https://acme.zendesk.com\\@evil.example/x",
        "https://10.1.2.3/x",
        "",
        # Two parsers may find two hosts in each of these.
        "https://evil.example\\.zendesk.com/x",
        "https://evil.example%2f.zendesk.com/x",
        "https://evil.example%00.zendesk.com/x",
        "https://evil.example;.zendesk.com/x",
        "https://evil.example*.zendesk.com/x",
        "https://evil.example\t.zendesk.com/x",
        "https://evil.example\x00.zendesk.com/x",
        "https://evil example.zendesk.com/x",
        "https://evil.example\N{FULLWIDTH SOLIDUS}.zendesk.com/x",
        "https://evil.example\N{FRACTION SLASH}.zendesk.com/x",
        "https://evil.example:80\\.zendesk.com/x",
        "https://-.zendesk.com/x",
        "https://.zendesk.com/x",
        "https:///acme.zendesk.com/x",
        "https:acme.zendesk.com/x",
        "https://acme.zendesk.com:0/x",
        "https://acme.zendesk.com:65536/x",
        "https://acme.zendesk.com./x",
        "https://me@acme.zendesk.com/x",
        "https://:pw@acme.zendesk.com/x",
        # This machine and its neighbours, by every spelling.
        "http://127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0177.0.0.1/x",
        "https://localhost/x",
        "https://localhost./x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[::ffff:7f00:1]/x",
        "https://[0:0:0:0:0:ffff:a9fe:a9fe]/x",
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.169.254/latest/meta-data",
        "https://[fe80::1%25eth0]/x",
        "https://0/x",
        "javascript://acme.zendesk.com/%0aalert(1)",
        "file://acme.zendesk.com/etc/passwd",
        "gopher://acme.zendesk.com/x",
        "https://" + "a" * 70_000 + ".zendesk.com/x",
    ],
)
def test_everybody_else_is_not(url: str) -> None:
    with pytest.raises(NotAllowed):
        ZENDESK.allowed(url)


def test_a_host_that_is_no_host_is_not_repeated() -> None:
    with pytest.raises(NotAllowed) as refused:
        ZENDESK.allowed("https://\x9b31mevil<script>.zendesk.com/x")
    assert "evil" not in str(refused.value)


_PARTS = st.text(alphabet="ab.-_:@/\\?#%[]0123456789xé\t\n ;*。", max_size=24)


@given(before=_PARTS, after=_PARTS)
@example(before="https://evil.example\\", after=".zendesk.com/")
@example(before="https://evil.example%23", after=".zendesk.com/")
@example(before="//evil.example\\@", after=".zendesk.com")
def test_whatever_is_allowed_is_asked_at_a_host_of_the_list(before: str, after: str) -> None:
    own = httpx.URL("https://acme.zendesk.com/attachments/token/x")
    for address in (f"{before}{after}", f"https://{before}.zendesk.com{after}", f"//{before}"):
        try:
            url = ZENDESK.allowed(address, seen_from=own)
        except NotAllowed:
            continue
        # What httpx connects to: `raw_host` is all that it hands to the network.
        host = url.raw_host.decode("ascii")
        assert re.fullmatch(r"(?:[a-z0-9._-]+\.)?(?:zendesk|zdusercontent)\.com", host)
        assert (url.scheme, url.port, url.userinfo) == ("https", None, b"")


def test_only_the_very_origin_is_the_desks_own() -> None:
    assert ZENDESK.is_own(httpx.URL("https://acme.zendesk.com/x"))
    assert not ZENDESK.is_own(httpx.URL("http://acme.zendesk.com/x"))
    assert not ZENDESK.is_own(httpx.URL("https://other.zendesk.com/x"))
    assert not ZENDESK.is_own(httpx.URL("https://acme.zendesk.com:8443/x"))
    assert not ZENDESK.is_own(httpx.URL("https://acme.zendesk.com:0/x"))


# --- through and through -------------------------------------------------------------------------


def an_upload(content: AsyncIterator[bytes], *, size: int | None = None) -> Request:
    return Request(
        action="upload file",
        method="POST",
        template="/up",
        content=content,
        content_type="image/png",
        headers=() if size is None else (("content-length", str(size)),),
    )


def nothing(_: bytes) -> None:
    """The answer does not matter."""


@pytest.mark.parametrize("is_announced", [True, False])
async def test_forty_megabytes_pass_through_in_little_memory(*, is_announced: bool) -> None:
    size = 40 * MEGABYTE
    async with a_file_host() as desk, a_file_host() as other:
        desk.serve("/api/f", size)
        other.serve("/api/up", 2)
        origin, target = a_client(desk.address), a_client(other.address)
        downloads = origin.downloads()
        tracemalloc.start()
        try:
            async with downloads.open("/f") as opened:
                upload = an_upload(opened.content, size=opened.size if is_announced else None)
                await target.write(upload, nothing)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        for client in (downloads, origin, target):
            await client.close()
    assert other.taken_bytes == size
    assert other.asked[0].headers["content-type"] == "image/png"
    assert peak < 4 * MEGABYTE


async def test_a_source_that_fails_in_the_middle_is_the_sources_failure(
    desk: FileHost, stranger: FileHost, downloads: Downloads
) -> None:
    desk.serve("/api/f", 500_000)
    desk.cut_after = 200_000
    stranger.serve("/api/up", 2)
    target = a_client(stranger.address)
    with pytest.raises(Unreachable) as failed:
        async with downloads.open("/f") as opened:
            await target.write(an_upload(opened.content, size=opened.size), nothing)
    await target.close()
    assert "fetch attachment" in str(failed.value)
    assert stranger.taken_bytes == 0, "half a file is none"


async def test_a_credential_refused_at_an_upload_is_renewed_and_the_upload_is_the_callers(
    stranger: FileHost,
) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"once"

    stranger.serve("/api/up", 0, status=401)
    target = a_client(stranger.address)
    with pytest.raises(Unreachable):
        await target.write(an_upload(content()), nothing)
    assert len(stranger.asked) == 1
    stranger.serve("/api/up", 2)
    await target.write(an_upload(content()), nothing)
    assert stranger.asked[-1].headers["authorization"] == f"{SECRET}-renewed"
    await target.close()


async def test_an_upload_is_sent_once(stranger: FileHost) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"once"

    stranger.serve("/api/up", 0, status=502)
    target = a_client(stranger.address)
    with pytest.raises(OutcomeUnknown):
        await target.write(an_upload(content()), nothing)
    await target.close()
    assert len(stranger.asked) == 1
