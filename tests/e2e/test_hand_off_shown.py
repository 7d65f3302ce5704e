"""Nobody is told that a ticket was handed over before the platform has taken it."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.scene import Tempo, set_up
from syncd.cli.demo.story import Play, Step
from tests.e2e.telling import tell_step

TEMPO = Tempo(poll="200ms", time_scale=300)
_SECONDS = 30.0
# What a platform that cannot take a write may do instead, for as long as it is asked to.
REFUSALS: dict[str, dict[str, object]] = {
    "does not answer": {"action": "hold_before"},
    "has no quota left": {"action": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "is broken": {"action": "status", "status": 503, "body": "down"},
    "shows a page for people": {"action": "html", "status": 502},
}


def a_step(number: str) -> Step:
    return next(step for step in STEPS if step.number == number)


@pytest.mark.parametrize("how", REFUSALS)
def test_a_hand_off_shows_nowhere_while_the_platform(how: str, folder: Path) -> None:
    with set_up(folder, TEMPO) as scene:
        world = scene.world
        play = Play(world)
        tell_step(play, a_step("1"), seconds=_SECONDS)
        before = play.look()
        assert before.platform is not None
        assert before.partner is not None
        world.platform.arm({"kind": "write", "path": "^/tickets/", "times": None, **REFUSALS[how]})
        step = a_step("7")
        play.begin(step)
        world.rest(4.0)
        look = play.look()
        assert look.platform is not None
        assert look.partner is not None
        assert look.platform.views == before.platform.views
        assert len(look.platform.notes()) == len(before.platform.notes())
        assert look.agreement.ball_tag not in look.partner.tags
        claims = [note.text for note in look.partner.notes() if "with Heroku" in note.text]
        assert claims == []
        world.platform.disarm()
        world.platform.release()
        play.await_step(step, seconds=_SECONDS)
        world.wait_quiet(seconds=0.7)
        assert play.problems(step) == []
