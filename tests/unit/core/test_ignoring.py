"""What a person leaves as it is: what the base knows from then on, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import (
    Base,
    CommentMapping,
    FileMapping,
    FileState,
    HandOff,
    HandOffState,
    Known,
    OwedNote,
    RefusedStatus,
    TagBase,
)
from syncd.core.draft import part_key
from syncd.core.ignoring import (
    Left,
    call_off,
    leave_comment,
    leave_file,
    leave_lost_tags,
    leave_note,
    leave_operation,
    leave_status,
    leave_write,
)
from syncd.core.model import Audience, CommentId, Side, Status
from syncd.core.notes import NoteKind
from syncd.core.operations import Intent, UpdateTicket
from syncd.core.policy import LinkPolicy
from tests.support.build import (
    LINK,
    a_base,
    a_creation,
    a_draft,
    a_mapping,
    a_restriction,
    a_snapshot,
    a_status_base,
    a_ticket,
    an_attachment,
    an_intent,
    an_update,
)

POLICY = LinkPolicy(link=LINK, view="acme", share_tags=("t-*",))
KEY = "close_guard:u1@partner"
OWED = OwedNote(key=KEY, side=Side.PARTNER, kind="close_guard")
OTHER = OwedNote(key="stay_open:u2@partner", side=Side.PARTNER, kind="stay_open")
ORDERED = OwedNote(
    key="hand_off_ordered:7@platform", side=Side.PLATFORM, kind=NoteKind.HAND_OFF_ORDERED
)
BOTH = {Side.PLATFORM: frozenset({"t-a", "t-b"}), Side.PARTNER: frozenset({"t-a", "t-b"})}
TAGS = TagBase(agreed=frozenset({"t-a", "t-b"}), seen=BOTH)


def a_file(
    comment_id: str = "1",
    ordinal: int = 0,
    *,
    origin: Side = Side.PLATFORM,
    state: FileState = FileState.OWED,
) -> FileMapping:
    return FileMapping(
        origin=origin,
        comment_id=CommentId(comment_id),
        ordinal=ordinal,
        state=state,
        file=an_attachment(),
        audience=Audience.PUBLIC,
    )


def ignored(
    comment_id: str,
    audience: Audience = Audience.PUBLIC,
    *,
    origin: Side = Side.PLATFORM,
    note_key: str | None = None,
) -> CommentMapping:
    return a_mapping(
        comment_id, None, kind=Known.IGNORED, origin=origin, audience=audience, note_key=note_key
    )


def left(base: Base, operation: UpdateTicket, policy: LinkPolicy = POLICY) -> Left:
    found = leave_operation(base, operation, policy)
    assert found is not None
    return found


def test_a_ticket_that_is_to_be_made_cannot_be_left() -> None:
    assert leave_operation(a_base(), a_creation(), POLICY) is None


def test_a_restriction_that_is_left_counts_as_done() -> None:
    base = a_base(a_mapping("1", "101"), a_mapping("2", "102"))
    found = leave_operation(base, a_restriction(comment_id="101"), POLICY)
    assert found is not None
    assert [row.audience for row in found.base.comments] == [Audience.SHARED, Audience.PUBLIC]
    assert found.what == ("comment 101 stays public on the partner's desk",)


def test_a_write_that_brings_nothing_leaves_nothing() -> None:
    base = a_base()
    assert left(base, an_update()) == Left(base=base)
    nameless = an_update(comment=a_draft(source_id=None))
    assert left(base, nameless) == Left(base=base)


def test_everything_that_one_write_would_have_brought_is_left() -> None:
    base = replace(a_base(tags=TAGS), hand_off=HandOff(state=HandOffState.OFFERED, turn=2))
    operation = an_update(
        side=Side.PLATFORM,
        comment=a_draft(source_id="7", audience=Audience.SHARED),
        status="Closed",
        add_tags={"t-b"},
        leave_view="acme",
    )
    found = left(base, operation)
    assert found.what == (
        "comment 7 of the partner",
        "the status on the platform's desk",
        "tags on the platform's desk",
        "the hand-off",
    )
    assert found.base.comments == (ignored("7", Audience.SHARED, origin=Side.PARTNER),)
    assert found.base.status is not None
    assert found.base.status.left == {Side.PLATFORM}
    assert found.base.tags.agreed == {"t-a"}
    assert found.base.hand_off == HandOff(turn=3)


def test_a_copy_that_is_left_leaves_its_original_where_it_is() -> None:
    found = left(a_base(a_mapping("1", "101")), an_update(comment=a_draft(source_id="2")))
    assert found.base.comments == (a_mapping("1", "101"), ignored("2"))
    assert found.what == ("comment 2 of the platform",)


def test_a_comment_that_is_known_already_is_not_left_again() -> None:
    base = a_base(a_mapping("1", "101"))
    found = leave_comment(base, Side.PLATFORM, CommentId("1"), Audience.PUBLIC)
    assert found == Left(base=base)


def test_a_part_of_a_long_comment_leaves_all_of_the_comment() -> None:
    part = a_draft(source_id=None, note_key=part_key(CommentId("2"), Side.PARTNER, 1))
    found = left(a_base(), an_update(comment=part))
    assert found.base.comments == (ignored("2"),)
    assert found.what == ("comment 2 of the platform",)


def test_a_digest_that_is_left_leaves_all_that_it_held() -> None:
    digest = replace(
        a_draft(source_id=None, note_key="digest:1:2@partner", audience=Audience.SHARED),
        digested_ids=(CommentId("1"), CommentId("2")),
    )
    found = left(a_base(), an_update(comment=digest))
    note, *held = found.base.comments
    assert (note.note_key, note.origin) == ("digest:1:2@partner", Side.PARTNER)
    assert held == [ignored("1", Audience.SHARED), ignored("2", Audience.SHARED)]
    assert found.what == (
        "the note digest to the partner",
        "comment 1 of the platform",
        "comment 2 of the platform",
    )


def test_a_note_that_is_left_is_owed_no_longer_and_never_again() -> None:
    note = a_draft(source_id=None, note_key=KEY, audience=Audience.SHARED)
    found = left(a_base(a_mapping("1", "101"), owed=(OWED, OTHER)), an_update(comment=note))
    assert found.base.owed == (OTHER,)
    assert found.base.comments == (
        a_mapping("1", "101"),
        ignored(KEY, Audience.SHARED, origin=Side.PARTNER, note_key=KEY),
    )
    assert found.what == ("the note close_guard to the partner",)
    assert leave_note(a_base(owed=(OWED,)), Side.PARTNER, KEY).base.owed == ()


def test_a_file_that_is_left_is_refused_and_no_other() -> None:
    rows = (
        a_file("1", 0),
        a_file("1", 1),
        a_file("2", 1),
        a_file("1", 1, origin=Side.PARTNER),
        a_file("1", 1, state=FileState.CARRIED),
    )
    late = a_draft("<p>later</p>", source_id=None, note_key="file:1:1@partner")
    found = left(replace(a_base(), files=rows), an_update(comment=late))
    refused = replace(rows[1], state=FileState.REFUSED)
    assert found.base.files == (rows[0], refused, *rows[2:])
    assert found.what == ("file 2 of the platform's comment 1",)


def test_a_file_that_nobody_owes_any_more_is_not_left() -> None:
    base = replace(a_base(), files=(a_file(state=FileState.CARRIED),))
    assert leave_file(base, "file:1:0@partner") == Left(base=base)


def test_a_status_that_is_left_stays_and_is_not_tried_again() -> None:
    refused = RefusedStatus(status="solved", as_of=3, since=3)
    before = replace(
        a_status_base(Status.CLOSED, platform="Closed"),
        left=frozenset({Side.PLATFORM}),
        refused={Side.PARTNER: refused, Side.PLATFORM: refused},
    )
    found = left(a_base(status=before), an_update(status="solved"))
    assert found.base.status == replace(
        before, left=frozenset(Side), refused={Side.PLATFORM: refused}
    )
    assert found.what == ("the status on the partner's desk",)


def test_without_a_base_there_is_no_status_to_leave() -> None:
    base = replace(a_base(), status=None)
    assert leave_status(base, Side.PARTNER) == Left(base=base)


def test_a_tag_that_is_not_added_becomes_the_other_desks_own() -> None:
    tags = replace(TAGS, owed_add=BOTH, owed_remove=BOTH)
    found = left(a_base(tags=tags), an_update(add_tags={"t-b", "internal"}))
    assert found.base.tags == TagBase(
        agreed=frozenset({"t-a"}),
        seen={Side.PLATFORM: frozenset({"t-a"}), Side.PARTNER: frozenset({"t-a", "t-b"})},
        kept={Side.PLATFORM: frozenset({"t-b"}), Side.PARTNER: frozenset()},
        owed_add={Side.PLATFORM: BOTH[Side.PLATFORM]},
        owed_remove={Side.PLATFORM: BOTH[Side.PLATFORM]},
    )
    assert found.what == ("tags on the partner's desk",)


def test_a_tag_that_is_not_removed_becomes_that_desks_own() -> None:
    kept = {Side.PLATFORM: frozenset({"t-p"}), Side.PARTNER: frozenset({"t-z"})}
    found = left(a_base(tags=replace(TAGS, kept=kept)), an_update(remove_tags={"t-b", "internal"}))
    assert found.base.tags == TagBase(
        agreed=TAGS.agreed,
        seen={Side.PLATFORM: BOTH[Side.PLATFORM], Side.PARTNER: frozenset({"t-a"})},
        kept={Side.PLATFORM: frozenset({"t-p"}), Side.PARTNER: frozenset({"t-z", "t-b"})},
    )
    assert found.what == ("tags on the partner's desk",)


@pytest.mark.parametrize(
    ("operation", "is_set"),
    [
        pytest.param(an_update(add_tags={"with-platform"}), True, id="not put there"),
        pytest.param(an_update(remove_tags={"with-platform"}), False, id="not taken away"),
    ],
)
def test_the_ball_tag_counts_as_written(operation: UpdateTicket, *, is_set: bool) -> None:
    before = HandOff(state=HandOffState.HANDED, is_tag_set=not is_set)
    found = left(a_base(hand_off=before), operation)
    assert found.base.hand_off == replace(before, is_tag_set=is_set)
    other = left(a_base(hand_off=before), an_update(add_tags={"t-a"}))
    assert other.base.hand_off == before


def test_a_tag_of_the_platforms_that_looks_like_the_ball_says_nothing() -> None:
    before = HandOff(state=HandOffState.HANDED)
    operation = an_update(side=Side.PLATFORM, add_tags={"with-platform"})
    assert left(a_base(hand_off=before), operation).base.hand_off == before


def test_tags_that_a_desk_did_not_keep_stay_on_the_other_one() -> None:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(tags={"t-a", "t-b"})),
        Side.PARTNER: a_snapshot(a_ticket("9001", tags={"t-a", "internal"})),
    }
    found = leave_lost_tags(a_base(tags=TAGS), shown, POLICY)
    assert found.base.tags == TagBase(
        agreed=frozenset({"t-a"}),
        seen=dict.fromkeys(Side, frozenset({"t-a"})),
        kept={Side.PLATFORM: frozenset({"t-b"}), Side.PARTNER: frozenset()},
    )
    assert found.what == ("tags on the partner's desk",)


def test_tags_lost_on_both_desks_are_left_on_both() -> None:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(tags={"t-a"})),
        Side.PARTNER: a_snapshot(a_ticket("9001", tags={"t-b"})),
    }
    found = leave_lost_tags(a_base(tags=TAGS), shown, POLICY)
    assert found.base.tags.agreed == frozenset()
    assert found.base.tags.kept == {
        Side.PLATFORM: frozenset({"t-a"}),
        Side.PARTNER: frozenset({"t-b"}),
    }
    assert found.what == ("tags on the platform's desk", "tags on the partner's desk")


def test_where_desks_kept_their_tags_nothing_is_left() -> None:
    shown = {side: a_snapshot(a_ticket(tags={"t-a", "t-b", "t-new"})) for side in Side}
    base = a_base(tags=TAGS)
    assert leave_lost_tags(base, shown, POLICY) == Left(base=base)


def test_a_hand_off_that_is_called_off_leaves_the_ticket_with_the_partner() -> None:
    before = HandOff(state=HandOffState.OFFERED, by="Ada", is_late=True, is_tag_set=True, turn=4)
    found = call_off(a_base(hand_off=before, owed=(ORDERED, OTHER)))
    assert found.base.hand_off == HandOff(turn=5, is_tag_set=True)
    assert found.base.owed == (OTHER,)
    assert found.what == ("the hand-off",)


def lost(*, audience: Audience = Audience.PUBLIC, note_key: str | None = None) -> Intent:
    source = "1" if note_key is None else None
    draft = a_draft(source_id=source, note_key=note_key, audience=audience)
    return an_intent(an_update(comment=replace(draft, is_redacted=note_key is None)))


def ids(*names: str) -> list[CommentId]:
    return [CommentId(name) for name in names]


def test_the_first_of_several_is_the_copy_and_the_rest_stay() -> None:
    base = a_base(a_mapping("9", "101"), owed=(OWED,))
    found = leave_write(base, lost(audience=Audience.SHARED), ids("101", "102", "103", "104"))
    assert found is not None
    copy = replace(a_mapping("1", "102", audience=Audience.SHARED), is_redacted=True)
    assert found.base.comments == (
        a_mapping("9", "101"),
        copy,
        ignored("103", Audience.SHARED, origin=Side.PARTNER),
        ignored("104", Audience.SHARED, origin=Side.PARTNER),
    )
    assert found.base.owed == (OWED,)
    assert found.what == ("comments 102, 103, 104 on the partner's desk, as one write of ours",)


def test_the_first_of_several_notes_is_the_note_and_it_is_owed_no_longer() -> None:
    intent = lost(audience=Audience.SHARED, note_key=KEY)
    found = leave_write(a_base(owed=(OWED, OTHER)), intent, ids("101", "102"))
    assert found is not None
    assert found.base.comments == (
        a_mapping(
            "101",
            None,
            kind=Known.NOTE,
            origin=Side.PARTNER,
            audience=Audience.SHARED,
            note_key=KEY,
        ),
        ignored("102", Audience.SHARED, origin=Side.PARTNER),
    )
    assert found.base.owed == (OTHER,)


@pytest.mark.parametrize(
    ("intent", "candidates"),
    [
        pytest.param(an_intent(an_update(status="solved")), ids("102"), id="no comment"),
        pytest.param(an_intent(a_creation()), ids("102"), id="a ticket to be made"),
        pytest.param(an_intent(a_restriction()), ids("102"), id="no update"),
        pytest.param(lost(), ids("101"), id="all are known"),
        pytest.param(lost(), [], id="none is there"),
    ],
)
def test_a_write_without_a_comment_to_choose_is_nobodys_decision(
    intent: Intent, candidates: list[CommentId]
) -> None:
    assert leave_write(a_base(a_mapping("9", "101")), intent, candidates) is None
