"""Say how many of the core's mutants were noticed, by module, and list those that were not.

Run after `mutmut run`, in the same folder. Ends with 1 below the share that docs/mutants.md states.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.mutants.typed import CORE, refused

LEAST = 0.90
#: mutmut's exit codes: the tests passed, and there was none to run.
_UNNOTICED = {0, 33}


def main() -> int:
    """Print the table and the list."""
    root = Path.cwd()
    codes: dict[str, int | None] = {}
    for file in sorted((root / "mutants" / CORE).glob("*.meta")):
        codes |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
    tried = {name: code for name, code in codes.items() if code is not None}
    survivors = [name for name, code in tried.items() if code in _UNNOTICED]
    with tempfile.TemporaryDirectory() as scratch:
        by_types = set(refused(survivors, root=root, scratch=Path(scratch) / "core"))
    left = [name for name in survivors if name not in by_types]
    _table(tried, survivors, left)
    for name in left:
        print(name)
    share = 1 - len(left) / max(len(tried), 1)
    print(f"{share:.1%} of {len(tried)} mutants noticed")
    return 0 if share >= LEAST else 1


def _table(tried: Mapping[str, int], survivors: list[str], left: list[str]) -> None:
    total, unnoticed, missed = (Counter(map(_module, names)) for names in (tried, survivors, left))
    print("| module | mutants | by tests | by types | left |\n|---|---|---|---|---|")
    for module in sorted(total):
        by_tests = total[module] - unnoticed[module]
        by_types = unnoticed[module] - missed[module]
        cells = (module, total[module], by_tests, by_types, missed[module])
        print("| " + " | ".join(map(str, cells)) + " |")


def _module(name: str) -> str:
    return name.split(".")[2]


if __name__ == "__main__":
    sys.exit(main())
