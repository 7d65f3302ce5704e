"""Reads docs/platform-api.yaml and holds answers of a platform's API against it, strictly.

Stricter than the contract asks of clients: a member that the file does not describe is an error, so
that the file cannot fall behind the sandbox.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "platform-api.yaml"
ROOT = "urn:platform-api"
Json = dict[str, Any]


@functools.cache
def contract() -> Json:
    """The OpenAPI document as it stands in the file."""
    return cast(Json, yaml.safe_load(CONTRACT.read_text(encoding="utf-8")))


async def hold_against_contract(answer: httpx.Response) -> None:
    """Raise AssertionError unless the contract describes this answer; for httpx's event hooks."""
    await answer.aread()
    request = answer.request
    if request.url.path.startswith("/_sandbox"):
        return
    operation = find_operation(request.method, request.url.path)
    described = operation["responses"].get(str(answer.status_code))
    assert described, f"{request.method} {request.url.path}: {answer.status_code} is not described"
    described = _resolved(described)
    schema = described.get("content", {}).get("application/json", {}).get("schema")
    if "*/*" in described.get("content", {}):
        # Bytes of any kind.
        assert schema is None
    elif schema is None:
        assert answer.content == b""
    else:
        assert problems(schema, answer.json()) == []
    for name, reference in described.get("headers", {}).items():
        header = _resolved(reference)
        if name in answer.headers:
            assert problems(header["schema"], _header(answer, name)) == []
        else:
            assert not header.get("required"), f"{request.url.path}: no {name}"
    bodies = operation.get("requestBody", {}).get("content", {})
    if answer.is_success and request.content and "*/*" not in bodies:
        body = bodies["application/json"]["schema"]
        assert problems(body, httpx.Response(200, content=request.content).json()) == []


def find_operation(method: str, path: str) -> Json:
    """The operation that the contract describes for a request."""
    for template, item in contract()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            return cast(Json, item[method.lower()])
    raise AssertionError(f"{method} {path} is not in the contract")


def problems(schema: Json, value: object) -> list[str]:
    """What is wrong with a value, in words; a schema of the contract may hold `#/` references."""
    validator = Draft202012Validator(
        _absolute(schema),
        registry=_registry(),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@functools.cache
def _registry() -> Registry[Any]:
    resource = DRAFT202012.create_resource(_absolute(_strict(contract())))
    return cast("Registry[Any]", Registry().with_resource(ROOT, resource))


def _resolved(value: Json) -> Json:
    while "$ref" in value:
        found: Any = contract()
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def _header(answer: httpx.Response, name: str) -> object:
    value = answer.headers[name]
    return int(value) if value.isdigit() else value


def _strict(value: Any) -> Any:
    """Object schemas take no further members, except `Person`, which others extend by `allOf`."""
    if isinstance(value, list):
        return [_strict(one) for one in value]
    if not isinstance(value, dict):
        return value
    strict = {name: one if name == "Person" else _strict(one) for name, one in _members(value)}
    is_closed = "additionalProperties" in value
    if "allOf" in value or (value.get("type") == "object" and "properties" in value):
        return strict if is_closed else {**strict, "unevaluatedProperties": False}
    return strict


def _members(value: Json) -> Iterator[tuple[str, Any]]:
    # An object with properties that happen to be called like keywords would be misread; none is.
    yield from value.items()


def _absolute(value: Any) -> Any:
    if isinstance(value, list):
        return [_absolute(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: f"{ROOT}{one}" if name == "$ref" and str(one).startswith("#") else _absolute(one)
        for name, one in value.items()
    }
