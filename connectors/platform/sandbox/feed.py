"""`GET /changes`: pages of the feed, and the answer that waits for something to tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from connectors.platform.sandbox import wire
from connectors.platform.sandbox.model import Token
from connectors.platform.sandbox.query import cursor_invalid, cursor_number
from connectors.platform.sandbox.register import Register
from connectors.sandbox import Reply, SandboxTime, json_reply

START = "start"


@dataclass(kw_only=True, slots=True)
class Bell:
    """Wakes whoever waits for a commit."""

    _event: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self) -> None:
        """Wake everybody who waits now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next ring."""
        await self._event.wait()


@dataclass(kw_only=True, slots=True)
class Feed:
    """The feed as tokens read it."""

    register: Register
    time: SandboxTime
    bell: Bell = field(default_factory=Bell)
    # Set while the sandbox stops or starts anew: nobody waits any more.
    is_closing: bool = False

    def position(self, cursor: str | None) -> int:
        """The position a cursor stands for; without one, now. Raises Refusal."""
        end = len(self.register.feed)
        if cursor is None:
            return end
        if cursor == START:
            return 0
        position = cursor_number(cursor)
        if position > end:
            raise cursor_invalid()
        return position

    def answer(self, token: Token, after: int, limit: int, wait_seconds: int) -> Reply:
        """The page behind `after`; an empty one waits, when asked to, and is made anew then."""
        if wait_seconds == 0 or self.is_closing or self._has_news(token, after):
            return self._page(token, after, limit)

        async def later() -> Reply:
            await self._wait(token, after, wait_seconds)
            return self._page(token, after, limit)

        return Reply(status=200, later=later)

    def wake(self) -> None:
        """Let all waiting answers go out as they are."""
        self.bell.ring()

    async def _wait(self, token: Token, after: int, wait_seconds: int) -> None:
        alarm = asyncio.ensure_future(self.time.sleep(self.time.shrunk(wait_seconds)))
        try:
            while not (alarm.done() or self.is_closing or self._has_news(token, after)):
                rung = asyncio.ensure_future(self.bell.wait())
                await asyncio.wait({alarm, rung}, return_when=asyncio.FIRST_COMPLETED)
                rung.cancel()
        finally:
            alarm.cancel()

    def _has_news(self, token: Token, after: int) -> bool:
        return bool(self.register.changes(token, after, 1)[0])

    def _page(self, token: Token, after: int, limit: int) -> Reply:
        updates, reached, has_more = self.register.changes(token, after, limit)
        changes = [
            wire.change_json(update, self.register.tickets[update.ticket_id], token)
            for update in updates
        ]
        body = {"changes": changes, "next_cursor": str(reached), "more": has_more}
        return json_reply(200, body)
