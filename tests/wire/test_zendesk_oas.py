"""Our requests and Zendesk's own OpenAPI file: they agree, but for a few named and sourced rows.

Every request of the contract suite passes through the same check; here each endpoint is asked once,
so that the table of exceptions can be seen to hold nothing that is not needed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncd.core.model import Audience, CommentId, OpId
from syncd.core.operations import RestrictComment
from syncd.ports import Read
from tests.contract.connector_files import PICTURE, give
from tests.contract.connector_suite import walk
from tests.contract.desk import a_creation, a_draft, an_intent, an_update, look
from tests.support.zendesk_desk import a_zendesk_desk
from tests.support.zendesk_oas import EXCEPTIONS, CheckedTransport, findings, spec

EVERY_ENDPOINT = {
    ("GET", "/api/v2/attachments/{attachment_id}"),
    ("GET", "/api/v2/automations"),
    ("GET", "/api/v2/brands"),
    ("GET", "/api/v2/groups"),
    ("GET", "/api/v2/incremental/ticket_events"),
    ("GET", "/api/v2/incremental/tickets/cursor"),
    ("GET", "/api/v2/job_statuses"),
    ("GET", "/api/v2/job_statuses/show_many"),
    ("GET", "/api/v2/oauth/tokens/current"),
    ("GET", "/api/v2/ticket_fields"),
    ("GET", "/api/v2/tickets"),
    ("GET", "/api/v2/tickets/show_many"),
    ("GET", "/api/v2/tickets/{ticket_id}"),
    ("GET", "/api/v2/tickets/{ticket_id}/audits"),
    ("GET", "/api/v2/triggers"),
    ("GET", "/api/v2/users/me"),
    ("GET", "/api/v2/users/search"),
    ("GET", "/api/v2/users/show_many"),
    ("POST", "/api/v2/imports/tickets"),
    ("POST", "/api/v2/imports/tickets/create_many"),
    ("POST", "/api/v2/tickets"),
    ("POST", "/api/v2/uploads"),
    ("POST", "/api/v2/users"),
    ("POST", "/api/v2/users/create_many"),
    ("POST", "/oauth/tokens"),
    ("PUT", "/api/v2/tickets/{ticket_id}"),
    ("PUT", "/api/v2/tickets/{ticket_id}/comments/{ticket_comment_id}/make_private"),
}
#: The sandbox has no ticket forms; asked for in test_zendesk_writes.py.
ELSEWHERE = ("GET", "/api/v2/ticket_forms")


@pytest.fixture(autouse=True)
def _the_file_is_there(shared_specs: Path) -> None:
    assert (shared_specs / "zendesk-support-oas.yaml").is_file()
    assert spec() is not None


async def test_every_request_is_described_by_zendesk_or_by_a_named_exception() -> None:
    transport = CheckedTransport()
    async with a_zendesk_desk(transport=transport, allows_bulk_users=True) as desk:
        ticket_id = await desk.open_ticket()
        written = await desk.answer(ticket_id, "<p>Oops</p>")
        await desk.connector.check()
        _, cursor = await walk(desk.connector, None)
        seen = await look(desk, ticket_id)
        await desk.connector.fetch_many([ticket_id])
        op = an_update(
            desk,
            ticket_id,
            comment=a_draft(desk, "<p>x</p>", Audience.SHARED),
            status="pending",
            add_tags=frozenset({"new"}),
        )
        intent = an_intent(desk, op, seen)
        await desk.connector.write(intent)
        await desk.connector.find(intent)
        await give(desk)
        await desk.connector.attachments.look(replace(PICTURE, attachment_id="7"))
        places = (("group", "Heroku"), ("brand", "Acme"), ("assignee", "bob@acme.test"))
        yesterday = desk.clock.now() - timedelta(days=1)
        dated = replace(a_draft(desk, "<p>x</p>"), occurred_at=yesterday)
        for number, is_silent in enumerate((False, True)):
            birth = replace(
                a_creation(desk, dated, is_silent=is_silent, op_id=f"{number:032x}"),
                placement=places,
                requester_key="" if is_silent else "a1" * 16,
                fields=(("type", "incident"), ("Resolution", "x")),
            )
            await desk.connector.write(an_intent(desk, birth))
            await desk.connector.find(an_intent(desk, birth))
        together = [
            replace(
                a_creation(desk, dated, is_silent=True, op_id=f"{9 + number:032x}"),
                requester_key=f"{number:032x}" if number else "",
            )
            for number in range(5)
        ]
        many = [replace(an_intent(desk, birth), company=5) for birth in together]
        await asyncio.gather(*(desk.connector.write(intent) for intent in many))
        await desk.connector.find(many[0])
        restriction = RestrictComment(
            op_id=OpId("r" * 32),
            side=desk.side,
            ticket_id=ticket_id,
            comment_id=written,
            source_id=CommentId("s"),
        )
        await desk.connector.write(an_intent(desk, restriction))
        stranger = {"as": "lena@acme.test", "comment": {"html": "<p>New</p>", "public": False}}
        await desk.act(**stranger | {"ticket_id": int(ticket_id)})
        await desk.catch_up()
        await walk(desk.connector, cursor)
        await desk.connector.fetch(ticket_id, Read.THREAD)

    assert transport.seen == EVERY_ENDPOINT
    assert transport.used == set(EXCEPTIONS), "a row that nothing needs any more"


def test_the_table_of_exceptions_does_not_grow_unnoticed() -> None:
    assert len(EXCEPTIONS) == 8
    assert all(source.strip() for source in EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("method", "url", "body", "problem"),
    [
        ("GET", "/api/v2/no_such_thing", None, "not in the file"),
        ("PATCH", "/api/v2/tickets/7", None, "not in the file"),
        ("GET", "/api/v2/tickets/7?depth=2", None, "query depth"),
        ("GET", "/api/v2/tickets/show_many", None, "query ids is missing"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"colour": "red"}}, "ticket.colour"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"status": "happy"}}, "ticket.status is none"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"safe_update": "yes"}}, "wrong type"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"group_id": True}}, "wrong type"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"tags": [1]}}, "wrong type"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"updated_at": "x"}}, "is read-only"),
        ("PUT", "/api/v2/tickets/7", {"ticket": {"comment": {"public": 1}}}, "wrong type"),
        ("POST", "/api/v2/tickets", {"ticket": {"requester": {"nam": "x"}}}, "requester.nam"),
        ("PUT", "/api/v2/tickets/7/comments/8/make_private", {"a": 1}, "a body"),
    ],
)
def test_the_check_is_awake(method: str, url: str, body: Any, problem: str) -> None:
    request = httpx.Request(method, f"https://acme.example{url}", json=body)
    if body is None:
        request = httpx.Request(method, f"https://acme.example{url}")
    assert [found for found in findings(request) if problem in found]


def test_forms_are_listed_as_the_file_says() -> None:
    method, path = ELSEWHERE
    assert findings(httpx.Request(method, f"https://acme.example{path}")) == []
