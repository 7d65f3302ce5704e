"""The page docs/cli.md is what the program says."""

from __future__ import annotations

from pathlib import Path

from syncd.cli.exit_code import ExitCode
from syncd.cli.reference import render

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cli.md"


def test_the_page_is_what_the_commands_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert render() == page, "write it anew: python -m syncd.cli.reference > docs/cli.md"


def test_the_page_has_every_exit_code() -> None:
    page = render()
    assert [code for code in ExitCode if f"| {code.value} | {code.meaning} |" not in page] == []


def test_the_page_has_every_default_and_choice_of_an_option() -> None:
    page = render()
    assert "| `--limit N`, `-n` | At most this many. By default `1000`. |" in page
    assert "`--format table\\|json\\|csv`" in page
