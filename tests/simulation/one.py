"""One history from its integer to its outcome, as a worker process plays it."""

from __future__ import annotations

import signal

from tests.simulation.history import Played, keep_in, play
from tests.simulation.people import Writer
from tests.simulation.report import Outcome
from tests.simulation.script import Script
from tests.simulation.shrink import shrunk


def begin(folder: str) -> None:
    """What a worker process does first; whoever started it ends it, also on an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_in(folder)


def played(seed: int, *, days: float, deeds: int, is_cut: bool) -> Outcome:
    """Play one integer's history; cut it short if it breaks a promise."""
    script = Writer(seed, days=days, deeds=deeds).script()
    done = play(script)
    if not done.violations:
        return outcome_of(seed, done)
    broken = {violation.promise for violation in done.violations}

    def fails(shorter: Script) -> bool:
        return bool(broken & {violation.promise for violation in play(shorter).violations})

    return outcome_of(seed, done, shrunk(script, fails) if is_cut else script)


def outcome_of(seed: int, done: Played, script: Script | None = None) -> Outcome:
    return Outcome(
        seed=seed,
        operations=done.operations,
        writes=done.writes,
        requests=done.requests,
        faults=done.faults,
        kills=done.kills,
        simulated_seconds=done.simulated_seconds,
        violations=done.violations,
        script=script,
    )
