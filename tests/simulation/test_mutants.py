"""The checker can see: each fault planted into the engine is caught within a few histories."""

from __future__ import annotations

import pytest

from tests.simulation.history import play
from tests.simulation.mutants import MUTANTS, Mutant, planted
from tests.simulation.people import Writer

#: Within so many seeds each fault is caught.
MOST_SEEDS = 8


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_fault_is_caught_by_the_promise_that_it_breaks(mutant: Mutant) -> None:
    seen: list[str] = []
    with planted(mutant):
        for seed in range(1, MOST_SEEDS + 1):
            script = Writer(seed, deeds=mutant.deeds, days=0.05, world=mutant.world).script()
            violations = play(script).violations
            if any(violation.promise in mutant.promises for violation in violations):
                return
            seen += map(str, violations)
    pytest.fail(f"not caught within {MOST_SEEDS} seeds; seen: {seen}")
