"""Kills the daemon at every write, once, at one moment of it, and starts it again.

The desks hold each write: before anything is applied, or applied with the answer still kept back.
What is held tells the reaper that the daemon is exactly there. The write that follows the death of
its first try is let through, whether it is the same bytes again or a new plan.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Literal

from syncd.cli.demo.desks import Desk
from syncd.cli.demo.snapshot import Json
from syncd.cli.demo.world import World

#: Before the desk applies it; applied and not answered; answered, and a little later.
Moment = Literal["before", "between", "after"]

# Tokens and webhooks are no writes to tickets.
_TICKETS = r"^(/tickets/|/api/v2/tickets|/REST/2.0/ticket/)"
# Which write it is, the path tells of a creation and of the platform's updates; one of these forms
# is any write to the ticket.
_ANY_WRITE = re.compile(
    r"PUT (/api/v2/tickets|/REST/2\.0/ticket)/[0-9]+"
    r"|POST /REST/2\.0/ticket/[0-9]+/(correspond|comment)"
)
# Beyond this the daemon runs in circles.
_MOST_KILLS = 150
# How far a daemon gets with an answer before it dies: into its own transaction, or past it.
_LONGEST_LIFE_SECONDS = 0.012


class Reaper:
    """Sits beside one world; `tick` is called whenever something is waited for."""

    def __init__(
        self, world: World, moment: Moment, *, seed: int = 0, writes: str = _TICKETS
    ) -> None:
        """`writes` is a pattern of the paths at which the daemon dies."""
        self._writes = writes
        #: By method and path.
        self.kills: Counter[str] = Counter()
        self._world = world
        self._moment = moment
        self._random = random.Random(seed)
        self._spared: set[str] = set()

    def arm(self) -> None:
        """Hold every write from now on."""
        action = "hold_before" if self._moment == "before" else "hold_after"
        for desk in self._desks():
            desk.arm({"action": action, "kind": "write", "path": self._writes, "times": None})

    def tick(self) -> None:
        """Deal with what is held now."""
        for desk in self._desks():
            for held in desk.held():
                self._meet(desk, held)

    def spare_none(self) -> None:
        """What is sent from now on is new: all creations have one path, and the next dies too."""
        self._spared.clear()

    def unharmed(self) -> list[str]:
        """Writes that took effect and were answered without a death of the daemon on their way."""
        answered: Counter[str] = Counter()
        for desk in self._desks():
            answered.update(
                _mark(entry)
                for entry in desk.requests_since(0)["requests"]
                if entry["applied"] and entry["write"] and entry["status"] is not None
                if re.search(_TICKETS, entry["path"])
            )
        return [
            f"{count} of {mark}, {self.kills[mark]} killed"
            for mark, count in answered.items()
            if self._deaths(mark) < count
        ]

    def _deaths(self, mark: str) -> float:
        """How many answered writes of that mark the deaths account for."""
        if not _ANY_WRITE.fullmatch(mark):
            # One write, however often it was sent.
            return float("inf") if self.kills[mark] else 0
        return 0 if self._moment == "between" else self.kills[mark]

    def _meet(self, desk: Desk, held: Json) -> None:
        mark = _mark(held)
        is_any = _ANY_WRITE.fullmatch(mark) is not None
        if is_any and self._moment == "between" and not _is_applied(desk, held["number"]):
            # A refusal: killed before it hears of that, the daemon would try the same for ever.
            desk.release(held["number"])
            return
        if mark in self._spared:
            if is_any:
                # The next one is another write.
                self._spared.discard(mark)
            desk.release(held["number"])
            return
        self.kills[mark] += 1
        assert self.kills.total() <= _MOST_KILLS, f"in circles: {self.kills}"
        if not is_any or self._moment == "before":
            self._spared.add(mark)
        self._kill(desk, held["number"])
        self._world.daemon.start()

    def _kill(self, desk: Desk, number: int) -> None:
        daemon = self._world.daemon
        if self._moment == "after" and self.kills.total() % 2:
            # The answer is on its way and nobody has read it.
            daemon.process.pause()
            desk.release(number)
        elif self._moment == "after":
            desk.release(number)
            self._world.rest(self._random.random() * _LONGEST_LIFE_SECONDS)
        daemon.kill()

    def _desks(self) -> tuple[Desk, Desk]:
        return (self._world.platform, self._world.partner)


def _mark(request: Json) -> str:
    return f"{request['method']} {request['path']}"


def _is_applied(desk: Desk, number: int) -> bool:
    (entry, *_) = desk.requests_since(number - 1)["requests"]
    return bool(entry["applied"])
