"""Which files of a comment travel, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.core.agreed import Base, FileMapping, FileState
from syncd.core.attachment import AttachmentReason, Scan, harmless
from syncd.core.capabilities import Capabilities
from syncd.core.carrying import (
    follow_up,
    is_pending,
    luggage,
    placeholder_bytes,
    told,
    verdict,
)
from syncd.core.draft import draft_copy, part_source
from syncd.core.file_map import (
    brought,
    due_keys,
    follow_ups,
    late_keys,
    next_try_at,
    owed_files,
    postponed,
    take_files,
    timed,
    without_withdrawn,
)
from syncd.core.model import Audience, CommentId, Side, Snapshot
from syncd.core.operations import Draft, DraftFile
from syncd.core.policy import AttachmentRules, Direction, LinkPolicy
from tests.support.build import AT, LINK, a_comment, a_ticket, an_agent, an_attachment

DESK = Capabilities(max_file_bytes=1000)
RULES = AttachmentRules()
POLICY = LinkPolicy(link=LINK, view="acme")
COPY = CommentId("copy")


def test_an_ordinary_file_may_travel() -> None:
    assert verdict(an_attachment(), Side.PARTNER, RULES, DESK) is None


@pytest.mark.parametrize(
    ("rules", "desk", "expected"),
    [
        (RULES, Capabilities(), AttachmentReason.NOT_CARRIED),
        (replace(RULES, direction=Direction.TO_PLATFORM), DESK, AttachmentReason.NOT_CARRIED),
        (replace(RULES, max_bytes=11), DESK, AttachmentReason.TOO_LARGE),
        (RULES, Capabilities(max_file_bytes=11), AttachmentReason.TOO_LARGE),
        (replace(RULES, deny=("*.TXT",)), DESK, AttachmentReason.TYPE),
        (replace(RULES, deny=("text/*",)), DESK, AttachmentReason.TYPE),
        (replace(RULES, allow=("image/*", "*.log")), DESK, AttachmentReason.TYPE),
        (replace(RULES, allow=("*.txt",), deny=("log.*",)), DESK, AttachmentReason.TYPE),
        (replace(RULES, allow=("text/plain",)), DESK, None),
    ],
)
def test_each_rule_refuses_what_it_is_for(
    rules: AttachmentRules, desk: Capabilities, expected: AttachmentReason | None
) -> None:
    assert verdict(an_attachment("log.txt", size=12), Side.PARTNER, rules, desk) is expected


@pytest.mark.parametrize("carries", [False, True])
@pytest.mark.parametrize("scan", Scan)
def test_what_a_scanner_says_decides(scan: Scan, *, carries: bool) -> None:
    rules = replace(RULES, carries_unscanned=carries)
    file = replace(an_attachment(), scan=scan)
    refused = {Scan.INFECTED: AttachmentReason.INFECTED}
    if not carries:
        refused[Scan.FAILED] = AttachmentReason.UNSCANNED
    assert verdict(file, Side.PARTNER, rules, DESK) is refused.get(scan)
    assert is_pending(file, rules) is (scan is Scan.PENDING and not carries)


def test_a_comment_brings_its_files_by_comment_and_ordinal() -> None:
    files = (an_attachment("a.txt"), an_attachment("b.txt", size=2000), an_attachment("c.txt"))
    comment = a_comment(attachments=files)
    sorted_out = luggage(comment, Side.PARTNER, policy=POLICY, capabilities=DESK)
    assert [(f.comment_id, f.ordinal) for f in sorted_out.wanted] == [
        (comment.comment_id, 0),
        (comment.comment_id, 2),
    ]
    assert [(f.name, reason) for f, reason in sorted_out.left] == [
        ("b.txt", AttachmentReason.TOO_LARGE)
    ]


def test_a_draft_names_only_the_files_that_stay() -> None:
    comment = a_comment(attachments=(an_attachment("a.txt"), an_attachment("b.txt", size=2000)))
    (draft,) = draft_copy(comment, Side.PARTNER, policy=POLICY, capabilities=DESK)
    assert "b.txt" in draft.html
    assert "a.txt" not in draft.html


@pytest.mark.parametrize("state", [FileState.OWED, FileState.REFUSED])
def test_what_becomes_of_a_file_always_fits_into_the_comment(state: FileState) -> None:
    desk = Capabilities(max_body_bytes=4000, max_file_bytes=1000)
    name = "報" * 60 + ".txt"
    files = tuple(replace(an_attachment(name), url=f"https://d.example/{n}") for n in range(9))
    comment = a_comment(html=f"<p>{'x' * 1900}</p>", attachments=files)
    drafts = draft_copy(comment, Side.PARTNER, policy=POLICY, capabilities=desk)
    assert all(not draft.files for draft in drafts[:-1])
    last = drafts[-1]
    assert last.files
    for reason in AttachmentReason:
        ended = tuple(replace(f, state=state, reason=reason.value) for f in last.files)
        html = told(replace(last, files=ended), POLICY).html
        assert len(html.encode()) <= desk.max_body_bytes


def test_a_desk_without_files_leaves_a_line_for_each() -> None:
    comment = a_comment(attachments=(an_attachment("a.txt"),))
    (draft,) = draft_copy(comment, Side.PARTNER, policy=POLICY, capabilities=Capabilities())
    assert (draft.files, "a.txt" in draft.html) == ((), True)


# --- what becomes of them ------------------------------------------------------------------------


def a_draft(*states: FileState, audience: Audience = Audience.PUBLIC) -> Draft:
    files = tuple(
        DraftFile(
            comment_id=CommentId("source"),
            ordinal=ordinal,
            file=an_attachment(f"{ordinal}.txt"),
            state=state,
            reason=AttachmentReason.FOLLOWS.value,
            sha256="ab" if state is FileState.CARRIED else "",
        )
        for ordinal, state in enumerate(states)
    )
    return Draft(html="", audience=audience, source_id=CommentId("source"), files=files)


def written(draft: Draft, base: Base | None = None, *, is_silent: bool = False) -> Base:
    copies = (an_attachment("x", attachment_id="77"),)
    shown = a_comment(comment_id=COPY, attachments=copies)
    return take_files(
        base or Base(), Side.PLATFORM, [(draft, COPY)], {COPY: shown}, is_silent=is_silent
    )


def test_a_written_comment_says_what_became_of_each_file() -> None:
    base = written(a_draft(FileState.CARRIED, FileState.OWED, FileState.REFUSED))
    carried, owed, refused = base.files
    assert (carried.origin, carried.copy_comment_id, carried.copy_id) == (Side.PARTNER, COPY, "77")
    assert carried.sha256 == "ab"
    assert (owed.state, refused.state) == (FileState.OWED, FileState.REFUSED)
    assert owed.copy_comment_id is None


def test_the_same_answer_twice_changes_nothing() -> None:
    draft = a_draft(FileState.CARRIED, FileState.REFUSED)
    once = written(draft)
    assert written(draft, once) is once


def test_a_later_comment_pays_the_debt_and_nothing_takes_it_back() -> None:
    owed = written(a_draft(FileState.OWED))
    paid = written(a_draft(FileState.CARRIED), owed)
    assert [row.state for row in paid.files] == [FileState.CARRIED]
    assert written(a_draft(FileState.OWED), paid).files == paid.files


def test_what_follows_silent_history_is_for_staff_only() -> None:
    (row,) = written(a_draft(FileState.OWED), is_silent=True).files
    assert row.audience is Audience.SHARED


def test_a_debt_is_tried_again_with_growing_pauses_until_its_time_is_over() -> None:
    base = timed(written(a_draft(FileState.OWED)), AT)
    (row,) = owed_files(base)
    key = f"file:source:0@{Side.PLATFORM.value}"
    assert (next_try_at(base), due_keys(base, AT)) == (AT + timedelta(seconds=5), frozenset())
    now, pauses = AT, []
    for _ in range(12):
        at = next_try_at(base)
        assert at is not None
        pauses.append((at - now).total_seconds())
        now = at
        assert due_keys(base, now) == {key}
        file = DraftFile(comment_id=row.comment_id, ordinal=row.ordinal, file=row.file)
        base = postponed(base, Side.PLATFORM, file, now)
    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == 600
    assert late_keys(base, AT + timedelta(hours=23), POLICY) == frozenset()
    assert late_keys(base, AT + timedelta(hours=24), POLICY) == {key}
    assert timed(base, now) is base


def test_a_debt_has_a_time_of_its_own_and_what_is_paid_has_none() -> None:
    first = timed(written(a_draft(FileState.CARRIED, FileState.OWED)), AT)
    later_on = AT + timedelta(minutes=1)
    both = timed(
        written(a_draft(FileState.CARRIED, FileState.OWED, FileState.OWED), first), later_on
    )
    assert [row.owed_since for row in both.files] == [None, AT, later_on]
    assert next_try_at(both) == AT + timedelta(seconds=5)


def test_a_try_that_came_to_nothing_tells_of_its_own_file_alone() -> None:
    base = timed(written(a_draft(FileState.OWED, FileState.OWED)), AT)
    scanned = replace(base.files[1].file, scan=Scan.PENDING)
    file = DraftFile(comment_id=CommentId("source"), ordinal=1, file=scanned)
    other, tried = postponed(base, Side.PLATFORM, file, AT).files
    assert other == base.files[0]
    assert (tried.tries, tried.file) == (1, scanned)


def test_who_owes_no_file_has_no_time_to_come_back() -> None:
    assert next_try_at(written(a_draft(FileState.CARRIED))) is None


def a_row(audience: Audience = Audience.PUBLIC) -> FileMapping:
    return FileMapping(
        origin=Side.PARTNER,
        comment_id=CommentId("c:1"),
        ordinal=2,
        state=FileState.OWED,
        file=an_attachment("late.txt"),
        audience=audience,
        owed_since=AT,
        not_before=AT,
    )


@pytest.mark.parametrize(
    ("row", "comment", "expected"),
    [
        (Audience.PUBLIC, Audience.PUBLIC, Audience.PUBLIC),
        (Audience.PUBLIC, Audience.SHARED, Audience.SHARED),
        (Audience.PUBLIC, Audience.LOCAL, Audience.SHARED),
        (Audience.SHARED, Audience.PUBLIC, Audience.SHARED),
    ],
)
def test_a_late_file_is_for_nobody_whom_its_comment_is_not_for(
    row: Audience, comment: Audience, expected: Audience
) -> None:
    source = a_comment(comment_id="c:1", audience=comment)
    draft = follow_up(a_row(row), source, policy=POLICY, capabilities=DESK, is_late=False)
    assert draft.audience is expected


def test_a_late_file_names_its_comment_in_its_key() -> None:
    draft = follow_up(a_row(), None, policy=POLICY, capabilities=DESK, is_late=False)
    assert part_source(draft.note_key or "") == "c:1"


def test_a_quiet_run_brings_no_late_file_to_the_public() -> None:
    def drafts(audience: Audience, *, is_quiet: bool) -> list[Draft]:
        snapshot = Snapshot(ticket=a_ticket(), comments=(a_comment(comment_id="c:1"),))
        key = frozenset({"file:c:1:2@platform"})
        return follow_ups(
            Base(files=(a_row(audience),)),
            Side.PLATFORM,
            snapshot,
            due=key,
            late=frozenset(),
            is_quiet=is_quiet,
            policy=POLICY,
            capabilities=DESK,
        )

    assert len(drafts(Audience.PUBLIC, is_quiet=False)) == 1
    assert drafts(Audience.PUBLIC, is_quiet=True) == []
    assert len(drafts(Audience.SHARED, is_quiet=True)) == 1


def test_a_file_past_its_time_is_told_and_asked_for_no_more() -> None:
    draft = follow_up(a_row(), None, policy=POLICY, capabilities=DESK, is_late=True)
    assert draft.files[0].state is FileState.REFUSED
    assert "could not be fetched" in told(draft, POLICY).html


@pytest.mark.parametrize(
    ("audience", "has_views", "view"),
    [
        (Audience.PUBLIC, True, None),
        (Audience.PUBLIC, False, None),
        (Audience.SHARED, True, "acme"),
        (Audience.SHARED, False, None),
    ],
)
def test_a_late_file_is_in_the_links_view_where_the_desk_has_views(
    audience: Audience, has_views: bool, view: str | None
) -> None:
    desk = replace(DESK, has_views=has_views)
    source = a_comment(comment_id="c:1", audience=audience)
    draft = follow_up(a_row(audience), source, policy=POLICY, capabilities=desk, is_late=False)
    assert draft.view == view
    assert draft.author == source.author
    assert draft.html
    (file,) = draft.files
    assert (file.comment_id, file.ordinal, file.state, file.reason) == (
        "c:1",
        2,
        FileState.WANTED,
        "",
    )


def test_a_file_as_large_as_may_be_travels() -> None:
    file = an_attachment("log.txt", size=1000)
    assert verdict(file, Side.PARTNER, RULES, DESK) is None
    assert verdict(replace(file, size=1001), Side.PARTNER, RULES, DESK) is not None


@pytest.mark.parametrize("local", [True, False])
def test_no_file_follows_for_a_comment_that_is_by_now_nobodys_there(*, local: bool) -> None:
    paid = replace(a_row(), ordinal=0, state=FileState.CARRIED)
    other = replace(a_row(), comment_id=CommentId("c:2"))
    base = Base(files=(paid, a_row(), other))
    audience = Audience.LOCAL if local else Audience.SHARED
    said = a_comment(comment_id="c:1", author=an_agent(), audience=audience)
    shown = {Side.PARTNER: Snapshot(ticket=a_ticket("9001"), comments=(said,))}
    after = without_withdrawn(base, shown, POLICY)
    assert [row.state for row in after.files] == [
        FileState.CARRIED,
        FileState.REFUSED if local else FileState.OWED,
        FileState.OWED,
    ]


def test_what_is_owed_follows_when_it_is_due_to_its_side_with_its_comments_author() -> None:
    late = a_row()
    elsewhere = replace(late, origin=Side.PLATFORM)
    early = replace(late, ordinal=3)
    expired = replace(late, ordinal=4)
    said = a_comment(comment_id="c:1", author=an_agent("Ada"))
    drafts = follow_ups(
        Base(files=(late, elsewhere, early, expired)),
        Side.PLATFORM,
        Snapshot(ticket=a_ticket("9001"), comments=(said,)),
        due=frozenset({"file:c:1:2@platform", "file:c:1:2@partner", "file:c:1:4@platform"}),
        late=frozenset({"file:c:1:4@platform"}),
        is_quiet=False,
        policy=POLICY,
        capabilities=DESK,
    )
    assert [(d.files[0].ordinal, d.files[0].state) for d in drafts] == [
        (2, FileState.WANTED),
        (4, FileState.REFUSED),
    ]
    assert {draft.author for draft in drafts} == {said.author}


def test_of_a_copy_that_lacks_files_the_rest_is_owed_and_says_why() -> None:
    files = tuple(
        DraftFile(comment_id=CommentId("1"), ordinal=n, file=an_attachment(f"{n}.txt"))
        for n in range(2)
    )
    copy = a_comment("101", attachments=(an_attachment("1.txt"),))
    lacking, there = brought(files, copy)
    assert (lacking.state, lacking.reason) == (FileState.OWED, AttachmentReason.FOLLOWS.value)
    assert (there.state, there.reason) == (FileState.CARRIED, "")
    renamed = a_comment("101", attachments=(an_attachment("a.txt"), an_attachment("b.txt")))
    assert {file.state for file in brought(files, renamed)} == {FileState.CARRIED}


def test_what_is_known_of_one_file_is_no_reason_to_pass_over_the_next() -> None:
    once = written(a_draft(FileState.CARRIED))
    both = written(a_draft(FileState.CARRIED, FileState.OWED), once)
    assert [row.state for row in both.files] == [FileState.CARRIED, FileState.OWED]


def test_no_more_files_travel_than_a_comment_may_have() -> None:
    files = tuple(an_attachment(f"{n}.txt") for n in range(3))
    desk = replace(DESK, max_files=2)
    found = luggage(a_comment(attachments=files), Side.PARTNER, policy=POLICY, capabilities=desk)
    assert [file.ordinal for file in found.wanted] == [0, 1]
    assert [(f.name, reason) for f, reason in found.left] == [("2.txt", AttachmentReason.TOO_MANY)]


def test_no_more_files_travel_than_a_line_for_each_would_fit_into_half_a_comment() -> None:
    """Should none of them make it, each leaves a line, and the words need the other half."""
    files = tuple(an_attachment(f"{n}.txt") for n in range(9))
    each = placeholder_bytes(harmless(files[0]), POLICY)
    for room, count in ((4 * each, 4), (4 * each - 1, 3), (100 * each, 9)):
        desk = replace(DESK, max_body_bytes=2 * room)
        found = luggage(
            a_comment(attachments=files), Side.PARTNER, policy=POLICY, capabilities=desk
        )
        assert len(found.wanted) == count
        assert {reason for _, reason in found.left} <= {AttachmentReason.TOO_MANY}
