"""What a status means that was set with an answer, or without the customer's message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import StatusBase
from syncd.core.guard import guard_note, guarded
from syncd.core.model import Audience, Comment, Role, Side, Status
from syncd.core.notes import NoteKind
from syncd.core.policy import Direction, LinkPolicy
from tests.support.build import (
    LINK,
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_base,
    a_status_update,
    a_ticket,
    an_agent,
)

POLICY = LinkPolicy(link=LINK, view="acme")
BASE = a_base(a_mapping("1", "101"), status=a_status_base())
#: The agent solved, and the platform does not show it yet.
AGREED = replace(a_status_base(Status.CLOSED, partner="solved"), by=Side.PARTNER)
READ = a_comment("1")
UNREAD = a_comment("2")


def meant(
    *said: Comment,
    platform: str = "Open",
    partner: str = "solved",
    policy: LinkPolicy = POLICY,
) -> dict[Side, Status]:
    """What the guard makes of an agent's `partner` while these words are on the platform."""
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(status=platform), READ, *said),
        Side.PARTNER: a_snapshot(a_ticket(status=partner), a_comment("101")),
    }
    return guarded(BASE, shown, policy)


@pytest.mark.parametrize("partner", ["solved", "pending"])
def test_a_status_set_before_the_customers_message_has_come_means_open(partner: str) -> None:
    assert meant(UNREAD, partner=partner) == {Side.PARTNER: Status.OPEN}


@pytest.mark.parametrize(
    ("comment", "policy"),
    [
        pytest.param(READ, POLICY, id="its copy is there"),
        pytest.param(replace(UNREAD, author=an_agent()), POLICY, id="not the customer's"),
        pytest.param(replace(UNREAD, audience=Audience.SHARED), POLICY, id="not public"),
        pytest.param(
            UNREAD, replace(POLICY, public=Direction.TO_PLATFORM), id="does not go that way"
        ),
        pytest.param(UNREAD, replace(POLICY, has_close_guard=False), id="no guard"),
    ],
)
def test_other_words_leave_a_close_as_it_is(comment: Comment, policy: LinkPolicy) -> None:
    assert meant(comment, policy=policy) == {}


@pytest.mark.parametrize(
    ("platform", "partner"),
    [
        pytest.param("With customer", "solved", id="staff have moved on from the message"),
        pytest.param("Closed", "pending", id="staff have closed"),
        pytest.param("Open", "open", id="nothing changed"),
        pytest.param("Open", "hold", id="another word for open"),
    ],
)
def test_a_message_on_its_way_holds_nothing_open_but_what_its_desk_shows_as_open(
    platform: str, partner: str
) -> None:
    assert meant(UNREAD, platform=platform, partner=partner) == {}


@pytest.mark.parametrize(
    ("status", "siblings", "found"),
    [
        pytest.param(AGREED, (), {Side.PARTNER: Status.OPEN}, id="on its way"),
        pytest.param(replace(AGREED, by=Side.PLATFORM), (), {}, id="not the agent's"),
        pytest.param(replace(AGREED, by=None), (), {}, id="nobody's"),
        pytest.param(AGREED, (Status.OPEN,), {}, id="held back for another pair"),
        pytest.param(replace(AGREED, left=frozenset({Side.PLATFORM})), (), {}, id="left as it is"),
    ],
)
def test_a_close_that_the_message_overtook_means_open(
    status: StatusBase, siblings: tuple[Status, ...], found: dict[Side, Status]
) -> None:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(status="Open"), READ, UNREAD),
        Side.PARTNER: a_snapshot(a_ticket(status="solved"), a_comment("101")),
    }
    base = replace(BASE, status=status)
    assert guarded(base, shown, POLICY, siblings=siblings) == found


def test_staffs_close_is_held_open_by_a_message_at_the_partner() -> None:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(status="Closed"), READ),
        Side.PARTNER: a_snapshot(a_ticket(status="open"), a_comment("101"), a_comment("102")),
    }
    assert guarded(BASE, shown, POLICY) == {Side.PLATFORM: Status.OPEN}


def test_without_a_base_nobody_knows_what_was_read() -> None:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(status="Open"), UNREAD),
        Side.PARTNER: a_snapshot(a_ticket(status="solved")),
    }
    assert guarded(replace(BASE, status=None), shown, POLICY) == {}


def test_the_message_counts_for_more_than_the_answer_that_closed() -> None:
    answer = a_comment("9", author=a_person("Ada", Role.AGENT), update_id="u1")
    update = a_status_update("solved", update_id="u1")
    closed = a_snapshot(a_ticket(status="solved", status_update=update), answer)
    shown = {Side.PLATFORM: a_snapshot(a_ticket(status="Open"), READ), Side.PARTNER: closed}
    assert guarded(BASE, shown, POLICY) == {Side.PARTNER: Status.WITH_CUSTOMER}
    shown[Side.PLATFORM] = a_snapshot(a_ticket(status="Open"), READ, UNREAD)
    assert guarded(BASE, shown, POLICY) == {Side.PARTNER: Status.OPEN}


def test_whoever_set_it_is_told_what_stays_in_the_words_of_their_desk() -> None:
    told = guard_note(Status.OPEN, "solved", Side.PARTNER, POLICY)
    assert (told.kind, told.facts) == (
        NoteKind.UNREAD_MESSAGE,
        (("status", "solved"), ("kept", "open")),
    )
    assert guard_note(Status.WITH_CUSTOMER, "solved", Side.PARTNER, POLICY).kind is (
        NoteKind.CLOSE_GUARD
    )
