"""Every relative link in the docs leads to a file, and its anchor to a heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.meta.project import all_files, relative

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]\n]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def test_every_relative_link_leads_somewhere() -> None:
    dead = [
        f"{relative(page)}: {link}"
        for page in all_files(".md")
        for link in LINK.findall(CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8"))))
        if not _resolves(page, link)
    ]
    assert dead == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("The store", "the-store"),
        ("`syncd plan PAIR`", "syncd-plan-pair"),
        ("What is *never* synced?", "what-is-never-synced"),
        ("再割り当て", "再割り当て"),
    ],
)
def test_an_anchor_is_spelled_as_the_forge_spells_it(heading: str, anchor: str) -> None:
    assert _anchor(heading) == anchor


def _resolves(page: Path, link: str) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return True  # another site's page: whether it is up is not this repository's to say
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists():
        return False
    if not anchor or target.suffix != ".md":
        return True
    text = FENCE.sub("", target.read_text(encoding="utf-8"))
    return anchor in {_anchor(heading) for heading in HEADING.findall(text)}


def _anchor(heading: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
