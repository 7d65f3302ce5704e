"""The platform's customers in Zendesk: one user each, without an address that leads anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox import Fault
from connectors.zendesk.sandbox.records import Ticket, User
from syncd.core.errors import Unreachable
from syncd.core.model import ConnectionName, Person, Role, TicketId
from syncd.core.operations import CreateTicket
from syncd.core.person_key import person_key
from tests.contract.desk import a_creation, a_draft, an_intent
from tests.support.zendesk_desk import TOKEN, ZendeskDesk, a_connector, a_zendesk_desk

KEY = "0123456789abcdef" * 2


def a_birth(desk: ZendeskDesk, number: int = 1, *, key: str = KEY, **members: Any) -> CreateTicket:
    birth = a_creation(desk, a_draft(desk, "<p>Hello</p>"), op_id=f"{number:032x}", **members)
    return replace(birth, requester_key=key)


async def born(desk: ZendeskDesk, birth: CreateTicket) -> Ticket:
    answer = await desk.connector.write(an_intent(desk, birth))
    return desk.sandbox.desk.account.tickets[int(answer.ticket_id)]


def requester(desk: ZendeskDesk, ticket: Ticket) -> User:
    return desk.sandbox.desk.account.users[ticket.values["requester_id"]]


def customers(desk: ZendeskDesk) -> list[User]:
    users = desk.sandbox.desk.account.users.values()
    return [user for user in users if user.name == "Cora Customer"]


def requests(desk: ZendeskDesk) -> list[str]:
    entries = desk.sandbox.log.since(0)
    return [f"{e.method} {e.path.removeprefix('/api/v2')}" for e in entries if "hook" not in e.path]


@pytest.mark.parametrize("is_silent", [False, True])
async def test_one_customer_is_one_user_on_all_tickets(is_silent: bool) -> None:
    async with a_zendesk_desk() as desk:
        first = await born(desk, a_birth(desk, 1, is_silent=is_silent))
        second = await born(desk, a_birth(desk, 2, is_silent=is_silent))
        (customer,) = customers(desk)
        assert requester(desk, first) is requester(desk, second) is customer
        assert (customer.external_id, customer.email, customer.role) == (KEY, None, "end-user")
        assert desk.sandbox.desk.account.notifications == []


async def test_a_customer_costs_two_requests_once() -> None:
    async with a_zendesk_desk(token=TOKEN) as desk:
        desk.sandbox.log.clear()
        await born(desk, a_birth(desk, 1))
        await born(desk, a_birth(desk, 2))
        assert requests(desk) == [
            "GET /users/show_many",
            "POST /users",
            "POST /tickets",
            "POST /tickets",
        ]


async def test_a_later_process_finds_the_customer_again() -> None:
    async with a_zendesk_desk() as desk:
        await born(desk, a_birth(desk, 1))
        later = a_connector(desk.address, desk.clock)
        await later.write(an_intent(desk, a_birth(desk, 2)))
        await later.close()
        assert len(customers(desk)) == 1


async def test_two_processes_at_once_make_one_user() -> None:
    async with a_zendesk_desk() as desk:
        other = a_connector(desk.address, desk.clock)
        await asyncio.gather(
            desk.connector.write(an_intent(desk, a_birth(desk, 1))),
            other.write(an_intent(desk, a_birth(desk, 2))),
        )
        await other.close()
        assert len(customers(desk)) == 1


async def test_a_customer_without_an_id_goes_by_name_alone() -> None:
    async with a_zendesk_desk() as desk:
        ticket = await born(desk, a_birth(desk, key=""))
        found = requester(desk, ticket)
        assert (found.name, found.external_id, found.email) == ("Cora Customer", None, None)


@pytest.mark.parametrize("name", ["", " \n", "\x00"])
async def test_a_customer_without_a_name_gets_one(name: str) -> None:
    async with a_zendesk_desk() as desk:
        nameless = Person(person_id="c-1", name=name, role=Role.CUSTOMER)
        ticket = await born(desk, replace(a_birth(desk), requester=nameless))
        assert requester(desk, ticket).name == "Customer"


async def test_a_hashed_address_is_stable_and_leads_nowhere() -> None:
    async with a_zendesk_desk(connection={"requester_address": "hashed"}) as desk:
        first = await born(desk, a_birth(desk, 1))
        second = await born(desk, a_birth(desk, 2))
        assert requester(desk, first) is requester(desk, second)
        assert requester(desk, first).email == f"{KEY}@customers.invalid"


async def test_a_customer_whose_making_was_not_answered_is_found_and_not_made_again() -> None:
    async with a_zendesk_desk() as desk:
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path="/api/v2/users"))
        await born(desk, a_birth(desk))
        assert len(customers(desk)) == 1


async def test_a_customer_who_was_not_made_leaves_the_ticket_unmade_for_now() -> None:
    async with a_zendesk_desk() as desk:
        desk.sandbox.faults.arm(Fault(action="drop_before", kind="write", path="/api/v2/users"))
        birth = a_birth(desk)
        with pytest.raises(Unreachable):
            await born(desk, birth)
        assert desk.tickets(birth.external_id) == ()
        await born(desk, birth)
        assert len(customers(desk)) == 1


# --- real addresses ------------------------------------------------------------------------------

ORIGIN, ORIGIN_ID = ConnectionName("heroku"), TicketId("t7")


async def addressed(
    desk: ZendeskDesk, address: str | None, *, wanted: str = "full", **members: Any
) -> tuple[User, list[tuple[str, str]]]:
    """The requester of a birth for whom the platform gives this address, and what it was asked."""
    asked: list[tuple[str, str]] = []

    async def address_of(origin: ConnectionName, ticket_id: TicketId) -> str | None:
        asked.append((origin, ticket_id))
        return address

    connector = a_connector(
        desk.address, desk.clock, address_of=address_of, requester_address=wanted
    )
    birth = replace(a_birth(desk, **members), origin=ORIGIN, origin_id=ORIGIN_ID)
    answer = await connector.write(an_intent(desk, birth))
    await connector.close()
    ticket = desk.sandbox.desk.account.tickets[int(answer.ticket_id)]
    return requester(desk, ticket), asked


async def test_a_real_address_is_asked_for_once_when_the_customer_is_made() -> None:
    async with a_zendesk_desk() as desk:
        first, asked = await addressed(desk, "cora@example.org", number=1)
        assert (first.email, first.external_id) == ("cora@example.org", KEY)
        assert asked == [("heroku", "t7")]
        second, asked = await addressed(desk, "cora@example.org", number=2)
        assert second is first
        assert asked == []


@pytest.mark.parametrize("wanted", ["none", "hashed"])
async def test_nobody_asks_for_an_address_unless_the_switch_says_full(wanted: str) -> None:
    async with a_zendesk_desk() as desk:
        found, asked = await addressed(desk, "cora@example.org", wanted=wanted)
        assert asked == []
        assert found.email in {None, f"{KEY}@customers.invalid"}


async def test_a_platform_that_tells_no_address_leaves_the_name() -> None:
    async with a_zendesk_desk() as desk:
        found, _ = await addressed(desk, None)
        assert (found.email, found.external_id) == (None, KEY)


async def test_a_customer_of_the_partners_own_is_the_requester() -> None:
    async with a_zendesk_desk() as desk:
        found, _ = await addressed(desk, "CARL@globex.test")
        assert found.name == "Carl Customer"


async def test_an_agents_address_makes_nobody_an_agent() -> None:
    async with a_zendesk_desk() as desk:
        found, _ = await addressed(desk, "alice@acme.test")
        assert (found.role, found.email, found.external_id) == ("end-user", None, KEY)


def test_a_key_is_one_persons_on_one_partners_desk() -> None:
    heroku, other = ConnectionName("heroku"), ConnectionName("shopware")
    acme, globex = ConnectionName("acme"), ConnectionName("globex")
    mia = Person(person_id="7", name="Mia")
    renamed = replace(mia, name="Mia Keller-Ito")
    assert person_key(heroku, acme, mia) == person_key(heroku, acme, renamed)
    keys = {
        person_key(heroku, acme, mia),
        person_key(heroku, globex, mia),
        person_key(other, acme, mia),
        person_key(heroku, acme, Person(person_id="8", name="Mia")),
    }
    assert len(keys) == 4
    assert all(len(key) == 32 for key in keys)
    assert person_key(heroku, acme, Person(person_id="", name="Mia")) == ""
