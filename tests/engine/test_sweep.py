"""The sweep over real desks: it brings what no feed brought, and touches nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.core.model import ConnectionName, Side
from syncd.core.work import CursorMove, PairState
from syncd.engine.health import ConnectionState
from syncd.engine.sweep import Sweep
from tests.engine.both_desks import HEROKU, LOOK_SECONDS, STAFF, BothDesks, both_desks, both_know

ACME = ConnectionName("acme")


def a_sweep(desks: BothDesks) -> Sweep:
    made = desks.made
    return Sweep(
        links=made.links,
        every_seconds=3600,
        store=made.store,
        intake=made.intake,
        clock=made.clock,
        health=made.health,
    )


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


async def skip_the_feeds(desks: BothDesks) -> None:
    """Both cursors jump over what just happened, as if it had been lost."""
    desks.clock.advance(LOOK_SECONDS)
    for name, connector in desks.made.links.connectors().items():
        page = await connector.read_changes(None)
        move = CursorMove(feed="changes", cursor=page.cursor)
        await desks.made.intake.take(name, (), cursor=move)


async def test_equal_desks_are_left_alone_at_a_request_for_each_hundred(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(4):
            await a_pair(desks)
        desks.clock.advance(LOOK_SECONDS)
        desks.forget_requests()
        assert await a_sweep(desks).sweep() == 0
        assert await desks.run_due() == []
        assert desks.requests(Side.PLATFORM) == [("GET", "/tickets:batch")]
        assert desks.requests(Side.PARTNER) == [("GET", "/api/v2/tickets/show_many")]
        assert desks.events("sweep.repaired") == []


async def test_what_every_feed_lost_is_brought_and_counted(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        asked, answered, untouched = await a_pair(desks), await a_pair(desks), await a_pair(desks)
        desks.write(asked, "<p>noch eine Frage</p>", who=STAFF, status="With customer")
        await desks.answer(answered, "<p>eine gute Antwort</p>", status="solved")
        await skip_the_feeds(desks)
        assert await desks.poll() == 0
        assert await a_sweep(desks).sweep() == 2
        await desks.run_due()
        both_know(desks, asked, "noch eine Frage")
        both_know(desks, answered, "eine gute Antwort")
        assert desks.twin(asked).status == "pending"
        # An answer that closes is guarded, whoever brings it.
        assert desks.ticket(answered).status == "With customer"
        assert [event["pairs"] for event in desks.events("sweep.repaired")] == [2]
        assert len(desks.twin(untouched).comments) == 2


@pytest.mark.parametrize("side", list(Side))
async def test_a_desk_that_is_down_or_answers_nothing_harms_no_pair(
    tmp_path: Path, side: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        body: dict[str, list[str]] = {"tickets": []}
        desks.arm(side, "status", status=200, body=body, path="(batch|show_many)")
        assert await a_sweep(desks).sweep() == 0
        desks.arm(side, "status", status=503, times=3, path="(batch|show_many)")
        assert await a_sweep(desks).sweep() == 0
        name = HEROKU if side is Side.PLATFORM else ACME
        assert desks.made.health.state(name) is ConnectionState.DOWN
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        assert desks.made.health.state(name) is ConnectionState.UP


async def test_what_rests_is_not_asked_for(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ended, parked, alive = await a_pair(desks), await a_pair(desks), await a_pair(desks)
        desks.act(STAFF, "escalate", ticket_id=ended, view="globex-search")
        number = desks.twin(parked).id
        deed = {"as": "alice@acme.test", "do": "delete", "ticket_id": number}
        await desks.agent_does("acme", deed)
        await desks.settle()
        assert (await desks.pair(parked)).state is PairState.PARKED
        desks.forget_requests()
        await a_sweep(desks).sweep()
        (asked,) = [e for e in desks.desk(Side.PARTNER).log.since(0) if "show_many" in e.path]
        assert asked.is_applied
        assert await desks.made.store.load_due(desks.clock.now()) == []
        assert (await desks.pair(alive)).state is PairState.ACTIVE


async def test_a_ticket_that_a_list_lacks_is_asked_for_and_parks_if_it_is_gone(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        deleted, alive = await a_pair(desks), await a_pair(desks)
        desks.act(STAFF, "delete", ticket_id=deleted)
        desks.clock.advance(LOOK_SECONDS)
        assert await a_sweep(desks).sweep() == 0
        await desks.settle()
        assert (await desks.parked(deleted))[0] == "platform_ticket_gone"
        assert (await desks.pair(alive)).state is PairState.ACTIVE
        assert desks.twin(deleted).deleted_at is None
        desks.forget_requests()
        await a_sweep(desks).sweep()
        assert await desks.run_due() == []


async def test_a_list_that_lacks_all_costs_a_few_questions_and_parks_nobody(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [await a_pair(desks) for _ in range(14)]
        desks.clock.advance(LOOK_SECONDS)
        body: dict[str, list[str]] = {"tickets": []}
        desks.arm(Side.PLATFORM, "status", status=200, body=body, path="batch")
        desks.forget_requests()
        await a_sweep(desks).sweep()
        await desks.run_due()
        assert len(desks.requests(Side.PLATFORM)) <= 1 + 2 * 10
        assert {(await desks.pair(one)).state for one in tickets} == {PairState.ACTIVE}


async def test_a_daemon_that_never_lives_for_an_hour_sweeps_every_hour(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        await a_pair(desks)
        waited: list[float] = []
        for _ in range(8):
            waited.append(await seconds_left(desks))
            if not waited[-1]:
                await a_sweep(desks).sweep()
            desks.clock.advance(1200)
        assert waited == [3600, 2400, 1200, 0, 2400, 1200, 0, 2400]


async def seconds_left(desks: BothDesks) -> float:
    """What a daemon that starts now would wait before its first sweep."""
    return round(await a_sweep(desks).seconds_left())
