"""Custom statuses by the names of the settings: read wherever a ticket shows, and written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from connectors.zendesk import mapping
from connectors.zendesk.sandbox import CustomStatus
from connectors.zendesk.sandbox.custom_statuses import CUSTOM_STATUS, named_status
from connectors.zendesk.sandbox.records import Ticket
from connectors.zendesk.settings import Settings
from connectors.zendesk.status_names import StatusNames
from connectors.zendesk.webhook import read_webhook
from syncd.core.errors import Refusal, Rejected
from syncd.core.model import ConnectionName, Sighting, Status, TicketId
from syncd.core.operations import Fate
from tests.contract.desk import a_creation, a_draft, an_intent, an_update, look
from tests.support.zendesk_desk import AGENT, ZendeskDesk, a_zendesk_desk
from tests.wire.test_zendesk_mapping import a_row, an_audit, an_event
from tests.wire.test_zendesk_webhook import NOW, SECRET, an_envelope, signed

WAITING = "Waiting for engineering"
OWN = (
    CustomStatus(label="waiting for Engineering", category="open"),
    CustomStatus(label="Parked", category="hold"),
    CustomStatus(label="Retired", category="open", is_active=False),
    CustomStatus(label="Moved", category="pending"),
)
SETTING = {WAITING: "open", "Parked": "hold", "Retired": "open", "Moved": "open", "Nowhere": "open"}
PATH = "/api/v2/custom_statuses"


@asynccontextmanager
async def a_desk(named: dict[str, str] | None = None, **more: Any) -> AsyncIterator[ZendeskDesk]:
    connection = {"custom_statuses": SETTING if named is None else named}
    async with a_zendesk_desk(custom_statuses=OWN, connection=connection, **more) as desk:
        yield desk


async def give(desk: ZendeskDesk, ticket_id: TicketId, label: str) -> None:
    await desk.act(**{"as": AGENT, "ticket_id": int(ticket_id), "custom_status": label})


def the_id(desk: ZendeskDesk, label: str) -> int:
    return named_status(desk.sandbox.desk.account.settings, label)


def kept(desk: ZendeskDesk, ticket_id: TicketId) -> Ticket:
    return desk.sandbox.desk.account.tickets[int(ticket_id)]


def listings(desk: ZendeskDesk) -> int:
    return sum(entry.path == PATH for entry in desk.sandbox.log.since(0))


def bodies_of(desk: ZendeskDesk, ticket_id: TicketId) -> int:
    path = f"/api/v2/tickets/{ticket_id}"
    return sum(e.path == path and e.method == "PUT" for e in desk.sandbox.log.since(0))


async def walked(desk: ZendeskDesk) -> list[Sighting]:
    cursor: str | None = None
    found: list[Sighting] = []
    for _ in range(10):
        changes = await desk.connector.read_changes(cursor)
        cursor = changes.cursor
        found += changes.sightings
        if changes.is_end:
            break
    return found


# --- reading -------------------------------------------------------------------------------------


async def test_a_ticket_shows_the_name_of_its_custom_status_and_the_thread_who_gave_it() -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        await desk.change(ticket_id, status="open")
        assert (await look(desk, ticket_id)).ticket.status == "open"
        await give(desk, ticket_id, OWN[0].label)
        read = (await look(desk, ticket_id)).ticket
        assert read.status == WAITING
        assert read.status_update is not None
        assert read.status_update.status == WAITING
        assert read.status_update.update_id == str(kept(desk, ticket_id).audits[-1].id)
        await desk.change(ticket_id, status="open")
        back = (await look(desk, ticket_id)).ticket
        assert (back.status, back.status_update and back.status_update.status) == ("open", "open")
        await desk.change(ticket_id, status="closed")
        assert (await look(desk, ticket_id)).ticket.status == "closed"
        assert listings(desk) == 1


async def test_many_tickets_and_a_sweep_show_names() -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        await give(desk, ticket_id, "Parked")
        (shown,) = await desk.connector.fetch_many([ticket_id])
        assert shown.ticket is not None
        assert shown.ticket.status == "Parked"


async def test_both_exports_show_names() -> None:
    async with a_desk() as desk:
        cursor = (await desk.connector.read_changes(None)).cursor
        desk.clock.advance(70)
        ticket_id = await desk.open_ticket()
        desk.clock.advance(2)
        await give(desk, ticket_id, OWN[0].label)
        await desk.catch_up()
        found: list[Sighting] = []
        for _ in range(6):
            changes = await desk.connector.read_changes(cursor)
            cursor = changes.cursor
            found += changes.sightings
        fields = [s.ticket.status for s in found if s.ticket is not None]
        given = [s.status_update.status for s in found if s.status_update is not None]
        assert set(fields) == {WAITING}
        assert given[-1] == WAITING


async def test_an_exported_row_without_its_custom_status_only_says_that_the_ticket_moved() -> None:
    async with a_desk() as desk:
        cursor = (await desk.connector.read_changes(None)).cursor
        desk.clock.advance(70)
        ticket_id = await desk.open_ticket()
        await give(desk, ticket_id, OWN[0].label)
        kept(desk, ticket_id).values["custom_status_id"] = None
        await desk.catch_up()
        found: list[Sighting] = []
        for _ in range(4):
            changes = await desk.connector.read_changes(cursor)
            cursor = changes.cursor
            found += changes.sightings
        assert [s.ticket for s in found if s.ticket is not None] == []
        moved = [s.moved_at for s in found if s.moved_at is not None]
        assert moved == [kept(desk, ticket_id).updated_at]
        # A ticket that is asked for by itself and shows none has none.
        assert (await look(desk, ticket_id)).ticket.status == "open"


async def test_webhooks_that_the_desk_sends_show_names_once_these_are_known() -> None:
    async with a_desk() as desk:
        hook = (await desk.control.get("/api/v2/webhooks")).json()["webhooks"][0]["id"]
        wanted = {"subscriptions": ["zen:event-type:ticket.custom_status_changed"]}
        await desk.control.put(f"/api/v2/webhooks/{hook}", json={"webhook": wanted})
        ticket_id = await desk.open_ticket()
        await give(desk, ticket_id, OWN[0].label)
        (sent,) = await desk.deliveries()
        (early,) = desk.connector.read_webhook(
            sent.headers, sent.body, now=desk.clock.now()
        ).sightings
        assert (early.ticket, early.moved_at) == (None, kept(desk, ticket_id).updated_at)
        await look(desk, ticket_id)
        (told,) = desk.connector.read_webhook(
            sent.headers, sent.body, now=desk.clock.now()
        ).sightings
        assert told.ticket is not None
        assert told.ticket.status == WAITING
        assert told.status_update is not None
        assert told.status_update.status == WAITING


async def test_without_the_setting_nothing_is_asked_and_nothing_is_named() -> None:
    async with a_zendesk_desk(custom_statuses=OWN) as desk:
        ticket_id = await desk.open_ticket()
        await give(desk, ticket_id, OWN[0].label)
        seen = await look(desk, ticket_id)
        assert seen.ticket.status == "open"
        op = an_update(desk, ticket_id, status="pending")
        await desk.connector.write(an_intent(desk, op, seen))
        await desk.connector.check()
        await walked(desk)
        assert listings(desk) == 0


async def test_a_status_that_was_moved_to_another_category_is_its_category() -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        await give(desk, ticket_id, "Moved")
        assert (await look(desk, ticket_id)).ticket.status == "pending"


# --- what is not told ----------------------------------------------------------------------------

NAMES = StatusNames(
    named={WAITING: "open"},
    names={"90": WAITING},
    categories={"90": "open", "91": "open", "92": "pending"},
    is_known=True,
)


def heard(kind: str, names: StatusNames = NAMES, event: Any = None, **detail: Any) -> Sighting:
    envelope = an_envelope(kind, detail=detail, **({"event": event} if event else {}))
    body = json.dumps(envelope).encode()
    (found,) = read_webhook(
        signed(body),
        body,
        secret=SECRET,
        connection=ConnectionName("acme"),
        base_url="https://acme.test",
        now=NOW,
        names=names,
    ).sightings
    return found


def test_a_webhook_names_the_custom_status_and_who_gave_it() -> None:
    moved = {"current": "90", "previous": "91"}
    told = heard("custom_status_changed", event=moved, status="OPEN", custom_status="90")
    assert told.ticket is not None
    assert told.ticket.status == WAITING
    assert told.status_update is not None
    assert (told.status_update.status, told.status_update.actor_id) == (WAITING, "21")
    unnamed = heard(
        "custom_status_changed",
        event={"current": "91", "previous": "93"},
        status="OPEN",
        custom_status="91",
    )
    assert unnamed.ticket is not None
    assert (unnamed.ticket.status, unnamed.status_update) == ("open", None)


@pytest.mark.parametrize("custom", [None, "", "Waiting"])
def test_a_webhook_with_the_category_alone_only_says_that_the_ticket_moved(custom: Any) -> None:
    untold = heard("comment_added", status="OPEN", custom_status=custom)
    assert untold.ticket is None
    assert untold.moved_at is not None
    assert untold.status_update is None


def test_a_webhook_before_the_names_are_known_only_says_that_the_ticket_moved() -> None:
    early = StatusNames(named=NAMES.named)
    untold = heard("status_changed", early, status="OPEN", custom_status="90")
    assert (untold.ticket, untold.moved_at is None) == (None, False)
    # No name is in this category: there is nothing to be known.
    told = heard("status_changed", early, status="PENDING", custom_status="92")
    assert told.ticket is not None
    assert told.ticket.status == "pending"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ([("status", "open", "pending"), ("custom_status_id", "90", "92")], WAITING),
        ([("custom_status_id", "90", "91")], WAITING),
        ([("custom_status_id", "91", "90")], "open"),
        ([("custom_status_id", "91", "93")], "open"),
        ([("custom_status_id", "92", "92")], None),
        ([("custom_status_id", "77", "91")], None),
        ([("status", "open", "pending")], None),
        ([("status", "pending", "open")], "pending"),
        ([("status", "closed", "solved")], "closed"),
    ],
)
def test_an_update_gives_what_it_tells(
    changes: list[tuple[str, str, str]], status: str | None
) -> None:
    audit = an_audit(
        *(
            {"type": "Change", "field_name": name, "value": value, "previous_value": before}
            for name, value, before in changes
        )
    )
    fed = an_event(
        *(
            {"event_type": "Change", name: value, "previous_value": before}
            for name, value, before in changes
        )
    )
    for update in (audit, fed):
        given = mapping.status_update_of(update, NAMES)
        assert (given and given.status) == status


def test_what_an_update_replaced_has_its_name() -> None:
    change = {"type": "Change", "field_name": "custom_status_id", "previous_value": "90"}
    assert mapping.replaced_status(an_audit(change).audit, NAMES) == WAITING
    pending = {"type": "Change", "field_name": "status", "previous_value": "Pending"}
    assert mapping.replaced_status(an_audit(pending).audit, NAMES) == "pending"
    assert mapping.replaced_status(an_audit().audit, NAMES) is None


def test_a_ticket_that_has_no_custom_status_has_its_category() -> None:
    row = a_row(status="open")
    read = mapping.to_ticket(row, seen_at=None, people={}, base_url="", names=NAMES)
    assert read.status == "open"


# --- writing -------------------------------------------------------------------------------------


async def test_a_name_is_written_as_the_custom_status_and_a_category_as_itself() -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, status=WAITING, comment=a_draft(desk, "<p>Hi</p>"))
        answer = await desk.connector.write(an_intent(desk, op, seen))
        ticket = kept(desk, ticket_id)
        assert ticket.values["custom_status_id"] == the_id(desk, OWN[0].label)
        assert answer.sighting.ticket is not None
        assert answer.sighting.ticket.status == WAITING
        assert answer.sighting.status_update is not None
        assert answer.sighting.status_update.status == WAITING
        assert answer.replaced_status == "new"

        seen = await look(desk, ticket_id)
        op = replace(an_update(desk, ticket_id, status="open"), op_id=op.op_id)
        answer = await desk.connector.write(an_intent(desk, op, seen))
        assert kept(desk, ticket_id).values["custom_status_id"] == CUSTOM_STATUS["open"]
        assert answer.replaced_status == WAITING


@pytest.mark.parametrize(
    ("name", "words"), [("Retired", "not active"), ("Moved", "pending"), ("Nowhere", "nobody")]
)
async def test_one_that_tickets_cannot_be_given_is_refused_as_the_status_alone(
    name: str, words: str
) -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, status=name, comment=a_draft(desk, "<p>Hi</p>"))
        with pytest.raises(Rejected, match=words) as refused:
            await desk.connector.write(an_intent(desk, op, seen))
        assert refused.value.refusal is Refusal.STATUS
        assert "custom_statuses" in refused.value.hint
        assert bodies_of(desk, ticket_id) == 0


async def test_one_that_was_retired_meanwhile_is_refused_and_looked_up_again() -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        retire(desk, is_active=False)
        op = an_update(desk, ticket_id, status=WAITING, comment=a_draft(desk, "<p>Hi</p>"))
        with pytest.raises(Rejected) as refused:
            await desk.connector.write(an_intent(desk, op, seen))
        assert refused.value.refusal is Refusal.STATUS
        retire(desk, is_active=True)
        await desk.connector.write(an_intent(desk, op, seen))
        assert (await look(desk, ticket_id)).ticket.status == WAITING
        assert bodies_of(desk, ticket_id) == 2


def retire(desk: ZendeskDesk, *, is_active: bool) -> None:
    account = desk.sandbox.desk.account
    first, *others = account.settings.custom_statuses
    changed = (replace(first, is_active=is_active), *others)
    account.settings = replace(account.settings, custom_statuses=changed)


@pytest.mark.parametrize("is_silent", [False, True])
@pytest.mark.parametrize(("name", "label"), [(WAITING, OWN[0].label), ("Retired", "Open")])
async def test_a_new_ticket_is_born_with_it_or_with_its_category(
    is_silent: bool, name: str, label: str
) -> None:
    async with a_desk() as desk:
        birth = a_creation(desk, a_draft(desk, "<p>Hi</p>"), is_silent=is_silent)
        answer = await desk.connector.write(an_intent(desk, replace(birth, status=name)))
        assert kept(desk, answer.ticket_id).values["custom_status_id"] == the_id(desk, label)


async def test_a_lost_update_is_found_with_what_it_replaced() -> None:
    async with a_desk() as desk:
        ticket_id = await desk.open_ticket()
        await give(desk, ticket_id, OWN[0].label)
        seen = await look(desk, ticket_id)
        op = an_update(desk, ticket_id, status="pending", comment=a_draft(desk, "<p>Hi</p>"))
        intent = an_intent(desk, op, seen)
        await desk.connector.write(intent)
        finding = await desk.connector.find(intent)
        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        assert finding.answer.replaced_status == WAITING


async def test_a_customers_words_leave_a_waiting_ticket_where_it_is() -> None:
    async with a_zendesk_desk(
        custom_statuses=OWN,
        connection={"custom_statuses": {"Parked": "hold"}, "authors": "impersonate"},
    ) as desk:
        made = a_creation(desk, a_draft(desk, "<p>Hi</p>"))
        person = made.requester
        draft = replace(a_draft(desk, "<p>More</p>"), author=person, author_key="p:c-1")
        answer = await desk.connector.write(an_intent(desk, made))
        await give(desk, answer.ticket_id, "Parked")
        seen = await look(desk, answer.ticket_id)
        op = an_update(desk, answer.ticket_id, comment=draft)
        await desk.connector.write(an_intent(desk, op, seen))
        ticket = kept(desk, answer.ticket_id)
        assert ticket.values["custom_status_id"] == the_id(desk, "Parked")
        author = desk.sandbox.desk.account.users[ticket.comments[-1].author_id]
        assert author.role == "end-user"


# --- checking ------------------------------------------------------------------------------------


async def test_the_check_names_those_that_tickets_cannot_be_given() -> None:
    async with a_desk() as desk:
        lines = [r for r in await desk.connector.check() if r.name == "custom statuses"]
        assert [line.is_ok for line in lines] == [False, False, False]
        assert [line.message for line in lines] == [
            "“Retired” is not active",
            "“Moved” is in the category pending, not open",
            "nobody knows “Nowhere”",
        ]
        assert all("Admin Center" in line.hint for line in lines)
    async with a_desk({WAITING: "open"}) as desk:
        (line,) = [r for r in await desk.connector.check() if r.name == "custom statuses"]
        assert line.is_ok


def test_the_settings_give_the_link_more_values() -> None:
    oauth = {"client_id": "a", "client_secret": "b"}
    given = {"kind": "zendesk", "subdomain": "acme", "oauth": oauth}
    named = {WAITING: "open", "Fresh": "new"}
    settings = Settings.model_validate(given | {"custom_statuses": named})
    values = {value.name: value for value in settings.status_values()}
    assert (values[WAITING].meaning, values[WAITING].is_writable) == (Status.OPEN, True)
    assert (values["Fresh"].meaning, values["Fresh"].is_writable) == (Status.OPEN, False)
    for wrong in ({"Open": "open"}, {"A": "open", "a": "hold"}, {"A": "closed"}, {}):
        with pytest.raises(ValueError, match="custom_statuses"):
            Settings.model_validate(given | {"custom_statuses": wrong})
