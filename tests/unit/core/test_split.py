"""Comments that are too long for one body."""

from __future__ import annotations

import pytest

from syncd.core.lines import plain_text
from syncd.core.split import split_html


@pytest.mark.parametrize("text", ["x" * 9_000, "😀" * 2_000, "<" * 3_000, "ab cd " * 1_500])
def test_no_part_is_longer_than_the_limit_whatever_the_text_is_made_of(text: str) -> None:
    html = f"<pre>{text.replace('<', '&lt;')}</pre>"
    parts = split_html(html, 2_000, "de")
    assert all(len(part.encode()) <= 2_000 for part in parts)
    shown = "".join("".join(plain_text(part).splitlines()[1:]) for part in parts)
    assert shown.replace(" ", "") == text.replace(" ", "")


def test_a_comment_that_fits_keeps_its_markup() -> None:
    assert split_html("<b>x</b>", 2_000, "en") == ("<b>x</b>",)
