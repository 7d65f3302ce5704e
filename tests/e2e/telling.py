"""Play the story with an assertion after every step, and once more after a while of quiet."""

from __future__ import annotations

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.story import Play, Step
from syncd.cli.demo.world import World

# A doubled comment comes late, if it comes: as long as a restarted daemon needs to look again.
_QUIET_SECONDS = 0.7


def tell(world: World, *, seconds: float) -> Play:
    """Play all steps; `seconds` is how long each may take. Raises AssertionError, NotReached."""
    play = Play(world)
    for step in STEPS:
        tell_step(play, step, seconds=seconds)
    return play


def tell_step(play: Play, step: Step, *, seconds: float) -> None:
    """Play one step: everything that must follow comes, and nothing else comes after it."""
    play.begin(step)
    play.await_step(step, seconds=seconds)
    play.world.wait_quiet(seconds=_QUIET_SECONDS)
    left = [*play.problems(step), *step.verify(play)]
    assert left == [], f"after step {step.number}"


def in_step(play: Play, what: str, *, seconds: float) -> None:
    """Wait until every promise holds on both desks, and after a while of quiet still does."""

    def problems() -> list[str]:
        look = play.look()
        play.check_promises(look)
        return look.problems

    play.world.wait_until(what, problems, seconds=seconds)
    play.world.wait_quiet(seconds=_QUIET_SECONDS)
    assert problems() == []
