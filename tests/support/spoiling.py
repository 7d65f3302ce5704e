"""A line to a desk that breaks what comes back: a value, a key, a row, a whole body, a header.

The desk itself has done what it was asked. How each answer is broken follows from a seed and from
its place among the answers, so that fewer broken ones break no other way. No error of ours may
repeat what stood in an answer: `must_be_ours` looks.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from hypothesis import strategies as st

from syncd.core.errors import SyncdError

#: Stands in spoilt answers, and nowhere in ours.
CANARY = "Herr Geheim wrote: sesame@opens.test"
SEEDS = st.integers(0, 2**32)
OFTEN = st.sampled_from((0.0, 0.2, 0.6, 1.0))
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 2**63, 1e308, "", " ", "0", "-1", "x" * 5000, "\x00",
    "\x1b[2J", "a\nb", "\u202e", "..", "../..", "{{ticket.id}}", [], {}, [[]], [None], {"id": None},
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2027-99-99T99:99:99Z", "٣", "1e5", "NaN",
    "\ud800", CANARY, [CANARY], {CANARY: CANARY},
)  # fmt: skip
BODIES = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'{"ticket": {"id": "\xff"}}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"<html>maintenance</html>",
    b'{"tickets": [1, "x", null, [], {}]}',
    b"1" * 5000,
    json.dumps({"error": CANARY, "description": CANARY, "details": {CANARY: CANARY}}).encode(),
)
#: Any value.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=20,
)
#: Those that somebody reads.
HEADERS = ("date", "etag", "location", "retry-after", "x-request-id", "content-type")


class Spoiling(httpx.AsyncBaseTransport):
    """Hands requests on, and breaks some of the answers; `often` may be changed on the way."""

    def __init__(
        self,
        desk: Any,
        seed: int,
        *,
        often: float,
        has_riddles_only: bool = False,
    ) -> None:
        """`has_riddles_only` where nothing that is broken may look like an answer."""
        is_line = isinstance(desk, httpx.AsyncBaseTransport)
        self._desk = desk if is_line else httpx.ASGITransport(app=desk)
        self._seed = seed
        self._count = 0
        self._random = random.Random(seed)
        self._has_riddles_only = has_riddles_only
        self.often = often

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._desk.handle_async_request(request)
        body = await answer.aread()
        headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
        self._count += 1
        self._random = random.Random(f"{self._seed} {self._count}")
        if self._random.random() < self.often:
            body = self._spoilt(body)
            if self._random.random() < 0.3:
                headers[self._random.choice(HEADERS)] = self._random.choice(("", "x", "-1", CANARY))
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))

    def _spoilt(self, body: bytes) -> bytes:
        if self._has_riddles_only or self._random.random() < 0.15:
            return self._random.choice((*BODIES, body[: len(body) // 2]))
        try:
            value = json.loads(body)
        except ValueError:
            return body
        for _ in range(self._random.choice((1, 1, 1, 3, 20))):
            value = self._broken(value)
        return json.dumps(value).encode()

    def _broken(self, value: Any) -> Any:
        value = copy.deepcopy(value)
        places = list(_places(value))
        if not places:
            return self._random.choice(NASTY)
        holder, key = self._random.choice(places)
        deed = self._random.random()
        if deed < 0.2:
            del holder[key]
        elif deed < 0.3 and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = self._random.choice(NASTY)
        return value


class Edited(httpx.AsyncBaseTransport):
    """Hands requests on, and has the JSON of each answer by `edit`, who is told the path."""

    def __init__(self, desk: Any, edit: Callable[[str, Any], Any]) -> None:
        self._desk = httpx.ASGITransport(app=desk)
        self._edit = edit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._desk.handle_async_request(request)
        value = self._edit(request.url.path, json.loads(await answer.aread()))
        headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
        body = json.dumps(value).encode()
        return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))


def _places(value: Any) -> Any:
    """Every container with every key or index in it."""
    keys: Sequence[Any] = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from _places(value[key])


def must_be_ours(error: BaseException) -> SyncdError:
    """One of our errors, and none of the desk's words in it."""
    assert isinstance(error, SyncdError), repr(error)
    said = f"{error} {error.hint} {error.args} {vars(error)}"
    assert CANARY not in said
    assert "Geheim" not in said
    return error
