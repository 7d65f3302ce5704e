"""The page of benchmarks shows the records beside it, and the floors owe syncd nothing."""

from __future__ import annotations

import ast
import math

import pytest

from tests.bench.figure import Against, Figure, Goal, read_records
from tests.bench.measures import MEASURES
from tests.bench.page import written
from tests.meta.project import ROOT, relative

FLOOR = ROOT / "tests" / "bench" / "floor"
RECORDS = ROOT / "docs" / "benchmarks"
PAGE = ROOT / "docs" / "benchmarks.md"
OURS = {"syncd", "connectors", "config"}


def test_the_page_is_what_its_records_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page, read_records(RECORDS)), "run `make bench`"


def test_every_measure_has_a_record_of_a_whole_run() -> None:
    records = read_records(RECORDS)
    assert set(records) == set(MEASURES)
    assert [name for name, record in records.items() if record.is_quick] == []


def test_every_figure_stands_beside_a_floor_or_a_peer_of_the_same_run() -> None:
    lonely = [
        f"{name}: {figure.name}"
        for name, record in read_records(RECORDS).items()
        for figure in record.measured.figures
        if not (figure.runs and figure.against.runs and figure.against.name)
        or not all(map(math.isfinite, (*figure.runs, *figure.against.runs)))
    ]
    assert lonely == []


def test_a_floor_imports_nothing_of_syncd() -> None:
    modules = sorted(FLOOR.glob("*.py"))
    assert modules
    found = [
        f"{relative(path)}: {name}"
        for path in modules
        for name in _imported(path.read_text(encoding="utf-8"))
        if name.split(".")[0] in OURS
        or (name.startswith("tests") and not name.startswith("tests.bench.floor"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (Goal(text="at most 4", bound=4), True),
        (Goal(text="at most 3", bound=3), False),
        (Goal(text="at least 5", bound=5, is_upper=False), False),
        (Goal(text="at least half", bound=0.5, is_upper=False, is_of_ratio=True), True),
        (None, None),
    ],
)
def test_a_goal_is_judged_by_the_median_or_the_ratio(
    goal: Goal | None, *, is_met: bool | None
) -> None:
    figure = Figure(
        name="a change",
        unit="ms",
        runs=(9.0, 4.0, 3.0),
        against=Against(name="floor", runs=(8.0,)),
        goal=goal,
    )
    assert figure.is_met is is_met


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        written("# Benchmarks\n", {})


def _imported(source: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names
