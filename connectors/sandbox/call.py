"""Values that pass between the chassis and a desk in miniature: calls, replies, routes.

A handler is an ordinary function from a `Call` to a `Reply`, so that everything it changes happens
between two turns of the event loop: no other request sees half an update.
What a desk refuses, and in which words, is the desk's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request as it came in, body complete."""

    # Position in the request log, counted from 1; 0 for control requests, which are not logged.
    number: int
    method: str
    # Percent-decoded, without the query.
    path: str
    # The route's template, such as "/api/v2/tickets/{id}"; empty where no route matched.
    template: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    # Lower-case names; of repeated headers the last one.
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    # Scheme and host as the client addressed them, for links in answers.
    base_url: str = ""

    @property
    def is_write(self) -> bool:
        """Whether the method can change anything."""
        return self.method not in READ_METHODS

    def json(self) -> Any:
        """The body read as JSON; an empty body is None. Raises ValueError when it is not JSON."""
        return json.loads(self.body) if self.body.strip() else None

    def value(self, name: str) -> str | None:
        """The last query value of that name, None when absent."""
        return dict(self.query).get(name)

    def values(self, name: str) -> list[str]:
        """Every query value of that name, in order."""
        return [value for key, value in self.query if key == name]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One answer, complete."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    # Who the desk took the caller for; shown in the request log only.
    user: str | None = None
    # An answer that has to be waited for, such as a long poll's; it takes this one's place.
    later: Callable[[], Awaitable[Reply]] | None = None

    @property
    def is_applied(self) -> bool:
        """Whether the desk did what was asked."""
        return self.status < HTTPStatus.BAD_REQUEST

    def header(self, name: str) -> str | None:
        """The first header of that name, case-insensitively."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


Handler = Callable[[Call], Reply]


def json_reply(
    status: int, value: object, headers: Iterable[tuple[str, str]] = (), *, user: str | None = None
) -> Reply:
    """A JSON answer; `headers` come after the content type and may not repeat it."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    content_type = ("content-type", "application/json; charset=utf-8")
    return Reply(status=status, headers=(content_type, *headers), body=body, user=user)


def text_reply(status: int, text: str, *, content_type: str = "text/plain") -> Reply:
    """An answer that is not JSON."""
    return Reply(
        status=status,
        headers=(("content-type", f"{content_type}; charset=utf-8"),),
        body=text.encode(),
    )


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a template with `{names}` matching one path segment each, and its handler."""

    method: str
    template: str
    handler: Handler


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The route found for a request, with the values of its template's names."""

    route: Route
    parameters: Mapping[str, str]


class Router:
    """Finds the route of a request; among several the one listed first."""

    def __init__(self, routes: Iterable[Route], *, optional_suffix: str = "") -> None:
        self._suffix = optional_suffix
        self._routes = [(_pattern(route.template), route) for route in routes]

    def find(self, method: str, path: str) -> Match | None:
        """The route of `method` and `path`, or None; HEAD is served by GET routes."""
        wanted = "GET" if method == "HEAD" else method
        bare = path.removesuffix(self._suffix) if self._suffix else path
        for pattern, route in self._routes:
            if route.method == wanted and (found := pattern.fullmatch(bare)):
                return Match(route=route, parameters=found.groupdict())
        return None


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    literal = [re.escape(part) for part in parts[::2]]
    names = [f"(?P<{name}>[^/]+)" for name in parts[1::2]]
    return re.compile("".join(a + b for a, b in zip(literal, [*names, ""], strict=True)))
