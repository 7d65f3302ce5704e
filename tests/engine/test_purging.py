"""What is over goes, and a ticket that comes back after that is not doubled."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.app import store_path
from syncd.core.model import Side
from syncd.core.work import PairState
from syncd.store.purging import Periods, Purged, purge
from tests.engine.both_desks import CUSTOMER, STAFF, VIEWS, BothDesks, both_desks, both_know
from tests.engine.lineages import a_pair

DAYS = timedelta(days=1)
PERIODS = Periods(ended_pairs=90 * DAYS, journal=30 * DAYS, history=700 * DAYS, trail=700 * DAYS)
SUBJECT = "Betreff des Endes"


def purged(desks: BothDesks, *, is_dry: bool = False, periods: Periods = PERIODS) -> Purged:
    path = store_path(desks.config)
    return purge(path, periods, actor="test", now=desks.clock.now(), is_dry=is_dry)


def move(desks: BothDesks, ticket_id: str, *, away_from: str, into: str) -> None:
    desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=VIEWS[away_from])
    desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS[into])


def bytes_of(desks: BothDesks) -> bytes:
    path = store_path(desks.config)
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


async def an_ended_pair(desks: BothDesks) -> str:
    """A pair with words on both desks that a person ended."""
    ticket_id = await a_pair(desks, "<p>woran es liegt</p>", subject=SUBJECT)
    await desks.answer(ticket_id, "<p>daran</p>", status="pending")
    await desks.settle()
    pair_id = (await desks.pair(ticket_id)).pair_id
    assert await desks.made.store.unlink(pair_id, actor="test", now=desks.clock.now())
    return ticket_id


def counts(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        names = ("ticket", "comment", "person", "operation", "timeline", "pair_ticket",
                 "comment_map")  # fmt: skip
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in names
        }


async def test_of_a_pair_that_ended_long_ago_only_ids_are_left(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        await an_ended_pair(desks)
        before = counts(store_path(desks.config))
        assert purged(desks).counts.get("tickets", 0) == 0, "it is not that long ago"
        desks.clock.advance(89 * 86_400)
        assert purged(desks).counts.get("tickets", 0) == 0
        desks.clock.advance(2 * 86_400)
        dry = purged(desks, is_dry=True)
        assert counts(store_path(desks.config))["ticket"] == before["ticket"]
        done = purged(desks)
        assert (dry.pairs, done.pairs) == (1, 1)
        assert all(done.counts[kind] == count for kind, count in dry.counts.items())
        assert (done.counts["tickets"], done.scrubbed is not None) == (2, True)
        left = counts(store_path(desks.config))
        assert (left["ticket"], left["comment"], left["person"], left["operation"]) == (0, 0, 0, 0)
        for name in ("pair_ticket", "comment_map"):
            assert left[name] == before[name] > 0
        for word in (SUBJECT, CUSTOMER):
            assert word.encode() not in bytes_of(desks)
        assert purged(desks).counts.get("tickets", 0) == 0
        assert next(d.verb for d in await desks.made.store.deeds()) == "purge"


@pytest.mark.parametrize("is_readable", [True, False])
async def test_a_ticket_that_comes_back_after_that_is_not_doubled(
    tmp_path: Path, is_readable: bool
) -> None:
    partners = ("acme", "globex")
    async with both_desks(tmp_path, partners=partners, metadata_readable=is_readable) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>von uns dazu</p>", public=True)
        await desks.settle()
        move(desks, ticket_id, away_from="acme", into="globex")
        await desks.settle()
        # Of the platform's ticket the other partner's pair has need still.
        desks.clock.advance(100 * 86_400)
        done = purged(desks)
        assert (done.counts["tickets"], done.pairs) == (1, 1)
        before = len(desks.twin(ticket_id).comments)
        move(desks, ticket_id, away_from="globex", into="acme")
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        (told,) = desks.twin(ticket_id).comments[before:]
        assert "is with Acme again" in told.body
        assert not told.is_public
        desks.write(ticket_id, "<p>wieder bei euch</p>")
        await desks.answer(ticket_id, "<p>wir sind dran</p>")
        await desks.settle()
        both_know(
            desks, ticket_id, "woran es liegt", "von uns dazu", "wieder bei euch", "wir sind dran"
        )


async def test_of_pairs_that_go_on_the_old_journal_goes_and_what_is_on_its_way_stays(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PARTNER, "drop_after", times=None)
        desks.write(ticket_id, "<p>geht verloren?</p>")
        for _ in range(2):
            await desks.round()
        desks.clock.advance(40 * 86_400)
        done = purged(desks)
        assert done.counts["operations"] > 0
        assert done.counts["transitions"] == 0
        with sqlite3.connect(store_path(desks.config)) as connection:
            states = {state for (state,) in connection.execute("SELECT state FROM operation")}
        assert states == {"sent"}
        desks.disarm()
        await desks.settle()
        assert len(desks.heard(ticket_id, "geht verloren?")) == 1
        periods = Periods(ended_pairs=DAYS, journal=DAYS, history=DAYS, trail=DAYS)
        desks.clock.advance(40 * 86_400)
        assert purged(desks, periods=periods).counts["transitions"] > 0
        desks.write(ticket_id, "<p>es geht weiter</p>")
        await desks.settle()
        assert len(desks.heard(ticket_id, "es geht weiter")) == 1
