"""Writes of the rules become the platform's JSON, and its answers tell what became of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from connectors.platform import mapping, wire
from syncd.core.model import Audience, OpId, Person, Role, Side, Span, TicketId
from syncd.core.operations import Draft, UpdateTicket
from tests.support.platform_contract import contract, problems
from tests.support.platform_values import (
    Json,
    a_ticket,
    an_update,
    comment_json,
    status_step,
    ticket_json,
)


def an_op(**members: Any) -> UpdateTicket:
    wanted: dict[str, Any] = {
        "op_id": OpId("op1"),
        "side": Side.PLATFORM,
        "ticket_id": TicketId("t1"),
        **members,
    }
    return UpdateTicket(**wanted)


def a_draft(**members: Any) -> Draft:
    wanted: dict[str, Any] = {"html": "<p>Hi</p>", "audience": Audience.PUBLIC, **members}
    return Draft(**wanted)


def body_of(op: UpdateTicket) -> Json:
    """The write as JSON, held against the contract."""
    body: Json = json.loads(wire.write(mapping.from_operation(op)))
    assert problems(contract()["components"]["schemas"]["NewUpdate"], body) == []
    return body


# --- writes ---------------------------------------------------------------------------------------


def test_a_public_comment_is_written_public_and_names_no_view() -> None:
    body = body_of(an_op(comment=a_draft()))
    assert body == {"comment": {"visibility": "public", "body_html": "<p>Hi</p>"}, "notify": True}


def test_a_shared_comment_is_written_private_for_its_view() -> None:
    draft = a_draft(audience=Audience.SHARED, view="acme-postgres")
    comment = body_of(an_op(comment=draft))["comment"]
    assert (comment["visibility"], comment["views"]) == ("private", ["acme-postgres"])


@pytest.mark.parametrize("audience", [Audience.SHARED, Audience.LOCAL])
def test_without_a_view_a_private_comment_is_for_staff_only(audience: Audience) -> None:
    comment = body_of(an_op(comment=a_draft(audience=audience)))["comment"]
    assert comment == {"visibility": "private", "body_html": "<p>Hi</p>"}


def test_a_local_comment_reaches_no_view_even_if_one_is_named() -> None:
    draft = a_draft(audience=Audience.LOCAL, view="acme-postgres")
    assert "views" not in body_of(an_op(comment=draft))["comment"]


def test_author_and_time_are_written_without_the_id_of_another_desk() -> None:
    draft = a_draft(
        author=Person(person_id="4711", name="Ann  Agent\x00\n", role=Role.AGENT),
        occurred_at=datetime(2027, 1, 15, 10, 0, tzinfo=timezone(timedelta(hours=2))),
    )
    comment = body_of(an_op(comment=draft))["comment"]
    assert comment["author"] == {"name": "Ann Agent", "role": "partner"}
    assert comment["occurred_at"] == "2027-01-15T08:00:00Z"


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_word_of_the_platforms(role: Role) -> None:
    draft = a_draft(author=Person(person_id="1", name="Someone", role=role))
    assert body_of(an_op(comment=draft))["comment"]["author"]["name"] == "Someone"


def test_a_customer_stays_a_customer() -> None:
    draft = a_draft(author=Person(person_id="1", name="Mia", role=Role.CUSTOMER))
    assert body_of(an_op(comment=draft))["comment"]["author"]["role"] == "customer"


def test_a_name_that_is_too_long_is_cut() -> None:
    draft = a_draft(author=Person(person_id="1", name="x" * 5000, role=Role.AGENT))
    assert len(body_of(an_op(comment=draft))["comment"]["author"]["name"]) == mapping.LONGEST_NAME


@pytest.mark.parametrize("name", ["", " ", "\x00"])
def test_nobody_is_no_author(name: str) -> None:
    draft = a_draft(author=Person(person_id="1", name=name, role=Role.AGENT))
    assert "author" not in body_of(an_op(comment=draft))["comment"]


def test_text_that_the_platform_refuses_is_mended() -> None:
    draft = a_draft(html="<p>a\x00b\ud800 \U0001f600</p>")
    body = body_of(an_op(comment=draft))["comment"]["body_html"]
    assert body == "<p>ab\ufffd \U0001f600</p>"


def test_markup_that_the_platform_lacks_keeps_its_meaning() -> None:
    draft = a_draft(html="<h2>Plan</h2><p>a</p><hr><p>b <del>c</del> <s>d</s></p>")
    body = body_of(an_op(comment=draft))["comment"]["body_html"]
    assert body == "<p><strong>Plan</strong></p><p>a</p><p>———</p><p>b ~~c~~ ~~d~~</p>"


def test_fields_travel_beside_the_comment_in_one_write() -> None:
    op = an_op(
        status="With customer",
        add_tags=frozenset({"b", "a"}),
        remove_tags=frozenset({"c"}),
        leave_view="acme-postgres",
    )
    assert body_of(op) == {
        "status": "With customer",
        "tags": {"add": ["a", "b"], "remove": ["c"]},
        "views": {"remove": ["acme-postgres"]},
        "notify": True,
    }


def test_equal_operations_give_equal_bytes() -> None:
    tags = [f"tag-{n}" for n in range(50)]
    one = wire.write(mapping.from_operation(an_op(add_tags=frozenset(tags))))
    other = wire.write(mapping.from_operation(an_op(add_tags=frozenset(reversed(tags)))))
    assert one == other


@pytest.mark.parametrize(
    ("op", "is_notifying"),
    [
        (an_op(comment=a_draft()), True),
        (an_op(comment=a_draft(), is_silent=True), False),
        (an_op(status="Closed"), True),
        (an_op(comment=a_draft(audience=Audience.SHARED)), True),
        (an_op(comment=a_draft(audience=Audience.SHARED, note_key="context")), False),
        (an_op(comment=a_draft(audience=Audience.SHARED, note_key="n"), leave_view="v"), True),
        (an_op(comment=a_draft(note_key="part:1:1@platform")), True),
        (an_op(leave_view="v", is_silent=True), False),
    ],
    ids=["answer", "history", "status", "aside", "note", "hand-off", "part", "silent"],
)
def test_people_hear_of_what_people_wrote(op: UpdateTicket, is_notifying: bool) -> None:
    assert body_of(op)["notify"] is is_notifying


# --- answers --------------------------------------------------------------------------------------


def an_answer(*, ticket_version: int = 7, **members: Any) -> wire.UpdateAnswer:
    tags = members.pop("ticket_tags", ["urgent"])
    return wire.UpdateAnswer(
        ticket=a_ticket(version=ticket_version, tags=tags), update=an_update(**members)
    )


def test_an_answer_tells_the_comment_its_audience_and_what_was_replaced() -> None:
    op = an_op(comment=a_draft(), status="With customer", add_tags=frozenset({"urgent"}))
    answer = mapping.to_answer(
        op,
        an_answer(
            comment=comment_json(),
            status=status_step("With customer"),
            tags={"added": ["urgent"], "removed": ["old"]},
        ),
    )
    assert answer.comment_ids == ("u7",)
    assert answer.stored == (Audience.PUBLIC,)
    assert answer.replaced_status == "Open"
    assert answer.replaced_tags == frozenset({"old"})
    assert answer.sighting.covers == Span(after=6, to=7)
    assert answer.sighting.is_read
    assert answer.sighting.status_update is not None
    assert answer.sighting.status_update.update_id == "u7"


def test_a_comment_stored_otherwise_than_asked_is_told() -> None:
    op = an_op(comment=a_draft(audience=Audience.SHARED, view="acme-postgres"))
    assert mapping.to_answer(op, an_answer(comment=comment_json())).stored == (Audience.PUBLIC,)


def test_a_comment_of_ours_that_is_not_shown_still_has_its_id() -> None:
    answer = mapping.to_answer(an_op(comment=a_draft(audience=Audience.LOCAL)), an_answer())
    assert (answer.comment_ids, answer.stored) == (("u7",), (None,))


def test_a_status_that_was_there_already_was_replaced_by_itself() -> None:
    answer = mapping.to_answer(an_op(status="Open", comment=a_draft()), an_answer())
    assert answer.replaced_status == "Open"


def test_tags_before_a_write_are_not_told_once_the_ticket_went_on() -> None:
    answer = mapping.to_answer(an_op(), an_answer(ticket_version=9))
    assert answer.replaced_tags is None
    assert answer.replaced_status is None


def test_tags_that_a_write_did_not_touch_were_the_same_before() -> None:
    assert mapping.to_answer(an_op(status="Closed"), an_answer()).replaced_tags == frozenset(
        {"urgent"}
    )


def test_a_write_that_changed_nothing_has_no_comment_and_proves_the_ticket() -> None:
    answer = mapping.to_answer(
        an_op(add_tags=frozenset({"urgent"})), wire.UpdateAnswer(ticket=a_ticket(), update=None)
    )
    assert (answer.comment_ids, answer.stored) == ((), ())
    assert answer.sighting.ticket is not None
    assert answer.sighting.ticket.fields_as_of == 7
    assert answer.sighting.covers is None


def test_all_that_is_used_of_an_answer_is_in_the_contract() -> None:
    schemas = contract()["components"]["schemas"]
    assert problems(schemas["Ticket"], ticket_json()) == []
    for struct in (wire.Ticket, wire.Update, wire.Comment, wire.Change, wire.UpdatePage, wire.Me):
        names = {member.encode_name for member in msgspec.structs.fields(struct)}
        assert names <= schemas[struct.__name__]["properties"].keys()
