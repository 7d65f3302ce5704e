"""What follows from each error: one table, so that policy is read in one place.

The engine obeys; it decides nothing about errors by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from syncd.core import errors


class Action(StrEnum):
    """What to do with a pair after an error."""

    #: Come back after a growing delay.
    BACK_OFF = "back_off"
    #: Come back when the desk said so.
    WAIT = "wait"
    #: Read the ticket again and plan anew, at once.
    REFRESH = "refresh"
    #: Look for the write before anything else is written.
    FIND = "find"
    #: Stop the pair until a person acts.
    PARK = "park"
    #: The connection is at fault: all its pairs wait, none is blamed.
    PAUSE_CONNECTION = "pause_connection"
    #: Another run owns the pair.
    LET_GO = "let_go"
    #: Refuse the sender and count it.
    REFUSE = "refuse"
    #: Tell the person who started us and leave.
    EXIT = "exit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction:
    """The action, and whether it counts as a try of the pair."""

    action: Action
    counts_as_try: bool = False


REACTIONS: dict[type[errors.SyncdError], Reaction] = {
    errors.ConfigError: Reaction(action=Action.EXIT),
    errors.Unreachable: Reaction(action=Action.BACK_OFF, counts_as_try=True),
    # A 429 says nothing about the pair: it is never a failed try.
    errors.RateLimited: Reaction(action=Action.WAIT),
    errors.OutcomeUnknown: Reaction(action=Action.FIND, counts_as_try=True),
    errors.Stale: Reaction(action=Action.REFRESH),
    errors.Rejected: Reaction(action=Action.PARK),
    errors.UploadSpent: Reaction(action=Action.REFRESH),
    errors.Gone: Reaction(action=Action.REFRESH),
    errors.Unauthorised: Reaction(action=Action.PAUSE_CONNECTION),
    errors.Unintelligible: Reaction(action=Action.BACK_OFF, counts_as_try=True),
    errors.Unauthentic: Reaction(action=Action.REFUSE),
    errors.LeaseLost: Reaction(action=Action.LET_GO),
    errors.StoreTooNew: Reaction(action=Action.EXIT),
    errors.StoreOlder: Reaction(action=Action.EXIT),
    errors.StoreUnavailable: Reaction(action=Action.EXIT),
}

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 300.0
#: An unintelligible answer this many times in a row is no passing maintenance page.
_RIDDLES = 5


def react(error: errors.SyncdError, *, tries: int) -> Reaction:
    """The reaction to an error after `tries` earlier ones of the same run of bad luck."""
    if isinstance(error, errors.Unintelligible) and tries + 1 >= _RIDDLES:
        return Reaction(action=Action.PARK)
    return REACTIONS[type(error)]


def delay_seconds(tries: int, *, spread: float) -> float:
    """How long to back off before try number `tries` (from 1): doubling, at most five minutes.

    `spread` in [0, 1) moves pairs apart that failed together; the caller derives it from the pair.
    """
    longest = min(_FIRST_DELAY * 2.0 ** min(tries - 1, 16), _LONGEST_DELAY)
    return float(longest * (0.75 + 0.25 * spread))
