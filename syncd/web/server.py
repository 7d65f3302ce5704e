"""Webhooks in, health and metrics out.

A webhook is answered 202 only after what it proves is durable; a refused one costs a signature
check and leaves nothing behind. However many come, their bodies take a bounded part of the memory.
What to do about a webhook is not decided here.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from syncd.core.errors import StoreError, Unauthentic, Unintelligible
from syncd.core.model import ConnectionName
from syncd.web.metrics import CONTENT_TYPE

#: Zendesk's largest event is a comment of 64 KB with its ticket; a platform's holds up to 1 MiB.
MOST_BYTES = 4 * 1024 * 1024
#: Zendesk gives up after 10 s; a sender slower than this is not a desk.
_MOST_SECONDS = 8.0

#: Webhooks taken in at one time.
_MOST_AT_ONCE = 64
#: What a body may have without asking: nearly every webhook is smaller.
_FREE_BYTES = 64 * 1024
#: What all bodies together may have beyond that: what a flood can take of the memory.
_ROOM_BYTES = 16 * 1024 * 1024
_COME_BACK = {"Retry-After": "5"}
_LENGTH = re.compile(r"[0-9]{1,18}")

#: Takes one webhook in; raises `Unauthentic`, `Unintelligible`, `StoreError` or `NotYet`.
Receive = Callable[[ConnectionName, Mapping[str, str], bytes], Awaitable[None]]


class Telling(Protocol):
    """What the daemon tells of itself to whoever asks."""

    async def health(self) -> Mapping[str, object]:
        """For `/healthz`, as JSON."""
        ...

    def is_ready(self) -> bool:
        """For `/readyz`."""
        ...

    async def metrics(self) -> bytes:
        """For `/metrics`, in Prometheus' text format."""
        ...


class NotYet(Exception):
    """Webhooks of this connection cannot be judged yet: the desk is to send it again."""


def web_app(
    *,
    paths: Mapping[str, ConnectionName],
    receive: Receive,
    telling: Telling,
    patience_seconds: float = _MOST_SECONDS,
) -> Starlette:
    """The ASGI application. `paths` are the webhook paths of the connections.

    A body that has not come whole after `patience_seconds` is refused.
    """

    places = asyncio.Semaphore(_MOST_AT_ONCE)
    room = _Room(_ROOM_BYTES)

    def webhook(connection: ConnectionName) -> Callable[[Request], Awaitable[Response]]:
        async def take(request: Request) -> Response:
            if places.locked():
                # Nobody waits here: the desk sends it again, or the poll finds it.
                return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_COME_BACK)
            async with places:
                with room.share() as share:
                    return await _take(request, connection, receive, patience_seconds, share)

        return take

    async def healthz(_: Request) -> Response:
        return JSONResponse(dict(await telling.health()))

    async def readyz(_: Request) -> Response:
        status = (
            HTTPStatus.OK if (is_ready := telling.is_ready()) else HTTPStatus.SERVICE_UNAVAILABLE
        )
        return JSONResponse({"ready": is_ready}, status_code=status)

    async def scraped(_: Request) -> Response:
        return Response(await telling.metrics(), headers={"content-type": CONTENT_TYPE})

    return Starlette(
        routes=[
            *(
                Route(path, webhook(connection), methods=["POST"])
                for path, connection in paths.items()
            ),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", scraped),
        ]
    )


async def _take(
    request: Request,
    connection: ConnectionName,
    receive: Receive,
    patience_seconds: float,
    share: _Share,
) -> Response:
    body = await _whole_body(request, patience_seconds, share)
    if isinstance(body, Response):
        return body
    try:
        await receive(connection, dict(request.headers), body)
    except Unauthentic:
        return Response(status_code=HTTPStatus.UNAUTHORIZED)
    except Unintelligible:
        return Response(status_code=HTTPStatus.UNPROCESSABLE_ENTITY)
    except (StoreError, NotYet):
        # Not durable: the desk must send it again, or the poll will find it.
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_COME_BACK)
    except Exception:  # noqa: BLE001 - a bug, logged where it was; its traceback may hold ticket text
        return Response(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
    return Response(status_code=HTTPStatus.ACCEPTED)


async def _whole_body(request: Request, patience_seconds: float, share: _Share) -> bytes | Response:
    """The raw body, or what is answered to one that is not taken."""
    try:
        async with asyncio.timeout(patience_seconds):
            body = await _read(request, share)
    except _Full:
        return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_COME_BACK)
    except TimeoutError:
        return Response(status_code=HTTPStatus.REQUEST_TIMEOUT)
    except ClientDisconnect:
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    if body is None:
        return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return body


async def _read(request: Request, share: _Share) -> bytes | None:
    """The raw body, or None when it is larger than any webhook. Raises `_Full`."""
    declared = request.headers.get("content-length", "")
    if _LENGTH.fullmatch(declared) and int(declared) > MOST_BYTES:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            return None
        share.grow(size)
        chunks.append(chunk)
    return b"".join(chunks)


class _Full(Exception):
    """There is no room for so large a body now."""


class _Room:
    """What large bodies take of the memory, all together."""

    def __init__(self, size: int) -> None:
        self.left = size

    @contextlib.contextmanager
    def share(self) -> Iterator[_Share]:
        """A body's share; it is given back at the end."""
        share = _Share(self)
        try:
            yield share
        finally:
            self.left += share.taken


class _Share:
    def __init__(self, room: _Room) -> None:
        self._room = room
        self.taken = 0

    def grow(self, size: int) -> None:
        """A body has come to so many bytes. Raises `_Full`."""
        more = max(size - _FREE_BYTES, 0) - self.taken
        if more > self._room.left:
            raise _Full
        self._room.left -= more
        self.taken += more
