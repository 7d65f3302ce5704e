"""A Zendesk that spoils its answers about many tickets at once: imports, bulk updates, their jobs.

What an answer does not prove is not done, what may have landed is never taken for refused, and as
soon as the desk answers as it should, what landed is found. Jobs that never end are given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import httpx
from hypothesis import example, given, settings

from connectors.zendesk.connector import ZendeskConnector
from syncd.core.errors import OutcomeUnknown, SyncdError
from syncd.core.model import Audience, OpId, Side
from syncd.core.operations import Answer, CreateTicket, Fate, Finding, Intent, UpdateTicket
from tests.contract.desk import a_creation, a_draft, look
from tests.contract.desk import an_intent as an_intent_of
from tests.support.spoiling import OFTEN, SEEDS, Spoiling, must_be_ours
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk

#: Enough for a job, few enough to be read at once.
COMPANY = 5
EXAMPLES = settings(max_examples=25, deadline=None)


def imports(desk: ZendeskDesk) -> list[Intent]:
    """Creations of two comments each, that go together."""
    found = []
    for number in range(COMPANY):
        drafts = (
            a_draft(desk, f"<p>first {number}</p>"),
            a_draft(desk, f"<p>second {number}</p>", Audience.SHARED),
        )
        op = a_creation(desk, *drafts, is_silent=True, op_id=f"{number:032x}")
        found.append(replace(an_intent_of(desk, op), company=COMPANY))
    return found


async def updates(desk: ZendeskDesk) -> list[Intent]:
    """Updates that go together: three say something, two change the status."""
    numbers = [await desk.open_ticket() for _ in range(COMPANY)]
    found = []
    for place, number in enumerate(numbers):
        draft = a_draft(desk, f"<p>word {number}</p>", Audience.SHARED) if place % 2 == 0 else None
        op = UpdateTicket(
            op_id=OpId(f"{int(number):032x}"),
            side=Side.PARTNER,
            ticket_id=number,
            comment=draft,
            status=None if draft else "pending",
        )
        shown = await look(desk, number)
        found.append(replace(an_intent_of(desk, op, shown), company=COMPANY))
    return found


def landed(desk: ZendeskDesk, intent: Intent) -> int:
    """How often an operation was carried out."""
    op = intent.op
    if isinstance(op, CreateTicket):
        return len(desk.tickets(op.external_id))
    assert isinstance(op, UpdateTicket)
    stored = desk.stored(op.ticket_id)
    return stored.count("word") if op.comment else int(stored.status == "pending")


def hold(desk: ZendeskDesk, intent: Intent, result: Answer | BaseException) -> None:
    """What the port promises of one write among many."""
    count = landed(desk, intent)
    assert count <= 1
    if isinstance(result, Answer):
        assert count == 1
        if isinstance(intent.op, CreateTicket):
            assert desk.tickets(intent.op.external_id) == (result.ticket_id,)
        else:
            assert result.ticket_id == intent.op.ticket_id
        return
    error = must_be_ours(result)
    if count:
        assert isinstance(error, OutcomeUnknown), repr(error)


async def looked_for(connector: ZendeskConnector, intent: Intent) -> Finding | SyncdError:
    try:
        return await connector.find(intent)
    except SyncdError as error:
        return must_be_ours(error)


async def _play(seed: int, often: float, *, are_riddles: bool, is_import: bool) -> None:
    async with a_zendesk_desk() as desk:
        wanted = imports(desk) if is_import else await updates(desk)
        line = Spoiling(
            httpx.ASGITransport(app=desk.sandbox), seed, often=often, has_riddles_only=are_riddles
        )
        connector = a_connector(desk.address, desk.clock, token=TOKEN, transport=line)
        writes = (connector.write(intent) for intent in wanted)
        results = await asyncio.gather(*writes, return_exceptions=True)
        for intent, result in zip(wanted, results, strict=True):
            hold(desk, intent, result)
            assert often > 0.0 or isinstance(result, Answer)
        lost = [i for i, r in zip(wanted, results, strict=True) if isinstance(r, OutcomeUnknown)]
        for intent, finding in zip(lost, await _find(connector, lost), strict=True):
            if isinstance(finding, Finding) and (are_riddles or finding.fate is Fate.FOUND):
                assert finding.fate is Fate.FOUND or not landed(desk, intent)
                assert finding.fate is not Fate.FOUND or landed(desk, intent)
        line.often = 0.0
        await _find(connector, lost)
        # The first look may be told to wait for what could be on its way yet.
        desk.clock.advance(60)
        for intent, finding in zip(lost, await _find(connector, lost), strict=True):
            assert isinstance(finding, Finding), finding
            assert (finding.fate is Fate.FOUND) == bool(landed(desk, intent)), finding.fate
        await connector.close()


async def _find(connector: ZendeskConnector, lost: Sequence[Intent]) -> list[Finding | SyncdError]:
    return list(await asyncio.gather(*(looked_for(connector, intent) for intent in lost)))


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
@example(1, 0.2)
@example(373, 1.0)
def test_spoilt_answers_about_imports_lose_and_double_none(seed: int, often: float) -> None:
    asyncio.run(asyncio.wait_for(_play(seed, often, are_riddles=False, is_import=True), 20))


@EXAMPLES
@given(SEEDS, OFTEN)
@example(0, 0.0)
def test_spoilt_answers_about_bulk_updates_lose_and_double_none(seed: int, often: float) -> None:
    asyncio.run(asyncio.wait_for(_play(seed, often, are_riddles=False, is_import=False), 20))


@EXAMPLES
@given(SEEDS, OFTEN)
def test_riddles_instead_of_answers_prove_nothing_about_many_tickets(
    seed: int, often: float
) -> None:
    asyncio.run(asyncio.wait_for(_play(seed, often, are_riddles=True, is_import=seed % 2 == 0), 20))
