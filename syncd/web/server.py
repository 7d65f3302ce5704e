"""Webhooks in, health out.

A webhook is answered 202 only after what it proves is durable; a refused one costs a signature
check and leaves nothing behind. What to do about it is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from syncd.core.errors import StoreError, Unauthentic, Unintelligible
from syncd.core.model import ConnectionName

#: Zendesk's largest event is a comment of 64 KB with its ticket; a platform's holds up to 1 MiB.
MOST_BYTES = 4 * 1024 * 1024
#: Zendesk gives up after 10 s; a sender slower than this is not a desk.
_MOST_SECONDS = 8.0

#: Bodies read at one time: what a flood can take of the memory.
_MOST_AT_ONCE = 64
_COME_BACK = {"Retry-After": "5"}

#: Takes one webhook in; raises `Unauthentic`, `Unintelligible`, `StoreError` or `NotYet`.
Receive = Callable[[ConnectionName, Mapping[str, str], bytes], Awaitable[None]]


class NotYet(Exception):
    """Webhooks of this connection cannot be judged yet: the desk is to send it again."""


def web_app(
    *,
    paths: Mapping[str, ConnectionName],
    receive: Receive,
    health: Callable[[], Mapping[str, object]],
    is_ready: Callable[[], bool],
    patience_seconds: float = _MOST_SECONDS,
) -> Starlette:
    """The ASGI application. `paths` are the webhook paths of the connections.

    A body that has not come whole after `patience_seconds` is refused.
    """

    places = asyncio.Semaphore(_MOST_AT_ONCE)

    def webhook(connection: ConnectionName) -> Callable[[Request], Awaitable[Response]]:
        async def take(request: Request) -> Response:
            if places.locked():
                # Nobody waits here: the desk sends it again, or the poll finds it.
                return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_COME_BACK)
            async with places:
                return await _take(request, connection, receive, patience_seconds)

        return take

    async def healthz(_: Request) -> Response:
        return JSONResponse(dict(health()))

    async def readyz(_: Request) -> Response:
        status = HTTPStatus.OK if is_ready() else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"ready": is_ready()}, status_code=status)

    return Starlette(
        routes=[
            *(
                Route(path, webhook(connection), methods=["POST"])
                for path, connection in paths.items()
            ),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ]
    )


async def _take(
    request: Request, connection: ConnectionName, receive: Receive, patience_seconds: float
) -> Response:
    try:
        async with asyncio.timeout(patience_seconds):
            body = await _read(request)
    except TimeoutError:
        return Response(status_code=HTTPStatus.REQUEST_TIMEOUT)
    except ClientDisconnect:
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    if body is None:
        return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
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


async def _read(request: Request) -> bytes | None:
    """The raw body, or None when it is larger than any webhook."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MOST_BYTES:
        return None
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MOST_BYTES:
            return None
    return bytes(chunks)
