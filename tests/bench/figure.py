"""What a measure brings home: figures of several runs, each beside a floor or a peer of that run.

A figure keeps every run; the page shows the median and the range. Nothing here is rounded away in
the JSON, and nothing on the page comes from elsewhere.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Against:
    """The floor or the peer, in the figure's own unit, one value a run."""

    name: str
    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """What was hoped for; recorded, never asserted."""

    text: str
    bound: float
    is_upper: bool = True
    #: Whether the ratio is meant, and not the figure itself.
    is_of_ratio: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One row of the page."""

    name: str
    unit: str
    runs: tuple[float, ...]
    against: Against
    goal: Goal | None = None
    #: More of the same measurement in words, such as how a count is made up.
    detail: str = ""
    digits: int = 1

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def ratio(self) -> float | None:
        """Ours divided by the floor's or peer's; None where that is nothing."""
        return self.median / self.against.median if self.against.median else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without one, or without a ratio to judge by."""
        if self.goal is None:
            return None
        value = self.ratio if self.goal.is_of_ratio else self.median
        if value is None:
            return None
        return value <= self.goal.bound if self.goal.is_upper else value >= self.goal.bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """All figures of one measure, and under which conditions they were taken."""

    title: str
    figures: tuple[Figure, ...]
    conditions: tuple[str, ...] = ()
    #: Samples and counts behind the figures.
    raw: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A measure as it lies in docs/benchmarks/: what, when, where, how long."""

    measure: str
    taken_at: str
    seconds: float
    is_quick: bool
    machine: Json
    measured: Measured


def write_record(folder: Path, record: Record) -> None:
    """Write one JSON file, with a line for each figure and each list of samples."""
    folder.mkdir(parents=True, exist_ok=True)
    text = _written(asdict(record), 0) + "\n"
    (folder / f"{record.measure}.json").write_text(text, encoding="utf-8")


def read_records(folder: Path) -> dict[str, Record]:
    """Every record of the folder by the measure's name. Raises what a wrong file deserves."""
    found = (json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json")))
    return {record["measure"]: _record(record) for record in found}


def _record(value: Json) -> Record:
    shown = value["measured"]
    figures = tuple(_figure(one) for one in shown["figures"])
    conditions = tuple(shown["conditions"])
    return Record(
        **{
            **value,
            "measured": Measured(**{**shown, "figures": figures, "conditions": conditions}),
        }
    )


def _figure(value: Json) -> Figure:
    against = value["against"]
    return Figure(
        **{
            **value,
            "runs": tuple(value["runs"]),
            "against": Against(name=against["name"], runs=tuple(against["runs"])),
            "goal": None if value["goal"] is None else Goal(**value["goal"]),
        }
    )


_DEEPEST = 4


def _written(value: object, depth: int) -> str:
    if isinstance(value, dict) and value and depth < _DEEPEST and not _is_flat(value):
        inner = ",\n".join(
            f"{'  ' * (depth + 1)}{json.dumps(key)}: {_written(one, depth + 1)}"
            for key, one in value.items()
        )
        return "{\n" + inner + "\n" + "  " * depth + "}"
    if isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
        inner = ",\n".join("  " * (depth + 1) + _written(one, depth + 1) for one in value)
        return "[\n" + inner + "\n" + "  " * depth + "]"
    return json.dumps(value, ensure_ascii=False)


def _is_flat(value: Json) -> bool:
    return not any(isinstance(one, dict | list | tuple) for one in value.values())


def rounded(values: Sequence[float], digits: int = 4) -> tuple[float, ...]:
    """The values as they go into a record."""
    return tuple(round(value, digits) for value in values)
