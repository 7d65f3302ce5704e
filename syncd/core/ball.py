"""Who must act next on a pair."""

from __future__ import annotations

from syncd.core.agreed import Base, HandOffState
from syncd.core.model import Ball, Status


def ball_of(base: Base) -> Ball:
    """The ball follows from the hand-off first and the agreed status second.

    An offered hand-off leaves it with the partner: nobody may believe it gone before the platform
    confirmed.
    """
    if base.hand_off.state in (HandOffState.HANDED, HandOffState.WITHDRAWN):
        return Ball.PLATFORM
    if base.hand_off.state is HandOffState.ENDED:
        return Ball.NOBODY
    agreed = base.status.agreed if base.status else Status.OPEN
    return {
        Status.OPEN: Ball.PARTNER,
        Status.WITH_CUSTOMER: Ball.CUSTOMER,
        Status.CLOSED: Ball.NOBODY,
    }[agreed]
