"""Sends one message over one route, by apprise.

apprise blocks, so each message has a thread of its own, which nobody waits for at the end; a
service that hangs costs a few threads and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from pydantic import SecretStr

from config.address import service
from syncd.core.alarm_words import Written

#: A message that has not left by then counts as not sent; it may still arrive, and comes again.
SECONDS = 60.0
#: Threads that a route's hanging service may hold.
_MOST_HANGING = 3


class Posted(StrEnum):
    """What became of a message."""

    SENT = "sent"
    REFUSED = "refused"
    #: No answer in time.
    SILENT = "silent"


class Post:
    """The addresses, by the route's name; never shown."""

    def __init__(self, addresses: Mapping[str, SecretStr], *, seconds: float = SECONDS) -> None:
        self._addresses = addresses
        self._seconds = seconds
        self._hanging: Counter[str] = Counter()

    async def send(self, route: str, message: Written) -> Posted:
        """Send it, at most once; whoever hears nothing of it sends it again. Never raises but when
        cancelled.
        """
        if self._hanging[route] >= _MOST_HANGING:
            return Posted.SILENT
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[bool] = loop.create_future()

        def tell(is_sent: bool) -> None:
            self._hanging[route] -= 1
            if not ended.done():
                ended.set_result(is_sent)

        def work() -> None:
            is_sent = _notify(self._addresses[route], message)
            # The loop may have ended meanwhile; then nobody wants to know.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, is_sent)

        self._hanging[route] += 1
        threading.Thread(target=work, name=f"alarm-{route}", daemon=True).start()
        try:
            async with asyncio.timeout(self._seconds):
                return Posted.SENT if await ended else Posted.REFUSED
        except TimeoutError:
            return Posted.SILENT


def _notify(address: SecretStr, message: Written) -> bool:
    # Another's code, and any service's: whatever it raises, the message was not sent.
    try:
        found = service(address)
        return found is not None and bool(
            found.notify(body=message.body, title=message.title, body_format="text")
        )
    except Exception:  # noqa: BLE001
        return False
