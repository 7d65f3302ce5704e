"""Points at which the power may go: around every commit and every request of syncd's.

Unarmed fuses only count the points that a life of syncd comes past; armed ones end it at one of
them. After that nothing leaves and nothing is committed any more, whoever still runs: the writer
is dead, and every way to a desk is cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.http import client
from connectors.http.download import Downloads
from connectors.http.exchange import Exchange, tls
from syncd.core.operations import Intent
from syncd.store import open_store
from syncd.store.store import SqliteStore

#: Ids in a path, which differ from ticket to ticket.
_ID = re.compile(r"(?<=/)(?=[^/]*[0-9])[^/]{4,}")


class Moment(StrEnum):
    """What is done at a point, and what is not."""

    #: Nothing of the unit is in the file.
    BEFORE_COMMIT = "before a commit"
    #: The unit is in the file and nobody was told.
    AFTER_COMMIT = "after a commit"
    #: The desk never sees the request.
    BEFORE_REQUEST = "before a request"
    #: The desk has done it, and its answer is read by nobody.
    AFTER_REQUEST = "after a request"
    #: A write that the desk sees when another syncd has begun already.
    LATE_REQUEST = "a write that lands late"


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A point that a life came past."""

    moment: Moment
    #: The request; empty for a commit.
    what: str = ""

    @property
    def is_new(self) -> bool:
        """Whether something has changed since the point before, in the file or on a desk."""
        if self.moment is Moment.AFTER_REQUEST:
            return not self.what.startswith("GET ")
        return self.moment in (Moment.AFTER_COMMIT, Moment.LATE_REQUEST)

    def __str__(self) -> str:
        return f"{self.moment} {self.what}".strip()


class PowerCut(BaseException):
    """What a burnt fuse leaves behind; nobody may catch it and go on."""


class Fuses:
    """The points of one life, in order; `burns_at` is the number of the one that ends it."""

    def __init__(self, burns_at: int | None = None) -> None:
        self.points: list[Point] = []
        self.is_cut = False
        self.burnt = asyncio.Event()
        #: A write that is still on its way when everything is dark.
        self.late: httpx.Request | None = None
        self._burns_at = burns_at
        self._loop = asyncio.get_running_loop()

    def meet(self, moment: Moment, what: str = "") -> None:
        """Come past a point. Raises `PowerCut` there, and at whatever comes after it."""
        if self.is_cut:
            raise PowerCut
        self.points.append(Point(moment=moment, what=what))
        if len(self.points) - 1 == self._burns_at:
            self.is_cut = True
            # The store's writer is another thread.
            self._loop.call_soon_threadsafe(self.burnt.set)
            raise PowerCut

    def commit(self, moment: str) -> None:
        """As the store's own fuse."""
        is_before = moment == "before_commit"
        self.meet(Moment.BEFORE_COMMIT if is_before else Moment.AFTER_COMMIT)


class FusedTransport(httpx.AsyncBaseTransport):
    """A connection pool with a fuse before and behind every request."""

    def __init__(self, fuses: Fuses) -> None:
        self._fuses = fuses
        self._inner = httpx.AsyncHTTPTransport(verify=tls())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = f"{request.method} {_ID.sub('{id}', request.url.path)}"
        self._fuses.meet(Moment.BEFORE_REQUEST, what)
        if request.method != "GET":
            await self._be_late(request, what)
        response = await self._inner.handle_async_request(request)
        try:
            self._fuses.meet(Moment.AFTER_REQUEST, what)
        except PowerCut:
            await response.aclose()
            raise
        return response

    async def _be_late(self, request: httpx.Request, what: str) -> None:
        try:
            self._fuses.meet(Moment.LATE_REQUEST, what)
        except PowerCut:
            body = b"".join([part async for part in _parts(request)])
            self._fuses.late = httpx.Request(
                request.method, request.url, headers=request.headers, content=body
            )
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _parts(request: httpx.Request) -> Any:
    assert isinstance(request.stream, httpx.AsyncByteStream)
    async for part in request.stream:
        yield part


class FuseBox:
    """Puts fuses into every syncd that begins while it is installed."""

    def __init__(self, watch: Callable[[Path], Collection[Intent]] | None = None) -> None:
        """`watch` tells what is on its way in a file, and is asked after every commit."""
        self.fuses = Fuses()
        #: What was seen on its way, by everybody so far.
        self.intents: list[Intent] = []
        self._watch = watch

    def renew(self, burns_at: int | None = None) -> Fuses:
        """Fuses for the next life."""
        self.fuses = Fuses(burns_at)
        return self.fuses

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Until the end of the block."""

        def fused(path: Path) -> SqliteStore:
            fuses = self.fuses

            def meet(moment: str) -> None:
                if self._watch is not None and moment == "after_commit":
                    self.intents += self._watch(path)
                fuses.commit(moment)

            return open_store(path, is_durable=False, fuse=meet)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("syncd.app.open_store", fused)
            patch.setattr(client, "Exchange", functools.partial(self._made, Exchange))
            patch.setattr(client, "Downloads", functools.partial(self._made, Downloads))
            yield

    def _made(self, pool: Any, **members: Any) -> Any:
        return pool(**members | {"transport": FusedTransport(self.fuses)})
