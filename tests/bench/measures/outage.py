"""What an outage of many partners costs the others: how long their words take meanwhile.

In virtual time, so that a figure is the same on any machine; the runs differ in when people write.
"""

from __future__ import annotations

from tests.bench.figure import Against, Figure, Goal, Measured
from tests.bench.measures import Bench
from tests.engine.outage_of_many import (
    BACKLOG,
    HANGING,
    PAIRS,
    PHASE_SECONDS,
    TICKETS,
    WORDS,
    p99s,
)

_GOAL = Goal(text="within 10 %", bound=1.1, is_of_ratio=True)


def measure(bench: Bench) -> Measured:
    """The same words on a calm day and while the others hang and come back."""
    calm: list[tuple[float, float]] = []
    troubled: list[tuple[float, float]] = []
    for seed in range(1, bench.times(3, 1) + 1):
        bench.say(f"run {seed}")
        calm.append(p99s(bench.folder / f"calm-{seed}", is_hanging=False, seed=seed))
        troubled.append(p99s(bench.folder / f"troubled-{seed}", is_hanging=True, seed=seed))
    figures = tuple(
        Figure(
            name=f"p99 of a word {way}, by polling",
            unit="s",
            runs=tuple(run[index] for run in troubled),
            against=Against(name="a calm day", runs=tuple(run[index] for run in calm)),
            goal=_GOAL,
            digits=1,
        )
        for index, way in enumerate(("to the partner", "from the partner"))
    )
    return Measured(
        title="A partner's words while eight others' desks hang",
        figures=figures,
        conditions=(
            f"{len(HANGING)} partners' desks take each request and answer none, while {PAIRS} pairs"
            f" of each want to be written to; after {PHASE_SECONDS / 60:.0f} minutes or more they"
            f" are back, with {BACKLOG} words waiting in each pair. While they hang, and again when"
            f" they are back, {WORDS // 2} words go each way in {TICKETS} tickets of a partner"
            " whose desk is well.",
            "In virtual time, to a tenth of a second: the machine's load has no part in it. The"
            " platform and that partner are looked at every 10 s, and Zendesk withholds its"
            " minute.",
            "The calm day has that partner alone.",
        ),
        raw={"calm": [list(run) for run in calm], "troubled": [list(run) for run in troubled]},
    )
