"""Our own writes are recognised by their stamps when the comment map has forgotten them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.adoption import adopt, name_notes
from syncd.core.agreed import Base, CommentMapping, FileState, Known, OwedNote
from syncd.core.capabilities import Capabilities
from syncd.core.comment_map import take_written
from syncd.core.model import Audience, Comment, CommentId, OpId, Side
from syncd.core.operations import copy_op, create_op, note_op
from syncd.core.policy import LinkPolicy
from syncd.core.stamp import stamp_for
from syncd.core.thread import news
from tests.support.build import (
    LINK,
    a_base,
    a_comment,
    a_draft,
    a_mapping,
    a_snapshot,
    a_ticket,
    an_attachment,
)
from tests.support.twins import PAIR_KEY

POLICY = LinkPolicy(link=LINK, view="acme")
SMALL = Capabilities(max_body_bytes=2_000, max_comments=10)
DESKS: Mapping[Side, Capabilities] = dict.fromkeys(Side, SMALL)
LONG = "<p>" + "word " * 900 + "</p>"


def ours(comment_id: str, op: OpId, *, audience: Audience = Audience.PUBLIC) -> Comment:
    return a_comment(comment_id, "<p>ours</p>", audience=audience, stamp=stamp_for(LINK, op))


def copied(source: str) -> OpId:
    return copy_op(PAIR_KEY, Side.PARTNER, CommentId(source))


def noted(key: str) -> OpId:
    return note_op(PAIR_KEY, Side.PARTNER, key)


def adopted(base: Base, platform: list[Comment], partner: list[Comment]) -> Base:
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(), *platform),
        Side.PARTNER: a_snapshot(a_ticket("9001", status="open"), *partner),
    }
    found = adopt(base, shown, policy=POLICY, capabilities=DESKS, pair_key=PAIR_KEY)
    assert news(found, Side.PARTNER, shown[Side.PARTNER]) == tuple(
        comment for comment in partner if comment.stamp is None
    )
    return found


def rows(base: Base) -> list[tuple[Known, str, str | None]]:
    return [(m.kind, m.comment_id, m.copy_id or m.note_key) for m in base.comments]


def test_a_copy_is_matched_with_what_it_copied() -> None:
    base = adopted(Base(), [a_comment("1"), a_comment("2")], [ours("101", copied("2"))])
    assert rows(base) == [(Known.COPIED, "2", "101")]


def test_a_copy_that_is_public_still_is_known_as_public() -> None:
    hidden = a_comment("1", audience=Audience.SHARED)
    base = adopted(Base(), [hidden], [ours("101", copied("1"))])
    assert base.comments[0].audience is Audience.PUBLIC


def test_an_owed_note_that_is_there_is_owed_no_longer() -> None:
    owed = OwedNote(key="close_guard:u@partner", side=Side.PARTNER, kind="close_guard")
    other = replace(owed, key="close_guard:u@platform", side=Side.PLATFORM)
    base = adopted(a_base(owed=(owed, other)), [], [ours("101", noted(owed.key))])
    assert rows(base) == [(Known.NOTE, "101", owed.key)]
    assert base.owed == (other,)


def test_what_nobody_can_name_any_more_counts_as_a_note() -> None:
    base = adopted(Base(), [], [ours("101", OpId("f00"))])
    assert rows(base) == [(Known.NOTE, "101", "stamp:f00")]


def test_another_links_stamp_and_a_persons_words_stay_news() -> None:
    foreign = a_comment("101", stamp="syncd:other:f00")
    shown = {Side.PARTNER: a_snapshot(a_ticket("9001"), foreign, a_comment("102", stamp="x"))}
    base = adopt(Base(), shown, policy=POLICY, capabilities=DESKS, pair_key=PAIR_KEY)
    assert base == Base()


def test_the_parts_of_a_long_comment_are_known_as_such() -> None:
    base = adopted(Base(), [a_comment("1", LONG)], [ours("101", noted("part:1:1@partner"))])
    assert rows(base) == [(Known.NOTE, "101", "part:1:1@partner")]


def test_an_ordinary_creation_carried_the_first_message() -> None:
    thread = [a_comment("1", "#local"), a_comment("2"), a_comment("3")]
    create = create_op(PAIR_KEY, Side.PARTNER)
    base = adopted(Base(), thread, [ours("101", create), ours("102", copied("3"))])
    assert rows(base) == [(Known.COPIED, "2", "101"), (Known.COPIED, "3", "102")]


def test_an_ordinary_creation_of_a_long_message_carried_its_first_part() -> None:
    create = create_op(PAIR_KEY, Side.PARTNER)
    base = adopted(Base(), [a_comment("1", LONG)], [ours("101", create)])
    assert rows(base) == [(Known.NOTE, "101", "part:1:1@partner")]


def test_a_silent_creation_carried_all_there_was_and_a_note() -> None:
    create = create_op(PAIR_KEY, Side.PARTNER)
    thread = [a_comment(str(n)) for n in range(1, 4)]
    written = [ours(str(100 + n), create) for n in range(1, 5)]
    later = ours("105", copied("4"))
    base = adopted(Base(), [*thread, a_comment("4")], [*written, later])
    assert rows(base) == [
        (Known.COPIED, "1", "101"),
        (Known.COPIED, "2", "102"),
        (Known.COPIED, "3", "103"),
        (Known.NOTE, "104", f"stamp:{create}"),
        (Known.COPIED, "4", "105"),
    ]


def test_a_silent_creation_of_too_many_began_with_a_digest() -> None:
    create = create_op(PAIR_KEY, Side.PARTNER)
    thread = [a_comment(str(n)) for n in range(1, 13)]
    written = [ours(str(100 + n), create, audience=Audience.SHARED) for n in range(1, 12)]
    base = adopted(Base(), thread, written)
    assert rows(base)[:5] == [
        (Known.NOTE, "101", "digest:1:3@partner"),
        (Known.HISTORIC, "1", None),
        (Known.HISTORIC, "2", None),
        (Known.HISTORIC, "3", None),
        (Known.COPIED, "4", "102"),
    ]


def test_a_digest_carried_the_oldest_that_nothing_else_did() -> None:
    create = create_op(PAIR_KEY, Side.PARTNER)
    thread = [a_comment(str(n)) for n in range(1, 6)]
    written = [
        ours("101", create),
        ours("102", noted("digest:2:3@partner"), audience=Audience.SHARED),
        ours("103", copied("4")),
    ]
    base = adopted(Base(), thread, written)
    assert [row for row in rows(base) if row[0] is not Known.COPIED] == [
        (Known.NOTE, "102", "digest:2:3@partner"),
        (Known.HISTORIC, "2", None),
        (Known.HISTORIC, "3", None),
    ]


def test_a_creation_on_a_thread_that_is_gone_counts_as_a_note() -> None:
    create = create_op(PAIR_KEY, Side.PARTNER)
    assert rows(adopted(Base(), [], [ours("101", create)])) == [
        (Known.NOTE, "101", f"stamp:{create}")
    ]


def test_a_note_decided_anew_that_a_stamp_shows_is_not_written_again() -> None:
    owed = OwedNote(key="handed:7@partner", side=Side.PARTNER, kind="handed")
    fresh = replace(owed, key="handed:8@partner")
    stamped = a_mapping("101", None, kind=Known.NOTE, note_key=f"stamp:{noted(owed.key)}")
    other = a_mapping("1", "102")
    base = name_notes(a_base(stamped, other, owed=(owed, fresh)), PAIR_KEY)
    assert base.owed == (fresh,)
    assert base.comments == (replace(stamped, note_key=owed.key), other)


def test_nothing_nameless_leaves_the_base_as_it_is() -> None:
    base = a_base(a_mapping("101", None, kind=Known.NOTE, note_key="context:T1@partner"))
    assert name_notes(base, PAIR_KEY) is base


def test_taking_the_same_write_in_twice_changes_nothing() -> None:
    draft = replace(a_draft(source_id=None, note_key="k"), digested_ids=(CommentId("5"),))
    written = [(a_draft(), CommentId("101")), (draft, CommentId("102"))]
    once = take_written(a_base(), Side.PARTNER, written)
    assert take_written(once, Side.PARTNER, written) == once
    assert once.comments[0] == CommentMapping(
        kind=Known.COPIED,
        origin=Side.PLATFORM,
        comment_id=CommentId("1"),
        copy_id=CommentId("101"),
        audience=Audience.PUBLIC,
    )


def test_files_of_a_forgotten_copy_are_known_again_and_those_it_lacks_are_owed() -> None:
    desks = {side: Capabilities(max_file_bytes=1000) for side in Side}
    files = tuple(an_attachment(name) for name in ("a.txt", "b.txt", "c.txt"))
    source = a_comment("1", "<p>See</p>", attachments=files)
    late_op = note_op(PAIR_KEY, Side.PARTNER, "file:1:2@partner")
    copy = replace(
        ours("901", copied("1")), attachments=(an_attachment("a.txt", attachment_id="77"),)
    )
    shown = {
        Side.PLATFORM: a_snapshot(a_ticket(), source),
        Side.PARTNER: a_snapshot(a_ticket("9001", status="open"), copy, ours("902", late_op)),
    }
    found = adopt(Base(), shown, policy=POLICY, capabilities=desks, pair_key=PAIR_KEY)
    found = name_notes(found, PAIR_KEY)

    assert [(row.ordinal, row.state) for row in found.files] == [
        (0, FileState.CARRIED),
        (1, FileState.OWED),
        (2, FileState.CARRIED),
    ]
    assert news(found, Side.PARTNER, shown[Side.PARTNER]) == ()


def test_a_note_that_has_its_name_keeps_it_when_another_is_named() -> None:
    owed = OwedNote(key="handed:7@partner", side=Side.PARTNER, kind="handed")
    stamped = a_mapping("101", None, kind=Known.NOTE, note_key=f"stamp:{noted(owed.key)}")
    known = a_mapping("103", None, kind=Known.NOTE, note_key="context:T1@partner")
    strange = a_mapping("104", None, kind=Known.NOTE, note_key="stamp:f00")
    base = name_notes(a_base(stamped, known, strange, owed=(owed,)), PAIR_KEY)
    assert base.comments == (replace(stamped, note_key=owed.key), known, strange)


def test_a_silent_creation_of_one_comment_and_its_note_is_no_ordinary_one() -> None:
    """What it holds is history, as long as it may be; an ordinary one had the first part alone."""
    create = create_op(PAIR_KEY, Side.PARTNER)
    thread = [a_comment(str(n)) for n in range(1, 3)]
    silent = [ours(str(100 + n), create) for n in range(1, 3)]
    assert rows(adopted(Base(), thread, silent)) == [
        (Known.COPIED, "1", "101"),
        (Known.COPIED, "2", "102"),
    ]
    assert rows(adopted(Base(), thread, silent[:1])) == [(Known.COPIED, "1", "101")]
