"""A partner's ticket that is closed for good: the pair goes on in a follow-up, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sandbox import Release
from syncd.app import parts
from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import AGENT, LOOK_SECONDS, STAFF, BothDesks, both_desks, both_know
from tests.engine.lineages import (
    PRIVATE,
    a_closed_pair,
    a_pair,
    a_stranger,
    bodies,
    do,
    follow_ups,
    newest,
    partner_ticket,
    said_at_platform,
)

LOSSES = ("drop_before", "drop_after", "503 before", "503 after", "truncate")


async def test_a_comment_after_the_close_opens_one_follow_up_with_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        closed = desks.twin(ticket_id)
        people = set(desks.partners["acme"].desk.account.users)
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.settle()
        (ticket,) = follow_ups(desks, closed)
        assert set(desks.partners["acme"].desk.account.users) == people
        assert ticket is await newest(desks, ticket_id)
        assert [c.is_public for c in ticket.comments] == [True]
        assert "es geht wieder nicht" in ticket.comments[0].body
        assert (ticket.status, ticket.via.rel) == ("open", "follow_up")
        assert ticket.values["requester_id"] == closed.values["requester_id"]
        assert ticket.values["external_id"] != closed.values["external_id"]
        assert desks.ticket(ticket_id).status == "Open"
        (moved,) = desks.events("lineage.moved")
        assert (moved["before"], moved["after"]) == (str(closed.id), str(ticket.id))


async def test_the_pair_goes_on_both_ways_in_the_follow_up(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        desks.write(ticket_id, "<p>und noch ein Wort</p>")
        await desks.settle()
        ticket = await newest(desks, ticket_id)
        deed = {"as": AGENT, "ticket_id": ticket.id, "status": "pending"}
        text = "<p>die neue Antwort</p>"
        await desks.agent_does("acme", deed | {"comment": {"html": text, "public": True}})
        await desks.settle()
        assert len(ticket.comments) == 3
        assert said_at_platform(desks, ticket_id, "die neue Antwort") == 1
        assert said_at_platform(desks, ticket_id, "es geht wieder nicht") == 1
        assert desks.ticket(ticket_id).status == "With customer"
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before


async def test_a_private_comment_opens_a_private_follow_up(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, "<p>nur unter uns</p>", **PRIVATE)
        await desks.settle()
        ticket = await newest(desks, ticket_id)
        assert [c.is_public for c in ticket.comments] == [False]
        desks.write(ticket_id, "<p>für alle</p>")
        await desks.settle()
        assert [c.is_public for c in ticket.comments] == [False, True]


async def test_a_status_alone_opens_a_follow_up_with_a_private_note(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, who=STAFF, status="Open")
        await desks.settle()
        ticket = await newest(desks, ticket_id)
        assert [c.is_public for c in ticket.comments] == [False]
        assert "A closed ticket goes on here" in ticket.comments[0].body
        assert ticket.status == "open"
        assert said_at_platform(desks, ticket_id, "goes on here") == 0


async def test_a_comment_that_leaves_the_ticket_closed_ends_closed_on_both(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, "<p>vielen Dank noch</p>", **PRIVATE)
        await desks.settle()
        ticket = await newest(desks, ticket_id)
        assert "vielen Dank noch" in ticket.comments[0].body
        assert (ticket.status, desks.ticket(ticket_id).status) == ("solved", "Closed")


async def test_nothing_new_to_say_leaves_a_closed_ticket_alone(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, who=STAFF, add_tags=["t-neu"])
        await desks.settle()
        assert follow_ups(desks, desks.twin(ticket_id)) == []
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before


async def test_tags_set_meanwhile_come_with_the_follow_up(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, who=STAFF, add_tags=["t-neu"])
        await desks.settle()
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.settle()
        assert "t-neu" in (await newest(desks, ticket_id)).tags


async def test_a_follow_up_can_be_closed_and_followed_itself(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, "<p>zum zweiten Mal</p>", status="Open")
        await desks.settle()
        second = await newest(desks, ticket_id)
        for status in ("solved", "closed"):
            await do(desks, "update", second, status=status)
            await desks.settle()
        desks.write(ticket_id, "<p>zum dritten Mal</p>", status="Open")
        await desks.settle()
        third = await newest(desks, ticket_id)
        assert third.id != second.id
        assert "zum dritten Mal" in third.comments[0].body
        assert len({t.values["external_id"] for t in (desks.twin(ticket_id), second, third)}) == 3


async def test_a_ticket_that_closes_while_a_comment_is_on_its_way_is_followed(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, status="solved")
        await desks.settle()
        # An automation closes it, unseen by anybody and without moving its stamp.
        await desks.answer(ticket_id, status="closed", quiet=True)
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.run_due()
        await desks.settle()
        (ticket,) = follow_ups(desks, desks.twin(ticket_id))
        assert "es geht wieder nicht" in ticket.comments[0].body
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_the_old_tickets_last_words_reach_the_platform_first(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        await desks.answer(ticket_id, "<p>das letzte Wort</p>", status="solved")
        await desks.answer(ticket_id, status="closed")
        desks.write(ticket_id, "<p>es geht wieder nicht</p>")
        await desks.settle()
        assert said_at_platform(desks, ticket_id, "das letzte Wort") == 1
        (ticket,) = follow_ups(desks, desks.twin(ticket_id))
        assert "es geht wieder nicht" in ticket.comments[0].body


@pytest.mark.parametrize("metadata_readable", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
async def test_a_follow_up_whose_answer_is_lost_is_made_once(
    tmp_path: Path, loss: str, metadata_readable: bool
) -> None:
    async with both_desks(tmp_path, metadata_readable=metadata_readable) as desks:
        ticket_id = await a_closed_pair(desks)
        action = "status" if loss.startswith("503") else loss
        desks.arm(
            Side.PARTNER,
            action,
            kind="write",
            path="/tickets$",
            status=503,
            is_applied=loss == "503 after",
        )
        before = len(desks.events("op.unknown"))
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.settle()
        assert len(desks.events("op.unknown")) == before + 1
        (ticket,) = follow_ups(desks, desks.twin(ticket_id))
        assert len(ticket.comments) == 1
        assert ticket is await newest(desks, ticket_id)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


@pytest.mark.parametrize("rounds", [0, 2])
async def test_a_follow_up_that_lands_long_after_its_sender_gave_up_is_made_once(
    tmp_path: Path, rounds: int
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.arm(Side.PARTNER, "land_late", kind="write", path="/tickets$")
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        while not desks.events("op.unknown"):
            await desks.round()
        for _ in range(rounds):
            await desks.round()
        desks.desk(Side.PARTNER).held.release(Release())
        await desks.settle()
        assert len(follow_ups(desks, desks.twin(ticket_id))) == 1
        assert said_once(desks, ticket_id, "es geht wieder nicht")


def said_once(desks: BothDesks, ticket_id: str, words: str) -> bool:
    """Whether the words stand once on each desk, whatever ticket of the partner's has them."""
    tickets = desks.partners["acme"].desk.account.tickets.values()
    heard = [c for ticket in tickets for c in ticket.comments if words in c.body]
    return len(heard) == 1 and said_at_platform(desks, ticket_id, words) == 1


@pytest.mark.parametrize("loss", ["drop_before", "drop_after"])
async def test_a_process_that_starts_after_one_was_killed_makes_no_second_follow_up(
    tmp_path: Path, loss: str
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        pair_id = (await desks.pair(ticket_id)).pair_id
        desks.arm(Side.PARTNER, loss, kind="write", path="/tickets$")
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        while not desks.events("op.unknown"):
            await desks.round()
        async with parts(desks.made.config, owner="next", clock=desks.clock) as fresh:
            desks.clock.advance(LOOK_SECONDS)
            await fresh.reconciler.reconcile(pair_id)
        await desks.settle()
        assert len(follow_ups(desks, desks.twin(ticket_id))) == 1
        assert said_once(desks, ticket_id, "es geht wieder nicht")


# --- follow-ups that people make -----------------------------------------------------------------


async def test_a_follow_up_that_an_agent_makes_is_adopted_and_its_words_travel(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        comment = {"text": "ich mache hier weiter", "public": True}
        number = await do(desks, "follow_up", desks.twin(ticket_id), comment=comment)
        await desks.settle()
        assert (await newest(desks, ticket_id)).id == number
        assert said_at_platform(desks, ticket_id, "ich mache hier weiter") == 1
        desks.write(ticket_id, "<p>danke, und nun</p>")
        await desks.settle()
        assert [b for b in bodies(partner_ticket(desks, number)) if "danke, und nun" in b]
        assert said_once(desks, ticket_id, "ich mache hier weiter")


async def test_a_phrase_in_a_follow_up_hands_the_ticket_over(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        desks.write(ticket_id, who=STAFF, status="Open")
        comment = {"html": "<p>Reassign to Heroku</p>", "public": False}
        await do(desks, "follow_up", desks.twin(ticket_id), comment=comment)
        await desks.settle()
        assert desks.ticket(ticket_id).views == []
        assert "with-platform" in (await newest(desks, ticket_id)).tags


async def test_a_follow_up_of_another_requester_parks_and_the_platform_is_told_once(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        other = partner_ticket(desks, await a_stranger(desks, "etwas ganz anderes, geheim"))
        comment = {"text": "aus fremder Hand geschrieben", "public": True}
        members = {"requester_id": other.values["requester_id"], "comment": comment}
        await do(desks, "follow_up", desks.twin(ticket_id), **members)
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "partner_follow_up"
        assert "another requester" in hint
        assert said_at_platform(desks, ticket_id, "fremder Hand") == 0
        assert said_at_platform(desks, ticket_id, "A follow-up of this conversation") == 1
        await desks.retry(ticket_id)
        await desks.settle()
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        assert said_at_platform(desks, ticket_id, "A follow-up of this conversation") == 1


async def test_a_second_follow_up_beside_a_living_one_parks(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        closed = desks.twin(ticket_id)
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.settle()
        first = await newest(desks, ticket_id)
        comment = {"text": "noch eine Fortsetzung", "public": True}
        await do(desks, "follow_up", closed, comment=comment)
        await desks.settle()
        reason, _ = await desks.parked(ticket_id)
        assert reason == "partner_follow_up"
        assert await newest(desks, ticket_id) is first


async def test_a_persons_follow_up_that_came_first_is_used_instead_of_a_new_one(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        comment = {"text": "ich mache hier weiter", "public": True}
        number = await do(desks, "follow_up", desks.twin(ticket_id), comment=comment)
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        # The platform's news comes at once; Zendesk's export is a minute behind.
        await desks.poll()
        await desks.run_due()
        await desks.settle()
        assert [t.id for t in follow_ups(desks, desks.twin(ticket_id))] == [number]
        assert said_once(desks, ticket_id, "es geht wieder nicht")
        assert said_once(desks, ticket_id, "ich mache hier weiter")


async def test_both_know_nothing_of_the_old_ticket_twice(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_closed_pair(desks)
        both_know(desks, ticket_id, "woran es liegt")
        desks.write(ticket_id, "<p>es geht wieder nicht</p>", status="Open")
        await desks.settle()
        both_know(desks, ticket_id, "woran es liegt")
        assert said_once(desks, ticket_id, "es geht wieder nicht")
