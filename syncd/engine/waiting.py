"""How long a run keeps off a desk after an error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.core.errors import RateLimited, RemoteError
from syncd.core.reaction import Action, Reaction, delay_seconds
from syncd.core.work import Pair

_UNSENT_FILE = timedelta(minutes=1)


@dataclass(slots=True)
class Wait:
    """Until when, and whether the error that asks for it counts as a try of the pair."""

    until: datetime
    counts_as_try: bool


def wait_after(
    error: RemoteError,
    reaction: Reaction,
    pair: Pair,
    paused_until: datetime | None,
    *,
    now: datetime,
) -> Wait:
    """The wait that follows from an error: as the desk asked, else growing with each try."""
    if isinstance(error, RateLimited):
        until = max(error.retry_at, now)
    elif paused_until is not None:
        until = paused_until
    else:
        # Two that failed together, or that write to one ticket, come back at different times.
        spread = ((pair.pair_id + pair.tries) * 2654435761 % 1000) / 1000
        until = now + timedelta(seconds=delay_seconds(pair.tries + 1, spread=spread))
    # A riddle counts even where the connection is to blame: the delay has to grow.
    is_try = reaction.counts_as_try or reaction.action is Action.PARK
    return Wait(until=until, counts_as_try=is_try)


def back_at(waits: Iterable[Wait], file_at: datetime | None, *, now: datetime) -> datetime:
    """When a run comes back: at the end of the first wait, else for the next owed file."""
    moments = [wait.until for wait in waits]
    if not moments and file_at is not None:
        # What is due and could not be sent in this run is not tried again at once.
        moments = [file_at if file_at > now else now + _UNSENT_FILE]
    return min(moments, default=now)
