"""A Request Tracker that spoils its answers to writes, its pages and its webhooks.

What it may have carried out is never taken for refused; every page ends, and so does every search.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.request_tracker.connector import RequestTrackerConnector
from connectors.request_tracker.webhook import SIGNATURE, TIMESTAMP, read_webhook
from syncd.core.errors import OutcomeUnknown, SyncdError, Unauthentic, Unintelligible
from syncd.core.model import Audience, ConnectionName, OpId, PairId, Side, TicketId
from syncd.core.operations import Draft, Fate, Finding, Intent, UpdateTicket
from syncd.core.stamp import stamp_for
from syncd.ports import Read
from tests.contract.desk import LINK
from tests.support.clock import FakeClock
from tests.support.request_tracker_script import (
    AT,
    QUEUE,
    Json,
    ScriptedRt,
    a_row,
    a_script,
    a_text,
    a_ticket,
    body_of,
    listing,
    ok,
    scripted,
    ticket,
)
from tests.support.spoiling import CANARY, JSON, OFTEN, SEEDS, Spoiling, must_be_ours

OP = OpId("0" * 32)
STAMP = stamp_for(LINK, OP)
SECRET = "the-webhook-secret"
EXAMPLES = settings(max_examples=60, deadline=None)


@dataclass(kw_only=True)
class KeepingRt:
    """A scripted RT with one ticket that remembers what is written to it."""

    script: ScriptedRt = field(default_factory=a_script)
    rows: list[Json] = field(default_factory=lambda: [a_row(7, "Create")])
    fields: dict[str, Any] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return self._comment(request)
        if request.method == "PUT":
            return self._change(body_of(request))
        self._show(request.url.params.get("query", ""))
        return self.script(request)

    @property
    def comments(self) -> int:
        return sum(row["Type"] == "Correspond" for row in self.rows)

    def _comment(self, request: httpx.Request) -> httpx.Response:
        said = body_of(request)
        number = self._next()
        self.rows.insert(0, a_row(number, stamp=said["TxnCustomFields"]["SyncOrigin"]))
        self._change(said)
        return ok(["Correspondence added"], 201, location=f"/REST/2.0/transaction/{number}")

    def _change(self, said: Json) -> httpx.Response:
        if "Status" in said:
            old = self.fields.get("Status", "open")
            self.fields["Status"] = said["Status"]
            row = a_row(self._next(), "Status", OldValue=old, NewValue=said["Status"])
            self.rows.insert(0, row)
        return ok(["done"])

    def _next(self) -> int:
        return int(self.rows[0]["id"]) + 1

    def _show(self, query: str) -> None:
        self.script.on("GET ticket", ticket(int(self.rows[0]["id"]), **self.fields))
        shown = [row for row in self.rows if STAMP not in query or _has_stamp(row)]
        self.script.on("GET transactions", listing(*shown))
        texts = (a_text(number, int(row["id"])) for number, row in enumerate(self.rows, 1))
        self.script.on("GET attachments", listing(*texts))


def _has_stamp(row: Json) -> bool:
    return STAMP in row["CustomFields"][0]["values"]


def an_intent(*, comment: bool, status: str | None) -> Intent:
    draft = Draft(html="<p>Ours</p>", audience=Audience.PUBLIC) if comment else None
    op = UpdateTicket(
        op_id=OP, side=Side.PLATFORM, ticket_id=TicketId("1"), comment=draft, status=status
    )
    return Intent(
        op=op,
        pair_id=PairId(1),
        connection=ConnectionName("rt"),
        stamp=STAMP,
        precondition="7",
        tags_before=frozenset({"vip"}),
        status_before="open",
        highest_comment_id=None,
        known_ids=frozenset(),
        attempt=1,
        sent_at=AT,
    )


async def _write(seed: int, often: float, *, are_riddles: bool) -> None:
    comment, status = ((True, None), (True, "stalled"), (False, "stalled"))[seed % 3]
    rt, clock = KeepingRt(), FakeClock()
    line = Spoiling(httpx.MockTransport(rt), seed, often=often, has_riddles_only=are_riddles)
    connector = scripted(line, clock)
    intent = an_intent(comment=comment, status=status)
    failure: SyncdError | None = None
    try:
        assert (await connector.write(intent)).ticket_id == "1"
    except SyncdError as error:
        failure = must_be_ours(error)
    has_landed = len(rt.rows) > 1
    assert rt.comments <= 1
    if failure is None:
        assert has_landed
    elif has_landed and comment:
        assert isinstance(failure, OutcomeUnknown), repr(failure)
    assert often > 0.0 or failure is None
    finding = await _find(connector, intent)
    if are_riddles and has_landed and comment:
        assert isinstance(finding, SyncdError) or finding.fate is Fate.FOUND
    line.often = 0.0
    clock.advance(3600)
    finding = await _find(connector, intent)
    assert isinstance(finding, Finding), finding
    if comment:
        assert (finding.fate is Fate.FOUND) == has_landed
    await connector.close()


async def _find(connector: Any, intent: Intent) -> Finding | SyncdError:
    try:
        found: Finding = await connector.find(intent)
    except SyncdError as error:
        return must_be_ours(error)
    return found


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
@example(1, 0.0)
@example(2, 0.0)
def test_a_request_tracker_that_spoils_the_answer_to_a_write_has_not_refused_it(
    seed: int, often: float
) -> None:
    asyncio.run(asyncio.wait_for(_write(seed, often, are_riddles=False), 20))


@EXAMPLES
@given(SEEDS, OFTEN)
def test_a_request_tracker_that_answers_riddles_proves_nothing(seed: int, often: float) -> None:
    asyncio.run(asyncio.wait_for(_write(seed, often, are_riddles=True), 20))


# --- pages ---------------------------------------------------------------------------------------


async def _read(seed: int, often: float) -> None:
    """Full pages again and again: each listing ends, whatever they say."""
    rt, clock = a_script(), FakeClock()
    full = [a_row(100 + number, "Status") for number in range(seed % 3, 100)]
    rt.on("GET transactions", listing(*full))
    rt.on("GET tickets", listing(*(a_ticket(id=number) for number in range(1, 51))))
    rt.on("GET attachments", listing(*(a_text(number, 100) for number in range(100))))
    connector = scripted(Spoiling(httpx.MockTransport(rt), seed, often=often), clock)
    for read in Read:
        for since in (0, 50):
            await _ask(connector.fetch(TicketId("1"), read, comments_as_of=since))
    await _ask(connector.fetch_many([TicketId("1"), TicketId("2")]))
    await _ask(_all_pages(connector))
    cursor = None
    for _ in range(3):
        changes = await _ask(connector.read_changes(cursor))
        cursor = changes.cursor if changes is not None else cursor
    await connector.close()


async def _all_pages(connector: RequestTrackerConnector) -> int:
    count = 0
    async for page in connector.view(QUEUE):
        count += len(page.sightings)
    return count


async def _ask(question: Awaitable[Any]) -> Any:
    try:
        return await question
    except SyncdError as error:
        must_be_ours(error)


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
@example(1, 0.0)
def test_pages_of_a_request_tracker_end_whatever_they_say(seed: int, often: float) -> None:
    asyncio.run(asyncio.wait_for(_read(seed, often), 20))


# --- webhooks ------------------------------------------------------------------------------------

_EVENT = {"type": "Correspond", "ticket": 7, "transaction": 8}


def _signed(body: bytes) -> dict[str, str]:
    at = str(int(AT.timestamp()))
    digest = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: at, SIGNATURE: f"v1={digest}"}


def _hear(headers: dict[str, str], body: bytes) -> None:
    try:
        heard = read_webhook(headers, body, secret=SECRET, connection=ConnectionName("rt"), now=AT)
    except Unintelligible as error:
        must_be_ours(error)
        return
    for sighting in heard.sightings:
        # It proves that something happened, and nothing else.
        assert int(sighting.ticket_id) > 0
        assert sighting.ticket is None
        assert sighting.comments == ()


@given(st.binary(max_size=300))
@example(b"[" * 100_000)
@example(b'{"type":"\xff"}')
@example(b'{"ticket":' * 5_000)
@example(json.dumps(_EVENT).encode())
def test_a_signed_call_of_any_bytes_is_heard_or_refused(body: bytes) -> None:
    _hear(_signed(body), body)


@given(st.sampled_from(sorted(_EVENT)), JSON)
@example("ticket", True)
@example("ticket", 2**63)
@example("ticket", 10**30)
@example("transaction", 1e308)
@example("type", CANARY)
def test_a_signed_call_with_one_spoilt_part_is_heard_or_refused(key: str, value: Any) -> None:
    body = json.dumps(_EVENT | {key: value}).encode()
    _hear(_signed(body), body)


@given(st.text(max_size=40), st.text(max_size=80))
@example("9" * 4000, "")
@example("-1", "v1=\ud800")
def test_a_call_with_headers_of_any_text_is_refused(timestamp: str, signature: str) -> None:
    with pytest.raises(Unauthentic):
        _hear({TIMESTAMP: timestamp, SIGNATURE: signature}, json.dumps(_EVENT).encode())
