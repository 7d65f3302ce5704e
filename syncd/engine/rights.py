"""What each connection's credential may not do, said once at the start of the daemon.

Nothing waits for it: a missing right shows again, and names its pair, when it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from syncd.core.errors import RemoteError
from syncd.log import logger
from syncd.ports import PRIORITY, Connector, Priority


async def look_at_rights(connectors: Iterable[Connector]) -> None:
    """Ask every desk once, at the price of repair work, and log what is missing."""
    PRIORITY.set(Priority.REPAIR)
    await asyncio.gather(*map(_look, connectors))


async def _look(connector: Connector) -> None:
    try:
        results = await connector.rights()
    except RemoteError:
        # Whoever polls this desk meets the same trouble, and tells it.
        return
    for result in results:
        if not result.is_ok:
            logger().warning(
                "connection.lacks",
                connection=connector.name,
                check=result.name,
                hint=result.hint,
            )
