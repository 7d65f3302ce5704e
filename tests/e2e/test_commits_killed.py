"""The story with a daemon that is killed without warning at commits of its store and at reads.

Beside the writes (test_story_killed.py): before a commit, after it with nobody told, in the middle
of a read that the desk keeps back, in the start and later; drawn by a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.cli.demo.processes import Process
from syncd.cli.demo.scene import Tempo, set_up
from tests.e2e.mortal import Mortal
from tests.e2e.telling import tell

_FEWEST_DEATHS = 25


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_daemon_killed_at_commits_and_reads_loses_nothing_and_doubles_nothing(
    seed: int, folder: Path, forked: Callable[[Path], Process]
) -> None:
    tempo = Tempo(
        time_scale=300,
        poll="100ms",
        has_webhooks=seed % 2 == 1,
        zendesk={"metadata_readable": seed % 2 == 1},
    )
    with set_up(folder, tempo, start=forked) as scene:
        mortal = Mortal(scene.world, seed=seed)
        scene.world.between = mortal.tick
        mortal.begin()
        tell(scene.world, seconds=60)
        mortal.end()
        assert mortal.deaths.total() >= _FEWEST_DEATHS
        assert min(mortal.deaths[p] for p in ("before_commit", "after_commit", "read")) >= 3
