"""Marks that a backfill makes: for itself alone, until anything else happens to the pair."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.core.model import PairId, Side, Sighting
from syncd.core.work import Step
from syncd.ports import Store
from syncd.store import open_store
from tests.contract.store_story import a_pair, a_twinned_pair, load, see, take
from tests.support.build import (
    AT,
    LINK,
    PLATFORM,
    a_birth,
    a_comment,
    a_ticket,
    a_whole_read,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "syncd.db")
    yield opened
    await opened.close()


async def see_quietly(store: Store, sighting: Sighting) -> None:
    """A backfill shows something."""
    await store.record_sightings(
        PLATFORM, [sighting], side=Side.PLATFORM, quiet_link=LINK, seen_at=AT
    )


async def due(store: Store, *, is_quiet: bool) -> list[PairId]:
    return [pair_id for pair_id, _ in await store.load_due(AT, is_quiet=is_quiet)]


def moved(version: int) -> Sighting:
    return a_whole_read(a_ticket(tags=[f"t-{version}"], fields_as_of=version))


async def test_a_silent_birth_waits_for_the_backfill_alone(store: Store) -> None:
    pair_id = await a_pair(store, is_silent=True)
    assert await due(store, is_quiet=False) == []
    assert await due(store, is_quiet=True) == [pair_id]
    assert (await load(store, pair_id)).pair.is_quiet


async def test_anything_else_that_happens_makes_it_everybodys(store: Store) -> None:
    pair_id = await a_pair(store, is_silent=True)
    await see(store, moved(90))
    assert await due(store, is_quiet=False) == [pair_id]
    assert await due(store, is_quiet=True) == []


async def test_a_backfill_takes_nothing_from_the_daemon(store: Store) -> None:
    pair_id = await a_twinned_pair(store)
    await see(store, moved(90))
    await see_quietly(store, moved(91))
    assert await due(store, is_quiet=False) == [pair_id]
    assert not (await load(store, pair_id)).pair.is_quiet


async def test_a_clean_pair_is_marked_for_the_backfill_and_clean_after_its_run(
    store: Store,
) -> None:
    pair_id = await a_twinned_pair(store)
    await see_quietly(store, moved(90))
    await see_quietly(store, moved(91))
    assert await due(store, is_quiet=True) == [pair_id]
    await take(store, pair_id, Step(done_gen=(await load(store, pair_id)).pair.marked_gen))
    assert await due(store, is_quiet=True) == []
    assert not (await load(store, pair_id)).pair.is_quiet


async def test_a_feed_that_tells_of_a_comment_read_before_makes_it_news(store: Store) -> None:
    pair_id = await a_twinned_pair(store)
    said = a_comment("c-late", "<p>late</p>")
    await see_quietly(store, a_whole_read(a_ticket(fields_as_of=90), said))
    assert await due(store, is_quiet=True) == [pair_id]
    told = Sighting(ticket_id=a_ticket().ticket_id, comments=(said,))
    assert await see(store, told) == {pair_id}
    assert await due(store, is_quiet=False) == [pair_id]


async def test_an_ended_pair_that_a_backfill_revives_is_the_backfills(store: Store) -> None:
    pair_id = await a_pair(store)
    await take(store, pair_id, Step(ends_pair=True))
    await store.record_sightings(
        PLATFORM,
        [moved(90)],
        side=Side.PLATFORM,
        births=[a_birth(a_ticket().ticket_id, is_silent=True)],
        quiet_link=LINK,
        seen_at=AT,
    )
    assert await due(store, is_quiet=True) == [pair_id]
    assert await due(store, is_quiet=False) == []
