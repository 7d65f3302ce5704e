"""A desk that is suddenly empty stops its links before the other desk is told of each ticket.

A database restored empty, an account that was reset, a project that was purged: no feed tells of
it, and every single ticket is really gone. Only the sweep sees it, in the lists that lack them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from syncd.core.mass_change import Drastic, PendingChange
from syncd.core.model import End, Side
from syncd.core.work import PairState
from tests.engine.backfilling import backfilled
from tests.engine.both_desks import LINK, LOOK_SECONDS, STAFF, BothDesks, both_desks
from tests.engine.test_sweep import a_sweep

#: What a link lets pass always, unless its file says otherwise.
LEAST = 10
GUARD = "mass_changes: {least: 3, most: 6, share: 50%}"
SIDES = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)


async def paired(desks: BothDesks, count: int) -> list[str]:
    """So many tickets with their twins, in as few requests as a backfill needs."""
    made = [desks.open_ticket(f"<p>Fall Nummer {n:03}</p>") for n in range(count)]
    report = await backfilled(desks)
    assert report.done == count
    await desks.settle()
    return made


def held_by(desks: BothDesks, side: Side) -> dict[Any, Any]:
    """The tickets of a desk, by id."""
    if side is Side.PLATFORM:
        return desks.platform.platform.register.tickets
    return desks.partners["acme"].desk.account.tickets


def notes(desks: BothDesks, side: Side) -> int:
    """How many tickets of a desk hold the word that the other copy went away."""
    words = ("was deleted at", "is gone")
    if side is Side.PARTNER:
        bodies = [[c.body for c in ticket.comments] for ticket in held_by(desks, side).values()]
    else:
        bodies = [
            [update.comment.body_html for update in ticket.updates if update.comment]
            for ticket in held_by(desks, side).values()
        ]
    return sum(any(word in body for body in said for word in words) for said in bodies)


async def run_due(desks: BothDesks) -> None:
    """Run what is due, however much it is, until nothing is."""
    for _ in range(20):
        due = await desks.made.store.load_due(desks.clock.now())
        if not due:
            return
        for pair_id, _at in due:
            await desks.controller.run_pair(pair_id)
        desks.clock.advance(LOOK_SECONDS)
    raise AssertionError("no rest")


async def sweep(desks: BothDesks) -> None:
    """An hour later: one sweep, and what it brings about."""
    desks.clock.advance(3600)
    await a_sweep(desks).sweep()
    await run_due(desks)


async def pending(desks: BothDesks) -> Sequence[PendingChange]:
    """What `syncd confirm LINK --dry-run` lists."""
    link = desks.made.links.find(LINK)
    assert link is not None
    return await desks.made.store.pending_changes(link.policy, has_views=True)


async def confirm(desks: BothDesks) -> int:
    """A person looks and lets it pass; how many changes that were."""
    shown = await pending(desks)
    store = desks.made.store
    assert await store.confirm_link(LINK, shown, actor="test", now=desks.clock.now())
    return len(shown)


async def assert_stopped(desks: BothDesks, side: Side, count: int) -> None:
    (alarm,) = desks.events("link.stopped")
    assert (alarm["level"], alarm["reason"]) == ("critical", "mass_change")
    shown = await pending(desks)
    assert len({found.pair_id for found in shown}) == len(shown) == count
    assert {(c.change.side, c.change.kind) for c in shown} == {(side, Drastic.DELETED)}
    assert {pair.state for pair in await desks.pairs()} == {PairState.PARKED}


@SIDES
async def test_an_emptied_desk_stops_its_link_within_one_sweep_and_nobody_is_told(
    tmp_path: Path, side: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        await paired(desks, 30)
        held_by(desks, side).clear()
        before = desks.writes()
        await sweep(desks)
        await assert_stopped(desks, side, 30)
        assert desks.writes() == before
        # And nothing more comes of it, however long nobody looks.
        desks.forget_requests()
        await sweep(desks)
        assert desks.requests(side) == []
        await assert_stopped(desks, side, 30)


@pytest.mark.slow
@pytest.mark.parametrize("count", [230, 600])
async def test_many_pairs_are_no_shelter_for_a_wave(tmp_path: Path, count: int) -> None:
    async with both_desks(tmp_path) as desks:
        await paired(desks, count)
        held_by(desks, Side.PARTNER).clear()
        before = desks.writes()
        desks.forget_requests()
        await sweep(desks)
        await assert_stopped(desks, Side.PARTNER, count)
        assert desks.writes() == before
        asked = [template for _, template in desks.requests(Side.PARTNER)]
        assert asked.count("/api/v2/tickets/{id}") <= LEAST + 2
        assert len(asked) <= LEAST + 2 + -(-count // 100)


@pytest.mark.slow
@pytest.mark.parametrize("count", [30, 230])
async def test_a_feed_that_shows_all_as_deleted_stops_the_link_at_once(
    tmp_path: Path, count: int
) -> None:
    async with both_desks(tmp_path) as desks:
        await paired(desks, count)
        for number in list(held_by(desks, Side.PARTNER)):
            deed = {"as": "alice@acme.test", "do": "delete", "ticket_id": number}
            await desks.agent_does("acme", deed)
        desks.clock.advance(LOOK_SECONDS)
        before = desks.writes()
        await desks.poll()
        await run_due(desks)
        await assert_stopped(desks, Side.PARTNER, count)
        assert desks.writes() == before


@SIDES
async def test_a_desk_that_comes_back_before_the_confirmation_was_never_away(
    tmp_path: Path, side: Side
) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        made = await paired(desks, 8)
        kept = dict(held_by(desks, side))
        held_by(desks, side).clear()
        await sweep(desks)
        await assert_stopped(desks, side, 8)
        held_by(desks, side).update(kept)
        before = desks.writes()

        await confirm(desks)
        await run_due(desks)

        assert desks.writes() == before
        assert notes(desks, side.other) == 0
        assert {(await desks.pair(one)).state for one in made} == {PairState.ACTIVE}


@SIDES
async def test_a_confirmed_loss_is_told_once_on_every_ticket_and_asks_no_more(
    tmp_path: Path, side: Side
) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        await paired(desks, 8)
        held_by(desks, side).clear()
        await sweep(desks)
        assert await confirm(desks) == 8
        await run_due(desks)
        await sweep(desks)
        assert notes(desks, side.other) == 8
        assert len(desks.events("link.stopped")) == 1
        assert {p.reason for p in await desks.pairs()} == {f"{side.value}_ticket_gone"}


async def test_a_loss_confirmed_as_gone_may_turn_out_to_be_a_deletion(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        await paired(desks, 8)
        for number in list(held_by(desks, Side.PARTNER)):
            deed = {"as": "alice@acme.test", "do": "delete", "ticket_id": number}
            await desks.agent_does("acme", deed)
        # The sweep is before the feed.
        await sweep(desks)
        assert {c.change.after for c in await pending(desks)} == {End.GONE.value}
        assert await confirm(desks) == 8
        await desks.settle()
        assert len(desks.events("link.stopped")) == 1
        assert notes(desks, Side.PLATFORM) == 8


@SIDES
async def test_a_list_that_lies_about_all_stops_nothing(tmp_path: Path, side: Side) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        made = await paired(desks, 12)
        body: dict[str, list[str]] = {"tickets": []}
        desks.arm(side, "status", status=200, body=body, path="(batch|show_many)", times=None)
        before = desks.writes()
        desks.forget_requests()
        await sweep(desks)
        await sweep(desks)
        assert desks.events("link.stopped") == []
        assert desks.writes() == before
        assert {(await desks.pair(one)).state for one in made} == {PairState.ACTIVE}
        # A few questions each hour, whatever the list lacks.
        assert len(desks.requests(side)) <= 2 * (1 + 8)


async def test_gone_tickets_among_those_a_list_forgot_are_found_and_told(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        made = await paired(desks, 12)
        body: dict[str, list[str]] = {"tickets": []}
        desks.arm(Side.PLATFORM, "status", status=200, body=body, path="batch", times=None)
        for ticket_id in sorted(made)[:2]:
            desks.act(STAFF, "delete", ticket_id=ticket_id)
        await sweep(desks)
        assert desks.events("link.stopped") == []
        states = [(await desks.pair(one)).state for one in sorted(made)]
        assert states == [PairState.PARKED] * 2 + [PairState.ACTIVE] * 10


async def test_a_desk_that_fails_while_it_is_asked_has_lost_nothing(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        made = await paired(desks, 8)
        kept = dict(held_by(desks, Side.PLATFORM))
        held_by(desks, Side.PLATFORM).clear()
        desks.arm(Side.PLATFORM, "status", status=503, times=None, path=r"/tickets/[^/]+$")
        await sweep(desks)
        assert desks.events("link.stopped") == []
        assert {(await desks.pair(one)).state for one in made} == {PairState.ACTIVE}
        assert await pending(desks) == []
        held_by(desks, Side.PLATFORM).update(kept)
        desks.disarm()
        await desks.settle()
        assert {(await desks.pair(one)).state for one in made} == {PairState.ACTIVE}
