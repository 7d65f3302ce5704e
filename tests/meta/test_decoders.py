"""Store readers run in threads: what msgspec must learn of a type, it learns at import.

Two threads in which it learns one type at once end the process with a segmentation fault.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.project import ROOT

STORE = sorted((ROOT / "syncd" / "store").glob("*.py"))


def learning_calls(tree: ast.AST) -> Iterator[int]:
    """The lines of functions in which a type is given to msgspec."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    for function in (node for node in ast.walk(tree) if isinstance(node, functions)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            has_type = any(keyword.arg == "type" for keyword in call.keywords)
            if name.startswith("msgspec.") and (has_type or name.endswith(".Decoder")):
                yield call.lineno


@pytest.mark.parametrize("path", STORE, ids=[path.name for path in STORE])
def test_no_thread_of_the_store_has_a_type_learnt(path: Path) -> None:
    assert list(learning_calls(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("D = msgspec.json.Decoder(int).decode", []),
        ("def f(raw):\n    return D(raw)", []),
        ("def f(raw):\n    return msgspec.json.decode(raw, type=int)", [2]),
        ("def f():\n    return msgspec.json.Decoder(int)", [2]),
        ("f = lambda raw: msgspec.convert(raw, type=int)", [1]),
    ],
)
def test_one_that_does_is_seen(text: str, lines: list[int]) -> None:
    assert list(learning_calls(ast.parse(text))) == lines
