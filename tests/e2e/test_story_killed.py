"""The story with a daemon that is killed without warning at every single write, and started again.

Each write to a ticket dies once: before the desk applied it, between applied and answered, or with
the answer on its way or just taken in; on a desk that lets us read our stamps, and on one that does
not. Every step must end as if nothing had happened: nothing lost, nothing doubled.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.cli.demo.processes import Process
from syncd.cli.demo.scene import Tempo, set_up
from tests.e2e.reaper import Moment, Reaper
from tests.e2e.telling import tell

# The story has some thirty writes, fewer where several changes travel together.
_FEWEST_KILLS = 20


@pytest.mark.slow
@pytest.mark.parametrize("stamps", ["stamps readable", "stamps not readable"])
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_daemon_killed_at_every_write_loses_nothing_and_doubles_nothing(
    moment: Moment, stamps: str, folder: Path, forked: Callable[[Path], Process]
) -> None:
    tempo = Tempo(
        time_scale=300,
        poll="100ms",
        # Half of the runs have the webhook of a write arrive before the write's answer.
        has_webhooks=stamps == "stamps readable",
        zendesk={
            "metadata_readable": stamps == "stamps readable",
            "webhook_before_answer": stamps == "stamps readable",
        },
    )
    with set_up(folder, tempo, start=forked) as scene:
        reaper = Reaper(scene.world, moment)
        scene.world.platform.change_settings({"webhooks": {"before_answer": True}})
        scene.world.between = reaper.tick
        reaper.arm()
        tell(scene.world, seconds=60)
        assert reaper.kills.total() >= _FEWEST_KILLS
        assert reaper.unharmed() == []
