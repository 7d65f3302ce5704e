"""The budget on the Zendesk sandbox over loopback HTTP, beside others who use the account."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from syncd.core.errors import RateLimited
from syncd.core.model import TicketId
from syncd.ports import Read
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk

LIMIT, OTHERS = 40, 16
OURS = LIMIT - OTHERS
# Time is virtual and jumps while a request is on its way: one at a time is what can be counted.
WORKERS = 1


async def read_often(desk: ZendeskDesk, ticket_id: TicketId, count: int) -> int:
    """So many reads by a few workers under a fresh budget; how many were refused."""
    connector = a_connector(desk.address, desk.clock, token=TOKEN, share=OURS / LIMIT)
    left = count
    refused = 0

    async def work() -> None:
        nonlocal left, refused
        while left > 0:
            left -= 1
            try:
                await connector.fetch(ticket_id, Read.FIELDS)
            except RateLimited:
                left += 1
                refused += 1

    try:
        await asyncio.gather(*(work() for _ in range(WORKERS)))
    finally:
        await connector.close()
    return refused


@pytest.mark.parametrize("spelling", ["old", "new"])
async def test_others_within_their_share_leave_us_all_of_ours_and_nothing_is_refused(
    spelling: str,
) -> None:
    async with a_zendesk_desk(
        requests_per_minute=LIMIT, others_per_minute=OTHERS, header_spelling=spelling
    ) as desk:
        ticket_id = await desk.open_ticket()
        desk.clock.advance(61)
        started = desk.clock.monotonic()
        windows = 4
        # What others used of the first window may have been ours, as far as anybody can tell.
        count = OURS - OTHERS + windows * OURS

        assert await read_often(desk, ticket_id, count) == 0

        minutes = (desk.clock.monotonic() - started) / 60
        assert minutes <= windows + windows * 2 / 60, "a whole share in each window"


async def test_others_beyond_their_share_cost_one_refusal_a_window_and_lose_nothing() -> None:
    async with a_zendesk_desk(requests_per_minute=LIMIT) as desk:
        ticket_id = await desk.open_ticket()
        await desk.switch(others_per_minute=LIMIT)
        connector = a_connector(desk.address, desk.clock, token=TOKEN, share=OURS / LIMIT)
        told: list[tuple[float, float]] = []
        done = 0
        while done < OURS:
            try:
                await connector.fetch(ticket_id, Read.FIELDS)
                done += 1
            except RateLimited as error:
                wait = (error.retry_at - desk.clock.now()).total_seconds()
                told.append((desk.clock.monotonic(), wait))
            if len(told) == 3:
                await desk.switch(others_per_minute=OTHERS)
        await connector.close()
        assert len(told) == 3
        for (refused_at, wait), (next_at, _) in itertools.pairwise(told):
            assert next_at >= refused_at + wait > refused_at, "none is sent before its time"
        entries = [e for e in desk.sandbox.log.since(0) if e.template == "/api/v2/tickets/{id}"]
        assert sum(entry.status == 200 for entry in entries) == OURS
        assert sum(entry.status == 429 for entry in entries) == 3
