"""What an answered write changes in the base."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, HandOff, HandOffState, Known, OwedNote, StatusBase, TagBase
from syncd.core.model import Audience, CommentId, Side, Status
from syncd.core.operations import Answer, Intent, UpdateTicket
from syncd.core.policy import LinkPolicy, StatusRule
from syncd.core.settle import Settlement, settle
from tests.support.build import (
    LINK,
    a_base,
    a_creation,
    a_draft,
    a_mapping,
    a_restriction,
    a_sighting,
    a_status_base,
    a_tag_base,
    a_ticket,
    an_answer,
    an_intent,
    an_update,
)

POLICY = LinkPolicy(
    link=LINK, view="acme", share_tags=("t-*",), partner_tags=("t-born",), ball_tag="away"
)
OFFERED = HandOff(state=HandOffState.OFFERED, comment_id=CommentId("7"), turn=1)
OWED = StatusBase(
    agreed=Status.CLOSED, seen={Side.PLATFORM: "Closed", Side.PARTNER: "open"}, by=Side.PLATFORM
)


def settled(
    base: Base,
    intent: Intent,
    answer: Answer,
    *,
    rule: StatusRule = StatusRule.MORE_OPEN,
    is_found: bool = False,
) -> Settlement:
    return settle(base, intent, answer, policy=replace(POLICY, status_rule=rule), is_found=is_found)


def shown(status: str = "solved", *tags: str, views: tuple[str, ...] = ()) -> Answer:
    return an_answer(a_sighting(a_ticket("9001", status=status, tags=tags, views=views)))


# --- comments ------------------------------------------------------------------------------------


def test_a_copy_is_mapped_and_a_note_is_owed_no_longer() -> None:
    key = "close_guard:u@partner"
    owed = OwedNote(key=key, side=Side.PARTNER, kind="close_guard")
    copied = settled(a_base(), an_intent(), an_answer(None, "101"))
    assert copied.base.comments == (a_mapping("1", "101"),)
    draft = a_draft(source_id=None, note_key=key, audience=Audience.SHARED)
    noted = settled(
        a_base(owed=(owed,)), an_intent(an_update(comment=draft)), an_answer(None, "102")
    )
    assert noted.base.owed == ()
    assert noted.base.comments == (
        a_mapping(
            "102",
            None,
            kind=Known.NOTE,
            origin=Side.PARTNER,
            audience=Audience.SHARED,
            note_key=key,
        ),
    )


@pytest.mark.parametrize("is_found", [True, False])
def test_an_answer_taken_in_twice_changes_nothing_the_second_time(is_found: bool) -> None:
    intent = an_intent(an_update(comment=a_draft(), status="solved", add_tags={"t-a"}))
    answer = replace(shown("solved", "t-a"), comment_ids=(CommentId("101"),))
    once = settled(a_base(status=OWED), intent, answer, is_found=is_found).base
    assert settled(once, intent, answer, is_found=is_found).base == once


@pytest.mark.parametrize("is_found", [True, False])
def test_what_an_import_shows_counts_before_its_comments_have_names_and_once(
    is_found: bool,
) -> None:
    intent = an_intent(an_update(comment=a_draft(), status="solved", add_tags={"t-a"}))
    unnamed = replace(shown("solved", "t-a"), is_named=False)
    begun = settled(a_base(status=OWED), intent, unnamed, is_found=is_found)
    assert (begun.stop, begun.base.comments) == (None, ())
    assert begun.base.status is not None
    assert begun.base.status.seen[Side.PARTNER] == "solved"
    named = replace(unnamed, is_named=True, comment_ids=(CommentId("101"),))
    after = settled(begun.base, intent, named, is_found=is_found).base
    assert after == settled(a_base(status=OWED), intent, named, is_found=is_found).base


def test_an_import_that_shows_nothing_yet_changes_nothing_yet() -> None:
    intent = an_intent(an_update(comment=a_draft(), status="solved"))
    unnamed = replace(an_answer(a_sighting("9001")), is_named=False)
    assert settled(a_base(status=OWED), intent, unnamed) == Settlement(base=a_base(status=OWED))


def test_a_comment_that_the_desk_does_not_name_stops_the_pair() -> None:
    found = settled(a_base(), an_intent(), an_answer())
    assert found.base == a_base()
    assert found.stop is not None
    assert found.stop.reason == "comment_without_id"


@pytest.mark.parametrize(
    ("stored", "is_leak"),
    [((Audience.PUBLIC,), True), ((Audience.SHARED,), False), ((None,), False), ((), False)],
)
@pytest.mark.parametrize("has_fields", [True, False])
def test_a_private_comment_that_came_out_public_is_a_leak(
    stored: tuple[Audience | None, ...], is_leak: bool, has_fields: bool
) -> None:
    intent = an_intent(an_update(comment=a_draft(audience=Audience.SHARED)))
    answer = replace(an_answer(None, "101"), stored=stored)
    if not has_fields:
        answer = replace(answer, sighting=a_sighting("9001"))
    assert settled(a_base(), intent, answer).is_leak is is_leak
    creation = an_intent(a_creation("op", a_draft(audience=Audience.SHARED)))
    assert settled(a_base(), creation, answer).is_leak is is_leak


@pytest.mark.parametrize(
    ("sent", "stored", "reason"),
    [
        (Audience.SHARED, None, "visibility_unknown"),
        (Audience.PUBLIC, None, None),
        (Audience.PUBLIC, Audience.SHARED, "comment_not_public"),
        (Audience.PUBLIC, Audience.PUBLIC, None),
        (Audience.SHARED, Audience.SHARED, None),
    ],
)
@pytest.mark.parametrize("is_found", [True, False])
@pytest.mark.parametrize("is_creation", [True, False])
def test_a_comment_that_is_not_surely_stored_as_sent_stops_the_pair(
    sent: Audience, stored: Audience | None, reason: str | None, is_found: bool, is_creation: bool
) -> None:
    draft = a_draft(audience=sent)
    operation = a_creation("op", draft) if is_creation else an_update(comment=draft)
    answer = replace(an_answer(None, "101"), stored=(stored,))
    found = settled(a_base(), an_intent(operation), answer, is_found=is_found)
    assert (found.stop.reason if found.stop else None) == reason
    assert not found.is_leak
    assert [mapping.copy_id for mapping in found.base.comments] == ["101"], "it is never sent twice"


def test_a_comment_made_private_is_known_as_private_with_its_parts() -> None:
    part = a_mapping("101", None, kind=Known.NOTE, origin=Side.PARTNER, note_key="part:1:1@partner")
    others = (a_mapping("2", "102"), a_mapping("101", "5", origin=Side.PLATFORM))
    base = a_base(a_mapping("1", "103"), part, *others)
    for copy_id, index in (("103", 0), ("101", 1)):
        intent = an_intent(a_restriction(comment_id=copy_id))
        after = settled(base, intent, an_answer()).base.comments
        assert [m.audience for m in after] == [
            Audience.SHARED if at == index else Audience.PUBLIC for at in range(4)
        ]


def test_without_the_fields_nothing_is_taken_for_written() -> None:
    intent = an_intent(an_update(status="solved", add_tags={"t-a"}))
    answer = an_answer(a_sighting("9001"))
    assert settled(a_base(status=OWED), intent, answer).base == a_base(status=OWED)


# --- creation ------------------------------------------------------------------------------------


def test_a_creation_agrees_on_what_it_wrote_and_leaves_the_desks_own_tags_there() -> None:
    base = a_base(
        status=StatusBase(agreed=Status.OPEN, seen={Side.PLATFORM: "Open"}),
        tags=TagBase(
            agreed=frozenset({"t-a"}),
            seen={Side.PLATFORM: frozenset({"t-a"})},
        ),
    )
    intent = an_intent(a_creation("op", tags={"t-a", "t-born"}))
    answer = replace(shown("new", "t-a", "t-born", "t-bot"), comment_ids=(CommentId("101"),))
    found = settled(base, intent, answer).base
    assert found.status == replace(
        a_status_base(), seen={Side.PLATFORM: "Open", Side.PARTNER: "open"}
    )
    assert found.tags.seen[Side.PARTNER] == {"t-a"}
    assert found.tags.kept == {Side.PARTNER: frozenset({"t-bot"})}
    late = settled(base, intent, answer, is_found=True).base
    assert late.tags.kept == {}
    unseen = settled(base, intent, replace(answer, sighting=a_sighting("9001"))).base
    assert unseen.status == found.status
    bare = settled(Base(), intent, answer).base
    assert bare.status is None


# --- status --------------------------------------------------------------------------------------


def test_a_written_status_is_what_that_side_is_known_to_show() -> None:
    found = settled(
        a_base(status=OWED), an_intent(an_update(status="solved")), shown("something else")
    )
    assert found.base.status == replace(OWED, seen={**OWED.seen, Side.PARTNER: "solved"})


@pytest.mark.parametrize("replaced", [None, "open", "solved", "hold", "unheard of"])
def test_what_was_there_before_or_means_the_same_was_no_edit(replaced: str | None) -> None:
    answer = replace(shown(), replaced_status=replaced)
    found = settled(a_base(status=OWED), an_intent(an_update(status="solved")), answer)
    assert found.conflicts == ()
    assert found.base.status is not None
    assert found.base.status.agreed is Status.CLOSED


@pytest.mark.parametrize(
    ("rule", "agreed", "loser"),
    [
        (StatusRule.MORE_OPEN, Status.WITH_CUSTOMER, Side.PLATFORM),
        (StatusRule.PARTNER, Status.WITH_CUSTOMER, Side.PLATFORM),
        (StatusRule.PLATFORM, Status.CLOSED, Side.PARTNER),
    ],
)
def test_a_status_overwritten_in_the_last_moment_is_argued_out_and_told(
    rule: StatusRule, agreed: Status, loser: Side
) -> None:
    answer = replace(shown(), replaced_status="pending")
    intent = an_intent(an_update(status="solved"))
    found = settled(a_base(status=OWED), intent, answer, rule=rule)
    (conflict,) = found.conflicts
    assert (conflict.platform, conflict.partner) == ("solved", "pending")
    assert (conflict.result, conflict.rule) == (agreed.value, "overwritten")
    assert found.base.status is not None
    assert found.base.status.agreed is agreed
    assert found.base.status.by is (Side.PARTNER if loser is Side.PLATFORM else Side.PLATFORM)
    assert [(owed.kind, owed.side) for owed in found.base.owed] == [("status_conflict", loser)]


def test_a_status_overwritten_on_the_platform_is_argued_out_there() -> None:
    base = a_base(status=replace(a_status_base(Status.CLOSED, partner="solved"), by=Side.PARTNER))
    intent = an_intent(
        an_update(side=Side.PLATFORM, ticket_id="T1", status="Closed"), status_before="Open"
    )
    answer = replace(shown("Closed"), replaced_status="With customer")
    (conflict,) = settled(base, intent, answer).conflicts
    assert (conflict.platform, conflict.partner) == ("With customer", "Closed")


def test_a_partner_without_a_say_is_set_back_and_told_once() -> None:
    handed = HandOff(state=HandOffState.HANDED, turn=1)
    status = StatusBase(agreed=Status.OPEN, seen={Side.PLATFORM: "Open", Side.PARTNER: "pending"})
    intent = an_intent(an_update(status="open"), status_before="pending")
    answer = replace(shown("open"), replaced_status="solved")
    found = settled(a_base(status=status, hand_off=handed), intent, answer, rule=StatusRule.PARTNER)
    assert found.base.status is not None
    assert found.base.status.agreed is Status.OPEN
    assert [conflict.result for conflict in found.conflicts] == ["open"]
    assert [owed.kind for owed in found.base.owed] == ["stay_open"]
    assert found.base.hand_off.is_reopened


def test_the_same_wish_in_the_last_moment_is_no_conflict() -> None:
    base = a_base(status=replace(OWED, agreed=Status.WITH_CUSTOMER))
    # More open siblings had the platform's ticket written otherwise than this pair agreed.
    intent = an_intent(an_update(status="open"), status_before="solved")
    answer = replace(shown("open"), replaced_status="pending")
    assert settled(base, intent, answer).conflicts == ()


def test_a_pair_without_an_agreed_status_settles_the_rest() -> None:
    intent = an_intent(an_update(status="solved", comment=a_draft()))
    found = settled(Base(), intent, replace(shown(), comment_ids=(CommentId("9"),)))
    assert found.base.status is None
    assert len(found.base.comments) == 1


# --- tags ----------------------------------------------------------------------------------------


def test_written_tags_are_agreed_and_what_the_desk_added_stays_there() -> None:
    base = a_base(tags=a_tag_base({"t-a"}, kept={"t-old", "t-bot"}))
    intent = an_intent(
        an_update(add_tags={"t-new"}, remove_tags={"t-a"}), tags_before={"t-a", "t-old", "t-bot"}
    )
    found = settled(base, intent, shown("open", "t-new", "t-bot", "t-desk")).base
    assert found.tags.seen[Side.PARTNER] == {"t-new", "t-old"}
    assert found.tags.kept == {Side.PARTNER: frozenset({"t-bot", "t-desk"})}


def test_in_a_ticket_seen_later_new_tags_are_a_persons() -> None:
    intent = an_intent(an_update(add_tags={"t-new"}))
    answer = shown("open", "t-person")
    found = settled(a_base(), intent, answer, is_found=True)
    assert found.base.tags.kept == {}
    assert found.base.tags.seen[Side.PARTNER] == {"t-new"}
    assert found.stop is None


def test_a_comment_alone_tells_of_the_desks_own_tags_and_of_no_others() -> None:
    base = a_base(tags=a_tag_base({"t-a"}))
    intent = an_intent(tags_before={"t-a", "other"})
    answer = replace(
        shown("open", "t-a", "t-desk"),
        comment_ids=(CommentId("101"),),
        replaced_tags=frozenset({"t-a", "other"}),
    )
    tags = settled(base, intent, answer).base.tags
    assert tags.seen == base.tags.seen
    assert tags.kept == {Side.PARTNER: frozenset({"t-desk"})}


@pytest.mark.parametrize("replaced", [None, frozenset({"t-a", "t-person"})])
def test_a_tag_that_a_person_set_just_before_our_comment_is_no_tag_of_the_desks(
    replaced: frozenset[str] | None,
) -> None:
    base = a_base(tags=a_tag_base({"t-a"}))
    answer = replace(
        shown("open", "t-a", "t-person"), comment_ids=(CommentId("101"),), replaced_tags=replaced
    )
    found = settled(base, an_intent(tags_before={"t-a"}), answer)
    assert found.base.tags == replace(base.tags, kept={})
    assert found.conflicts == ()


def test_a_shared_tag_that_the_desk_drops_stops_the_pair() -> None:
    found = settled(a_base(), an_intent(an_update(add_tags={"t-new", "own"})), shown("open"))
    assert found.stop is not None
    assert found.stop.reason == "tag_refused"


def test_a_write_of_tags_pays_what_was_owed_on_its_side() -> None:
    owed = {Side.PARTNER: frozenset({"x"}), Side.PLATFORM: frozenset({"y"})}
    base = a_base(tags=replace(a_tag_base(), owed_add=owed, owed_remove=owed))
    found = settled(base, an_intent(an_update(add_tags={"x"})), shown("open", "x")).base
    assert found.tags.owed_add == found.tags.owed_remove == {Side.PLATFORM: frozenset({"y"})}


@pytest.mark.parametrize(
    ("side", "added", "removed", "before", "after"),
    [
        (Side.PARTNER, {"away"}, set(), False, True),
        (Side.PARTNER, set(), {"away"}, True, False),
        (Side.PARTNER, {"t-a"}, set(), True, True),
        (Side.PLATFORM, {"away"}, set(), False, False),
    ],
)
def test_the_tag_that_shows_the_ball_is_known_to_be_set_by_us(
    side: Side, added: set[str], removed: set[str], before: bool, after: bool
) -> None:
    base = a_base(hand_off=HandOff(state=HandOffState.HANDED, is_tag_set=before))
    intent = an_intent(an_update(side=side, add_tags=added, remove_tags=removed))
    found = settled(base, intent, shown("open", *added))
    assert found.base.hand_off.is_tag_set is after


def test_tags_that_a_write_undid_are_shared_or_given_back_and_on_record() -> None:
    base = a_base(tags=a_tag_base({"t-gone", "t-keep"}, kept={"t-bot"}))
    before = {"t-gone", "t-keep", "t-bot", "mine"}
    intent = an_intent(an_update(add_tags={"t-new"}, remove_tags={"x"}), tags_before=before)
    replaced = frozenset({"t-keep", "t-person", "note", "t-new"})
    answer = replace(shown("open", *before, "t-new"), replaced_tags=replaced)
    found = settled(base, intent, answer)
    tags = found.base.tags
    assert tags.agreed == {"t-keep", "t-person"}
    assert tags.owed_add[Side.PARTNER] == {"note"}
    assert tags.owed_remove[Side.PARTNER] == {"mine", "t-bot"}
    (conflict,) = found.conflicts
    assert (conflict.name, conflict.rule, conflict.platform) == ("tags", "overwritten", "")
    assert conflict.partner == "note t-keep t-new t-person"
    platform = replace(intent, op=an_update(side=Side.PLATFORM, add_tags={"t-new"}))
    assert settled(base, platform, answer).conflicts[0].partner == ""


def test_tags_that_nobody_touched_meanwhile_leave_nothing_to_repair() -> None:
    intent = an_intent(an_update(add_tags={"t-new"}), tags_before={"x"})
    for replaced in (frozenset({"x"}), frozenset({"x", "t-new"}), None):
        answer = replace(shown("open", "x", "t-new"), replaced_tags=replaced)
        assert settled(a_base(), intent, answer).conflicts == ()


# --- hand-off ------------------------------------------------------------------------------------


def leave() -> Intent:
    return an_intent(an_update(side=Side.PLATFORM, ticket_id="T1", leave_view="acme"))


def test_a_ticket_out_of_the_view_is_handed_and_both_sides_are_told() -> None:
    found = settled(a_base(hand_off=OFFERED), leave(), shown("Open"))
    assert found.base.hand_off.state is HandOffState.HANDED
    assert {(owed.kind, owed.side) for owed in found.base.owed} == {
        ("handed", side) for side in Side
    }
    assert [moved.after for moved in found.transitions] == ["handed"]


def test_a_ticket_that_stays_in_the_view_is_not_handed_and_a_person_is_asked() -> None:
    found = settled(a_base(hand_off=OFFERED), leave(), shown("Open", views=("acme",)))
    assert found.base.hand_off.state is HandOffState.OFFERED
    assert found.stop is not None
    assert found.stop.reason == "hand_off_without_effect"


def test_a_lost_hand_off_found_after_the_ticket_came_back_was_handed_in_between() -> None:
    answer = shown("Open", views=("acme",))
    found = settled(a_base(hand_off=OFFERED), leave(), answer, is_found=True)
    assert found.base.hand_off.state is HandOffState.HANDED
    assert found.stop is None


def test_a_hand_off_that_was_confirmed_already_is_not_told_again() -> None:
    handed = replace(OFFERED, state=HandOffState.HANDED)
    found = settled(a_base(hand_off=handed), leave(), shown("Open"))
    assert (found.base.owed, found.transitions) == ((), ())


@pytest.mark.parametrize("is_set", [True, False])
def test_a_ticket_made_with_the_balls_tag_shows_the_ball(*, is_set: bool) -> None:
    intent = an_intent(a_creation("op", tags={"away"} if is_set else {"t-a"}))
    answer = replace(shown("open", "away", "t-a"), comment_ids=(CommentId("101"),))
    base = a_base(hand_off=HandOff(state=HandOffState.HANDED, is_tag_set=not is_set))
    assert settled(base, intent, answer).base.hand_off.is_tag_set is is_set


@pytest.mark.parametrize(
    ("replaced", "add", "remove"),
    [({"mine", "note"}, {"note"}, set()), (set(), set(), {"mine"})],
    ids=["a tag more", "a tag less"],
)
def test_one_tag_that_a_write_undid_is_enough_to_repair_it(
    replaced: set[str], add: set[str], remove: set[str]
) -> None:
    intent = an_intent(an_update(add_tags={"t-new"}), tags_before={"mine"})
    answer = replace(shown("open", "mine", "t-new"), replaced_tags=frozenset(replaced))
    found = settled(a_base(), intent, answer)
    assert [conflict.name for conflict in found.conflicts] == ["tags"]
    assert found.base.tags.owed_add[Side.PARTNER] == add
    assert found.base.tags.owed_remove[Side.PARTNER] == remove


@pytest.mark.parametrize(
    "operation",
    [
        an_update(status="solved"),
        an_update(add_tags={"t-new"}),
        an_update(remove_tags={"t-old"}),
    ],
    ids=["status", "a tag more", "a tag less"],
)
def test_a_write_of_fields_knows_the_tags_of_the_moment_before_without_being_told(
    operation: UpdateTicket,
) -> None:
    """It is refused when somebody was faster; what is new beside it is the desk's own."""
    intent = an_intent(operation, tags_before={"t-a"})
    base = a_base(status=OWED, tags=a_tag_base({"t-a"}))
    tags = {"t-a", "t-desk"} | operation.add_tags
    found = settled(base, intent, shown("solved", *tags)).base
    assert found.tags.kept == {Side.PARTNER: frozenset({"t-desk"})}
