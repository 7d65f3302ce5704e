"""The hand-off's case table, by row, as far as one comment's text decides it."""

from __future__ import annotations

import pytest

from syncd.core.handoff import Reading, Verdict, normalise, problems, read
from syncd.core.notes import LANGUAGES, samples

PHRASES = ("Reassign to Heroku", "Heroku に再割り当て")
HAND_OFF, NEAR_MISS, UNLISTED, NOTHING = (
    Verdict.HAND_OFF,
    Verdict.NEAR_MISS,
    Verdict.UNLISTED,
    Verdict.NOTHING,
)

ROWS = [
    ("1", "<p>Reassign to Heroku</p>", HAND_OFF),
    ("1-lower", "<p>reassign to heroku</p>", HAND_OFF),
    ("1-upper", "<p>REASSIGN TO HEROKU</p>", HAND_OFF),
    ("1-blanks", "Reassign  to   Heroku  ", HAND_OFF),
    ("2-full-width", "<p>Ｒｅａｓｓｉｇｎ　ｔｏ　Ｈｅｒｏｋｕ</p>", HAND_OFF),
    ("2-no-break", "<p>\u00a0Reassign\u00a0to\u202fHeroku\u00a0</p>", HAND_OFF),
    ("2-zero-width", "<p>\ufeffRe\u200bassign to\u200e Her\u00adoku\u2060</p>", HAND_OFF),
    ("3-full-stop", "<p>Reassign to Heroku.</p>", HAND_OFF),
    ("3-mark", "<p>Reassign to Heroku!</p>", HAND_OFF),
    ("3-wide-mark", "<p>Reassign to Heroku！！</p>", HAND_OFF),
    ("3-ideographic-stop", "<p>Heroku に再割り当て。</p>", HAND_OFF),
    ("3-ellipsis", "<p>Reassign to Heroku…</p>", HAND_OFF),
    ("3-corner-brackets", "<p>「Reassign to Heroku」</p>", HAND_OFF),
    ("3-quotes", "<p>“Reassign to Heroku.”</p>", HAND_OFF),
    ("3-german-quotes", "<p>„Reassign to Heroku“.</p>", HAND_OFF),
    ("3-bold", "**Reassign to Heroku**", HAND_OFF),
    ("3-bold-tag", "<p><strong>Reassign to Heroku</strong></p>", HAND_OFF),
    ("4", "<p>Reassign to Heroku?</p>", NEAR_MISS),
    ("4-wide", "<p>Reassign to Heroku？</p>", NEAR_MISS),
    ("4-quoted", "<p>“Reassign to Heroku?!”</p>", NEAR_MISS),
    ("5-question", "<p>Should I reassign to Heroku?</p>", NEAR_MISS),
    ("5-negation", "<p>Please do not reassign to Heroku</p>", NEAR_MISS),
    ("5-later", "<p>I will reassign to Heroku tomorrow.</p>", NEAR_MISS),
    ("6-missing-letter", "<p>Reasign to Heroku</p>", NEAR_MISS),
    ("6-swapped-letters", "<p>Raessign to Heroku</p>", NEAR_MISS),
    ("6-extra-letter", "<p>Reassign too Herokuu</p>", NEAR_MISS),
    ("6-japanese", "<p>Heroku に再割当</p>", NEAR_MISS),
    ("7", "<p>Reassign to Heroku Postgres team</p>", NEAR_MISS),
    ("8", "<p>It needs a reset.</p><p>Reassign to Heroku</p><p>Thanks.</p>", HAND_OFF),
    ("9-class", "<p>Reassign to Heroku</p><div class=signature>Ann<br>Acme</div>", HAND_OFF),
    ("9-dashes", "Reassign to Heroku\n-- \nAnn\nAcme", HAND_OFF),
    ("10-class", "<p>Hello</p><div class='gmail_signature'>Reassign to Heroku</div>", NOTHING),
    ("10-dashes", "Hello\n--\nReassign to Heroku", NOTHING),
    ("11-sign", "Hello\n> Reassign to Heroku", NOTHING),
    ("11-wide-sign", "<p>Hello</p><p>＞Reassign to Heroku</p>", NOTHING),
    ("11-blockquote", "<blockquote>Reassign to Heroku</blockquote><p>Done</p>", NOTHING),
    ("11-gmail", "<p>a</p><div class=gmail_quote><p>Reassign to Heroku</p></div>", NOTHING),
    ("11-header", "<p>a</p><p>On .. wrote:</p><p>Reassign to Heroku</p>", NOTHING),
    ("11-header-german", "a\nAm Montag schrieb Ann:\nReassign to Heroku", NOTHING),
    ("11-near-miss", "> Should I reassign to Heroku?", NOTHING),
    ("12-fence", "```\nReassign to Heroku\n```", NOTHING),
    ("12-pre", "<pre>Reassign to Heroku</pre>", NOTHING),
    ("12-back-ticks", "`Reassign to Heroku`", NOTHING),
    ("12-code", "<p>Write <code>Reassign to Heroku</code></p>", NOTHING),
    ("12-indented", "a\n\n    Reassign to Heroku", NOTHING),
    ("13-div", "<div>Hi<br>Reassign to <b>Heroku</b><br></div>", HAND_OFF),
    ("13-nbsp", "<div class='zd-comment'>&nbsp;Reassign&nbsp;to Heroku&nbsp;</div>", HAND_OFF),
    ("13-wrapped-source", "<p>Reassign\nto Heroku</p>", HAND_OFF),
    ("14-dash", "- Reassign to Heroku", NEAR_MISS),
    ("14-dot", "<p>•Reassign to Heroku</p>", NEAR_MISS),
    ("14-number", "1. Reassign to Heroku", NEAR_MISS),
    ("14-list", "<ul><li>Refund</li><li>Reassign to Heroku</li></ul>", NEAR_MISS),
    ("15", "Reassign\nto Heroku", NOTHING),
    ("15-html", "<p>Reassign to<br>Heroku</p>", NOTHING),
    ("16", "<p>Heroku に再割り当て</p>", HAND_OFF),
    ("16-no-blank", "<p>Herokuに再割り当て</p>", HAND_OFF),
    ("16-stop-and-brackets", "<p>「Heroku に再割り当て」。</p>", HAND_OFF),
    ("16-wide", "<p>Ｈｅｒｏｋｕ　に再割り当て</p>", HAND_OFF),
    ("17", "<p>非公開コメントに「Heroku に再割り当て」と書いてください。</p>", NEAR_MISS),
    ("17-no-blank", "<p>「Herokuに再割り当て」と書いてください</p>", NEAR_MISS),
    ("18-german", "<p>An Heroku zurückgeben.</p>", UNLISTED),
    ("18-french", "<p>Réassigner à Heroku</p>", UNLISTED),
    ("18-japanese", "<p>Herokuに戻す</p>", UNLISTED),
    ("18-unknown", "<p>Prosím, dejte to zpátky</p>", NOTHING),
    ("18-in-a-sentence", "<p>Soll ich es an Heroku zurückgeben oder nicht?</p>", NOTHING),
    ("18-quoted", "<blockquote>An Heroku zurückgeben</blockquote>", NOTHING),
    ("26-macro", "<p>Handing back to the platform.</p><p>Reassign to Heroku</p>", HAND_OFF),
    (
        "28-mail-reply",
        "<div dir=ltr>Reassign to Heroku</div><br><div class=gmail_quote><div class=gmail_attr>"
        "On Mon, Nov 22 wrote:</div><blockquote>Reassign to Heroku</blockquote></div>",
        HAND_OFF,
    ),
    (
        "28-plain-mail-reply",
        "Please wait.\n\nOn Mon, Nov 22, 2026 at 10:00 Ann wrote:\n> Reassign to Heroku\n",
        NOTHING,
    ),
    ("29-out-of-office", "<p>I am away.</p><p>-----Original Message-----</p>"
     "<p>Reassign to Heroku</p>", NOTHING),
    ("42-picture", '<p>see <img alt="Reassign to Heroku" src="x"></p>', NOTHING),
    ("42-picture-alone", '<img alt="Reassign to Heroku" title="Reassign to Heroku">', NOTHING),
    ("hidden", "<p hidden>Reassign to Heroku</p><!-- Reassign to Heroku --><p>a</p>", NOTHING),
    ("struck-out", "<p><s>Reassign to Heroku</s></p>", NOTHING),
    ("two-cells", "<table><tr><td>Plan B<td>Reassign to Heroku</table>", NEAR_MISS),
    ("nothing", "<p>The dyno crashed again.</p>", NOTHING),
    ("empty", "", NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(
    ("html", "verdict"),
    [(html, verdict) for _, html, verdict in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_the_case_table_row(html: str, verdict: Verdict) -> None:
    assert read(html, PHRASES).verdict is verdict


def test_row_22_an_edit_that_adds_the_phrase_shows_by_reading_both_texts() -> None:
    before, after = "<p>Please look.</p>", "<p>Please look.</p><p>Reassign to Heroku</p>"
    assert (read(before, PHRASES).verdict, read(after, PHRASES).verdict) == (NOTHING, HAND_OFF)


def test_the_phrase_is_told_as_it_is_configured() -> None:
    assert read("REASSIGN TO HEROKU!", PHRASES).phrase == "Reassign to Heroku"
    assert read("Heroku に再割当", PHRASES).phrase == "Heroku に再割り当て"
    assert read("zurück an heroku", PHRASES) == Reading(UNLISTED, "Zurück an Heroku", is_alone=True)
    assert read("a", PHRASES) == Reading(NOTHING)


@pytest.mark.parametrize(
    ("html", "is_alone"),
    [
        ("<p>Reassign to Heroku</p>", True),
        ("<p>Reassign to Heroku</p><p>Herokuに再割り当て</p>", True),
        ("<blockquote>a</blockquote><p>Reassign to Heroku</p><p>--</p><p>Ann</p>", True),
        ("<p>***</p><p>Reassign to Heroku</p><p>—<br>。</p>", False),
        ("<p>***</p><p>Reassign to Heroku</p><p>。</p>", True),
        ("<p>Reassign to Heroku</p><p>Sent from my iPhone</p>", True),
        ("<p>Reassign to Heroku</p><p>Thanks</p>", False),
        ("<p>Reassign to Heroku</p><pre>the log</pre>", False),
        ("<p>Reassign to Heroku</p><ul><li>Reassign to Heroku</li></ul>", False),
        ("<p>Reassign to Heroku?</p>", True),
        ("<p>Hello</p><p>Reassign to Heroku?</p>", False),
    ],
)
def test_a_reading_says_whether_the_line_is_all_that_was_written(html: str, is_alone: bool) -> None:
    assert read(html, PHRASES).is_alone is is_alone


def test_an_order_counts_wherever_a_hint_stands_above_it() -> None:
    html = "<p>Should I reassign to Heroku? Yes:</p><p>Reassign to Heroku</p>"
    assert read(html, PHRASES).verdict is HAND_OFF


def test_the_first_line_worth_a_hint_gives_the_hint() -> None:
    html = "<p>An Heroku zurückgeben</p><p>Reassign to Heroku?</p>"
    assert read(html, PHRASES).verdict is UNLISTED


def test_a_translation_that_is_listed_is_an_order() -> None:
    assert read("An Heroku zurückgeben", (*PHRASES, "An Heroku zurückgeben")).verdict is HAND_OFF


def test_a_phrase_that_names_nobody_has_no_known_translation() -> None:
    assert read("An Heroku zurückgeben", ("Not ours any more",)).verdict is NOTHING


def test_without_phrases_nothing_is_read() -> None:
    assert read("Reassign to Heroku", ()).verdict is NOTHING
    assert read("***", ("***", "")).verdict is NOTHING


@pytest.mark.parametrize(
    ("phrase", "text", "verdict"),
    [
        ("back", "back", HAND_OFF),
        ("back", "send it back now", NEAR_MISS),
        ("back", "the backup ran", NOTHING),
        ("back", "bock", NOTHING),
        ("return", "reetrn", NOTHING),
        ("return", "retrn", NEAR_MISS),
        ("return", "returns", NEAR_MISS),
        ("return", "return it", NEAR_MISS),
        ("hand over", "hnd ovr", NEAR_MISS),
        ("hand over", "hn ovr", NOTHING),
        ("hand over", "hXnY oZer", NOTHING),
    ],
)
def test_a_shorter_phrase_forgives_fewer_typos(phrase: str, text: str, verdict: Verdict) -> None:
    assert read(text, (phrase,)).verdict is verdict


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  Reassign\u3000to\u00a0 Heroku\t", "reassign to heroku"),
        ("Ｈｅｒｏｋｕ", "heroku"),
        ("Stra\u200bße", "strasse"),
        ("(“Heroku”!…)", "heroku"),
        ("『Heroku』。、", "heroku"),
        ("Heroku?", "heroku?"),
        ("Heroku？！", "heroku?"),
        ("*_ _*", ""),
    ],
)
def test_lines_are_compared_without_width_case_blanks_and_wrapping(text: str, normal: str) -> None:
    assert normalise(text) == normal


def test_usable_phrases_have_no_problem() -> None:
    notices = [note for x in LANGUAGES for note in samples(x, platform="Heroku", partner="Acme")]
    assert problems(PHRASES, notices) == ()


@pytest.mark.parametrize(
    ("phrases", "part"),
    [
        (("",), "phrase '' is empty"),
        ((" “…” ",), "is empty"),
        (("Back to us", "BACK to  us."), "'BACK to  us.' says the same as 'Back to us'"),
        (("Reassign to Heroku", "Reassignto Heroku"), "says the same as"),
        (("- hand over",), "would never be recognised"),
        (("> hand over",), "would never be recognised"),
        (("`hand over`",), "would never be recognised"),
        (("hand\nover",), "would never be recognised"),
        (("This ticket is now with Heroku",), "whole line of a note that syncd writes"),
    ],
)
def test_an_unusable_phrase_is_told_in_words(phrases: tuple[str, ...], part: str) -> None:
    (problem,) = problems(phrases, samples("en", platform="Heroku", partner="Acme"))
    assert part in problem


def test_markup_in_a_phrase_is_taken_as_written() -> None:
    assert problems(("give <b> back",), ()) == ()
    assert read("<p>give &lt;b&gt; back</p>", ("give <b> back",)).verdict is HAND_OFF
