"""Every decision record has its number, its four parts and its line in the index."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.meta.project import ROOT

FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
PARTS = ("Status", "Context", "Decision", "Consequences")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_is_linked_from_the_index(record: Path) -> None:
    assert f"]({record.name})" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_has_its_four_parts_in_order(record: Path) -> None:
    headings = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(headings) == PARTS


def test_each_number_is_given_once_to_a_file_named_after_its_title() -> None:
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", record.name) for record in RECORDS)
    numbers = Counter(record.name[:4] for record in RECORDS)
    assert [number for number, count in numbers.items() if count > 1] == []
