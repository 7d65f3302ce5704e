"""Every note in every language: complete, safe whatever its facts hold, never itself an order."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from string import Template

import pytest

from syncd.core.handoff import Reading, Verdict, read
from syncd.core.lines import plain_text
from syncd.core.model import Role
from syncd.core.notes import (
    LANGUAGES,
    AttachmentReason,
    Note,
    NoteKind,
    attachment_placeholder,
    attribution,
    note,
    override_problems,
    part_marker,
    render,
    samples,
    when,
)
from syncd.core.notes_de import GERMAN
from syncd.core.notes_en import ENGLISH
from syncd.core.notes_ja import JAPANESE
from syncd.core.wording import FACT_NAMES, LINE_FACTS, Wording

WORDINGS = {"en": ENGLISH, "ja": JAPANESE, "de": GERMAN}
PHRASES = (
    "Reassign to Heroku",
    "Heroku に再割り当て",
    "An Heroku zurückgeben",
    "Réassigner à Heroku",
    "Return to Heroku",
)
AT = datetime(2026, 11, 22, 10, 0, 59, tzinfo=UTC)
EVERY = [(kind, language) for kind in NoteKind for language in LANGUAGES]
every_note = pytest.mark.parametrize(("kind", "language"), EVERY)

FACTS: dict[str, str] = {
    "as_of": when(AT),
    "at": when(AT),
    "author": "Ann Smith",
    "comment": "4711",
    "count": "3",
    "desk": "Heroku",
    "fields": "Root cause, Assignee",
    "kept": "open",
    "minutes": "15",
    "owner": "Acme",
    "partner": "Acme",
    "partner_status": "pending",
    "phrase": "Reassign to Heroku",
    "platform": "Heroku",
    "platform_status": "Closed",
    "reader": "Heroku",
    "since": when(AT),
    "status": "solved",
    "tag": "very urgent",
    "text": "New first line\nReassign to Heroku",
    "url": "https://support.heroku.example/tickets/7?a=1&b=2",
    "who": "Bob Jones",
    "written": "An Heroku zurückgeben",
}
ROWS = (("App", "sushi-42"), ("Region", "eu"))


def a_note(kind: NoteKind, facts: dict[str, str] = FACTS, rows: object = ROWS) -> Note:
    names = FACT_NAMES[kind].names
    given = tuple((name, facts[name]) for name in sorted(names - {"rows"}))
    return Note(kind, given, ROWS if "rows" in names and rows is ROWS else ())


def a_bare_note(kind: NoteKind) -> Note:
    return Note(kind, tuple((name, FACTS[name]) for name in sorted(FACT_NAMES[kind].required)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_words_for_everything(language: str) -> None:
    wording = WORDINGS[language]
    assert set(wording.notes) == set(NoteKind)
    assert set(wording.attachment_reasons) == set(AttachmentReason)
    assert set(wording.roles) == set(Role) - {Role.UNKNOWN}
    assert set(FACT_NAMES) == set(NoteKind)


@every_note
def test_a_note_shows_all_that_it_carries(kind: NoteKind, language: str) -> None:
    shown = plain_text(render(a_note(kind), language))

    facts = [FACTS[name] for name in FACT_NAMES[kind].names - {"rows"}]
    assert [line for fact in facts for line in fact.splitlines() if line not in shown] == []
    if "rows" in FACT_NAMES[kind].names:
        assert [line for line in shown.splitlines() if "sushi-42" in line] == ["App: sushi-42"]


@every_note
def test_shipped_words_pass_the_check_for_own_words(kind: NoteKind, language: str) -> None:
    assert override_problems({kind: WORDINGS[language].notes[kind]}) == ()


@every_note
def test_a_line_whose_fact_is_missing_is_left_out(kind: NoteKind, language: str) -> None:
    bare = render(a_bare_note(kind), language)
    assert "$" not in bare
    assert bare.startswith("<p>")
    assert bare.count("<p>") >= 1
    optional = FACT_NAMES[kind].optional
    assert not optional or len(bare) < len(render(a_note(kind), language))


@every_note
def test_row_25_no_note_reads_as_a_hand_off_or_nearly(kind: NoteKind, language: str) -> None:
    for html in (render(a_note(kind), language), render(a_bare_note(kind), language)):
        assert read(html, PHRASES) == Reading(Verdict.NOTHING)
        # Also where a desk gives back only the text.
        assert read(escape(plain_text(html)), PHRASES).verdict is not Verdict.HAND_OFF


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</p></blockquote></code><p>Reassign to Heroku</p>",
    "x\n\nReassign to Heroku\n\ny",
    "x\u2028Reassign to Heroku\u2029y\x85Reassign to Heroku\x0bz",
    "Reassign to Heroku",
    "$platform ${who} $$ $",
    "javascript:alert(1)",
    "\x00\ud800\u202e&amp;",
    "x" * 100_000,
]
TAGS = re.compile(
    r"</?(?:p|strong|em|ul|li|code|blockquote)>|<br>|<a href=\"https?://[^\"<>]*\">|</a>"
)


@pytest.mark.parametrize("hostile", HOSTILE)
@every_note
def test_hostile_facts_stay_text(kind: NoteKind, language: str, hostile: str) -> None:
    names = FACT_NAMES[kind].names
    facts = tuple((name, hostile) for name in sorted(names - {"rows"}))
    html = render(Note(kind, facts, ((hostile, hostile),) if "rows" in names else ()), language)

    assert "<" not in TAGS.sub("", html)
    assert read(html, PHRASES).verdict is not Verdict.HAND_OFF
    assert len(html) < 20_000 or "text" in names


def test_a_value_without_a_label_never_stands_alone() -> None:
    rows = {"": "Reassign to Heroku", "Reassign to": "Heroku"}
    context = note(NoteKind.CONTEXT, platform="Heroku", as_of=AT, rows=rows)
    assert read(render(context, "en"), PHRASES).verdict is not Verdict.HAND_OFF


def test_a_note_reads_like_this() -> None:
    rows = {"App": "sushi-42", "Plan": "standard-0"}
    context = note(
        NoteKind.CONTEXT, platform="Heroku", as_of=AT, url="https://h.example/7", rows=rows
    )
    assert render(context, "en") == (
        "<p><strong>About this ticket at Heroku</strong></p>"
        "<ul><li><strong>App:</strong> sushi-42</li><li><strong>Plan:</strong> standard-0</li></ul>"
        "<p>As of 2026-11-22 10:00 UTC. Later changes are not shown here.</p>"
        '<p>The ticket at Heroku: <a href="https://h.example/7">https://h.example/7</a></p>'
    )


def test_a_new_text_is_quoted_line_by_line() -> None:
    edited = note(NoteKind.COMMENT_EDITED, desk="Heroku", author="Ann", at=AT, text="a <b>\n c")
    assert (
        "<p>The new text:</p><blockquote><p>&gt; a &lt;b&gt;<br>&gt; c</p></blockquote>"
        in render(edited, "en")
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://x.example",
        "https://x.example/ y",
        "https://",
        'https://x.example/"onclick=',
        "HTTPS://x.example/" + "a" * 1_000,
    ],
)
def test_only_a_web_address_becomes_a_link(url: str) -> None:
    html = render(note(NoteKind.REFUSED_CLOSED, platform="Heroku", url=url), "en")
    assert "<a " not in html
    assert "The ticket at Heroku: " in html


def test_a_fact_that_is_not_known_leaves_its_line_out_or_is_marked() -> None:
    resumed = note(NoteKind.RESUMED, platform="Heroku", partner="", at=None, who=None)
    assert resumed.facts == (("platform", "Heroku"), ("partner", "…"), ("at", "…"))
    assert "Escalated by" not in render(resumed, "en")


def test_numbers_and_times_become_text() -> None:
    late = note(NoteKind.HAND_OFF_LATE, platform="Heroku", minutes=15, at=AT)
    assert dict(late.facts) == {"platform": "Heroku", "minutes": "15", "at": "2026-11-22 10:00 UTC"}
    assert hash(late) == hash(Note(late.kind, late.facts))


def test_a_note_refuses_facts_that_its_kind_does_not_have() -> None:
    with pytest.raises(ValueError, match="close_guard note has no rows, who"):
        Note(NoteKind.CLOSE_GUARD, (("who", "Ann"),), ROWS)
    with pytest.raises(ValueError, match="handed note lacks at, who"):
        note(NoteKind.HANDED, platform="Heroku")


def test_a_language_that_is_not_shipped_is_refused() -> None:
    assert LANGUAGES == ("en", "ja", "de")
    with pytest.raises(KeyError):
        render(note(NoteKind.CLOSE_GUARD), "fr")


def test_times_are_shown_in_utc_to_the_minute() -> None:
    assert when(AT.astimezone(timezone(timedelta(hours=9)))) == "2026-11-22 10:00 UTC"


@pytest.mark.parametrize(
    ("language", "role", "expected"),
    [
        ("en", Role.CUSTOMER, "<p><em>Ann &lt;x&gt; (customer), 2026-11-22 10:00 UTC</em></p>"),
        ("en", Role.ADMIN, "<p><em>Ann &lt;x&gt; (agent), 2026-11-22 10:00 UTC</em></p>"),
        ("de", Role.STAFF, "<p><em>Ann &lt;x&gt; (Plattform-Team), 2026-11-22 10:00 UTC</em></p>"),
        ("ja", Role.CUSTOMER, "<p><em>Ann &lt;x&gt;（お客様）、2026-11-22 10:00 UTC</em></p>"),
        ("en", Role.UNKNOWN, "<p><em>Ann &lt;x&gt;, 2026-11-22 10:00 UTC</em></p>"),
    ],
)
def test_an_attribution_names_author_role_and_time(
    language: str, role: Role, expected: str
) -> None:
    assert attribution(language, "Ann\n<x>", role, AT) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*HOSTILE, "", " \n"])
def test_an_attribution_is_one_line_and_says_something(language: str, name: str) -> None:
    for role in Role:
        html = attribution(language, name, role, AT)
        (line,) = plain_text(html).splitlines()
        assert len(line) < 1_100
        assert not line.startswith((",", "(", "（", "、"))
        assert "<" not in TAGS.sub("", html)
        # What follows the line is the comment itself, not an older mail.
        assert plain_text(html + "<p>&gt; a</p><p>b</p>").endswith("b")
        assert read(html + "<p>Reassign to Heroku</p>", PHRASES).verdict is Verdict.HAND_OFF


@pytest.mark.parametrize(
    ("size", "language", "expected"),
    [
        (0, "en", "0 B"),
        (999, "en", "999 B"),
        (1_500, "en", "1.5 KB"),
        (1_500, "de", "1,5 KB"),
        (20_000_000, "ja", "20.0 MB"),
        (3_250_000_000, "en", "3.2 GB"),
        (5_000_000_000_000, "en", "5000.0 GB"),
    ],
)
def test_a_file_leaves_its_name_and_size(size: int, language: str, expected: str) -> None:
    html = attachment_placeholder(language, "a<b>.png", size, "", AttachmentReason.TOO_LARGE)
    assert expected in html
    assert "a&lt;b&gt;.png" in html
    assert "<a " not in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", AttachmentReason)
def test_a_file_leaves_a_link_and_a_reason(language: str, reason: AttachmentReason) -> None:
    html = attachment_placeholder(language, "", 1, "https://x.example/7", reason)
    assert '<a href="https://x.example/7">https://x.example/7</a>' in html
    assert WORDINGS[language].attachment_reasons[reason] in html
    assert WORDINGS[language].nameless in html


def test_row_42_a_file_named_like_the_phrase_hands_nothing_over() -> None:
    html = attachment_placeholder(
        "en", "Reassign to Heroku", 1, "https://x.example", AttachmentReason.NOT_CARRIED
    )
    assert read(html, PHRASES).verdict is not Verdict.HAND_OFF


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_part_says_which_of_how_many_it_is(language: str) -> None:
    assert re.findall(r"\d+", plain_text(part_marker(language, 2, 13))) in (
        ["2", "13"],
        ["13", "2"],
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_outside_of_notes_name_only_their_facts(language: str) -> None:
    wording: Wording = WORDINGS[language]
    for words, names in (
        (wording.attribution, {"author", "role", "at"}),
        (wording.attribution_without_role, {"author", "at"}),
        (wording.attachment, {"name", "size", "reason"}),
        (wording.attachment_link, {"url"}),
        (wording.part, {"number", "count"}),
    ):
        assert set(Template(words).get_identifiers()) == names


def test_own_words_replace_ours() -> None:
    own = {"close_guard": "Wait <b>for</b> it.\n\n  It costs $$5.  "}
    assert override_problems(own) == ()
    assert render(note(NoteKind.CLOSE_GUARD), "ja", own) == (
        "<p><strong>Wait &lt;b&gt;for&lt;/b&gt; it.</strong></p><p>It costs $5.</p>"
    )


def test_own_words_of_one_line_have_no_heading() -> None:
    own = {"near_miss": "Write ${phrase}."}
    assert render(a_note(NoteKind.NEAR_MISS), "en", own) == (
        "<p>Write <code>Reassign to Heroku</code>.</p>"
    )


@pytest.mark.parametrize(
    ("kind", "words", "part"),
    [
        ("nearmiss", "x", "nearmiss: no such note; the notes are context, digest,"),
        ("near_miss", "  \n", "near_miss: empty; leave the key out"),
        ("near_miss", "costs $5", "a $ that starts no fact's name; write $$"),
        ("near_miss", "x\n$phrase $who", "unknown fact who; this note has phrase, platform"),
        ("close_guard", "x\n$who", "unknown fact who; this note has none"),
        ("context", "x", "lacks $rows"),
        ("context", "x\n$rows y", "only once in a line, at its end"),
        ("context", "x\n$rows ${rows}", "only once in a line, at its end"),
        ("comment_edited", "x\n$text is new", "only once in a line, at its end"),
        ("digest", "See $url", "every line names a fact that may be missing"),
        ("attribution", "Somebody, $at", "lacks $author, which stand"),
        ("attribution", "", "lacks $at and $author"),
        ("attribution", "$author $at $phrase", "unknown fact phrase; this line has at, author,"),
        ("attribution", "$author\n$at", "must be one line"),
        ("attribution", "$author, $at, 5$", "a $ that starts no fact's name"),
        ("attribution_without_role", "$author ($role) $at", "unknown fact role"),
    ],
)
def test_unusable_own_words_are_told(kind: str, words: str, part: str) -> None:
    (problem,) = override_problems({kind: words})
    assert problem.startswith(f"{kind}: ")
    assert part in problem


def test_a_link_words_its_attribution_itself() -> None:
    own = {"attribution": "  $role $author <wrote> this at $at "}
    assert override_problems(own) == ()
    assert attribution("de", "Ann", Role.CUSTOMER, AT, own) == (
        "<p><em>Kunde Ann &lt;wrote&gt; this at 2026-11-22 10:00 UTC</em></p>"
    )
    # Its words for a role are no words for somebody without one.
    assert attribution("de", "Ann", Role.UNKNOWN, AT, own) == (
        "<p><em>Ann, 2026-11-22 10:00 UTC</em></p>"
    )


def test_an_attribution_that_holds_a_phrase_shows_among_the_samples() -> None:
    own = {"attribution_without_role": "$author $at"}
    shown = samples("en", own, platform="Heroku", partner="Acme")
    assert "<p><em>… 2026-01-01 00:00 UTC</em></p>" in shown


def test_a_dollar_before_a_word_is_no_fact() -> None:
    own = {"context": "It is $$text\n$rows"}
    assert override_problems(own) == ()
    assert "It is $text" in render(a_note(NoteKind.CONTEXT), "en", own)


@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_show_every_note_with_the_names_of_the_link(language: str) -> None:
    shown = samples(language, {"close_guard": "Own words"}, platform="Shopware", partner="Acme")
    assert len(shown) == len(NoteKind) + len(LINE_FACTS)
    assert "<p>Own words</p>" in shown
    assert any("Shopware" in html for html in shown)
    assert any("Acme" in html for html in shown)
