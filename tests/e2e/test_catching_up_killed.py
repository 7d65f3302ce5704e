"""A partner's desk that was away comes back, its backlog goes in bulk, and the daemon is killed
without warning at its bulk update: before, between and after.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from syncd.cli.demo.processes import Process
from syncd.cli.demo.scene import VIEW, Scene, Tempo, set_up
from syncd.cli.demo.snapshot import Snapshot
from tests.e2e.reaper import Moment, Reaper

_CUSTOMER = "Mia Keller"
_MANY = "PUT /api/v2/tickets/update_many"
#: Behind the eight that may have set out by themselves, enough to go together.
_PAIRS = 24
_SECONDS = 60.0
_QUIET_SECONDS = 0.7


class Backlog:
    """Pairs in step, and one more word in each while the partner is away."""

    def __init__(self, scene: Scene) -> None:
        self._world = scene.world
        self._folder = scene.folder
        tickets = [
            self._world.platform.act(
                _CUSTOMER, "open", subject=f"Case {n}", body_html=f"<p>begin-{n}-</p>", view=VIEW
            )
            for n in range(_PAIRS)
        ]
        self._tickets: list[str] = [opened["ticket"]["id"] for opened in tickets]
        self._must("every ticket has its twin", "begin")

    @contextlib.contextmanager
    def piled_up(self) -> Iterator[None]:
        """The daemon has met the outage when everybody writes; it hears of all of it at once."""
        self._world.partner.arm({"action": "status", "status": 503, "times": None, "path": "^/api"})
        self._world.wait_until("the desk counts as down", self._not_down, seconds=_SECONDS)
        with self._world.daemon.paused():
            for number, ticket_id in enumerate(self._tickets):
                comment = {"body_html": f"<p>later-{number}-</p>"}
                self._world.platform.act(_CUSTOMER, "update", ticket_id=ticket_id, comment=comment)
            self._world.partner.disarm()
            yield

    def _not_down(self) -> list[str]:
        log = (self._folder / "daemon.log").read_text("utf-8")
        return [] if '"connection.down"' in log else ["nothing was told"]

    def is_caught_up_with(self) -> None:
        """Every word is on both desks once, and stays so."""
        self._must("every word is at the partner", "later")

    def _must(self, what: str, word: str) -> None:
        self._world.wait_until(what, lambda: self._missing(word), seconds=_SECONDS)
        self._world.wait_quiet(seconds=_QUIET_SECONDS)
        assert self._missing(word) == []

    def _missing(self, word: str) -> list[str]:
        shown: Mapping[str, tuple[Snapshot, ...]] = {
            desk: side.snapshots(side.state())
            for desk, side in (("platform", self._world.platform), ("partner", self._world.partner))
        }
        return [
            f"{word}-{n}- is {count} times at the {desk}"
            for n in range(_PAIRS)
            for desk, tickets in shown.items()
            if (count := sum(ticket.count(f"{word}-{n}-") for ticket in tickets)) != 1
        ]


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_daemon_killed_at_a_bulk_update_says_each_word_once(
    moment: Moment, folder: Path, forked: Callable[[Path], Process]
) -> None:
    tempo = Tempo(time_scale=300, poll="100ms")
    with set_up(folder, tempo, start=forked) as scene:
        backlog = Backlog(scene)
        reaper = Reaper(scene.world, moment, writes=r"^/api/v2/tickets/update_many")
        with backlog.piled_up():
            scene.world.between = reaper.tick
            reaper.arm()
        backlog.is_caught_up_with()
        assert reaper.kills[_MANY] >= 1, reaper.kills
