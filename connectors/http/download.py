"""Fetch a file from a desk, piece by piece.

Redirects are followed by hand: a few, to allowed hosts only, and the credential goes to the desk's
own origin alone. Nothing is held but one piece. What goes wrong on the way is one of the errors of
`syncd.core.errors`, also in the middle of the file.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import httpx

from connectors.http import quota
from connectors.http.exchange import no_cookies, tls
from connectors.http.hosts import Hosts, NotAllowed
from connectors.http.request import ACCOUNT, Credential, OnRequest
from connectors.http.unpack import Packed, Unpacker, unpacker
from syncd.attachments import OpenAttachment
from syncd.core.errors import (
    Gone,
    RateLimited,
    Rejected,
    RemoteError,
    Unauthorised,
    Unintelligible,
    Unreachable,
)
from syncd.ports import Budget, Clock, Paused
from syncd.settings import is_loopback

ACTION = "fetch attachment"
_MOST_HOPS = 4
_SIZE = re.compile(r"[0-9]{1,15}")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Downloads:
    """One connection's way to files. Safe to use from many tasks."""

    def __init__(
        self,
        *,
        connection: str,
        base_url: str,
        hosts: Hosts,
        budget: Budget,
        clock: Clock,
        credential: Credential | None,
        bucket: str = ACCOUNT,
        timeout_seconds: float = 30.0,
        on_request: OnRequest | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`bucket` is the quota that contents count in, where it is not the account's own."""
        self._bucket = bucket
        self._connection = connection
        self._base_url = base_url.rstrip("/")
        self._hosts = hosts
        self._budget = budget
        self._clock = clock
        self._credential = credential
        self._on_request = on_request
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=tls(),
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds / 2, 10.0)),
            limits=httpx.Limits(max_connections=10, keepalive_expiry=20.0),
            follow_redirects=False,
            # Packed bytes would have to be unpacked, and their announced length would be another.
            headers={"accept": "*/*", "accept-encoding": "identity", "user-agent": "syncd"},
            cookies=no_cookies(),
            trust_env=not is_loopback(httpx.URL(base_url).host),
        )

    @contextlib.asynccontextmanager
    async def open(self, address: str) -> AsyncIterator[OpenAttachment]:
        """The file at an address, absolute or below the desk's own.

        Raises `Gone`, `Rejected` for an address that is not allowed, `Unreachable`, `RateLimited`,
        `Unauthorised`, `Unintelligible`.
        """
        async with contextlib.AsyncExitStack() as stack:
            response = await self._follow(stack, address)
            packing = response.headers.get("content-encoding", "identity")
            try:
                unpacking = unpacker(packing)
            except Packed as riddle:
                raise self._error(Unintelligible, str(riddle)) from None
            length = response.headers.get("content-length", "")
            is_told = _SIZE.fullmatch(length) is not None and packing == "identity"
            yield OpenAttachment(
                size=int(length) if is_told else None,
                content=self._pieces(response, unpacking),
            )

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def _follow(self, stack: contextlib.AsyncExitStack, address: str) -> httpx.Response:
        url = self._allowed(address if "://" in address else self._base_url + address)
        for hop in range(_MOST_HOPS):
            response = await self._get(stack, url)
            if response.status_code not in _REDIRECTS:
                self._refuse(response)
                return response
            await response.aclose()
            if hop + 1 < _MOST_HOPS:
                url = self._allowed(response.headers.get("location", ""), seen_from=url)
        raise self._error(Rejected, "too many redirects")

    def _allowed(self, address: str, *, seen_from: httpx.URL | None = None) -> httpx.URL:
        try:
            return self._hosts.allowed(address, seen_from=seen_from)
        except NotAllowed as refused:
            raise self._error(
                Rejected,
                str(refused),
                hint="If the desk's files really are there, add the host to the connection's"
                " `file_hosts`.",
            ) from None

    async def _get(self, stack: contextlib.AsyncExitStack, url: httpx.URL) -> httpx.Response:
        credential = self._credential
        if credential is None or not self._hosts.is_own(url):
            return await self._send(stack, url, {})
        headers = await credential.headers()
        response = await self._send(stack, url, headers)
        if response.status_code != httpx.codes.UNAUTHORIZED or not await credential.renew(headers):
            return response
        await response.aclose()
        return await self._send(stack, url, await credential.headers())

    async def _send(
        self, stack: contextlib.AsyncExitStack, url: httpx.URL, headers: Mapping[str, str]
    ) -> httpx.Response:
        try:
            await self._budget.spend((self._bucket,))
        except Paused as pause:
            raise self._limited(pause.seconds) from pause
        started = self._clock.monotonic()
        status: int | None = None
        try:
            response = await stack.enter_async_context(
                self._client.stream("GET", url, headers=dict(headers))
            )
            status = response.status_code
            self._observe(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise self._error(Unreachable, f"no answer, {type(error).__name__}") from error
        finally:
            if self._on_request is not None:
                self._on_request(
                    connection=self._connection,
                    template="(attachment)",
                    method="GET",
                    status=status,
                    seconds=self._clock.monotonic() - started,
                )
        return response

    def _observe(self, response: httpx.Response) -> None:
        # A quota of their own says nothing in the general headers.
        is_own = self._bucket == ACCOUNT and self._hosts.is_own(response.url)
        seen = quota.readings(response.headers, general=self._bucket) if is_own else ()
        if seen:
            self._budget.observe(seen)

    async def _pieces(self, response: httpx.Response, unpacking: Unpacker) -> AsyncIterator[bytes]:
        try:
            async for raw in response.aiter_raw():
                for piece in unpacking.take(raw):
                    yield piece
            unpacking.end()
        except (httpx.HTTPError, httpx.StreamError, Packed) as error:
            raise self._error(Unreachable, f"cut short, {type(error).__name__}") from error

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.OK:
            return
        if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
            raise self._error(Gone, "no such file", status=status)
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise self._error(Unauthorised, "not allowed", status=status)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            asked = quota.wait_seconds(response.headers, now=self._clock.now())
            seconds = quota.DEFAULT_WAIT_SECONDS if asked is None else asked
            self._budget.pause(self._bucket, seconds)
            raise self._limited(seconds)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise self._error(Unreachable, "the desk is out of order", status=status)
        raise self._error(Unintelligible, "not a file", status=status)

    def _limited(self, seconds: float) -> RateLimited:
        return RateLimited(
            "too many files at once",
            retry_at=self._clock.now() + timedelta(seconds=seconds),
            connection=self._connection,
            action=ACTION,
        )

    def _error(
        self, kind: type[RemoteError], message: str, *, status: int | None = None, hint: str = ""
    ) -> RemoteError:
        return kind(message, connection=self._connection, action=ACTION, status=status, hint=hint)
