"""The platform's JSON becomes the values of the rules, read in the most private way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.platform import mapping, wire
from syncd.core.model import Audience, CommentId, Person, Role, Span, StatusUpdate, UpdateId
from tests.support.platform_values import (
    AT,
    Json,
    a_change,
    a_ticket,
    an_update,
    comment_json,
    status_step,
)

AT_TIME = datetime.fromisoformat(AT)
STAMP = "syncd:acme-postgres:0123456789abcdef0123456789abcdef"


# --- tickets --------------------------------------------------------------------------------------


def test_a_ticket_is_confirmed_and_its_version_is_precondition_and_order() -> None:
    ticket = mapping.to_ticket(a_ticket())
    assert ticket.ticket_id == "t1"
    assert ticket.precondition == '"7"'
    assert ticket.fields_as_of == 7
    assert ticket.comments_as_of == 0
    assert ticket.is_confirmed
    assert ticket.status == "Open"
    assert ticket.tags == {"urgent"}
    assert ticket.views == {"acme-postgres"}
    assert ticket.requester == Person(person_id="p1", name="Mia Keller", role=Role.CUSTOMER)
    assert ticket.url == "https://support.platform.example/tickets/1"
    assert (ticket.created_at, ticket.updated_at) == (AT_TIME, AT_TIME)


def test_metadata_keeps_the_platforms_order_and_its_time() -> None:
    ticket = mapping.to_ticket(a_ticket())
    assert ticket.metadata == (("plan", "premium"), ("app", "shop"))
    assert ticket.metadata_as_of == AT_TIME


def test_a_ticket_without_metadata_has_no_time_of_it() -> None:
    ticket = mapping.to_ticket(a_ticket(metadata={}, metadata_as_of=None))
    assert ticket.metadata == ()
    assert ticket.metadata_as_of is None


def test_the_requesters_address_does_not_come_in() -> None:
    requester = {"id": "p1", "name": "Mia", "role": "customer", "email": "mia@example.com"}
    assert "mia@example.com" not in repr(a_ticket(requester=requester))


def test_no_control_character_comes_in() -> None:
    ticket = mapping.to_ticket(
        a_ticket(
            subject="a\x00b",
            metadata={"a\x00pp": "s\x1bhop"},
            requester={"id": "p1", "name": "M\x07ia", "role": "customer"},
        )
    )
    assert (ticket.subject, ticket.metadata) == ("ab", (("app", "shop"),))
    assert ticket.requester.name == "Mia"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", "", "file:/"])
def test_people_are_sent_to_web_addresses_only(url: str) -> None:
    assert mapping.to_ticket(a_ticket(url=url)).url == ""


def test_times_with_an_offset_become_utc() -> None:
    ticket = mapping.to_ticket(a_ticket(created_at="2027-01-15T10:00:00.25+02:00"))
    assert ticket.created_at == AT_TIME
    assert ticket.created_at.tzinfo is UTC


def test_a_time_at_the_edge_of_time_does_not_raise() -> None:
    ticket = mapping.to_ticket(a_ticket(created_at="0001-01-01T00:00:00+14:00"))
    assert ticket.created_at == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "members",
    [
        {"version": -1},
        {"version": 2**60},
        {"version": "7"},
        {"id": ""},
        {"created_at": "2027-01-15T08:00:00"},
        {"tags": None},
        {"metadata": {"app": 1}},
        {"requester": None},
    ],
)
def test_a_ticket_that_is_not_as_documented_is_refused(members: Json) -> None:
    with pytest.raises(wire.NotAsDocumented):
        a_ticket(**members)


def test_what_is_wrong_with_a_ticket_is_told_without_its_text() -> None:
    with pytest.raises(wire.NotAsDocumented) as caught:
        a_ticket(subject=["secret words"])
    assert "subject" in str(caught.value)
    assert "secret" not in str(caught.value)


# --- comments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visibility", "views", "audience"),
    [
        ("public", [], Audience.PUBLIC),
        ("private", ["acme-postgres"], Audience.SHARED),
        ("private", [], Audience.LOCAL),
        ("internal", [], Audience.LOCAL),
        ("internal", ["acme-postgres"], Audience.LOCAL),
        ("PUBLIC", [], Audience.LOCAL),
        ("", [], Audience.LOCAL),
        ("public", ["acme-postgres"], Audience.SHARED),
    ],
)
def test_an_audience_is_the_most_private_reading(
    visibility: str, views: list[str], audience: Audience
) -> None:
    update = an_update(comment=comment_json(visibility=visibility, views=views))
    comment = mapping.to_comment(update)
    assert comment is not None
    assert comment.audience is audience
    assert comment.views == (frozenset(views) if audience is Audience.SHARED else frozenset())


def test_a_comment_has_its_updates_id_and_its_writer() -> None:
    actor = {"id": "i1", "name": "syncd", "role": "integration"}
    author = {"name": "Ann", "role": "partner"}
    comment = mapping.to_comment(an_update(actor=actor, comment=comment_json(author=author)))
    assert comment is not None
    assert (comment.comment_id, comment.update_id) == ("u7", "u7")
    assert comment.author == Person(person_id="", name="Ann", role=Role.PARTNER)
    assert comment.writer_id == "i1"


def test_a_comment_is_ordered_by_when_it_came_not_by_what_its_writer_claims() -> None:
    claimed = comment_json(occurred_at="2001-01-01T00:00:00Z")
    comment = mapping.to_comment(an_update(comment=claimed))
    assert comment is not None
    assert comment.created_at == AT_TIME


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("customer", Role.CUSTOMER),
        ("staff", Role.STAFF),
        ("partner", Role.PARTNER),
        ("system", Role.SYSTEM),
        ("integration", Role.SYSTEM),
        ("wizard", Role.UNKNOWN),
    ],
)
def test_an_authors_role_is_the_platforms_word_for_it(word: str, role: Role) -> None:
    author = {"id": "p", "name": "Someone", "role": word}
    comment = mapping.to_comment(an_update(comment=comment_json(author=author)))
    assert comment is not None
    assert comment.author.role is role


def test_an_update_id_of_ours_is_the_stamp() -> None:
    ours = mapping.to_comment(an_update(id=STAMP, comment=comment_json(id=STAMP)))
    theirs = mapping.to_comment(an_update(comment=comment_json()))
    assert ours is not None
    assert theirs is not None
    assert (ours.stamp, theirs.stamp) == (STAMP, None)


def test_hostile_html_is_made_harmless() -> None:
    body = '<p onclick="x()">Hi<script>alert(1)</script><a href="javascript:x()">y</a></p>'
    comment = mapping.to_comment(an_update(comment=comment_json(body_html=body)))
    assert comment is not None
    assert comment.html is not None
    for bad in ("script", "onclick", "javascript"):
        assert bad not in comment.html
    assert "Hi" in comment.html


def test_attachments_come_by_reference() -> None:
    file = {
        "id": "f1",
        "name": "log.txt",
        "size": 12,
        "content_type": "text/plain",
        "url": "https://x",
    }
    comment = mapping.to_comment(an_update(comment=comment_json(attachments=[file])))
    assert comment is not None
    (attachment,) = comment.attachments
    assert (attachment.attachment_id, attachment.name, attachment.size) == ("f1", "log.txt", 12)
    assert (attachment.content_type, attachment.url) == ("text/plain", "https://x")


def test_a_comment_that_we_may_not_see_is_none() -> None:
    assert mapping.to_comment(an_update(comment=None)) is None


# --- sightings ------------------------------------------------------------------------------------


def test_changes_of_one_ticket_in_a_row_become_one_sighting() -> None:
    sightings = mapping.to_sightings(
        [
            a_change(id="u5", version=5, comment=comment_json(id="u5")),
            a_change(id="x1", ticket_id="t2", version=7),
            a_change(id="u6", version=6),
            a_change(id="u7", version=7, comment=comment_json(id="u7")),
        ]
    )
    assert [s.ticket_id for s in sightings] == ["t1", "t2"]
    assert [c.comment_id for c in sightings[0].comments] == ["u5", "u7"]
    assert [s.covers for s in sightings] == [Span(after=4, to=7), Span(after=6, to=7)]


def test_a_gap_in_the_versions_is_not_covered() -> None:
    sightings = mapping.to_sightings([a_change(id="u4", version=4), a_change(id="u7", version=7)])
    assert [s.covers for s in sightings] == [Span(after=3, to=4), Span(after=6, to=7)]


def test_doubled_and_reordered_changes_prove_the_same() -> None:
    ordered = [a_change(id=f"u{n}", version=n, ticket_version=n) for n in (5, 6, 7)]
    assert mapping.to_sightings([*reversed(ordered), *ordered]) == mapping.to_sightings(ordered)


def test_of_several_tickets_the_newest_counts() -> None:
    (sighting,) = mapping.to_sightings(
        [
            a_change(id="u6", version=6, ticket_version=9),
            a_change(id="u7", version=7, ticket_version=8),
        ]
    )
    assert sighting.ticket is not None
    assert sighting.ticket.fields_as_of == 9


def test_the_newest_status_update_is_told_with_its_id() -> None:
    (sighting,) = mapping.to_sightings(
        [
            a_change(id="u5", version=5, status=status_step("Closed")),
            a_change(id="u6", version=6, status=status_step("Open", "Closed")),
            a_change(id="u7", version=7),
        ]
    )
    assert sighting.status_update == StatusUpdate(
        status="Open", update_id=UpdateId("u6"), actor_id="p1", at=AT_TIME
    )


def test_a_status_update_that_may_have_been_overtaken_has_no_id() -> None:
    (sighting,) = mapping.to_sightings(
        [a_change(id="u5", version=5, ticket_version=7, status=status_step("Closed"))]
    )
    assert sighting.status_update is not None
    assert sighting.status_update.update_id is None


def test_updates_without_a_status_tell_nothing_of_it() -> None:
    (sighting,) = mapping.to_sightings([a_change()])
    assert sighting.status_update is None


def test_a_thread_without_news_covers_what_was_asked_and_settles_hints() -> None:
    sighting = mapping.to_sighting(a_ticket(), [], after=7, is_read=True)
    assert sighting.covers == Span(after=7, to=7)
    assert sighting.is_read


def test_a_row_that_only_has_names_is_a_hint() -> None:
    sighting = mapping.to_hint("t1", "u7")
    assert sighting.ticket is None
    assert sighting.covers is None
    assert sighting.hinted == (CommentId("u7"),)


@pytest.mark.parametrize(
    ("precondition", "version"),
    [
        ('"7"', 7),
        (mapping.quoted(2**53), 2**53),
        (None, None),
        ("", None),
        ("*", None),
        ('W/"7"', None),
        ("2027-01-15T08:00:00Z", None),
        ('"٧"', None),
        ('"' + "9" * 40 + '"', None),
    ],
)
def test_a_precondition_gives_back_its_version(
    precondition: str | None, version: int | None
) -> None:
    assert mapping.version_of(precondition) == version
