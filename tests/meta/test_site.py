"""The site is built from the docs as they are: links and anchors lead somewhere, nothing is asked
of another host, and no page is left out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.project import ROOT

#: What a browser fetches by itself; where a reader may go by a click is the reader's choice.
FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"?([^\"\s>]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def build(folder: Path, config: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict"),
            *("--config-file", str(config), "--site-dir", str(folder)),
        ],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_every_page_of_the_docs_is_a_page_of_the_site(site: Path) -> None:
    pages = sorted((ROOT / "docs").rglob("*.md"))
    made = [page.relative_to(ROOT / "docs").with_suffix(".html") for page in pages]
    made = [Path(str(page).replace("README.html", "index.html")) for page in made]
    assert [str(page) for page in made if not (site / page).is_file()] == []
    assert len(made) > 20


def test_a_reader_s_browser_asks_no_other_host(site: Path) -> None:
    asked = {
        f"{page.relative_to(site)}: {address}"
        for page in site.rglob("*.html")
        for address in FETCHED.findall(page.read_text(encoding="utf-8"))
        if re.match(r"(?:[a-z]+:)?//", address)
    }
    assert asked == set()
    # The theme would fetch a program to draw these.
    assert [page for page in site.rglob("*.html") if 'class="mermaid"' in page.read_text()] == []


def test_a_file_outside_the_docs_comes_along_as_text(site: Path) -> None:
    unit = site / "sources" / "config" / "systemd" / "syncd.service.txt"
    assert unit.read_bytes() == (ROOT / "config" / "systemd" / "syncd.service").read_bytes()
    assert 'href="sources/config/systemd/syncd.service.txt"' in (site / "install.html").read_text()


def test_the_search_finds_a_key_of_the_configuration(site: Path) -> None:
    assert "requester_address" in (site / "search" / "search_index.json").read_text()


@pytest.mark.parametrize(
    "wrong",
    [
        "[nowhere](nowhere.md)",
        "[no such heading](install.md#nowhere)",
        "[no such file](../nowhere.txt)",
        "```mermaid\nflowchart LR\n  a --> nobody\n```",
    ],
)
def test_a_page_that_leads_nowhere_fails_the_build(wrong: str, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# Here\n\n{wrong}\n", encoding="utf-8")
    (docs / "install.md").write_text("# Install\n", encoding="utf-8")
    (docs / "site.css").touch()
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    before, _, rest = text.partition("nav:\n")
    after = rest[rest.index("theme:\n") :].replace("docs/site.py", str(ROOT / "docs/site.py"))
    config = tmp_path / "mkdocs.yml"
    config.write_text(before + after, encoding="utf-8")
    done = build(tmp_path / "site", config)
    assert done.returncode != 0
    assert "nowhere" in done.stdout + done.stderr or "nobody" in wrong
