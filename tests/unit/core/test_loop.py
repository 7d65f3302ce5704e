"""Which writes could be part of a loop, and how many of them are one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Known
from syncd.core.loop import is_hop, stop_loop
from syncd.core.model import CommentId, Side, Snapshot
from syncd.core.operations import Operation
from tests.support.build import (
    a_base,
    a_comment,
    a_creation,
    a_draft,
    a_mapping,
    a_restriction,
    a_snapshot,
    a_ticket,
    an_update,
)

#: On the platform's ticket: a person's words, our copy, and ten people's words behind it.
OURS = "50"
BEHIND = [str(number) for number in range(51, 64)]


def platform(*ids: str) -> dict[Side, Snapshot]:
    comments = tuple(a_comment(comment_id) for comment_id in ids)
    return {Side.PLATFORM: a_snapshot(a_ticket(), *comments)}


def hops(operation: Operation, *ids: str) -> bool:
    base = a_base(a_mapping("9", origin=Side.PARTNER, copy_id=OURS))
    return is_hop(operation, base, platform(*ids))


def a_copy_of(comment_id: str) -> Operation:
    return an_update(comment=a_draft(source_id=comment_id))


def test_a_comment_close_behind_one_of_ours_makes_its_copy_a_hop() -> None:
    assert hops(a_copy_of("51"), "1", OURS, "51")
    assert hops(a_copy_of(BEHIND[9]), OURS, *BEHIND)


def test_a_comment_before_ours_or_far_behind_it_does_not() -> None:
    assert not hops(a_copy_of("1"), "1", OURS, "51")
    assert not hops(a_copy_of(BEHIND[10]), OURS, *BEHIND)
    assert not hops(a_copy_of("51"), "1", "51")


def test_a_change_of_fields_alone_is_a_hop() -> None:
    assert hops(an_update(status="solved", comment=None), "1")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("part:51:1@partner", True),
        ("part:1:1@partner", False),
        ("file:51:0@partner", True),
        ("file:1:0@partner", False),
        ("status_conflict:u1@partner", True),
        ("comment_redacted:51@partner", False),
        ("comment_redacted:a:51@partner", False),
        ("comment_made_private:51@partner", False),
    ],
)
def test_a_note_counts_by_what_it_carries_or_tells(key: str, expected: bool) -> None:
    operation = an_update(comment=a_draft(source_id=None, note_key=key))
    assert hops(operation, "1", OURS, "51") is expected


def test_a_birth_its_digest_and_a_restriction_are_no_hops() -> None:
    told = (CommentId("1"), CommentId("51"))
    digest = a_draft(source_id=None, note_key="digest:1:51@partner")
    digest = replace(digest, digested_ids=told)
    assert not hops(an_update(comment=digest), "1", OURS, "51")
    assert not is_hop(a_creation(), a_base(), platform("1"))
    begun = a_draft(source_id=None, note_key="follow_up:51@partner")
    assert not hops(a_creation("op", begun), "1", OURS, "51")
    assert not hops(a_restriction(), "1", OURS, "51")


def test_a_follow_up_that_begins_with_what_followed_ours_is_a_hop() -> None:
    made = a_creation("op", a_draft(source_id="51"))
    assert hops(made, "1", OURS, "51")
    assert not hops(made, "1", "51")


def test_a_note_of_ours_is_one_of_ours() -> None:
    note = a_mapping(OURS, origin=Side.PLATFORM, kind=Known.NOTE, note_key="context:1@platform")
    assert is_hop(a_copy_of("51"), a_base(note), platform("1", OURS, "51"))


def test_nothing_is_known_of_a_side_without_a_ticket() -> None:
    assert not is_hop(a_copy_of("51"), a_base(), {})


@pytest.mark.parametrize(
    ("there", "back", "is_loop"),
    [
        (0, 0, False),
        (29, 119, False),
        (119, 29, False),
        (30, 29, False),
        (30, 30, True),
        (500, 30, True),
        (120, 0, True),
        (0, 120, True),
    ],
)
def test_a_loop_goes_there_and_back_or_one_way_four_times_as_often(
    there: int, back: int, is_loop: bool
) -> None:
    stop = stop_loop({Side.PLATFORM: there, Side.PARTNER: back}, 30)
    assert (stop is not None) is is_loop
    if stop is not None:
        assert stop.reason == "loop"
        assert f"{there} writes to the platform and {back} to the partner" in stop.hint


def test_no_hop_yet_is_no_loop() -> None:
    assert stop_loop({}, 30) is None
    assert stop_loop({Side.PLATFORM: 3}, 1) is None


def test_a_side_without_a_hop_is_told_as_none() -> None:
    stop = stop_loop({Side.PARTNER: 120}, 30)
    assert stop is not None
    assert "0 writes to the platform and 120 to the partner" in stop.hint
