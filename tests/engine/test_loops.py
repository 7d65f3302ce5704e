"""Machines that answer each other through us are stopped, and people who do are not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from connectors.zendesk.sandbox.settings import Trigger
from syncd.app import parts
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, BothDesks, both_desks, both_know

LIMIT = 10
LINK = f"loop_limit: {LIMIT}"
ROUNDS = 40
Machine = Callable[[BothDesks, str], Awaitable[bool]]


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


def answers_at_the_partner(*, public: bool = True) -> Machine:
    """A trigger that calls a webhook, which answers each public comment of ours."""
    seen = 1

    async def machine(desks: BothDesks, ticket_id: str) -> bool:
        nonlocal seen
        comments = desks.twin(ticket_id).comments
        news = [c for c in comments[seen:] if c.is_public and "Vielen Dank" not in c.body]
        seen = len(comments) + len(news)
        for _ in news:
            await desks.answer(ticket_id, "<p>Vielen Dank sagt Acme</p>", public=public)
        return bool(news)

    return machine


def answers_at_the_platform() -> Machine:
    """The same at the platform."""
    seen = 1

    async def machine(desks: BothDesks, ticket_id: str) -> bool:
        nonlocal seen
        comments = [u.comment for u in desks.ticket(ticket_id).updates if u.comment is not None]
        news = [
            c for c in comments[seen:] if c.visibility == "public" and "Gern" not in c.body_html
        ]
        seen = len(comments) + len(news)
        for _ in news:
            desks.write(ticket_id, "<p>Gern geschehen sagt die Plattform</p>", who=STAFF)
        return bool(news)

    return machine


async def let_run(desks: BothDesks, ticket_id: str, *machines: Machine) -> int:
    """Round after round, the machines acting in between; how many rounds until all is quiet."""
    quiet = 0
    for number in range(ROUNDS):
        desks.clock.advance(15)
        acted = [await machine(desks, ticket_id) for machine in machines]
        is_busy = await desks.round() or any(acted)
        quiet = 0 if is_busy else quiet + 1
        if quiet == 2:
            return number
    return ROUNDS


async def written(desks: BothDesks, ticket_id: str) -> int:
    return len(desks.twin(ticket_id).comments) + len(desks.ticket(ticket_id).updates)


# --- comments ------------------------------------------------------------------------------------


async def test_two_machines_that_answer_each_other_are_parked_with_one_alarm(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        desks.write(ticket_id, "<p>eine Frage</p>", who=STAFF)
        machines = answers_at_the_partner(), answers_at_the_platform()

        assert await let_run(desks, ticket_id, *machines) < ROUNDS

        reason, hint = await desks.parked(ticket_id)
        assert reason == "loop"
        assert "syncd retry PAIR" in hint
        (alarm,) = desks.events("pair.parked")
        assert (alarm["level"], alarm["reason"]) == ("error", "loop")
        # A comment of the other desk's machine each; what came first was a person's.
        assert len(desks.heard(ticket_id, "Gern geschehen")) <= LIMIT
        assert len(desks.read(ticket_id, "Vielen Dank")) <= LIMIT + 1

        desks.write(other, "<p>andere gehen weiter</p>")
        await desks.settle()
        both_know(desks, other, "andere gehen weiter")
        assert len(desks.events("pair.parked")) == 1


async def test_after_the_machines_are_mended_everything_arrives_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>eine Frage</p>", who=STAFF)
        await let_run(desks, ticket_id, answers_at_the_partner(), answers_at_the_platform())
        desks.write(ticket_id, "<p>die Maschine ist aus</p>", who=STAFF)
        await desks.answer(ticket_id, "<p>unsere auch</p>")
        await desks.settle()
        assert desks.heard(ticket_id, "die Maschine ist aus") == []

        await desks.retry(ticket_id)
        await desks.settle()

        both_know(desks, ticket_id, "die Maschine ist aus", "unsere auch")
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        for words in ("Vielen Dank", "Gern geschehen"):
            said = len(desks.heard(ticket_id, words))
            assert said == len(desks.read(ticket_id, words))


async def test_a_restart_in_the_middle_of_a_loop_forgets_no_hop(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>eine Frage</p>", who=STAFF)
        machines = answers_at_the_partner(), answers_at_the_platform()
        pair_id = (await desks.pair(ticket_id)).pair_id
        for _ in range(ROUNDS):
            desks.clock.advance(15)
            for machine in machines:
                await machine(desks, ticket_id)
            desks.clock.advance(70)
            await desks.poll()
            # Each run in a process of its own.
            async with parts(desks.made.config, owner="next", clock=desks.clock) as fresh:
                await fresh.reconciler.reconcile(pair_id)
        assert (await desks.parked(ticket_id))[0] == "loop"
        assert len(desks.read(ticket_id, "Vielen Dank")) <= LIMIT + 1


async def test_one_machine_alone_is_no_loop(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        machine = answers_at_the_partner()
        for number in range(2 * LIMIT):
            # Nine an hour.
            desks.clock.advance(330)
            desks.write(ticket_id, f"<p>Frage {number:04}</p>")
            await machine(desks, ticket_id)
            await desks.round()
        await let_run(desks, ticket_id, machine)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE
        both_know(desks, ticket_id, *(f"Frage {n:04}" for n in range(2 * LIMIT)))
        assert len(desks.read(ticket_id, "Vielen Dank")) == 2 * LIMIT


async def test_a_machine_that_answers_in_private_is_counted_too(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        seen: dict[str, int] = {"platform": 1}

        async def chatty(desks: BothDesks, ticket_id: str) -> bool:
            comments = [u.comment for u in desks.ticket(ticket_id).updates if u.comment is not None]
            news = [c for c in comments[seen["platform"] :] if "Gern" not in c.body_html]
            seen["platform"] = len(comments) + len(news)
            for _ in news:
                desks.write(ticket_id, "<p>Gern geschehen sagt wer</p>", who=STAFF)
            return bool(news)

        desks.write(ticket_id, "<p>eine Frage</p>", who=STAFF)
        machine = answers_at_the_partner(public=False)
        assert await let_run(desks, ticket_id, machine, chatty) < ROUNDS
        assert (await desks.parked(ticket_id))[0] == "loop"


# --- people and catching up ----------------------------------------------------------------------


async def test_people_who_talk_for_a_day_are_never_taken_for_a_loop(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        words: list[str] = []
        for number in range(3 * LIMIT):
            # Nine exchanges an hour.
            desks.clock.advance(330)
            words += [f"Frage {number:04}", f"Antwort {number:04}"]
            desks.write(ticket_id, f"<p>{words[-2]}</p>")
            await desks.round()
            await desks.answer(ticket_id, f"<p>{words[-1]}</p>")
            await desks.round()
        await desks.settle()
        both_know(desks, ticket_id, *words)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_what_piled_up_on_both_desks_is_no_loop_however_much_it_is(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        words = [f"{who} {n:04}" for n in range(6 * LIMIT) for who in ("Frage", "Antwort")]
        for each in words:
            desks.clock.advance(60)
            if each.startswith("Frage"):
                desks.write(ticket_id, f"<p>{each}</p>")
            else:
                await desks.answer(ticket_id, f"<p>{each}</p>")
        await desks.settle()
        both_know(desks, ticket_id, *words)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


# --- fields --------------------------------------------------------------------------------------

STUBBORN = Trigger(title="Back to open", on="update", set_status="open")
TAGGING = Trigger(title="No t-red", on="update", remove_tags=("t-red",))


@pytest.mark.parametrize("answers_after_triggers", [False, True])
async def test_a_trigger_that_fights_over_the_status_alone_comes_to_rest(
    tmp_path: Path, answers_after_triggers: bool
) -> None:
    async with both_desks(
        tmp_path, triggers=(STUBBORN,), answers_after_triggers=answers_after_triggers
    ) as desks:
        ticket_id = await a_pair(desks)
        for _ in range(3):
            desks.write(ticket_id, who=STAFF, status="Closed")
            before = desks.writes()
            await desks.settle()
            assert desks.writes() - before <= 3
            assert desks.twin(ticket_id).status == "open"
            assert desks.ticket(ticket_id).status == "Open"
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


def fights(status: str, tag: str = "") -> Machine:
    """The platform's own rule: whatever happens, the ticket is to be like this."""

    async def machine(desks: BothDesks, ticket_id: str) -> bool:
        ticket = desks.ticket(ticket_id)
        if ticket.status == status and (not tag or tag in ticket.tags):
            return False
        desks.write(ticket_id, who=STAFF, status=status, add_tags=[tag] if tag else [])
        return True

    return machine


@pytest.mark.parametrize(
    ("trigger", "machine"),
    [(STUBBORN, fights("Closed")), (TAGGING, fights("Open", "t-red"))],
    ids=["status", "tags"],
)
async def test_rules_of_both_desks_that_fight_through_us_are_parked(
    tmp_path: Path, trigger: Trigger, machine: Machine
) -> None:
    async with both_desks(tmp_path, link=LINK, triggers=(trigger,)) as desks:
        ticket_id = await a_pair(desks)
        before = desks.writes()
        assert await let_run(desks, ticket_id, machine) < ROUNDS
        assert (await desks.parked(ticket_id))[0] == "loop"
        assert len(desks.events("pair.parked")) == 1
        assert desks.writes() - before <= 2 * LIMIT + 1


async def test_one_desk_that_changes_tags_all_day_is_no_loop(tmp_path: Path) -> None:
    async with both_desks(tmp_path, link=LINK) as desks:
        ticket_id = await a_pair(desks)
        for number in range(3 * LIMIT):
            desks.write(ticket_id, who=STAFF, add_tags=[f"t-{number}"])
            await desks.round()
        await desks.settle()
        assert {f"t-{n}" for n in range(3 * LIMIT)} <= set(desks.twin(ticket_id).tags)
        assert (await desks.pair(ticket_id)).state is PairState.ACTIVE


async def test_a_desk_that_undoes_every_write_at_once_is_parked_within_one_run(
    tmp_path: Path,
) -> None:
    async with both_desks(
        tmp_path, link=LINK, triggers=(STUBBORN,), answers_after_triggers=True
    ) as desks:
        ticket_id = await a_pair(desks)
        before = desks.writes()
        desks.write(ticket_id, who=STAFF, status="Closed")
        stopping = asyncio.Event()

        async def contradict() -> None:
            ticket = desks.ticket(ticket_id)
            while not stopping.is_set():
                if ticket.status == "Open":
                    desks.write(ticket_id, who=STAFF, status="Closed")
                await asyncio.sleep(0.001)

        contradicting = asyncio.create_task(contradict())
        for _ in range(6 * LIMIT):
            await desks.round()
        stopping.set()
        await contradicting
        assert (await desks.parked(ticket_id))[0] == "loop"
        assert desks.writes() - before <= 2 * LIMIT + 1
