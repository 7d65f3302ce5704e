"""How the ticket changes hands; the rows of the case table are in test_hand_off_rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState, Known
from syncd.core.model import Audience, Comment, CommentId, Role, Side, Status, Ticket
from syncd.core.notes import NoteKind, note
from syncd.core.owing import note_key, owe
from syncd.core.policy import LinkPolicy
from syncd.core.turns import (
    Turn,
    be_late,
    confirm,
    follow_views,
    has_left_unseen,
    hint_made_private,
    hold_open,
    read_partner_comment,
    tell_closed,
    wants_ball_tag,
    was_obeyed,
)
from tests.support.build import (
    AT,
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_status_base,
    a_ticket,
)
from tests.support.twins import VIEW, a_policy

POLICY = a_policy()
ASKED = CommentId("7")
OFFERED = HandOff(
    state=HandOffState.OFFERED, comment_id=ASKED, by="Ada", offered_at=AT, turn=1, is_tag_set=True
)


def kinds(base: Base) -> list[tuple[str, Side]]:
    return [(owed.kind, owed.side) for owed in base.owed]


def in_state(state: HandOffState) -> Base:
    return a_base(hand_off=replace(OFFERED, state=state))


def seen_in(base: Base, *views: str) -> Turn:
    return follow_views(base, a_snapshot(a_ticket(views=views)), POLICY)


# --- what the platform's views say ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "views", "after", "told"),
    [
        (HandOffState.NONE, (VIEW,), HandOffState.NONE, []),
        (HandOffState.OFFERED, (VIEW,), HandOffState.OFFERED, []),
        (HandOffState.OFFERED, (), HandOffState.HANDED, ["handed", "handed"]),
        (HandOffState.OFFERED, ("other",), HandOffState.ENDED, ["handed", "handed", "ended"]),
        (HandOffState.NONE, (), HandOffState.WITHDRAWN, ["withdrawn"]),
        (HandOffState.NONE, ("other",), HandOffState.ENDED, ["ended"]),
        (HandOffState.NONE, ("unknown",), HandOffState.WITHDRAWN, ["withdrawn"]),
        (HandOffState.HANDED, (), HandOffState.HANDED, []),
        (HandOffState.HANDED, ("other",), HandOffState.ENDED, ["ended"]),
        (HandOffState.HANDED, (VIEW,), HandOffState.NONE, ["resumed"]),
        (HandOffState.WITHDRAWN, (), HandOffState.WITHDRAWN, []),
        (HandOffState.WITHDRAWN, (VIEW, "other"), HandOffState.NONE, ["resumed"]),
        (HandOffState.ENDED, ("other",), HandOffState.ENDED, []),
        (HandOffState.ENDED, (VIEW,), HandOffState.NONE, ["resumed"]),
    ],
)
def test_the_views_say_whose_the_ticket_is(
    before: HandOffState, views: tuple[str, ...], after: HandOffState, told: list[str]
) -> None:
    turn = seen_in(in_state(before), *views)
    assert turn.base.hand_off.state is after
    assert [kind for kind, _ in kinds(turn.base)] == told
    assert bool(turn.transitions) is (before is not after)
    assert seen_in(turn.base, *views) == Turn(base=turn.base)


def test_each_round_has_its_own_notes() -> None:
    once = seen_in(seen_in(a_base(), "nowhere").base, VIEW).base
    twice = seen_in(seen_in(once, "nowhere").base, VIEW).base
    assert len(kinds(twice)) == 4
    assert len({owed.key for owed in twice.owed}) == 4


@pytest.mark.parametrize(
    ("views", "after", "key"),
    [
        (
            ("nowhere",),
            HandOff(state=HandOffState.WITHDRAWN, turn=2, is_tag_set=True),
            "withdrawn:turn-2@partner",
        ),
        (("other",), replace(OFFERED, state=HandOffState.ENDED), "ended:turn-1@partner"),
    ],
)
def test_what_staff_do_with_the_ticket_begins_a_round_or_ends_the_last(
    views: tuple[str, ...], after: HandOff, key: str
) -> None:
    base = a_base(hand_off=replace(OFFERED, state=HandOffState.NONE))
    turn = seen_in(base, *views)
    assert turn.base.hand_off == after
    assert [owed.key for owed in turn.base.owed] == [key]


def test_a_return_gives_the_partner_its_say_back() -> None:
    status = replace(a_status_base(), is_let_be=True)
    turn = seen_in(replace(in_state(HandOffState.HANDED), status=status), VIEW)
    assert turn.base.status == a_status_base()
    assert turn.base.hand_off == HandOff(turn=2, is_tag_set=True)
    bare = seen_in(replace(in_state(HandOffState.HANDED), status=None), VIEW)
    assert bare.base.status is None


def test_the_confirmation_names_who_when_and_what_went_along() -> None:
    base = replace(
        in_state(HandOffState.OFFERED),
        hand_off=replace(OFFERED, is_late=True),
        comments=(
            a_mapping("1", "101"),
            a_mapping("3", "103"),
            a_mapping("2", None, kind=Known.LOCAL),
        ),
    )
    confirmed = confirm(base, POLICY).base
    facts = dict(confirmed.owed[0].facts)
    assert (facts["who"], facts["count"], facts["comment"]) == ("Ada", "2", ASKED)
    assert confirmed.hand_off == replace(OFFERED, state=HandOffState.HANDED)
    nameless = confirm(a_base(hand_off=HandOff(state=HandOffState.OFFERED)), POLICY).base
    assert dict(nameless.owed[0].facts)["who"] == POLICY.partner_name
    assert nameless.owed[0].key == "handed:turn-0@platform"


def test_a_late_platform_is_told_of_once_and_only_while_it_is_asked() -> None:
    late = be_late(in_state(HandOffState.OFFERED), POLICY)
    assert kinds(late) == [("hand_off_late", Side.PARTNER)]
    assert late.hand_off == replace(OFFERED, is_late=True)
    assert late.owed[0].key == f"hand_off_late:{ASKED}@partner"
    assert "at" in dict(late.owed[0].facts)
    assert be_late(late, POLICY) == late
    assert be_late(in_state(HandOffState.HANDED), POLICY) == in_state(HandOffState.HANDED)


@pytest.mark.parametrize("state", list(HandOffState))
def test_the_ball_tag_is_wanted_only_after_the_platform_confirmed(state: HandOffState) -> None:
    wanted = {HandOffState.HANDED, HandOffState.WITHDRAWN}
    assert wants_ball_tag(in_state(state)) is (state in wanted)


def test_a_found_copy_of_the_offer_is_a_confirmation() -> None:
    before = in_state(HandOffState.OFFERED)
    found = replace(before, comments=(a_mapping(ASKED, "107", origin=Side.PARTNER),))
    assert has_left_unseen(before, found)
    assert not has_left_unseen(found, found)
    assert not has_left_unseen(before, before)
    handed = replace(before, hand_off=replace(OFFERED, state=HandOffState.HANDED))
    assert not has_left_unseen(handed, found)
    anonymous = replace(before, hand_off=replace(OFFERED, comment_id=None))
    assert not has_left_unseen(anonymous, found)


# --- what a comment asks for ---------------------------------------------------------------------


def order(
    comment_id: str = "9",
    html: str | None = "<p>Reassign to Heroku</p>",
    *,
    audience: Audience = Audience.SHARED,
    role: Role = Role.AGENT,
) -> Comment:
    return a_comment(comment_id, html, audience=audience, author=a_person("Ada", role))


def read(
    base: Base,
    comment: Comment,
    *,
    policy: LinkPolicy = POLICY,
    platform: Ticket | None = None,
    is_historic: bool = False,
) -> Turn:
    return read_partner_comment(
        base, comment, policy=policy, platform=platform or a_ticket(), is_historic=is_historic
    )


def test_an_order_offers_the_ticket_once() -> None:
    turn = read(a_base(hand_off=HandOff(turn=3, is_tag_set=True)), order())
    assert turn.base.hand_off == HandOff(
        state=HandOffState.OFFERED,
        comment_id=CommentId("9"),
        by="Ada",
        offered_at=order().created_at,
        turn=4,
        is_tag_set=True,
    )
    (moved,) = turn.transitions
    assert (moved.side, moved.actor, moved.at) == (
        Side.PARTNER,
        Role.AGENT,
        order().created_at,
    )
    assert was_obeyed(turn.base, order())
    assert not was_obeyed(turn.base, order("10"))


def test_an_order_that_was_confirmed_is_not_obeyed_again_after_the_ticket_came_back() -> None:
    offered = read(a_base(), order()).base
    back = seen_in(seen_in(offered).base, VIEW).base
    assert back.hand_off.comment_id is None
    assert was_obeyed(back, order())


@pytest.mark.parametrize("html", [None, "", "<p>Thanks</p>"])
def test_what_asks_for_nothing_changes_nothing(html: str | None) -> None:
    assert read(a_base(), order(html=html)) == Turn(base=a_base())


def test_a_link_without_phrases_has_no_hand_off() -> None:
    assert read(a_base(), order(), policy=replace(POLICY, hand_off_phrases=())).base == a_base()


@pytest.mark.parametrize(
    ("html", "kind"),
    [("<p>Reassign to Heroku?</p>", "near_miss"), ("<p>An Heroku zurückgeben</p>", "unlisted")],
)
def test_a_miss_is_hinted_at_unless_the_ticket_is_gone_already(html: str, kind: str) -> None:
    several = replace(POLICY, hand_off_phrases=("Reassign to Heroku", "Back to Heroku"))
    (hint,) = read(a_base(), order(html=html), policy=several).base.owed
    assert (hint.key, hint.side) == (f"{kind}:9@partner", Side.PARTNER)
    assert dict(hint.facts)["phrase"] == "Reassign to Heroku"
    away = in_state(HandOffState.HANDED)
    assert read(away, order(html=html)).base == away


@pytest.mark.parametrize(
    ("kind", "later"),
    [
        (NoteKind.HISTORIC, "historic"),
        (NoteKind.PUBLIC_PHRASE_HELD, "made_private"),
        (NoteKind.PUBLIC_PHRASE_SENT, "made_private"),
        (NoteKind.ALREADY_WITH_PLATFORM, "already_with_platform"),
        (NoteKind.REFUSED_CLOSED, "refused_closed"),
    ],
)
def test_what_was_refused_stays_refused_until_written_anew(kind: NoteKind, later: str) -> None:
    said = a_mapping(
        "50", None, kind=Known.NOTE, origin=Side.PARTNER, note_key=note_key(kind, Side.PARTNER, "9")
    )
    base = a_base(said)
    turn = read(base, order())
    assert turn.base.hand_off.state is HandOffState.NONE
    assert [k for k, _ in kinds(turn.base)] in ([later], [])
    assert read(base, order("10")).base.hand_off.state is HandOffState.OFFERED


@pytest.mark.parametrize("owner", [HandOffState.NONE, HandOffState.HANDED])
def test_an_old_order_is_told_with_its_present_owner(owner: HandOffState) -> None:
    turn = read(in_state(owner), order(), is_historic=True)
    (told,) = turn.base.owed
    names = {HandOffState.NONE: POLICY.partner_name, HandOffState.HANDED: POLICY.platform_name}
    assert dict(told.facts)["owner"] == names[owner]
    assert turn.base.hand_off.state is owner


def test_a_second_order_names_since_when_the_platform_has_it() -> None:
    withdrawn = a_base(hand_off=HandOff(state=HandOffState.WITHDRAWN))
    (told,) = read(withdrawn, order()).base.owed
    assert dict(told.facts)["since"] == "2025-03-01 09:00 UTC"


def test_a_closed_ticket_is_not_handed_over_and_the_note_leads_to_it() -> None:
    closed = a_ticket(status="Closed", url="https://heroku.example/t/1")
    (told,) = read(a_base(), order(), platform=closed).base.owed
    assert told.key == "refused_closed:9@partner"
    assert dict(told.facts) == {"platform": POLICY.platform_name, "url": closed.url}


def test_a_copy_made_private_is_hinted_at_only_where_its_phrase_was_told_of() -> None:
    comment = order()
    assert hint_made_private(a_base(), comment, POLICY) == a_base()
    told = read(
        a_base(), order(html="<p>x</p><p>Reassign to Heroku</p>", audience=Audience.PUBLIC)
    ).base
    assert [kind for kind, _ in kinds(hint_made_private(told, comment, POLICY))] == [
        "public_phrase_sent",
        "made_private",
    ]


# --- the partner's status while the ticket is away -----------------------------------------------


def test_a_partners_status_is_set_back_once_and_then_let_be() -> None:
    away = in_state(HandOffState.HANDED)
    once = hold_open(away, "solved", POLICY)
    assert [owed.key for owed in once.owed] == ["stay_open:turn-1@partner"]
    assert once.hand_off.is_reopened
    twice = hold_open(once, "solved", POLICY)
    assert twice.status is not None
    assert twice.status.is_let_be
    assert twice.owed == once.owed


def test_a_partner_that_agrees_or_has_no_pair_left_is_not_set_back() -> None:
    away = in_state(HandOffState.HANDED)
    assert hold_open(away, "hold", POLICY) == away
    assert hold_open(replace(away, status=None), "solved", POLICY) == replace(away, status=None)
    ended = in_state(HandOffState.ENDED)
    assert hold_open(ended, "solved", POLICY) == ended
    closed = replace(away, status=a_status_base(Status.CLOSED))
    assert hold_open(closed, "solved", POLICY) == closed


def test_a_note_that_is_owed_or_written_is_not_owed_again() -> None:
    due = confirm(in_state(HandOffState.OFFERED), POLICY).base
    assert confirm(replace(due, hand_off=OFFERED), POLICY).base.owed == due.owed
    once = owe(a_base(), note(NoteKind.CLOSE_GUARD), Side.PARTNER, "u")
    assert owe(once, note(NoteKind.CLOSE_GUARD), Side.PARTNER, "u") == once
    assert owe(once, note(NoteKind.CLOSE_GUARD), Side.PLATFORM, "u") != once


@pytest.mark.parametrize(
    ("state", "turn", "agreed", "is_told"),
    [
        (HandOffState.NONE, 2, Status.CLOSED, True),
        (HandOffState.NONE, 2, Status.OPEN, False),
        (HandOffState.NONE, 1, Status.CLOSED, False),
        (HandOffState.HANDED, 2, Status.CLOSED, False),
    ],
)
def test_staff_who_give_back_a_closed_ticket_are_told_that_nobody_is_asked_to_act(
    state: HandOffState, turn: int, agreed: Status, *, is_told: bool
) -> None:
    before = in_state(HandOffState.HANDED)
    after = a_base(hand_off=HandOff(state=state, turn=turn), status=a_status_base(agreed))
    told = tell_closed(before, after, POLICY, at=AT)
    key = "resumed_closed:turn-2@platform"
    assert [owed.key for owed in told.owed] == [key] * is_told
    bare = replace(after, status=None)
    assert tell_closed(before, bare, POLICY, at=AT) == bare


#: The first is the one that people are told of; the second was written.
TWO_PHRASES = replace(POLICY, hand_off_phrases=("Reassign to Heroku", "Give it to Heroku"))


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ("<p>Give it to Heroku</p>", NoteKind.PUBLIC_PHRASE_HELD),
        ("<p>Hello</p><p>Give it to Heroku</p>", NoteKind.PUBLIC_PHRASE_SENT),
    ],
)
def test_a_public_phrase_is_told_of_as_it_was_written(html: str, kind: NoteKind) -> None:
    (told,) = read(
        a_base(), order(html=html, audience=Audience.PUBLIC), policy=TWO_PHRASES
    ).base.owed
    assert (told.kind, dict(told.facts)["phrase"]) == (kind.value, "Give it to Heroku")


def test_who_is_told_how_to_hand_over_is_told_the_first_phrase() -> None:
    written = order(html="<p>Give it to Heroku</p>")
    (old,) = read(a_base(), written, policy=TWO_PHRASES, is_historic=True).base.owed
    assert dict(old.facts)["phrase"] == "Reassign to Heroku"
    hidden = replace(written, was_public=True)
    (late,) = read(a_base(), hidden, policy=TWO_PHRASES).base.owed
    assert (late.kind, dict(late.facts)["phrase"]) == ("made_private", "Reassign to Heroku")
