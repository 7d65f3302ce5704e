"""What each connection's credential may not do, said once at the start, and when it ends.

Nothing waits for it: a missing right shows again, and names its pair, when it is needed.
A credential that ends soon is looked at again each day: it may have been renewed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from syncd.core.errors import RemoteError
from syncd.engine.controller import wait_or_stop
from syncd.engine.health import Health
from syncd.log import logger
from syncd.ports import PRIORITY, CheckResult, Clock, Connector, Priority

_AGAIN_SECONDS = 86_400.0


async def look_at_rights(connectors: Iterable[Connector], health: Health) -> None:
    """Ask every desk once, at the price of repair work, and log what is missing."""
    PRIORITY.set(Priority.REPAIR)
    await asyncio.gather(*(_look(connector, health) for connector in connectors))


async def watch_ends(
    connectors: Iterable[Connector],
    health: Health,
    *,
    clock: Clock,
    ahead: timedelta,
    stopping: asyncio.Event,
) -> None:
    """Until `stopping`: once a day, ask again those whose credential was to end within `ahead`."""
    PRIORITY.set(Priority.REPAIR)
    known = list(connectors)
    while not stopping.is_set():
        await wait_or_stop(clock, stopping, _AGAIN_SECONDS)
        for connector in known:
            ends_at = health.credential_ends.get(connector.name)
            if ends_at is not None and ends_at - clock.now() <= ahead and not stopping.is_set():
                await _rights(connector, health)


async def _look(connector: Connector, health: Health) -> None:
    for result in await _rights(connector, health):
        if not result.is_ok:
            logger().warning(
                "connection.lacks",
                connection=connector.name,
                check=result.name,
                hint=result.hint,
            )


async def _rights(connector: Connector, health: Health) -> Iterable[CheckResult]:
    try:
        results = await connector.rights()
    except RemoteError:
        # Whoever polls this desk meets the same trouble, and tells it.
        return ()
    health.credential_ends[connector.name] = _earliest(results)
    return results


def _earliest(results: Iterable[CheckResult]) -> datetime | None:
    return min((each.ends_at for each in results if each.ends_at is not None), default=None)
