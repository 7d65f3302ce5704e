"""What a look at both tickets takes into the base, and what is put on record of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState, Known, RefusedStatus, StatusBase
from syncd.core.decision import Circumstances, Decision, decide
from syncd.core.model import Audience, CommentId, Role, Side, Snapshot, Status, Ticket
from syncd.core.notes import NoteKind, note
from syncd.core.owing import owe
from tests.support.build import (
    a_base,
    a_comment,
    a_mapping,
    a_snapshot,
    a_status_base,
    a_status_update,
    a_ticket,
    an_agent,
    later,
)
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

POLICY = a_policy()
HERE = a_ticket(views={VIEW})
THERE = a_ticket("9001", status="open")
PHRASE = "<p>Reassign to Heroku</p>"
HANDED = HandOff(state=HandOffState.HANDED, turn=1, is_tag_set=True)


def taken(
    base: Base,
    platform: Snapshot | Ticket = HERE,
    partner: Snapshot | Ticket = THERE,
    *,
    siblings: tuple[Status, ...] = (),
    narrow: frozenset[Side] = frozenset({Side.PARTNER}),
    restricting: frozenset[Side] = frozenset(),
) -> Decision:
    desks = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}
    shown = {Side.PLATFORM: platform, Side.PARTNER: partner}
    return decide(
        base,
        {side: a_snapshot(s) if isinstance(s, Ticket) else s for side, s in shown.items()},
        policy=POLICY,
        capabilities={
            side: replace(desk, has_narrow_tags=side in narrow, can_restrict=side in restricting)
            for side, desk in desks.items()
        },
        circumstances=Circumstances(pair_key=PAIR_KEY, siblings=siblings),
    )


def notes(decision: Decision) -> list[tuple[str, Side]]:
    return [(owed.kind, owed.side) for owed in decision.base.owed]


# --- comments ------------------------------------------------------------------------------------


def test_what_stays_at_home_holds_nothing_up() -> None:
    local = a_comment("1", audience=Audience.LOCAL)
    found = taken(a_base(), a_snapshot(HERE, local, a_comment("2")))
    assert [comment.comment_id for comment in found.travelling[Side.PARTNER]] == ["2"]
    assert [mapping.kind for mapping in found.base.comments] == [Known.LOCAL]


def test_only_the_partner_hands_a_ticket_over() -> None:
    said = a_comment("1", PHRASE, audience=Audience.SHARED, views={VIEW}, author=an_agent())
    found = taken(a_base(), a_snapshot(HERE, said))
    assert found.base.hand_off == HandOff()
    assert found.travelling[Side.PARTNER] == (said,)


def test_an_order_that_was_obeyed_is_not_obeyed_again() -> None:
    order = a_comment("5", PHRASE, audience=Audience.SHARED, author=an_agent())
    offered = taken(a_base(), partner=a_snapshot(THERE, order)).base
    assert offered.hand_off.state is HandOffState.OFFERED
    again = taken(offered, partner=a_snapshot(THERE, order))
    assert (again.base, again.transitions) == (offered, ())


# --- status --------------------------------------------------------------------------------------


def test_an_offer_opens_the_ticket_in_the_partners_name() -> None:
    order = a_comment("5", PHRASE, audience=Audience.SHARED, author=an_agent())
    waiting = a_base(
        status=a_status_base(Status.WITH_CUSTOMER, platform="With customer", partner="pending")
    )
    found = taken(
        waiting,
        replace(HERE, status="With customer"),
        a_snapshot(replace(THERE, status="pending"), order),
    )
    assert found.base.status is not None
    assert (found.base.status.agreed, found.base.status.by) == (Status.OPEN, Side.PARTNER)


@pytest.mark.parametrize(
    ("hand_off", "told"),
    [
        pytest.param(HandOff(), [("unread_message", Side.PARTNER)], id="at the partner"),
        pytest.param(HANDED, [("stay_open", Side.PARTNER)], id="handed off"),
    ],
)
def test_a_close_over_an_unread_message_is_told_of_once_and_by_the_rule_that_holds_it(
    hand_off: HandOff, told: list[tuple[str, Side]]
) -> None:
    views = {VIEW} if hand_off.state is HandOffState.NONE else set[str]()
    unread = a_snapshot(a_ticket(views=views), a_comment("2"))
    found = taken(a_base(hand_off=hand_off), unread, replace(THERE, status="solved"))
    assert notes(found) == told
    assert found.base.status is not None
    assert found.base.status.agreed is Status.OPEN


def test_staffs_close_over_an_unread_message_is_told_to_them_also_after_a_hand_off() -> None:
    unread = a_snapshot(THERE, a_comment("102"))
    found = taken(a_base(hand_off=HANDED), a_ticket(status="Closed"), unread)
    assert notes(found) == [("unread_message", Side.PLATFORM)]


def test_an_answer_that_closed_is_told_of_when_it_comes_and_not_at_each_look() -> None:
    update = a_status_update("solved", update_id="u1")
    answer = a_comment("5", author=an_agent(), update_id="u1")
    closed = a_snapshot(replace(THERE, status="solved", status_update=update), answer)
    first = taken(a_base(), partner=closed)
    (owed,) = first.base.owed
    assert owed.key == "close_guard:u1@partner"
    # Told, and the ticket not yet set back: the same close is no news.
    written = replace(first.base, owed=())
    assert notes(taken(written, partner=closed)) == []


@pytest.mark.parametrize(
    ("update_id", "name"), [("u7", "u7"), (None, later(9).isoformat())], ids=["named", "nameless"]
)
def test_each_change_of_the_status_has_a_note_of_its_own(update_id: str | None, name: str) -> None:
    update = a_status_update("solved", update_id=update_id, at=later(9))
    solved = replace(THERE, status="solved", status_update=update)
    found = taken(a_base(), a_snapshot(HERE, a_comment("2")), solved)
    assert [owed.key for owed in found.base.owed] == [f"unread_message:{name}@partner"]


def test_a_partners_change_of_mind_after_a_hand_off_is_set_back_without_any_new_offer() -> None:
    found = taken(
        a_base(hand_off=HANDED), a_ticket(status="Open"), replace(THERE, status="pending")
    )
    assert notes(found) == [("stay_open", Side.PARTNER)]
    assert found.base.hand_off.is_reopened


def test_what_another_pair_holds_open_was_not_overtaken_by_a_message() -> None:
    """The platform's ticket is open for another partner: nothing of this close is under way."""
    status = StatusBase(
        agreed=Status.CLOSED,
        seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"},
        by=Side.PARTNER,
    )
    shown = (a_snapshot(HERE, a_comment("2")), replace(THERE, status="solved"))
    alone = taken(a_base(status=status), *shown).base
    shared = taken(a_base(status=status), *shown, siblings=(Status.OPEN,)).base
    assert alone.status is not None
    assert shared.status is not None
    assert (alone.status.agreed, shared.status.agreed) == (Status.OPEN, Status.CLOSED)


def test_what_another_pair_holds_open_was_given_and_is_no_conflict() -> None:
    """The partner closed, a sibling keeps the platform's open, and staff then wait."""
    status = StatusBase(
        agreed=Status.CLOSED,
        seen={Side.PLATFORM: "Open", Side.PARTNER: "solved"},
        by=Side.PARTNER,
    )
    shown = (replace(HERE, status="With customer"), replace(THERE, status="solved"))
    alone = taken(a_base(status=status), *shown)
    shared = taken(a_base(status=status), *shown, siblings=(Status.OPEN,))
    assert [conflict.result for conflict in alone.conflicts] == ["with_customer"]
    assert shared.conflicts == ()


def test_a_status_that_was_refused_stays_held_back_while_another_pair_wants_it() -> None:
    refused = RefusedStatus(status="Open", as_of=1, since=1, lacks=("Reason",))
    status = StatusBase(
        agreed=Status.CLOSED,
        seen={Side.PLATFORM: "Closed", Side.PARTNER: "solved"},
        refused={Side.PLATFORM: refused},
    )
    shown = (replace(HERE, status="Closed"), replace(THERE, status="solved"))
    alone = taken(a_base(status=status), *shown).base.status
    shared = taken(a_base(status=status), *shown, siblings=(Status.OPEN,)).base.status
    assert alone is not None
    assert shared is not None
    assert (alone.refused, shared.refused) == ({}, {Side.PLATFORM: refused})


# --- what a desk cannot do -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "desk"),
    [(Side.PLATFORM, POLICY.partner_name), (Side.PARTNER, POLICY.platform_name)],
)
def test_a_tag_that_the_other_desk_cannot_hold_is_told_where_it_was_set(
    side: Side, desk: str
) -> None:
    tagged = replace(HERE if side is Side.PLATFORM else THERE, tags=frozenset({"t-two words"}))
    narrow = frozenset({side.other})
    if side is Side.PLATFORM:
        found = taken(a_base(), tagged, narrow=narrow)
    else:
        found = taken(a_base(), partner=tagged, narrow=narrow)
    (owed,) = found.base.owed
    assert (owed.kind, owed.side) == ("tag_unheld", side)
    assert dict(owed.facts) == {"tag": "t-two words", "desk": desk}


@pytest.mark.parametrize("name", ["Ada", ""])
def test_a_comment_made_private_is_told_of_with_who_wrote_it_when_and_where(name: str) -> None:
    hidden = a_comment("5", author=an_agent(name), audience=Audience.SHARED)
    there = replace(THERE, url="https://acme.example/9001")
    base = a_base(a_mapping("5", "105", origin=Side.PARTNER))
    (owed,) = taken(base, partner=a_snapshot(there, hidden)).base.owed
    assert (owed.kind, owed.side) == ("comment_made_private", Side.PLATFORM)
    expected = note(
        NoteKind.COMMENT_MADE_PRIVATE,
        desk=POLICY.partner_name,
        author=name or POLICY.partner_name,
        at=hidden.created_at,
        url=there.url,
    )
    assert owed.facts == expected.facts


def test_one_desk_that_can_follow_says_nothing_of_the_other() -> None:
    """Each of two comments was made private; only the partner's desk can follow."""
    here = a_comment("1", audience=Audience.SHARED, views={VIEW})
    there = a_comment("5", author=an_agent(), audience=Audience.SHARED)
    base = a_base(a_mapping("1", "101"), a_mapping("5", "105", origin=Side.PARTNER))
    found = taken(
        base, a_snapshot(HERE, here), a_snapshot(THERE, there), restricting=frozenset(Side)
    )
    assert notes(found) == []
    able = frozenset({Side.PARTNER})
    found = taken(base, a_snapshot(HERE, here), a_snapshot(THERE, there), restricting=able)
    assert notes(found) == [("comment_made_private", Side.PLATFORM)]
    assert [m.audience for m in found.base.comments] == [Audience.PUBLIC, Audience.SHARED]


@pytest.mark.parametrize(
    ("origin", "is_hinted"), [(Side.PARTNER, True), (Side.PLATFORM, False)], ids=str
)
def test_only_a_partners_phrase_that_was_public_is_hinted_at_once_it_is_private(
    origin: Side, is_hinted: bool
) -> None:
    """Row 21: making it private is no hand-off, and whoever did so is told how to."""
    sent = note(NoteKind.PUBLIC_PHRASE_SENT, platform=POLICY.platform_name, phrase="x")
    base = owe(a_base(a_mapping("5", "105", origin=origin)), sent, Side.PARTNER, CommentId("5"))
    hidden = a_comment("5", PHRASE, audience=Audience.SHARED, views={VIEW}, author=an_agent())
    tickets = {Side.PLATFORM: a_snapshot(HERE), Side.PARTNER: a_snapshot(THERE)}
    tickets[origin] = replace(tickets[origin], comments=(hidden,))
    found = taken(base, tickets[Side.PLATFORM], tickets[Side.PARTNER], restricting=frozenset(Side))
    assert (("made_private", Side.PARTNER) in notes(found)) is is_hinted


def test_who_moved_a_status_is_asked_of_the_desk_only_when_somebody_wants_to_know() -> None:
    solved = replace(THERE, status="solved", updated_at=later(3))
    (moved,) = taken(a_base(), partner=solved).transitions
    assert (moved.actor, moved.at) == (Role.UNKNOWN, later(3))


def test_a_conflict_is_told_with_both_desks_what_each_showed_and_what_stays() -> None:
    found = taken(a_base(), replace(HERE, status="Closed"), replace(THERE, status="pending"))
    (owed,) = found.base.owed
    assert owed.side is Side.PLATFORM
    assert dict(owed.facts) == {
        "platform": POLICY.platform_name,
        "platform_status": "Closed",
        "partner": POLICY.partner_name,
        "partner_status": "pending",
        "kept": "With customer",
    }
