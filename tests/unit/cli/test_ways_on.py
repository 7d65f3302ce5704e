"""Each reason for which a pair parks has verbs that end it, here and in the docs."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.cli.root import app
from syncd.cli.ways_on import WAYS_ON
from syncd.core import errors
from tests.meta.project import ROOT, product_files

#: Words that stand for a reason and are none: the link's own, and where a part of a name is put in.
_OF_LINKS = {"leak", "paused", "mass_change"}


def reasons_in_the_code() -> set[str]:
    """Every reason that is written down as one word, and those of the refusals."""
    named = re.compile(r"(?:Stop|Park)\(\s*reason=\"(\w+)\"")
    found = {
        reason
        for path in product_files()
        for reason in named.findall(Path(path).read_text(encoding="utf-8"))
    }
    return found | {refusal.value for refusal in errors.Refusal}


def rows() -> dict[str, str]:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = page[page.index("## Parked pairs") : page.index("A line about a **status**")]
    found: dict[str, str] = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found |= dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), cells[-1])
    return found


def test_every_reason_has_verbs_that_exist() -> None:
    commands = {
        command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert reasons_in_the_code() - _OF_LINKS <= WAYS_ON.keys()
    assert {verb for verbs in WAYS_ON.values() for verb in verbs} <= commands


def test_the_docs_say_of_every_reason_what_ends_it() -> None:
    documented = {
        reason: tuple(re.findall(r"`(\w+)`", verbs))
        for reason, verbs in rows().items()
        if reason not in _OF_LINKS
    }
    assert documented == dict(WAYS_ON)
