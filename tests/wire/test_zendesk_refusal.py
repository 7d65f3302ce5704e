"""Zendesk's error bodies: every envelope, and nothing of them but names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.http import Explanation
from connectors.zendesk.refusal import explain
from syncd.core.errors import Refusal


def explained(body: Any) -> Explanation:
    return explain(422, json.dumps(body).encode())


def refused(field: str, *rows: Any) -> Explanation:
    return explained({"error": "RecordInvalid", "details": {field: list(rows)}})


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


# --- what is refused -----------------------------------------------------------------------------


def test_a_required_field_refuses_the_status_and_is_named_by_its_id() -> None:
    rows = [
        {"description": "Root cause: is required", "ticket_field_id": 77, "error": "BlankValue"},
        {"description": "Assignee: is required", "ticket_field_id": 78},
        {"description": "Root cause: is required", "ticket_field_id": "77"},
    ]
    found = refused("base", *rows)
    assert (found.refusal, found.lacks) == (Refusal.STATUS, ("77", "78"))


@pytest.mark.parametrize("number", ["", "../users/1", "７７", None, {"a": 1}])
def test_an_id_that_is_none_is_no_part_of_an_address(number: Any) -> None:
    found = refused("base", {"description": "x: is required", "ticket_field_id": number})
    assert (found.refusal, found.lacks) == (Refusal.STATUS, ())


def test_no_more_than_a_handful_of_fields_are_named() -> None:
    rows = [{"description": "is required", "ticket_field_id": number} for number in range(100)]
    assert len(refused("base", *rows).lacks) == 5


@pytest.mark.parametrize(
    ("field", "said", "refusal", "word"),
    [
        ("status", "Status: nonsense", Refusal.STATUS, "fields"),
        ("custom_status_id", "Custom status: is invalid", Refusal.STATUS, "custom status"),
        ("base", "Assignee: is needed when solving a ticket", Refusal.STATUS, "`assignee`"),
        ("status", "Status: closed prevents ticket update", Refusal.OTHER, "follow-up"),
        ("base", "Comments: at most 5000 comments", Refusal.COMMENT_LIMIT, "5,000"),
        ("requester", "Requester: Mia is suspended.", Refusal.SUSPENDED, "suspension"),
        ("author", "Author: Mia is suspended.", Refusal.SUSPENDED, "suspension"),
        ("tags", "Tags: too many", Refusal.OTHER, ""),
    ],
)
def test_each_refusal_has_its_own_word_and_hint(
    field: str, said: str, refusal: Refusal, word: str
) -> None:
    found = refused(field, {"description": said})
    assert found.refusal is refusal
    assert word in found.hint
    assert "Mia" not in found.hint


def test_a_suspension_is_known_by_its_code_in_any_language() -> None:
    row = {"description": "Anfragender: Mia ist gesperrt.", "error": "UserSuspended"}
    assert refused("requester", row).refusal is Refusal.SUSPENDED
