"""What syncd writes is no news to it: no echo, no loop, no request for a ticket left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.zendesk.sandbox.compose import Composing, NewComment
from connectors.zendesk.sandbox.settings import Trigger
from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import LINK, STAFF, BothDesks, both_desks, both_know

POLLS = {
    Side.PLATFORM: {("GET", "/changes")},
    Side.PARTNER: {
        ("GET", "/api/v2/incremental/tickets/cursor"),
        ("GET", "/api/v2/incremental/ticket_events"),
    },
}


async def a_pair(desks: BothDesks, html: str = "<p>woran es liegt</p>") -> str:
    ticket_id = desks.open_ticket(html)
    await desks.settle()
    return ticket_id


async def delivered(desks: BothDesks) -> None:
    """Wait until every webhook has arrived, or has not."""
    await desks.platform.platform.courier.idle()
    for sandbox in desks.partners.values():
        await sandbox.desk.webhooks.courier.idle()


async def answer_webhooks(desks: BothDesks) -> None:
    """Go on by webhooks alone until they bring nothing new."""
    for _ in range(12):
        desks.clock.advance(2)
        await delivered(desks)
        if not await desks.run_due():
            return
    raise AssertionError("the webhooks have no end")


def unpolled(desks: BothDesks, side: Side) -> list[tuple[str, str]]:
    return [request for request in desks.requests(side) if request not in POLLS[side]]


async def test_tickets_left_alone_cost_nothing_but_the_polls(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        for _ in range(3):
            await a_pair(desks)
        desks.forget_requests()
        for _ in range(20):
            await desks.round()
        for side in Side:
            assert desks.requests(side)
            assert unpolled(desks, side) == []


async def test_news_of_what_we_wrote_ourselves_cost_no_request(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>")
        desks.clock.advance(70)
        await desks.poll()
        await desks.run_due()
        desks.forget_requests()
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage", "eine gute Antwort")
        for side in Side:
            assert unpolled(desks, side) == []


async def test_webhooks_of_what_we_wrote_ourselves_cost_no_request(tmp_path: Path) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await answer_webhooks(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await answer_webhooks(desks)
        both_know(desks, ticket_id, "woran es liegt", "noch eine Frage")
        written = desks.writes()
        desks.forget_requests()
        desks.clock.advance(10)
        await delivered(desks)
        await desks.run_due()
        assert desks.writes() == written
        for side in Side:
            assert unpolled(desks, side) == []


@pytest.mark.parametrize("metadata_readable", [True, False])
async def test_a_webhook_that_is_faster_than_the_answer_to_our_write_does_not_echo(
    tmp_path: Path, metadata_readable: bool
) -> None:
    async with both_desks(
        tmp_path,
        has_webhooks=True,
        webhook_before_answer=True,
        metadata_readable=metadata_readable,
    ) as desks:
        desks.platform.platform.hooks.is_before_answer = True
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await answer_webhooks(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>", status="Closed")
        await answer_webhooks(desks)
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await desks.answer(ticket_id, "<p>unter uns gesagt</p>", public=False)
        await answer_webhooks(desks)
        await desks.settle()
        words = ("woran es liegt", "noch eine Frage", "eine gute Antwort", "unter uns gesagt")
        both_know(desks, ticket_id, *words)
        assert desks.ticket(ticket_id).status == "With customer"
        assert len([u for u in desks.ticket(ticket_id).updates if u.comment]) == 4
        assert len(desks.twin(ticket_id).comments) == 5


async def test_webhooks_lost_doubled_and_reordered_end_the_same(tmp_path: Path) -> None:
    async with both_desks(
        tmp_path,
        has_webhooks=True,
        webhook_loss=0.3,
        webhook_duplicate=0.3,
        webhook_reorder=0.3,
    ) as desks:
        courier = desks.platform.platform.courier
        courier.mischief = replace(courier.mischief, loss=0.3, duplicate=0.3, reorder=0.3)
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        words = [f"Wortmeldung {number:03}" for number in range(20)]
        for number, each in enumerate(words):
            if number % 2:
                desks.write(ticket_id, f"<p>{each}</p>", add_tags=[f"t-{number}"])
            else:
                await desks.answer(ticket_id, f"<p>{each}</p>", public=number % 4 == 0)
            await delivered(desks)
            await desks.run_due()
        await desks.settle()
        both_know(desks, ticket_id, "woran es liegt", *words)
        shared = {f"t-{number}" for number in range(1, 20, 2)}
        assert shared <= set(desks.twin(ticket_id).tags)


async def test_a_private_comment_that_comes_out_public_stops_the_link_and_raises_the_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        ordinary = Composing.comment

        def leaking(
            self: Composing, given: object, *, values: Mapping[str, Any], **rest: Any
        ) -> NewComment | None:
            made = ordinary(self, given, values=values, **rest)
            return replace(made, is_public=True) if made else None

        monkeypatch.setattr(Composing, "comment", leaking)
        desks.write(ticket_id, "<p>nur unter uns</p>", who=STAFF, visibility="private",
                    views=["acme-postgres"])  # fmt: skip
        await desks.settle()

        (alarm,) = desks.events("link.leaked")
        assert (alarm["level"], alarm["link"], alarm["side"]) == ("critical", LINK, "partner")
        assert set(await desks.made.store.parked_links()) == {LINK}
        written = desks.writes()
        desks.write(other, "<p>noch eine Frage</p>")
        await desks.settle()
        assert desks.writes() == written
        assert (await desks.pair(other)).state is PairState.PARKED

        monkeypatch.undo()
        now = desks.clock.now()
        assert await desks.made.store.unpark_link(LINK, actor="test", now=now)
        await desks.retry(ticket_id)
        await desks.settle()

        both_know(desks, other, "woran es liegt", "noch eine Frage")
        both_know(desks, ticket_id, "woran es liegt", "nur unter uns")


async def test_a_trigger_that_puts_back_what_staff_take_away_comes_to_rest(tmp_path: Path) -> None:
    always = (
        Trigger(title="Always", on="update", add_tags=("t-auto", "t-loop")),
        Trigger(title="At birth", on="create", add_tags=("t-neu",)),
    )
    async with both_desks(tmp_path, triggers=always) as desks:
        ticket_id = await a_pair(desks)
        for number in range(3):
            await desks.answer(ticket_id, f"<p>eine Antwort {number:04}</p>")
            await desks.settle()
            desks.write(ticket_id, who=STAFF, remove_tags=["t-auto", "t-loop", "t-neu"])
            written = desks.writes()
            await desks.settle()
            assert desks.writes() - written <= 2
        desks.forget_requests()
        await desks.settle()
        for side in Side:
            assert unpolled(desks, side) == []


async def test_two_people_who_fight_over_a_status_are_not_joined_by_a_third(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for _ in range(4):
            desks.write(ticket_id, who=STAFF, status="Closed")
            await desks.answer(ticket_id, status="pending")
            written = desks.writes()
            await desks.settle()
            # Each conflict costs one write of the status and one note.
            assert desks.writes() - written <= 3
            assert desks.ticket(ticket_id).status == "With customer"
            assert desks.twin(ticket_id).status == "pending"
            desks.write(ticket_id, who=STAFF, status="Open")
            await desks.settle()
            assert desks.twin(ticket_id).status == "open"
        assert len(await desks.made.store.conflicts()) == 4
