"""Our own comments, told by what they say where a desk shows no stamp and the store forgot them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from syncd.core.adoption import name_notes
from syncd.core.agreed import Base, FileMapping, FileState, Known, OwedNote
from syncd.core.carrying import follow_up
from syncd.core.draft import draft_copy, draft_digest, draft_note
from syncd.core.model import Audience, Comment, CommentId, OpId, Role, Side, Snapshot
from syncd.core.operations import copy_op
from syncd.core.policy import LinkPolicy
from syncd.core.recognition import Recognised, recognise
from syncd.core.stamp import stamp_for
from tests.support.build import (
    LINK,
    a_base,
    a_comment,
    a_mapping,
    a_person,
    a_snapshot,
    a_ticket,
    an_agent,
    an_attachment,
)
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE
from tests.support.twins import PAIR_KEY, a_policy

POLICY = a_policy()
ROBOT = a_person("syncd", Role.AGENT, person_id="robot")
ROBOTS = dict.fromkeys(Side, frozenset({"robot"}))
DESKS = {
    Side.PLATFORM: replace(PLATFORM_LIKE, max_file_bytes=1000),
    Side.PARTNER: replace(ZENDESK_LIKE, max_file_bytes=1000, max_body_bytes=3000),
}
URL = "https://platform.example/T1"
FIRST = a_comment("1", "<p>It is broken.</p>")
HIDDEN = a_comment("1", audience=Audience.SHARED, views={"acme"})


def ours(comment_id: str, html: str | None, audience: Audience = Audience.PUBLIC) -> Comment:
    return a_comment(comment_id, html, author=ROBOT, writer_id="robot", audience=audience)


def stamped(comment_id: str, op: OpId, html: str) -> Comment:
    return replace(ours(comment_id, html), stamp=stamp_for(LINK, op))


def written(comment: Comment, target: Side = Side.PARTNER) -> str:
    """What a copy of a short comment says."""
    (draft,) = draft_copy(comment, target, policy=POLICY, capabilities=DESKS[target])
    return draft.html


def shown(
    platform: Sequence[Comment] = (), partner: Sequence[Comment] = ()
) -> dict[Side, Snapshot]:
    return {
        Side.PLATFORM: a_snapshot(a_ticket(views={"acme"}, url=URL), *platform),
        Side.PARTNER: a_snapshot(a_ticket("9001", status="open"), *partner),
    }


def found(
    platform: Sequence[Comment] = (),
    partner: Sequence[Comment] = (),
    *,
    base: Base | None = None,
    policy: LinkPolicy = POLICY,
    writers: Mapping[Side, frozenset[str]] = ROBOTS,
    is_ours: bool = False,
    snapshots: Mapping[Side, Snapshot] | None = None,
) -> Recognised:
    return recognise(
        base or Base(),
        snapshots or shown(platform, partner),
        policy=policy,
        capabilities=DESKS,
        pair_key=PAIR_KEY,
        writers=writers,
        is_ours=is_ours,
    )


def rows(recognised: Recognised) -> list[tuple[Known, str, str | None]]:
    return [(m.kind, m.comment_id, m.copy_id or m.note_key) for m in recognised.base.comments]


def doubtful(*comment_ids: str, side: Side = Side.PARTNER) -> tuple[tuple[Side, CommentId], ...]:
    return tuple((side, CommentId(each)) for each in comment_ids)


def a_note(kind: str, policy: LinkPolicy = POLICY, **facts: str) -> str:
    owed = OwedNote(key=f"{kind}:x", side=Side.PARTNER, kind=kind, facts=tuple(facts.items()))
    return draft_note(owed, policy=policy, capabilities=DESKS[Side.PARTNER]).html


@pytest.mark.parametrize(
    "html",
    [
        pytest.param(written(FIRST), id="as it was sent"),
        pytest.param("<p>It is broken.</p>", id="without its attribution"),
        pytest.param("<div>It is\n<b>broken</b> </div>", id="rewritten by the desk"),
    ],
)
@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.SHARED])
def test_a_copy_is_told_by_its_words(html: str, audience: Audience) -> None:
    recognised = found([FIRST], [ours("101", html, audience)])
    assert recognised.base.comments == (a_mapping("1", "101", audience=audience),)
    assert (recognised.found, recognised.doubtful) == (1, ())


@pytest.mark.parametrize(
    ("source", "copy"),
    [
        pytest.param(FIRST, ours("101", "<p>It is not broken.</p>"), id="other words"),
        pytest.param(FIRST, ours("101", "<p>It is broken. Help!</p>"), id="more words"),
        pytest.param(FIRST, ours("101", None), id="no words"),
        pytest.param(HIDDEN, ours("101", "<p>It is broken.</p>"), id="for more people"),
        pytest.param(
            a_comment("1", "#local It is broken."),
            ours("101", "<p>#local It is broken.</p>"),
            id="its original does not travel",
        ),
        pytest.param(
            a_comment("1", "", attachments=(an_attachment(),)),
            ours("101", "<p>It is broken.</p>"),
            id="its original has no words",
        ),
    ],
)
def test_what_is_no_copy_of_ours_is_in_doubt(source: Comment, copy: Comment) -> None:
    recognised = found([source], [copy])
    assert recognised == Recognised(base=Base(), found=0, doubtful=doubtful("101"))


def test_a_private_copy_is_told_by_its_words() -> None:
    recognised = found([HIDDEN], [ours("101", written(HIDDEN), Audience.SHARED)])
    assert recognised.base.comments == (a_mapping("1", "101", audience=Audience.SHARED),)


def test_a_copy_may_say_more_of_the_files_that_stayed() -> None:
    source = replace(FIRST, attachments=(an_attachment(),))
    for html in (written(source), "<p>It is broken.</p>"):
        recognised = found([source], [ours("101", f"{html}<p>log.txt stayed there.</p>")])
        assert rows(recognised) == [(Known.COPIED, "1", "101")]
        assert recognised.doubtful == ()


def test_the_same_words_twice_are_two_copies() -> None:
    again = replace(FIRST, comment_id=CommentId("2"))
    copies = [ours(each, "<p>It is broken.</p>") for each in ("101", "102", "103")]
    recognised = found([FIRST, again], copies)
    assert rows(recognised) == [(Known.COPIED, "1", "101"), (Known.COPIED, "2", "102")]
    assert (recognised.found, recognised.doubtful) == (2, doubtful("103"))


def test_copies_are_told_on_both_desks() -> None:
    answer = a_comment("102", "<p>Try again.</p>", author=an_agent())
    recognised = found(
        [FIRST, ours("2", written(answer, Side.PLATFORM)), ours("3", "<p>Who?</p>")],
        [ours("101", written(FIRST)), answer],
    )
    assert sorted(rows(recognised)) == [(Known.COPIED, "1", "101"), (Known.COPIED, "102", "2")]
    assert recognised.doubtful == doubtful("3", side=Side.PLATFORM)


def test_a_long_comments_parts_are_told_by_their_words() -> None:
    source = a_comment("1", "".join(f"<p>{'word ' * 60}{n}</p>" for n in range(12)))
    parts = draft_copy(source, Side.PARTNER, policy=POLICY, capabilities=DESKS[Side.PARTNER])
    assert len(parts) == 2
    recognised = found([source], [ours(str(101 + n), part.html) for n, part in enumerate(parts)])
    assert rows(recognised) == [
        (Known.NOTE, "101", "part:1:1@partner"),
        (Known.COPIED, "1", "102"),
    ]


def test_what_is_known_already_is_neither_found_nor_in_doubt() -> None:
    base = a_base(a_mapping("1", "101"))
    recognised = found([FIRST], [ours("101", "<p>Anything.</p>")], base=base)
    assert recognised == Recognised(base=base, found=0)


def test_a_copy_whose_stamp_can_be_read_is_told_by_it() -> None:
    op = copy_op(PAIR_KEY, Side.PARTNER, CommentId("1"))
    recognised = found([FIRST], [stamped("101", op, "<p>Rewritten.</p>")])
    assert rows(recognised) == [(Known.COPIED, "1", "101")]
    assert recognised.found == 1


def test_another_links_comment_is_not_ours_to_explain() -> None:
    foreign = replace(ours("101", written(FIRST)), stamp=stamp_for(LINK, OpId("f00")))
    foreign = replace(foreign, stamp=a_comment(stamp="syncd:other:f00").stamp)
    assert found([FIRST], [foreign]) == Recognised(base=Base(), found=0)


def test_without_the_other_desk_nothing_of_ours_can_be_told() -> None:
    only = {Side.PARTNER: shown((), [ours("101", written(FIRST))])[Side.PARTNER]}
    recognised = found(snapshots=only)
    assert recognised == Recognised(base=Base(), found=0, doubtful=doubtful("101"))


def test_older_history_in_one_note_is_told_by_its_words() -> None:
    thread = [a_comment(str(n), f"<p>Word {n}.</p>") for n in range(1, 5)]
    digest = draft_digest(
        (thread[0], thread[1]),
        Side.PARTNER,
        url=URL,
        policy=POLICY,
        capabilities=DESKS[Side.PARTNER],
    )
    recognised = found(
        thread,
        [
            ours("101", digest.html, Audience.SHARED),
            ours("102", written(thread[2])),
            ours("103", written(thread[3])),
        ],
    )
    assert set(rows(recognised)) == {
        (Known.NOTE, "101", "digest:1:2@partner"),
        (Known.HISTORIC, "1", None),
        (Known.HISTORIC, "2", None),
        (Known.COPIED, "3", "102"),
        (Known.COPIED, "4", "103"),
    }
    assert recognised.doubtful == ()


def test_a_redacted_comment_in_a_digest_has_no_copy_to_judge() -> None:
    source = replace(FIRST, html="<p>It is</p>", is_redacted=True)
    digest = draft_digest(
        (source,), Side.PARTNER, url=URL, policy=POLICY, capabilities=DESKS[Side.PARTNER]
    )
    recognised = found([source], [ours("101", digest.html, Audience.SHARED)])
    assert [(row.comment_id, row.is_redacted) for row in recognised.base.comments] == [
        ("101", False),
        ("1", False),
    ]


def an_owed_file(origin: Side = Side.PLATFORM) -> FileMapping:
    return FileMapping(
        origin=origin,
        comment_id=CommentId("1"),
        ordinal=0,
        state=FileState.OWED,
        file=an_attachment(),
        audience=Audience.PUBLIC,
    )


@pytest.mark.parametrize("source", [FIRST, None], ids=["its comment is there", "and is not"])
def test_a_file_that_came_late_is_owed_no_longer(source: Comment | None) -> None:
    row = an_owed_file()
    late = follow_up(row, source, policy=POLICY, capabilities=DESKS[Side.PARTNER], is_late=False)
    base = replace(a_base(a_mapping("1", "101")), files=(row,))
    thread = [source] if source else []
    recognised = found(thread, [ours("101", "x"), ours("102", late.html)], base=base)
    assert (recognised.found, recognised.doubtful) == (1, ())
    named = name_notes(recognised.base, PAIR_KEY)
    assert [file.state for file in named.files] == [FileState.CARRIED]
    assert [each.note_key for each in named.comments] == [None, "file:1:0@partner"]


def test_a_file_that_the_other_desk_is_owed_is_owed_still() -> None:
    row = an_owed_file(Side.PARTNER)
    late = follow_up(row, None, policy=POLICY, capabilities=DESKS[Side.PARTNER], is_late=False)
    base = replace(Base(), files=(row,))
    recognised = found([], [ours("101", late.html)], base=base)
    assert recognised == Recognised(base=base, found=0, doubtful=doubtful("101"))


def test_what_a_person_wrote_stays_news() -> None:
    person = replace(ours("101", written(FIRST)), writer_id="ada")
    released = ours("102", written(FIRST))
    base = a_base(a_mapping("9", "100"), released=["102"])
    assert found([FIRST], [ours("100", "x"), person, released], base=base) == Recognised(
        base=base, found=0
    )


def test_whoever_wrote_a_copy_that_is_known_is_us() -> None:
    thread = [FIRST, replace(FIRST, comment_id=CommentId("2"))]
    copies = [replace(ours("100", "<p>?</p>"), writer_id="ada"), ours("101", "x")]
    copy = ours("102", "<p>It is broken.</p>")
    nobody = replace(copy, comment_id=CommentId("103"), writer_id=None)
    recognised = found(
        thread, [*copies, copy, nobody], base=a_base(a_mapping("1", "101")), writers={}
    )
    assert rows(recognised)[1:] == [(Known.COPIED, "2", "102")]
    assert recognised.doubtful == doubtful("100")


def test_whoever_opened_the_partners_ticket_is_us_and_the_platforms_is_the_customer() -> None:
    recognised = found(
        [ours("1", "<p>It is broken.</p>")], [ours("101", "<p>Who?</p>")], writers={}
    )
    assert recognised == Recognised(base=Base(), found=0, doubtful=doubtful("101"))


def test_a_comment_by_no_known_account_is_not_ours() -> None:
    nameless = replace(ours("101", written(FIRST)), writer_id=None)
    assert found([FIRST], [nameless], writers={}) == Recognised(base=Base(), found=0)


REDACTED = replace(FIRST, html="<p>It is</p>", is_redacted=True)
COPY = copy_op(PAIR_KEY, Side.PARTNER, CommentId("1"))


@pytest.mark.parametrize(
    ("source", "html", "is_redacted"),
    [
        pytest.param(REDACTED, written(REDACTED), True, id="says no more"),
        pytest.param(REDACTED, written(FIRST), False, id="says what was taken out"),
        pytest.param(replace(REDACTED, is_redacted=False), written(REDACTED), False, id="whole"),
    ],
)
def test_a_copy_that_says_no_more_than_its_redacted_original_needs_no_word(
    source: Comment, html: str, *, is_redacted: bool
) -> None:
    recognised = found([source], [stamped("101", COPY, html), ours("102", a_note("close_guard"))])
    assert recognised.base.comments == (replace(a_mapping("1", "101"), is_redacted=is_redacted),)


def test_what_was_known_before_of_a_redaction_stays() -> None:
    base = a_base(a_mapping("1", "101"), a_mapping("3", None, kind=Known.LOCAL))
    recognised = found([REDACTED, a_comment("3")], [ours("101", written(REDACTED))], base=base)
    assert recognised.base == base


def test_notes_and_comments_out_of_sight_have_no_redaction() -> None:
    comments = [ours("101", a_note("close_guard"), Audience.SHARED)]
    recognised = found([REDACTED], comments)
    assert [row.is_redacted for row in recognised.base.comments] == [False]
