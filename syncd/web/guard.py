"""HTTP/1.1 with what uvicorn leaves open: nobody may hold a connection for nothing, or all of them.

A request's head, and the rest of a refused body, must have come within a time, a whole request
within a longer one. Where all connections are taken, the one that has kept us waiting longest for a
request goes, so that a thousand silent ones cannot keep a desk out. Whoever is cut off gets no
answer: a desk comes again, and polling finds what it had to say.
"""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

#: For a head to come, from the connection or from the last answer.
HEAD_SECONDS = 8.0
#: For a whole request with its answer: more than a body's patience and a busy disk.
REQUEST_SECONDS = 30.0
#: Well below the 1024 files that a process may usually have open.
MOST_CONNECTIONS = 512
#: Zendesk's heads have a kilobyte.
MOST_HEAD_BYTES = 16 * 1024
#: What requests in progress have when the server ends.
_ENDING_SECONDS = 5
#: Connections that the system keeps for us while we are busy.
_BACKLOG = 256


@dataclass(slots=True)
class Doorway:
    """The bounds, and who stands in the door: connections without a request, longest first."""

    head_seconds: float = HEAD_SECONDS
    request_seconds: float = REQUEST_SECONDS
    most_connections: int = MOST_CONNECTIONS
    waiting: OrderedDict[GuardedProtocol, None] = field(default_factory=OrderedDict)
    #: How many were cut off since the start: for want of a request, of time, of room.
    cut_count: int = 0


class GuardedProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, doorway: Doorway, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._doorway = doorway
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        doorway = self._doorway
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > doorway.most_connections:
            longest = next(iter(doorway.waiting))
            longest.cut_off()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._begin()

    def on_response_complete(self) -> None:
        # Before the next request of the same connection, which may have come already.
        self._wait()
        super().on_response_complete()

    def cut_off(self) -> None:
        """End the connection at once; what was not sent is lost."""
        self._doorway.cut_count += 1
        self._forget()
        self.transport.abort()

    def _wait(self) -> None:
        """For a request: until then the connection may have to make room."""
        self._set_deadline(self._doorway.head_seconds)
        self._doorway.waiting[self] = None
        self._doorway.waiting.move_to_end(self)

    def _begin(self) -> None:
        self._doorway.waiting.pop(self, None)
        if self.cycle.response_complete:
            return
        self._set_deadline(self._doorway.request_seconds)

    def _set_deadline(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.cut_off)

    def _forget(self) -> None:
        self._doorway.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serving(application: ASGIApp, *, doorway: Doorway | None = None) -> uvicorn.Config:
    """uvicorn's settings for a server that strangers can reach."""
    doorway = doorway or Doorway()
    protocol: Any = functools.partial(GuardedProtocol, doorway=doorway)
    return uvicorn.Config(
        application,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        # Whoever sends noise shall not fill the log with it.
        log_level="critical",
        access_log=False,
        # The address of a sender is neither believed nor of use.
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_ENDING_SECONDS,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
    )
