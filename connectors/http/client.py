"""Send a connector's requests under its budget, and name every failure by what to do next.

Reads are tried up to three times within ten seconds; a write is sent exactly once.
For a write, "nothing happened" is only: no connection, a refusal with a 4xx, or 429. Every other
missing or unusable answer is `OutcomeUnknown`, which is for `Connector.find` to settle.
Errors hold codes, ids and field names, never a body, an address with a query or a credential.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NoReturn, TypeVar

import httpx
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from connectors.http import quota
from connectors.http.download import Downloads
from connectors.http.exchange import CONNECTIONS, Exchange, RawAnswer, Silence
from connectors.http.hosts import Hosts
from connectors.http.meaning import (
    MEANINGS,
    Explanation,
    Meaning,
    is_word,
    meaning_of,
    no_explanation,
)
from connectors.http.narrow import NarrowPauses
from connectors.http.request import ACCOUNT, Answered, Credential, OnRequest, Request
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
    UploadSpent,
)
from syncd.ports import Budget, Clock, Paused, Reading

T = TypeVar("T")

READ_TRIES = 3
READ_SECONDS = 10.0
#: A page of a thousand exported tickets has a few megabytes.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class HttpClient:
    """One connection's way to its desk. Safe to use from many tasks."""

    def __init__(
        self,
        *,
        connection: str,
        base_url: str,
        budget: Budget,
        clock: Clock,
        timeout_seconds: float = 30.0,
        credential: Credential | None = None,
        meanings: Mapping[int, Meaning] = MEANINGS,
        explain: Callable[[int, bytes], Explanation] = no_explanation,
        narrow_buckets: frozenset[str] = frozenset(),
        on_request: OnRequest | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        at_once: int = CONNECTIONS,
    ) -> None:
        """`narrow_buckets` are published quotas of one ticket or user: they slow nothing else.

        Never more than `at_once` requests are on their way.
        """
        self._connection = connection
        self._budget = budget
        self._clock = clock
        self._credential = credential
        self._meanings = meanings
        self._explain = explain
        self._narrow_buckets = narrow_buckets
        self._narrow = NarrowPauses(clock)
        # Quotas that the desk was seen to count a template's requests in.
        self._learned: dict[str, frozenset[str]] = {}
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._on_request = on_request
        self._transport = transport
        # The first request of each template goes alone: its answer tells the quotas to the others.
        self._first: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._exchange = Exchange(
            connection=connection,
            base_url=base_url,
            clock=clock,
            timeout_seconds=timeout_seconds,
            max_answer_bytes=max_answer_bytes,
            on_request=on_request,
            transport=transport,
            at_once=at_once,
        )

    def __repr__(self) -> str:
        return f"HttpClient({self._connection})"

    async def read(self, request: Request, decode: Callable[[bytes], T]) -> Answered[T]:
        """Ask something that changes nothing, and decode the answer.

        Raises `Unreachable`, `RateLimited`, `Unauthorised`, `Unintelligible`, and `Gone` where the
        request is about one ticket. `decode` raises ValueError or msgspec's errors.
        """
        started = self._clock.monotonic()
        try:
            return await self._read_once(request, decode)
        except Unreachable as error:
            # Most reads succeed at once and should not pay for what comes here.
            return await self._read_again(request, decode, started=started, failure=error)

    async def write(self, request: Request, decode: Callable[[bytes], T]) -> Answered[T]:
        """Change something: sent exactly once, but for a 401 that a fresh credential may mend.

        Raises `OutcomeUnknown`, `Stale`, `Rejected`, `UploadSpent`, `Gone`, `Unreachable`,
        `RateLimited`, `Unauthorised`; after all but the first nothing was written. What the
        request's own `content` raises comes through as it is.
        """
        try:
            raw = await self._send(request)
        except Silence as silence:
            kind = OutcomeUnknown if silence.is_sent else Unreachable
            what = "no answer" if silence.is_sent else "no connection"
            raise kind(
                f"{what}, {silence}", connection=self._connection, action=request.action
            ) from silence
        meaning, explanation = self._meaning(raw)
        if meaning in {Meaning.BROKEN, Meaning.RIDDLE}:
            raise self._error(OutcomeUnknown, "no usable answer", request, raw)
        if meaning is not Meaning.DONE:
            self._refuse(request, raw, meaning, explanation)
        return self._decoded(request, raw, decode, OutcomeUnknown)

    def downloads(self, hosts: Sequence[str] = (), *, bucket: str = ACCOUNT) -> Downloads:
        """The same account's way to its files: by a pool of its own."""
        return Downloads(
            connection=self._connection,
            base_url=self._base_url,
            hosts=Hosts(self._base_url, hosts),
            budget=self._budget,
            clock=self._clock,
            credential=self._credential,
            bucket=bucket,
            timeout_seconds=self._timeout_seconds,
            on_request=self._on_request,
            transport=self._transport,
        )

    async def close(self) -> None:
        """Close the pool; requests on their way end unanswered."""
        await self._exchange.close()

    # --- one request -----------------------------------------------------------------------------

    async def _read_again(
        self,
        request: Request,
        decode: Callable[[bytes], T],
        *,
        started: float,
        failure: Unreachable,
    ) -> Answered[T]:
        """The tries after the first one, which ended in `failure`."""
        first: list[Unreachable] = [failure]

        async def attempt() -> Answered[T]:
            if first:
                raise first.pop()
            return await self._read_once(request, decode)

        def is_enough(state: RetryCallState) -> bool:
            spent = self._clock.monotonic() - started + state.upcoming_sleep
            return state.attempt_number >= READ_TRIES or spent >= READ_SECONDS

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unreachable),
            stop=is_enough,
            wait=wait_random_exponential(multiplier=0.2, max=3),
            sleep=self._clock.sleep,
            reraise=True,
        )
        return await retrying(attempt)

    async def _read_once(self, request: Request, decode: Callable[[bytes], T]) -> Answered[T]:
        try:
            raw = await self._send(request)
        except Silence as silence:
            raise Unreachable(
                f"no answer, {silence}", connection=self._connection, action=request.action
            ) from silence
        meaning, explanation = self._meaning(raw)
        if meaning is Meaning.BROKEN:
            if quota.wait_seconds(raw.headers, now=self._clock.now()) is not None:
                raise self._limited("the desk asks to come back later", request, raw)
            raise self._error(Unreachable, "the desk is out of order", request, raw)
        if meaning in {Meaning.REJECTED, Meaning.STALE, Meaning.RIDDLE}:
            # A refused read is no verdict about a ticket: address, version or proxy are wrong.
            raise self._error(Unintelligible, _words("not an answer", explanation), request, raw)
        if meaning is not Meaning.DONE:
            self._refuse(request, raw, meaning, explanation)
        return self._decoded(request, raw, decode, Unintelligible)

    async def _send(self, request: Request) -> RawAnswer:
        headers = await self._credential_headers(request)
        raw = await self._send_once(request, headers)
        if raw.status != httpx.codes.UNAUTHORIZED or not headers or self._credential is None:
            return raw
        # A refused credential means that nothing was done, for a write too.
        if not await self._credential.renew(headers):
            return raw
        if request.content is not None:
            # Its bytes are spent; whoever has them can send them again.
            raise Unreachable(
                "the credential was renewed", connection=self._connection, action=request.action
            )
        return await self._send_once(request, await self._credential_headers(request))

    async def _credential_headers(self, request: Request) -> Mapping[str, str]:
        if request.is_anonymous or self._credential is None:
            return {}
        return await self._credential.headers()

    async def _send_once(self, request: Request, headers: Mapping[str, str]) -> RawAnswer:
        route = f"{request.method} {request.template}"
        if route not in self._learned:
            async with self._first[route]:
                if route not in self._learned:
                    try:
                        return await self._send_counted(request, headers, route)
                    finally:
                        self._learned.setdefault(route, frozenset())
        return await self._send_counted(request, headers, route)

    async def _send_counted(
        self, request: Request, headers: Mapping[str, str], route: str
    ) -> RawAnswer:
        learned = self._learned.get(route, frozenset())
        named = (request.quota, *request.buckets)
        if (seconds := self._narrow.left_seconds(request)) > 0:
            raise self._paused(request, seconds)
        try:
            await self._budget.spend((*named, *sorted(learned.difference(named))))
        except Paused as pause:
            raise self._paused(request, pause.seconds) from pause
        raw = await self._exchange.send(request, headers)
        seen = self._readings(request, raw)
        if seen:
            self._budget.observe(seen)
            self._learned[route] = frozenset(r.bucket for r in seen) - set(named)
        is_asking = raw.status >= httpx.codes.INTERNAL_SERVER_ERROR and "retry-after" in raw.headers
        if is_asking or raw.status == httpx.codes.TOO_MANY_REQUESTS:
            self._pause(request, raw, seen)
        return raw

    # --- quotas ----------------------------------------------------------------------------------

    def _readings(self, request: Request, raw: RawAnswer) -> tuple[Reading, ...]:
        found = quota.readings(raw.headers, general=request.quota)
        return tuple(r for r in found if r.bucket not in self._narrow_buckets)

    def _pause(self, request: Request, raw: RawAnswer, seen: tuple[Reading, ...]) -> None:
        everything = quota.readings(raw.headers, general=request.quota)
        is_narrow = any(r.bucket in self._narrow_buckets and r.remaining <= 0 for r in everything)
        spent = [r.bucket for r in seen if r.remaining <= 0]
        if is_narrow and not spent:
            self._narrow.put(request, self._wait_seconds(raw, everything))
            return
        seconds = self._wait_seconds(raw, seen)
        # Nobody said which quota it was: all in which this request counts.
        for bucket in spent or (request.quota, *request.buckets):
            self._budget.pause(bucket, seconds)

    def _wait_seconds(self, raw: RawAnswer, seen: tuple[Reading, ...]) -> float:
        asked = quota.wait_seconds(raw.headers, now=self._clock.now())
        if asked is not None:
            return asked
        resets = [r.reset_seconds for r in seen if r.remaining <= 0]
        return max(resets, default=quota.DEFAULT_WAIT_SECONDS)

    def _paused(self, request: Request, seconds: float) -> RateLimited:
        return RateLimited(
            "the desk asked to come back later",
            retry_at=self._clock.now() + timedelta(seconds=seconds),
            connection=self._connection,
            action=request.action,
            status=None,
        )

    def _limited(self, message: str, request: Request, raw: RawAnswer) -> RateLimited:
        seconds = self._wait_seconds(raw, quota.readings(raw.headers, general=request.quota))
        return RateLimited(
            message,
            retry_at=self._clock.now() + timedelta(seconds=seconds),
            connection=self._connection,
            action=request.action,
            status=raw.status,
            request_id=_request_id(raw.headers),
        )

    # --- answers ---------------------------------------------------------------------------------

    def _meaning(self, raw: RawAnswer) -> tuple[Meaning, Explanation]:
        meaning = meaning_of(raw.status, self._meanings)
        if meaning is Meaning.DONE:
            return meaning, Explanation()
        explanation = self._explain(raw.status, raw.body or b"")
        return explanation.meaning or meaning, explanation

    def _decoded(
        self,
        request: Request,
        raw: RawAnswer,
        decode: Callable[[bytes], T],
        failure: type[RemoteError],
    ) -> Answered[T]:
        if raw.body is None:
            raise self._error(
                failure, "the answer is too large or cannot be unpacked", request, raw
            )
        try:
            value = decode(raw.body)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            # The cause is left out on purpose: decoders quote what they read.
            message = f"the answer is not as documented, {type(error).__name__}"
            raise self._error(failure, message, request, raw) from None
        return Answered(
            value=value,
            status=raw.status,
            headers=raw.headers,
            date=quota.http_date(raw.headers.get("date", "")),
            elapsed_seconds=raw.elapsed_seconds,
        )

    def _refuse(
        self, request: Request, raw: RawAnswer, meaning: Meaning, explanation: Explanation
    ) -> NoReturn:
        hint = explanation.hint
        if meaning is Meaning.WAIT:
            raise self._limited("too many requests", request, raw)
        if meaning is Meaning.UNAUTHORISED:
            raise self._error(Unauthorised, _words("not allowed", explanation), request, raw, hint)
        if meaning is Meaning.SPENT:
            raise self._error(UploadSpent, _words("no such upload", explanation), request, raw)
        if meaning is Meaning.STALE:
            raise self._error(Stale, _words("it has moved", explanation), request, raw, hint)
        if meaning is Meaning.MISSING and request.is_about_one_ticket:
            raise self._error(Gone, "no such ticket", request, raw, hint)
        if meaning is Meaning.MISSING:
            raise self._error(Unintelligible, "no such address", request, raw, hint)
        raise Rejected(
            _words("refused", explanation),
            connection=self._connection,
            action=request.action,
            status=raw.status,
            request_id=_request_id(raw.headers),
            field=next(filter(is_word, explanation.fields), None),
            hint=hint,
            refusal=explanation.refusal,
            lacks=explanation.lacks,
        )

    def _error(
        self,
        kind: type[RemoteError],
        message: str,
        request: Request,
        raw: RawAnswer,
        hint: str = "",
    ) -> RemoteError:
        return kind(
            message,
            connection=self._connection,
            action=request.action,
            status=raw.status,
            request_id=_request_id(raw.headers),
            hint=hint,
        )


def _words(message: str, explanation: Explanation) -> str:
    names = [explanation.code, *explanation.fields]
    shown = [name for name in names if name is not None and is_word(name)]
    return ", ".join([message, *dict.fromkeys(shown)])


def _request_id(headers: Mapping[str, str]) -> str | None:
    value = headers.get("x-request-id", "")
    return value if _REQUEST_ID.fullmatch(value) else None
