"""A partner's desk is away for three days: nobody else notices, and nothing is lost or hurried."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from syncd.core.model import Ball, Side
from tests.engine.both_desks import CUSTOMER, STAFF, VIEWS, BothDesks, both_desks, both_know

BOTH = ("acme", "globex")
HOURS = 72
#: People write so many hours apart.
STEP = 4
PAIRS = 8
#: What the account of the desk that was away allows in a minute.
QUOTA = 20
#: What our own lines may have grown by while the backlog grew tenfold.
MOST_BYTES = 100_000


async def a_pair(desks: BothDesks, partner: str = "acme") -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>", view=VIEWS[partner])
    await desks.settle()
    return ticket_id


def go_away(desks: BothDesks) -> None:
    desks.arm(Side.PARTNER, "drop_before", times=None)


def held(desks: BothDesks) -> int:
    """The things that syncd keeps in memory."""
    made = desks.made
    return len(made.queue) + len(made.health.report()) + len(made.health.counts)


def own_bytes() -> int:
    """What lines of syncd and its connectors hold, sandboxes and the store's file aside."""
    gc.collect()
    ours = [tracemalloc.Filter(True, f"*/{name}/*") for name in ("syncd", "connectors")]
    shot = tracemalloc.take_snapshot().filter_traces(ours)
    shot = shot.filter_traces([tracemalloc.Filter(False, "*/sandbox/*")])
    return sum(stat.size for stat in shot.statistics("filename"))


async def hours_without(desks: BothDesks, hour: int, tickets: list[str]) -> dict[str, list[str]]:
    """Some hours in which people on all desks go on as ever; what was said, by ticket."""
    said: dict[str, list[str]] = {}
    for number, ticket_id in enumerate(tickets):
        if (hour // STEP + number) % 2:
            continue
        asked, answered = f"Frage {hour:03}-{number:03}", f"Antwort {hour:03}-{number:03}"
        desks.write(ticket_id, f"<p>{asked}</p>", who=CUSTOMER)
        await desks.answer(ticket_id, f"<p>{answered}</p>")
        said[ticket_id] = [asked, answered]
    desks.clock.advance(3600 * STEP)
    await desks.poll()
    await desks.run_due()
    return said


def order(words: list[str], texts: list[str]) -> list[str]:
    """Those of some words that texts hold, in the order of the texts."""
    return [word for text in texts for word in words if word in text]


async def wake_returned(desks: BothDesks) -> None:
    """What the controller does when a desk is back: nobody's delay is waited for."""
    made = desks.made
    for link in made.reconciler.links_of(made.health.take_returned()):
        for pair_id, _ in await made.store.load_due(desks.clock.now(), link=link):
            await desks.controller.run_pair(pair_id)


async def catch_up(desks: BothDesks) -> float:
    """Work until nothing is due; how many seconds that took."""
    began = desks.clock.monotonic()
    while True:
        await desks.poll()
        await wake_returned(desks)
        await desks.run_due()
        if not await desks.made.store.load_due(desks.clock.now()):
            return desks.clock.monotonic() - began
        desks.clock.advance(1)


async def what_else_they_do(desks: BothDesks, hour: int, ticket_id: str, parted: str) -> None:
    """Statuses, tags, a hand-off and the way back, each desk by itself, in the middle of it all."""
    match hour:
        case 8:
            await desks.answer(ticket_id, add_tags=["t-partner"])
            desks.write(ticket_id, who=STAFF, add_tags=["t-platform"])
        case 24:
            desks.write(ticket_id, who=STAFF, status="Closed")
            await desks.answer(ticket_id, "<p>Reassign to Heroku</p>", public=False)
        case 40:
            desks.write(ticket_id, who=STAFF, status="Open")
            await desks.answer(ticket_id, status="pending")
        case 48:
            # A person at the platform cannot know of the hand-off, and escalates anew.
            move(desks, ticket_id)
            await desks.answer(ticket_id, status="open")
        case 68:
            # Nobody writes there any more: a customer who does opens the ticket at the platform.
            desks.write(parted, who=STAFF, status="With customer")
            await desks.answer(parted, status="solved")
        case _:
            pass


def move(desks: BothDesks, ticket_id: str) -> None:
    """Staff take the ticket back and escalate it to the same partner once more."""
    desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=VIEWS["acme"])
    desks.act(STAFF, "escalate", ticket_id=ticket_id, view=VIEWS["acme"])


async def globex_is_served(desks: BothDesks, ticket_id: str, hour: int) -> None:
    """The other partner has every word within the same look."""
    asked, answered = f"Globex fragt {hour:03}", f"Globex sagt {hour:03}"
    desks.write(ticket_id, f"<p>{asked}</p>")
    await desks.answer(ticket_id, f"<p>{answered}</p>", partner="globex")
    desks.clock.advance(70)
    await desks.poll()
    await desks.run_due()
    both_know(desks, ticket_id, asked, answered, partner="globex")


def stands_in_order(desks: BothDesks, ticket_id: str, words: list[str]) -> None:
    """Assert that every word is on both desks once, and those of each desk in its order."""
    both_know(desks, ticket_id, *words)
    questions = [word for word in words if word.startswith("Frage")]
    answers = [word for word in words if word.startswith("Antwort")]
    there = [comment.body for comment in desks.twin(ticket_id).comments]
    here = [u.comment.body_html for u in desks.ticket(ticket_id).updates if u.comment]
    assert order(questions, there) == questions
    assert order(answers, here) == answers


async def shown(desks: BothDesks, ticket_id: str) -> tuple[str, str, Ball | None]:
    """A ticket's status on both desks, and whose turn it is."""
    ball = (await desks.pair(ticket_id)).ball
    return desks.ticket(ticket_id).status, desks.twin(ticket_id).status, ball


@pytest.mark.parametrize("has_webhooks", [False, True], ids=["polling only", "webhooks"])
async def test_a_partner_that_is_away_for_three_days_is_caught_up_with_in_order(
    tmp_path: Path, has_webhooks: bool
) -> None:
    async with both_desks(tmp_path, partners=BOTH, has_webhooks=has_webhooks) as desks:
        tickets = [await a_pair(desks) for _ in range(PAIRS)]
        globex = await a_pair(desks, "globex")
        said: dict[str, list[str]] = {ticket_id: [] for ticket_id in tickets}
        tracemalloc.start()
        go_away(desks)
        grown: list[int] = []
        for hour in range(0, HOURS, STEP):
            for ticket_id, words in (await hours_without(desks, hour, tickets)).items():
                said[ticket_id] += words
            await what_else_they_do(desks, hour, tickets[4], tickets[5])
            await globex_is_served(desks, globex, hour)
            if hour in (2 * STEP, HOURS - STEP):
                grown.append(own_bytes())
                assert held(desks) <= PAIRS + 20
        tracemalloc.stop()
        assert grown[1] - grown[0] < MOST_BYTES, grown

        # What else they did meanwhile, each desk by itself.
        closed, given, waited, asked = tickets[:4]
        await desks.answer(closed, status="solved")
        desks.write(closed, who=STAFF, status="With customer")
        await desks.answer(given, "<p>Reassign to Heroku</p>", public=False)
        await desks.answer(waited, status="pending")
        assert [e["connection"] for e in desks.events("connection.down")] == ["acme"]
        assert desks.events("connection.up") == []

        desks.disarm()
        await desks.switch("acme", requests_per_minute=QUOTA)
        desks.forget_requests()
        seconds = await catch_up(desks)
        log = desks.desk(Side.PARTNER).log.since(0)
        assert Counter(entry.status for entry in log)[429] == 0
        # The whole share is used: nothing is left of it but what the last minute did not need.
        assert seconds > 120
        assert len(log) >= QUOTA * (seconds / 60 - 1) * 0.95, (len(log), seconds)
        await desks.settle()

        assert [e["connection"] for e in desks.events("connection.up")] == ["acme"]
        assert len(desks.events("connection.down")) == 1
        assert desks.events("pair.parked") == []
        for ticket_id, words in said.items():
            stands_in_order(desks, ticket_id, words)
        # The ball and the conflict, as people on both desks see them.
        assert await shown(desks, closed) == ("With customer", "pending", Ball.CUSTOMER)
        assert await shown(desks, given) == ("Open", "open", Ball.PLATFORM)
        # The agent could not know that the customer had asked once more.
        assert await shown(desks, waited) == ("Open", "open", Ball.PARTNER)
        assert await shown(desks, asked) == ("Open", "open", Ball.PARTNER)
        moved, parted = tickets[4:6]
        assert await shown(desks, parted) == ("With customer", "pending", Ball.CUSTOMER)
        # Times of two desks are not compared: whoever escalated before the hand-off arrived could
        # not know of it, and it is carried out once.
        assert await shown(desks, moved) == ("Open", "open", Ball.PLATFORM)
        for tags in (desks.ticket(moved).tags, desks.twin(moved).tags):
            assert {"t-platform", "t-partner"} <= set(tags)
        assert "with-platform" in desks.twin(moved).tags
        assert len(desks.read(moved, "is now with")) == len(desks.heard(moved, "is now with")) == 1
        rows = {row.pair_id: row.conflict for row in await desks.made.store.conflicts()}
        assert {(row.platform, row.partner) for row in rows.values()} == {
            ("With customer", "solved")
        }
        assert set(rows) == {(await desks.pair(each)).pair_id for each in (closed, parted)}
        assert desks.ticket(given).views == []
        assert "with-platform" in desks.twin(given).tags


async def test_what_waits_for_a_desk_goes_on_as_soon_as_it_is_back(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        go_away(desks)
        desks.write(ticket_id, "<p>eine Frage</p>")
        for _ in range(12):
            desks.clock.advance(200)
            await desks.poll()
            await desks.run_due()
        assert (await desks.pair(ticket_id)).tries > 8
        desks.disarm()
        before = desks.clock.monotonic()
        await catch_up(desks)
        both_know(desks, ticket_id, "eine Frage")
        assert desks.clock.monotonic() - before < 5


@pytest.mark.parametrize("status", [503, 500])
async def test_a_desk_that_can_be_read_and_takes_no_writes_is_one_alarm(
    tmp_path: Path, status: int
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        desks.arm(Side.PARTNER, "status", status=status, times=None, kind="write")
        desks.write(ticket_id, "<p>eine Frage</p>")
        desks.write(other, "<p>noch eine</p>")
        for _ in range(30):
            await desks.round()
        assert len(desks.events("connection.down")) == 1
        assert desks.events("connection.up") == []
        desks.disarm()
        await desks.settle()
        both_know(desks, ticket_id, "eine Frage")
        both_know(desks, other, "noch eine")
        assert len(desks.events("connection.down")) == len(desks.events("connection.up")) == 1


async def test_a_desk_that_fails_every_other_time_is_one_alarm(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for number in range(20):
            if number % 2:
                desks.disarm()
            else:
                go_away(desks)
            desks.clock.advance(20)
            await desks.poll()
            await desks.run_due()
        assert len(desks.events("connection.down")) == 1
        assert desks.events("connection.up") == []
        desks.disarm()
        desks.write(ticket_id, "<p>wieder da</p>")
        await desks.settle()
        assert len(desks.events("connection.up")) == 1
        both_know(desks, ticket_id, "wieder da")
