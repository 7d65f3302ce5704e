"""True authors in Zendesk: whose name a copy bears, and when the attribution line stands in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.sandbox import Fault
from connectors.zendesk.sandbox.records import Comment, User
from syncd.core.errors import OutcomeUnknown
from syncd.core.model import Audience, Person, Role, TicketId
from syncd.core.operations import Draft, Fate
from tests.contract.desk import a_creation, a_draft, an_intent, an_update, look
from tests.support.zendesk_desk import ZendeskDesk, a_zendesk_desk

KEY = "fedcba9876543210" * 2
MIA = Person(person_id="c-7", name="Mia Keller", role=Role.CUSTOMER)
HANA = Person(person_id="s-1", name="Hana Sato", role=Role.STAFF)
LINE = "<p><em>Who, when</em></p>"
IMPERSONATE = {"authors": "impersonate", "agents": {"hana sato": "bob@acme.test"}}


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk(connection=IMPERSONATE) as desk:
        yield desk


def a_copy(
    desk: ZendeskDesk,
    author: Person = MIA,
    *,
    audience: Audience = Audience.PUBLIC,
    age_minutes: float = 0,
    key: str = KEY,
) -> Draft:
    return replace(
        a_draft(desk, f"{LINE}<p>Words</p>", audience),
        author=author,
        attribution=LINE,
        author_key=key,
        occurred_at=desk.clock.now() - timedelta(minutes=age_minutes),
    )


def last(desk: ZendeskDesk, ticket_id: TicketId) -> Comment:
    return desk.sandbox.desk.account.tickets[int(ticket_id)].comments[-1]


def author(desk: ZendeskDesk, comment: Comment) -> User:
    return desk.sandbox.desk.account.users[comment.author_id]


async def copied(desk: ZendeskDesk, draft: Draft, **members: Any) -> Comment:
    """What a copy became on a fresh ticket."""
    ticket_id = await desk.open_ticket()
    if status := members.pop("before", None):
        await desk.answer(ticket_id, "<p>Over to you</p>", status=status)
    op = an_update(desk, ticket_id, comment=draft, **members)
    answer = await desk.connector.write(an_intent(desk, op, await look(desk, ticket_id)))
    comment = last(desk, ticket_id)
    assert answer.comment_ids == (str(comment.id),)
    assert answer.stored == (draft.audience,)
    assert answer.sighting.comments[0].writer_id == str(await ours(desk))
    return comment


async def ours(desk: ZendeskDesk) -> int:
    integration = desk.sandbox.desk.account.integration
    assert integration is not None
    return integration.id


def is_signed(comment: Comment) -> bool:
    return "Who, when" in comment.body


async def test_a_customers_public_comment_is_the_customers(desk: ZendeskDesk) -> None:
    comment = await copied(desk, a_copy(desk))
    assert (author(desk, comment).name, author(desk, comment).external_id) == ("Mia Keller", KEY)
    assert not is_signed(comment)


async def test_a_customer_is_never_the_author_of_a_private_comment(desk: ZendeskDesk) -> None:
    comment = await copied(desk, a_copy(desk, audience=Audience.SHARED))
    assert author(desk, comment).name == "syncd"
    assert is_signed(comment)
    assert not comment.is_public


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.SHARED])
async def test_named_staff_are_their_agent(desk: ZendeskDesk, audience: Audience) -> None:
    comment = await copied(desk, a_copy(desk, HANA, audience=audience))
    assert author(desk, comment).name == "Bob Agent"
    assert not is_signed(comment)


@pytest.mark.parametrize(
    ("who", "agents"),
    [
        (replace(HANA, name="Someone Else"), {"hana sato": "bob@acme.test"}),
        (HANA, {"hana sato": "nobody@acme.test"}),
        (HANA, {"hana sato": "lena@acme.test"}),
        (HANA, {"hana sato": "carl@globex.test"}),
        (replace(MIA, name="Hana Sato"), {"c-7": "bob@acme.test", "Hana Sato": "bob@acme.test"}),
    ],
    ids=["not named", "no such agent", "a light agent", "a customer", "a customer of that name"],
)
async def test_who_cannot_be_an_author_is_named_by_the_line(
    who: Person, agents: dict[str, str]
) -> None:
    connection = {"authors": "impersonate", "agents": agents}
    async with a_zendesk_desk(connection=connection) as desk:
        comment = await copied(desk, a_copy(desk, who, audience=Audience.SHARED))
        assert author(desk, comment).name == "syncd"
        assert is_signed(comment)


async def test_staff_may_be_named_by_their_id() -> None:
    connection = {"authors": "impersonate", "agents": {"S-1": "bob@acme.test"}}
    async with a_zendesk_desk(connection=connection) as desk:
        assert author(desk, await copied(desk, a_copy(desk, HANA))).name == "Bob Agent"


@pytest.mark.parametrize("who", [MIA, HANA], ids=["customer", "agent"])
async def test_a_suspended_user_is_no_author(desk: ZendeskDesk, who: Person) -> None:
    bob = desk.sandbox.desk.account.user_by_email("bob@acme.test")
    assert bob is not None
    bob.is_suspended = True
    made = {"name": "Mia Keller", "external_id": KEY}
    answer = await desk.control.post("/api/v2/users", json={"user": made})
    path = f"/api/v2/users/{answer.json()['user']['id']}"
    await desk.control.put(path, json={"user": {"suspended": True}})

    comment = await copied(desk, a_copy(desk, who))

    assert author(desk, comment).name == "syncd"
    assert is_signed(comment)


async def test_without_the_switch_everything_is_ours() -> None:
    async with a_zendesk_desk() as desk:
        comment = await copied(desk, a_copy(desk))
        assert author(desk, comment).name == "syncd"
        assert is_signed(comment)
        assert "/api/v2/users/show_many" not in [e.path for e in desk.sandbox.log.since(3)]


async def test_a_late_copy_keeps_the_line_for_its_time(desk: ZendeskDesk) -> None:
    assert not is_signed(await copied(desk, a_copy(desk, age_minutes=14)))
    late = await copied(desk, a_copy(desk, age_minutes=16))
    assert author(desk, late).name == "Mia Keller"
    assert is_signed(late)


@pytest.mark.parametrize("end_user_author_reopens", [True, False])
@pytest.mark.parametrize("before", ["pending", "hold", "solved"])
async def test_a_customers_authorship_reopens_nothing(
    before: str, end_user_author_reopens: bool
) -> None:
    async with a_zendesk_desk(
        connection=IMPERSONATE, end_user_author_reopens=end_user_author_reopens
    ) as desk:
        comment = await copied(desk, a_copy(desk), before=before)
        (ticket,) = [t for t in desk.sandbox.desk.account.tickets.values() if comment in t.comments]
        assert ticket.status == before
        assert author(desk, comment).name == ("syncd" if before == "solved" else "Mia Keller")


async def test_a_status_of_our_own_goes_along(desk: ZendeskDesk) -> None:
    comment = await copied(desk, a_copy(desk), before="pending", status="open")
    (ticket,) = [t for t in desk.sandbox.desk.account.tickets.values() if comment in t.comments]
    assert ticket.status == "open"


@pytest.mark.parametrize("metadata_readable", [True, False])
async def test_a_lost_copy_is_found_whoever_its_author_is(metadata_readable: bool) -> None:
    async with a_zendesk_desk(connection=IMPERSONATE, metadata_readable=metadata_readable) as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        intent = an_intent(desk, an_update(desk, ticket_id, comment=a_copy(desk)), seen)
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        desk.clock.advance(3)
        finding = await desk.connector.find(intent)
        assert finding.fate is Fate.FOUND
        assert finding.answer is not None
        assert finding.answer.comment_ids == (str(last(desk, ticket_id).id),)


async def test_a_new_ticket_is_its_customers_own(desk: ZendeskDesk) -> None:
    birth = replace(a_creation(desk, a_copy(desk)), requester=MIA, requester_key=KEY)
    answer = await desk.connector.write(an_intent(desk, birth))
    ticket = desk.sandbox.desk.account.tickets[int(answer.ticket_id)]
    (comment,) = ticket.comments
    assert author(desk, comment).external_id == KEY
    assert ticket.submitter_id == ticket.values["requester_id"] == comment.author_id
    assert not is_signed(comment)


async def test_a_creation_repeats_its_very_bytes(desk: ZendeskDesk) -> None:
    birth = replace(a_creation(desk, a_copy(desk)), requester=MIA, requester_key=KEY)
    intent = an_intent(desk, birth)
    desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
    with pytest.raises(OutcomeUnknown):
        await desk.connector.write(intent)
    desk.clock.advance(3600)
    again = await desk.connector.write(intent)
    assert desk.tickets(birth.external_id) == (again.ticket_id,)


async def test_an_import_has_its_authors_and_times_and_no_line(desk: ZendeskDesk) -> None:
    drafts = (
        a_copy(desk, age_minutes=300),
        a_copy(desk, HANA, age_minutes=200),
        a_copy(desk, audience=Audience.SHARED, age_minutes=100),
    )
    birth = replace(a_creation(desk, *drafts, is_silent=True), requester=MIA, requester_key=KEY)
    answer = await desk.connector.write(an_intent(desk, birth))
    comments = desk.sandbox.desk.account.tickets[int(answer.ticket_id)].comments
    assert [author(desk, c).name for c in comments] == ["Mia Keller", "Bob Agent", "syncd"]
    assert [is_signed(c) for c in comments] == [False, False, True]
    assert desk.sandbox.desk.account.notifications == []
