"""Desks whose every link leads to a stranger: no request follows, and the work goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.core.model import Side
from syncd.core.work import PairState
from syncd.engine.backfill import BackfillReport
from tests.engine.backfilling import a_history, backfilled, miss
from tests.engine.both_desks import STAFF, both_desks, both_know
from tests.engine.sending_files import a_file, copies, everything_there, send
from tests.support.file_host import FileHost, a_file_host
from tests.support.misleading import Misleading, serving_misleading


@pytest.fixture
async def stranger() -> AsyncIterator[FileHost]:
    async with a_file_host() as host:
        yield host


@pytest.fixture
def desks_between(stranger: FileHost, monkeypatch: pytest.MonkeyPatch) -> list[Misleading]:
    made: list[Misleading] = []
    monkeypatch.setattr(
        "tests.engine.both_desks.served", serving_misleading(stranger.address, made)
    )
    return made


@pytest.mark.parametrize("feed", ["exports", "sweep"])
async def test_links_to_a_stranger_are_not_followed_by_any_feed_or_write(
    tmp_path: Path, stranger: FileHost, desks_between: list[Misleading], feed: str
) -> None:
    async with both_desks(tmp_path, feed=feed) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt, weiss keiner</p>", tags=["t-a"])
        await desks.settle()
        await desks.answer(ticket_id, "<p>ein Blick ins Protokoll hilft</p>", status="pending")
        desks.write(ticket_id, "<p>das steht alles darin</p>", status="Open")
        await desks.settle()
        desks.write(ticket_id, who=STAFF, status="Closed")
        await desks.settle()

        both_know(desks, ticket_id, "ein Blick ins Protokoll", "das steht alles")
        assert desks.twin(ticket_id).values["status"] == "solved"
        for connector in desks.made.connectors.values():
            await connector.check([link.policy for link in desks.made.links])
            await connector.rights()
    assert stranger.asked == []
    assert all(between.lure_count > 5 for between in desks_between)


async def test_a_file_at_a_stranger_is_not_fetched_and_its_comment_says_so(
    tmp_path: Path, stranger: FileHost, desks_between: list[Misleading]
) -> None:
    stranger.serve("/content_url", 100)
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt, weiss keiner</p>")
        await desks.settle()
        await send(desks, Side.PARTNER, ticket_id, "<p>siehe Anlage hier</p>", a_file())
        await desks.settle()
        assert copies(desks, Side.PARTNER, ticket_id) == []
        assert "spur.log" in everything_there(desks, Side.PARTNER, ticket_id)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
    assert stranger.asked == []
    assert desks_between


async def test_a_bulk_backfill_follows_no_jobs_address(
    tmp_path: Path, stranger: FileHost, desks_between: list[Misleading]
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [a_history(desks) for _ in range(3)]
        await miss(desks)
        report: BackfillReport = await backfilled(desks)
        assert report.born == 3, report
        for ticket_id in tickets:
            assert len(desks.twins(ticket_id)) == 1
    assert stranger.asked == []
    assert desks_between
