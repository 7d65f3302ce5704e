"""Zendesk's JSON as values of the core, and our operations as its JSON: pure, table by table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.zendesk import bodies, mapping, wire
from syncd.core.model import Audience, End, Person, Role, Side
from syncd.core.operations import CreateTicket, UpdateTicket
from tests.support.build import a_creation, a_draft, an_intent, an_update

BASE = "https://acme.zendesk.com"
UPDATED = datetime(2027, 1, 15, 8, 0, 5, tzinfo=UTC)
ADA = Person(person_id="21", name="Ada Agent", role=Role.AGENT)
CORA = Person(person_id="11", name="Cora", role=Role.CUSTOMER)
PEOPLE = {"21": ADA, "11": CORA}


def a_row(**given: Any) -> wire.Ticket:
    row: dict[str, Any] = {
        "id": 7,
        "subject": "Slow",
        "status": "open",
        "tags": ["a", "b"],
        "requester_id": 11,
        "created_at": "2027-01-15T08:00:00Z",
        "updated_at": "2027-01-15T08:00:05Z",
        "description": "never looked at",
    }
    return wire.decode(json.dumps(row | given).encode(), wire.Ticket)


def an_audit(*events: dict[str, Any], **given: Any) -> mapping.Update:
    audit: dict[str, Any] = {
        "id": 900,
        "created_at": "2027-01-15T08:00:05Z",
        "author_id": 21,
        "metadata": {"system": {}, "custom": {}},
        "events": list(events),
    }
    return mapping.to_update(wire.decode(json.dumps(audit | given).encode(), wire.Audit))


def an_event(*children: dict[str, Any], **given: Any) -> mapping.Update:
    event: dict[str, Any] = {
        "id": 900,
        "ticket_id": 7,
        "timestamp": 1_800_000_005,
        "created_at": "2027-01-15T08:00:05Z",
        "updater_id": 21,
        "event_type": "Audit",
        "metadata": {},
        "child_events": list(children),
    }
    raw = json.dumps(event | given).encode()
    return mapping.feed_update(wire.decode(raw, wire.TicketEvent))


def a_comment_event(**given: Any) -> dict[str, Any]:
    event = {
        "id": 901,
        "type": "Comment",
        "author_id": 21,
        "html_body": '<div class="zd-comment" dir="auto"><p dir="auto">Hello</p></div>',
        "body": "Hello",
        "public": True,
        "attachments": [],
    }
    return event | given


def a_ticket(row: wire.Ticket | None = None, seen_at: datetime | None = None) -> Any:
    return mapping.to_ticket(row or a_row(), seen_at=seen_at, people=PEOPLE, base_url=BASE)


# --- tickets -------------------------------------------------------------------------------------


def test_a_ticket_is_its_fields() -> None:
    ticket = a_ticket()
    assert (ticket.ticket_id, ticket.subject, ticket.status) == ("7", "Slow", "open")
    assert ticket.tags == {"a", "b"}
    assert ticket.requester == CORA
    assert ticket.updated_at == UPDATED
    assert ticket.precondition == "2027-01-15T08:00:05Z"
    assert ticket.fields_as_of == int(UPDATED.timestamp())
    assert ticket.url == f"{BASE}/agent/tickets/7"
    assert ticket.end is End.ALIVE


@pytest.mark.parametrize(
    ("seen_at", "is_confirmed"),
    [
        (None, False),
        (UPDATED - timedelta(seconds=1), False),
        (UPDATED, False),
        (UPDATED + timedelta(milliseconds=999), False),
        (UPDATED + timedelta(seconds=1), True),
    ],
)
def test_a_reading_is_confirmed_once_its_second_is_over(
    seen_at: datetime | None, is_confirmed: bool
) -> None:
    assert a_ticket(seen_at=seen_at).is_confirmed is is_confirmed


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2027-01-15T08:00:05Z", "2027-01-15T08:00:05Z"),
        ("2027-01-15T08:00:05.123456Z", "2027-01-15T08:00:05Z"),
        ("2027-01-15T09:00:05+01:00", "2027-01-15T08:00:05Z"),
        ("2027-01-15T08:00:05", "2027-01-15T08:00:05Z"),
    ],
)
def test_a_stamp_has_one_spelling(stamp: str, expected: str) -> None:
    assert a_ticket(a_row(updated_at=stamp)).precondition == expected


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        a_ticket(a_row(updated_at="yesterday"))


@pytest.mark.parametrize(
    ("status", "tags", "end"),
    [
        ("new", [], End.ALIVE),
        ("solved", [], End.ALIVE),
        ("closed", [], End.FINAL),
        ("closed", ["closed_by_merge"], End.MERGED),
        ("open", ["closed_by_merge"], End.ALIVE),
        ("deleted", [], End.DELETED),
        ("scrubbed", [], End.GONE),
        ("archived", [], End.FINAL),
        ("DELETED", [], End.DELETED),
    ],
)
def test_an_end_is_told_by_status_and_tags(status: str, tags: list[str], end: End) -> None:
    assert a_ticket(a_row(status=status, tags=tags)).end is end


def test_a_ticket_without_requester_or_subject_is_still_one() -> None:
    ticket = a_ticket(a_row(subject=None, requester_id=None))
    assert (ticket.subject, ticket.requester.role) == ("", Role.SYSTEM)


def test_control_characters_do_not_get_in() -> None:
    assert a_ticket(a_row(subject="a\x00b\x07c")).subject == "abc"


def test_ids_may_be_text() -> None:
    assert a_ticket(a_row(id="7", requester_id="11")).requester == CORA


# --- people --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "role"),
    [
        ({"role": "end-user"}, Role.CUSTOMER),
        ({"role": "agent", "role_type": 0}, Role.AGENT),
        ({"role": "agent", "role_type": 1}, Role.LIGHT_AGENT),
        ({"role": "agent", "role_type": None}, Role.AGENT),
        ({"role": "admin", "role_type": 4}, Role.ADMIN),
        ({"role": "wizard"}, Role.UNKNOWN),
        ({}, Role.UNKNOWN),
    ],
)
def test_a_role_is_known_or_unknown(user: dict[str, Any], role: Role) -> None:
    row = wire.decode(json.dumps({"id": 5, "name": "A"} | user).encode(), wire.User)
    assert mapping.to_person(row) == Person(person_id="5", name="A", role=role)


def test_somebody_unknown_has_no_name_and_the_system_a_role() -> None:
    assert mapping.find_person({}, 99) == Person(person_id="99", name="", role=Role.UNKNOWN)
    assert mapping.find_person({}, -1).role is Role.SYSTEM
    assert mapping.find_person({}, None).role is Role.SYSTEM


# --- comments ------------------------------------------------------------------------------------


def test_a_comment_is_its_text_without_the_desks_wrapper() -> None:
    comment = mapping.comments_of(an_audit(a_comment_event()), PEOPLE)[0]
    assert (comment.comment_id, comment.update_id, comment.writer_id) == ("901", "900", "21")
    assert comment.html == "<p>Hello</p>"
    assert comment.author == ADA
    assert comment.audience is Audience.PUBLIC
    assert comment.created_at == UPDATED
    assert comment.stamp is None


@pytest.mark.parametrize(
    ("public", "audience"),
    [(True, Audience.PUBLIC), (False, Audience.SHARED), (None, Audience.SHARED)],
)
def test_a_comment_is_public_only_if_the_desk_says_so(
    public: bool | None, audience: Audience
) -> None:
    update = an_audit(a_comment_event(public=public))
    assert mapping.comments_of(update, PEOPLE)[0].audience is audience


def test_a_comment_without_html_is_its_plain_text() -> None:
    update = an_audit(a_comment_event(html_body=None, body="a < b\nc\n\nd"))
    html = mapping.comments_of(update, PEOPLE)[0].html
    assert html == "<p>a &lt; b<br>c</p><p>d</p>"


def test_a_comment_written_for_somebody_else_names_both() -> None:
    comment = mapping.comments_of(an_audit(a_comment_event(author_id=11)), PEOPLE)[0]
    assert (comment.author, comment.writer_id) == (CORA, "21")


def test_a_comment_without_author_is_by_whoever_made_the_update() -> None:
    assert mapping.comments_of(an_audit(a_comment_event(author_id=None)), PEOPLE)[0].author == ADA


def test_the_system_may_write() -> None:
    update = an_audit(a_comment_event(author_id=None), author_id=None)
    comment = mapping.comments_of(update, PEOPLE)[0]
    assert (comment.author.role, comment.writer_id) == (Role.SYSTEM, None)
    assert mapping.people_in([update]) == frozenset()


def test_files_are_listed_and_deleted_ones_are_not() -> None:
    kept = {"id": 1, "file_name": "a.log", "size": 3, "content_type": "text/plain"}
    kept["content_url"] = "https://acme.zendesk.com/a"
    update = an_audit(a_comment_event(attachments=[kept, {"id": 2, "deleted": True}, {"id": 3}]))
    files = mapping.comments_of(update, PEOPLE)[0].attachments
    assert [(f.attachment_id, f.name, f.size) for f in files] == [
        ("1", "a.log", 3),
        ("3", "file", 0),
    ]
    assert (files[1].content_type, files[1].url) == ("application/octet-stream", "")


@pytest.mark.parametrize(
    "event",
    [
        {"id": 1, "type": "Notification", "body": "mail"},
        {"id": 1, "type": "Change", "field_name": "priority", "value": "low"},
        {"id": 1, "type": "Comment"},
        {"type": "Comment", "body": "no id"},
        {"id": 1, "type": "SomethingNew", "value": {"deep": [1]}},
        {"id": 1},
    ],
)
def test_what_is_no_comment_is_skipped(event: dict[str, Any]) -> None:
    update = an_audit(event)
    assert mapping.comments_of(update, PEOPLE) == ()
    assert mapping.status_update_of(update) is None
    assert mapping.mended_in(update) == frozenset()


def test_a_call_is_a_comment_too() -> None:
    update = an_audit(a_comment_event(type="VoiceComment", html_body=None, body="Call"))
    assert mapping.comments_of(update, PEOPLE)[0].html == "<p>Call</p>"


# --- updates -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Create", "Change"])
def test_an_update_that_gives_a_status_is_named(kind: str) -> None:
    update = mapping.status_update_of(
        an_audit({"id": 1, "type": kind, "field_name": "status", "value": "Pending"})
    )
    assert update is not None
    assert (update.status, update.update_id, update.actor_id) == ("pending", "900", "21")
    assert update.at == UPDATED


def test_of_two_statuses_in_one_update_the_last_one_counts() -> None:
    changes = [
        {"id": n, "type": "Change", "field_name": "status", "value": value}
        for n, value in enumerate(("pending", "open"))
    ]
    update = mapping.status_update_of(an_audit(*changes, author_id=None))
    assert update is not None
    assert (update.status, update.actor_id) == ("open", None)


def test_of_two_changes_of_a_field_the_first_one_tells_what_was_replaced() -> None:
    changes = [
        {"type": "Change", "field_name": "tags", "previous_value": ["a"], "value": ["a", "b"]},
        {"type": "Change", "field_name": "tags", "previous_value": ["a", "b"], "value": ["c"]},
    ]
    assert mapping.replaced_value(an_audit(*changes).audit, "tags") == ["a"]
    assert mapping.replaced_value(an_audit(*changes).audit, "status") is None


@pytest.mark.parametrize(
    ("metadata", "stamp"),
    [
        ({"custom": {"syncd": "s-1"}}, "s-1"),
        ({"syncd": "s-1"}, "s-1"),
        ({"custom": {"syncd": 7}}, None),
        ({"custom": {}}, None),
        ({"custom": "text"}, None),
        ([], None),
        (None, None),
        ("text", None),
    ],
)
def test_a_stamp_is_read_where_the_desk_lets_us(metadata: Any, stamp: str | None) -> None:
    assert mapping.stamp_in(an_audit(metadata=metadata).audit) == stamp


@pytest.mark.parametrize(
    "kind", ["CommentPrivacyChange", "CommentRedaction", "AttachmentRedaction"]
)
def test_a_comment_that_was_mended_is_named(kind: str) -> None:
    assert mapping.mended_in(an_audit({"id": 1, "type": kind, "comment_id": 55})) == {"55"}
    assert mapping.mended_in(an_audit({"id": 1, "type": kind})) == {""}


# --- the events feed -----------------------------------------------------------------------------


def test_an_event_of_the_feed_says_what_its_audit_says() -> None:
    child = a_comment_event(via={"channel": "api"}, event_type="Comment")
    del child["type"]
    fed = an_event(child, {"id": 2, "event_type": "Change", "status": "pending", "via": "Web form"})
    read = an_audit(
        a_comment_event(), {"id": 2, "type": "Change", "field_name": "status", "value": "pending"}
    )
    assert mapping.comments_of(fed, PEOPLE) == mapping.comments_of(read, PEOPLE)
    assert mapping.status_update_of(fed) == mapping.status_update_of(read)
    assert fed.second == read.second


def test_a_change_of_something_else_in_the_feed_is_skipped() -> None:
    fed = an_event({"id": 2, "event_type": "Change", "tags": ["x"], "status": None})
    assert mapping.status_update_of(fed) is None


def test_an_event_without_a_text_time_has_its_number() -> None:
    assert an_event(created_at=None).second == 1_800_000_005
    with pytest.raises(ValueError, match="without a time"):
        an_event(created_at=None, timestamp=None)


def test_a_child_that_cannot_be_read_sends_us_to_the_thread() -> None:
    fed = an_event({"event_type": "Comment", "id": 5, "public": "perhaps"})
    assert mapping.mended_in(fed) == {""}


def test_comment_ids_are_compared_as_numbers() -> None:
    assert mapping.number_of("33144692244371") > mapping.number_of("999")
    assert mapping.number_of("none") == 0


# --- bodies of writes ----------------------------------------------------------------------------


def sent(body: bytes) -> Any:
    return json.loads(body)["ticket"]


@pytest.mark.parametrize("audience", list(Audience))
def test_a_comment_is_sent_public_only_if_it_is(audience: Audience) -> None:
    op = an_update(comment=a_draft("<p>Hi</p>", audience=audience))
    comment = sent(bodies.update(op, an_intent(op)))["comment"]
    assert comment == {"html_body": "<p>Hi</p>", "public": audience is Audience.PUBLIC}


def test_an_update_carries_its_stamp_its_precondition_and_only_what_changes() -> None:
    op = an_update(status="pending")
    intent = an_intent(op, precondition="2027-01-15T08:00:05Z", stamp="s-1")
    assert sent(bodies.update(op, intent)) == {
        "status": "pending",
        "safe_update": True,
        "updated_stamp": "2027-01-15T08:00:05Z",
        "metadata": {"syncd": "s-1"},
    }


def test_tags_are_sent_whole_and_only_when_they_change() -> None:
    op = an_update(add_tags={"new"}, remove_tags={"old"})
    intent = an_intent(op, tags_before={"old", "kept"})
    assert sent(bodies.update(op, intent))["tags"] == ["kept", "new"]
    unchanged = an_update(add_tags={"kept"})
    assert "tags" not in sent(bodies.update(unchanged, an_intent(unchanged, tags_before={"kept"})))


def test_a_write_without_precondition_is_not_a_safe_update() -> None:
    op = an_update(status="open")
    assert "safe_update" not in sent(bodies.update(op, an_intent(op, precondition=None)))


def test_equal_intents_are_equal_bytes() -> None:
    def once() -> bytes:
        op = an_update(comment=a_draft(), add_tags={"c", "a", "b"}, status="open")
        return bodies.update(op, an_intent(op, tags_before={"z", "y"}))

    assert once() == once()


def test_placeholders_of_others_are_broken() -> None:
    op = an_update(comment=a_draft("<p>{{ticket.requester.email}} {% if x %}</p>"))
    html = sent(bodies.update(op, an_intent(op)))["comment"]["html_body"]
    assert "{{" not in html
    assert "{%" not in html
    create = a_creation(subject="{{dc.secret}}")
    assert "{{" not in sent(bodies.creation(create, an_intent(create), placed={}))["subject"]


def test_a_comment_that_holds_nothing_is_still_a_comment() -> None:
    op = an_update(comment=a_draft("<script>x</script>"))
    assert sent(bodies.update(op, an_intent(op)))["comment"]["html_body"] == "<p>…</p>"


def test_a_creation_names_the_customer_without_an_address() -> None:
    op = a_creation("op-1", a_draft("<p>First</p>"), tags={"b", "a"}, status="open")
    body = sent(bodies.creation(op, an_intent(op, stamp="s-1"), placed={"group_id": 5}))
    assert body == {
        "external_id": op.external_id,
        "subject": op.subject,
        "status": "open",
        "tags": ["a", "b"],
        "requester": {"name": "Cora"},
        "metadata": {"syncd": "s-1"},
        "group_id": 5,
        "comment": {"html_body": "<p>First</p>", "public": True},
    }


def test_a_customer_without_a_name_still_gets_one() -> None:
    nameless = Person(person_id="1", name=" \x00", role=Role.CUSTOMER)
    op = a_creation(requester=nameless)
    assert sent(bodies.creation(op, an_intent(op), placed={}))["requester"] == {"name": "Customer"}


def test_a_ticket_may_be_created_without_a_comment() -> None:
    op = CreateTicket(
        op_id=a_creation().op_id,
        side=Side.PARTNER,
        external_id="x",
        subject="s",
        status="open",
        tags=frozenset(),
        requester=CORA,
        comments=(),
    )
    assert "comment" not in sent(bodies.creation(op, an_intent(op), placed={}))
    assert (
        sent(bodies.one_import(bodies.imported_ticket(op, placed={}, not_after=UPDATED)))[
            "comments"
        ]
        == []
    )


def test_an_import_keeps_order_audience_and_times() -> None:
    first = datetime(2026, 5, 1, 12, 0, 0, 999, tzinfo=UTC)
    op = a_creation(
        "op-1",
        a_draft("<p>1</p>", occurred_at=first),
        a_draft("<p>2</p>", audience=Audience.SHARED, occurred_at=first + timedelta(days=1)),
        a_draft("<p>3</p>", audience=Audience.SHARED),
        is_silent=True,
    )
    body = sent(bodies.one_import(bodies.imported_ticket(op, placed={}, not_after=UPDATED)))
    assert body["created_at"] == "2026-05-01T12:00:00Z"
    assert body["comments"] == [
        {"html_body": "<p>1</p>", "public": True, "created_at": "2026-05-01T12:00:00Z"},
        {"html_body": "<p>2</p>", "public": False, "created_at": "2026-05-02T12:00:00Z"},
        {"html_body": "<p>3</p>", "public": False},
    ]


def test_a_time_that_the_desk_calls_the_future_is_left_to_the_desk() -> None:
    op = a_creation(
        "op-1",
        a_draft("<p>1</p>", occurred_at=UPDATED),
        a_draft("<p>2</p>", occurred_at=UPDATED + timedelta(seconds=1)),
        is_silent=True,
    )
    body = sent(bodies.one_import(bodies.imported_ticket(op, placed={}, not_after=UPDATED)))
    assert body["created_at"] == "2027-01-15T08:00:05Z"
    assert [comment.get("created_at") for comment in body["comments"]] == [
        "2027-01-15T08:00:05Z",
        None,
    ]


def test_the_tags_after_an_update_are_those_before_with_the_difference() -> None:
    op: UpdateTicket = an_update(add_tags={"b"}, remove_tags={"a"})
    assert bodies.tags_after(op, an_intent(op, tags_before={"a", "x"})) == {"b", "x"}
