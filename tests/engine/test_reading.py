"""What is read, and what is not: nothing that is known already, and all that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.zendesk.sandbox.export import Exports
from syncd.core.model import Side
from syncd.core.work import PairState
from syncd.engine.work import Work
from tests.engine.both_desks import BothDesks, both_desks, both_know
from tests.engine.test_echo import POLLS

AUDITS = ("GET", "/api/v2/tickets/{id}/audits")


#: People are asked for once in a while, whatever brings their words.
PEOPLE = ("GET", "/api/v2/users/show_many")


def unpolled(desks: BothDesks, side: Side) -> list[tuple[str, str]]:
    return [r for r in desks.requests(side) if r not in POLLS[side] and r != PEOPLE]


async def carried(desks: BothDesks) -> None:
    """Go on by webhooks alone for a while."""
    for _ in range(6):
        desks.clock.advance(2)
        await desks.platform.platform.courier.idle()
        await desks.partners["acme"].desk.webhooks.courier.idle()
        await desks.run_due()


async def test_webhooks_of_our_own_write_doubled_and_before_its_answer_cost_no_read(
    tmp_path: Path,
) -> None:
    async with both_desks(
        tmp_path,
        has_webhooks=True,
        webhook_before_answer=True,
        webhook_duplicate=1.0,
        # What a trigger adds to our own update, stands in the webhook and not in the answer.
        triggers=(),
    ) as desks:
        ticket_id = desks.open_ticket("<p>mein Anliegen</p>")
        await carried(desks)
        desks.forget_requests()
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        await carried(desks)
        both_know(desks, ticket_id, "noch eine Frage")
        assert unpolled(desks, Side.PARTNER) == [("PUT", "/api/v2/tickets/{id}")]


async def test_a_comment_told_of_by_several_webhooks_is_read_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path, has_webhooks=True, webhook_duplicate=1.0) as desks:
        ticket_id = desks.open_ticket("<p>mein Anliegen</p>")
        await carried(desks)
        desks.forget_requests()
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await carried(desks)
        await desks.settle()
        both_know(desks, ticket_id, "eine gute Antwort")
        assert unpolled(desks, Side.PARTNER) == [AUDITS]


async def test_a_new_twin_is_known_before_anything_else_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = Work.plan
    calls = 0

    def failing_later(self: Work, now: Any) -> Any:
        nonlocal calls
        calls += 1
        if self.pair.tickets[Side.PARTNER] is not None:
            raise ArithmeticError
        return ordinary(self, now)

    async with both_desks(tmp_path) as desks:
        monkeypatch.setattr(Work, "plan", failing_later)
        ticket_id = desks.open_ticket("<p>mein Anliegen</p>")
        await desks.settle()
        pair = await desks.pair(ticket_id)
        assert (pair.state, pair.tickets[Side.PARTNER]) == (
            PairState.PARKED,
            str(desks.twin(ticket_id).id),
        )


@pytest.mark.parametrize("export", ["tickets", "ticket_events"])
async def test_a_row_that_cannot_be_read_has_its_ticket_read_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: str
) -> None:
    """The other export's row is readable, but brings only a part."""
    async with both_desks(tmp_path) as desks:
        ticket_id = desks.open_ticket("<p>mein Anliegen</p>")
        other_id = desks.open_ticket("<p>ein anderes Anliegen</p>")
        await desks.settle()
        broken = desks.twin(ticket_id).id
        if export == "tickets":
            whole = Exports._ticket

            def ticket(self: Exports, row: Any, call: Any) -> Any:
                shown = whole(self, row, call)
                return shown | {"updated_at": None} if row.id == broken else shown

            monkeypatch.setattr(Exports, "_ticket", ticket)
        else:
            event = Exports._event

            def ticket_event(self: Exports, audit: Any, call: Any, **more: Any) -> Any:
                shown = event(self, audit, call, **more)
                return shown | {"child_events": "?"} if audit.ticket_id == broken else shown

            monkeypatch.setattr(Exports, "_event", ticket_event)
        # The boundary second comes again, and is past.
        await desks.answer(other_id, "<p>eine Rückfrage</p>")
        await desks.settle()
        desks.forget_requests()
        before = desks.made.health.counts["feed.unreadable"]
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await desks.answer(other_id, "<p>eine andere Antwort</p>")
        await desks.settle()
        both_know(desks, ticket_id, "eine gute Antwort")
        both_know(desks, other_id, "eine andere Antwort")
        assert desks.ticket(ticket_id).status == "With customer"
        assert unpolled(desks, Side.PARTNER) == [("GET", "/api/v2/tickets/{id}"), AUDITS]
        assert {e["level"] for e in desks.events("feed.unreadable")} == {"warning"}
        assert desks.made.health.counts["feed.unreadable"] == before + 1
