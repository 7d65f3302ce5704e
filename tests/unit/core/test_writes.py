"""From a decision to writes: what shares a request, and in which order they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from syncd.core.agreed import (
    Base,
    FileMapping,
    FileState,
    HandOff,
    HandOffState,
    Known,
    OwedNote,
    StatusBase,
    TagBase,
)
from syncd.core.capabilities import Capabilities
from syncd.core.carrying import file_key
from syncd.core.decision import Circumstances, Decision
from syncd.core.model import Audience, Comment, CommentId, Side, Snapshot, Status
from syncd.core.operations import Operation, RestrictComment, UpdateTicket, copy_op, note_op
from syncd.core.writes import Writes
from tests.support.build import (
    a_base,
    a_comment,
    a_mapping,
    a_snapshot,
    a_status_base,
    a_ticket,
    an_agent,
    an_attachment,
)
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, VIEW, a_policy

HERE = a_snapshot(a_ticket(views={VIEW}))
THERE = a_snapshot(a_ticket("9001", status="open"))
BEHIND = StatusBase(agreed=Status.CLOSED, seen={Side.PLATFORM: "Open", Side.PARTNER: "open"})
OFFERED = HandOff(state=HandOffState.OFFERED, comment_id=a_comment("2").comment_id, turn=1)


def owed(kind: str = "close_guard", side: Side = Side.PARTNER) -> OwedNote:
    return OwedNote(key=f"{kind}:u@{side.value}", side=side, kind=kind)


def writes(
    side: Side,
    base: Base,
    *travelling: Comment,
    platform: Snapshot = HERE,
    partner: Snapshot = THERE,
    capabilities: Mapping[Side, Capabilities] | None = None,
    history_limit: int = 25,
    is_quiet: bool = False,
    siblings: tuple[Status, ...] = (),
    due_files: frozenset[str] = frozenset(),
    pair_key: str = PAIR_KEY,
) -> tuple[Operation, ...]:
    decision = Decision(base=base, travelling={side: travelling, side.other: ()})
    return Writes(
        decision,
        {Side.PLATFORM: platform, Side.PARTNER: partner},
        replace(a_policy(), history_limit=history_limit),
        capabilities or {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: ZENDESK_LIKE},
        Circumstances(pair_key=pair_key, is_quiet=is_quiet, siblings=siblings, due_files=due_files),
    ).to(side)


def updates(*found: Operation) -> list[UpdateTicket]:
    assert all(isinstance(operation, UpdateTicket) for operation in found)
    return [operation for operation in found if isinstance(operation, UpdateTicket)]


def test_nothing_owed_writes_nothing() -> None:
    assert writes(Side.PARTNER, a_base()) == ()


def test_the_fields_ride_on_the_last_comment() -> None:
    tags = TagBase(agreed=frozenset({"t-a"}), seen={Side.PARTNER: frozenset()})
    base = a_base(status=BEHIND, tags=tags, owed=(owed(),))
    one, two, noted = updates(*writes(Side.PARTNER, base, a_comment("1"), a_comment("2")))
    assert [op.status for op in (one, two, noted)] == [None, None, "solved"]
    assert [op.add_tags for op in (one, two, noted)] == [frozenset(), frozenset(), {"t-a"}]
    assert [op.comment and op.comment.source_id for op in (one, two, noted)] == ["1", "2", None]
    assert one.op_id == copy_op(PAIR_KEY, Side.PARTNER, a_comment("1").comment_id)
    assert noted.op_id == note_op(PAIR_KEY, Side.PARTNER, owed().key)


def test_fields_alone_go_in_one_write_that_a_later_one_is_not_taken_for() -> None:
    (one,) = updates(*writes(Side.PARTNER, a_base(status=BEHIND)))
    assert (one.comment, one.status) == (None, "solved")
    moved = a_snapshot(a_ticket("9001", status="open", fields_as_of=2))
    (other,) = updates(*writes(Side.PARTNER, a_base(status=BEHIND), partner=moved))
    assert one.op_id != other.op_id


def test_without_an_agreed_status_none_is_written() -> None:
    assert writes(Side.PARTNER, Base()) == ()


def test_a_desk_without_tags_is_asked_for_none() -> None:
    tags = TagBase(agreed=frozenset({"t-a"}), seen={Side.PARTNER: frozenset()})
    desks = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: Capabilities(has_tags=False)}
    assert writes(Side.PARTNER, a_base(tags=tags), capabilities=desks) == ()


def test_a_backfills_writes_are_silent() -> None:
    (operation,) = updates(*writes(Side.PARTNER, a_base(status=BEHIND), is_quiet=True))
    assert operation.is_silent


def test_the_comment_that_asked_takes_the_ticket_out_of_the_view_with_the_fields() -> None:
    base = a_base(
        status=replace(BEHIND, agreed=Status.WITH_CUSTOMER),
        hand_off=OFFERED,
    )
    travelling = [a_comment(str(n), audience=Audience.SHARED) for n in (1, 2, 3)]
    found = updates(*writes(Side.PLATFORM, base, *travelling))
    assert [op.leave_view for op in found] == [None, VIEW, None]
    assert [op.status for op in found] == [None, "With customer", None]


def test_a_comment_that_asked_and_is_there_already_leaves_the_taking_out_to_the_fields() -> None:
    base = a_base(status=BEHIND, hand_off=OFFERED)
    first, second = updates(*writes(Side.PLATFORM, base, a_comment("3")))
    assert (first.comment, first.leave_view, first.status) == (None, VIEW, "Closed")
    assert (second.leave_view, second.status) == (None, None)


def test_a_ticket_out_of_the_view_needs_not_be_taken_out() -> None:
    away = a_snapshot(a_ticket())
    (operation,) = updates(
        *writes(Side.PLATFORM, a_base(hand_off=OFFERED), a_comment("2"), platform=away)
    )
    assert operation.leave_view is None


@pytest.mark.parametrize(
    ("state", "is_set", "added", "removed"),
    [
        (HandOffState.OFFERED, False, frozenset(), frozenset()),
        (HandOffState.HANDED, False, {"with-platform"}, frozenset()),
        (HandOffState.HANDED, True, frozenset(), frozenset()),
        (HandOffState.WITHDRAWN, False, {"with-platform"}, frozenset()),
        (HandOffState.NONE, True, frozenset(), {"with-platform"}),
    ],
)
def test_the_partners_desk_shows_the_ball_by_one_tag(
    state: HandOffState, is_set: bool, added: set[str], removed: set[str]
) -> None:
    base = a_base(status=BEHIND, hand_off=HandOff(state=state, is_tag_set=is_set))
    (operation,) = updates(*writes(Side.PARTNER, base))
    assert (set(operation.add_tags), set(operation.remove_tags)) == (added, removed)
    away = a_snapshot(a_ticket())
    (platform,) = updates(*writes(Side.PLATFORM, base, platform=away))
    assert (platform.add_tags, platform.remove_tags) == (frozenset(), frozenset())


def test_nobody_is_told_that_it_stays_with_the_platform_before_the_platform_has_it() -> None:
    stay = OwedNote(
        key="stay_open:turn-1@partner",
        side=Side.PARTNER,
        kind="stay_open",
        facts=(("platform", "Heroku"), ("status", "solved")),
    )
    base = a_base(hand_off=OFFERED, owed=(stay,))
    assert writes(Side.PARTNER, base) == ()
    handed = replace(base, hand_off=replace(OFFERED, state=HandOffState.HANDED, is_tag_set=True))
    assert len(writes(Side.PARTNER, handed)) == 1


def newborn(*notes: OwedNote) -> Base:
    context = OwedNote(
        key="context:T1@partner",
        side=Side.PARTNER,
        kind="context",
        facts=(("platform", "Heroku"), ("as_of", "now")),
    )
    return a_base(owed=(context, *notes))


def test_history_beyond_the_limit_goes_as_one_digest_at_birth() -> None:
    thread = [a_comment(str(n)) for n in range(1, 6)]
    digest, four, five, context = updates(
        *writes(Side.PARTNER, newborn(), *thread, history_limit=2)
    )
    assert digest.comment is not None
    assert digest.comment.digested_ids == ("1", "2", "3")
    assert [op.comment and op.comment.source_id for op in (four, five)] == ["4", "5"]
    assert context.comment is not None
    assert context.comment.note_key == "context:T1@partner"


def test_later_on_each_comment_goes_by_itself() -> None:
    thread = [a_comment(str(n)) for n in range(1, 6)]
    found = updates(*writes(Side.PARTNER, a_base(), *thread, history_limit=2))
    assert [op.comment and op.comment.source_id for op in found] == ["1", "2", "3", "4", "5"]
    found = updates(*writes(Side.PLATFORM, newborn(), *thread, history_limit=2))
    assert len(found) == 5


def test_parts_that_are_there_are_not_written_again() -> None:
    long = a_comment("1", "<p>" + "word " * 900 + "</p>")
    desks = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: Capabilities(max_body_bytes=2_000)}
    every = updates(*writes(Side.PARTNER, a_base(), long, capabilities=desks))
    first = every[0].comment
    assert first is not None
    written = a_mapping("101", None, kind=Known.NOTE, origin=Side.PARTNER, note_key=first.note_key)
    left = updates(*writes(Side.PARTNER, a_base(written), long, capabilities=desks))
    assert left == every[1:]


def test_a_desk_that_can_make_every_public_copy_and_part_of_a_hidden_comment_private() -> None:
    hidden = a_comment("5", author=an_agent(), audience=Audience.SHARED)
    open_still = a_comment("6", author=an_agent())
    base = a_base(
        a_mapping("5", "105", origin=Side.PARTNER),
        a_mapping("104", None, kind=Known.NOTE, origin=Side.PLATFORM, note_key="part:5:1@platform"),
        a_mapping("103", None, kind=Known.NOTE, origin=Side.PLATFORM, note_key="close_guard:5@x"),
        a_mapping("6", "106", origin=Side.PARTNER),
        a_mapping("9", None, origin=Side.PARTNER),
        status=a_status_base(),
    )
    able = {side: replace(PLATFORM_LIKE, can_restrict=True) for side in Side}
    partner = a_snapshot(THERE.ticket, hidden, open_still)
    found = writes(Side.PLATFORM, base, partner=partner, capabilities=able)
    assert all(isinstance(operation, RestrictComment) for operation in found)
    assert [getattr(operation, "comment_id", "") for operation in found] == ["105", "104"]
    assert writes(Side.PARTNER, base, partner=partner, capabilities=able) == ()
    assert writes(Side.PLATFORM, base, partner=partner) == ()


def test_a_pair_that_has_ended_says_its_last_words_and_moves_no_field() -> None:
    tags = TagBase(agreed=frozenset({"t-a"}), seen={Side.PARTNER: frozenset()})
    ended = HandOff(state=HandOffState.ENDED, is_tag_set=True)
    base = a_base(status=BEHIND, tags=tags, hand_off=ended, owed=(owed(),))
    (operation,) = updates(*writes(Side.PARTNER, base))
    assert operation.comment is not None
    assert (operation.status, operation.add_tags) == (None, frozenset())
    assert operation.remove_tags == {"with-platform"}


def test_two_older_comments_are_history_enough_for_a_digest_and_one_is_not() -> None:
    thread = [a_comment(str(n)) for n in range(1, 5)]

    def digested(limit: int) -> list[list[str]]:
        found = updates(*writes(Side.PARTNER, newborn(), *thread, history_limit=limit))
        return [list(op.comment.digested_ids) for op in found if op.comment is not None]

    assert digested(2)[0] == ["1", "2"]
    assert digested(3) == digested(4) == [[]] * 5


def test_a_ticket_is_full_of_its_own_comments_and_not_of_its_predecessors() -> None:
    desks = {Side.PLATFORM: PLATFORM_LIKE, Side.PARTNER: Capabilities(max_comments=2)}
    shown = a_snapshot(a_ticket("9001", status="open"), a_comment("1"), a_comment("2"))
    for earlier, count in ((0, 0), (1, 1)):
        partner = replace(shown, earlier_count=earlier)
        found = writes(Side.PARTNER, a_base(), a_comment("7"), partner=partner, capabilities=desks)
        assert len(found) == count


def test_a_file_that_follows_goes_with_a_comment_that_says_whose_it_is() -> None:
    row = FileMapping(
        origin=Side.PLATFORM,
        comment_id=CommentId("1"),
        ordinal=0,
        state=FileState.OWED,
        file=an_attachment("late.txt"),
        audience=Audience.PUBLIC,
    )
    (operation,) = updates(
        *writes(
            Side.PARTNER,
            replace(a_base(a_mapping("1", "101")), files=(row,)),
            platform=a_snapshot(HERE.ticket, a_comment("1")),
            due_files=frozenset({file_key(row)}),
        )
    )
    assert operation.comment is not None
    assert [file.file.name for file in operation.comment.files] == ["late.txt"]
    assert operation.op_id == note_op(PAIR_KEY, Side.PARTNER, operation.comment.note_key or "")


def test_the_platform_is_given_what_the_most_open_of_its_pairs_agreed_on() -> None:
    status = StatusBase(
        agreed=Status.CLOSED, seen={Side.PLATFORM: "Closed", Side.PARTNER: "solved"}
    )
    assert writes(Side.PLATFORM, a_base(status=status)) == ()
    (operation,) = updates(
        *writes(Side.PLATFORM, a_base(status=status), siblings=(Status.WITH_CUSTOMER,))
    )
    assert operation.status == "With customer"


def test_each_comment_that_is_made_private_is_an_operation_of_its_own() -> None:
    hidden = [a_comment(n, author=an_agent(), audience=Audience.SHARED) for n in ("5", "6")]
    base = a_base(
        a_mapping("5", "105", origin=Side.PARTNER), a_mapping("6", "106", origin=Side.PARTNER)
    )
    able = {side: replace(PLATFORM_LIKE, can_restrict=True) for side in Side}
    partner = a_snapshot(THERE.ticket, *hidden)
    here = writes(Side.PLATFORM, base, partner=partner, capabilities=able)
    other = writes(Side.PLATFORM, base, partner=partner, capabilities=able, pair_key="another")
    platform = a_snapshot(HERE.ticket, *hidden)
    mirrored = a_base(a_mapping("5", "105"), a_mapping("6", "106"))
    there = writes(Side.PARTNER, mirrored, platform=platform, capabilities=able)
    found = [operation.op_id for operation in (*here, *other, *there)]
    assert len(found) == len(set(found)) == 6
    copies = {copy_op(PAIR_KEY, side, CommentId("105")) for side in Side}
    assert not copies & set(found)
