"""What the desk says about parts of a request that it dropped."""

from __future__ import annotations

import io
import json
from typing import Any

import structlog

from connectors.http import Request
from connectors.zendesk.warnings import WARNING, Warnings
from syncd.core.model import ConnectionName
from syncd.log import configure


def told(*warned: tuple[Request, str]) -> list[dict[str, Any]]:
    """The lines of the log after requests that were answered with these warnings."""
    log = io.StringIO()
    configure(form="json", level="debug", stream=log)
    warnings = Warnings(ConnectionName("acme"))
    try:
        for request, value in warned:
            warnings.heed(request, {WARNING: value})
    finally:
        structlog.reset_defaults()
    return [json.loads(line) for line in log.getvalue().splitlines()]


def a_write(body: bytes = b'{"ticket": {"tags": ["a"], "custom": {"secret_word": 1}}}') -> Request:
    return Request(action="update ticket", method="PUT", template="/tickets/1", body=body)


def test_a_dropped_parameter_is_told_once() -> None:
    (line,) = told(*[(a_write(), "Removed restricted keys [:tags] from parameters")] * 3)
    assert (line["event"], line["level"]) == ("connection.warned", "warning")
    assert (line["connection"], line["action"], line["dropped"]) == (
        "acme",
        "update ticket",
        ["tags"],
    )


def test_each_different_warning_is_told() -> None:
    lines = told((a_write(), "tags"), (a_write(), "custom"), (a_write(), "tags"))
    assert [line["dropped"] for line in lines] == [["tags"], ["custom"]]


def test_no_word_is_told_that_is_no_parameter_of_ours() -> None:
    (line,) = told((a_write(), "my password is hunter2, tags, a"))
    assert line["dropped"] == ["tags"]
    query = Request(action="read", template="/tickets", query=(("include", "hunter2"),))
    (line,) = told((query, "include hunter2"))
    assert line["dropped"] == ["include"]


def test_a_body_that_is_no_json_has_no_parameters() -> None:
    (line,) = told((a_write(b"\xff\xd8 a picture"), "tags"))
    assert line["dropped"] == []


def test_a_desk_with_ever_new_warnings_does_not_fill_the_log() -> None:
    assert len(told(*[(a_write(), f"warning {number}") for number in range(500)])) == 100
