"""Each of Zendesk's ticket event types: what it proves, and what that does to a mirror."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from connectors.zendesk.event_types import ENDS, EVENT_TYPES, PREFIX, SUBSCRIPTIONS, Proof
from connectors.zendesk.webhook import read_webhook
from syncd.core.errors import Unintelligible
from syncd.core.mirror import merge_ticket
from syncd.core.model import CommentId, ConnectionName, End, Sighting, Ticket, TicketId
from syncd.ports import Heard
from tests.meta.project import ROOT
from tests.support.build import a_ticket
from tests.wire.test_zendesk_webhook import BASE, NOW, SECRET, an_envelope, signed

#: As the vendor lists them, https://developer.zendesk.com/api-reference/webhooks/event-types/.
LISTED = """
agent_assignment_changed attachment_linked_to_comment attachment_redacted_from_comment brand_changed
comment_added comment_made_private comment_redacted created csat_received csat_requested
custom_field_changed custom_status_changed description_changed email_ccs_changed external_id_changed
followers_changed form_changed group_assignment_changed marked_as_spam merged
next_sla_breach_changed ola_policy_changed organization_changed permanently_deleted priority_changed
problem_link_changed requester_changed schedule_changed sla_policy_changed soft_deleted
status_changed subject_changed submitter_changed tags_changed task_due_at_changed type_changed
undeleted
""".split()


def heard(kind: str, **given: Any) -> Heard:
    """What is made of an event of that type."""
    body = json.dumps(an_envelope(kind, **given)).encode()
    return read_webhook(
        signed(body),
        body,
        secret=SECRET,
        connection=ConnectionName("acme"),
        base_url=BASE,
        now=NOW,
    )


def shown(kind: str, **given: Any) -> Sighting:
    (sighting,) = heard(kind, **given).sightings
    return sighting


def mirrored(
    sightings: Iterable[Sighting],
    known: Ticket | None = None,
    held: frozenset[CommentId] = frozenset(),
) -> Ticket:
    for sighting in sightings:
        known = merge_ticket(known, sighting, held=held)
    assert known is not None
    return known


# --- the list ------------------------------------------------------------------------------------


def test_every_type_of_the_vendors_list_is_decided() -> None:
    assert sorted(EVENT_TYPES) == sorted(LISTED)


@pytest.mark.parametrize("kind", LISTED)
def test_a_type_is_read_as_decided_and_never_taken_for_a_new_one(kind: str) -> None:
    comment = {"comment": {"id": "901"}, "current": "PENDING"}
    told = heard(kind, event=comment)
    assert not told.is_unknown
    match EVENT_TYPES[kind]:
        case Proof.NOTHING:
            assert told.sightings == ()
        case Proof.FIELDS:
            assert [(s.ticket is None, s.hinted) for s in told.sightings] == [(False, ())]
        case Proof.COMMENT:
            assert [s.hinted for s in told.sightings] == [("901",)]
        case Proof.MENDED:
            assert [s.hinted for s in told.sightings] == [(f"901:{kind}",)]
        case Proof.END:
            (sighting,) = told.sightings
            assert sighting.ticket is not None
            assert sighting.ticket.end is ENDS[kind] is not End.ALIVE


def test_a_type_of_no_interest_is_not_even_looked_into() -> None:
    assert heard("priority_changed", detail={"id": None, "updated_at": "soon"}) == Heard()


def test_only_what_is_of_use_is_subscribed_to() -> None:
    wanted = {name.removeprefix(PREFIX) for name in SUBSCRIPTIONS}
    assert wanted == {name for name, proof in EVENT_TYPES.items() if proof is not Proof.NOTHING}
    assert {"status_changed", "tags_changed", "comment_added", "merged"} <= wanted
    assert "priority_changed" not in wanted


def test_the_docs_tell_of_every_type_what_it_proves() -> None:
    page = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([a-z]+) \|", page, re.MULTILINE))
    assert rows == {name: proof.value for name, proof in EVENT_TYPES.items()}


# --- types of tomorrow ---------------------------------------------------------------------------


def test_a_new_type_moves_the_fields_like_any_other_and_is_counted() -> None:
    told = heard("mood_changed", detail={"status": "SOLVED"})
    assert told.is_unknown
    assert mirrored(told.sightings).status == "solved"
    assert mirrored(told.sightings).end is End.ALIVE
    assert not mirrored(told.sightings).is_comment_hinted


@pytest.mark.parametrize("kind", ["comment_edited", "attachment_replaced"])
def test_a_new_type_about_comments_has_the_thread_read_again(kind: str) -> None:
    told = heard(kind)
    assert told.is_unknown
    assert mirrored(told.sightings).is_comment_hinted


def test_a_new_type_of_another_shape_is_a_hint_for_a_known_ticket_and_nothing_for_others() -> None:
    told = heard("comment_edited", detail={"updated_at": None})
    assert told.is_unknown
    known = a_ticket("7")
    assert merge_ticket(None, told.sightings[0]) is None
    assert mirrored(told.sightings, known).is_comment_hinted
    assert mirrored(told.sightings, known).status == known.status


@pytest.mark.parametrize("subject", [None, "zen:ticket:", "zen:user:7", "7"])
def test_a_new_type_of_another_shape_about_nobody_is_counted_only(subject: str | None) -> None:
    assert heard("x_changed", detail={"id": None}, subject=subject) == Heard(is_unknown=True)


# --- exactly -------------------------------------------------------------------------------------


def test_the_fields_of_another_ticket_than_the_subjects_are_a_riddle() -> None:
    with pytest.raises(Unintelligible):
        heard("status_changed", subject="zen:ticket:8")


@pytest.mark.parametrize(
    ("target", "merged_into"), [("8", "8"), (8, "8"), (None, None), ("", None), ("x", None)]
)
def test_a_merge_tells_where_the_ticket_went(target: object, merged_into: str | None) -> None:
    ticket = shown("merged", event={"target_ticket_id": target}).ticket
    assert ticket is not None
    assert (ticket.end, ticket.merged_into) == (End.MERGED, merged_into)


def test_no_other_type_names_a_target() -> None:
    ticket = shown("soft_deleted", event={"target_ticket_id": "8"}).ticket
    assert ticket is not None
    assert ticket.merged_into is None


@pytest.mark.parametrize("number", [901, "901"])
def test_ids_are_text_or_numbers(number: object) -> None:
    told = shown("comment_added", event={"comment": {"id": number}}, detail={"id": 7})
    assert (told.ticket_id, told.hinted) == (TicketId("7"), ("901",))


# --- doubled, reordered, late --------------------------------------------------------------------

OPENED = shown("created", detail={"status": "OPEN", "updated_at": "2027-01-15T08:00:00Z"})
TAGGED = shown(
    "tags_changed",
    detail={"status": "OPEN", "tags": ["a", "b"], "updated_at": "2027-01-15T08:00:10Z"},
    event={"tags_added": ["b"], "tags_removed": []},
)
SPOKEN = shown(
    "comment_added",
    detail={"status": "OPEN", "tags": ["a", "b"], "updated_at": "2027-01-15T08:00:20Z"},
    event={"comment": {"id": "901"}},
)
WAITING = shown(
    "status_changed",
    detail={"tags": ["a", "b"], "updated_at": "2027-01-15T08:00:25Z"},
    time="2027-01-15T08:00:25Z",
)
STORY = (OPENED, TAGGED, SPOKEN, WAITING)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_in_whatever_order_they_come_the_mirror_ends_the_same(order: tuple[int, ...]) -> None:
    assert mirrored(STORY[i] for i in order) == mirrored(STORY)


def test_doubles_change_nothing() -> None:
    once = mirrored(STORY)
    assert mirrored(STORY, once) == once
    assert mirrored(each for each in STORY for _ in range(3)) == once


def test_what_comes_minutes_after_the_mirror_went_on_takes_nothing_back() -> None:
    held = frozenset({CommentId("901")})
    later = shown("status_changed", detail={"status": "SOLVED", "tags": []})
    known = mirrored([*STORY, later], held=held)
    newest = mirrored(
        [shown("undeleted", detail={"status": "OPEN", "updated_at": "2027-01-15T08:09:00Z"})],
        known,
        held,
    )
    assert mirrored(STORY, newest, held) == newest


def test_a_late_word_of_a_comment_that_is_held_is_no_hint() -> None:
    assert not mirrored([SPOKEN], held=frozenset({CommentId("901")})).is_comment_hinted
    assert mirrored([SPOKEN]).is_comment_hinted


def test_two_bodies_of_one_second_that_differ_are_settled_by_a_read() -> None:
    first = shown("tags_changed", detail={"tags": ["a"]})
    second = shown("tags_changed", detail={"tags": ["a", "b"]})
    assert mirrored([first, second]).is_stale
    assert mirrored([second, first]).is_stale
