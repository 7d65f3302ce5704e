"""What is news, for whom, and what came in one update."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.core.agreed import Known
from syncd.core.model import Audience, Role, Side
from syncd.core.policy import Direction, LinkPolicy
from syncd.core.thread import (
    audience_for,
    has_local_marker,
    is_answered_and_closed,
    is_explained,
    is_one_update,
    is_read_at_home,
    known_ids,
    lacks_body,
    newest_id,
    news,
    note_keys,
    own_ids,
)
from tests.support.build import (
    LINK,
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_update,
    a_ticket,
    an_agent,
    later,
)

POLICY = LinkPolicy(link=LINK, view="acme")
MAPPED = a_base(
    a_mapping("1", "101"),
    a_mapping("7", "2", origin=Side.PARTNER),
    a_mapping("102", None, kind=Known.NOTE, origin=Side.PARTNER, note_key="context"),
    a_mapping("3", None, kind=Known.LOCAL),
)


def test_originals_copies_and_notes_are_explained_on_their_side() -> None:
    assert known_ids(MAPPED, Side.PLATFORM) == {"1", "2", "3"}
    assert known_ids(MAPPED, Side.PARTNER) == {"101", "7", "102"}
    assert note_keys(MAPPED) == {"context"}


def test_what_we_wrote_ourselves_is_told_from_what_people_wrote() -> None:
    assert own_ids(MAPPED, Side.PLATFORM) == {"2"}
    assert own_ids(MAPPED, Side.PARTNER) == {"101", "102"}


def test_news_is_what_nothing_explains_in_the_desks_order() -> None:
    shown = a_snapshot(a_ticket(), *(a_comment(str(number)) for number in (5, 1, 4)))
    assert [comment.comment_id for comment in news(MAPPED, Side.PLATFORM, shown)] == ["5", "4"]
    assert newest_id(shown.comments) == "4"
    assert newest_id(()) is None


@pytest.mark.parametrize(
    ("audience", "views", "expected"),
    [
        (Audience.PUBLIC, (), Audience.PUBLIC),
        (Audience.SHARED, ("acme", "other"), Audience.SHARED),
        (Audience.SHARED, ("other",), Audience.LOCAL),
        (Audience.SHARED, (), Audience.LOCAL),
        (Audience.SHARED, None, Audience.SHARED),
        (Audience.LOCAL, None, Audience.LOCAL),
    ],
)
def test_a_private_comment_is_this_links_only_if_its_view_reads_it(
    audience: Audience, views: tuple[str, ...] | None, expected: Audience
) -> None:
    comment = a_comment(audience=audience, views=views)
    assert audience_for(comment, Side.PLATFORM, POLICY) is expected


@pytest.mark.parametrize("html", ["#local", "<p>#LOCAL: psst</p>", "<p>\u200b #local</p>"])
def test_a_comment_with_the_local_marker_stays_whatever_its_audience(html: str) -> None:
    assert audience_for(a_comment(html=html), Side.PARTNER, POLICY) is Audience.LOCAL


def test_a_marker_elsewhere_or_none_at_all_marks_nothing() -> None:
    assert not has_local_marker(a_comment(html="<p>see #local</p>"), POLICY)
    assert not has_local_marker(a_comment(html=None), POLICY)
    assert not has_local_marker(a_comment(html="#local"), replace(POLICY, local_marker=""))


def test_a_kind_of_comment_that_may_not_travel_that_way_is_local() -> None:
    policy = replace(POLICY, public=Direction.TO_PARTNER, private=Direction.NONE)
    assert audience_for(a_comment(), Side.PLATFORM, policy) is Audience.PUBLIC
    assert audience_for(a_comment(), Side.PARTNER, policy) is Audience.LOCAL
    private = a_comment(audience=Audience.SHARED)
    assert audience_for(private, Side.PARTNER, policy) is Audience.LOCAL


AT_HOME = replace(POLICY, private=Direction.TO_PARTNER)


@pytest.mark.parametrize(
    ("changes", "side", "policy", "is_read"),
    [
        ({}, Side.PARTNER, AT_HOME, True),
        ({"html": None}, Side.PARTNER, AT_HOME, True),
        ({"views": frozenset({"acme"})}, Side.PARTNER, AT_HOME, True),
        ({"views": frozenset({"other"})}, Side.PARTNER, AT_HOME, False),
        ({}, Side.PLATFORM, replace(POLICY, private=Direction.NONE), False),
        ({}, Side.PARTNER, POLICY, False),
        ({}, Side.PARTNER, replace(AT_HOME, hand_off_phrases=()), False),
        ({"audience": Audience.PUBLIC}, Side.PARTNER, AT_HOME, False),
        ({"audience": Audience.LOCAL}, Side.PARTNER, AT_HOME, False),
        ({"html": "<p>#local and more</p>"}, Side.PARTNER, AT_HOME, False),
    ],
)
def test_only_what_stays_by_the_links_direction_alone_is_read_at_home(
    *, changes: dict[str, Any], side: Side, policy: LinkPolicy, is_read: bool
) -> None:
    comment = replace(a_comment(audience=Audience.SHARED), **changes)
    assert is_read_at_home(comment, side, policy) is is_read


def test_a_body_is_lacking_only_where_it_must_travel() -> None:
    bodiless = a_comment("9", None)
    assert lacks_body(a_base(), Side.PLATFORM, a_snapshot(a_ticket(), bodiless), POLICY)
    private = a_snapshot(a_ticket(), replace(bodiless, audience=Audience.SHARED))
    assert lacks_body(a_base(), Side.PARTNER, private, AT_HOME)
    assert not lacks_body(a_base(), Side.PARTNER, private, replace(AT_HOME, hand_off_phrases=()))
    local = replace(bodiless, audience=Audience.LOCAL)
    assert not lacks_body(a_base(), Side.PLATFORM, a_snapshot(a_ticket(), local), POLICY)
    known = a_base(a_mapping("9"))
    assert not lacks_body(known, Side.PLATFORM, a_snapshot(a_ticket(), bodiless), POLICY)


def test_one_update_is_one_id_or_else_one_actor_in_one_second() -> None:
    comment = a_comment("1", author=an_agent(), update_id="u1", at=later(1.2))
    assert is_one_update(comment, a_status_update(update_id="u1", actor_id="x"))
    assert not is_one_update(comment, a_status_update(update_id="u2", at=later(1)))
    nameless = replace(comment, update_id=None)
    actor = nameless.author.person_id
    assert is_one_update(nameless, a_status_update(actor_id=actor, at=later(1.9)))
    assert not is_one_update(nameless, a_status_update(actor_id=actor, at=later(2)))
    assert not is_one_update(nameless, a_status_update(actor_id="x", at=later(1.2)))
    written = replace(nameless, writer_id="w")
    assert is_one_update(written, a_status_update(actor_id="w", at=later(1.2)))


def test_a_status_is_explained_by_its_named_update_or_by_the_whole_thread() -> None:
    behind = a_ticket(fields_as_of=5, comments_as_of=4)
    assert not is_explained(behind)
    assert is_explained(a_ticket(fields_as_of=5, comments_as_of=5))
    named = replace(behind, status_update=a_status_update(update_id="u1"))
    assert is_explained(named)
    assert not is_explained(replace(named, status="Closed"))
    assert not is_explained(replace(behind, status_update=a_status_update()))


@pytest.mark.parametrize(
    ("changes", "is_answered"),
    [
        ({}, True),
        ({"audience": Audience.SHARED}, False),
        ({"author": a_person(role=Role.CUSTOMER)}, False),
        ({"update_id": "u2"}, False),
        # Ours: the copy of a public answer that was written together with the status.
        ({"comment_id": "101"}, False),
    ],
)
def test_an_answer_and_a_close_are_a_persons_public_words_in_the_closing_update(
    changes: dict[str, object], is_answered: bool
) -> None:
    comment = replace(a_comment("9", author=an_agent(), update_id="u1"), **changes)  # type: ignore[arg-type]
    update = a_status_update("solved", update_id="u1")
    shown = a_snapshot(a_ticket(status="solved", status_update=update), comment)
    assert is_answered_and_closed(MAPPED, Side.PARTNER, shown) is is_answered


def test_without_the_update_nothing_is_said_of_its_comments() -> None:
    shown = a_snapshot(a_ticket(status="solved"), a_comment("9", author=an_agent()))
    assert not is_answered_and_closed(MAPPED, Side.PARTNER, shown)
