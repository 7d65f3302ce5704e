"""Adds up what many histories showed, for a person's eyes or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulation.checker import Violation
from tests.simulation.script import Script


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one history, small enough to pass between processes."""

    seed: int
    operations: int
    writes: int
    requests: int
    faults: Counter[str]
    kills: Counter[str]
    simulated_seconds: float
    violations: list[Violation]
    #: As short as it gets, where there were violations.
    script: Script | None = None


@dataclass(kw_only=True)
class Sum:
    """All histories of one run."""

    histories: int = 0
    operations: int = 0
    writes: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    simulated_seconds: float = 0.0
    violations: list[tuple[int, Violation]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.histories += 1
        self.operations += outcome.operations
        self.writes += outcome.writes
        self.requests += outcome.requests
        self.faults += outcome.faults
        self.kills += outcome.kills
        self.simulated_seconds += outcome.simulated_seconds
        self.violations += [(outcome.seed, one) for one in outcome.violations]

    def rows(self, seconds: float) -> dict[str, object]:
        """What there is to say, in its order."""
        return {
            "histories": self.histories,
            "operations": self.operations,
            "of them by syncd": self.writes,
            "requests": self.requests,
            "simulated days": round(self.simulated_seconds / 86_400, 1),
            "kills": dict(sorted(self.kills.items())),
            "faults": dict(sorted(self.faults.items())),
            "violations": [f"seed {seed}: {violation}" for seed, violation in self.violations],
            "seconds": round(seconds, 1),
            "operations a second": round(self.operations / seconds, 1) if seconds else 0.0,
        }


def as_json(rows: Mapping[str, object]) -> str:
    """One object; its names have no blanks."""
    return json.dumps({name.replace(" ", "_"): value for name, value in rows.items()}, indent=2)


def as_table(rows: Mapping[str, object]) -> str:
    """A line each, and one for each violation."""
    lines = []
    for name, value in rows.items():
        if isinstance(value, dict):
            kinds = ", ".join(f"{kind} {count}" for kind, count in value.items())
            shown = f"{sum(value.values()):,}  {kinds}"
        elif isinstance(value, list):
            shown = "\n".join([str(len(value)), *(f"  {one}" for one in value)])
        else:
            shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        lines.append(f"{name:<22}{shown}")
    return "\n".join(lines)
