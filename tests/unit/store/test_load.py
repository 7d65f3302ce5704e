"""Many pairs at once, and one pair with a long thread."""

from __future__ import annotations

import asyncio
from pathlib import Path

from syncd.core.model import Side
from syncd.core.work import Step
from syncd.store import open_store
from tests.contract.store_story import load, take
from tests.support.build import (
    AT,
    PLATFORM,
    a_base,
    a_birth,
    a_comment,
    a_mapping,
    a_ticket,
    a_whole_read,
    an_intent,
)


async def test_two_hundred_steps_at_once_share_commits_and_are_all_durable(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "syncd.db")
    tickets = [f"T{number}" for number in range(200)]
    pairs = await store.record_sightings(
        PLATFORM,
        [a_whole_read(a_ticket(ticket), a_comment("1")) for ticket in tickets],
        side=Side.PLATFORM,
        births=[a_birth(ticket) for ticket in tickets],
        seen_at=AT,
    )
    before = store.commit_count
    await asyncio.gather(
        *(
            take(
                store,
                pair_id,
                Step(base=a_base(a_mapping("1", f"{pair_id}")), intent=an_intent(pair_id=pair_id)),
            )
            for pair_id in pairs
        )
    )
    assert store.commit_count - before < 100
    await store.close()
    store = open_store(tmp_path / "syncd.db")
    for pair_id in pairs:
        run = await load(store, pair_id)
        assert run.base.comments == (a_mapping("1", f"{pair_id}"),)
        assert run.sent == (an_intent(pair_id=pair_id),)
    await store.close()


async def test_slow_commits_are_shared_by_whoever_gathers_meanwhile(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db", is_durable=False, commit_delay_seconds=0.02)
    await asyncio.gather(*(store.mark([], now=AT) for _ in range(100)))
    assert store.commit_count <= 10
    await store.close()


async def test_a_thread_of_five_thousand_comments_is_held_whole(tmp_path: Path) -> None:
    store = open_store(tmp_path / "syncd.db", is_durable=False)
    comments = [a_comment(f"{number}") for number in range(1, 5001)]
    (pair_id,) = await store.record_sightings(
        PLATFORM,
        [a_whole_read(None, *comments)],
        side=Side.PLATFORM,
        births=[a_birth()],
        seen_at=AT,
    )
    mappings = [a_mapping(comment.comment_id, f"c{comment.comment_id}") for comment in comments]
    await take(store, pair_id, Step(base=a_base(*mappings[:2500])))
    run = await load(store, pair_id)
    platform = run.snapshots[Side.PLATFORM]
    assert platform is not None
    assert [comment.html is None for comment in platform.comments] == [True] * 2500 + [False] * 2500
    await take(store, pair_id, Step(base=a_base(*mappings)))
    assert (await load(store, pair_id)).base.comments == tuple(mappings)
    await store.close()
