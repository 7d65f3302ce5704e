"""Comments from which something was taken: who is told, when, and what does not go again."""

from __future__ import annotations

from dataclasses import replace

from syncd.core.agreed import Base, Known
from syncd.core.mirror import merge_comment
from syncd.core.model import Audience, Comment, CommentId, Side
from syncd.core.notes import NoteKind
from syncd.core.redaction import follow_redactions, is_outdated
from tests.support.build import (
    a_base,
    a_comment,
    a_draft,
    a_mapping,
    a_snapshot,
    a_ticket,
    an_agent,
    an_attachment,
    an_update,
)
from tests.support.twins import a_policy

POLICY = a_policy()
REDACTED = replace(a_comment("5", "<p>▇▇▇</p>", author=an_agent()), is_redacted=True)
COPIED = a_mapping("5", "105", origin=Side.PARTNER)


def follow(base: Base, *comments: Comment) -> Base:
    shown = a_snapshot(a_ticket("9001", url="https://desk.example/9001"), *comments)
    snapshots = {Side.PLATFORM: a_snapshot(), Side.PARTNER: shown}
    return follow_redactions(base, snapshots, POLICY)


def test_a_copy_made_before_is_told_once_without_a_word_of_it() -> None:
    told = follow(a_base(COPIED), REDACTED)
    (owed,) = told.owed
    assert (owed.side, owed.kind) == (Side.PLATFORM, NoteKind.COMMENT_REDACTED.value)
    assert dict(owed.facts)["author"] == "Ada"
    assert "▇" not in str(owed)
    assert follow(told, REDACTED) == told
    assert follow(replace(told, owed=()), REDACTED).owed == ()


def test_a_copy_made_afterwards_needs_no_word() -> None:
    base = a_base(replace(COPIED, is_redacted=True))
    assert follow(base, REDACTED) == base


def test_what_never_travelled_needs_no_word() -> None:
    stayed = a_base(replace(COPIED, kind=Known.LOCAL, copy_id=None))
    assert follow(stayed, REDACTED) == stayed
    assert follow(a_base(), REDACTED) == a_base()


def test_an_older_look_brings_nothing_back() -> None:
    before = a_comment("5", "<p>secret</p>", attachments=(an_attachment("secret.txt"),))
    merged = merge_comment(merge_comment(before, REDACTED), before)
    assert (merged.html, merged.attachments, merged.is_redacted) == ("<p>▇▇▇</p>", (), True)


def test_a_later_redaction_replaces_the_one_before() -> None:
    later = replace(REDACTED, html="<p>▇▇▇▇▇</p>")
    assert merge_comment(REDACTED, later).html == later.html


def test_a_write_is_outdated_once_its_original_says_less() -> None:
    original = a_comment("5", audience=Audience.PUBLIC)
    op = an_update(side=Side.PLATFORM, comment=a_draft(source_id="5"))
    assert not is_outdated(op, a_snapshot(a_ticket("9001"), original))
    private = replace(original, audience=Audience.SHARED)
    assert is_outdated(op, a_snapshot(a_ticket("9001"), private))
    assert is_outdated(op, a_snapshot(a_ticket("9001"), REDACTED))
    careful = an_update(comment=replace(a_draft(source_id="5"), is_redacted=True))
    assert not is_outdated(careful, a_snapshot(a_ticket("9001"), REDACTED))


def test_a_part_of_a_long_comment_is_outdated_with_it() -> None:
    key = f"part:{CommentId('5')}:1@platform"
    op = an_update(side=Side.PLATFORM, comment=a_draft(source_id=None, note_key=key))
    assert is_outdated(op, a_snapshot(a_ticket("9001"), REDACTED))


def test_fields_and_notes_are_never_outdated() -> None:
    shown = a_snapshot(a_ticket("9001"), REDACTED)
    assert not is_outdated(an_update(status="open"), shown)
    assert not is_outdated(an_update(comment=a_draft(source_id=None, note_key="n")), shown)
    assert not is_outdated(an_update(comment=a_draft(source_id="5")), None)
