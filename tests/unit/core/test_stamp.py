"""The mark by which our own write is found again."""

from __future__ import annotations

import pytest

from syncd.core.model import LinkName, OpId
from syncd.core.stamp import read_stamp, stamp_for


@pytest.mark.parametrize("link", ["acme", "acme:postgres", "アクメ"])
def test_a_stamp_reads_back_as_what_it_was_made_of(link: str) -> None:
    assert read_stamp(stamp_for(LinkName(link), OpId("0f"))) == (link, "0f")


@pytest.mark.parametrize("text", ["", "syncd", "syncd:acme", "syncd::0f", "syncd:acme:", "x:a:0f"])
def test_any_other_text_is_no_stamp(text: str) -> None:
    assert read_stamp(text) is None
