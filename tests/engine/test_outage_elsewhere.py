"""A partner's outage does not slow down another partner, to the second.

The daemon's own workers and pollers run at once, over real connections, in a time that goes on only
when nobody has anything left to do; so the delays are exact, however slow the machine is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox import SandboxTime
from syncd.core.model import Side
from tests.engine import both_desks as harness
from tests.engine.both_desks import VIEWS, BothDesks, both_desks
from tests.engine.wiring import desk_time
from tests.support.clock import FakeClock

BOTH = ("acme", "globex")
#: Pairs of the partner that is away, all with something to say.
WAITING = 12
SECONDS = 120
EVERY = 4.0


@dataclass
class Traffic:
    """Requests and transactions on their way; a desk that lets us wait is not one."""

    count: int = 0

    def counted(self, act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def acting(*args: Any, **named: Any) -> Any:
            self.count += 1
            try:
                return await act(*args, **named)
            finally:
                self.count -= 1

        return acting

    def uncounted(self, act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def acting(*args: Any, **named: Any) -> Any:
            self.count -= 1
            try:
                return await act(*args, **named)
            finally:
                self.count += 1

        return acting

    async def rest(self) -> None:
        """Until everybody sleeps or waits for somebody who does."""
        calm = 0
        while calm < 4:
            await asyncio.sleep(0.0005)
            calm = calm + 1 if self.count <= 0 else 0


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch) -> Traffic:
    made = Traffic()
    monkeypatch.setattr(httpx.AsyncClient, "send", made.counted(httpx.AsyncClient.send))

    def counted_time(clock: FakeClock, hours: float) -> SandboxTime:
        time = desk_time(clock, hours)
        return SandboxTime(now=time.now, sleep=made.uncounted(clock.sleep))

    monkeypatch.setattr(harness, "desk_time", counted_time)
    return made


@dataclass
class Mail:
    """What people said at Globex, and how long each word took to the other desk."""

    desks: BothDesks
    ticket_id: str
    waiting: dict[str, tuple[Side, float]] = field(default_factory=dict)
    seconds: dict[Side, list[float]] = field(default_factory=lambda: {side: [] for side in Side})

    async def say(self, number: int) -> None:
        words = f"Wortmeldung {number:04}"
        if number % 2:
            self.desks.write(self.ticket_id, f"<p>{words}</p>")
        else:
            await self.desks.answer(self.ticket_id, f"<p>{words}</p>", partner="globex")
        to = Side.PARTNER if number % 2 else Side.PLATFORM
        self.waiting[words] = to, self.desks.clock.monotonic()

    def look(self) -> None:
        now = self.desks.clock.monotonic()
        for words, (to, at) in list(self.waiting.items()):
            if to is Side.PARTNER:
                found: list[Any] = self.desks.heard(self.ticket_id, words, "globex")
            else:
                found = self.desks.read(self.ticket_id, words)
            if found:
                self.seconds[to].append(now - at)
                del self.waiting[words]


@contextlib.asynccontextmanager
async def working(desks: BothDesks) -> AsyncIterator[None]:
    """The daemon's workers and pollers run; ended when the block is left."""
    desks.clock.be_manual()
    tasks = [asyncio.create_task(desks.controller.run())]
    tasks += [asyncio.create_task(poller.run()) for poller in desks.pollers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def delays(folder: Path, traffic: Traffic, trouble: dict[str, Any]) -> dict[Side, float]:
    """How long the slowest of a hundred of Globex's words took, by the desk they went to."""
    async with both_desks(folder, partners=BOTH) as desks:
        globex = desks.open_ticket("<p>einer von Globex</p>", view=VIEWS["globex"])
        away = [desks.open_ticket(f"<p>von Acme {n:04}</p>") for n in range(WAITING)]
        await desks.settle()
        store: Any = desks.made.store
        store._writer.submit = traffic.counted(store._writer.submit)
        store._reader.read = traffic.counted(store._reader.read)
        if trouble:
            desks.arm(Side.PARTNER, partner="acme", times=None, **trouble)
        for ticket_id in away:
            desks.write(ticket_id, f"<p>Acme hat zu tun {ticket_id}</p>")
        mail = Mail(desks, globex)
        end = desks.clock.monotonic() + SECONDS
        said, number = desks.clock.monotonic(), 0
        async with working(desks):
            while desks.clock.monotonic() < end or mail.waiting:
                await traffic.rest()
                mail.look()
                if desks.clock.monotonic() >= said and desks.clock.monotonic() < end:
                    number, said = number + 1, said + EVERY
                    await mail.say(number)
                    continue
                wake = desks.clock.next_wake
                assert wake is not None
                until = min(wake, said) if desks.clock.monotonic() < end else wake
                desks.clock.advance(max(0.0, until - desks.clock.monotonic()))
                assert desks.clock.monotonic() < end + 600, mail.waiting
        if trouble:
            assert all(len(desks.heard(t, "Acme hat zu tun")) < 2 for t in away)
        desks.disarm()
        return {side: sorted(found)[-1 - len(found) // 100] for side, found in mail.seconds.items()}


def a_folder(path: Path, name: str) -> Path:
    made = path / name
    made.mkdir()
    return made


async def test_the_other_partners_slowest_words_are_as_quick_as_ever(
    tmp_path: Path, traffic: Traffic
) -> None:
    calm = await delays(a_folder(tmp_path, "calm"), traffic, {})
    troubled = await delays(a_folder(tmp_path, "troubled"), traffic, {"action": "drop_before"})
    for side in Side:
        assert troubled[side] <= calm[side] * 1.1, (calm, troubled)
