"""What piled up while a partner's desk was down travels in few requests, each change once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.core.model import LinkName, Side
from syncd.core.work import PairState
from tests.engine.both_desks import VIEWS, both_desks, both_know
from tests.engine.catching_up import (
    DOWN,
    MANY,
    born,
    catch_up,
    hold_all,
    outage,
    rest,
    sent,
    unsent,
    working,
)

COUNT = 160


async def test_after_an_outage_a_change_costs_a_tenth_of_a_write(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, COUNT)
        await outage(desks, tickets)
        await catch_up(desks)
        await rest(desks)
        hold_all(desks, tickets)
        wrote = sent(desks)
        assert wrote[MANY] >= 1
        assert wrote.total() <= COUNT * 0.1
        assert not [entry for entry in desks.desk(Side.PARTNER).log.since(0) if entry.status == 429]


async def test_a_few_changes_go_by_themselves(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        # Behind the first three of them, four would be enough to go together.
        tickets = await born(desks, 6)
        await outage(desks, tickets)
        await catch_up(desks)
        await rest(desks)
        hold_all(desks, tickets)
        assert sent(desks)[MANY] == 0


async def test_another_partners_tickets_go_on_meanwhile(tmp_path: Path) -> None:
    async with both_desks(tmp_path, partners=("acme", "globex")) as desks:
        tickets = await born(desks, COUNT)
        other = await born(desks, 1, partner="globex")
        await outage(desks, tickets)
        desks.write(other[0], "<p>Eil bei Globex</p>")
        desks.clock.advance(70)
        await desks.poll()
        async with working(desks), asyncio.timeout(60):
            while not desks.heard(other[0], "Eil bei Globex", "globex"):
                await asyncio.sleep(0.002)
            assert await unsent(desks)
            while await unsent(desks):
                await desks.poll()
        await rest(desks)
        hold_all(desks, tickets)
        assert sent(desks)[MANY] >= 1


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "truncate", "html"])
async def test_a_lost_answer_doubles_and_loses_nothing(tmp_path: Path, action: str) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, 60)
        await outage(desks, tickets)
        applied: Any = {"is_applied": True} if action == "html" else {}
        desks.arm(Side.PARTNER, action, path="update_many", times=2, **applied)
        await catch_up(desks)
        await rest(desks)
        hold_all(desks, tickets)
        assert sent(desks)[MANY] >= 1


async def test_what_a_killed_job_left_goes_again(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, 60)
        await outage(desks, tickets)
        await desks.switch(job_dies_after_rows=7)
        await catch_up(desks)
        await rest(desks)
        hold_all(desks, tickets)
        assert sent(desks)[MANY] >= 1


async def test_a_row_that_conflicts_is_merged_alone(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, 60)
        await outage(desks, tickets)
        desks.clock.advance(5)
        for ticket_id in tickets[40:50]:
            await desks.answer(ticket_id, "<p>Agentin war schneller</p>")
        desks.clock.advance(5)
        await catch_up(desks)
        await rest(desks)
        hold_all(desks, tickets)
        for ticket_id in tickets[40:50]:
            both_know(desks, ticket_id, "Agentin war schneller")
        assert sent(desks)[MANY] >= 1


async def test_a_private_comment_that_comes_out_public_stops_the_link(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, 60)
        await outage(desks, tickets)
        await desks.switch(bulk_comments_are_public=True)
        await catch_up(desks)
        with contextlib.suppress(AssertionError):
            await desks.settle()
        assert sent(desks)[MANY] >= 1
        assert desks.events("link.leaked")
        assert (await desks.made.store.parked_links())[LinkName(VIEWS["acme"])].reason == "leak"


async def test_a_row_that_is_refused_parks_its_pair_alone(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, 60)
        await outage(desks, tickets)
        people = desks.partners["acme"].desk.account.users
        twins = [desks.twin(ticket_id) for ticket_id in tickets]
        suspended = replace(people[twins[0].values["requester_id"]], id=1, is_suspended=True)
        people[suspended.id] = suspended
        for twin in twins[40:44]:
            twin.values["requester_id"] = suspended.id
        await catch_up(desks)
        await desks.settle()
        parked = [pair for pair in await desks.pairs() if pair.state is PairState.PARKED]
        assert {pair.reason for pair in parked} == {"user_suspended"}
        assert {pair.tickets[Side.PLATFORM] for pair in parked} == set(tickets[40:44])
        assert sent(desks)[MANY] >= 1
        suspended.is_suspended = False
        for ticket_id in tickets[40:44]:
            await desks.retry(ticket_id)
        await rest(desks)
        hold_all(desks, tickets)


async def test_a_desk_that_is_away_again_before_it_has_named_comments_is_not_taken_for_back(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await born(desks, 60)
        await outage(desks, tickets)
        await catch_up(desks)
        assert sent(desks)[MANY] >= 1

        desks.arm(Side.PARTNER, **DOWN)
        desks.write(tickets[0], "<p>noch etwas</p>")
        runs = 0
        for _ in range(6):
            desks.clock.advance(20)
            await desks.poll()
            desks.made.health.take_returned()
            # They look for their comments, and ask nobody for that.
            runs += len(await desks.run_due())
            assert desks.made.health.take_returned() == frozenset()
        assert runs
        desks.disarm()
        await desks.settle()
        hold_all(desks, tickets)
        both_know(desks, tickets[0], "noch etwas")
