"""A crowd of signed webhooks about tickets that nobody here has anything to do with.

As from an account whose other customers write all day: each is genuine, and none is ours.
"""

from __future__ import annotations

import asyncio
import base64
import contextvars
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx

from connectors.platform.sandbox import wire
from tests.simulation.clock import LoopClock, VirtualLoop
from tests.simulation.desks import OWN_PORT, PLATFORM, Desks
from tests.simulation.ledger import WORD
from tests.simulation.network import Network, Wire
from tests.simulation.script import Event
from tests.simulation.strangers import PARTNER_ID, PLATFORM_ID

#: Fewer than the daemon takes in at one time.
_AT_ONCE = 32


class Flood:
    """The crowds of one history."""

    def __init__(
        self, desks: Desks, network: Network, loop: VirtualLoop, on_end: Callable[[], None]
    ) -> None:
        """`on_end` is told when a whole crowd has been."""
        self._desks = desks
        self._network = network
        self._loop = loop
        self._clock = LoopClock(loop)
        self._on_end = on_end
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        #: Those that were taken in.
        self.taken = 0

    def start(self, event: Event) -> bool:
        """Send so many, if the desk has a webhook of syncd's by now."""
        desk: str = event["desk"]
        sign = self._signer(desk)
        if sign is None or not self._desks.platform.platform.register.feed:
            return False
        task = self._loop.create_task(
            self._send(desk, event["count"], sign), context=contextvars.Context()
        )
        self._tasks.add(task)
        return True

    async def end(self) -> None:
        """No more of them; raises what went wrong in making them."""
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _send(
        self, desk: str, count: int, sign: Callable[[bytes], Mapping[str, str]]
    ) -> None:
        way = Wire(self._network)
        for first in range(0, count, _AT_ONCE):
            made = [self._body(desk) for _ in range(min(_AT_ONCE, count - first))]
            bodies = [body for body in made if body is not None]
            await asyncio.gather(*(self._post(way, desk, body, sign(body)) for body in bodies))
        self._on_end()

    async def _post(self, way: Wire, desk: str, body: bytes, headers: Mapping[str, str]) -> None:
        url = f"http://127.0.0.1:{OWN_PORT}/webhooks/{desk}"
        request = httpx.Request("POST", url, content=body, headers=dict(headers))
        try:
            answer = await way.handle_async_request(request)
        except httpx.TransportError:
            # The daemon is dead, or has no time; the desk would come again.
            return
        self.taken += answer.is_success

    def _body(self, desk: str) -> bytes | None:
        """What the desk tells of a stranger's ticket; None where it has none to take after."""
        self._count += 1
        if desk != PLATFORM:
            moved = datetime.fromtimestamp(self._clock.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            ticket_id = PARTNER_ID.format(self._count)
            return json.dumps({"syncd": 1, "ticket_id": ticket_id, "updated_at": moved}).encode()
        register = self._desks.platform.platform.register
        there = (one for one in reversed(register.feed) if one.ticket_id in register.tickets)
        update = next(there, None)
        if update is None:
            return None
        (hook, *_) = self._desks.platform.platform.hooks.webhooks.values()
        shown = wire.change_json(
            update, register.tickets[update.ticket_id], register.tokens[hook.token_id]
        )
        text = json.dumps(shown).replace(update.ticket_id, PLATFORM_ID.format(self._count))
        # Whatever stands in it was said on another ticket.
        change = json.loads(WORD.sub("fremd", text))
        change["ticket"]["views"] = ["of-somebody-else"]
        return json.dumps(change).encode()

    def _signer(self, desk: str) -> Callable[[bytes], Mapping[str, str]] | None:
        if desk == PLATFORM:
            hooks = [*self._desks.platform.platform.hooks.webhooks.values()]
            return (lambda body: self._by_platform(hooks[0].secret, body)) if hooks else None
        theirs = [*self._desks.partners[desk].desk.webhooks._hooks.values()]
        return (lambda body: self._by_zendesk(theirs[0].secret, body)) if theirs else None

    def _by_platform(self, secret: str, body: bytes) -> Mapping[str, str]:
        at = str(int(self._clock.time()))
        digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "platform-webhook-id": str(self._count),
            "platform-webhook-timestamp": at,
            "platform-webhook-signature": f"v1={digest}",
        }

    def _by_zendesk(self, secret: str, body: bytes) -> Mapping[str, str]:
        at = datetime.fromtimestamp(self._clock.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hmac.new(secret.encode(), at.encode() + body, hashlib.sha256).digest()
        return {
            "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
            "x-zendesk-webhook-signature-timestamp": at,
        }
