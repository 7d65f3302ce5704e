"""Webhooks through the real door: durable before the 202, and nothing left of a refused one."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from connectors.zendesk.connector import ZendeskConnector
from syncd.core.errors import StoreUnavailable
from syncd.core.model import Side
from syncd.core.operations import Answer, Intent
from syncd.store import open_store
from tests.engine.both_desks import HEROKU, SECRETS, STAFF, BothDesks, both_desks, both_know

SECRET = SECRETS["HEROKU_HOOK"]


def signed(
    desks: BothDesks, body: bytes, *, secret: str = SECRET, age: float = 0
) -> dict[str, str]:
    at = str(int(desks.clock.time() - age))
    digest = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "platform-webhook-id": "1",
        "platform-webhook-timestamp": at,
        "platform-webhook-signature": f"v1={digest}",
    }


async def post(desks: BothDesks, body: bytes, headers: Mapping[str, str]) -> int:
    async with httpx.AsyncClient(base_url=desks.address) as client:
        answer = await client.post("/webhooks/heroku", content=body, headers=dict(headers))
    return answer.status_code


async def a_change(desks: BothDesks, ticket_id: str) -> bytes:
    """The newest entry of the platform's feed, as a webhook carries it."""
    query = {"cursor": "0", "limit": "500"}
    page = await desks.controls["heroku"].get("/changes", params=query)
    changes = [c for c in page.json()["changes"] if c["ticket"]["id"] == ticket_id]
    return json.dumps(changes[-1]).encode()


async def test_an_accepted_webhook_is_known_to_another_process_at_once(tmp_path: Path) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        desks.platform.platform.hooks.webhooks.clear()
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        body = await a_change(desks, ticket_id)
        assert await post(desks, body, signed(desks, body)) == 202
        store = open_store(tmp_path / "syncd.db")
        (pair,) = await store.find_pairs()
        await store.close()
        assert pair.tickets[Side.PLATFORM] == ticket_id
        assert pair.is_dirty


@pytest.mark.parametrize("doubles", [1, 5])
async def test_a_webhook_that_comes_again_is_no_more_than_the_first(
    tmp_path: Path, doubles: int
) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        desks.platform.platform.hooks.webhooks.clear()
        desks.write(ticket_id, "<p>noch eine Frage</p>")
        body = await a_change(desks, ticket_id)
        for _ in range(doubles):
            assert await post(desks, body, signed(desks, body)) == 202
            await desks.run_due()
        await desks.settle()
        assert await post(desks, body, signed(desks, body)) == 202
        written = desks.writes()
        await desks.settle()
        both_know(desks, ticket_id, "noch eine Frage")
        assert desks.writes() == written


@pytest.mark.parametrize(
    ("body", "secret", "age", "status"),
    [
        (b"{}", SECRET, 0, 422),
        (b"\xff\xfe not json", SECRET, 0, 422),
        (b'{"ticket": null, "update": 7}', SECRET, 0, 422),
        (b"[" * 100_000, SECRET, 0, 422),
        (b"", SECRET, 0, 422),
        (b"{}", "another secret of some length", 0, 401),
        (b"{}", "", 0, 401),
        (b"{}", SECRET, 3600, 401),
        (b"{}", SECRET, -3600, 401),
    ],
    ids=["empty", "noise", "wrong shape", "deep", "nothing", "forged", "bare", "old", "future"],
)
async def test_a_refused_webhook_leaves_nothing(
    tmp_path: Path, body: bytes, secret: str, age: float, status: int
) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        before = _tables(tmp_path)
        headers = signed(desks, body, secret=secret, age=age)
        assert await post(desks, body, headers) == status
        assert _tables(tmp_path) == before
        assert desks.made.health.counts["webhook.rejected"] == 1
        assert desks.made.health.counts["webhook.accepted"] == 0
        assert len(desks.made.queue) == 0


async def test_a_webhook_of_a_ticket_that_nobody_wants_stores_nothing_of_it(tmp_path: Path) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        desks.platform.platform.hooks.webhooks.clear()
        ticket_id = desks.open_ticket("<p>geht niemand an</p>", view="globex-search")
        body = await a_change(desks, ticket_id)
        before = _tables(tmp_path)
        assert await post(desks, body, signed(desks, body)) == 202
        assert _tables(tmp_path) == before


async def test_a_webhook_that_cannot_be_stored_is_not_accepted_and_the_poll_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.app.open_store", _impatient)
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        desks.platform.platform.hooks.webhooks.clear()
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        body = await a_change(desks, ticket_id)
        other = sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert await post(desks, body, signed(desks, body)) == 503
        with pytest.raises(StoreUnavailable):
            await desks.poll()
        other.execute("ROLLBACK")
        other.close()
        assert desks.made.health.counts["webhook.accepted"] == 0
        # A supervisor starts the daemon again; here the lock alone was the trouble.
        await desks.settle()
        both_know(desks, ticket_id, "woran es liegt")


async def test_webhooks_alone_carry_both_ways(tmp_path: Path) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await _carried(desks)
        await desks.answer(ticket_id, "<p>eine gute Antwort</p>", status="pending")
        await _carried(desks)
        desks.write(ticket_id, "<p>noch eine Frage</p>", status="Open", who=STAFF)
        await _carried(desks)
        both_know(desks, ticket_id, "woran es liegt", "eine gute Antwort", "noch eine Frage")
        assert desks.twin(ticket_id).status == "open"
        for side in Side:
            polls = [r for r in desks.requests(side) if "changes" in r[1] or "incremental" in r[1]]
            assert len(polls) <= 2, "only the first look"
        assert desks.made.health.state(HEROKU).value == "up"


async def _carried(desks: BothDesks) -> None:
    for _ in range(6):
        desks.clock.advance(2)
        await desks.platform.platform.courier.idle()
        await desks.partners["acme"].desk.webhooks.courier.idle()
        await desks.run_due()


def _impatient(path: Path) -> object:
    return open_store(path, busy_timeout_seconds=0.05)


def _tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the store holds."""
    file = sqlite3.connect(folder / "syncd.db")
    names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    held = {name: file.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
    file.close()
    return held


async def test_what_a_webhook_tells_before_the_answer_of_our_write_is_not_forgotten_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        await desks.answer(ticket_id, status="solved")
        await desks.settle()
        ordinary = ZendeskConnector.write

        async def answered_late(self: ZendeskConnector, intent: Intent) -> Answer:
            monkeypatch.undo()
            await desks.switch(webhook_loss=1.0)
            answer = await ordinary(self, intent)
            await desks.switch(webhook_loss=0.0)
            # Solved once more: to the mirror, which has not heard of our write, all is as it was.
            desks.clock.advance(2)
            await desks.answer(ticket_id, status="solved")
            await desks.partners["acme"].desk.webhooks.courier.idle()
            return answer

        monkeypatch.setattr(ZendeskConnector, "write", answered_late)
        desks.write(ticket_id, who=STAFF, status="Open")
        await desks.settle()
        assert (desks.ticket(ticket_id).status, desks.twin(ticket_id).status) == (
            "Closed",
            "solved",
        )
