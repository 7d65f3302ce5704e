"""After an outage the whole share of a small quota is used, minute by minute, and no more."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from tests.engine.virtual_days import Days, played

#: New tickets that pile up: each costs requests of its own, whatever goes in bulk.
BIRTHS = {20: 30, 700: 290}
PAIRS = 12
OUTAGE_SECONDS = 900
#: A window lasts a minute, told in whole seconds, and its end is waited for a second longer.
LONGEST_WINDOW_SECONDS = 63.0


def windows(moments: list[float]) -> list[tuple[float, int]]:
    """When each of the desk's windows began, and how many requests it had."""
    found: list[tuple[float, int]] = []
    for at in moments:
        if not found or at >= found[-1][0] + 60:
            found.append((at, 0))
        began_at, count = found[-1]
        found[-1] = began_at, count + 1
    return found


@pytest.mark.parametrize(("quota", "share"), [(20, 100), (700, 60)])
def test_the_backlog_takes_the_whole_share_of_every_minute_and_is_never_refused(
    tmp_path: Path, quota: int, share: int
) -> None:
    async def course(days: Days) -> None:
        old = [days.open_ticket("acme", f"alt-{n:03}-") for n in range(PAIRS)]
        await days.until(lambda: all(days.twin("acme", t) for t in old), at_most=1200)
        port = days.ports["acme"]
        days.line.cut.add(port)
        young = [days.open_ticket("acme", f"neu-{n:03}-") for n in range(BIRTHS[quota])]
        for number, ticket_id in enumerate(old):
            days.ask(ticket_id, f"mehr-{number:03}-")
        await asyncio.sleep(OUTAGE_SECONDS)
        days.line.cut.clear()
        before = len(days.answered[port])

        def is_done() -> bool:
            has_old = all(days.heard("acme", t, f"mehr-{n:03}-") for n, t in enumerate(old))
            return has_old and all(days.twin("acme", t) for t in young)

        await days.until(is_done, at_most=7200)

        log = days.answered[port]
        assert 429 not in {status for _, status in log}
        seen = windows([at for at, _ in log[before:]])
        assert len(seen) >= 3
        ours = quota * share // 100
        full = seen[:-1]
        assert all(count >= 0.9 * ours for _, count in full), seen
        assert all(count <= ours for _, count in full), seen
        assert all(b[0] - a[0] <= LONGEST_WINDOW_SECONDS for a, b in pairwise(seen)), seen
        assert all(days.heard("acme", t, f"neu-{n:03}-") == 1 for n, t in enumerate(young))

    played(tmp_path, ["acme"], course, settings={"requests_per_minute": quota}, share=share)
