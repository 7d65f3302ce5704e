"""The checker shares nothing with what it judges, and a failing history is cut to what it takes."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.simulation import checker, ledger
from tests.simulation.people import Writer
from tests.simulation.script import Script
from tests.simulation.shrink import shrunk


def _imports(path: str) -> set[str]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    named = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    named += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    return {name.partition(".")[0] for name in named}


def test_the_checker_and_its_ledger_import_nothing_of_what_they_judge() -> None:
    for module in (checker, ledger):
        assert module.__file__ is not None
        assert not _imports(module.__file__) & {"syncd", "connectors", "config"}


def test_a_failing_script_is_cut_to_the_events_that_it_takes() -> None:
    script = Writer(1, deeds=60).script()
    needed = [script.events[3], script.events[40]]

    def fails(tried: Script) -> bool:
        return all(event in tried.events for event in needed)

    assert list(shrunk(script, fails).events) == needed
