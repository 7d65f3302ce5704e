"""Comments ready to be written."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from syncd.core.agreed import Base, OwedNote
from syncd.core.capabilities import Capabilities
from syncd.core.comment_map import take_written
from syncd.core.draft import (
    attribution_line,
    comment_html,
    digest_key,
    draft_copy,
    draft_digest,
    draft_note,
    part_key,
    part_source,
    writable,
    writable_draft,
)
from syncd.core.lines import plain_text
from syncd.core.markup import WITHHELD_LINK
from syncd.core.model import Audience, CommentId, Side
from syncd.core.policy import LinkPolicy
from tests.support.build import LINK, a_comment, a_draft, a_person, an_attachment
from tests.support.desks import PLATFORM_LIKE, ZENDESK_LIKE

POLICY = LinkPolicy(link=LINK, view="acme")
SMALL = Capabilities(max_body_bytes=2_000)


def test_author_and_time_are_told_where_the_desk_cannot_hold_them() -> None:
    comment = a_comment(html="<p>Hello</p>", author=a_person("Cora"))
    assert "Cora" in comment_html(comment, policy=POLICY, capabilities=ZENDESK_LIKE)
    assert comment_html(comment, policy=POLICY, capabilities=PLATFORM_LIKE) == "<p>Hello</p>"
    half = replace(PLATFORM_LIKE, keeps_time=False)
    assert "Cora" in comment_html(comment, policy=POLICY, capabilities=half)


def test_each_file_leaves_its_place() -> None:
    comment = a_comment(html=None, attachments=(an_attachment("a.txt"), an_attachment("b.txt")))
    html = comment_html(comment, policy=POLICY, capabilities=PLATFORM_LIKE)
    assert html.index("a.txt") < html.index("b.txt")


@pytest.mark.parametrize(
    ("audience", "drafted", "view"),
    [(Audience.PUBLIC, Audience.PUBLIC, None), (Audience.SHARED, Audience.SHARED, "acme")],
)
def test_only_the_copy_of_a_public_comment_is_public(
    audience: Audience, drafted: Audience, view: str | None
) -> None:
    comment = a_comment(audience=audience)
    (draft,) = draft_copy(comment, Side.PLATFORM, policy=POLICY, capabilities=PLATFORM_LIKE)
    assert (draft.audience, draft.view, draft.source_id) == (drafted, view, "1")
    assert (draft.author, draft.occurred_at) == (comment.author, comment.created_at)
    (draft,) = draft_copy(comment, Side.PARTNER, policy=POLICY, capabilities=ZENDESK_LIKE)
    assert draft.view is None


def test_what_no_request_can_carry_is_replaced() -> None:
    comment = a_comment(html="a\x00b\ud800c😀", author=a_person("\udfffX"))
    (draft,) = draft_copy(comment, Side.PARTNER, policy=POLICY, capabilities=ZENDESK_LIKE)
    assert draft.html.endswith("a\ufffdb\ufffdc😀")
    assert draft.author is not None
    assert draft.author.name == "\ufffdX"
    assert writable("plain") == "plain"


def test_a_comment_too_long_for_the_desk_goes_in_parts_none_of_whose_words_are_lost() -> None:
    words = [f"word{number}&<>" for number in range(900)]
    html = "".join(f"<p>{word}</p>" for word in words).replace("&<>", "&amp;&lt;&gt;")
    drafts = draft_copy(a_comment("7", html), Side.PARTNER, policy=POLICY, capabilities=SMALL)
    assert len(drafts) > 5
    assert all(len(draft.html.encode()) <= SMALL.max_body_bytes for draft in drafts)
    text = "\n".join(plain_text(draft.html) for draft in drafts)
    assert [word for word in words if word not in text] == []
    assert [draft.source_id for draft in drafts[:-1]] == [None] * (len(drafts) - 1)
    assert drafts[-1].source_id == "7"
    assert drafts[0].note_key == part_key(CommentId("7"), Side.PARTNER, 1)
    assert {draft.audience for draft in drafts} == {Audience.PUBLIC}


@pytest.mark.parametrize(
    "key", ["part:a:b:12@partner", part_key(CommentId("a:b"), Side.PARTNER, 1)]
)
def test_a_parts_key_names_its_comment(key: str) -> None:
    assert part_source(key) == "a:b"
    assert part_source("digest:1:2@partner") == ""


def owed(rows: int) -> OwedNote:
    return OwedNote(
        key="context:T1@partner",
        side=Side.PARTNER,
        kind="context",
        facts=(("platform", "Heroku"), ("as_of", "\ud800 now")),
        rows=tuple((f"label{n}", "value " * 20) for n in range(rows)),
    )


def test_a_note_is_private_and_shows_its_table() -> None:
    draft = draft_note(owed(2), policy=POLICY, capabilities=PLATFORM_LIKE)
    assert (draft.audience, draft.view) == (Audience.SHARED, "acme")
    assert (draft.note_key, draft.source_id) == ("context:T1@partner", None)
    assert "label1" in draft.html
    draft.html.encode()


def test_a_table_too_long_for_the_desk_loses_its_last_rows() -> None:
    draft = draft_note(owed(100), policy=POLICY, capabilities=SMALL)
    assert "label0" in draft.html
    assert "label99" not in draft.html
    assert len(draft.html.encode()) <= SMALL.max_body_bytes


def digest(count: int, html: str, capabilities: Capabilities) -> tuple[str, tuple[str, ...]]:
    comments = tuple(
        a_comment(str(n), html.format(n=n), audience=Audience.SHARED) for n in range(1, count + 1)
    )
    draft = draft_digest(
        comments, Side.PARTNER, url="https://p/1", policy=POLICY, capabilities=capabilities
    )
    assert (draft.audience, draft.view) == (Audience.SHARED, None)
    assert draft.note_key == digest_key(comments[0], comments[-1], Side.PARTNER)
    assert len(draft.html.encode()) <= capabilities.max_body_bytes
    return draft.html, draft.digested_ids


def test_a_digest_carries_older_comments_with_their_authors() -> None:
    html, ids = digest(3, "<p>text {n}.</p>", ZENDESK_LIKE)
    assert ids == ("1", "2", "3")
    assert html.index("text 1.") < html.index("text 3.")
    assert html.count("Cora") == 3


def test_a_digest_is_in_the_links_view_and_says_where_it_is_from() -> None:
    draft = draft_digest(
        (a_comment("1"), a_comment("2")),
        Side.PLATFORM,
        url="https://p/1",
        policy=replace(
            POLICY, platform_name="Heroku", wording={"digest": "$platform: $count, $url"}
        ),
        capabilities=PLATFORM_LIKE,
    )
    assert (draft.audience, draft.view) == (Audience.SHARED, "acme")
    assert plain_text(draft.html).startswith("Heroku: 2, https://p/1")


@pytest.mark.parametrize(
    ("language", "public", "private"),
    [("en", "public", "private"), ("ja", "公開", "非公開"), ("de", "öffentlich", "privat")],
)
def test_a_digest_says_who_could_read_each_comment(
    language: str, public: str, private: str
) -> None:
    comments = (
        a_comment("1", "<p>one</p>", audience=Audience.PUBLIC),
        a_comment("2", "<p>two</p>", audience=Audience.SHARED),
    )
    for limit in (60_000, 2_000):
        draft = draft_digest(
            comments + (a_comment("3", "<p>long</p>" * 200),) * (limit == 2_000),
            Side.PARTNER,
            url="https://p/1",
            policy=replace(POLICY, language=language),
            capabilities=Capabilities(max_body_bytes=limit),
        )
        heads = [line for line in plain_text(draft.html).splitlines() if "Cora" in line]
        assert heads[0].endswith(f" · {public}")
        assert heads[1].endswith(f" · {private}")


@pytest.mark.parametrize("language", ["en", "ja", "de"])
def test_a_link_that_was_left_out_is_told_in_the_links_language(language: str) -> None:
    html = f"<p>Download{WITHHELD_LINK}.</p>"
    shown = comment_html(
        a_comment(html=html),
        policy=replace(POLICY, language=language),
        capabilities=PLATFORM_LIKE,
    )
    assert re.fullmatch(r"<p>Download \[.{10,}\]\.</p>", shown)


def test_a_digest_too_long_shows_the_first_lines_of_each() -> None:
    html, ids = digest(3, "<p>start {n}. " + "more " * 400 + "</p>", SMALL)
    assert len(ids) == 3
    assert all(f"start {n}." in html for n in (1, 2, 3))


def test_a_digest_of_too_many_shows_the_newest_and_counts_the_rest() -> None:
    html, ids = digest(5_000, "<p>start {n}.</p>" + "more " * 50, ZENDESK_LIKE)
    assert len(ids) == 5_000
    assert "start 5000." in html
    assert "start 1." not in html
    assert "5000" in html


def test_a_draft_is_mended_for_every_desk_and_nothing_else_of_it_changes() -> None:
    (draft,) = draft_copy(
        a_comment(html="half\ud800", author=a_person("Co\ud800ra")),
        Side.PARTNER,
        policy=POLICY,
        capabilities=PLATFORM_LIKE,
    )
    mended = writable_draft(draft)
    assert mended.author is not None
    assert "\ud800" not in mended.html + mended.author.name
    assert "half" in mended.html
    assert replace(mended, html=draft.html, author=draft.author) == draft
    assert writable_draft(replace(draft, author=None)).author is None


@pytest.mark.parametrize("target", list(Side))
def test_only_a_copy_for_the_partner_names_its_author_by_a_key(target: Side) -> None:
    """Accounts are made at the partner's desk alone; the platform shows the name."""
    comment = a_comment(author=a_person("Cora", person_id="77"))
    (draft,) = draft_copy(comment, target, policy=POLICY, capabilities=ZENDESK_LIKE)
    assert bool(draft.author_key) is (target is Side.PARTNER)


@pytest.mark.parametrize("is_redacted", [True, False])
def test_a_copy_says_whether_something_had_been_taken_out(*, is_redacted: bool) -> None:
    comment = replace(a_comment(), is_redacted=is_redacted)
    (draft,) = draft_copy(comment, Side.PARTNER, policy=POLICY, capabilities=ZENDESK_LIKE)
    assert draft.is_redacted is is_redacted
    taken = take_written(Base(), Side.PARTNER, [(draft, CommentId("101"))])
    assert [mapping.is_redacted for mapping in taken.comments] == [is_redacted]


@pytest.mark.parametrize("count", [3, 5_000])
def test_a_digest_that_is_cut_fits_and_keeps_the_order_of_what_was_said(count: int) -> None:
    small = SMALL if count == 3 else ZENDESK_LIKE
    html, _ = digest(count, "<p>start {n}. " + "more " * 400 + "</p>", small)
    assert len(html.encode()) <= small.max_body_bytes
    shown = [int(number) for number in re.findall(r"start (\d+)\.", html)]
    assert len(shown) > 1
    assert shown == sorted(shown)
    assert shown[-1] == count


def test_the_line_that_names_the_author_is_in_the_links_own_words() -> None:
    told = replace(POLICY, wording={"attribution": "{author} sprach, {role}, {at}"})
    line = attribution_line(a_comment(), policy=told, capabilities=Capabilities())
    assert "sprach" in line


def test_what_nobody_mended_before_is_mended_when_it_leaves() -> None:
    raw = a_draft("<p>half\ud800</p>", author=a_person("Co\ud800ra"))
    mended = writable_draft(raw)
    assert mended.author is not None
    assert "\ud800" not in mended.html + mended.author.name
