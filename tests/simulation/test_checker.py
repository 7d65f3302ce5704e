"""The checker shares nothing with what it judges, and a failing history is cut to what it takes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.simulation import bounds, checker, ledger, silence, statuses
from tests.simulation.history import play
from tests.simulation.mutants import MUTANTS, planted
from tests.simulation.people import Writer
from tests.simulation.script import Script, read_script
from tests.simulation.shrink import shrunk


def _imports(path: str) -> set[str]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    named = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    named += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    return {name.partition(".")[0] for name in named}


def test_the_checker_and_its_ledger_import_nothing_of_what_they_judge() -> None:
    for module in (bounds, checker, ledger, silence, statuses):
        assert module.__file__ is not None
        assert not _imports(module.__file__) & {"syncd", "connectors", "config"}


@pytest.mark.slow
def test_a_real_failure_is_cut_short_and_plays_again_from_its_file(tmp_path: Path) -> None:
    (mutant,) = [one for one in MUTANTS if one.name == "private copies are public"]

    def fails(tried: Script) -> bool:
        return any(violation.promise == 1 for violation in play(tried).violations)

    with planted(mutant):
        script = Writer(2, deeds=10, days=0.01).script()
        assert fails(script)
        short = shrunk(script, fails, most_tries=40)
        assert len(short.events) < len(script.events) / 2
        short.write(tmp_path / "short.jsonl")
        assert fails(read_script(tmp_path / "short.jsonl"))
    assert not fails(short)


def test_a_failing_script_is_cut_to_the_events_that_it_takes() -> None:
    script = Writer(1, deeds=60).script()
    needed = [script.events[3], script.events[40]]

    def fails(tried: Script) -> bool:
        return all(event in tried.events for event in needed)

    assert list(shrunk(script, fails).events) == needed
