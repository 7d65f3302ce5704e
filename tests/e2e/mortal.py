"""A daemon that dies of SIGKILL again and again: at commits of its store and at reads of the desks.

Each life ends at one point drawn by a seed: before a commit, after it with nobody told, or with a
read on its way that the desk keeps back. Points within the start are among them.
"""

from __future__ import annotations

import json
import random
from collections import Counter

from syncd.cli.demo.desks import Desk
from syncd.cli.demo.processes import NotStarted
from syncd.cli.demo.world import World
from tests.e2e.nursery import DEATH

_POINTS = ("before_commit", "after_commit", "read")
#: How far a life gets at most: into its start, or some changes further.
_MOST_COMMITS = 14
_MOST_READS = 9
# Beyond this the daemon runs in circles.
_MOST_DEATHS = 300


class Mortal:
    """Sits beside one world; `tick` is called whenever something is waited for."""

    def __init__(self, world: World, *, seed: int) -> None:
        #: By point.
        self.deaths: Counter[str] = Counter()
        self._world = world
        self._random = random.Random(seed)
        self._point = ""

    def begin(self) -> None:
        """Let the daemon that runs die, and each one after it."""
        self._world.daemon.kill()
        self._live()

    def tick(self) -> None:
        """Bury the daemon that has died, and start the next."""
        held = [(desk, each["number"]) for desk in self._desks() for each in desk.held()]
        daemon = self._world.daemon
        if held:
            daemon.kill()
        elif daemon.process.exit_code is None:
            return
        else:
            daemon.stop()
        self._forget_reads()
        for desk, number in held:
            desk.release(number)
        self._died()
        self._live()

    def end(self) -> None:
        """Let the last one live."""
        (self._world.daemon.config.with_name(DEATH)).unlink(missing_ok=True)
        self._forget_reads()
        self._world.daemon.stop()
        self._world.daemon.start()
        self._world.between = lambda: None

    def _live(self) -> None:
        """Start daemons until one lives longer than its start."""
        while True:
            self._choose()
            try:
                self._world.daemon.start()
            except NotStarted:
                assert self._point != "read", "it ended by itself"
                self._died()
            else:
                return

    def _choose(self) -> None:
        self._point = self._random.choice(_POINTS)
        orders = self._world.daemon.config.with_name(DEATH)
        orders.unlink(missing_ok=True)
        if self._point == "read":
            desk = self._random.choice(self._desks())
            skip = self._random.randrange(_MOST_READS)
            desk.arm({"action": "hold_before", "kind": "read", "skip": skip, "times": 1})
        else:
            commit = self._random.randint(1, _MOST_COMMITS)
            orders.write_text(json.dumps({"moment": self._point, "commit": commit}))

    def _died(self) -> None:
        self.deaths[self._point] += 1
        assert self.deaths.total() <= _MOST_DEATHS, f"in circles: {self.deaths}"

    def _forget_reads(self) -> None:
        for desk in self._desks():
            desk.disarm()

    def _desks(self) -> tuple[Desk, Desk]:
        return (self._world.platform, self._world.partner)
