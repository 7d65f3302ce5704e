"""A report in three formats."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest

from syncd.cli.report import Column, Format, Report, Sheet, age, as_csv, as_json, show
from tests.support.build import AT, later

SHEET = Sheet(
    key="pairs",
    title="Pairs",
    columns=(
        Column(key="pair", title="pair", is_number=True),
        Column(key="tags", title="tags"),
        Column(key="seen_at", title="seen", is_age=True),
        Column(key="is_silent", title="silent"),
    ),
    rows=[{"pair": 7, "tags": ["=a", "b"], "seen_at": AT, "is_silent": True, "more": None}],
)
REPORT = Report(sheets=(SHEET,), facts={"link": "acme", "is_dry_run": False}, notes=("Go on.",))


def test_json_has_the_facts_and_every_value_of_a_row() -> None:
    assert json.loads(as_json(REPORT)) == {
        "link": "acme",
        "is_dry_run": False,
        "pairs": [
            {
                "pair": 7,
                "tags": ["=a", "b"],
                "seen_at": "2025-03-01T09:00:00Z",
                "is_silent": True,
                "more": None,
            }
        ],
    }


def test_csv_has_the_columns_with_the_keys_of_json() -> None:
    assert list(csv.reader(io.StringIO(as_csv(SHEET)))) == [
        ["pair", "tags", "seen_at", "is_silent"],
        ["7", "'=a b", "2025-03-01T09:00:00Z", "true"],
    ]


def test_a_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    show(REPORT, Format.TABLE, now=later(3_700))
    printed = capsys.readouterr().out
    assert "link: acme" in printed
    assert "is dry run: no" in printed
    assert "1 h 1 m ago" in printed
    assert printed.endswith("Go on.\n")


def test_a_pipe_gets_long_rows_whole_and_no_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "x" * 500
    sheet = Sheet(key="s", title="", columns=(Column(key="a", title="a"),), rows=[{"a": long}])
    show(Report(sheets=(sheet,)), Format.TABLE, now=AT)
    printed = capsys.readouterr().out
    assert long in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
        (timedelta(seconds=61), "1 m 1 s"),
        (timedelta(), "0 s"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_an_age_is_said_in_two_units(passed: timedelta, said: str) -> None:
    assert age(passed) == said
