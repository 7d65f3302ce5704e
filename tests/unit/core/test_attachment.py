"""What of a file's description may be shown and sent on."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.attachment import (
    NAMELESS,
    UNTYPED,
    harmless,
    safe_name,
    safe_type,
    shown_address,
)
from tests.support.build import an_attachment


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log.txt", "log.txt"),
        ("", NAMELESS),
        ("...", NAMELESS),
        ("\x00\r\n", NAMELESS),
        ("a/b/../c.txt", "c.txt"),
        ("folder/", NAMELESS),
        ("..\\..\\boot.ini", "boot.ini"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie_ x"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth.txt", "zerowidth.txt"),
        ('quote".txt', "quote_.txt"),
        ("two   blanks.txt", "two blanks.txt"),
        ("half\ud800.txt", "half.txt"),
        ("e\u0301.txt", "\u00e9.txt"),
    ],
)
def test_a_name_is_a_name_and_nothing_else(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_a_long_name_keeps_its_ending() -> None:
    assert safe_name("x" * 500 + ".tar") == "x" * 116 + ".tar"
    assert safe_name("報" * 500 + ".pdf").endswith("報.pdf")
    assert len(safe_name("x" * 10 + "." + "y" * 500)) == 120


@given(st.text())
def test_every_name_is_short_visible_and_no_path(name: str) -> None:
    made = safe_name(name)
    assert 0 < len(made) <= 120
    assert len(made.encode()) <= 200
    assert not set(made) & set('/\\<>:"|?*;%\r\n\x00')
    assert {unicodedata.category(char) for char in made}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert safe_name(made) == made


@pytest.mark.parametrize(
    ("given_type", "expected"),
    [
        ("text/plain", "text/plain"),
        ("Image/PNG; name=x", "image/png"),
        ("text/html\r\nX-Evil: 1", UNTYPED),
        ("nonsense", UNTYPED),
        ("", UNTYPED),
    ],
)
def test_a_type_is_a_type_or_none(given_type: str, expected: str) -> None:
    assert safe_type(given_type) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://desk.example/a?token=s3cret",
        "https://desk.example/a#s3cret",
        "https://me:pw@desk.example/a",
        "javascript:alert(1)",
        "https:///a",
        "https://desk.example/a\nb",
        "https://[desk/a",
        "https://desk.example/" + "x" * 500,
    ],
)
def test_an_address_that_could_hold_a_secret_or_leads_nowhere_is_not_shown(url: str) -> None:
    assert shown_address(url) == ""


def test_an_address_of_a_page_is_shown() -> None:
    assert harmless(an_attachment()).url == "https://desk.example/attachments/a1"


def test_a_harmless_file_has_nothing_left_of_what_could_harm() -> None:
    file = an_attachment("../a\r\nb.txt")
    hostile = replace(file, content_type="text/html\r\nX: y", url="javascript:alert(1)")
    made = harmless(hostile)
    assert (made.name, made.content_type, made.url) == ("ab.txt", UNTYPED, "")
    assert replace(made, name=file.name, content_type="", url="") == replace(
        file, content_type="", url=""
    )


def test_a_name_is_cut_to_its_bounds_and_no_further() -> None:
    exact = "x" * 116 + ".txt"
    assert safe_name(exact) == exact
    full = "é" * 98 + ".txt"
    assert (len(full.encode()), safe_name(full)) == (200, full)
    assert safe_name("é" * 99 + ".txt") == full
    dotted = "a.b." + "x" * 200 + ".txt"
    assert safe_name(dotted) == "a.b." + "x" * 112 + ".txt"
    # An ending of sixteen is one; of seventeen it is part of the name.
    assert safe_name("x" * 200 + "." + "y" * 16).endswith("x." + "y" * 16)
    assert safe_name("x" * 200 + "." + "y" * 17) == "x" * 120


@pytest.mark.parametrize("url", ["https://me@x.test/f", "https://:pw@x.test/f"])
def test_an_address_with_half_a_login_is_not_shown(url: str) -> None:
    assert shown_address(url) == ""


def test_an_address_is_shown_up_to_its_bound() -> None:
    longest = "https://x.test/" + "a" * 485
    assert (len(longest), shown_address(longest)) == (500, longest)
    assert shown_address(longest + "a") == ""
