"""Nothing from a desk moves a cursor, breaks a document or computes in a spreadsheet."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.cli.plain import csv_cell, json_safe, visible, visible_lines

ANY_TEXT = st.text(st.characters(categories=None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("two\nlines\r\tand a tab", "two\\nlines\\r\\tand a tab"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("turned \u202egpj.exe", "turned \\u202egpj.exe"),
        ("half \ud83d", "half \\ud83d"),
        ("null \x00", "null \\x00"),
        ("再割り当て 👩‍🚒 [bold]", "再割り当て 👩‍🚒 [bold]"),
    ],
)
def test_what_moves_a_cursor_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY_TEXT)
def test_any_text_becomes_one_printable_line(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)
    shown.encode("utf-8")


def test_lines_may_be_kept() -> None:
    assert visible_lines("one\ntwo\x1b") == "one\ntwo\\x1b"


@given(ANY_TEXT)
def test_a_safe_document_says_the_same(text: str) -> None:
    document = json.dumps({"text": text}, ensure_ascii=False, indent=2)
    safe = json_safe(document)
    assert json.loads(safe) == {"text": text}
    assert visible_lines(safe) == safe


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "\r=1"])
def test_a_cell_that_would_compute_does_not(text: str) -> None:
    assert csv_cell(text).startswith("'")


def test_other_cells_stay_as_they_are() -> None:
    assert csv_cell("urgent = yes") == "urgent = yes"
