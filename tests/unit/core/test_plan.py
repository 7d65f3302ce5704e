"""What a look at a pair leads to: a read, a stop, a birth, writes, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState
from syncd.core.comment_map import take_written
from syncd.core.decision import Circumstances
from syncd.core.ends import LOST
from syncd.core.model import (
    SOME_COMMENT,
    Audience,
    CommentId,
    End,
    Held,
    Role,
    Side,
    Snapshot,
    Status,
    Ticket,
    Transition,
)
from syncd.core.notes import NoteKind
from syncd.core.operations import CreateTicket, RestrictComment, UpdateTicket, copy_op, note_op
from syncd.core.owing import note_key
from syncd.core.plan import Need, Plan, plan
from syncd.core.policy import LinkPolicy
from syncd.core.stamp import stamp_for
from tests.support.build import (
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_base,
    a_status_update,
    a_ticket,
    an_agent,
    later,
)
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

DESKS = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE}
HERE = a_ticket(views={VIEW})
THERE = a_ticket("9001", status="open")


def look(
    base: Base | None = None,
    platform: Snapshot | Ticket | None = HERE,
    partner: Snapshot | Ticket | None = THERE,
    *,
    policy: LinkPolicy | None = None,
    circumstances: Circumstances | None = None,
    can_restrict: bool = False,
) -> Plan:
    shown = {Side.PLATFORM: platform, Side.PARTNER: partner}
    return plan(
        base or a_base(),
        {
            side: a_snapshot(found) if isinstance(found, Ticket) else found
            for side, found in shown.items()
            if found is not None
        },
        policy=policy or a_policy(),
        capabilities={s: replace(desk, can_restrict=can_restrict) for s, desk in DESKS.items()},
        circumstances=circumstances or Circumstances(pair_key=PAIR_KEY),
    )


def test_equal_sides_lead_to_nothing() -> None:
    assert look() == Plan(base=look().base)


def test_a_platform_ticket_that_was_never_seen_must_be_read() -> None:
    (need,) = look(platform=None).needs
    assert need == Need(side=Side.PLATFORM, fields=True, thread=True)


def test_a_partner_ticket_that_vanished_from_the_mirror_is_read_and_not_born_again() -> None:
    found = look(partner=None)
    assert found.operations == ()
    assert found.needs == (Need(side=Side.PARTNER, fields=True, thread=True),)


@pytest.mark.parametrize("end", LOST)
@pytest.mark.parametrize("side", list(Side))
def test_a_ticket_that_went_away_is_told_once_and_stops_the_pair(side: Side, end: End) -> None:
    gone = replace(HERE if side is Side.PLATFORM else THERE, end=end, status="?")
    shown = (gone, THERE) if side is Side.PLATFORM else (HERE, gone)
    found = look(None, *shown)
    (told,) = found.operations
    assert isinstance(told, UpdateTicket)
    assert (told.side, told.status) == (side.other, None)
    assert told.comment is not None
    assert told.comment.audience is Audience.SHARED
    assert found.stop is None
    written = take_written(found.base, side.other, [(told.comment, CommentId("77"))])
    then = look(written, *shown)
    assert then.operations == ()
    assert then.stop is not None
    assert then.stop.reason == f"{side.value}_ticket_{end.value}"


def test_a_platform_ticket_that_was_merged_stops_the_pair() -> None:
    found = look(platform=replace(HERE, end=End.MERGED, status="?"))
    assert found.stop is not None
    assert found.stop.reason == "platform_ticket_merged"
    assert found.operations == ()


def test_a_status_that_no_map_knows_stops_the_pair() -> None:
    found = look(partner=replace(THERE, status="escalated"))
    assert found.stop is not None
    assert found.stop.reason == "unmapped_status"
    assert "'escalated'" in found.stop.hint


def test_a_birth_waits_for_the_thread_its_bodies_and_its_fields() -> None:
    for shown, is_whole in (
        (a_snapshot(replace(HERE, comments_as_of=0), a_comment()), False),
        (a_snapshot(replace(HERE, hinted=frozenset({SOME_COMMENT})), a_comment()), False),
        (a_snapshot(HERE, a_comment(html=None)), True),
    ):
        found = look(Base(), shown, None)
        need = Need(side=Side.PLATFORM, thread=True, is_whole_thread=is_whole)
        assert (found.needs, found.operations) == ((need,), ())
    stale = look(Base(), a_snapshot(replace(HERE, is_stale=True), a_comment()), None)
    assert stale.needs == (Need(side=Side.PLATFORM, fields=True, thread=True),)


def test_a_birth_waits_for_a_message_that_may_travel() -> None:
    assert look(Base(), a_snapshot(HERE, a_comment(html="#local")), None) == Plan(base=Base())


def test_a_ticket_that_left_the_view_before_its_twin_was_born_ends_the_pair() -> None:
    assert look(Base(), a_snapshot(a_ticket(), a_comment()), None).ends_pair


def test_a_ticket_in_the_view_is_born() -> None:
    found = look(Base(), a_snapshot(HERE, a_comment()), None)
    (operation,) = found.operations
    assert isinstance(operation, CreateTicket)
    assert found.base.status is not None
    assert [transition.name for transition in found.transitions] == ["birth"]


@pytest.mark.parametrize(
    ("shown", "need"),
    [
        (replace(THERE, comments_as_of=0), Need(side=Side.PARTNER, thread=True)),
        (replace(THERE, hinted=frozenset({SOME_COMMENT})), Need(side=Side.PARTNER, thread=True)),
        (replace(THERE, is_stale=True), Need(side=Side.PARTNER, fields=True)),
        (
            replace(THERE, status="solved", fields_as_of=2, comments_as_of=1),
            Need(side=Side.PARTNER, thread=True),
        ),
    ],
    ids=["unread", "hinted", "in doubt", "moved without its comments"],
)
def test_what_is_not_known_well_enough_is_read_first(shown: Ticket, need: Need) -> None:
    assert look(partner=shown).needs == (need,)


def test_a_comment_without_its_body_asks_for_the_thread_from_its_beginning() -> None:
    found = look(platform=a_snapshot(HERE, a_comment("9", None)))
    assert found.needs == (Need(side=Side.PLATFORM, thread=True, is_whole_thread=True),)


def test_a_change_of_tags_alone_needs_no_read() -> None:
    tagged = replace(THERE, tags=frozenset({"t-a"}), fields_as_of=2, comments_as_of=1)
    found = look(partner=tagged)
    assert found.needs == ()
    (operation,) = found.operations
    assert isinstance(operation, UpdateTicket)
    assert operation.add_tags == {"t-a"}


def test_a_ticket_closed_for_good_is_followed_while_its_own_words_travel() -> None:
    final = replace(THERE, status="closed", end=End.FINAL)
    agreed = a_base(status=a_status_base(Status.CLOSED, platform="Closed", partner="solved"))
    told = a_snapshot(final, a_comment("5", author=an_agent()))
    asked = a_snapshot(replace(HERE, status="Open"), a_comment("6"))
    first = look(agreed, asked, told)
    told_first, operation = first.operations
    assert told_first.side is Side.PLATFORM
    assert isinstance(operation, CreateTicket)
    assert operation.follow_up_of == final.ticket_id
    assert first.stop is None
    quiet = look(agreed, replace(HERE, status="Closed"), final)
    assert (quiet.stop, quiet.operations) == (None, ())


def test_what_a_ticket_closed_for_good_at_the_platform_is_owed_needs_a_person() -> None:
    final = replace(HERE, status="Closed", end=End.FINAL)
    agreed = a_base(status=a_status_base(Status.CLOSED, platform="Closed", partner="solved"))
    solved = replace(THERE, status="solved")
    own_words = a_snapshot(final, a_comment("6"))
    # Its own last words still travel before anybody is asked.
    first = look(agreed, own_words, a_snapshot(solved, a_comment("5", author=an_agent())))
    assert [operation.side for operation in first.operations] == [Side.PARTNER]
    assert first.stop is None
    stopped = look(agreed, final, a_snapshot(solved, a_comment("5", author=an_agent())))
    assert stopped.operations == ()
    assert stopped.stop is not None
    assert stopped.stop.reason == "platform_ticket_final"
    assert "follow-up" in stopped.stop.hint
    quiet = look(agreed, final, solved)
    assert (quiet.stop, quiet.operations) == (None, ())


def test_an_ended_pair_writes_its_last_note_and_then_nothing() -> None:
    away = replace(HERE, views=frozenset({"other"}))
    last = look(platform=away)
    assert not last.ends_pair
    assert [operation.side for operation in last.operations] == [Side.PARTNER]
    done = a_base(hand_off=HandOff(state=HandOffState.ENDED))
    found = look(done, away, replace(THERE, status="solved"))
    assert (found.ends_pair, found.operations) == (True, ())


def test_a_public_comment_found_by_a_backfill_is_left_out_and_told() -> None:
    thread = (a_comment("1", audience=Audience.SHARED, views={VIEW}), a_comment("2"))
    quiet = Circumstances(pair_key=PAIR_KEY, is_quiet=True)
    found = look(platform=a_snapshot(HERE, *thread, a_comment("3")), circumstances=quiet)
    left = Held(side=Side.PLATFORM, comment_id=thread[1].comment_id, reason="public_in_backfill")
    assert found.left_out == (left,)
    (operation,) = found.operations
    assert isinstance(operation, UpdateTicket)
    assert operation.is_silent
    assert operation.comment is not None
    assert operation.comment.source_id == "1"


def test_a_held_comment_is_told_and_holds_those_behind_it() -> None:
    phrase = a_comment("1", "<p>Reassign to Heroku</p>", author=an_agent())
    behind = a_comment("2", author=an_agent())
    found = look(
        platform=a_snapshot(HERE, a_comment("7")), partner=a_snapshot(THERE, phrase, behind)
    )
    assert [(held.comment_id, held.reason) for held in found.held] == [
        ("1", "public_hand_off_phrase")
    ]
    assert {operation.side for operation in found.operations} == {Side.PARTNER}
    released = replace(a_base(), released=frozenset({phrase.comment_id}))
    found = look(released, partner=a_snapshot(THERE, phrase, behind))
    assert found.held == ()
    assert len(found.operations) == 2


def test_an_ignored_order_is_counted_when_its_comment_is_next_to_travel() -> None:
    phrase = a_comment(
        "2",
        "<p>Reassign to Heroku</p>",
        audience=Audience.SHARED,
        author=a_person(role=Role.LIGHT_AGENT),
    )
    later = look(partner=a_snapshot(THERE, a_comment("1", author=an_agent()), phrase))
    assert later.transitions == ()
    now = look(partner=a_snapshot(THERE, phrase))
    assert [moved.name for moved in now.transitions] == ["hand_off.ignored"]


def test_an_offer_is_on_the_timeline_wherever_its_comment_stands() -> None:
    phrase = a_comment(
        "2", "<p>Reassign to Heroku</p>", audience=Audience.SHARED, author=an_agent()
    )
    found = look(partner=a_snapshot(THERE, a_comment("1", author=an_agent()), phrase))
    assert [(moved.name, moved.after) for moved in found.transitions] == [("hand_off", "offered")]
    again = look(found.base, partner=a_snapshot(THERE, a_comment("1", author=an_agent()), phrase))
    assert again.transitions == ()


def test_an_answer_with_a_close_waits_for_the_customer_on_both_sides() -> None:
    update = a_status_update("solved", update_id="u1")
    answer = a_comment("1", author=an_agent(), update_id="u1")
    solved = replace(THERE, status="solved", status_update=update)
    found = look(partner=a_snapshot(solved, answer))
    assert [getattr(operation, "status", None) for operation in found.operations] == [
        "With customer",
        "pending",
    ]
    assert [owed.kind for owed in found.base.owed] == ["close_guard"]
    off = replace(a_policy(), has_close_guard=False)
    unguarded = look(partner=a_snapshot(solved, answer), policy=off)
    assert [getattr(operation, "status", None) for operation in unguarded.operations] == ["Closed"]


def test_each_conflict_is_told_to_who_lost_it_also_when_no_update_is_named() -> None:
    closed = replace(HERE, status="Closed", fields_as_of=4, comments_as_of=4)
    found = look(platform=closed, partner=replace(THERE, status="pending"))
    assert [(c.platform, c.partner, c.result) for c in found.conflicts] == [
        ("Closed", "pending", "with_customer")
    ]
    assert [(owed.key, owed.side) for owed in found.base.owed] == [
        ("status_conflict:as-of-4@platform", Side.PLATFORM)
    ]
    assert [(moved.side, moved.before, moved.after) for moved in found.transitions] == [
        (Side.PARTNER, "open", "pending"),
        (Side.PLATFORM, "Open", "Closed"),
    ]


def test_a_tag_that_the_partner_cannot_hold_is_told_once() -> None:
    tagged = replace(HERE, tags=frozenset({"t-two words"}))
    found = look(platform=tagged)
    assert [owed.kind for owed in found.base.owed] == ["tag_unheld"]
    assert look(found.base, tagged).base == found.base


def test_a_copy_whose_original_became_private_is_told_of_where_it_cannot_follow() -> None:
    hidden = a_comment("5", author=an_agent(), audience=Audience.SHARED)
    base = a_base(a_mapping("5", "105", origin=Side.PARTNER))
    found = look(base, partner=a_snapshot(THERE, hidden))
    assert [(owed.kind, owed.side) for owed in found.base.owed] == [
        ("comment_made_private", Side.PLATFORM)
    ]
    assert found.base.comments[0].audience is Audience.SHARED
    assert look(found.base, partner=a_snapshot(THERE, hidden)).base == found.base


def test_a_copy_whose_original_became_private_follows_where_it_can() -> None:
    hidden = a_comment("5", author=an_agent(), audience=Audience.SHARED)
    base = a_base(a_mapping("5", "105", origin=Side.PARTNER))
    found = look(base, partner=a_snapshot(THERE, hidden), can_restrict=True)
    assert found.base.owed == ()
    (operation,) = found.operations
    assert isinstance(operation, RestrictComment)
    assert (operation.side, operation.comment_id) == (Side.PLATFORM, "105")


def test_a_ticket_given_back_and_offered_anew_in_one_look_is_open_again() -> None:
    phrase = a_comment(
        "5", "<p>Reassign to Heroku</p>", audience=Audience.SHARED, author=an_agent()
    )
    waiting = a_status_base(Status.WITH_CUSTOMER, platform="With customer", partner="pending")
    base = a_base(status=waiting, hand_off=HandOff(state=HandOffState.HANDED, turn=1))
    here = replace(HERE, status="With customer")
    found = look(base, here, a_snapshot(replace(THERE, status="pending"), phrase))
    assert found.base.hand_off.state is HandOffState.OFFERED
    assert found.base.status is not None
    assert found.base.status.agreed is Status.OPEN


def test_an_offer_whose_copy_is_found_by_its_stamp_has_left_and_does_not_leave_twice() -> None:
    phrase = a_comment(
        "5", "<p>Reassign to Heroku</p>", audience=Audience.SHARED, author=an_agent()
    )
    offer = HandOff(state=HandOffState.OFFERED, comment_id=phrase.comment_id, turn=1)
    copy = a_comment(
        "105",
        audience=Audience.SHARED,
        views={VIEW},
        stamp=stamp_for(a_policy().link, copy_op(PAIR_KEY, Side.PLATFORM, phrase.comment_id)),
    )
    # Back in the view by now: staff escalated it anew before the copy was found.
    found = look(a_base(hand_off=offer), a_snapshot(HERE, copy), a_snapshot(THERE, phrase))
    assert found.base.hand_off.state is HandOffState.NONE
    assert [moved.after for moved in found.transitions] == ["handed", "none"]
    assert all(getattr(operation, "leave_view", None) is None for operation in found.operations)


def test_a_note_that_an_older_store_owes_again_is_found_by_its_stamp() -> None:
    """A restored backup does not know that the hand-off was confirmed and told of."""
    offer = HandOff(state=HandOffState.OFFERED, comment_id=CommentId("5"), turn=1)
    base = a_base(a_mapping("5", "105", origin=Side.PARTNER), hand_off=offer)
    told = {
        side: a_comment(
            "110",
            audience=Audience.SHARED,
            stamp=stamp_for(
                a_policy().link,
                note_op(PAIR_KEY, side, note_key(NoteKind.HANDED, side, "5")),
            ),
        )
        for side in Side
    }
    away = replace(HERE, views=frozenset())
    found = look(base, a_snapshot(away, told[Side.PLATFORM]), a_snapshot(THERE, told[Side.PARTNER]))
    assert found.base.hand_off.state is HandOffState.HANDED
    assert found.base.owed == ()
    assert [getattr(operation, "comment", None) for operation in found.operations] == [None]


def test_an_offer_opens_the_ticket_once_and_the_platforms_later_status_stands() -> None:
    offer = HandOff(state=HandOffState.OFFERED, comment_id=CommentId("5"), turn=1)
    found = look(a_base(hand_off=offer), replace(HERE, status="With customer"))
    assert found.base.status is not None
    assert found.base.status.agreed is Status.WITH_CUSTOMER


@pytest.mark.parametrize("is_told_when", [True, False])
def test_a_status_that_somebody_moved_is_on_the_timeline_with_its_moment(
    is_told_when: bool,
) -> None:
    update = a_status_update(at=later(30)) if is_told_when else None
    moved = replace(THERE, status="pending", status_update=update, updated_at=later(90))
    agreed = a_base(status=a_status_base(Status.OPEN, platform="Open", partner="open"))
    (step,) = look(agreed, partner=a_snapshot(moved, a_comment("9", author=an_agent()))).transitions
    assert step == Transition(
        name="status",
        side=Side.PARTNER,
        before="open",
        after="pending",
        actor=Role.UNKNOWN,
        at=later(30) if is_told_when else later(90),
    )


@pytest.mark.parametrize("side", list(Side))
def test_a_lost_ticket_that_was_told_of_since_is_looked_for(side: Side) -> None:
    gone = replace(HERE if side is Side.PLATFORM else THERE, end=End.GONE, is_stale=True)
    found = look(None, gone, THERE) if side is Side.PLATFORM else look(None, HERE, gone)
    assert found == Plan(base=a_base(), needs=(Need(side=side, fields=True),))


def test_a_ticket_that_goes_away_is_on_the_timeline_once() -> None:
    gone = replace(THERE, end=End.DELETED)
    first = look(partner=gone)
    assert [(t.name, t.side, t.before, t.after) for t in first.transitions] == [
        ("end", Side.PARTNER, "alive", "deleted")
    ]
    assert look(first.base, partner=gone).transitions == ()
