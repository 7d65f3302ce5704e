"""docs/doctor.md lists every finding of `syncd doctor` as the product has it, and no other."""

from __future__ import annotations

import re

from syncd.doctor.ailments import AILMENTS, inserted
from tests.meta.project import ROOT, product_files

PAGE = ROOT / "docs" / "doctor.md"


def test_the_page_is_what_the_list_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == inserted(page), (
        'write it anew: python -c "from pathlib import Path; from syncd.doctor.ailments import'
        " inserted; page = Path('docs/doctor.md'); page.write_text(inserted(page.read_text()))\""
    )


def test_every_ailment_is_found_by_somebody() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for path in product_files()
        if path.parent.name == "doctor" and path.name != "ailments.py"
    )
    # The secrets' come from their flaws.
    named = {*re.findall(r'"([a-z]+\.[a-z_]+)"', sources)}
    named |= {f"secret.{flaw}" for flaw in re.findall(r'= "([a-z_]+)"', sources)}
    assert set(AILMENTS) - named == set()


def test_commands_that_the_list_names_are_ours_or_the_systems() -> None:
    own = {one.remedy.split()[1] for one in AILMENTS.values() if one.remedy.startswith("syncd ")}
    reference = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [word for word in own if f"`syncd {word}" not in reference] == []
