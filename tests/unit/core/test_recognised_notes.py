"""Our own notes, told by their first line, and which of those still owed they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.core.agreed import Base, CommentMapping, Known, OwedNote
from syncd.core.model import Audience, Comment, Side
from syncd.core.policy import LinkPolicy
from syncd.core.recognition import Recognised, kind_in, recognise, take_kinds
from tests.support.build import a_base, a_mapping, a_snapshot, a_ticket
from tests.support.desks import ZENDESK_LIKE
from tests.support.twins import PAIR_KEY
from tests.unit.core.test_recognition import POLICY, a_note, doubtful, found, ours, rows

KEY = "close_guard:u1@partner"


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        pytest.param(POLICY, "handed", id="a fact in its first line"),
        pytest.param(POLICY, "close_guard", id="no fact"),
        pytest.param(replace(POLICY, language="ja"), "handed", id="another language"),
        pytest.param(
            replace(POLICY, wording={"handed": "Gone to $platform now.\nBye."}),
            "handed",
            id="words of the link's own",
        ),
    ],
)
def test_a_note_is_told_by_its_first_line(policy: LinkPolicy, kind: str) -> None:
    facts = {"platform": "Heroku", "who": "Ada", "at": "9:00"} if kind == "handed" else {}
    html = a_note(kind, policy, **facts) + "<p>And more.</p>"
    recognised = found(partner=[ours("101", html, Audience.SHARED)], policy=policy)
    assert recognised.base.comments == (
        a_mapping(
            "101",
            None,
            kind=Known.NOTE,
            origin=Side.PARTNER,
            audience=Audience.SHARED,
            note_key=f"kind:{kind}:101",
        ),
    )
    assert (recognised.found, recognised.doubtful) == (1, ())
    assert kind_in(recognised.base.comments[0]) == kind


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param(ours("101", a_note("close_guard")), id="public"),
        pytest.param(
            ours("101", "<p>Earlier comments on this ticket (2)</p>", Audience.SHARED),
            id="a digest of something else",
        ),
        pytest.param(
            ours("101", "<p>So! " + a_note("close_guard"), Audience.SHARED), id="not at its head"
        ),
        pytest.param(
            ours("101", f"<p>This ticket is with {'x' * 201} again.</p>", Audience.SHARED),
            id="too long for a name",
        ),
        pytest.param(ours("101", None, Audience.SHARED), id="no words"),
    ],
)
def test_what_is_no_note_of_ours_is_in_doubt(comment: Comment) -> None:
    recognised = found(partner=[comment])
    assert recognised == Recognised(base=Base(), found=0, doubtful=doubtful("101"))


def test_a_person_who_says_that_it_was_syncd_is_believed() -> None:
    comments = [
        ours("101", "<p>Hello.</p>"),
        ours("102", a_note("close_guard"), Audience.SHARED),
        ours("103", "<p>Hello?</p>", Audience.SHARED),
    ]
    recognised = found(partner=comments, is_ours=True)
    assert [(row.note_key, row.audience) for row in recognised.base.comments] == [
        ("kind:ours:101", Audience.PUBLIC),
        ("kind:close_guard:102", Audience.SHARED),
        ("kind:ours:103", Audience.SHARED),
    ]
    assert (recognised.found, recognised.doubtful) == (3, ())


def test_nobody_is_believed_who_said_nothing() -> None:
    snapshots = {Side.PARTNER: a_snapshot(a_ticket("9001"), ours("101", "<p>Hello.</p>"))}
    recognised = recognise(
        Base(),
        snapshots,
        policy=POLICY,
        capabilities={Side.PARTNER: ZENDESK_LIKE},
        pair_key=PAIR_KEY,
        writers={},
    )
    assert recognised == Recognised(base=Base(), found=0, doubtful=doubtful("101"))


def test_a_doubtful_comment_does_not_hide_those_after_it() -> None:
    comments = [
        ours("101", "<p>Hello.</p>"),
        ours("102", a_note("close_guard"), Audience.SHARED),
        ours("103", "<p>Hello?</p>"),
    ]
    recognised = found(partner=comments, base=a_base(a_mapping("9", "109")))
    assert rows(recognised) == [
        (Known.COPIED, "9", "109"),
        (Known.NOTE, "102", "kind:close_guard:102"),
    ]
    assert (recognised.found, recognised.doubtful) == (1, doubtful("101", "103"))


def a_kind(comment_id: str, kind: str = "close_guard", side: Side = Side.PARTNER) -> CommentMapping:
    return a_mapping(
        comment_id, None, kind=Known.NOTE, origin=side, note_key=f"kind:{kind}:{comment_id}"
    )


GUARD = OwedNote(key=KEY, side=Side.PARTNER, kind="close_guard")
SECOND = replace(GUARD, key="close_guard:u2@partner")
THERE = replace(GUARD, key="close_guard:u1@platform", side=Side.PLATFORM)


def test_a_note_whose_like_stands_there_is_that_one() -> None:
    base = a_base(
        a_mapping("1", "100"), a_kind("101"), a_kind("102"), a_kind("103", "handed"), owed=(GUARD,)
    )
    taken = take_kinds(base, a_base(owed=(GUARD, SECOND)))
    assert taken.comments == (
        a_mapping("1", "100"),
        replace(a_kind("101"), note_key=KEY),
        a_kind("102"),
        a_kind("103", "handed"),
    )
    assert taken.owed == ()


def test_a_note_whose_like_is_elsewhere_is_owed_still() -> None:
    base = a_base(a_kind("101"), a_kind("102", "handed", Side.PLATFORM), owed=(THERE,))
    assert take_kinds(base, a_base(owed=(THERE,))) == base


def test_a_note_that_cannot_be_named_does_not_hide_those_after_it() -> None:
    base = a_base(a_kind("101"), owed=(THERE, GUARD))
    taken = take_kinds(base, a_base(owed=(THERE, GUARD)))
    assert taken.comments == (replace(a_kind("101"), note_key=KEY),)
    assert taken.owed == (THERE,)


@pytest.mark.parametrize(
    ("mapping", "kind"),
    [
        pytest.param(a_kind("101"), "close_guard", id="by its first line"),
        pytest.param(replace(a_kind("101"), note_key=KEY), None, id="by its key"),
        pytest.param(replace(a_kind("101"), note_key=None), None, id="no key"),
        pytest.param(replace(a_kind("101"), kind=Known.IGNORED), None, id="not written"),
    ],
)
def test_a_kind_is_of_notes_that_were_told_by_their_first_line(
    mapping: CommentMapping, kind: str | None
) -> None:
    assert kind_in(mapping) == kind
