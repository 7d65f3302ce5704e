"""Rich text: one safe subset, whatever came in."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.richtext import (
    TAGS,
    from_text,
    likeness,
    plain_characters,
    sanitise,
    without_placeholders,
)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", ""),
        ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
        ('<div class="zd-comment" dir="auto"><p dir="auto">Hi</p></div>', "<p>Hi</p>"),
        ("<div>one</div><div>two</div>", "one<br>two"),
        ("Hello<div>World</div>again", "Hello<br>World<br>again"),
        ("<div><p>a</p></div><div>b</div>", "<p>a</p>b"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("<pre>  code\n   more</pre>", "<pre>  code\n   more</pre>"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ('<a href="https://x.example/?a=1&b=2" title="t">l</a>',
         '<a href="https://x.example/?a=1&amp;b=2">l</a>'),
        ('<a href="javascript:alert(1)">press</a>', "press"),
        ('<a name="x">anchor</a>', "anchor"),
        ("<script>alert(1)</script><style>p{}</style>ok", "ok"),
        ('<p onclick="steal()">Hi</p>', "<p>Hi</p>"),
        ("<iframe src='https://evil.example'></iframe>ok", "ok"),
        ("<!-- secret -->ok", "ok"),
        ("<table><tr><td>1</td></tr></table>", "<table><tbody><tr><td>1</td></tr></tbody></table>"),
        ("مرحبا 👋 שלום", "مرحبا 👋 שלום"),
    ],
)  # fmt: skip
def test_html_becomes_the_subset(html: str, expected: str) -> None:
    assert sanitise(html) == expected


@pytest.mark.parametrize(
    "mark", ["gmail_quote", "zd-quote", "moz-cite-prefix", "yahoo_quoted", "quoted"]
)
def test_what_a_mail_program_quotes_becomes_a_quotation(mark: str) -> None:
    html = f'<p>New</p><div class="x {mark}"><p>Old</p></div>'
    assert sanitise(html) == "<p>New</p><blockquote><p>Old</p></blockquote>"
    assert sanitise(f'<p id="{mark}">Old</p>') == "<blockquote><p>Old</p></blockquote>"


def test_a_quotation_that_is_one_already_is_not_doubled() -> None:
    assert (
        sanitise('<blockquote class="gmail_quote">q</blockquote>') == "<blockquote>q</blockquote>"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        '<div style="display:none">x <b>y</b></div>',
        '<span style="color:red; visibility: hidden">x</span>',
        '<p hidden>x<br><img src="https://a.example/i.png"></p>',
        '<p style="font-size:0px">x</p>',
        '<div style="mso-hide:all">x</div>',
    ],
)
def test_what_was_hidden_stays_out_of_sight(hidden: str) -> None:
    assert sanitise(f"<p>a</p>{hidden}<p>b</p>") == "<p>a</p><p>b</p>"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ('<img src="https://a.example/t/1.png" alt="shot">',
         '<a href="https://a.example/t/1.png">shot</a>'),
        ('<img src="https://a.example/t/my%20shot.png">',
         '<a href="https://a.example/t/my%20shot.png">my shot.png</a>'),
        ('<img src="https://a.example/">', '<a href="https://a.example/">image</a>'),
        ('<img src="cid:1" alt="logo">', "[logo]"),
        ('<img src="https://a.example/1" alt="&lt;script&gt;">',
         '<a href="https://a.example/1">&lt;script&gt;</a>'),
    ],
)  # fmt: skip
def test_a_picture_becomes_a_link(image: str, expected: str) -> None:
    assert sanitise(image) == expected


def test_control_characters_and_broken_pairs_are_gone() -> None:
    assert sanitise("a\x00b\x1fc\ud83dd\ufffee\tf\ng") == "abc\ufffdde\tf\ng"
    assert plain_characters("\udc00x") == "\ufffdx"


def test_a_plain_text_keeps_its_lines() -> None:
    assert from_text("a\r\nb\n\n\n<c> & d\n") == "<p>a<br>b</p><p>&lt;c&gt; &amp; d</p>"
    assert from_text("") == ""


@pytest.mark.parametrize(
    "text",
    ["{{ticket.id}}", "{% if x %}", "{<i></i>{x}}", "{{{{x}}}}", "{ {x}", "{<b>{</b>%"],
)
def test_no_placeholder_survives(text: str) -> None:
    broken = without_placeholders(text)
    bare = re.sub(r"<[^>]*>", "", broken)
    assert "{{" not in bare
    assert "{%" not in bare
    assert broken.replace("\u200b", "") == text
    assert without_placeholders(broken) == broken


def test_a_link_cannot_carry_a_placeholder() -> None:
    html = sanitise('<a href="https://x.example/{{ticket.requester.email}}">l</a>')
    assert "{" not in html


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<p>Hi there</p>", '<div class="zd-comment"><p dir="auto">Hi&nbsp;there</p></div>'),
        ("a<br>b", "<p>a</p><p>b</p>"),
        ("{{x}}", "{\u200b{x}}"),
        ("a &amp; b", "a & b"),
    ],
)
def test_two_forms_of_one_comment_are_alike(one: str, other: str) -> None:
    assert likeness(one) == likeness(other)


def test_two_comments_are_not_alike() -> None:
    assert likeness("<p>yes</p>") != likeness("<p>no</p>")


PIECES = st.sampled_from(
    [
        *"<div> </div> <p> </p> <b> </b> <br> text &lt; &amp; < > {{ <table> <td> </table>".split(),
        *"<li> <ul> </ul> <script> </script> <blockquote> </blockquote> <pre> <!-- -->".split(),
        *'<svg> <math> <style> </a> " \x00 \ud800'.split(),
        " \n ",
        '<a href="https://x.example">',
        "<a href=javascript:1>",
        '<div class="gmail_quote">',
        '<i style="display:none">',
        '<img src="https://x.example/1" alt="<q">',
        '<p title="a>b">',
    ]
)


@given(st.lists(PIECES, max_size=16).map("".join))
def test_whatever_comes_in_only_the_subset_comes_out(html: str) -> None:
    clean = sanitise(html)
    for tag, rest in re.findall(r"<([^\s>/]+)([^>]*)>", clean):
        assert tag in TAGS
        assert re.fullmatch(r'( href="https://x\.example[^"]*")?', rest)
    opened = re.findall(r"<(?!/)(?!br|hr)([a-z0-9]+)", clean)
    closed = re.findall(r"</([a-z0-9]+)>", clean)
    assert sorted(opened) == sorted(closed)
    assert likeness(clean) == likeness(html)
    assert "{{" not in without_placeholders(clean)


@pytest.mark.parametrize(
    "html",
    ["<div>" * 13_000, "<a " * 21_000, "{" * 65_000, "<b>{" * 16_000, "<" * 65_000, "&#" * 32_000],
)
def test_64_kilobytes_of_malice_take_no_time(html: str) -> None:
    started = time.perf_counter()
    without_placeholders(sanitise(html))
    assert time.perf_counter() - started < 5
