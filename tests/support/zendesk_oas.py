"""Holds requests to Zendesk against its official OpenAPI file, where it describes them.

Stricter than the file: a query parameter or a key of a body that it does not name is a finding, and
so is one that it calls read-only. What we send all the same stands in `EXCEPTIONS`, with the source
that says it works.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
import yaml

SPEC = Path(__file__).resolve().parents[3] / "shared" / "specs" / "zendesk-support-oas.yaml"
Json = dict[str, Any]

#: What we send beyond the file, and who says that it is right.
EXCEPTIONS: Mapping[str, str] = {
    "POST /oauth/tokens: a body": (
        "described in words by the file itself, in the operation's own text"
    ),
    "POST /api/v2/tickets: header idempotency-key": (
        "https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency"
    ),
    "POST /api/v2/uploads: bytes": (
        "https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/"
    ),
    "POST /api/v2/imports/tickets: ticket.requester": (
        "zendesk_api_client_rb's recording of an import answers 409 'Requester creation collision'"
    ),
    "POST /api/v2/imports/tickets: ticket.type": (
        "'Ticket imports support the normal ticket properties outlined in Tickets':"
        " https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/"
    ),
    "POST /api/v2/imports/tickets: ticket.comments[].created_at is read-only": (
        "https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/"
    ),
    "POST /api/v2/imports/tickets/create_many: tickets[].requester": (
        "the tickets of a bulk import are those of a single one"
    ),
    "POST /api/v2/imports/tickets/create_many: tickets[].comments[].created_at is read-only": (
        "https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/"
    ),
}

_USUAL_HEADERS = {
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type",
    "host", "user-agent",
}  # fmt: skip


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as the file means it: a lone `=` is text."""


_Loader.add_constructor(
    "tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node)
)


@functools.cache
def spec() -> Json | None:
    """The whole file; None where it is absent."""
    if not SPEC.is_file():
        return None
    # The loader is a safe one.
    return cast(Json, yaml.load(SPEC.read_text(encoding="utf-8"), _Loader))  # noqa: S506


def findings(request: httpx.Request) -> list[str]:
    """Everything about a request that the file does not describe; empty where there is no file."""
    if spec() is None:
        return []
    path = request.url.path
    if path.startswith("/attachments/token/"):
        # An address from an answer, and no part of the API.
        return []
    found = _operation(request.method, path)
    if found is None:
        return [f"{request.method} {path}: not in the file"]
    template, operation, shared = found
    parameters = [_resolved(p) for p in (*shared, *operation.get("parameters", ()))]
    allowed = {p["name"] for p in parameters if p["in"] == "query"}
    # `page[size]` is the deep form of the parameter `page`.
    names = {name for name, _ in parse_qsl(request.url.query.decode(), keep_blank_values=True)}
    unknown = [n for n in sorted(names) if n not in allowed and n.partition("[")[0] not in allowed]
    problems = [f"query {name}" for name in unknown]
    required = {p["name"] for p in parameters if p["in"] == "query" and p.get("required")}
    problems += [f"query {name} is missing" for name in sorted(required - names)]
    problems += [f"header {name}" for name in sorted(set(request.headers) - _USUAL_HEADERS)]
    if isinstance(request.stream, httpx.ByteStream):
        problems += _body_problems(operation, request.content)
    else:
        problems.append("bytes")
    return [f"{request.method} {template}: {problem}" for problem in problems]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests on, after holding each against the file; remembers what it saw."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.used: set[str] = set()
        self.seen: set[tuple[str, str]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        problems = set(findings(request))
        self.used |= problems & EXCEPTIONS.keys()
        found = _operation(request.method, request.url.path) if spec() is not None else None
        if found is not None:
            self.seen.add((request.method, found[0]))
        surprises = sorted(problems - EXCEPTIONS.keys())
        assert surprises == [], "Zendesk's own file does not describe this request"
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _operation(method: str, path: str) -> tuple[str, Json, list[Json]] | None:
    """The template, the operation and the path's own parameters; fixed words win over names."""
    parts = path.split("/")
    paths = (spec() or {})["paths"]
    matching = [
        template
        for template, operations in paths.items()
        if method.lower() in operations and _matches(template.split("/"), parts)
    ]
    if not matching:
        return None
    best = min(matching, key=lambda template: template.count("{"))
    return best, paths[best][method.lower()], paths[best].get("parameters", [])


def _matches(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        word == part or (word.startswith("{") and part != "")
        for word, part in zip(template, parts, strict=True)
    )


def _body_problems(operation: Json, content: bytes) -> list[str]:
    declared = operation.get("requestBody")
    if not content:
        return []
    if declared is None:
        return ["a body"]
    schema = _resolved(declared)["content"]["application/json"]["schema"]
    return list(_problems(json.loads(content), schema, ""))


def _problems(value: Any, schema: Json, where: str) -> Iterator[str]:
    schema = _resolved(schema)
    if schema.get("readOnly"):
        yield f"{where} is read-only"
    if "oneOf" in schema:
        kinds = [one for one in map(_resolved, schema["oneOf"]) if _is_of_type(value, one)]
        attempts = [list(_problems(value, one, where)) for one in kinds or schema["oneOf"]]
        yield from min(attempts, key=len)
        return
    if not _is_of_type(value, schema):
        yield f"{where} is of the wrong type"
    elif isinstance(value, dict):
        yield from _object_problems(value, schema, where)
    elif isinstance(value, list):
        for item in value:
            yield from _problems(item, schema.get("items", {}), f"{where}[]")
    elif value not in schema.get("enum", [value]):
        yield f"{where} is none of the values"


def _object_problems(value: Json, schema: Json, where: str) -> Iterator[str]:
    known: Json = {}
    for part in (schema, *map(_resolved, schema.get("allOf", ()))):
        known |= part.get("properties", {})
    is_open = schema.get("additionalProperties") or not known
    for name, inner in value.items():
        path = f"{where}.{name}".lstrip(".")
        if name in known:
            yield from _problems(inner, known[name], path)
        elif not is_open:
            yield path
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}.{name} is missing".lstrip(".")


def _is_of_type(value: Any, schema: Json) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "object": (dict,),
        "array": (list,),
        "string": (str,),
        "boolean": (bool,),
        "integer": (int,),
        "number": (int, float),
    }
    if value is None:
        return bool(schema.get("nullable"))
    expected = kinds.get(schema.get("type", ""))
    if expected is None:
        return True
    return isinstance(value, expected) and (bool in expected or not isinstance(value, bool))


def _resolved(schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = spec()
        for word in schema["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        schema = found
    return schema
