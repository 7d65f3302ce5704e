"""A hundred thousand webhooks that must be refused, through the real door, in one process.

Counted here: what one costs, what the memory keeps, how many lines the log has, what the store and
the queue hold afterwards. The bounds are wide: they catch a cost that grows, not a slow machine.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import hashlib
import hmac
import itertools
import json
import sqlite3
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from syncd.core.model import Side
from syncd.log import configure
from syncd.web.server import web_app
from tests.engine.both_desks import BothDesks, both_desks, both_know
from tests.engine.test_webhooks import a_change, signed
from tests.support.serve_web import TellsAsTold

FLOOD = 100_000
REPLAYS = 5_000
#: Of CPU time, on the slowest machine that a test ever ran on.
MOST_SECONDS_EACH = 0.002
#: One that is taken is a transaction of the store's.
MOST_SECONDS_EACH_ACCEPTED = 0.01
MOST_BYTES_KEPT = 200_000
SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
Headers = Mapping[str, str]


async def posted(application: Starlette, path: str, headers: Headers, body: bytes) -> int:
    """One POST, without a socket; its status."""
    statuses: list[int] = []
    bodies = [body]

    async def receive() -> Message:
        return {"type": "http.request", "body": bodies.pop() if bodies else b""}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode("latin-1"), v.encode("latin-1")) for name, v in headers.items()],
    }
    await application(scope, receive, send)
    # As between any two requests: the loop forgets the timers of the last one.
    await asyncio.sleep(0)
    return statuses[0]


def the_door(desks: BothDesks) -> Starlette:
    made = desks.made
    return web_app(
        paths={f"/webhooks/{name}": name for name in made.connectors},
        receive=made.receive,
        telling=TellsAsTold(),
    )


def attacks(desks: BothDesks, genuine: bytes) -> Iterator[tuple[str, Headers, bytes, int]]:
    """Forged, stale, malformed, unknown, for ever: path, headers, body and the due answer."""
    known = signed(desks, genuine)
    stale = signed(desks, genuine, age=3600)
    riddle = b'{"ticket": null}'
    solved = signed(desks, riddle)
    # The same at the other door, under the other vendor's signature.
    called = json.dumps({"syncd": 1, "ticket_id": "4001"}).encode()
    by_zendesk = signed_by_zendesk(desks, called)
    old = signed_by_zendesk(desks, called, age=3600)
    unclear = signed_by_zendesk(desks, riddle)
    for number in itertools.count():
        text = json.dumps({"ticket": {"id": f"{number}"}, "update": None}).encode()
        yield "/webhooks/heroku", {**known, "platform-webhook-id": str(number)}, text, 401
        yield "/webhooks/heroku", stale, genuine, 401
        yield "/webhooks/heroku", solved, riddle, 422
        yield "/webhooks/heroku", {"platform-webhook-timestamp": f"{number}é"}, genuine, 401
        yield "/webhooks/acme", {"x-zendesk-webhook-signature": f"sig{number}"}, text, 401
        yield (
            "/webhooks/acme",
            {**by_zendesk, TIMESTAMP: later(desks, 1 + number % 100)},
            called,
            401,
        )
        yield "/webhooks/acme", by_zendesk, called + b" ", 401
        yield "/webhooks/acme", old, called, 401
        yield "/webhooks/acme", unclear, riddle, 422
        yield f"/webhooks/{number}", known, genuine, 404


def later(desks: BothDesks, seconds: float) -> str:
    """A moment as Zendesk writes it."""
    moment = datetime.fromtimestamp(desks.clock.time() + seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def signed_by_zendesk(desks: BothDesks, body: bytes, *, age: float = 0) -> Headers:
    """As the vendor signs: base64 of the SHA-256 over the time and the body."""
    (hook,) = desks.partners["acme"].desk.webhooks._hooks.values()
    at = later(desks, -age)
    digest = hmac.new(hook.secret.encode(), at.encode() + body, hashlib.sha256).digest()
    return {SIGNATURE: base64.b64encode(digest).decode(), TIMESTAMP: at}


@contextlib.asynccontextmanager
async def one_pair(folder: Path) -> AsyncIterator[tuple[BothDesks, str]]:
    """Both desks with a ticket that both know; the platform calls nobody by itself."""
    async with both_desks(folder, has_webhooks=True) as desks:
        desks.platform.platform.hooks.webhooks.clear()
        ticket_id = desks.open_ticket("<p>woran es liegt</p>")
        await desks.settle()
        yield desks, ticket_id


def kept(folder: Path) -> Counter[str]:
    """Rows by table."""
    file = sqlite3.connect(folder / "syncd.db")
    names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {
        name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
        for name in names
    }
    file.close()
    return Counter(rows)


@pytest.mark.slow
async def test_a_hundred_thousand_refused_webhooks_leave_nothing_but_a_few_lines(
    tmp_path: Path,
) -> None:
    async with one_pair(tmp_path) as (desks, ticket_id):
        genuine = await a_change(desks, ticket_id)
        door, refused = the_door(desks), attacks(desks, genuine)
        for path, headers, body, status in itertools.islice(refused, 2_000):
            assert await posted(door, path, headers, body) == status
        before, rows, lines = desks.made.health.counts.copy(), kept(tmp_path), len(desks.events())
        waiting = len(desks.made.queue)

        gc.collect()
        tracemalloc.start()
        for path, headers, body, _ in itertools.islice(refused, 10_000):
            await posted(door, path, headers, body)
        gc.collect()
        bytes_kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        began = time.process_time()
        for path, headers, body, status in itertools.islice(refused, FLOOD - 10_000):
            assert await posted(door, path, headers, body) == status
        each = (time.process_time() - began) / (FLOOD - 10_000)

        counts = desks.made.health.counts
        rejected = counts["webhook.rejected"] - before["webhook.rejected"]
        assert abs(rejected - FLOOD * 9 / 10) < 10, "all but those to addresses that are none"
        assert counts["webhook.accepted"] == before["webhook.accepted"]
        assert kept(tmp_path) == rows
        assert len(desks.made.queue) == waiting
        assert len(desks.events()) - lines == 0, "within the minute every cause was told already"
        assert bytes_kept < MOST_BYTES_KEPT, "after ten thousand"
        assert each < MOST_SECONDS_EACH
        print(f"{each * 1e6:.0f} µs each, {bytes_kept} bytes kept after 10,000")  # noqa: T201


async def test_an_hour_of_attacks_is_a_line_a_minute_for_each_cause(tmp_path: Path) -> None:
    async with one_pair(tmp_path) as (desks, ticket_id):
        genuine = await a_change(desks, ticket_id)
        door, lines = the_door(desks), len(desks.events())
        for _ in range(60):
            for path, headers, body, _status in itertools.islice(attacks(desks, genuine), 120):
                await posted(door, path, headers, body)
            desks.clock.advance(60)
        told = desks.events()[lines:]
        # Two causes at each door.
        assert {line["event"] for line in told} == {"webhook.rejected"}
        assert len(told) == 4 * 60


@pytest.mark.slow
async def test_a_replayed_webhook_is_taken_for_no_news_however_often_it_comes(
    tmp_path: Path,
) -> None:
    """Genuine ones of both desks, caught on their way and sent again within their five minutes."""
    async with one_pair(tmp_path) as (desks, ticket_id):
        desks.write(ticket_id, "<p>ein Wort</p>")
        genuine = await a_change(desks, ticket_id)
        moved = later(desks, 0)
        called = json.dumps(
            {"syncd": 1, "ticket_id": str(desks.twin(ticket_id).id), "updated_at": moved}
        ).encode()
        await desks.settle()
        caught = (
            ("/webhooks/heroku", signed(desks, genuine), genuine),
            ("/webhooks/acme", signed_by_zendesk(desks, called), called),
        )
        # What is told of each one is for those who look for it.
        configure(form="json", level="info", stream=desks.log)
        door = the_door(desks)

        async def replay(count: int) -> None:
            for path, headers, body in itertools.islice(itertools.cycle(caught), count):
                assert await posted(door, path, headers, body) == 202

        await replay(200)
        await desks.run_due()
        desks.forget_requests()
        rows, lines = kept(tmp_path), len(desks.events())
        waiting = len(desks.made.queue)
        gc.collect()
        tracemalloc.start()
        await replay(REPLAYS // 5)
        gc.collect()
        bytes_kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        began = time.process_time()
        await replay(REPLAYS)
        each = (time.process_time() - began) / REPLAYS

        assert kept(tmp_path) == rows
        assert len(desks.events()) == lines
        assert len(desks.made.queue) == waiting
        assert await desks.made.store.load_due(desks.clock.now()) == []
        assert bytes_kept < MOST_BYTES_KEPT
        assert each < MOST_SECONDS_EACH_ACCEPTED
        for side in Side:
            assert desks.requests(side) == []
        both_know(desks, ticket_id, "ein Wort")
        print(f"{each * 1e6:.0f} µs each, {bytes_kept} bytes kept after 1,000")  # noqa: T201


async def test_signed_webhooks_of_millions_of_strangers_tickets_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from an account whose other customers write all day; a thousand stand for them."""
    async with both_desks(tmp_path, has_webhooks=True) as desks:
        desks.platform.platform.hooks.webhooks.clear()
        strange = desks.open_ticket("<p>geht niemand an</p>", view="globex-search")
        shown = json.loads(await a_change(desks, strange))
        door, rows, waiting = the_door(desks), kept(tmp_path), len(desks.made.queue)

        async def flood(numbers: range) -> None:
            for number in numbers:
                shown["ticket"]["id"] = f"K{number}"
                if shown.get("update"):
                    shown["update"]["ticket_id"] = f"K{number}"
                body = json.dumps(shown).encode()
                assert await posted(door, "/webhooks/heroku", signed(desks, body), body) == 202

        # What is told of each one is for those who look for it.
        configure(form="json", level="info", stream=desks.log)
        # So many are remembered, to tell which changes no webhook announced.
        monkeypatch.setattr("syncd.engine.missed._MOST_REMEMBERED", 200)
        tracemalloc.start()
        await flood(range(300))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await flood(range(300, 1_300))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept(tmp_path) == rows
        assert len(desks.made.queue) == waiting
        assert after - before < 100_000
