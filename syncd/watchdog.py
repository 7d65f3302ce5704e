"""Feeds the supervisor's watchdog while the engine gets on with its work, and only then.

What stands still is said once in the log; ending the process is the supervisor's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from syncd.core.errors import StoreError
from syncd.log import logger
from syncd.ports import Clock
from syncd.supervisor import Supervisor

#: So many signs of life in the time that the watchdog waits for one.
_SIGNS = 4


async def feed(
    supervisor: Supervisor,
    *,
    standstill: Callable[[], str | None],
    turn: Callable[[], Awaitable[None]],
    clock: Clock,
) -> None:
    """Until cancelled; returns at once where nobody watches.

    `standstill` says what does not get on, `turn` returns once the store has taken a write's turn.
    """
    patience = supervisor.watchdog_seconds
    if patience is None:
        return
    is_told = False
    while True:
        reason = standstill() or await _missed_turn(turn, patience / _SIGNS)
        if reason is None:
            supervisor.alive()
        elif not is_told:
            logger().critical("daemon.stuck", reason=reason)
        is_told = reason is not None
        await clock.sleep(patience / _SIGNS)


async def _missed_turn(turn: Callable[[], Awaitable[None]], seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            await turn()
    except (TimeoutError, StoreError):
        return "the store takes no writes"
    return None
