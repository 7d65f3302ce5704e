"""Zendesk's error bodies: every envelope, and nothing of them but names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.zendesk.refusal import explain


def explained(body: Any) -> Any:
    return explain(422, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({"error": "RecordNotFound", "description": "Not found"}, "RecordNotFound", ()),
        ({"error": {"title": "Forbidden", "message": "You may not"}}, "Forbidden", ()),
        ({"error": "Couldn't authenticate you"}, "Couldn't authenticate you", ()),
        ({"errors": [{"code": "X", "title": "t"}]}, None, ()),
        ({"error": {"message": "no title"}}, None, ()),
        ({"error": 7, "details": "text"}, None, ()),
        (
            {"error": "RecordInvalid", "details": {"status": [{"description": "..."}], "base": []}},
            "RecordInvalid",
            ("status", "base"),
        ),
    ],
)
def test_an_error_body_gives_its_code_and_fields(
    body: Any, code: str | None, fields: tuple[str, ...]
) -> None:
    explanation = explained(body)
    assert (explanation.code, explanation.fields) == (code, fields)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"plain text of a 429", b'"text"'])
def test_what_is_no_error_body_explains_nothing(body: bytes) -> None:
    explanation = explain(500, body)
    assert (explanation.code, explanation.fields, explanation.hint) == (None, (), "")


@pytest.mark.parametrize("field", ["status", "base"])
def test_a_closed_ticket_is_told_by_its_words_whatever_the_field(field: str) -> None:
    said = {"description": "Status: closed prevents ticket update"}
    assert "follow-up" in explained({"error": "RecordInvalid", "details": {field: [said]}}).hint


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("Comments: a ticket can have at most 5000 comments", "5,000"),
        ("Assignee: is needed when solving a ticket", "assignee"),
        ("Resolution: is required", "required"),
    ],
)
def test_common_refusals_get_words_of_our_own(said: str, word: str) -> None:
    details = {"base": [{"description": said, "ticket_field_id": 1}]}
    hint = explained({"error": "RecordInvalid", "details": details}).hint
    assert word in hint
    assert said not in hint


def test_known_codes_have_hints_and_unknown_words_have_none() -> None:
    assert "external id" in explained({"error": "IdempotentRequestError"}).hint
    assert explained({"error": "SomethingNew", "details": {"x": ["text"]}}).hint == ""
