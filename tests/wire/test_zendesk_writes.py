"""Writes to Zendesk and their answers: what the contract suite cannot ask of every desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import respx

from connectors.sandbox import Fault
from syncd.core.errors import OutcomeUnknown, Rejected, Unintelligible
from syncd.core.model import Audience, CommentId, OpId, TicketId
from syncd.core.operations import Fate, Intent, RestrictComment
from syncd.ports import Read
from tests.contract.desk import a_creation, a_draft, an_intent, an_update, look
from tests.support.clock import FakeClock
from tests.support.zendesk_desk import ZendeskDesk, a_connector, a_zendesk_desk

BASE = "https://acme.example"


@pytest.fixture
async def desk() -> AsyncIterator[ZendeskDesk]:
    async with a_zendesk_desk() as desk:
        yield desk


async def speak_as_ourselves(desk: ZendeskDesk, ticket_id: TicketId, html: str) -> None:
    """A comment by our own user that no operation of syncd's made, or none that left a stamp."""
    body = {"ticket": {"comment": {"html_body": html, "public": True}}}
    answer = await desk.control.put(f"/api/v2/tickets/{ticket_id}", json=body)
    assert answer.status_code == 200, answer.text


async def a_lost_comment(desk: ZendeskDesk, action: Any = "drop_before") -> Intent:
    """A comment whose answer never came; by default the desk never saw it either."""
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Only once</p>"))
    intent = an_intent(desk, op, seen)
    desk.sandbox.faults.arm(Fault(action=action, kind="write", path=desk.ticket_path))
    with pytest.raises(OutcomeUnknown):
        await desk.connector.write(intent)
    desk.clock.advance(3)
    return intent


# --- answers -------------------------------------------------------------------------------------


async def test_an_answer_is_confirmed_only_when_its_second_is_over(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, status="pending")
    answer = await desk.connector.write(an_intent(desk, op, seen))
    assert answer.sighting.ticket is not None
    assert not answer.sighting.ticket.is_confirmed


async def test_an_answer_proves_that_nobody_wrote_between_the_stamp_and_ours(
    desk: ZendeskDesk,
) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>x</p>"))
    answer = await desk.connector.write(an_intent(desk, op, seen))
    covers, ticket = answer.sighting.covers, answer.sighting.ticket
    assert covers is not None
    assert ticket is not None
    assert (covers.after, covers.to) == (seen.ticket.fields_as_of, ticket.fields_as_of - 1)


@pytest.mark.parametrize("metadata_readable", [True, False])
async def test_two_comments_of_one_second_are_both_known_from_their_answers(
    metadata_readable: bool,
) -> None:
    async with a_zendesk_desk(metadata_readable=metadata_readable) as desk:
        ticket_id = await desk.open_ticket()
        names: list[CommentId] = []
        for words in ("<p>One</p>", "<p>Another</p>"):
            seen = await look(desk, ticket_id)
            op = an_update(desk, ticket_id, comment=a_draft(desk, words), op_id=words[3] * 32)
            answer = await desk.connector.write(an_intent(desk, op, seen))
            names += answer.comment_ids
        written = desk.stored(ticket_id).comments[-2:]
        assert [(c.comment_id, c.text) for c in written] == [
            (names[0], "One"),
            (names[1], "Another"),
        ]


async def test_an_update_that_changes_nothing_claims_nothing(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    await desk.answer(ticket_id, "<p>Somebody's</p>", status="pending")
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, status="pending")

    answer = await desk.connector.write(an_intent(desk, op, seen))

    assert answer.sighting.comments == ()
    assert answer.sighting.status_update is None
    assert (answer.replaced_status, answer.replaced_tags) == (None, None)


@pytest.mark.parametrize("metadata_readable", [True, False])
async def test_a_change_that_moved_no_stamp_shows_in_what_was_replaced(
    metadata_readable: bool,
) -> None:
    async with a_zendesk_desk(metadata_readable=metadata_readable) as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        quiet = {"status": "hold", "tags": ["sly"], "quiet": True}
        await desk.act(**{"as": "alice@acme.test", "ticket_id": int(ticket_id)} | quiet)
        desk.clock.advance(3)
        op = an_update(desk, ticket_id, status="pending", add_tags=frozenset({"ours"}))

        answer = await desk.connector.write(an_intent(desk, op, seen))

        assert answer.replaced_status == "hold"
        assert answer.replaced_tags == frozenset({"sly"})


async def test_tags_that_the_desk_adds_by_itself_are_in_the_answer_or_come_later(
    desk: ZendeskDesk,
) -> None:
    await desk.switch(answers_after_triggers=True)
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>x</p>"))
    answer = await desk.connector.write(an_intent(desk, op, seen))
    assert answer.sighting.ticket is not None
    assert "in_conversation" in answer.sighting.ticket.tags
    assert answer.replaced_tags == answer.sighting.ticket.tags - {"in_conversation"}


def an_answer(**event: Any) -> dict[str, Any]:
    comment = {"id": 950, "type": "Comment", "author_id": 1, "html_body": "<p>x</p>"} | event
    return {
        "ticket": {
            "id": 7,
            "status": "open",
            "created_at": "2027-01-15T07:00:00Z",
            "updated_at": "2027-01-15T08:00:00Z",
        },
        "audit": {
            "id": 900,
            "created_at": "2027-01-15T08:00:00Z",
            "author_id": 1,
            "events": [comment],
        },
    }


@pytest.mark.parametrize(
    ("event", "stored"),
    [
        ({"public": True}, Audience.PUBLIC),
        ({"public": False}, Audience.SHARED),
        ({}, None),
    ],
)
@respx.mock
async def test_what_the_desk_stored_is_told_even_if_it_is_not_what_was_sent(
    desk: ZendeskDesk, event: dict[str, Any], stored: Audience | None
) -> None:
    connector = a_connector(BASE, FakeClock(), token="t")
    respx.put(f"{BASE}/api/v2/tickets/7").respond(200, json=an_answer(**event))
    asked = respx.get(f"{BASE}/api/v2/tickets/7/comments").respond(200, json={"comments": []})
    draft = a_draft(desk, "<p>x</p>", Audience.SHARED)
    op = an_update(desk, TicketId("7"), comment=draft)
    answer = await connector.write(an_intent(desk, op))
    assert answer.stored == (stored,)
    assert asked.call_count == (stored is None)


@pytest.mark.parametrize("is_public", [True, False])
@respx.mock
async def test_a_visibility_that_the_answer_does_not_tell_is_read_back(
    desk: ZendeskDesk, is_public: bool
) -> None:
    connector = a_connector(BASE, FakeClock(), token="t")
    respx.put(f"{BASE}/api/v2/tickets/7").respond(200, json=an_answer())
    row = {"id": 950, "public": is_public}
    respx.get(f"{BASE}/api/v2/tickets/7/comments").respond(200, json={"comments": [row]})
    op = an_update(desk, TicketId("7"), comment=a_draft(desk, "<p>x</p>", Audience.SHARED))
    answer = await connector.write(an_intent(desk, op))
    assert answer.stored == (Audience.PUBLIC if is_public else Audience.SHARED,)


@respx.mock
async def test_a_visibility_that_cannot_be_read_back_leaves_the_outcome_unknown(
    desk: ZendeskDesk,
) -> None:
    connector = a_connector(BASE, FakeClock(), token="t")
    respx.put(f"{BASE}/api/v2/tickets/7").respond(200, json=an_answer())
    respx.get(f"{BASE}/api/v2/tickets/7/comments").respond(500)
    op = an_update(desk, TicketId("7"), comment=a_draft(desk, "<p>x</p>", Audience.SHARED))
    with pytest.raises(OutcomeUnknown):
        await connector.write(an_intent(desk, op))


@pytest.mark.parametrize(
    "spoiled",
    [
        an_answer() | {"audit": None},
        an_answer(type="Notification"),
        an_answer(id=900),
        {"ticket": an_answer()["ticket"] | {"updated_at": "soon"}},
        {"ticket": an_answer()["ticket"]},
        {"audit": an_answer()["audit"]},
        {},
    ],
)
@respx.mock
async def test_an_answer_that_does_not_show_our_comment_leaves_the_outcome_unknown(
    desk: ZendeskDesk, spoiled: dict[str, Any]
) -> None:
    connector = a_connector(BASE, FakeClock(), token="t")
    respx.put(f"{BASE}/api/v2/tickets/7").respond(200, json=spoiled)
    op = an_update(desk, TicketId("7"), comment=a_draft(desk, "<p>x</p>"))
    intent = replace(an_intent(desk, op), highest_comment_id=CommentId("949"))
    if spoiled == an_answer(id=900):
        intent = replace(intent, highest_comment_id=CommentId("900"))
    with pytest.raises(OutcomeUnknown):
        await connector.write(intent)


@pytest.mark.parametrize(
    ("event", "highest", "is_ours"),
    [
        ({}, "949", True),
        ({"html_body": "<p>Mia Keller:</p><p>x</p>"}, "949", False),
        ({}, "950", False),
        ({"type": "Notification"}, "949", False),
    ],
)
@respx.mock
async def test_where_no_stamp_tells_a_comment_of_the_same_second_is_known_by_its_words(
    desk: ZendeskDesk, event: dict[str, Any], highest: str, is_ours: bool
) -> None:
    connector = a_connector(BASE, FakeClock(), token="t")
    respx.put(f"{BASE}/api/v2/tickets/7").respond(200, json=an_answer(public=True, **event))
    op = an_update(desk, TicketId("7"), comment=a_draft(desk, "<p>x</p>"))
    intent = replace(
        an_intent(desk, op),
        precondition="2027-01-15T08:00:00Z",
        highest_comment_id=CommentId(highest),
    )
    if is_ours:
        assert (await connector.write(intent)).comment_ids == (CommentId("950"),)
        return
    with pytest.raises(OutcomeUnknown):
        await connector.write(intent)


async def test_a_public_comment_is_never_added_silently(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    loud = an_update(desk, ticket_id, comment=a_draft(desk, "<p>x</p>"))
    before = desk.stored(ticket_id)
    with pytest.raises(Rejected):
        await desk.connector.write(an_intent(desk, replace(loud, is_silent=True), seen))
    assert desk.stored(ticket_id) == before
    quiet = replace(loud, comment=a_draft(desk, "<p>x</p>", Audience.SHARED), is_silent=True)
    await desk.connector.write(an_intent(desk, quiet, seen))
    assert not desk.stored(ticket_id).comments[-1].is_public


async def test_a_comment_that_would_be_cut_is_refused_whole(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    # Broken apart, each brace has three bytes more.
    braces = a_draft(desk, "<p>" + "{" * 30_000 + "</p>")
    for op in (
        an_update(desk, ticket_id, comment=braces),
        a_creation(desk, braces),
        a_creation(desk, braces, is_silent=True),
    ):
        before = desk.sandbox.log.write_count
        with pytest.raises(Rejected):
            await desk.connector.write(an_intent(desk, op, seen))
        assert desk.sandbox.log.write_count == before
    most = a_draft(desk, "<p>" + "é" * 29_000 + "</p>")
    op = an_update(desk, ticket_id, comment=most)
    await desk.connector.write(an_intent(desk, op, seen))
    assert desk.stored(ticket_id).comments[-1].text == "é" * 29_000


async def test_a_write_to_a_closed_ticket_is_refused_with_what_to_do(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    await desk.change(ticket_id, status="closed")
    seen = await look(desk, ticket_id)
    op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>x</p>"))
    with pytest.raises(Rejected) as caught:
        await desk.connector.write(an_intent(desk, op, seen))
    assert "follow-up" in caught.value.hint
    assert caught.value.field == "status"


# --- creations -----------------------------------------------------------------------------------


async def test_a_new_ticket_goes_where_the_link_says(desk: ZendeskDesk) -> None:
    asked = 0
    places = (("group", "heroku"), ("brand", "Acme"), ("assignee", "bob@acme.test"))
    for number in range(2):
        op = a_creation(desk, a_draft(desk, "<p>x</p>"), op_id=f"{number:032x}")
        before = desk.sandbox.log.request_count
        answer = await desk.connector.write(an_intent(desk, replace(op, placement=places)))
        asked = desk.sandbox.log.request_count - before
        ticket = desk.sandbox.desk.account.tickets[int(answer.ticket_id)]
        assert ticket.values["group_id"] == desk.sandbox.desk.account.group_named("Heroku").id  # type: ignore[union-attr]
        assert ticket.values["assignee_id"] == _id_of(desk, "bob@acme.test")
    assert asked == 1


@pytest.mark.parametrize("kind", ["group", "brand", "assignee"])
async def test_a_place_that_does_not_exist_is_refused_before_anything_is_written(
    desk: ZendeskDesk, kind: str
) -> None:
    op = replace(a_creation(desk, a_draft(desk, "<p>x</p>")), placement=((kind, "nowhere"),))
    with pytest.raises(Rejected) as caught:
        await desk.connector.write(an_intent(desk, op))
    assert f"partner.{kind}" in caught.value.hint
    assert desk.tickets(op.external_id) == ()


@respx.mock
async def test_a_form_is_found_by_its_name(desk: ZendeskDesk) -> None:
    connector = a_connector(BASE, FakeClock(), token="t")
    forms = {"ticket_forms": [{"id": 1, "name": "Other"}, {"id": 2, "name": "Heroku form"}]}
    respx.get(f"{BASE}/api/v2/ticket_forms").respond(200, json=forms)
    op = replace(
        a_creation(desk, a_draft(desk, "<p>x</p>")),
        placement=(("form", "Heroku form"), ("planet", "Mars")),
    )
    answer = an_answer(public=True)
    answer["ticket"]["external_id"] = op.external_id
    route = respx.post(f"{BASE}/api/v2/tickets").respond(201, json=answer)
    await connector.write(an_intent(desk, op))
    assert b'"ticket_form_id":2' in route.calls.last.request.content


async def test_a_birth_is_one_request_and_its_answer_covers_the_time_before(
    desk: ZendeskDesk,
) -> None:
    await desk.connector.fetch(TicketId("1"), Read.FIELDS)
    before = desk.sandbox.log.request_count
    op = a_creation(desk, a_draft(desk, "<p>x</p>"))
    answer = await desk.connector.write(an_intent(desk, op))
    assert desk.sandbox.log.request_count - before == 1
    assert answer.sighting.covers is not None
    assert answer.sighting.covers.after == 0
    assert answer.sighting.covers.to > 0


async def test_the_answer_to_a_repeated_creation_is_old_and_confirms_nothing(
    desk: ZendeskDesk,
) -> None:
    intent = an_intent(desk, a_creation(desk, a_draft(desk, "<p>x</p>")))
    await desk.connector.write(intent)
    desk.clock.advance(600)
    again = await desk.connector.write(intent)
    assert again.sighting.ticket is not None
    assert not again.sighting.ticket.is_confirmed


async def test_a_silent_birth_tells_nobody_and_keeps_its_times(desk: ZendeskDesk) -> None:
    at = desk.clock.now() - timedelta(days=400)
    draft = replace(a_draft(desk, "<p>Old</p>"), occurred_at=at)
    op = a_creation(desk, draft, is_silent=True)
    answer = await desk.connector.write(an_intent(desk, op))
    account = desk.sandbox.desk.account
    assert account.notifications == []
    kept = account.tickets[int(answer.ticket_id)].comments[0].created_at
    assert kept == int(at.timestamp())


async def test_an_import_whose_thread_could_not_be_read_is_unknown_and_found(
    desk: ZendeskDesk,
) -> None:
    op = a_creation(desk, a_draft(desk, "<p>x</p>"), is_silent=True)
    intent = an_intent(desk, op)
    desk.sandbox.faults.arm(Fault(action="status", status=429, path="/audits"))
    with pytest.raises(OutcomeUnknown):
        await desk.connector.write(intent)
    desk.clock.advance(60)
    finding = await desk.connector.find(intent)
    assert finding.fate is Fate.FOUND
    assert len(desk.tickets(op.external_id)) == 1


# --- lost writes ---------------------------------------------------------------------------------


async def test_finding_a_lost_comment_is_two_reads(desk: ZendeskDesk) -> None:
    intent = await a_lost_comment(desk, "drop_after")
    await desk.connector.find(intent)
    before = desk.sandbox.log.request_count
    assert (await desk.connector.find(intent)).fate is Fate.FOUND
    assert desk.sandbox.log.request_count - before == 2


async def test_a_comment_that_landed_in_the_very_second_of_its_stamp_is_found() -> None:
    async with a_zendesk_desk(metadata_readable=False) as desk:
        ticket_id = await desk.open_ticket()
        seen = await look(desk, ticket_id)
        await desk.change(ticket_id, tags=frozenset({"x"}))
        now = await desk.connector.fetch(ticket_id, Read.FIELDS)
        assert now is not None
        assert now.ticket is not None
        op = an_update(desk, ticket_id, comment=a_draft(desk, "<p>Only once</p>"))
        intent = replace(an_intent(desk, op, seen), precondition=now.ticket.precondition)
        desk.sandbox.faults.arm(Fault(action="drop_after", kind="write", path=desk.ticket_path))
        with pytest.raises(OutcomeUnknown):
            await desk.connector.write(intent)
        # The stamp has not moved, and yet the comment is there.
        assert (await desk.connector.find(intent)).fate is Fate.FOUND


async def test_two_comments_that_could_both_be_ours_are_for_a_person_to_tell_apart() -> None:
    async with a_zendesk_desk(metadata_readable=False) as desk:
        intent = await a_lost_comment(desk)
        for _ in range(2):
            await speak_as_ourselves(desk, intent.op.ticket_id, "<p>Only  once</p>")  # type: ignore[union-attr]
        assert (await desk.connector.find(intent)).fate is Fate.AMBIGUOUS


async def test_other_words_of_our_own_user_are_not_the_lost_comment() -> None:
    async with a_zendesk_desk(metadata_readable=False) as desk:
        intent = await a_lost_comment(desk)
        await speak_as_ourselves(desk, intent.op.ticket_id, "<p>Something else</p>")  # type: ignore[union-attr]
        assert (await desk.connector.find(intent)).fate is Fate.ABSENT


async def test_a_comment_that_is_explained_already_is_not_the_lost_one() -> None:
    async with a_zendesk_desk(metadata_readable=False) as desk:
        intent = await a_lost_comment(desk)
        ticket_id = intent.op.ticket_id  # type: ignore[union-attr]
        await speak_as_ourselves(desk, ticket_id, "<p>Only once</p>")
        explained = desk.stored(ticket_id).comments[-1].comment_id
        known = replace(intent, known_ids=intent.known_ids | {explained})
        assert (await desk.connector.find(known)).fate is Fate.ABSENT


async def test_the_stamp_of_another_operation_is_not_ours_whatever_its_words(
    desk: ZendeskDesk,
) -> None:
    intent = await a_lost_comment(desk)
    ticket_id = intent.op.ticket_id  # type: ignore[union-attr]
    seen = await look(desk, ticket_id)
    draft = a_draft(desk, "<p>Only once</p>")
    other = an_update(desk, ticket_id, comment=draft, op_id="f" * 32)
    await desk.connector.write(an_intent(desk, other, seen))
    assert (await desk.connector.find(intent)).fate is Fate.ABSENT


async def test_a_lost_comment_is_found_below_a_hundred_later_ones(desk: ZendeskDesk) -> None:
    intent = await a_lost_comment(desk, "drop_after")
    ticket_id = intent.op.ticket_id  # type: ignore[union-attr]
    for number in range(130):
        desk.clock.advance(1)
        await desk.answer(ticket_id, f"<p>{number}</p>")
    finding = await desk.connector.find(intent)
    assert finding.fate is Fate.FOUND
    assert finding.answer is not None
    assert finding.answer.comment_ids == (desk.stored(ticket_id).comments[1].comment_id,)


async def test_a_write_to_a_ticket_that_is_gone_will_never_land(desk: ZendeskDesk) -> None:
    intent = await a_lost_comment(desk)
    await desk.delete(intent.op.ticket_id)  # type: ignore[union-attr]
    assert (await desk.connector.find(intent)).fate is Fate.ABSENT


async def test_fields_that_never_arrived_may_go_again(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    seen = await look(desk, ticket_id)
    intent = an_intent(desk, an_update(desk, ticket_id, status="pending"), seen)
    assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE
    await desk.change(ticket_id, status="hold")
    assert (await desk.connector.find(intent)).fate is Fate.ABSENT


async def test_two_tickets_with_our_external_id_are_for_a_person_to_tell_apart(
    desk: ZendeskDesk,
) -> None:
    op = a_creation(desk, a_draft(desk, "<p>x</p>"))
    intent = an_intent(desk, op)
    for number in range(2):
        again = replace(op, op_id=OpId(f"{number:032x}"))
        await desk.connector.write(an_intent(desk, again))
    assert (await desk.connector.find(intent)).fate is Fate.AMBIGUOUS


async def test_a_creation_may_go_again_for_as_long_as_the_desk_remembers_its_key(
    desk: ZendeskDesk,
) -> None:
    intent = an_intent(desk, a_creation(desk, a_draft(desk, "<p>x</p>")))
    desk.clock.advance(2 * 3600 - 60)
    assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE
    desk.clock.advance(120)
    assert (await desk.connector.find(intent)).fate is Fate.ABSENT


async def test_an_import_is_looked_for_twice_before_it_may_go_again(desk: ZendeskDesk) -> None:
    op = a_creation(desk, a_draft(desk, "<p>x</p>"), is_silent=True)
    started = desk.clock.monotonic()
    assert (await desk.connector.find(an_intent(desk, op))).fate is Fate.REPEATABLE
    assert desk.clock.monotonic() - started >= 5


async def test_a_restriction_is_looked_for_in_the_thread(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    written = await desk.answer(ticket_id, "<p>Oops</p>")
    op = RestrictComment(
        op_id=OpId("r" * 32),
        side=desk.side,
        ticket_id=ticket_id,
        comment_id=written,
        source_id=CommentId("s"),
    )
    intent = an_intent(desk, op)
    assert (await desk.connector.find(intent)).fate is Fate.REPEATABLE
    await desk.connector.write(intent)
    assert (await desk.connector.find(intent)).fate is Fate.FOUND
    await desk.delete(ticket_id)
    assert (await desk.connector.find(intent)).fate is Fate.ABSENT


# --- reading -------------------------------------------------------------------------------------


async def test_a_thread_of_many_pages_is_read_to_its_end(desk: ZendeskDesk) -> None:
    ticket_id = await desk.open_ticket()
    for number in range(230):
        await desk.answer(ticket_id, f"<p>{number}</p>")
    seen = await look(desk, ticket_id)
    assert len(seen.comments) == 231
    before = desk.sandbox.log.request_count
    await desk.connector.fetch(ticket_id, Read.THREAD, comments_as_of=seen.ticket.comments_as_of)
    assert desk.sandbox.log.request_count - before == 1


async def test_hundreds_of_tickets_are_read_a_hundred_at_a_time(desk: ZendeskDesk) -> None:
    ids = [await desk.open_ticket() for _ in range(205)]
    await desk.connector.fetch(ids[0], Read.FIELDS)
    before = desk.sandbox.log.request_count
    seen = await desk.connector.fetch_many([*ids, *ids, TicketId("none")])
    assert {s.ticket_id for s in seen} == set(ids)
    assert desk.sandbox.log.request_count - before == 3


@respx.mock
async def test_a_ticket_with_an_unreadable_time_is_a_riddle() -> None:
    row = an_answer()["ticket"] | {"updated_at": "soon"}
    respx.get(f"{BASE}/api/v2/tickets/7").respond(200, json={"ticket": row})
    respx.get(url__startswith=f"{BASE}/api/v2/tickets/show_many").respond(
        200, json={"tickets": [row, an_answer()["ticket"]]}
    )
    connector = a_connector(BASE, FakeClock(), token="t")
    with pytest.raises(Unintelligible):
        await connector.fetch(TicketId("7"), Read.FIELDS)
    assert len(await connector.fetch_many([TicketId("7")])) == 1


@respx.mock
async def test_pages_without_an_end_are_not_read_for_ever() -> None:
    page = {"audits": [], "meta": {"has_more": True, "after_cursor": "same"}}
    respx.get(url__startswith=f"{BASE}/api/v2/tickets/7/audits").respond(200, json=page)
    with pytest.raises(Unintelligible):
        await a_connector(BASE, FakeClock(), token="t").fetch(TicketId("7"), Read.THREAD)


@respx.mock
async def test_a_thread_without_a_date_proves_nothing() -> None:
    page = {"audits": [an_answer()["audit"]], "meta": {"has_more": False, "after_cursor": "c"}}
    respx.get(url__startswith=f"{BASE}/api/v2/tickets/7/audits").respond(200, json=page)
    users = {"users": [{"id": 1, "name": "Ada", "role": "agent"}]}
    respx.get(url__startswith=f"{BASE}/api/v2/users/show_many").respond(200, json=users)
    sighting = await a_connector(BASE, FakeClock(), token="t").fetch(TicketId("7"), Read.THREAD)
    assert sighting is not None
    assert sighting.covers is None
    assert sighting.comments[0].author.name == "Ada"


async def test_a_view_of_a_desk_without_views_is_empty(desk: ZendeskDesk) -> None:
    assert [page async for page in desk.connector.view("any")] == []


def _id_of(desk: ZendeskDesk, email: str) -> int:
    user = desk.sandbox.desk.account.user_by_email(email)
    assert user is not None
    return user.id
