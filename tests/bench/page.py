"""The page: the part of docs/benchmarks.md between its two marks, made from the records alone."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.figure import Figure, Record
from tests.bench.measures import MEASURES

BEGIN = "<!-- Written by `make bench` from the JSON beside it; a test compares the two. -->"
END = "<!-- The end of what `make bench` writes. -->"
_HEAD = (
    "| what | median | min … max | goal | held against | its median | ratio |\n"
    "|---|---:|---:|---|---|---:|---:|"
)


def written(page: str, records: Mapping[str, Record]) -> str:
    """The page with its measured part made anew. Raises ValueError when a mark is missing."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the page lacks one of its marks")
    return f"{before}{BEGIN}\n\n{measured(records)}\n\n{END}{after}"


def measured(records: Mapping[str, Record]) -> str:
    """Every record as a section, in the order of the measures."""
    return "\n\n".join(_section(records[name]) for name in MEASURES if name in records)


def _section(record: Record) -> str:
    shown = record.measured
    lines = [f"## {shown.title}", "", _HEAD, *(_row(figure) for figure in shown.figures), ""]
    lines += [f"- {condition}" for condition in shown.conditions]
    lines += [f"- {_surroundings(record)}"]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    name = f"{figure.name} ({figure.detail})" if figure.detail else figure.name
    spread = f"{_number(figure, min(figure.runs))} … {_number(figure, max(figure.runs))}"
    ratio = "–" if figure.ratio is None else f"{figure.ratio:.2f}"
    cells = (
        name,
        f"{_number(figure, figure.median)} {figure.unit}",
        spread,
        _goal(figure),
        figure.against.name,
        _number(figure, figure.against.median),
        ratio,
    )
    return f"| {' | '.join(cells)} |"


def _number(figure: Figure, value: float) -> str:
    return f"{value:,.{figure.digits}f}"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{figure.goal.text}: {'met' if figure.is_met else '**not met**'}"


def _surroundings(record: Record) -> str:
    machine = dict(record.machine)
    versions = ", ".join(f"{name} {machine[name]}" for name in list(machine)[6:-1])
    quick = " A quick run: its figures mean little." if record.is_quick else ""
    return (
        f"[{record.measure}.json](benchmarks/{record.measure}.json): {record.taken_at},"
        f" {record.seconds:.0f} s, on {machine['cores']} cores of {machine['processor']} with"
        f" {machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']},"
        f" SQLite {machine['sqlite']}, {versions};"
        f" load {machine['load_before']} before it began.{quick}"
    )
