"""What a comment looks like to its reader: by its markup, and by the marks made in plain text."""

from __future__ import annotations

import time

import pytest

from syncd.core.lines import Line, Region, first_text, lines, plain_text

TEXT, LIST, QUOTE, CODE, SIGNATURE = (
    Region.TEXT,
    Region.LIST,
    Region.QUOTE,
    Region.CODE,
    Region.SIGNATURE,
)


def regions(html: str) -> list[tuple[str, Region]]:
    return [(line.text, line.region) for line in lines(html)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a</p><p>b</p>", ["a", "b"]),
        ("a<br>b<br/>c</br>d", ["a", "b", "c", "d"]),
        ("<div>a<div>b</div>c</div>d", ["a", "b", "c", "d"]),
        ("a<hr>b", ["a", "b"]),
        ("<p>a\n  b\tc</p>\n\n<p>d</p>", ["a b c", "d"]),
        ("<p>a&nbsp;b\u3000c</p>", ["a b c"]),
        ("<p>a <b>b</b><i>c</i></p>", ["a bc"]),
        ("a\nb\r\nc\rd", ["a", "b", "c", "d"]),
        ("<b>a</b>\nb", ["a", "b"]),
        ("<table><tr><td>a</td><td>b</td></tr><tr><th>c<th>d</table>", ["a b", "c d"]),
        ("<p>&lt;b&gt; &amp; &#x3042;&#12354;</p>", ["<b> & ああ"]),
        ('<p style="white-space: pre-wrap">a\nb</p>', ["a", "b"]),
        ("", []),
        ("<p>&nbsp;</p><p>\u200b\ufeff</p>", []),
        ("a < b and c <3", ["a < b and c <3"]),
        ("a\x00b", ["ab"]),
    ],
)
def test_a_line_ends_where_a_reader_sees_it_end(html: str, expected: list[str]) -> None:
    assert [line.text for line in lines(html)] == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- x -->",
        "<!-->",
        "<!--->",
        "<!-- x --!>",
        "<!doctype x>",
        "<?xml x?>",
        "</ x>",
        "<![x[ y]]>",
        "<![CDATA[x]]>",
        "<script>x</script>",
        "<SCRIPT>x < y</Script >",
        "<style>x</style>",
        "<title>x</title>",
        "<textarea>x</textarea>",
        "<template><p>x</p></template>",
        "<p hidden>x</p>",
        "<div hidden><p>x<br>y</p></div>",
        '<div style="display:none">x<div>y</div></div>',
        '<span style="color: red; DISPLAY : none !important">x</span>',
        "<span style='visibility: hidden'>x</span>",
        "<span style=mso-hide:all>x</span>",
        '<span style="font-size:0px">x</span>',
        '<span style="opacity:0;">x</span>',
        '<img alt="x" src="y">',
        "<p title='x'></p>",
    ],
)
def test_what_a_reader_does_not_see_is_not_text(hidden: str) -> None:
    assert plain_text(f"<p>before</p>{hidden}<p>after</p>") == "before\nafter"


@pytest.mark.parametrize(
    "style",
    ["font-size:0.9em", "font-size: 10px", "opacity: 0.5", "x-display:none", "display:block"],
)
def test_a_style_that_hides_nothing_leaves_the_text(style: str) -> None:
    assert plain_text(f'<p style="{style}">x</p>') == "x"


@pytest.mark.parametrize(
    "broken",
    [
        "<!-- x",
        "<p x",
        "<p title='x",
        '<a href="x>y',
        "<script>x",
        "<plaintext>x",
        "<!x",
        "</x",
        "<?x",
    ],
)
def test_markup_that_never_ends_swallows_the_rest(broken: str) -> None:
    assert plain_text(f"<p>before</p>{broken}") == "before"


def test_an_apostrophe_outside_of_a_value_does_not_open_one() -> None:
    assert plain_text("<p don't>a</p><p won't=x'y>b</p>") == "a\nb"


@pytest.mark.parametrize(
    ("html", "region"),
    [
        ("<blockquote>x</blockquote>", QUOTE),
        ("<blockquote><ul><li><code>x</code></li></ul></blockquote>", QUOTE),
        ('<div class="gmail_quote gmail_quote_container">x</div>', QUOTE),
        ('<div class="zd_quote"><p>x</p></div>', QUOTE),
        ("<div class='moz-cite-prefix'>x</div>", QUOTE),
        ("<div class=yahoo_quoted>x</div>", QUOTE),
        ('<div id="OLK_SRC_BODY_SECTION">x</div>', QUOTE),
        ('<div class="quoted-text">x</div>', QUOTE),
        ("<del>x</del>", QUOTE),
        ("<pre>x</pre>", CODE),
        ("<p>see <code>x</code></p>", CODE),
        ("<kbd>x</kbd>", CODE),
        ('<div class="gmail_signature">x</div>', SIGNATURE),
        ('<div class="signature"><p>x</p></div>', SIGNATURE),
        ('<div id="ms-outlook-mobile-signature">x</div>', SIGNATURE),
        ("<ul><li>x</li></ul>", LIST),
        ("<ol><li><p>x</p></li></ol>", LIST),
        ("<p>x</p>", TEXT),
        ('<div class="zd-comment quotes">x</div>', TEXT),
    ],
)
def test_markup_says_what_kind_of_text_it_is(html: str, region: Region) -> None:
    assert [line.region for line in lines(f"{html}<p>after</p>")] == [region, TEXT]


def test_everything_below_the_reply_header_of_outlook_is_a_quote() -> None:
    html = '<p>mine</p><hr><div id="divRplyFwdMsg">From: a</div><div>old</div><p>older</p>'
    assert regions(html) == [("mine", TEXT), ("From: a", QUOTE), ("old", QUOTE), ("older", QUOTE)]


@pytest.mark.parametrize(
    "html",
    [
        "<p>a<blockquote>q</p>q</blockquote>",
        "<b>a<blockquote>q</b>q</blockquote>",
        "<p>a</p><blockquote><p>q</blockquote>",
        "<p>a</p><blockquote>q<p>q",
        "<p>a</p><blockquote><span></i>q</span></blockquote>",
    ],
)
def test_crossed_tags_do_not_let_a_quote_end_early(html: str) -> None:
    assert {line.region for line in lines(html) if "q" in line.text} == {QUOTE}
    assert lines(html)[0] == Line("a", TEXT)


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li class=signature>a<li>b</ul>",
        "<ul><li><p class=signature>a<li>b</ul>",
        "<dl><dt class=signature>a<dd>b</dl>",
        "<p class=signature>a<p>b",
        "<p class=signature>a<div>b</div>",
        "<table><tr class=signature><td>a<tr><td>b</table>",
    ],
)
def test_an_element_may_be_left_open_where_html_allows_it(html: str) -> None:
    assert [line.region for line in lines(html)][:1] == [SIGNATURE]
    assert lines(html)[1].region is not SIGNATURE


def test_nesting_deeper_than_people_write_makes_the_rest_a_quote() -> None:
    html = "<p>a</p>" + "<div>" * 300 + "b" + "</div>" * 300 + "<p>c</p>"
    assert regions(html) == [("a", TEXT), ("b", QUOTE), ("c", QUOTE)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n> b\n＞c\nd", [TEXT, QUOTE, QUOTE, TEXT]),
        ("a\n```\nb\n\n~~~\n```\nc", [TEXT, CODE, CODE, CODE, CODE, TEXT]),
        ("~~~ sh\na\n~~~~\nb", [CODE, CODE, CODE, TEXT]),
        ("```\na", [CODE, CODE]),
        ("```a```\nb", [CODE, TEXT]),
        ("use `a`\nb", [CODE, TEXT]),
        ("    a\n\tb\n   c", [CODE, CODE, TEXT]),
        ("a\n--\nb\n> c", [TEXT, SIGNATURE, SIGNATURE, SIGNATURE]),
        ("a\n-- \nb", [TEXT, SIGNATURE, SIGNATURE]),
        ("a\n---\nb", [TEXT, TEXT, TEXT]),
        ("- a\n* b\n•c\n・d\n1. e\n2) f\n[x] g", [LIST] * 7),
        ("*a*\n-b\n1.5 c", [TEXT, TEXT, TEXT]),
        ("a\nSent from my iPhone\nb", [TEXT, SIGNATURE, TEXT]),
        ("a\nVon meinem iPhone gesendet", [TEXT, SIGNATURE]),
        ("a\niPhoneから送信", [TEXT, SIGNATURE]),
    ],
)
def test_plain_characters_say_what_kind_of_text_it_is(text: str, expected: list[Region]) -> None:
    assert [line.region for line in lines(text)] == expected


def test_the_same_marks_count_in_html() -> None:
    html = "<p>a</p><p>&gt; b</p><p>```<br>c<br>```</p><p>-- </p><p>d</p>"
    assert [line.region for line in lines(html)] == [
        TEXT,
        QUOTE,
        CODE,
        CODE,
        CODE,
        *[SIGNATURE] * 2,
    ]


def test_indentation_is_code_only_where_blanks_are_the_writers_own() -> None:
    assert regions("    a") == [("    a", CODE)]
    assert regions("<p>    a</p>") == [("a", TEXT)]


HEADERS = [
    "On Mon, Nov 22, 2026 at 10:00 AM Ann &lt;ann@x.example&gt; wrote:",
    "On .. wrote:",
    "Ann &lt;ann@x.example&gt; wrote:",
    "Am 22.11.2026 um 10:00 schrieb Ann &lt;ann@x.example&gt;:",
    "Ann schrieb am 22.11.2026 um 10:00 Uhr:",
    "2026年11月22日(日) 10:00 Ann &lt;ann@x.example&gt;:",
    "2026/11/22 10:00、田中さんのメール：",
    "田中さんは書きました:",
    "Le dim. 22 nov. 2026 à 10:00, Ann a écrit :",
    "El dom, 22 nov 2026 a las 10:00, Ann escribió:",
    "Op 22 nov. 2026 schreef Ann:",
    "-----Original Message-----",
    "---------- Forwarded message ---------",
    "-----Ursprüngliche Nachricht-----",
    "----- 元のメッセージ -----",
    "Begin forwarded message:",
    "##- Please type your reply above this line -##",
]


@pytest.mark.parametrize("header", HEADERS)
def test_everything_after_a_reply_header_is_a_quote(header: str) -> None:
    html = f"<p>mine</p><p>{header}</p><p>theirs</p><ul><li>theirs</li></ul>"
    assert [line.region for line in lines(html)] == [TEXT, QUOTE, QUOTE, QUOTE]


@pytest.mark.parametrize(
    "quote",
    ["<blockquote>theirs</blockquote>", "<p>&gt; theirs</p>", "<p class=zd_quote>theirs</p>"],
)
def test_an_answer_below_a_marked_quote_is_the_writers_own(quote: str) -> None:
    html = f"<p>On Monday Ann wrote:</p>{quote}<p>mine</p>"
    assert regions(html)[-1] == ("mine", TEXT)


def test_a_reply_header_may_be_broken_over_lines() -> None:
    text = "a\nOn Mon, Nov 22, 2026 at 10:00 AM Ann Longname\n<ann@x.example>\nwrote:\nb"
    assert [line.region for line in lines(text.replace("<", "&lt;"))] == [TEXT, *[QUOTE] * 4]

    quoted = "On Mon, Nov 22, 2026 Ann\nwrote:\n> theirs\nmine"
    assert [line.region for line in lines(quoted)] == [QUOTE, QUOTE, QUOTE, TEXT]


def test_a_line_of_ones_own_right_above_a_reply_header_stays_ones_own() -> None:
    text = "Done in 2026\nOn 22 Nov, Ann ann@x.example wrote:\nb"
    assert regions(text)[0] == ("Done in 2026", TEXT)
    assert regions("On 3 tickets\n" + text)[0] == ("On 3 tickets", TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "On it.\nThe customer wrote:\na",
        "On 3 things\n> Ann wrote:\na",
        "On the log the customer wrote: nothing\na",
        "From: the customer\na",
        "From: the customer\nDate: unknown\na",
        "On " + "x" * 600 + " wrote:\na",
        "On 3 " + "x" * 400 + "\n" + "y" * 200 + " wrote:\na",
        "On 3 Nov",
    ],
)
def test_what_only_resembles_a_reply_header_quotes_nothing(text: str) -> None:
    assert lines(text)[-1].region is TEXT


def test_the_header_block_of_an_older_mail_starts_a_quote() -> None:
    text = "mine\nVon: Ann\nGesendet: 22.11.2026\nAn: Bob\nBetreff: x\n\ntheirs"
    assert [line.region for line in lines(text)] == [TEXT, *[QUOTE] * 5]


def test_plain_text_is_all_that_a_reader_sees() -> None:
    html = "<p>a &amp; b</p><blockquote>c</blockquote><pre>d\n  e</pre><div class=signature>f</div>"
    assert plain_text(html) == "a & b\nc\nd\n  e\nf"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<div class='zd-comment'><p>\n &nbsp;#local note</p><p>b</p></div>", "#local note"),
        ("\ufeff\u200b#local", "#local"),
        ("<p>\u200b</p><p>#local</p>", "#local"),
        ("<blockquote>#local</blockquote>a", "#local"),
        ("<pre>  #local</pre>", "#local"),
        ("<p> </p>", ""),
    ],
)
def test_the_first_text_has_nothing_invisible_before_it(html: str, expected: str) -> None:
    assert first_text(html) == expected


@pytest.mark.parametrize("reference", ["&#" + "9" * 5000 + ";", "&#xffffffffff;", "&#1114112;"])
def test_a_number_that_no_character_has_is_shown_as_unreadable(reference: str) -> None:
    assert plain_text(f"a{reference}b") == "a\ufffdb"


HOSTILE = [
    "<!--", "<![x[", "<a", "<a ", "<a a=", '<a "', "<a a='", "</a ", "<!", "</", "<?", "<div>",
    "<b>", "<blockquote>", "</p>", "<li>", "<td>", "<p hidden>", "<script>", "\n", "x\n", "On 3\n",
    "From:\n", "```\n", "&#9", "&", "x`", "- ", "<b><div>" + "<i>" * 190 + "</b>" * 500,
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_input_costs_no_more_than_its_length(piece: str) -> None:
    html = piece * (65_536 // len(piece))
    started = time.process_time()
    lines(html)

    # The standard parser needs up to half a minute for some of these; this takes 0.2 s at worst.
    assert time.process_time() - started < 4
