"""The file's JSON Schema (draft 2020-12): editors complete and check the YAML with it.

Known kinds have their own settings; a kind that is a dotted package name may have any.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from config.document import Path
from config.kinds import Kinds
from config.schema import File, Link
from syncd.settings import format_duration

#: JSON Schema is data of any shape.
Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = r"\$\{"
_ELSEWHERE: Schema = {
    "description": "A connector from elsewhere, by its package's dotted name.",
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {
            "type": "string",
            "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$",
        }
    },
}


class _Generator(GenerateJsonSchema):
    """Writes defaults as people write them in the file."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return super().encode_default(dft)


def model_schema(model: type[BaseModel]) -> Schema:
    """One section's schema, without titles, and without null, which the file does not have."""
    return _tidy(model.model_json_schema(schema_generator=_Generator))


def json_schema(kinds: Kinds) -> Schema:
    """The whole file's schema."""
    root, link = model_schema(File), model_schema(Link)
    definitions: Schema = {**root.pop("$defs", {}), **link.pop("$defs", {}), "Link": link}
    branches = []
    for kind in kinds.names():
        prefix = f"{kind}-"
        connection = _prefixed(_with_references(model_schema(kinds.settings_of(kind))), prefix)
        for name, part in connection.pop("$defs", {}).items():
            definitions[prefix + name] = part
        definitions[f"{prefix}connection"] = connection
        branches.append({"$ref": f"#/$defs/{prefix}connection"})
    branches.append(_ELSEWHERE)
    _name(root["properties"]["connections"], {"oneOf": branches})
    _name(root["properties"]["links"], {"$ref": "#/$defs/Link"})
    return {"$schema": DIALECT, "title": "syncd.yaml", **root, "$defs": definitions}


def _name(mapping: Schema, part: Schema) -> None:
    """Say what stands under each name, which pydantic was not told."""
    mapping["patternProperties"] = dict.fromkeys(mapping["patternProperties"], part)
    mapping["additionalProperties"] = False


def keys_at(schema: Schema, path: Path) -> list[str]:
    """The keys that a mapping at `path` may have; empty when it may have any, or none."""
    place = schema
    for part in path:
        place = _inside(schema, place, part)
    return list(_resolved(schema, place).get("properties", {}))


def choices_at(schema: Schema, path: Path) -> list[str]:
    """The values allowed at `path`; empty when they are not listed."""
    place = schema
    for part in path:
        place = _inside(schema, place, part)
    found = _resolved(schema, place)
    return [
        str(choice) for choice in found.get("enum", [found["const"]] if "const" in found else [])
    ]


def _inside(root: Schema, place: Schema, part: str | int) -> Schema:
    place = _resolved(root, place)
    if isinstance(part, int):
        return _schema(place.get("items"))
    return _schema(place.get("properties", {}).get(part, place.get("additionalProperties")))


def _resolved(root: Schema, place: Schema) -> Schema:
    """Follow references and take the mapping of a choice between a mapping and its short form."""
    if "$ref" in place:
        return _resolved(root, root["$defs"][place["$ref"].rpartition("/")[2]])
    for choice in place.get("anyOf", ()):
        if "$ref" in choice or choice.get("type") == "object":
            return _resolved(root, choice)
    return place


def _schema(value: Any) -> Schema:
    return value if isinstance(value, dict) else {}


def _tidy(schema: Schema) -> Schema:
    def tidy(part: Schema) -> Schema:
        if isinstance(part.get("title"), str):
            del part["title"]
        if "default" in part and (part["default"] is None or "$ref" in part):
            del part["default"]
        if part.get("format") == "percentage" and isinstance(part.get("default"), float):
            part["default"] = f"{part['default']:.0%}"
        choices = [choice for choice in part.get("anyOf", ()) if choice != {"type": "null"}]
        if len(choices) == 1:
            del part["anyOf"]
            part = {**choices[0], **part}
        return part

    return _changed(schema, tidy)


def _prefixed(schema: Schema, prefix: str) -> Schema:
    def prefixed(part: Schema) -> Schema:
        if isinstance(part.get("$ref"), str):
            part["$ref"] = part["$ref"].replace("#/$defs/", f"#/$defs/{prefix}")
        return part

    return _changed(schema, prefixed)


def _with_references(schema: Schema) -> Schema:
    """Let a connection's texts be `${...}` whatever they must look like otherwise."""

    def widened(part: Schema) -> Schema:
        if isinstance(part.get("pattern"), str) and _REFERENCE not in part["pattern"]:
            part["pattern"] = f"{part['pattern']}|{_REFERENCE}"
        return part

    return _changed(schema, widened)


def _changed(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A copy with every subschema changed, innermost first."""
    result = dict(schema)
    for keyword in ("properties", "$defs"):
        if keyword in result:
            result[keyword] = {k: _changed(part, change) for k, part in result[keyword].items()}
    for keyword in ("anyOf", "oneOf"):
        if keyword in result:
            result[keyword] = [_changed(part, change) for part in result[keyword]]
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(result.get(keyword), dict):
            result[keyword] = _changed(result[keyword], change)
    return change(result)
