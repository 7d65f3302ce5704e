"""One request out, one answer in, and the one fact that matters when it fails: whether a byte left.

Knows httpx; knows nothing of what a status means. No redirect is followed, so a credential never
reaches another host; no cookie is kept, so no other credential arises. An answer is read up to a
limit, unpacked, within the time that one request may take.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from connectors.http.quota import http_date
from connectors.http.request import OnRequest, Request
from connectors.http.unpack import ENCODINGS, Packed, unpacker
from syncd.line import ON_CONTACT, Contact, fault_of
from syncd.ports import Clock
from syncd.settings import is_loopback

#: Failures after which the desk has certainly seen nothing of the request.
_BEFORE_THE_FIRST_BYTE = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
# Less than the time for all: a TLS greeting that is cut off from outside leaks its socket.
_CONNECT_SECONDS = 10.0
#: Longer than the pause between two polls, shorter than any desk keeps an idle connection.
_KEEP_ALIVE_SECONDS = 20.0
CONNECTIONS = 20


class Silence(Exception):
    """No usable answer came; `is_sent` is False only when nothing can have reached the desk."""

    def __init__(self, message: str, *, is_sent: bool) -> None:
        super().__init__(message)
        self.is_sent = is_sent


@dataclass(frozen=True, kw_only=True, slots=True)
class RawAnswer:
    """An answer as it came."""

    status: int
    #: By lower-case name; of repeated ones the last.
    headers: Mapping[str, str]
    #: None when it was larger than the limit, or packed in a way that is not read.
    body: bytes | None
    elapsed_seconds: float


class Exchange:
    """The connection pool to one host."""

    def __init__(
        self,
        *,
        connection: str,
        base_url: str,
        clock: Clock,
        timeout_seconds: float,
        max_answer_bytes: int,
        on_request: OnRequest | None,
        transport: httpx.AsyncBaseTransport | None,
        at_once: int = CONNECTIONS,
    ) -> None:
        # Waited for before a request's own time begins: a full pool would count as sent.
        self._room = asyncio.Semaphore(at_once)
        self._connection = connection
        self._base_url = base_url.rstrip("/")
        self._url = httpx.URL(base_url)
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._max_answer_bytes = max_answer_bytes
        self._on_request = on_request
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=tls(),
            timeout=httpx.Timeout(
                timeout_seconds, connect=min(timeout_seconds / 2, _CONNECT_SECONDS)
            ),
            limits=httpx.Limits(
                max_connections=CONNECTIONS,
                max_keepalive_connections=CONNECTIONS,
                keepalive_expiry=_KEEP_ALIVE_SECONDS,
            ),
            follow_redirects=False,
            headers={
                "accept": "application/json",
                "accept-encoding": ENCODINGS,
                "user-agent": "syncd",
            },
            cookies=no_cookies(),
            # A proxy from the environment is for the way out, never for this machine.
            trust_env=not is_loopback(httpx.URL(base_url).host),
        )

    async def send(self, request: Request, headers: Mapping[str, str]) -> RawAnswer:
        """Send once, when there is room. Raises `Silence`."""
        async with self._room:
            return await self._send(request, headers)

    async def _send(self, request: Request, headers: Mapping[str, str]) -> RawAnswer:
        started = self._clock.monotonic()
        line = _Line()
        status: int | None = None
        watch = _Watch(self._url, self._clock, started)
        try:
            async with asyncio.timeout(request.timeout_seconds or self._timeout_seconds):
                async with self._client.stream(
                    request.method,
                    self._base_url + request.path,
                    params=list(request.query) or None,
                    content=request.content or request.body,
                    headers=_headers(request, headers),
                    extensions={"trace": line.note},
                ) as response:
                    watch.answered(response)
                    body = await self._body(response)
                    status = response.status_code
            return RawAnswer(
                status=status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=body,
                elapsed_seconds=self._clock.monotonic() - started,
            )
        except (httpx.HTTPError, TimeoutError) as error:
            watch.failed(error)
            is_sent = not isinstance(error, _BEFORE_THE_FIRST_BYTE)
            if isinstance(error, TimeoutError):
                is_sent = line.may_have_sent
            raise Silence(type(error).__name__, is_sent=is_sent) from error
        finally:
            if self._on_request is not None:
                self._on_request(
                    connection=self._connection,
                    template=request.template,
                    method=request.method,
                    status=status,
                    seconds=self._clock.monotonic() - started,
                )

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def _body(self, response: httpx.Response) -> bytes | None:
        body = bytearray()
        try:
            unpacking = unpacker(response.headers.get("content-encoding", ""))
            async for raw in response.aiter_raw():
                for piece in unpacking.take(raw):
                    body += piece
                    if len(body) > self._max_answer_bytes:
                        return None
            unpacking.end()
        except Packed:
            return None
        return bytes(body)


@functools.cache
def tls() -> ssl.SSLContext:
    """The certificates that this machine trusts."""
    # Reading the machine's certificates takes a while: once for all connections.
    return httpx.create_ssl_context()


def no_cookies() -> CookieJar:
    """A jar that takes nothing: a desk's cookies would travel to its sister hosts, and pile up."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


class _Watch:
    """Tells whoever watches how one try went; nobody does but an examination."""

    def __init__(self, url: httpx.URL, clock: Clock, started: float) -> None:
        self._host = url.host
        self._is_encrypted = url.scheme == "https"
        self._clock = clock
        self._started = started
        self._tell = ON_CONTACT.get()

    def answered(self, response: httpx.Response) -> None:
        if self._tell is None:
            return
        stream = response.extensions.get("network_stream")
        found = None if stream is None else stream.get_extra_info("ssl_object")
        self._tell(
            Contact(
                host=self._host,
                is_encrypted=self._is_encrypted,
                at=self._clock.now(),
                seconds=self._clock.monotonic() - self._started,
                date=http_date(response.headers.get("date", "")),
                certificate_ends_at=None if found is None else _ends_at(found),
            )
        )

    def failed(self, error: Exception) -> None:
        if self._tell is not None:
            self._tell(
                Contact(
                    host=self._host,
                    is_encrypted=self._is_encrypted,
                    at=self._clock.now(),
                    seconds=self._clock.monotonic() - self._started,
                    fault=fault_of(error),
                )
            )


def _ends_at(found: ssl.SSLObject) -> datetime | None:
    """When the certificate that was believed ends."""
    text = (found.getpeercert() or {}).get("notAfter")
    if not isinstance(text, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


class _Line:
    """What the transport tells of one request on its way out."""

    def __init__(self) -> None:
        self._is_connecting = False
        self._is_sending = False

    async def note(self, event: str, _info: object) -> None:
        self._is_connecting = self._is_connecting or event.startswith("connection.")
        self._is_sending = self._is_sending or "send_request" in event

    @property
    def may_have_sent(self) -> bool:
        # A transport that tells nothing may have sent everything.
        return self._is_sending or not self._is_connecting


def _headers(request: Request, credential: Mapping[str, str]) -> list[tuple[str, str]]:
    own = [*request.headers, *credential.items()]
    if request.body is not None or request.content is not None:
        own.append(("content-type", request.content_type))
    return own
