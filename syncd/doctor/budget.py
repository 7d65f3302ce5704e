"""What is left of each quota, and whether a desk had to refuse us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncd.doctor.diagnosis import Check, Diagnosis, ill, well

_LOW = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetFacts:
    """One bucket of a connection's account."""

    connection: str
    bucket: str
    limit: int
    #: Of it, what syncd may use.
    ours: int
    #: For all, in this window; None while the desk has not said.
    left: int | None
    paused_seconds: float = 0.0
    #: How often the desk refused the running daemon since its start.
    refused_count: int = 0


def judge_budgets(budgets: Sequence[BudgetFacts]) -> Iterator[Diagnosis]:
    """A line for each bucket that the desk has spoken of, or refused us for."""
    for one in budgets:
        yield from _judged(one)


def _judged(one: BudgetFacts) -> Iterator[Diagnosis]:
    name = one.connection
    figures = f"{one.bucket}: {one.left} of {one.limit} left for all, {one.ours} are ours"
    if one.paused_seconds > 0:
        message = f"{one.bucket}: the desk has us wait {one.paused_seconds:.0f} s"
        yield ill("budget.spent", Check.BUDGET, message, connection=name)
    elif one.left is not None and one.left <= 0:
        yield ill("budget.spent", Check.BUDGET, figures, connection=name)
    elif one.left is not None and one.left < one.limit * _LOW:
        yield ill("budget.low", Check.BUDGET, figures, connection=name)
    elif one.left is not None:
        yield well(Check.BUDGET, figures, connection=name)
    if one.refused_count:
        message = f"{one.bucket}: {one.refused_count} times since the daemon's start"
        yield ill("budget.refused", Check.BUDGET, message, connection=name)
