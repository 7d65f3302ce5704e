"""The queues that are followed, by RT's numbers, and what they have to have before we write.

Asked once; a queue that is made or mended later is seen at the next start, or at the next check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from connectors.request_tracker import wire
from connectors.request_tracker.client import RequestTrackerClient
from connectors.request_tracker.settings import Settings


class Queues:
    """The followed queues of one RT."""

    def __init__(self, client: RequestTrackerClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._found: Mapping[str, wire.Queue] | None = None
        self._lock = asyncio.Lock()

    async def names(self) -> Mapping[str, str]:
        """The names by RT's numbers, of those that we may see."""
        found = await self._load()
        return {str(queue.id): name for name, queue in found.items()}

    async def lack_stamps(self) -> Sequence[str]:
        """The queues in which our comments could not be found again; asked anew while there are."""
        lacking = self._lacking(await self._load())
        if lacking:
            self._found = None
            lacking = self._lacking(await self._load())
        return lacking

    async def look(self) -> Mapping[str, wire.Queue]:
        """The queues as they are now, by the names under which they are configured."""
        self._found = None
        return await self._load()

    def _lacking(self, found: Mapping[str, wire.Queue]) -> tuple[str, ...]:
        field = self._settings.stamp_field
        return tuple(
            name
            for name, queue in found.items()
            if field not in {one.name for one in queue.transaction_fields}
        )

    async def _load(self) -> Mapping[str, wire.Queue]:
        if self._found is None:
            async with self._lock:
                if self._found is None:
                    found = {}
                    for name in self._settings.followed:
                        queue = await self._client.queue(name)
                        if queue is not None:
                            found[name] = queue
                    self._found = found
        return self._found
