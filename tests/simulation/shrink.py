"""Cut a failing history down to the events that it takes: delta debugging over its script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.simulation.script import Event, Script

#: Whether a script still fails in the same way.
Fails = Callable[[Script], bool]


def shrunk(script: Script, fails: Fails, *, most_tries: int = 400) -> Script:
    """A script that still fails, and of which no single event could be left out.

    Stops with what it has after so many tries. Nothing is assumed of the events: whether fewer of
    them still fail is always tried.
    """
    events: Sequence[Event] = script.events
    tries = 0
    parts = 2
    while len(events) > 1 and tries < most_tries:
        size = max(1, len(events) // parts)
        for start in range(0, len(events), size):
            rest = [*events[:start], *events[start + size :]]
            tries += 1
            if fails(script.only(rest)):
                events = rest
                parts = max(2, parts - 1)
                break
            if tries >= most_tries:
                break
        else:
            if size == 1:
                break
            parts = min(len(events), parts * 2)
    return script.only(events)
