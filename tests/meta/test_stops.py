"""Every reason for which something stops or is held stands in the operator handbook, and no other.

Reasons are read out of the program: where a stop, a park or a held comment is made.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from syncd.core.errors import Refusal
from tests.meta.project import ROOT, product_files, relative

#: Places that hand on a reason which was given elsewhere: what they read it from.
HANDED_ON = {
    "stop.reason",
    "settlement.stop.reason",
    "decided.stop.reason",
    "error.refusal.value",  # all of `Refusal`
    "type(error).__name__.lower()",  # an error that parks after some tries
    "row['stop_reason']",
    "stop['reason']",
    "row['reason']",
    "reason",
}
CELL = re.compile(r"`(\w+)`")


def given() -> Iterator[str]:
    """Each reason as a pattern: a part that is put in only when it runs matches any word."""
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from _of_call(node, path)
    yield from (refusal.value for refusal in Refusal)
    yield from ("unintelligible", "paused")


def _of_call(call: ast.Call, path: Path) -> Iterator[str]:
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "_held" and len(call.args) == 3:
        yield _pattern(call.args[2], path)
    elif name in {"Park", "Stop", "Held"}:
        reasons = [each.value for each in call.keywords if each.arg == "reason"]
        yield from (
            _pattern(reason, path) for reason in reasons if ast.unparse(reason) not in HANDED_ON
        )


def _pattern(value: ast.expr, path: Path) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in parts
            )
        case ast.Call(func=ast.Name(id="lost_reason")):
            return r"(platform|partner)_ticket_(deleted|spam)"
        case ast.Name(id=name):
            module = relative(path.with_suffix("")).replace("/", ".")
            return str(getattr(importlib.import_module(module), name))
        case ast.Attribute(attr="value", value=ast.Attribute(attr=name)):
            return str(Refusal[name].value)
        case _:
            place = f"{relative(path)}:{value.lineno}"
            raise AssertionError(f"{place}: a reason that nobody can look up: {ast.unparse(value)}")


def documented() -> set[str]:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page[page.index("## Parked pairs") : page.index("## What people do by hand")]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [row[1] if len(CELL.findall(row[0])) == 0 else row[0] for row in rows if len(row) == 4]
    return {reason for cell in cells for reason in CELL.findall(cell)}


def test_every_reason_has_its_row_and_its_remedy() -> None:
    rows = documented()
    missing = [each for each in given() if not any(re.fullmatch(each, row) for row in rows)]
    assert missing == []


def test_every_row_is_of_a_reason_that_the_program_gives() -> None:
    patterns = set(given())
    assert len(patterns) > 20
    strange = [row for row in documented() if not any(re.fullmatch(p, row) for p in patterns)]
    assert strange == []
