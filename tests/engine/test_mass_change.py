"""Many closes, deletions or lost tags at once stop a link before one of them reaches the other
desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from syncd.app import parts
from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import LINK, STAFF, VIEWS, BothDesks, both_desks, both_know

LEAST = 3
GUARD = "mass_changes: {least: 3, most: 6, share: 50%}"
MANY = 8
Wave = Callable[[BothDesks, str], Awaitable[None]]


async def pairs(desks: BothDesks, count: int = MANY, partner: str = "acme") -> list[str]:
    view = VIEWS[partner]
    made = [desks.open_ticket(f"<p>Fall Nummer {n:03}</p>", view=view) for n in range(count)]
    for ticket_id in made:
        desks.write(ticket_id, who=STAFF, add_tags=["t-red"])
    await desks.settle()
    return made


async def solve(desks: BothDesks, ticket_id: str) -> None:
    await desks.answer(ticket_id, status="solved")


async def close(desks: BothDesks, ticket_id: str) -> None:
    desks.write(ticket_id, who=STAFF, status="Closed")


async def delete_there(desks: BothDesks, ticket_id: str) -> None:
    twin = desks.twin(ticket_id).id
    await desks.agent_does("acme", {"as": "alice@acme.test", "do": "delete", "ticket_id": twin})


async def delete_here(desks: BothDesks, ticket_id: str) -> None:
    desks.act(STAFF, "delete", ticket_id=ticket_id)


async def untag(desks: BothDesks, ticket_id: str) -> None:
    desks.write(ticket_id, who=STAFF, remove_tags=["t-red"])


async def withdraw(desks: BothDesks, ticket_id: str) -> None:
    desks.act(STAFF, "withdraw", ticket_id=ticket_id, view=LINK)


WAVES = pytest.mark.parametrize(
    "wave",
    [solve, close, delete_there, untag, withdraw],
    ids=lambda wave: wave.__name__,
)


async def confirm(desks: BothDesks) -> int:
    """A person looks and lets it pass; how many changes that were."""
    link = desks.made.links.find(LINK)
    assert link is not None
    store = desks.made.store
    shown = await store.pending_changes(link.policy, has_views=True)
    assert await store.confirm_link(LINK, shown, actor="test", now=desks.clock.now())
    return len(shown)


def is_stopped(desks: BothDesks) -> bool:
    (alarm,) = desks.events("link.stopped") or [{}]
    return bool(alarm) and (alarm["level"], alarm["reason"]) == ("critical", "mass_change")


@WAVES
async def test_a_wave_seen_at_once_stops_the_link_and_nothing_of_it_leaves(
    tmp_path: Path, wave: Wave
) -> None:
    async with both_desks(tmp_path, link=GUARD, partners=("acme", "globex")) as desks:
        tickets = await pairs(desks)
        (other,) = await pairs(desks, 1, "globex")
        for ticket_id in tickets:
            await wave(desks, ticket_id)
        desks.write(other, "<p>Globex fragt weiter</p>")
        before = [desks.desk(side).log.write_count for side in Side]
        await desks.settle()

        assert is_stopped(desks)
        assert [desks.desk(side).log.write_count for side in Side] == before
        both_know(desks, other, "Globex fragt weiter", partner="globex")
        assert {p.state for p in await desks.pairs() if p.link == LINK} == {PairState.PARKED}


@WAVES
async def test_a_confirmed_wave_passes_whole_and_the_next_one_is_asked_about_again(
    tmp_path: Path, wave: Wave
) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks, 2 * MANY)
        for ticket_id in tickets[:MANY]:
            await wave(desks, ticket_id)
        await desks.settle()
        assert is_stopped(desks)

        assert await confirm(desks) == MANY
        await desks.settle()

        assert LINK not in await desks.made.store.parked_links()
        for ticket_id in tickets[:MANY]:
            assert_passed(desks, ticket_id, wave)
        (deed,) = await desks.made.store.deeds(link=LINK)
        assert (deed.verb, deed.subject) == ("confirm", f"{MANY} changes of link {LINK}")

        desks.clock.advance(86_400)
        for ticket_id in tickets[MANY:]:
            await wave(desks, ticket_id)
        before = desks.writes()
        await desks.settle()
        assert desks.writes() == before
        assert len(desks.events("link.stopped")) == 2


def assert_passed(desks: BothDesks, ticket_id: str, wave: Wave) -> None:
    if wave in (solve, close):
        assert desks.ticket(ticket_id).status == "Closed"
        assert desks.twin(ticket_id).status == "solved"
    elif wave is untag:
        assert "t-red" not in desks.twin(ticket_id).tags
    elif wave is delete_there:
        assert any("deleted" in u.comment.body_html or "gone" in u.comment.body_html
                   for u in desks.ticket(ticket_id).updates if u.comment)  # fmt: skip
    else:
        assert "with-platform" in desks.twin(ticket_id).tags


async def test_what_is_put_right_on_its_desk_never_reaches_the_other(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        for ticket_id in tickets:
            await solve(desks, ticket_id)
        await desks.settle()
        before = desks.writes()
        for ticket_id in tickets:
            await desks.answer(ticket_id, status="open")
        await desks.settle()
        assert await confirm(desks) == 0
        await desks.settle()
        assert desks.writes() == before
        assert {desks.ticket(t).status for t in tickets} == {"Open"}
        assert {desks.twin(t).status for t in tickets} == {"open"}


async def test_while_a_link_is_stopped_words_wait_in_their_order(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        for ticket_id in tickets[1:]:
            await close(desks, ticket_id)
        await desks.settle()
        assert is_stopped(desks)
        before = desks.writes()
        words = [f"Frage {n:03}" for n in range(5)]
        for each in words:
            desks.write(tickets[0], f"<p>{each}</p>")
            await desks.answer(tickets[0], f"<p>Antwort auf {each}</p>")
            await desks.settle()
        assert desks.writes() == before
        await confirm(desks)
        await desks.settle()
        both_know(desks, tickets[0], *(f"Antwort auf {each}" for each in words))
        there = [c.body for c in desks.twin(tickets[0]).comments]
        assert [w for body in there for w in words if w in body and "Antwort" not in body] == words


async def test_a_wave_that_trickles_in_stops_after_the_threshold(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        for ticket_id in tickets:
            await solve(desks, ticket_id)
            await desks.round()
        await desks.settle()
        assert is_stopped(desks)
        passed = [t for t in tickets if desks.ticket(t).status == "Closed"]
        # Half of the link's pairs, and no more.
        assert len(passed) == MANY // 2


async def test_a_restart_in_a_trickling_wave_forgets_nothing(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        for ticket_id in tickets:
            await close(desks, ticket_id)
            await desks.poll()
            pair_id = (await desks.pair(ticket_id)).pair_id
            async with parts(desks.made.config, owner="next", clock=desks.clock) as fresh:
                await fresh.reconciler.reconcile(pair_id)
        assert sum(desks.twin(t).status == "solved" for t in tickets) == MANY // 2
        async with parts(desks.made.config, owner="next", clock=desks.clock) as fresh:
            assert set(await fresh.store.parked_links()) == {LINK}


async def test_tickets_found_gone_one_by_one_stop_the_link_at_the_threshold(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        for ticket_id in tickets:
            await delete_here(desks, ticket_id)
        # The platform's feed does not tell: each is found when something is written to it.
        for ticket_id in tickets:
            await desks.answer(ticket_id, "<p>eine Antwort ins Leere</p>")
        await desks.settle()
        assert is_stopped(desks)
        told = [t for t in tickets if desks.heard(t, "was deleted at")]
        assert len(told) == MANY // 2


async def test_an_honest_month_passes_whatever_its_share(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        tickets = await pairs(desks, 5)
        for ticket_id in tickets:
            await solve(desks, ticket_id)
        await desks.settle()
        assert {desks.ticket(t).status for t in tickets} == {"Closed"}
        assert desks.events("link.stopped") == []


async def test_what_was_closed_over_days_and_is_seen_at_once_is_no_wave(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        desks.arm(Side.PARTNER, "drop_before", times=None)
        for ticket_id in tickets:
            await solve(desks, ticket_id)
            desks.clock.advance(4 * 3600)
            await desks.poll()
        desks.disarm()
        await desks.settle()
        assert {desks.ticket(t).status for t in tickets} == {"Closed"}
        assert desks.events("link.stopped") == []


async def test_a_wave_in_an_outage_is_seen_for_what_it_is(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD) as desks:
        tickets = await pairs(desks)
        desks.arm(Side.PARTNER, "drop_before", times=None)
        for ticket_id in tickets:
            await solve(desks, ticket_id)
        desks.clock.advance(4 * 3600)
        await desks.poll()
        desks.disarm()
        before = desks.writes()
        await desks.settle()
        assert is_stopped(desks)
        assert desks.writes() == before


async def test_what_syncd_closes_itself_counts_for_neither_side(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=GUARD, has_webhooks=True) as desks:
        tickets = await pairs(desks)
        for number, ticket_id in enumerate(tickets):
            # One by one, over a day: each close is written to the other desk, and heard from there.
            await (solve if number % 2 else close)(desks, ticket_id)
            desks.clock.advance(7200)
            await desks.settle()
        assert {desks.ticket(t).status for t in tickets} == {"Closed"}
        assert {desks.twin(t).status for t in tickets} == {"solved"}
        assert desks.events("link.stopped") == []
