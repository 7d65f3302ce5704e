"""Every promise stands in docs/invariants.md beside tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.meta.project import ROOT, file_or_pending

TEST_NAME = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)+)`")
PROMISES = (
    "No leak",
    "No loss",
    "No double",
    "No echo",
    "Quiet",
    "Converges",
    "No silent overwrite",
    "Hand-off once",
    "Prefix-safe",
    "Bounded",
    "Backfill is silent",
    "Nothing secret",
)


def test_every_row_names_tests_that_exist() -> None:
    rows = _rows()
    assert rows, "docs/invariants.md has no table"
    unheld = [row for row in rows if not TEST_NAME.search(row)]
    assert unheld == []
    named = [match for row in rows for match in TEST_NAME.findall(row)]
    assert [file + name for file, name in named if not _exists(file, name)] == []


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_a_row(promise: str) -> None:
    assert any(promise.lower() in row.lower() for row in _rows())


def test_every_promise_has_a_command_that_tries_to_break_it() -> None:
    promised = [row for row in _rows() if re.match(r"\| \d+ \| \*\*", row)]
    assert len(promised) == len(PROMISES)
    for row in promised:
        found = re.search(r"`\.venv/bin/pytest ([^`]+)` \|$", row)
        assert found is not None, row
        paths = [word for word in found[1].split() if word.startswith("tests/")]
        assert paths
        assert [path for path in paths if not (ROOT / path).exists()] == []


def _rows() -> list[str]:
    text = file_or_pending("docs/invariants.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()[2:]]


def _exists(file: str, name: str) -> bool:
    path = ROOT / file
    if not path.exists():
        return False
    scope: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    for part in name.removeprefix("::").split("::"):
        found = [
            node
            for node in ast.iter_child_nodes(scope)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == part
        ]
        # A Hypothesis state machine is collected under a name that is assigned, not defined.
        assigned = any(
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == part for target in node.targets)
            for node in ast.iter_child_nodes(scope)
        )
        if not found and not assigned:
            return False
        scope = found[0] if found else scope
    return True
