"""Every file in the partner guide is tried: right ones load, wrong ones say what stands there.

`python -m tests.meta.test_partner_guide` puts in what syncd says today of the wrong ones.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.load import load_text
from config.policy import link_policy
from connectors import registry
from syncd.core.errors import ConfigError
from tests.meta.project import ROOT

GUIDE = ROOT / "docs" / "partner-guide.md"
SECRETS = {"PLATFORM_TOKEN": "pt-0451", "ACME_SECRET": "as-9173"}
RIGHT = re.compile(r"^## (\d+)\. (.+?)\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRONG = re.compile(
    r"^### (.+?)\n\n```yaml title=\"wrong\"\n(.*?)^```\n\n```text\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PAGE = GUIDE.read_text(encoding="utf-8")
MAPPINGS = RIGHT.findall(PAGE)
MISTAKES = WRONG.findall(PAGE)


def said(text: str) -> str:
    """What syncd prints of a file, problems and warnings, as `syncd check` does."""
    try:
        loaded = load_text(text.encode(), SECRETS, registry, file="syncd.yaml", folder=Path())
    except ConfigError as error:
        return "".join(f"error: {problem}\n" for problem in error.problems)
    return "".join(f"warning: {problem}\n" for problem in loaded.warnings)


@pytest.mark.parametrize(("number", "title", "text"), MAPPINGS, ids=[m[1] for m in MAPPINGS])
def test_a_mapping_is_a_whole_file_without_a_fault(number: str, title: str, text: str) -> None:
    (file,) = FILE.findall(text)
    loaded = load_text(file.encode(), SECRETS, registry, file="syncd.yaml", folder=Path())
    assert loaded.warnings == ()
    assert [link_policy(loaded.config, name).link for name in loaded.config.links]
    assert "**What an agent sees.**" in text


@pytest.mark.parametrize(("title", "text", "words"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_told_in_the_words_of_the_page(title: str, text: str, words: str) -> None:
    assert words.strip()
    assert said(text) == words


def test_the_guide_has_no_file_that_is_not_tried() -> None:
    assert len(MAPPINGS) >= 10
    assert [number for number, *_ in MAPPINGS] == [str(n + 1) for n in range(len(MAPPINGS))]
    assert PAGE.count("```yaml") == len(MAPPINGS) + len(MISTAKES)


if __name__ == "__main__":
    for _, wrong, old in MISTAKES:
        between = f"{wrong}```\n\n```text\n"
        PAGE = PAGE.replace(f"{between}{old}```", f"{between}{said(wrong)}```")
    GUIDE.write_text(PAGE, encoding="utf-8")
