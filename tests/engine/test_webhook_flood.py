"""A hundred thousand webhooks that must be refused, through the real door, in one process.

Counted here, for each kind of desk: what one costs, what the memory keeps, how many lines the log
has, what the store and the queue hold afterwards, and that no desk was asked anything for it. The
bounds are wide: they catch a cost that grows, not a slow machine.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sqlite3
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from syncd.log import configure
from tests.engine.under_attack import Attacked, attacked, attacks, posted

FLOOD = 100_000
REPLAYS = 5_000
#: Of CPU time, on the slowest machine that a test ever ran on.
MOST_SECONDS_EACH = 0.002
#: One that is taken is a transaction of the store's.
MOST_SECONDS_EACH_ACCEPTED = 0.01
MOST_BYTES_KEPT = 200_000

of_each_desk = pytest.mark.parametrize("connection", ["heroku", "acme", "rt"])


def kept(folder: Path) -> Counter[str]:
    """Rows by table."""
    file = sqlite3.connect(folder / "syncd.db")
    names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {
        name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
        for name in names
    }
    file.close()
    return Counter(rows)


@pytest.mark.slow
@of_each_desk
async def test_a_hundred_thousand_refused_webhooks_leave_nothing_but_a_few_lines(
    tmp_path: Path, connection: str
) -> None:
    async with attacked(connection, tmp_path) as desk:
        door, refused = desk.door(), attacks(desk)
        for path, headers, body, status in itertools.islice(refused, 2_000):
            assert await posted(door, path, headers, body) == status
        before, rows, lines = desk.made.health.counts.copy(), kept(tmp_path), len(desk.events())
        waiting, asked = len(desk.made.queue), desk.asked()
        statuses: Counter[int] = Counter()

        gc.collect()
        tracemalloc.start()
        for path, headers, body, _ in itertools.islice(refused, 10_000):
            statuses[await posted(door, path, headers, body)] += 1
        gc.collect()
        bytes_kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        began = time.process_time()
        for path, headers, body, status in itertools.islice(refused, FLOOD - 10_000):
            assert await posted(door, path, headers, body) == status
            statuses[status] += 1
        each = (time.process_time() - began) / (FLOOD - 10_000)

        assert {status: count / FLOOD for status, count in statuses.items()} == {
            401: 0.7,
            422: 0.1,
            413: 0.1,
            404: 0.1,
        }
        counts = desk.made.health.counts
        rejected = counts["webhook.rejected"] - before["webhook.rejected"]
        assert rejected == statuses[401] + statuses[422], "the others were not even read"
        assert counts["webhook.accepted"] == before["webhook.accepted"]
        assert kept(tmp_path) == rows
        assert len(desk.made.queue) == waiting
        assert desk.asked() == asked
        assert len(desk.events()) - lines == 0, "within the minute every cause was told already"
        assert bytes_kept < MOST_BYTES_KEPT, "after ten thousand"
        assert each < MOST_SECONDS_EACH
        print(f"{each * 1e6:.0f} µs each, {bytes_kept} bytes kept after 10,000")  # noqa: T201


@of_each_desk
async def test_an_hour_of_attacks_is_a_line_a_minute_for_each_cause(
    tmp_path: Path, connection: str
) -> None:
    async with attacked(connection, tmp_path) as desk:
        door, lines = desk.door(), len(desk.events())
        for _ in range(60):
            for path, headers, body, _status in itertools.islice(attacks(desk), 60):
                await posted(door, path, headers, body)
            desk.clock.advance(60)
        told = desk.events()[lines:]
        # Unsigned and unclear.
        assert {line["event"] for line in told} == {"webhook.rejected"}
        assert len(told) == 2 * 60


@of_each_desk
async def test_slow_webhooks_are_cut_off_and_leave_room_for_the_desk_s_own(
    tmp_path: Path, connection: str
) -> None:
    async with attacked(connection, tmp_path) as desk:
        door, rows, counts = (
            desk.door(patience_seconds=0.2),
            kept(tmp_path),
            desk.made.health.counts,
        )
        headers, path = desk.signed(desk.genuine), desk.sender.path
        before = counts.copy()
        slow = (posted(door, path, headers, desk.genuine[:8], is_whole=False) for _ in range(100))
        statuses = Counter(await asyncio.gather(*slow))
        assert statuses == {408: 64, 503: 36}
        assert counts == before
        assert kept(tmp_path) == rows
        assert await posted(door, path, headers, desk.genuine) == 202


@pytest.mark.slow
@of_each_desk
async def test_a_replayed_webhook_is_taken_for_no_news_however_often_it_comes(
    tmp_path: Path, connection: str
) -> None:
    """A genuine one, caught on its way and sent again while its signature is fresh."""
    async with attacked(connection, tmp_path) as desk:
        # What is told of each one is for those who look for it.
        configure(form="json", level="info", stream=desk.log)
        door, headers = desk.door(), desk.signed(desk.genuine)

        async def replay(count: int) -> None:
            for _ in range(count):
                assert await posted(door, desk.sender.path, headers, desk.genuine) == 202

        await replay(200)
        rows, lines, asked = kept(tmp_path), len(desk.events()), desk.asked()
        waiting, due = len(desk.made.queue), await _due(desk)
        (pair,) = await desk.made.store.find_pairs()
        gc.collect()
        tracemalloc.start()
        await replay(REPLAYS // 5)
        gc.collect()
        bytes_kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        began = time.process_time()
        await replay(REPLAYS)
        each = (time.process_time() - began) / REPLAYS

        assert kept(tmp_path) == rows
        assert len(desk.events()) == lines
        assert len(desk.made.queue) == waiting
        assert await _due(desk) == due
        assert await desk.made.store.find_pairs() == [pair]
        assert desk.asked() == asked
        assert bytes_kept < MOST_BYTES_KEPT
        assert each < MOST_SECONDS_EACH_ACCEPTED
        print(f"{each * 1e6:.0f} µs each, {bytes_kept} bytes kept after 1,000")  # noqa: T201


async def _due(desk: Attacked) -> list[object]:
    return list(await desk.made.store.load_due(desk.clock.now()))


@of_each_desk
async def test_signed_webhooks_of_millions_of_strangers_tickets_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: str
) -> None:
    """As from an account whose other customers write all day; a thousand stand for them."""
    async with attacked(connection, tmp_path) as desk:
        door, rows, waiting = desk.door(), kept(tmp_path), len(desk.made.queue)
        asked = desk.asked()

        async def flood(numbers: range) -> None:
            for number in numbers:
                body = desk.strange(number)
                assert await posted(door, desk.sender.path, desk.signed(body), body) == 202

        # What is told of each one is for those who look for it.
        configure(form="json", level="info", stream=desk.log)
        # So many are remembered, to tell which changes no webhook announced.
        monkeypatch.setattr("syncd.engine.missed._MOST_REMEMBERED", 200)
        tracemalloc.start()
        await flood(range(300))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await flood(range(300, 1_300))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept(tmp_path) == rows
        assert len(desk.made.queue) == waiting
        assert desk.asked() == asked
        assert after - before < 100_000
