"""Looks at our own tickets: what is news, what was stored, and what an answer leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import respx

from connectors.zendesk.connector import ZendeskConnector
from syncd.core.errors import Unintelligible
from syncd.core.model import Sighting, TicketId
from syncd.ports import Changes
from tests.support.clock import FakeClock
from tests.support.zendesk_desk import a_connector

BASE = "https://acme.example"
LOOK = f"{BASE}/api/v2/tickets/show_many"


def a_row(number: int, **given: Any) -> dict[str, Any]:
    times = {"created_at": "2027-01-15T07:00:00Z", "updated_at": "2027-01-15T07:30:00Z"}
    return {"id": number, "status": "open", "tags": [], "subject": "Slow"} | times | given


def answers(*rows: dict[str, Any]) -> None:
    date = {"date": "Fri, 15 Jan 2027 08:00:00 GMT"}
    respx.get(url__startswith=LOOK).respond(200, json={"tickets": list(rows)}, headers=date)


def following(*numbers: int) -> ZendeskConnector:
    """A connector whose living pairs hold these tickets."""

    async def open_tickets(after: TicketId, most: int) -> Sequence[TicketId]:
        ids = sorted(TicketId(str(number)) for number in numbers)
        return [ticket_id for ticket_id in ids if ticket_id > after][:most]

    return a_connector(BASE, FakeClock(), token="t", feed="sweep", open_tickets=open_tickets)


async def begun(connector: ZendeskConnector) -> Changes:
    return await connector.read_changes((await connector.read_changes(None)).cursor)


def told(changes: Changes) -> list[str]:
    return [sighting.ticket_id for sighting in changes.sightings]


@pytest.mark.parametrize("cursor", [None, "", '{"since": 1, "events": 1}'])
@respx.mock
async def test_the_first_look_only_begins(cursor: str | None) -> None:
    changes = await following(7).read_changes(cursor)
    assert (changes.sightings, changes.is_end) == ((), True)
    assert respx.calls.call_count == 0


@respx.mock
async def test_without_pairs_a_look_costs_nothing() -> None:
    changes = await begun(following())
    assert (changes.sightings, respx.calls.call_count) == ((), 0)


@respx.mock
async def test_a_row_is_news_once_and_again_when_something_of_it_changed() -> None:
    connector = following(7, 8)
    answers(a_row(7), a_row(8))
    changes = await begun(connector)
    assert told(changes) == ["7", "8"]
    seven = changes.sightings[0]
    assert seven.ticket is not None
    assert (seven.is_read, seven.moved_at) == (True, seven.ticket.fields_as_of)
    changes = await connector.read_changes(changes.cursor)
    assert told(changes) == []
    # The system's own changes do not move `updated_at`.
    answers(a_row(7), a_row(8, tags=["vip"]))
    assert told(await connector.read_changes(changes.cursor)) == ["8"]


@respx.mock
async def test_a_look_that_was_not_stored_comes_again() -> None:
    connector = following(7)
    answers(a_row(7))
    place = (await connector.read_changes(None)).cursor
    for _ in range(3):
        assert told(await connector.read_changes(place)) == ["7"]


@respx.mock
async def test_a_row_that_is_sure_of_its_second_by_now_is_news() -> None:
    connector = following(7)
    answers(a_row(7, updated_at="2027-01-15T08:00:00Z"))
    changes = await begun(connector)
    date = {"date": "Fri, 15 Jan 2027 08:00:10 GMT"}
    rows = {"tickets": [a_row(7, updated_at="2027-01-15T08:00:00Z")]}
    respx.get(url__startswith=LOOK).respond(200, json=rows, headers=date)
    (sighting,) = (await connector.read_changes(changes.cursor)).sightings
    assert sighting.ticket is not None
    assert sighting.ticket.is_confirmed


@respx.mock
async def test_a_round_takes_a_look_for_each_hundred() -> None:
    numbers = range(1000, 1250)
    connector = following(*numbers)
    asked: list[str] = []

    def shown(request: httpx.Request) -> httpx.Response:
        ids = dict(request.url.params)["ids"].split(",")
        asked.extend(ids)
        return httpx.Response(200, json={"tickets": [a_row(int(number)) for number in ids]})

    respx.get(url__startswith=LOOK).mock(side_effect=shown)
    changes = await connector.read_changes(None)
    for _ in range(3):
        changes = await connector.read_changes(changes.cursor)
        assert changes.is_end
    assert asked == [str(number) for number in numbers]
    await connector.read_changes(changes.cursor)
    assert asked[250:] == [str(number) for number in range(1000, 1100)]


@respx.mock
async def test_a_row_that_cannot_be_read_is_told_once() -> None:
    connector = following(7, 8)
    answers(a_row(7, updated_at="soon"), a_row(8))
    changes = await begun(connector)
    assert changes.sightings[0] == Sighting(ticket_id=TicketId("7"), is_unreadable=True)
    assert changes.unreadable_count == 1
    changes = await connector.read_changes(changes.cursor)
    assert (changes.sightings, changes.unreadable_count) == ((), 0)


@respx.mock
async def test_a_ticket_that_is_left_out_is_to_be_asked_for_by_itself_and_once() -> None:
    connector = following(7, 8)
    answers(a_row(8))
    changes = await begun(connector)
    (left_out,) = [s for s in changes.sightings if s.ticket_id == "7"]
    assert (left_out.ticket, left_out.moved_at) == (None, 1_800_000_000)
    assert (await connector.read_changes(changes.cursor)).sightings == ()
    answers(a_row(7), a_row(8))
    assert told(await connector.read_changes(changes.cursor)) == ["7"]


@respx.mock
async def test_all_left_out_is_believed_only_if_one_of_them_is_really_not_there() -> None:
    connector = following(7, 8)
    answers()
    one = respx.get(f"{BASE}/api/v2/tickets/7").respond(200, json={"ticket": a_row(7)})
    place = (await connector.read_changes(None)).cursor
    with pytest.raises(Unintelligible):
        await connector.read_changes(place)
    one.respond(404, json={"error": "RecordNotFound"})
    assert told(await connector.read_changes(place)) == ["7", "8"]
