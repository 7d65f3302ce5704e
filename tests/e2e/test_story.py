"""The story, step by step, on the state of both desks: over polls, over bad webhooks, over both.

What must hold after each step is in syncd/cli/demo/chapters.py; the demo plays the same steps.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.cli.demo.chapters import STEPS
from syncd.cli.demo.compare import compare
from syncd.cli.demo.scene import Tempo, set_up
from syncd.cli.demo.story import Play
from tests.e2e.telling import tell, tell_step

LINES = {
    "polling only": Tempo(has_webhooks=False, poll="200ms", time_scale=120),
    # Polls come so seldom that they only fetch what a lost webhook left behind.
    "webhooks, three in ten lost, doubled or late": Tempo(mischief=0.3, poll="4s", time_scale=120),
    "webhooks and polling": Tempo(poll="300ms", time_scale=120),
    "an agent's rights, polling only": Tempo(
        has_webhooks=False, poll="200ms", time_scale=120, feed="sweep"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_the_story_ends_every_step_with_equal_desks(line: str, folder: Path) -> None:
    with set_up(folder, LINES[line]) as scene:
        play = tell(scene.world, seconds=30)
        look = play.look()
        assert look.platform is not None
        assert look.partner is not None
        assert all(row.is_equal for row in compare(look.platform, look.partner, look.agreement))
        assert scene.world.daemon.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "ja"])
def test_notes_are_in_the_language_of_the_link(language: str, folder: Path) -> None:
    tempo = Tempo(language="de" if language == "de" else "ja", time_scale=120)
    with set_up(folder, tempo) as scene:
        play = Play(scene.world)
        for step in STEPS:
            if step.number in {"1", "7"}:
                tell_step(play, step, seconds=30)
        look = play.look()
        assert look.platform is not None
        assert look.partner is not None
        # The English word for it is never written with a capital inside a sentence.
        word = {"de": "Ticket", "ja": "チケット"}[language]
        notes = [*look.platform.notes(), *look.partner.notes()]
        assert [note.text for note in notes if word not in note.text] == []


def test_every_step_of_the_story_is_played_once() -> None:
    numbers = [step.number for step in STEPS]
    assert len(set(numbers)) == len(numbers)
    assert {number.split(",")[0].split()[0] for number in numbers} == {
        str(number) for number in range(1, 11)
    }
