"""The schema that editors use: valid itself, and of one mind with the loader."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import yaml

from config.json_schema import json_schema
from connectors import registry
from tests.support.config_files import SMALLEST, problems, with_link

SCHEMA = json_schema(registry)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def is_valid(text: str) -> bool:
    return bool(VALIDATOR.is_valid(yaml.safe_load(text)))


def test_the_schema_is_one_of_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        (SMALLEST, True),
        (with_link("close_guard: false\nhand_off: {confirm_within: 1h30m}"), True),
        (SMALLEST.replace("kind: zendesk", "kind: zendesk, budget: {share: 60%}"), True),
        (SMALLEST.replace("subdomain: acme", "subdomain: '${PLATFORM_TOKEN}'"), True),
        (SMALLEST.replace("version: 1", ""), False),
        (SMALLEST.replace("version: 1", "version: 2"), False),
        (SMALLEST.replace("heroku/acme-db", "{connection: heroku}"), False),
        (SMALLEST.replace("kind: zendesk", "kind: zendsk"), False),
        (SMALLEST.replace("kind: zendesk", "kind: zendesk, subdomian: x"), False),
        (SMALLEST.replace("  acme:", "  Acme:"), False),
        (with_link("hand_off: {confirm_within: 15}"), False),
        (with_link("tags: {share: []}"), False),
        (with_link("group: x"), False),
        (with_link("language: fr"), False),
        (with_link("language:"), False),
    ],
)
def test_the_schema_and_the_loader_agree(text: str, is_good: bool) -> None:
    assert is_valid(text) is is_good
    assert (problems(text) == ()) is is_good


def test_a_kind_from_elsewhere_may_have_any_settings() -> None:
    assert is_valid(SMALLEST.replace("kind: zendesk", "kind: my.package, anything: 1"))


def test_every_key_has_a_description_for_editors() -> None:
    bare = [name for name, part in _properties(SCHEMA) if not _described(part)]
    assert bare == []


def test_no_title_and_no_null_clutters_the_schema() -> None:
    for name, part in _properties(SCHEMA):
        assert "title" not in part, name
        assert {"type": "null"} not in part.get("anyOf", []), name
        assert part.get("default", "") is not None, name


def test_asking_twice_gives_equal_and_separate_schemas() -> None:
    first = json_schema(registry)
    kept = copy.deepcopy(first)
    first["$defs"].clear()
    assert json_schema(registry) == kept


def _described(part: dict[str, Any]) -> bool:
    # The generator leaves out a description that is the section's own.
    target = SCHEMA["$defs"].get(part.get("$ref", "").rpartition("/")[2], {})
    return bool(part.get("description") or target.get("description"))


def _properties(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = list(schema.get("properties", {}).items())
    for name, section in schema.get("$defs", {}).items():
        for choice in [section, *section.get("anyOf", [])]:
            found += [(f"{name}.{key}", part) for key, part in choice.get("properties", {}).items()]
    return found
