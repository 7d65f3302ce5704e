"""The measures, in the order of the page; each module's `measure` gives one `Measured`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.bench.figure import Measured


class Skipped(Exception):
    """A measure cannot be taken on this machine; the message says why, and its record stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What a measure is given."""

    folder: Path
    #: A short run to see that all works; its figures mean little and are marked.
    is_quick: bool
    #: Tells how far it has got.
    say: Callable[[str], None]

    def times(self, whole: int, quick: int) -> int:
        """How often, in a whole run and in a quick one."""
        return quick if self.is_quick else whole


#: Name on the command line and of the JSON file -> module.
MEASURES: Mapping[str, str] = {
    "requests": "request_count",
    "latency": "latency",
    "throughput": "throughput",
    "plan": "planning",
    "pairs": "many_pairs",
    "store": "store_units",
    "writers": "writers",
    "faults": "faults",
    "feeds": "feeds",
    "catching-up": "catching_up",
    "outage": "outage",
    "backfill": "backfill_cost",
    "request-tracker": "request_tracker",
}


def run(name: str, bench: Bench) -> Measured:
    """Take one measure; modules are imported only when they are asked for. Raises Skipped."""
    measure: Callable[[Bench], Measured] = import_module(f"{__name__}.{MEASURES[name]}").measure
    return measure(bench)
