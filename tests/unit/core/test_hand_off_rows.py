"""Each row of the case table in docs/hand-off.md, judged by what both desks hold in the end.

Rows about text alone are read in depth in test_handoff.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import HandOffState
from syncd.core.lineage import Kin, join
from syncd.core.lines import plain_text
from syncd.core.model import Audience, Comment, End, Person, Role, Side, Status, TicketId
from syncd.core.notes import NoteKind
from syncd.core.operations import UpdateTicket
from syncd.core.turns import be_late
from tests.support.build import a_person
from tests.support.desks import ROBOT, Desk, a_partner
from tests.support.twins import Fault, Twins

AGENT = a_person("Ada", Role.AGENT)
CUSTOMER = a_person("Cora", Role.CUSTOMER)
STAFF = a_person("Sam", Role.STAFF)
PHRASE = "Reassign to Heroku"


def a_pair() -> Twins:
    """A ticket that was escalated and has its twin."""
    twins = Twins()
    twins.settle_down()
    return twins


def say(
    twins: Twins,
    html: str,
    *,
    audience: Audience = Audience.SHARED,
    by: Person = AGENT,
    status: str | None = None,
) -> Comment:
    """One update by somebody at the partner; the comment that it made."""
    twins.partner.act(by, html, audience=audience, status=status)
    return twins.partner.comments[-1]


def is_handed(twins: Twins) -> bool:
    """Whether the platform's staff own the ticket, and both desks say so."""
    told = [side for side in Side if notes(twins, NoteKind.HANDED, side)]
    is_out = "acme" not in twins.platform.views
    assert is_out == (len(told) == 2), "shown as handed exactly when the platform has it"
    return is_out and twins.base.hand_off.state is HandOffState.HANDED


def notes(twins: Twins, kind: NoteKind, side: Side = Side.PARTNER) -> int:
    """How many notes of one kind a desk holds."""
    return sum(
        1
        for mapping in twins.base.comments
        if (mapping.note_key or "").startswith(f"{kind.value}:") and mapping.origin is side
    )


def hints(twins: Twins) -> int:
    return notes(twins, NoteKind.NEAR_MISS) + notes(twins, NoteKind.UNLISTED)


def holds(twins: Twins, side: Side, text: str) -> list[Comment]:
    """The comments of a desk that contain a text."""
    desk = twins.desks[side]
    return [c for c in desk.comments if text in plain_text(c.html or "")]


def assert_both_open(twins: Twins) -> None:
    assert (twins.platform.status, twins.partner.status) == ("Open", "open")


HANDED = {
    "row_01_lower_case": "<p>reassign to heroku</p>",
    "row_01_doubled_and_trailing_blanks": "<p>Reassign  to   Heroku  </p>",
    "row_02_full_width_letters": "<p>Ｒｅａｓｓｉｇｎ to Heroku</p>",
    "row_02_no_break_blank": "<p>Reassign&nbsp;to&nbsp;Heroku</p>",
    "row_02_zero_width_characters": "<p>Reassign\u200b to \ufeffHeroku</p>",
    "row_03_full_stop": "<p>Reassign to Heroku.</p>",
    "row_03_quotes": "<p>「Reassign to Heroku」</p>",
    "row_03_bold": "<p><b>Reassign to Heroku</b></p>",
    "row_08_own_line_between_paragraphs": f"<p>We looked.</p><p>{PHRASE}</p><p>Thanks.</p>",
    "row_09_above_a_signature": f"<p>{PHRASE}</p><p>--<br>Ada, Acme</p>",
    "row_13_html_line_breaks": "<div>Hello<br>Reassign to <b>Heroku</b></div>",
    "row_16_japanese": "<p>Heroku に再割り当て</p>",
    "row_16_japanese_without_blank": "<p>Herokuに再割り当て。</p>",
    "row_26_a_macro_that_an_agent_applied": f"<p>Handing back.</p><p>{PHRASE}</p>",
    "row_28_an_e_mail_reply_that_became_private": (
        f"<p>{PHRASE}</p><blockquote><p>It is broken.</p></blockquote>"
    ),
}
HINTED = {
    "row_04_a_question": "<p>Reassign to Heroku?</p>",
    "row_05_inside_a_sentence": "<p>Should I reassign to Heroku tomorrow</p>",
    "row_06_a_typo": "<p>Reasign to Heroku</p>",
    "row_07_a_longer_object": "<p>Reassign to Heroku Postgres team</p>",
    "row_14_a_list_item": "<ul><li>Reassign to Heroku</li><li>Wait</li></ul>",
    "row_17_the_manuals_sentence": "<p>Write 「Reassign to Heroku」 in a private comment.</p>",
    "row_18_an_unlisted_translation": "<p>An Heroku zurückgeben</p>",
}
NOTHING = {
    "row_10_only_in_the_signature": "<p>Done.</p><p>--<br>Reassign to Heroku</p>",
    "row_11_in_a_quoted_reply": f"<p>Yes.</p><blockquote><p>{PHRASE}</p></blockquote>",
    "row_12_in_code": f"<p>Write this:</p><pre>{PHRASE}</pre>",
    "row_15_broken_over_two_lines": "<p>Reassign to</p><p>Heroku</p>",
    "row_29_quoted_by_an_out_of_office_mail": (
        f"<p>I am away.</p><p>On Monday Ada wrote:</p><p>&gt; {PHRASE}</p>"
    ),
}


@pytest.mark.parametrize("html", HANDED.values(), ids=HANDED.keys())
def test_an_order_hands_the_ticket_over_and_goes_along(html: str) -> None:
    twins = a_pair()
    say(twins, html)
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)
    assert len(twins.platform.comments) == 3  # the customer's, the order, the confirmation


@pytest.mark.parametrize("html", HINTED.values(), ids=HINTED.keys())
def test_a_near_miss_gets_one_private_hint_and_no_hand_off(html: str) -> None:
    twins = a_pair()
    say(twins, html)
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 1
    assert twins.partner.comments[-1].audience is Audience.SHARED


@pytest.mark.parametrize("html", NOTHING.values(), ids=NOTHING.keys())
def test_what_is_no_order_travels_like_any_other_comment(html: str) -> None:
    twins = a_pair()
    say(twins, html)
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0
    assert len(twins.platform.comments) == 2


def test_row_19_public_and_alone_is_held_with_what_follows_until_made_private() -> None:
    twins = a_pair()
    held = say(twins, f"<p>{PHRASE}</p>", audience=Audience.PUBLIC)
    say(twins, "<p>Behind it.</p>")
    twins.platform.act(CUSTOMER, "<p>The other direction.</p>")
    twins.settle_down()
    assert not is_handed(twins)
    assert holds(twins, Side.PLATFORM, "Behind it") == []
    assert holds(twins, Side.PARTNER, "The other direction")
    assert notes(twins, NoteKind.PUBLIC_PHRASE_HELD) == 1
    twins.partner.make_private(held.comment_id)
    twins.settle_down()
    [copy] = holds(twins, Side.PLATFORM, PHRASE)
    assert copy.audience is Audience.SHARED
    assert holds(twins, Side.PLATFORM, "Behind it")
    assert not is_handed(twins)


def test_row_19_released_by_a_person_it_travels_as_it_was_written() -> None:
    twins = a_pair()
    held = say(twins, f"<p>{PHRASE}</p>", audience=Audience.PUBLIC)
    twins.settle_down()
    twins.base = replace(twins.base, released=frozenset({held.comment_id}))
    twins.settle_down()
    [copy] = holds(twins, Side.PLATFORM, PHRASE)
    assert copy.audience is Audience.PUBLIC
    assert not is_handed(twins)


def test_row_20_public_with_other_text_travels_with_its_line_and_gets_a_note() -> None:
    twins = a_pair()
    say(twins, f"<p>We are done.</p><p>{PHRASE}</p>", audience=Audience.PUBLIC)
    twins.settle_down()
    [copy] = holds(twins, Side.PLATFORM, "We are done")
    assert PHRASE in (copy.html or "")
    assert notes(twins, NoteKind.PUBLIC_PHRASE_SENT) == 1
    assert not is_handed(twins)


def test_row_21_made_private_later_it_is_no_order() -> None:
    twins = a_pair()
    held = say(twins, f"<p>{PHRASE}</p>", audience=Audience.PUBLIC)
    twins.settle_down()
    twins.partner.make_private(held.comment_id)
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.MADE_PRIVATE) == 1


@pytest.mark.parametrize("around", ["", "<p>We are done.</p>"], ids=["alone", "with words"])
def test_row_21_made_private_before_anybody_looked_it_is_no_order_either(around: str) -> None:
    twins = a_pair()
    written = say(twins, f"{around}<p>{PHRASE}</p>", audience=Audience.PUBLIC)
    twins.partner.make_private(written.comment_id)
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.MADE_PRIVATE) == 1
    [copy] = holds(twins, Side.PLATFORM, PHRASE)
    assert copy.audience is Audience.SHARED


def test_row_23_the_hand_off_stands_whatever_becomes_of_the_comment() -> None:
    twins = a_pair()
    order = say(twins, f"<p>{PHRASE}</p>")
    twins.settle_down()
    comments = twins.partner.comments
    at = comments.index(next(c for c in comments if c.comment_id == order.comment_id))
    comments[at] = replace(order, html="<p>On second thoughts.</p>")
    twins.settle_down()
    assert is_handed(twins)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.LIGHT_AGENT, Role.SYSTEM, Role.UNKNOWN])
def test_row_24_and_27_only_agents_steer_and_others_are_counted(role: Role) -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>", by=a_person("Nobody", role))
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0
    assert [t.actor for t in twins.transitions if t.name == "hand_off.ignored"] == [role]


@pytest.mark.parametrize("has_readable_stamps", [True, False])
def test_row_25_a_copy_of_the_other_sides_words_is_no_order(has_readable_stamps: bool) -> None:
    twins = Twins(has_readable_stamps=has_readable_stamps)
    twins.platform.act(CUSTOMER, f"<p>{PHRASE}</p>")
    twins.platform.act(STAFF, f"<p>{PHRASE}</p>", audience=Audience.SHARED, views=["acme"])
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0


def test_row_30_twice_at_once_is_one_hand_off_and_a_note() -> None:
    twins = a_pair()
    say(twins, f"<p>First.</p><p>{PHRASE}</p>")
    say(twins, f"<p>Second.</p><p>{PHRASE}</p>")
    twins.settle_down()
    assert is_handed(twins)
    leaves = [op for op in twins.written if isinstance(op, UpdateTicket) and op.leave_view]
    assert len(leaves) == 1
    assert notes(twins, NoteKind.ALREADY_WITH_PLATFORM) == 1
    assert holds(twins, Side.PLATFORM, "First")
    assert holds(twins, Side.PLATFORM, "Second")


def test_row_31_a_later_private_comment_travels_too() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    say(twins, "<p>One more thing.</p>")
    twins.settle_down()
    assert is_handed(twins)
    assert holds(twins, Side.PLATFORM, "One more thing")


def test_row_32_the_customers_message_of_the_same_moment_goes_to_both() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.platform.act(CUSTOMER, "<p>Any news?</p>")
    twins.settle_down()
    assert is_handed(twins)
    assert holds(twins, Side.PARTNER, "Any news")
    assert_both_open(twins)


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_row_33_in_one_update_with_a_status_both_stay_open_with_a_note(status: str) -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>", status=status)
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)
    assert notes(twins, NoteKind.STAY_OPEN) == 1


def test_row_33_nothing_says_that_the_platform_has_it_before_it_confirmed() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>", status="pending")
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    decided = twins.look()
    partners = [op for op in decided.operations if op.side is Side.PARTNER]
    assert partners
    assert all(isinstance(op, UpdateTicket) and op.comment is None for op in partners)


def on_its_way() -> Twins:
    """A pair whose ticket was given to the platform, which has not taken it yet."""
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    twins.base = twins.look().base
    return twins


def test_row_33_what_another_partner_of_the_ticket_had_written_meanwhile_does_not_go_with_it() -> (
    None
):
    twins = on_its_way()
    twins.platform.act(ROBOT, status="With customer")
    twins.circumstances = replace(twins.circumstances, siblings=(Status.WITH_CUSTOMER,))
    twins.settle_down()
    assert is_handed(twins)
    (leave,) = [op for op in twins.written if isinstance(op, UpdateTicket) and op.leave_view]
    assert leave.status == "Open"
    assert_both_open(twins)


def test_row_33_what_staff_set_meanwhile_is_theirs() -> None:
    twins = on_its_way()
    twins.platform.act(STAFF, status="With customer")
    twins.settle_down()
    assert is_handed(twins)
    assert (twins.platform.status, twins.partner.status) == ("With customer", "pending")


def test_row_34_on_a_ticket_that_is_away_already_a_note_says_since_when() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.settle_down()
    say(twins, f"<p>{PHRASE}</p>")
    twins.settle_down()
    assert is_handed(twins)
    assert notes(twins, NoteKind.ALREADY_WITH_PLATFORM) == 1
    assert notes(twins, NoteKind.HANDED) == 1


def test_row_35_on_a_solved_ticket_whose_copy_is_open_both_open_again() -> None:
    twins = a_pair()
    say(twins, f"<p>It is not ours after all.</p><p>{PHRASE}</p>", status="solved")
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)


def test_row_36_on_a_closed_platform_ticket_it_is_refused_with_a_note() -> None:
    twins = a_pair()
    twins.platform.act(STAFF, status="Closed")
    twins.settle_down()
    say(twins, f"<p>{PHRASE}</p>")
    twins.settle_down()
    assert not is_handed(twins)
    assert "acme" in twins.platform.views
    assert notes(twins, NoteKind.REFUSED_CLOSED) == 1


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_row_39_a_lost_answer_leads_to_one_hand_off_and_one_confirmation(fault: Fault) -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    assert twins.turn(fault)
    assert not any(notes(twins, NoteKind.HANDED, side) for side in Side)
    twins.settle_down()
    assert is_handed(twins)
    assert notes(twins, NoteKind.HANDED) == 1


def test_row_39_a_platform_that_stays_silent_is_told_of_loudly_and_once() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.clock.advance(2)
    for side in Side:
        twins.see(side)
    offered = twins.look().base
    assert offered.hand_off.state is HandOffState.OFFERED
    late = be_late(offered, twins.policy)
    assert [n.kind for n in late.owed if n.kind == NoteKind.HAND_OFF_LATE] == ["hand_off_late"]
    assert be_late(late, twins.policy) == late


def test_row_40_a_backfill_does_not_run_an_old_order() -> None:
    twins = a_pair()
    twins.circumstances = replace(twins.circumstances, is_quiet=True, is_historic=True)
    say(twins, f"<p>{PHRASE}</p>")
    twins.settle_down()
    assert not is_handed(twins)
    assert notes(twins, NoteKind.HISTORIC) == 1


def goes_on(twins: Twins, number: str) -> Desk:
    """The pair moves on to another ticket of the partner's, which is given back."""
    twins.clock.advance(2)
    desk = a_partner(twins.clock)
    desk.ticket_id, desk.first_id = TicketId(number), int(number) * 1000
    desk.is_born, desk.status = True, "open"
    twins.desks[Side.PARTNER] = desk
    return desk


def join_in(twins: Twins, kin: Kin) -> None:
    """What the engine does once it has looked at the successor."""
    before = twins.snapshots.pop(Side.PARTNER)
    twins.see(Side.PARTNER)
    found = twins.snapshots[Side.PARTNER]
    twins.base, _ = join(twins.base, kin, before, found, twins.policy)


def test_row_22_what_a_comment_says_after_it_travelled_hands_nothing_over() -> None:
    twins = a_pair()
    said = say(twins, "<p>not yet</p>")
    twins.settle_down()
    twins.partner.comments[-1] = replace(said, html=f"<p>{PHRASE}</p>", is_redacted=True)
    twins.partner.act(AGENT, status="pending")
    twins.settle_down()
    assert not is_handed(twins)
    assert holds(twins, Side.PLATFORM, PHRASE) == []
    assert notes(twins, NoteKind.COMMENT_REDACTED, Side.PLATFORM) == 1


def test_row_37_a_phrase_in_a_follow_up_hands_over_once_the_pair_goes_on_there() -> None:
    twins = a_pair()
    twins.partner.act(AGENT, status="solved")
    twins.partner.end = End.FINAL
    twins.settle_down()
    twins.platform.act(STAFF, status="Open")
    desk = goes_on(twins, "9002")
    desk.act(AGENT, f"<p>{PHRASE}</p>", audience=Audience.SHARED)
    join_in(twins, Kin.FOLLOW_UP)
    twins.settle_down()
    assert is_handed(twins)
    assert_both_open(twins)


def test_row_41_a_phrase_in_a_ticket_that_was_merged_away_hands_over() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.partner.act(AGENT, status="closed")
    twins.partner.end = End.MERGED
    twins.settle_down()
    assert twins.base.hand_off.state is HandOffState.HANDED
    desk = goes_on(twins, "9003")
    desk.act(a_person("Somebody else", person_id="else"), "<p>an old story</p>")
    # The merge came after what stood there.
    twins.snapshots[Side.PARTNER] = replace(
        twins.snapshots[Side.PARTNER],
        ticket=replace(
            twins.snapshots[Side.PARTNER].ticket,
            updated_at=desk.comments[-1].created_at,
            status_update=None,
        ),
    )
    join_in(twins, Kin.MERGED)
    twins.settle_down()
    assert is_handed(twins)
    assert notes(twins, NoteKind.TICKET_MERGED, Side.PLATFORM) == 1
    assert holds(twins, Side.PLATFORM, "an old story") == []
    assert_both_open(twins)


def test_row_42_a_phrase_in_the_subject_or_a_tag_is_nothing() -> None:
    twins = a_pair()
    twins.partner.subject = PHRASE
    twins.partner.act(AGENT, add=["reassign_to_heroku"])
    twins.settle_down()
    assert not is_handed(twins)
    assert hints(twins) == 0


def test_row_43_a_comment_deleted_before_it_was_read_is_nothing() -> None:
    twins = a_pair()
    say(twins, f"<p>{PHRASE}</p>")
    twins.partner.comments.pop()
    twins.settle_down()
    assert not is_handed(twins)


def test_row_38_a_ticket_outside_the_view_has_no_twin_to_write_in() -> None:
    twins = Twins()
    twins.platform.move()
    twins.settle_down()
    assert twins.is_ended
    assert not twins.partner.is_born
