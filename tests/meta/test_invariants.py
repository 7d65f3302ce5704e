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
#: Of the list of how others fail.
_FAILURES = 20


def test_every_section_names_tests_that_exist() -> None:
    sections = _sections()
    assert [name for name, text in sections.items() if not TEST_NAME.search(text)] == []
    named = [match for text in sections.values() for match in TEST_NAME.findall(text)]
    assert [file + name for file, name in named if not _exists(file, name)] == []


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_has_a_section_and_a_command_that_tries_to_break_it(promise: str) -> None:
    number = PROMISES.index(promise) + 1
    (text,) = [
        text for name, text in _sections().items() if name.startswith(f"{number}. {promise}")
    ]
    assert "\nTo break it: " in text
    (command,) = re.findall(r"^\.venv/bin/pytest (.+)$", text, re.MULTILINE)
    paths = [word for word in command.split() if word.startswith("tests/")]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_failure_of_others_has_a_section() -> None:
    numbers = [name.partition(".")[0] for name in _sections(level="###")]
    assert numbers == [str(number + 1) for number in range(_FAILURES)]


def _sections(level: str = "###?") -> dict[str, str]:
    """What stands under each numbered heading, by the heading."""
    text = file_or_pending("docs/invariants.md").read_text(encoding="utf-8")
    parts = re.split(r"^(#+ .+)$", text, flags=re.MULTILINE)[1:]
    headings = [re.fullmatch(rf"{level} (\d+\. .+)", heading) for heading in parts[::2]]
    found = {h[1]: body for h, body in zip(headings, parts[1::2], strict=True) if h is not None}
    assert found, "docs/invariants.md has no numbered sections"
    return found


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
