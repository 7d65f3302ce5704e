"""Desks that answer what no desk should: nothing is lost or doubled, nobody else is held up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from syncd.core.model import ConnectionName, Side
from syncd.core.work import PairState
from syncd.engine.health import ConnectionState
from tests.engine.both_desks import HEROKU, BothDesks, both_desks, both_know, text_of

ACME = ConnectionName("acme")
NAMES = {Side.PLATFORM: HEROKU, Side.PARTNER: ACME}
TICKETS = {Side.PLATFORM: "^/tickets", Side.PARTNER: "^/api/v2/tickets"}


async def a_pair(desks: BothDesks, words: str = "woran es liegt") -> str:
    """A ticket whose twin is born and in step."""
    ticket_id = desks.open_ticket(f"<p>{words}</p>")
    await desks.settle()
    assert desks.twin(ticket_id).comments
    return ticket_id


async def something_happens(desks: BothDesks, ticket_id: str) -> None:
    """Both sides are owed a write."""
    desks.write(ticket_id, "<p>noch eine Frage</p>")
    await desks.answer(ticket_id, "<p>eine gute Antwort</p>", add_tags=["t-neu"])


def both_are_in_step(desks: BothDesks, ticket_id: str) -> None:
    both_know(desks, ticket_id, "woran es liegt", "noch eine Frage", "eine gute Antwort")
    assert "t-neu" in desks.ticket(ticket_id).tags
    assert desks.ticket(ticket_id).status == "Open"
    assert desks.twin(ticket_id).status == "open"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("status", [200, 503])
async def test_a_maintenance_page_for_an_hour_only_delays(
    tmp_path: Path, side: Side, status: int
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await something_happens(desks, ticket_id)
        desks.arm(side, "html", status=status, times=None)
        until = desks.clock.now() + timedelta(hours=1)
        while desks.clock.now() < until:
            await desks.round()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        assert desks.made.health.state(NAMES[side]) is ConnectionState.DOWN
        assert len(desks.events("connection.down")) == 1

        desks.disarm()
        await desks.settle()

        both_are_in_step(desks, ticket_id)
        assert len(desks.events("connection.up")) == 1


@pytest.mark.parametrize("side", list(Side))
async def test_a_ticket_that_only_answers_riddles_is_parked_and_the_others_go_on(
    tmp_path: Path, side: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        riddle, other = await a_pair(desks), await a_pair(desks)
        number = riddle if side is Side.PLATFORM else desks.twin(riddle).id
        desks.arm(side, "html", status=200, path=f"/tickets/{number}(/|$)", times=None)
        await something_happens(desks, riddle)
        await something_happens(desks, other)
        for _ in range(12):
            await desks.round()
        both_are_in_step(desks, other)
        reason, hint = await desks.parked(riddle)
        assert reason == "unintelligible"
        assert "maintenance page" in hint

        desks.disarm()
        await desks.retry(riddle)
        await desks.settle()

        both_are_in_step(desks, riddle)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("kind", ["read", "write"])
async def test_half_a_json_is_asked_for_again(tmp_path: Path, side: Side, kind: str) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await something_happens(desks, ticket_id)
        desks.arm(side, "truncate", kind=kind, times=3)
        await desks.settle()
        both_are_in_step(desks, ticket_id)


async def test_empty_lists_take_nothing_away(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await something_happens(desks, ticket_id)
        nothing = {"audits": [], "users": [], "meta": {"has_more": False}, "links": {}}
        desks.arm(Side.PARTNER, "status", status=200, path="/audits", body=nothing, times=2)
        desks.arm(Side.PARTNER, "status", status=200, path="show_many", body={"tickets": []})
        desks.arm(Side.PLATFORM, "status", status=200, path="tickets:batch", body={"tickets": []})
        await desks.settle()
        both_are_in_step(desks, ticket_id)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("side", list(Side))
async def test_a_refused_credential_pauses_the_connection_and_blames_no_pair(
    tmp_path: Path, side: Side, status: int
) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = [await a_pair(desks) for _ in range(5)]
        for ticket_id in tickets:
            await something_happens(desks, ticket_id)
        await desks.poll()
        desks.arm(side, "status", status=status, times=None)
        desks.clock.advance(70)
        desks.forget_requests()

        await desks.poll()
        await desks.run_due()

        refused = [e for e in desks.desk(side).log.since(0) if e.status == status]
        assert len(refused) <= 2, "one refusal is enough for all pairs"
        for _ in range(20):
            await desks.round()
        for ticket_id in tickets:
            pair = await desks.pair(ticket_id)
            assert (pair.state, pair.tries) == (PairState.ACTIVE, 0)
        assert desks.made.health.state(NAMES[side]) is ConnectionState.UNAUTHORISED
        assert len(desks.events("connection.unauthorised")) == 1

        desks.disarm()
        await desks.settle()

        for ticket_id in tickets:
            both_are_in_step(desks, ticket_id)


async def test_a_twin_deleted_by_an_agent_parks_the_pair_and_leaves_the_platform_alone(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        before = desks.ticket(ticket_id).updates[-1]
        deed = {"as": "alice@acme.test", "do": "delete", "ticket_id": desks.twin(ticket_id).id}
        await desks.agent_does("acme", deed)
        await something_happens(desks, other)
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "partner_ticket_deleted"
        assert "Restore the ticket" in hint
        # Nothing but one private note.
        *_, last, told = desks.ticket(ticket_id).updates
        assert last is before
        assert "was deleted at" in text_of(told)
        assert desks.ticket(ticket_id).status == "Open"
        both_are_in_step(desks, other)

        await desks.agent_does("acme", deed | {"do": "restore"})
        await something_happens(desks, ticket_id)
        await desks.settle()

        both_are_in_step(desks, ticket_id)


async def test_a_ticket_gone_from_the_platform_parks_the_pair_and_leaves_the_twin_alone(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        desks.act("Hana Sato", "delete", ticket_id=ticket_id)
        await desks.answer(ticket_id, "<p>zu sp\u00e4t geantwortet</p>", status="pending")
        await something_happens(desks, other)
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "platform_ticket_gone"
        assert "Restore" in hint
        twin = desks.twin(ticket_id)
        assert twin.status == "pending"
        *_, late, told = twin.comments
        assert "sp\u00e4t" in late.body
        assert "was deleted at" in told.body
        assert not told.is_public
        both_are_in_step(desks, other)


@pytest.mark.parametrize("side", list(Side))
async def test_a_refused_write_parks_its_pair_with_the_desks_reason(
    tmp_path: Path, side: Side
) -> None:
    async with both_desks(tmp_path) as desks:
        refused, other = await a_pair(desks), await a_pair(desks)
        body: object = {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {"custom_field_7": [{"description": "streng geheim", "error": "Blank"}]},
        }
        if side is Side.PLATFORM:
            place = "tags.add.0"
            body = {"error": {"code": "invalid", "message": "streng geheim", "field": place}}
        number = refused if side is Side.PLATFORM else desks.twin(refused).id
        path = f"/tickets/{number}(/|$)"
        desks.arm(side, "status", kind="write", status=422, path=path, body=body, times=None)
        await something_happens(desks, refused)
        await something_happens(desks, other)
        await desks.settle()
        reason, hint = await desks.parked(refused)
        assert reason == "refused"
        named = "tags.add.0" if side is Side.PLATFORM else "custom_field_7"
        assert named in hint
        assert "geheim" not in hint
        both_are_in_step(desks, other)

        desks.disarm()
        await desks.retry(refused)
        await desks.settle()

        both_are_in_step(desks, refused)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("status", "headers"),
    [(429, (("retry-after", "93"),)), (429, ()), (503, (("retry-after", "93"),))],
)
@pytest.mark.parametrize("kind", ["read", "write"])
async def test_a_desk_that_asks_to_wait_is_waited_for_and_that_is_no_failed_try(
    tmp_path: Path, side: Side, status: int, headers: tuple[tuple[str, str], ...], kind: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await something_happens(desks, ticket_id)
        path = TICKETS[side] if kind == "write" else ""
        desks.arm(
            side, "status", kind=kind, path=path, status=status, headers=headers, times=4, skip=0
        )
        desks.clock.advance(70)
        began_at = desks.clock.now()
        await desks.poll()
        await desks.run_due()
        # Whether a write that was answered with 503 has landed, nobody knows: that is a try.
        may_have_landed = status == 503 and kind == "write"
        assert (await desks.pair(ticket_id)).tries == int(may_have_landed)
        await desks.settle()
        both_are_in_step(desks, ticket_id)
        assert (await desks.pair(ticket_id)).tries == 0
        least = 4 * (93 if headers else 10)
        assert (desks.clock.now() - began_at).total_seconds() >= least
        if not may_have_landed:
            assert desks.made.health.counts["connection.limited"] >= 1
