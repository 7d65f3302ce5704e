"""Comments of every shape: harmless, whole, and the same after a second cleaning."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.richtext import TAGS, for_desk, sanitise, without_placeholders
from tests.support.html_shapes import HOSTILE, SHAPES
from tests.support.shown import blocks, letters

ALL = SHAPES | HOSTILE
MARKS = r'( href="(https?:|mailto:|withheld:)[^"<>{}]*"| class="signature")?'
#: Shapes of which more is shown than before, or less: pictures, numbers, and what is a secret.
RETOLD = {"emoji picture", "inline picture", "picture by data-cid", "tel", "figure", "srcset"}
#: What no reader of the original sees either, though a parser that knows no rules does.
UNSEEN = {"plaintext", "comment inside", "outlook comment", "deep lists", "data picture"}

#: Left open so that a parser takes the rest for their content.
SWALLOWED = {"half a tag", "mutation title", "mutation style", "mutation mglyph"}


def is_only_the_subset(html: str) -> bool:
    tags = re.findall(r"</?([^\s>/]+)([^>]*)>", html)
    return all((name in TAGS or name == "div") and re.fullmatch(MARKS, rest) for name, rest in tags)


@pytest.mark.parametrize("name", ALL)
def test_every_shape_becomes_the_subset_and_stays_as_it_is(name: str) -> None:
    clean = sanitise(ALL[name])
    assert is_only_the_subset(clean), clean
    assert sanitise(clean) == clean
    sent = without_placeholders(for_desk(clean))
    assert is_only_the_subset(sent)
    assert "class=" not in sent
    assert for_desk(sent) == sent
    assert without_placeholders(sent) == sent


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_runs_or_phones_home_survives(name: str) -> None:
    sent = without_placeholders(for_desk(sanitise(HOSTILE[name])))
    code = re.sub(r"&lt;.*?&gt;|>[^<]*", ">", sent)
    for word in ("evil", "script", "onerror", "url(", "style", "{{", "{%"):
        assert word not in code
    assert "{{" not in sent
    assert "{%" not in sent
    shown = letters(sent)
    assert name in SWALLOWED or "a" in shown


@pytest.mark.parametrize("name", sorted(set(SHAPES) - RETOLD - UNSEEN))
def test_no_visible_letter_is_lost_added_or_moved(name: str) -> None:
    source = SHAPES[name].replace("\x00", "")
    assert letters(sanitise(source)) == letters(source)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("code block", SHAPES["code block"]),
        ("code begins blank", "<pre>\n\n  indented\n</pre>"),
        ("quote in quote", SHAPES["quote in quote"]),
        ("nested lists", SHAPES["nested lists"]),
        ("list from three", "<ul><li>3. three</li><li>4. four</li></ul>"),
        ("items with paragraphs",
         "<ul><li><p>4. first</p><p>more</p></li><li><p>5. next</p></li></ul>"),
        ("item with a value",
         "<ol><li>one</li></ol><ul><li>7. seven</li><li>8. eight</li></ul>"),
        ("emoji picture", "<p>fine 👍</p>"),
        ("inline picture", "<p>see</p><p>[graph.png]</p>"),
        ("picture by data-cid", "<p>see [pool.png]</p>"),
        ("table with spans",
         "<table><tbody><tr><th>both</th><td></td></tr><tr><td>l</td><td>r1</td></tr>"
         "<tr><td></td><td>r2</td></tr></tbody></table>"),
        ("tel", "<p>call us (+4930123456)</p>"),
        ("gmail reply",
         'Works.<br><br><blockquote><blockquote>On Mon, Ana &lt;<a href="mailto:a@x.test">'
         "a@x.test</a>&gt; wrote:<br></blockquote><blockquote><p>Please try.</p></blockquote>"
         "</blockquote>"),
        ("outlook reply",
         'Fine.<br><div class="signature"><p>Mia</p></div><hr><blockquote><b>From:</b> Ana<br>'
         "<b>Sent:</b> Monday<br><b>To:</b> Mia<br>Older words.<br></blockquote>"),
        ("exact blanks", "line one<br>line two<br><br>line four"),
        ("definition list", "Host<br>db-1<br>Port<br>5432"),
        ("pixel", "<p>a</p>"),
    ],
)  # fmt: skip
def test_shapes_that_have_no_form_of_their_own_get_the_nearest(name: str, expected: str) -> None:
    assert sanitise(SHAPES[name]) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="https://x.test/?token=b">Report</a>',
         'Report<a href="withheld:"></a>'),
        ('<a href="https://x.test/?token=b">https://x.test/?token=b</a>',
         'https://x.test/…<a href="withheld:"></a>'),
        ('<img src="https://x.test/f.png?sig=b" alt="shot">', "[shot]"),
        ("see https://acme.test/attachments/token/b/?name=a.png",
         "see https://acme.test/attachments/token/…"),
        ('<a href="https://x.test/"><img src="https://x.test/l.png" alt="logo"></a>',
         '<a href="https://x.test/">[logo]</a>'),
    ],
)  # fmt: skip
def test_what_gives_access_leaves_its_text(html: str, expected: str) -> None:
    assert sanitise(html) == expected
    assert "withheld" not in for_desk(sanitise(html))


def test_broken_placeholders_look_like_whole_ones_in_code() -> None:
    html = "<pre>{{ x }} {% y %}</pre>"
    assert without_placeholders(for_desk(html)).replace("\u200b", "") == html


NAMES = (
    "div p b i span pre code blockquote ul ol li table tr td th thead caption dl dd h2 section q"
    " font a svg math style textarea select option template form noscript title xmp"
).split()
ATTRIBUTES = st.sampled_from(
    [
        "",
        ' class="gmail_quote"',
        ' class="x signature"',
        ' id="divRplyFwdMsg"',
        ' style="display:none"',
        ' style="white-space:pre"',
        ' start="3"',
        ' value="7"',
        ' colspan="3"',
        ' rowspan="2"',
        ' href="https://x.test/{{x}}"',
        ' href="https://x.test/?token=secret"',
        ' href="javascript:evil()"',
        ' href="tel:+49"',
        ' onclick="evil()"',
    ]
)
PIECES = st.one_of(
    st.tuples(st.sampled_from(NAMES), ATTRIBUTES).map(lambda made: f"<{made[0]}{made[1]}>"),
    st.sampled_from(NAMES).map(lambda name: f"</{name}>"),
    st.sampled_from(
        [
            *["<br>", "<hr>", "word ", "\n", "  ", "{{", "{%", "&lt;", "&nbsp;", "<", "<!--"],
            *['<img src="https://x.test/a.png">', '<img src="cid:1" alt="<b">', "-->", "\x00"],
        ]
    ),
)


RAW_TEXT = re.compile("<(?:xmp|textarea|title|noscript|style)[ >]")
TAG = re.compile("<[^>]*>")


@given(st.lists(PIECES, max_size=24).map("".join))
def test_whatever_comes_in_is_clean_for_good(html: str) -> None:
    clean = sanitise(html)
    assert is_only_the_subset(clean)
    assert sanitise(clean) == clean
    # Inside an element of raw text, what looks like an attribute is text that a person sees.
    told = "".join(TAG.findall(clean)) if RAW_TEXT.search(html) else clean
    assert "evil" not in told
    assert "secret" not in told
    sent = without_placeholders(for_desk(clean))
    assert for_desk(sent) == sent
    assert "{{" not in sent
    assert letters(sent) == letters(for_desk(clean))


WORDS = st.lists(st.sampled_from("alpha beta gamma delta 日本 {{x}} a<b".split()), min_size=1)
INLINE = WORDS.map(lambda words: " ".join(words).replace("<", "&lt;"))
LEAVES = st.one_of(
    INLINE.map(lambda text: f"<p>{text}</p>"),
    INLINE.map(lambda text: f"<pre>  {text}\n\t{text}</pre>"),
    INLINE.map(lambda text: f"<h2>{text}</h2>"),
    INLINE.map(lambda text: f'<p><a href="https://x.test/a">{text}</a> <code>{text}</code></p>'),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(
            lambda made: f"<ol>{''.join(f'<li>{each}</li>' for each in made)}</ol>"
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda made: f"<ul>{''.join(f'<li>{each}</li>' for each in made)}</ul>"
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda made: f"<blockquote>{''.join(made)}</blockquote>"
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda made: (
                f"<table><tbody><tr>{''.join(f'<td>{e}</td>' for e in made)}</tr></tbody></table>"
            )
        ),
    ),
    max_leaves=8,
)


@given(TREES)
def test_what_is_well_formed_keeps_its_whole_meaning(html: str) -> None:
    assert blocks(for_desk(sanitise(html))) == blocks(html)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000,
        "<blockquote>" * 50_000,
        "<ul><li>" * 50_000,
        f"<ul>{'<li>i</li>' * 100_000}</ul>",
        f"<table>{'<tr><td rowspan=999 colspan=30>a</td></tr>' * 5_000}</table>",
        "<a href='https://x.test/?token=b'>" * 10_000,
        "<table><td>" * 2_000,
    ],
    ids=range(7),
)
def test_a_large_comment_takes_time_linear_in_its_length(html: str) -> None:
    started = time.process_time()
    assert len(sanitise(html)) <= 4 * len(html)
    assert time.process_time() - started < 20
