"""Nothing secret and no word of any ticket in a log line, in /healthz, in a hint or an error."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import httpx
import pytest

from syncd.core.model import Side
from syncd.log import EVENTS
from tests.engine.both_desks import SECRETS, STAFF, BothDesks, both_desks

CANARY = "kanarienvogel"
WORDS = (CANARY, "Mia Keller", "Hana Sato", "Alice Agent", "@acme.test", "@customer.example")


async def a_busy_day(desks: BothDesks) -> None:
    """All that writes a line: births, answers, faults, conflicts, a hand-off, parked pairs."""
    say = f"<p>{CANARY} sagt etwas</p>"
    tickets = [desks.open_ticket(say, subject=f"{CANARY} {n}", tags=["t-a"]) for n in range(4)]
    await desks.settle()
    first, second, third, fourth = tickets
    desks.arm(Side.PARTNER, "drop_after", kind="write")
    desks.arm(Side.PARTNER, "status", kind="write", status=429, headers=(("retry-after", "9"),))
    desks.arm(Side.PLATFORM, "html", kind="write", status=502)
    desks.arm(Side.PLATFORM, "truncate", kind="read")
    for ticket_id in tickets:
        desks.write(ticket_id, say)
        await desks.answer(ticket_id, say)
    await desks.settle()
    desks.write(first, who=STAFF, status="Closed")
    await desks.answer(first, status="pending")
    html = f"{say}<p>Reassign to Heroku</p>"
    await desks.answer(second, html, public=False)
    await desks.answer(third, "<p>Reassign to Heroku</p>")
    desks.said.remove("<p>Reassign to Heroku</p>")
    number = desks.twin(fourth).id
    said = [{"description": f"Base: {CANARY} is too long", "error": "TooLong"}]
    body = {"error": "RecordInvalid", "description": CANARY, "details": {"base": said}}
    desks.arm(
        Side.PARTNER, "status", status=422, kind="write", path=f"/{number}$", body=body, times=None
    )
    desks.write(fourth, say)
    await desks.settle()
    desks.arm(Side.PLATFORM, "status", status=401)
    await desks.settle()


async def test_a_busy_day_leaves_no_word_of_any_ticket_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Warnings of the libraries reach standard error as well.
    with caplog.at_level(logging.WARNING):
        async with both_desks(tmp_path, has_webhooks=True) as desks:
            await a_busy_day(desks)
            log = desks.log.getvalue()
            kinds = {event["event"] for event in desks.events()}
            parked = [(p.reason, p.hint) for p in await desks.pairs()]
    assert kinds <= EVENTS.keys()
    assert {
        "connection.down", "connection.unauthorised", "connection.up", "connection.limited",
        "op.unknown", "op.found", "op.refused", "conflict.recorded", "hand_off.moved",
        "comment.held", "pair.parked", "pair.reconciled", "webhook.accepted",
    } <= kinds  # fmt: skip
    for words in (*WORDS, *SECRETS.values()):
        assert words not in log
        assert words not in caplog.text
        assert words not in json.dumps(parked)


async def test_health_tells_no_secret_and_no_ticket(tmp_path: Path) -> None:
    async with both_desks(tmp_path) as desks:
        await a_busy_day(desks)
        desks.arm(Side.PARTNER, "status", status=401, times=None)
        await desks.round()
        shown = json.dumps(
            [desks.made.health.report(), dict(desks.made.health.counts), len(desks.made.queue)]
        )
    assert "unauthorised" in shown
    for words in (*WORDS, *SECRETS.values(), "sandbox-access"):
        assert words not in shown


async def test_a_forged_webhook_leaves_nothing_but_one_line_a_minute(tmp_path: Path) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        ticket_id = desks.open_ticket(f"<p>{CANARY} sagt etwas</p>")
        await desks.settle()
        before = await desks.pairs()
        twin = desks.twin(ticket_id)
        forged = {
            "type": "zen:event-type:ticket.comment_added",
            "subject": f"zen:ticket:{twin.id}",
            "detail": {"id": str(twin.id), "status": "SOLVED", "subject": CANARY},
            "event": {"comment": {"id": "1", "body": CANARY}},
        }
        logged = len(desks.events("webhook.rejected"))
        async with httpx.AsyncClient(base_url=desks.address) as client:
            for _ in range(50):
                answer = await client.post(
                    "/webhooks/acme", json=forged, headers={"x-zendesk-webhook-signature": CANARY}
                )
                assert (answer.status_code, answer.content) == (401, b"")
            desks.clock.advance(61)
            await client.post("/webhooks/acme", json=forged)
        assert desks.made.health.counts["webhook.rejected"] == 51
        lines = desks.events("webhook.rejected")[logged:]
        assert [line["unlogged"] for line in lines] == [0, 49]
        await desks.settle()
        assert await desks.pairs() == before
