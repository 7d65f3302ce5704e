"""Comments that are too long for one body."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.lines import plain_text
from syncd.core.piece import prefix_length, weight
from syncd.core.split import split_html
from tests.support.shown import blocks, letters

LIMIT = 2_000


def bodies(html: str, limit: int = LIMIT) -> list[str]:
    """The parts without their markers; each must keep the limit and be well-formed."""
    parts = split_html(html, limit, "en")
    assert len(parts) > 1
    bare = []
    for number, part in enumerate(parts, start=1):
        assert weight(part) <= limit
        marker, _, body = part.partition("</em></p>")
        assert marker == f"<p><em>Part {number} of {len(parts)}"
        assert is_well_formed(body), body
        bare.append(body)
    return bare


def is_well_formed(html: str) -> bool:
    open_names: list[str] = []
    for closing, name in re.findall(r"<(/?)([a-z0-9]+)[^<>]*>", html):
        if name in {"br", "hr"}:
            continue
        if not closing:
            open_names.append(name)
        elif not open_names or open_names.pop() != name:
            return False
    return not open_names and "<" not in re.sub(r"</?[a-z0-9]+( [a-z]+=\"[^\"<>]*\")*>", "", html)


@pytest.mark.parametrize("text", ["x" * 9_000, "😀" * 2_000, "<" * 3_000, "ab cd " * 1_500])
def test_no_part_is_longer_than_the_limit_whatever_the_text_is_made_of(text: str) -> None:
    html = f"<pre>{text.replace('<', '&lt;')}</pre>"
    parts = split_html(html, 2_000, "de")
    assert all(len(part.encode()) <= 2_000 for part in parts)
    shown = "".join("".join(plain_text(part).splitlines()[1:]) for part in parts)
    assert shown.replace(" ", "") == text.replace(" ", "")


def test_parts_end_between_paragraphs_with_their_markup_kept() -> None:
    html = "".join(f"<p>word <b>{number}</b> and <i>more</i></p>" for number in range(200))
    bare = bodies(html)
    assert all(body.startswith("<p>") and body.endswith("</p>") for body in bare)
    assert "".join(bare) == html


def test_a_paragraph_that_fits_into_a_part_is_not_divided() -> None:
    short, long = f"<p>{'a ' * 400}</p>", f"<p>{'b ' * 700}</p>"
    assert bodies(short + long) == [short, long]


def test_lists_go_on_with_their_nesting_and_their_numbers() -> None:
    inner = "<ul>{}</ul>".format("".join(f"<li>inner {n}</li>" for n in range(40)))
    html = "<ol>{}</ol>".format(
        "".join(f"<li>outer {n}{inner if n == 70 else ''}</li>" for n in range(1, 141))
    )
    bare = bodies(html)
    assert [b for body in bare for b in blocks(body)] == list(blocks(html))
    assert "<li>100. outer 100</li>" in "".join(bare)
    assert "start" not in "".join(bare)


def test_an_item_that_is_cut_has_its_number_once() -> None:
    html = f"<ol><li>one</li><li>{'word ' * 900}</li><li>three</li></ol>"
    labels = [block.label for body in bodies(html) for block in blocks(body)]
    assert labels[:2] == ["1.", "2."]
    assert set(labels[2:-1]) == {"•"}
    assert labels[-1] == "3."


def test_a_quote_stays_a_quote_in_every_part() -> None:
    html = f"<p>own</p><blockquote>{'<p>theirs and more</p>' * 200}</blockquote><p>end</p>"
    bare = bodies(html)
    assert [b for body in bare for b in blocks(body)] == list(blocks(html))


def test_code_keeps_its_lines_and_its_indentation() -> None:
    code = "".join(f"{' ' * (n % 9)}line {n}\n" + "\n" * (n % 3) for n in range(400))
    bare = bodies(f"<pre>{code}</pre>")
    # After the tag a line end is not shown.
    texts = [re.sub(r"^<pre>\n?|</pre>$", "", body) for body in bare]
    assert "".join(texts) == code
    assert all(text.endswith("\n") for text in texts)


def test_rows_of_a_table_stay_whole() -> None:
    rows = "".join(f"<tr><td>{n}</td><td>cell <b>{n}</b></td></tr>" for n in range(120))
    head = "<thead><tr><th>a</th><th>b</th></tr></thead>"
    bare = bodies(f"<table>{head}<tbody>{rows}</tbody></table>")
    assert "".join(re.findall("<tr>.*?</tr>", "".join(bare)))[len(head) - 15 :] == rows
    assert all(body.startswith("<table>") and body.endswith("</table>") for body in bare)


def test_a_cell_that_is_too_large_goes_on_in_its_column() -> None:
    row = f"<tr><td>1</td><td>2</td><td>{'word ' * 900}</td><td>4</td></tr>"
    second = bodies(f"<table><tbody>{row}</tbody></table>")[1]
    assert second.startswith("<table><tbody><tr><td></td><td></td><td>word ")


def test_a_link_that_is_cut_leads_there_in_both_parts() -> None:
    html = f'<p><a href="https://x.example/?a=1&amp;b=2">{"word " * 500}</a></p>'
    assert all('<a href="https://x.example/?a=1&amp;b=2">word' in body for body in bodies(html))


@pytest.mark.parametrize("character", ["👩‍👩‍👧", "❤️", "👍🏽", "🇩🇪", "ñ", "ก็"])
def test_no_character_is_cut_in_two(character: str) -> None:
    for body in bodies("<p>x" + character * 2_000 + "</p>"):
        text = re.sub("<[^>]*>", "", body)
        assert text.lstrip("x").replace(character, "") == ""


def test_deep_nesting_and_endless_tags_leave_room_for_the_text() -> None:
    for html in (
        "<blockquote>" * 900 + "words " * 400 + "</blockquote>" * 900,
        f'<a href="https://x.example/{"y" * 9_000}">{"words " * 400}</a>',
        "<table><tbody><tr>"
        + "<td></td>" * 900
        + f"<td>{'words ' * 400}</td></tr></tbody></table>",
    ):
        assert "".join(map(letters, bodies(html))) == "words" * 400


def test_what_shows_nothing_makes_one_part() -> None:
    assert len(split_html("<p></p>" * 900, LIMIT, "en")) == 1


def test_a_broken_placeholder_has_its_room() -> None:
    for body in bodies("<p>" + "{{" * 2_000 + "</p>"):
        assert len(body.replace("{", "{\u200b").encode()) <= LIMIT


def test_a_comment_that_fits_keeps_its_markup() -> None:
    assert split_html("<b>x</b>", 2_000, "en") == ("<b>x</b>",)


TEXTS = st.text(st.sampled_from('ab c{%<>&"\n😀é日\u200d\u0301'), max_size=700)
ENDS = st.sampled_from(
    "p b i code pre blockquote ul ol li table tbody tr td th h2 a div".split()
).map(lambda name: f"</{name}>")
PIECES = st.one_of(
    TEXTS.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
    ENDS,
    ENDS.map(lambda end: end.replace("/", "")),
    st.sampled_from(["<br>", "<hr>", '<a href="https://x.example">', "<li>", "</li><li>"]),
)


@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from([1_000, 1_500, 4_000]))
def test_whatever_is_split_all_visible_text_is_there_in_order(html: str, limit: int) -> None:
    parts = split_html(html, limit, "en")
    if len(parts) == 1:
        return
    shown = [part.partition("</em></p>")[2] for part in parts]
    assert all(weight(part) <= limit for part in parts)
    assert all(is_well_formed(body) for body in shown)
    whole = re.sub(r"\s+", "", "".join(letters(body) for body in shown))
    assert without_numbers(whole) == without_numbers(re.sub(r"\s+", "", letters(html)))


def without_numbers(text: str) -> str:
    """Numbers of items are checked where lists are whole; broken HTML may count differently."""
    return re.sub(r"\d+\.", "", text)


@given(TEXTS, st.integers(1, 900))
def test_a_prefix_never_weighs_more_than_its_room(text: str, room: int) -> None:
    length = prefix_length(text, room)
    assert weight(text[:length].replace("&", "&amp;").replace("<", "&lt;")) <= room
    assert length > 0 or not text or room < 12


@pytest.mark.parametrize(
    "html",
    [
        "<p>a sentence of some words, and more of them to come</p>" * 90_000,
        "word " * 1_000_000,
        "<ol>" + "<li>an item of the list with a few words in it</li>" * 100_000,
        "<pre>" + "    indented code\n" * 250_000,
        "日本語" * 600_000,
    ],
)
def test_megabytes_are_split_in_time_linear_in_their_length(html: str) -> None:
    started = time.process_time()
    split_html(html, 60_000, "en")
    assert time.process_time() - started < 10
