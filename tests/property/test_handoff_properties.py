"""Any comment can be read, and only a line of the writer's own hands a ticket over."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from syncd.core.handoff import Verdict, normalise, problems, read
from syncd.core.lines import Region, first_text, lines, plain_text
from syncd.core.model import Role
from syncd.core.notes import LANGUAGES, NoteKind, attribution, note, render, when
from syncd.core.wording import FACT_NAMES

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PHRASES = ("Reassign to Heroku", "Heroku に再割り当て")

PIECES = st.sampled_from(
    [
        "<p>", "</p>", "<div>", "</div>", "<br>", "<blockquote>", "</blockquote>", "<pre>",
        "</pre>",
        "<code>", "</code>", "<ul>", "<li>", "</ul>", "<table><tr><td>", "</table>", "<b>", "</b>",
        "<span hidden>", "</span>", "<div class='gmail_quote'>", "<div class=signature>",
        "<!--", "-->", "<script>", "</script>", "<![x[", "<a href='", "<", ">", "&", "&#", "&gt;",
        "```", "`", "> ", "    ", "- ", "--", "\n", " ", "\u00a0", "\u3000", "\u200b", "\x00",
        "On 22 Nov 2026 Ann wrote:", "From: a", "Sent: b", "To: c", "x", "42",
        "Reassign to Heroku", "Heroku に再割り当て", "Reasign to Heroku", "An Heroku zurückgeben",
    ]
)  # fmt: skip
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
HTML = st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join) | ANY_TEXT
OWN_WORDS = st.text(
    st.characters(categories=["Lu", "Ll", "Nd", "Zs"], include_characters=".,!?ー再割"), max_size=40
)


@given(HTML)
def test_any_comment_can_be_read(html: str) -> None:
    for line in lines(html):
        assert line.text.strip()
        assert "\n" not in line.text
    assert plain_text(html) == "\n".join(line.text for line in lines(html))
    assert first_text(html) in plain_text(html)
    reading = read(html, PHRASES)
    assert (reading.phrase is None) == (reading.verdict is Verdict.NOTHING)


@given(ANY_TEXT, st.lists(ANY_TEXT, max_size=3))
def test_any_phrase_can_be_checked_and_looked_for(html: str, phrases: list[str]) -> None:
    problems(phrases, [html])
    read(html, phrases)


@given(ANY_TEXT)
@example("ǰ\u0345̈")
@example("“ ̈a")
@example("\u1e9e\u00ad\u0345")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(HTML)
def test_an_order_stands_on_a_line_of_its_own(html: str) -> None:
    if read(html, PHRASES).verdict is Verdict.HAND_OFF:
        own = [line.text for line in lines(html) if line.region is Region.TEXT]
        phrases = {normalise(phrase).replace(" ", "") for phrase in PHRASES}
        assert phrases & {normalise(text).replace(" ", "") for text in own}


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """A phrase as it may come out of keyboards, clipboards and mail programs."""
    phrase = draw(st.sampled_from(PHRASES))
    blank = st.sampled_from([" ", "\u00a0", "  ", "\u3000", " \u200b"])
    invisible = st.sampled_from(["", "", "", "\u200b", "\ufeff", "\u200e", "\u00ad"])
    letters = [
        draw(blank) if sign == " " else draw(st.sampled_from([sign, sign.upper(), sign.lower()]))
        for sign in phrase
    ]
    return "".join(letter + draw(invisible) for letter in letters)


@given(
    disguised(),
    st.sampled_from(
        ["{}", "<p>{}</p>", "<div>{}</div>", "<div><p>a</p>{}<br>b</div>", "<b>{}</b>"]
    ),
    st.sampled_from(["", ".", "!", "。", " …"]),
    st.sampled_from(["{}", "「{}」", "“{}”", "*{}*", "({})"]),
)
def test_an_order_is_one_in_any_disguise(text: str, around: str, end: str, wrapping: str) -> None:
    html = around.format(wrapping.format(text) + end)
    assert read(html, PHRASES).verdict is Verdict.HAND_OFF


@given(disguised(), OWN_WORDS, OWN_WORDS)
def test_an_order_stands_whatever_paragraphs_are_around_it(
    text: str, above: str, below: str
) -> None:
    html = f"<p>{above}</p><p>{text}</p><p>{below}</p>"
    assert read(html, PHRASES).verdict is Verdict.HAND_OFF


@given(
    HTML.filter(lambda html: "</" not in html),
    st.sampled_from(
        [
            "<blockquote>{}</blockquote>",
            "<div class='gmail_quote'>{}</div>",
            "<div class='zd_quote'>{}</div>",
            "<div class='signature'>{}</div>",
            "<pre>{}</pre>",
        ]
    ),
)
def test_nothing_quoted_hands_over(html: str, around: str) -> None:
    assert read(f"<p>a</p>{around.format(html)}", PHRASES).verdict is Verdict.NOTHING


@given(disguised(), st.sampled_from(["?", "？", "?!", " ?"]))
def test_a_question_is_never_an_order(text: str, mark: str) -> None:
    assert read(f"<p>{text}{mark}</p>", PHRASES).verdict is Verdict.NEAR_MISS


@given(st.sampled_from(NoteKind), st.sampled_from(LANGUAGES), st.data())
def test_no_note_hands_over_whatever_its_facts_say(
    kind: NoteKind, language: str, data: st.DataObject
) -> None:
    names = FACT_NAMES[kind].names
    facts = {name: data.draw(HTML, label=name) for name in sorted(names - {"rows"})}
    rows = data.draw(st.dictionaries(HTML, HTML, max_size=3)) if "rows" in names else None
    html = render(note(kind, rows=rows, **facts), language)
    assert read(html, PHRASES).verdict is not Verdict.HAND_OFF


@given(st.sampled_from(LANGUAGES), ANY_TEXT, st.sampled_from(Role))
def test_an_attribution_is_one_line_whatever_the_name(language: str, name: str, role: Role) -> None:
    (line,) = plain_text(attribution(language, name, role, AT)).splitlines()
    assert line.endswith(when(AT))
