"""What a desk refuses waits by itself: nothing else of its pair does, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.zendesk import connector
from connectors.zendesk.capabilities import CAPABILITIES
from connectors.zendesk.sandbox.settings import CustomField
from syncd.core.model import Side
from syncd.core.work import PairState
from tests.engine.both_desks import STAFF, VIEWS, BothDesks, both_desks, both_know

CAUSE = 33144692240077
CAUSE_FIELD = CustomField(field_id=CAUSE, title="Root cause", is_required_to_solve=True)


async def a_pair(desks: BothDesks) -> str:
    ticket_id = desks.open_ticket("<p>woran es liegt</p>")
    await desks.settle()
    return ticket_id


def close_with_a_note(desks: BothDesks, ticket_id: str, words: str = "nur für uns alle") -> None:
    """Staff close the ticket in one update with a private comment."""
    html = f"<p>{words}</p>"
    desks.write(
        ticket_id,
        html,
        who=STAFF,
        visibility="private",
        views=[VIEWS["acme"]],
        status="Closed",
        add_tags=["t-zu"],
    )


def refused_notes(desks: BothDesks, ticket_id: str) -> list[Any]:
    return desks.read(ticket_id, "did not take the status")


def put_count(desks: BothDesks) -> int:
    return sum(1 for method, _ in desks.requests(Side.PARTNER) if method == "PUT")


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"custom_fields": (CAUSE_FIELD,)}, "Root cause"),
        ({"assigns_on_solve": False}, "Assignee"),
    ],
)
async def test_a_status_that_the_desk_refuses_waits_and_its_comment_and_tags_do_not(
    tmp_path: Path, settings: dict[str, Any], wanted: str
) -> None:
    async with both_desks(tmp_path, **settings) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()

        both_know(desks, ticket_id, "nur für uns alle")
        twin = desks.twin(ticket_id)
        assert "t-zu" in twin.tags
        assert twin.status in ("new", "open")
        assert desks.ticket(ticket_id).status == "Closed"
        pair = await desks.pair(ticket_id)
        assert (pair.state, pair.is_dirty) == (PairState.ACTIVE, False)
        (row,) = await desks.made.store.refused()
        assert (row.side, row.refused.status, row.refused.lacks) == (
            Side.PARTNER,
            "solved",
            (wanted,),
        )
        (note,) = refused_notes(desks, ticket_id)
        assert note.comment is not None
        assert note.comment.visibility != "public"
        assert wanted in note.comment.body_html
        (event,) = desks.events("status.refused")
        assert event["fields"] == [wanted]


async def test_a_refused_status_is_not_tried_again_until_somebody_changes_the_ticket_there(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, custom_fields=(CAUSE_FIELD,)) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()
        desks.forget_requests()
        desks.write(
            ticket_id,
            "<p>noch ein Nachtrag</p>",
            who=STAFF,
            visibility="private",
            views=[VIEWS["acme"]],
        )
        await desks.settle()
        both_know(desks, ticket_id, "noch ein Nachtrag")
        assert len(desks.events("op.refused")) == 1
        assert put_count(desks) == 1

        await desks.answer(ticket_id, custom_fields=[{"id": CAUSE, "value": "disk"}])
        await desks.settle()

        assert desks.twin(ticket_id).status == "solved"
        assert await desks.made.store.refused() == []
        assert len(refused_notes(desks, ticket_id)) == 1
        assert len(desks.events("op.refused")) == 1


async def test_a_change_that_does_not_help_costs_one_try_and_no_second_note(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, custom_fields=(CAUSE_FIELD,)) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()
        for number in range(3):
            await desks.answer(ticket_id, f"<p>Zwischenstand {number}</p>", public=False)
            await desks.settle()
        both_know(desks, ticket_id, *(f"Zwischenstand {number}" for number in range(3)))
        assert len(desks.events("op.refused")) == 4
        assert len(refused_notes(desks, ticket_id)) == 1


async def test_a_person_may_ask_for_another_try(tmp_path: Path) -> None:
    async with both_desks(tmp_path, assigns_on_solve=False) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()
        # The account's settings are no change of the ticket.
        await desks.switch(assigns_on_solve=True)
        await desks.settle()
        assert desks.twin(ticket_id).status != "solved"

        await desks.retry(ticket_id)
        await desks.settle()

        assert desks.twin(ticket_id).status == "solved"
        assert await desks.made.store.refused() == []


async def test_a_status_that_nobody_wants_any_more_is_forgotten(tmp_path: Path) -> None:
    async with both_desks(tmp_path, custom_fields=(CAUSE_FIELD,)) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()
        desks.write(ticket_id, "<p>doch noch offen</p>")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "Open"
        assert desks.twin(ticket_id).status in ("new", "open")
        assert await desks.made.store.refused() == []
        both_know(desks, ticket_id, "doch noch offen")


async def test_an_agents_own_status_meets_the_one_that_waits_as_a_conflict(tmp_path: Path) -> None:
    async with both_desks(tmp_path, custom_fields=(CAUSE_FIELD,)) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()
        await desks.answer(ticket_id, status="pending")
        await desks.settle()
        assert desks.ticket(ticket_id).status == "With customer"
        assert desks.twin(ticket_id).status == "pending"
        (row,) = await desks.made.store.conflicts()
        assert (row.conflict.platform, row.conflict.partner) == ("Closed", "pending")


async def test_a_link_that_names_an_assignee_solves_its_tickets(tmp_path: Path) -> None:
    link = "partner: {connection: acme, group: Heroku, assignee: alice@acme.test}"
    async with both_desks(tmp_path, link=link, assigns_on_solve=False) as desks:
        ticket_id = await a_pair(desks)
        close_with_a_note(desks, ticket_id)
        await desks.settle()
        assert desks.twin(ticket_id).status == "solved"
        assert desks.events("op.refused") == []


# --- comments that fit no more -------------------------------------------------------------------


async def test_a_full_ticket_stops_its_comments_before_they_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "CAPABILITIES", replace(CAPABILITIES, max_comments=4))
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        for number in range(2):
            await desks.answer(ticket_id, f"<p>Frage {number} dazu</p>", public=False)
        await desks.settle()
        assert len(desks.twin(ticket_id).comments) == 4
        desks.forget_requests()
        desks.write(ticket_id, "<p>passt nicht mehr</p>", who=STAFF, status="With customer")
        await desks.settle()

        reason, hint = await desks.parked(ticket_id)
        assert reason == "comment_limit"
        assert "follow-up" in hint
        assert desks.twin(ticket_id).status == "pending", "the status went on"
        assert desks.events("op.refused") == []
        assert put_count(desks) == 1


async def test_a_full_ticket_that_only_the_desk_knew_of_parks_with_the_same_reason(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, max_comments=2) as desks:
        ticket_id = await a_pair(desks)
        desks.write(ticket_id, "<p>passt nicht mehr</p>")
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "comment_limit"
        assert "5,000" in hint
        await desks.switch(max_comments=5000)
        await desks.retry(ticket_id)
        await desks.settle()
        both_know(desks, ticket_id, "passt nicht mehr")


# --- suspended people ----------------------------------------------------------------------------


async def test_a_suspended_requester_parks_the_pair_with_what_to_do(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        users = desks.partners["acme"].desk.account.users
        requester = users[desks.twin(ticket_id).values["requester_id"]]
        requester.is_suspended = True
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await desks.settle()
        reason, hint = await desks.parked(ticket_id)
        assert reason == "user_suspended"
        assert "suspension" in hint
        assert requester.name not in hint

        requester.is_suspended = False
        await desks.retry(ticket_id)
        await desks.settle()

        both_know(desks, ticket_id, "noch eine Frage")


# --- one ticket's own quota ----------------------------------------------------------------------


async def test_forty_comments_on_a_ticket_that_takes_thirty_in_ten_minutes_keep_their_order(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path, updates_per_ticket=30) as desks:
        ticket_id, other = await a_pair(desks), await a_pair(desks)
        words = [f"Zeile Nummer {number:02}" for number in range(40)]
        for word in words:
            desks.write(ticket_id, f"<p>{word}</p>")
        await desks.poll()
        await desks.run_due()
        heard = [c.body for c in desks.twin(ticket_id).comments if "Zeile Nummer" in c.body]
        assert len(heard) < 40

        desks.write(other, "<p>hier geht es weiter</p>")
        await desks.round()
        both_know(desks, other, "hier geht es weiter")

        desks.write(ticket_id, "<p>Zeile Nummer 40</p>")
        words.append("Zeile Nummer 40")
        await desks.round()
        limited = [e for e in desks.partners["acme"].log.since(0) if e.status == 429]
        await desks.settle()

        assert (await desks.pair(ticket_id)).tries == 0
        both_know(desks, ticket_id, *words)
        order = [c.body for c in desks.twin(ticket_id).comments if "Zeile Nummer" in c.body]
        assert [body[body.index("Zeile") :][:15] for body in order] == words
        assert len(limited) == 1, "asked once, and not again before its time"


# --- two who write to one ticket -----------------------------------------------------------------


async def test_a_ticket_that_moves_under_every_write_is_tried_with_growing_pauses(
    tmp_path: Path,
) -> None:
    async with both_desks(tmp_path) as desks:
        ticket_id = await a_pair(desks)
        desks.arm(Side.PARTNER, "status", status=409, kind="write", times=6)
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        desks.forget_requests()
        await desks.poll()
        await desks.run_due()
        assert put_count(desks) == 2, "one more at once, the next after a pause"
        assert (await desks.pair(ticket_id)).not_before is not None
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")


@pytest.mark.parametrize(
    "body",
    [
        {"error": "DatabaseConflict", "description": "Database collision"},
        {"error": "RecordInvalid", "description": "Requester creation collision"},
        None,
    ],
)
async def test_a_collision_while_a_twin_is_made_is_tried_again_and_makes_one(
    tmp_path: Path, body: Any
) -> None:
    async with both_desks(tmp_path) as desks:
        members = {} if body is None else {"body": body}
        desks.arm(Side.PARTNER, "status", status=409, kind="write", times=3, **members)
        ticket_id = await a_pair(desks)
        assert len(desks.twins(ticket_id)) == 1
        both_know(desks, ticket_id, "woran es liegt")
        assert desks.events("op.unknown") == []
