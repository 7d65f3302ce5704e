"""A twin that the store forgot: how it is looked up, and whose wish its status was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from syncd.core.agreed import Base, StatusBase, TagBase
from syncd.core.model import Side, Snapshot, Status
from syncd.core.operations import CreateTicket, create_op
from syncd.core.recognition import follow_our_status, lookup, take_twin
from tests.support.build import (
    AT,
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_base,
    a_status_update,
    a_ticket,
)
from tests.support.twins import PAIR_KEY
from tests.unit.core.test_recognition import POLICY, ROBOTS, ours


def test_a_forgotten_twin_is_as_if_it_had_just_been_born() -> None:
    ticket = a_ticket(status="With customer", tags={"t-a", "internal"})
    taken = take_twin(a_base(a_mapping("1", "101")), ticket, POLICY)
    assert taken.status == StatusBase(
        agreed=Status.WITH_CUSTOMER,
        seen={Side.PLATFORM: "With customer", Side.PARTNER: "pending"},
    )
    tags = frozenset({"t-a"})
    assert taken.tags == TagBase(agreed=tags, seen={Side.PLATFORM: tags})
    assert taken.comments == (a_mapping("1", "101"),)
    assert [note.kind for note in taken.owed] == ["context"]


def test_a_lookup_would_make_the_same_ticket_and_says_nothing() -> None:
    assert lookup(PAIR_KEY, a_person()) == CreateTicket(
        op_id=create_op(PAIR_KEY, Side.PARTNER),
        side=Side.PARTNER,
        external_id=PAIR_KEY,
        subject="",
        status="",
        tags=frozenset(),
        requester=a_person(),
        comments=(),
    )


def closed_by(
    actor: str | None, status: str = "solved", shown_status: str = "solved", there: str = "Open"
) -> dict[Side, Snapshot]:
    """The partner's ticket was solved by that account; the platform's is `there`."""
    update = a_status_update(status, actor_id=actor, at=AT)
    return {
        Side.PLATFORM: a_snapshot(a_ticket(status=there, status_update=a_status_update(there))),
        Side.PARTNER: a_snapshot(a_ticket("9001", status=shown_status, status_update=update)),
    }


@pytest.mark.parametrize(
    ("there", "seen"),
    [
        pytest.param("Closed", "Closed", id="both have it"),
        pytest.param("Open", "Closed", id="the other has moved on since"),
    ],
)
def test_a_status_that_we_wrote_was_the_other_sides_wish(there: str, seen: str) -> None:
    base = follow_our_status(a_base(), closed_by("robot", there=there), POLICY, ROBOTS)
    assert base.status == StatusBase(
        agreed=Status.CLOSED,
        seen={Side.PARTNER: "solved", Side.PLATFORM: seen},
        by=Side.PLATFORM,
    )


@pytest.mark.parametrize(
    ("base", "snapshots"),
    [
        pytest.param(a_base(), closed_by("ada"), id="a person's"),
        pytest.param(a_base(), closed_by(None), id="nobody's"),
        pytest.param(a_base(), closed_by("robot", status="pending"), id="another status since"),
        pytest.param(
            a_base(), closed_by("robot", status="odd", shown_status="odd"), id="no known status"
        ),
        pytest.param(replace(a_base(), status=None), closed_by("robot"), id="nothing agreed"),
        pytest.param(
            a_base(), {Side.PARTNER: closed_by("robot")[Side.PARTNER]}, id="one desk alone"
        ),
        pytest.param(
            a_base(),
            {
                side: a_snapshot(replace(each.ticket, status_update=None))
                for side, each in closed_by("robot").items()
            },
            id="nobody knows who",
        ),
    ],
)
def test_any_other_status_is_looked_at_anew(base: Base, snapshots: Mapping[Side, Snapshot]) -> None:
    assert follow_our_status(base, snapshots, POLICY, ROBOTS) == base


def test_another_word_for_the_status_that_we_wrote_is_no_news() -> None:
    update = a_status_update("Open", actor_id="robot")
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(status="Open", status_update=update)),
        Side.PARTNER: a_snapshot(a_ticket("9001", status="hold")),
    }
    followed = follow_our_status(a_base(), shown, POLICY, ROBOTS)
    assert followed.status == replace(a_status_base(partner="hold"), by=Side.PARTNER)


def test_a_desk_that_does_not_say_who_set_its_status_hides_nothing_of_the_other() -> None:
    shown = closed_by("robot", there="Closed")
    silent = a_snapshot(replace(shown[Side.PLATFORM].ticket, status_update=None))
    followed = follow_our_status(a_base(), {**shown, Side.PLATFORM: silent}, POLICY, ROBOTS)
    assert followed.status is not None
    assert followed.status.by is Side.PLATFORM


def test_the_account_of_our_copies_sets_our_status_too() -> None:
    snapshots = closed_by("robot", there="Closed")
    twin = replace(snapshots[Side.PARTNER], comments=(a_comment("100"), ours("101", "x")))
    base = a_base(a_mapping("1", "101"), status=a_status_base())
    followed = follow_our_status(base, {**snapshots, Side.PARTNER: twin}, POLICY, {})
    assert followed.status is not None
    assert followed.status.by is Side.PLATFORM
