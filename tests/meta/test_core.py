"""The core is values and functions: the standard library without its clocks, and nothing else."""

from __future__ import annotations

import ast
import sys

from tests.meta.project import ROOT, relative

CORE = sorted((ROOT / "syncd" / "core").rglob("*.py"))
CLOCKS = {"now", "today", "utcnow", "uuid1", "uuid4", "getrandbits", "urandom"}


def test_the_core_imports_only_itself_and_the_standard_library() -> None:
    foreign = []
    for path in CORE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported: list[str] = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or "."]
            foreign += [f"{relative(path)}: {name}" for name in imported if not _is_own(name)]
    assert foreign == []


def test_the_core_asks_no_clock_and_throws_no_dice() -> None:
    asked = [
        f"{relative(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in CORE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]
    assert asked == []


def _is_own(name: str) -> bool:
    package, _, _ = name.partition(".")
    return package in sys.stdlib_module_names or f"{name}.".startswith("syncd.core.")
