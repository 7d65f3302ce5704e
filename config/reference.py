"""The reference part of docs/configuration.md, written from the schema: it cannot grow old."""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.alarms import AlarmRoute
from config.json_schema import Schema, model_schema
from config.kinds import Kinds
from config.schema import File, Link
from syncd.settings import ConnectionSettings

BEGIN = "<!-- reference: written by `config.reference`, do not edit below -->"
END = "<!-- end of the reference -->"

_FORMATS = {
    "duration-with-unit": "duration",
    "size-with-unit": "size",
    "percentage": "percentage",
    "password": "secret",
}
_TYPES = {"string": "text", "boolean": "`true` or `false`", "integer": "whole number"}


def render(kinds: Kinds) -> str:
    """Everything between the markers, in Markdown."""
    sections = ["### The file", *_table(model_schema(File))]
    sections += ["### Every connection", *_table(model_schema(ConnectionSettings))]
    general = set(ConnectionSettings.model_fields) - {"kind"}
    for kind in kinds.names():
        schema = model_schema(kinds.settings_of(kind))
        sections += [f"### Connections of kind `{kind}`", schema["description"], ""]
        sections += _table(schema, without=general)
    sections += ["### A link", *_table(model_schema(Link))]
    sections += ["### A route of the alarms", *_table(model_schema(AlarmRoute))]
    text = "\n".join(["", *sections])
    return re.sub(r"\n(###[^\n]*)\n", r"\n\1\n\n", text).strip() + "\n"


def inserted(page: str, kinds: Kinds) -> str:
    """A page with the text between its markers brought up to date."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render(kinds)}\n{END}{after}"


def _table(schema: Schema, *, without: frozenset[str] | set[str] = frozenset()) -> list[str]:
    head = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    rows = [
        f"| `{key}` | {_value(part)} | {default} | {_cell(part.get('description', ''))} |"
        for key, part, default in _keys(schema, schema, "", True)
        if key not in without and key.partition(".")[0] not in without
    ]
    return [*head, *rows, ""]


def _keys(
    root: Schema, section: Schema, prefix: str, is_needed: bool
) -> Iterator[tuple[str, Schema, str]]:
    required = section.get("required", ())
    for name, part in section.get("properties", {}).items():
        whole = _whole(root, part)
        if "properties" in whole:
            yield from _keys(root, whole, f"{prefix}{name}.", is_needed and name in required)
        elif name in required:
            yield f"{prefix}{name}", whole, "needed" if is_needed else f"needed in `{prefix[:-1]}`"
        else:
            yield f"{prefix}{name}", whole, _default(part)


def _whole(root: Schema, part: Schema) -> Schema:
    if "$ref" in part:
        found = root["$defs"][part["$ref"].rpartition("/")[2]]
        part = {**found, **{key: value for key, value in part.items() if key != "$ref"}}
    for choice in part.get("anyOf", ()):
        if "properties" in choice:
            return {**choice, **{key: value for key, value in part.items() if key != "anyOf"}}
    return part


def _default(part: Schema) -> str:
    if "default" not in part:
        return ""
    return _cell(f"`{_as_yaml(part['default'])}`")


def _as_yaml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_yaml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_yaml(each)}" for key, each in value.items()) + "}"
    return str(value)


def _value(part: Schema) -> str:
    choices = part.get("enum", [part["const"]] if "const" in part else [])
    if choices:
        return ", ".join(f"`{_as_yaml(choice)}`" for choice in choices)
    if part.get("format") in _FORMATS:
        return _FORMATS[part["format"]]
    if part.get("type") == "array":
        return f"list of {_value(part['items'])}"
    if part.get("type") == "object":
        inner = part.get("additionalProperties")
        named = (inner, *part.get("patternProperties", {}).values())
        if any("$ref" in each for each in named if isinstance(each, dict)):
            return "mapping by name"
        return f"mapping to {_value(inner)}" if isinstance(inner, dict) else "mapping by name"
    name = _TYPES.get(part.get("type", ""), "text")
    if "minimum" in part and "maximum" in part:
        return f"{name}, {part['minimum']} to {part['maximum']}"
    return name


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
