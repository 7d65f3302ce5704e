"""Customers of many tickets at once: a hundred a request, each once, whatever comes of the job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox import Fault
from connectors.zendesk.connector import ZendeskConnector
from connectors.zendesk.sandbox.records import Ticket, User
from syncd.core.errors import OutcomeUnknown, RateLimited, Rejected, Unreachable
from syncd.core.model import ConnectionName, OpId, Person, Role, TicketId
from syncd.core.operations import Answer, CreateTicket, Intent
from tests.contract.desk import a_creation, a_draft, an_intent
from tests.support.zendesk_desk import ZendeskDesk, a_connector, a_zendesk_desk

MANY_USERS = "/users/create_many"
IMPORTS = "/imports/tickets/create_many"
USERS = "POST /users/create_many"


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk(allows_bulk_users=True) as desk:
        yield desk


def key_of(number: int) -> str:
    return f"{number:032x}"


def births(desk: ZendeskDesk, count: int, *, customers: int | None = None) -> list[Intent]:
    """So many imports that go together, each of another customer unless there are fewer."""
    intents = []
    for number in range(count):
        who = number % (customers or count)
        birth = a_creation(
            desk, a_draft(desk, f"<p>Hello {number}</p>"), is_silent=True, op_id=f"{number:032x}"
        )
        birth = replace(
            birth,
            requester_key=key_of(who),
            requester=Person(person_id=f"c-{who}", name=f"Customer {who}", role=Role.CUSTOMER),
        )
        intents.append(replace(an_intent(desk, birth), company=count))
    return intents


def retold(intent: Intent, number: int) -> Intent:
    """Another ticket of the same customer's."""
    return replace(intent, op=replace(intent.op, op_id=OpId(f"{number:032x}")))


async def carried(
    desk: ZendeskDesk, wanted: Sequence[Intent], by: ZendeskConnector | None = None
) -> list[Answer | BaseException]:
    writes = ((by or desk.connector).write(intent) for intent in wanted)
    return await asyncio.gather(*writes, return_exceptions=True)


def kinds(results: Sequence[Answer | BaseException]) -> set[type]:
    return {type(result) for result in results}


def made(desk: ZendeskDesk) -> dict[str, list[User]]:
    """The users of each external id."""
    found: dict[str, list[User]] = {}
    for user in desk.sandbox.desk.account.users.values():
        if user.external_id is not None:
            found.setdefault(user.external_id, []).append(user)
    return found


def requester(desk: ZendeskDesk, answer: Answer | BaseException) -> User:
    assert isinstance(answer, Answer), answer
    account = desk.sandbox.desk.account
    ticket: Ticket = account.tickets[int(answer.ticket_id)]
    return account.users[ticket.values["requester_id"]]


def each_is_there_once(
    desk: ZendeskDesk, results: Sequence[Answer | BaseException], count: int
) -> None:
    """Each of so many customers is one user, and the requester of the own ticket."""
    assert {key: len(users) for key, users in made(desk).items()} == {
        key_of(number): 1 for number in range(count)
    }
    assert [requester(desk, answer).external_id for answer in results] == [
        key_of(number % count) for number in range(len(results))
    ]


def asked(desk: ZendeskDesk) -> list[str]:
    rows = (f"{e.method} {e.template.removeprefix('/api/v2')}" for e in desk.sandbox.log.since(0))
    return [r for r in rows if not any(w in r for w in ("oauth", "/users/me", "webhooks"))]


async def test_a_hundred_new_customers_are_one_write(desk: ZendeskDesk) -> None:
    results = await carried(desk, births(desk, 100))
    each_is_there_once(desk, results, 100)
    customer = requester(desk, results[7])
    assert (customer.name, customer.email, customer.role) == ("Customer 7", None, "end-user")
    assert asked(desk) == [
        "GET /users/show_many",
        USERS,
        "GET /job_statuses/show_many",
        "GET /users/show_many",
        f"POST {IMPORTS}",
        "GET /job_statuses/show_many",
        "GET /tickets/show_many",
    ]
    assert desk.sandbox.desk.account.notifications == []


async def test_more_than_a_hundred_are_split(desk: ZendeskDesk) -> None:
    each_is_there_once(desk, await carried(desk, births(desk, 130)), 130)
    assert asked(desk).count(USERS) == 2


async def test_three_new_customers_are_not_worth_a_job(desk: ZendeskDesk) -> None:
    each_is_there_once(desk, await carried(desk, births(desk, 30, customers=3)), 3)
    assert asked(desk).count(USERS) == 0
    assert asked(desk).count("POST /users") == 3


async def test_who_is_known_is_not_made_again_nor_changed(desk: ZendeskDesk) -> None:
    (first, *_) = results = await carried(desk, births(desk, 20))
    requester(desk, first).name = "Renamed by an agent"
    later = a_connector(desk.address, desk.clock)
    desk.sandbox.log.clear()
    again = [retold(intent, 99 + number) for number, intent in enumerate(births(desk, 20))]
    assert kinds(await carried(desk, again, later)) == {Answer}
    await later.close()
    each_is_there_once(desk, results, 20)
    assert requester(desk, first).name == "Renamed by an agent"
    assert [row for row in asked(desk) if row.startswith("POST /users")] == []


async def test_an_account_that_makes_no_users_in_bulk_is_asked_once() -> None:
    async with a_zendesk_desk() as desk:
        wanted = births(desk, 30)
        results = await carried(desk, wanted[:10]) + await carried(desk, wanted[10:])
        each_is_there_once(desk, results, 30)
        assert asked(desk).count(USERS) == 1
        assert asked(desk).count("POST /users") == 30


# --- rows that fail ------------------------------------------------------------------------------


async def test_a_refused_customer_holds_up_the_own_ticket_alone(desk: ZendeskDesk) -> None:
    hashed = a_connector(desk.address, desk.clock, requester_address="hashed")
    taken = {"name": "Somebody", "email": f"{key_of(3)}@customers.invalid"}
    await desk.control.post("/api/v2/users", json={"user": taken})
    desk.sandbox.log.clear()
    results = await carried(desk, births(desk, 12), hashed)
    await hashed.close()
    assert isinstance(results[3], Rejected)
    assert kinds([*results[:3], *results[4:]]) == {Answer}
    assert sorted(made(desk)) == [key_of(number) for number in range(12) if number != 3]
    assert asked(desk).count(USERS) == 1
    assert asked(desk).count("POST /users") == 1


async def test_a_request_that_is_refused_whole_makes_them_one_by_one(desk: ZendeskDesk) -> None:
    desk.sandbox.faults.arm(Fault(action="status", status=422, path=MANY_USERS, times=1))
    each_is_there_once(desk, await carried(desk, births(desk, 8)), 8)
    assert asked(desk).count("POST /users") == 8


async def test_whom_a_killed_job_left_out_is_made_alone(desk: ZendeskDesk) -> None:
    await desk.switch(job_dies_after_rows=4)
    # Tickets of a job would die, too.
    alone = [replace(intent, company=1) for intent in births(desk, 12)]
    each_is_there_once(desk, await carried(desk, alone), 12)
    assert asked(desk).count("POST /users") == 8


async def test_a_full_job_queue_is_waited_for(desk: ZendeskDesk) -> None:
    await desk.switch(job_seconds=3600)
    for number in range(30):
        body = {"tickets": [{"subject": f"{number}", "comment": {"body": "x"}}]}
        await desk.control.post("/api/v2/tickets/create_many", json=body)
    results = await carried(desk, births(desk, 5))
    assert kinds(results) == {RateLimited}
    assert made(desk) == {}


async def test_somebody_whom_live_work_made_meanwhile_is_found(desk: ZendeskDesk) -> None:
    await desk.switch(job_seconds=1)
    other = a_connector(desk.address, desk.clock)
    wanted = births(desk, 10)
    work = asyncio.create_task(carried(desk, wanted))
    while USERS not in asked(desk):
        await asyncio.sleep(0)
    told = retold(wanted[2], 77).op
    assert isinstance(told, CreateTicket)
    born = await other.write(an_intent(desk, replace(told, is_silent=False)))
    await other.close()
    desk.clock.advance(2)
    results = await work
    each_is_there_once(desk, results, 10)
    assert requester(desk, born) is requester(desk, results[2])


# --- lost answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["drop_after", "truncate", "html"])
async def test_customers_whose_answer_is_lost_are_found(desk: ZendeskDesk, action: str) -> None:
    applied: Any = {"is_applied": True} if action == "html" else {}
    desk.sandbox.faults.arm(Fault(action=action, path=MANY_USERS, **applied))  # type: ignore[arg-type]
    each_is_there_once(desk, await carried(desk, births(desk, 100)), 100)
    assert asked(desk).count(USERS) == 1
    assert asked(desk).count("POST /users") == 0


async def test_customers_who_were_not_made_leave_their_tickets_unmade_for_now(
    desk: ZendeskDesk,
) -> None:
    before = births(desk, 4)
    known = await carried(desk, before)
    wanted = births(desk, 30)[4:]
    desk.sandbox.faults.arm(Fault(action="drop_before", path=MANY_USERS))
    # One whose customer is there goes on.
    more = retold(before[0], 88)
    *results, one = await carried(desk, [*wanted, more])
    assert kinds(results) == {Unreachable}
    assert isinstance(one, Answer)
    assert desk.sandbox.log.since(0)[-1].path != MANY_USERS
    assert kinds(await carried(desk, wanted)) == {Answer}
    assert {len(users) for users in made(desk).values()} == {1}
    assert len(made(desk)) == 30
    assert kinds(known) == {Answer}


async def test_a_job_still_at_work_after_a_lost_answer_makes_nobody_twice(
    desk: ZendeskDesk,
) -> None:
    await desk.switch(job_seconds=30)
    wanted = births(desk, 20)
    desk.sandbox.faults.arm(Fault(action="drop_after", path=MANY_USERS))
    assert kinds(await carried(desk, wanted)) == {Unreachable}
    await desk.switch(job_seconds=60)
    work = asyncio.create_task(carried(desk, wanted))
    while asked(desk).count(USERS) < 2:
        await asyncio.sleep(0)
    # The first job ends before the second one, whose rows are then refused.
    desk.clock.advance(31)
    while not work.done():
        desk.clock.advance(10)
        await asyncio.sleep(0)
    each_is_there_once(desk, await work, 20)


async def test_a_process_that_dies_before_the_import_leaves_customers_to_the_next(
    desk: ZendeskDesk,
) -> None:
    wanted = births(desk, 50)
    desk.sandbox.faults.arm(Fault(action="drop_before", path=IMPORTS))
    assert kinds(await carried(desk, wanted)) == {OutcomeUnknown}
    later = a_connector(desk.address, desk.clock)
    desk.sandbox.log.clear()
    results = await carried(desk, wanted, later)
    await later.close()
    each_is_there_once(desk, results, 50)
    assert [row for row in asked(desk) if row.startswith("POST /users")] == []


# --- authors and addresses -----------------------------------------------------------------------


async def test_authors_are_made_with_the_requesters() -> None:
    connection = {"authors": "impersonate"}
    async with a_zendesk_desk(allows_bulk_users=True, connection=connection) as desk:
        wanted = []
        for number, intent in enumerate(births(desk, 10)):
            assert isinstance(intent.op, CreateTicket)
            author = Person(person_id=f"a-{number}", name=f"Friend {number}", role=Role.CUSTOMER)
            draft = replace(intent.op.comments[0], author=author, author_key=key_of(10 + number))
            wanted.append(replace(intent, op=replace(intent.op, comments=(draft,))))
        results = await carried(desk, wanted)
        assert kinds(results) == {Answer}
        assert {len(users) for users in made(desk).values()} == {1}
        assert len(made(desk)) == 20
        assert asked(desk).count(USERS) == 1
        assert asked(desk).count("POST /users") == 0
        account = desk.sandbox.desk.account
        for number, answer in enumerate(results):
            assert isinstance(answer, Answer)
            comment = account.tickets[int(answer.ticket_id)].comments[0]
            assert account.users[comment.author_id].external_id == key_of(10 + number)


async def test_whoever_may_have_a_real_address_is_made_alone(
    desk: ZendeskDesk,
) -> None:
    async def address_of(origin: ConnectionName, ticket_id: TicketId) -> str | None:
        if ticket_id == "t4":
            raise Unreachable("no answer", connection=origin, action="read address")
        return {"t1": "carl@globex.test", "t2": "alice@acme.test"}.get(
            ticket_id, f"{ticket_id}@example.org"
        )

    connector = a_connector(
        desk.address, desk.clock, address_of=address_of, requester_address="full"
    )
    wanted = []
    for number, intent in enumerate(births(desk, 8)):
        assert isinstance(intent.op, CreateTicket)
        op = replace(intent.op, origin=ConnectionName("heroku"), origin_id=TicketId(f"t{number}"))
        wanted.append(replace(intent, op=op))
    results = await carried(desk, wanted, connector)
    await connector.close()
    assert isinstance(results[4], Unreachable), "the platform did not tell one address"
    emails = [requester(desk, r).email for r in results if isinstance(r, Answer)]
    assert emails == [
        "t0@example.org", "carl@globex.test", None, "t3@example.org", "t5@example.org",
        "t6@example.org", "t7@example.org",
    ]  # fmt: skip
    assert requester(desk, results[2]).role == "end-user"
    assert asked(desk).count(USERS) == 0
