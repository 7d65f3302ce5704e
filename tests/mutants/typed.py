"""Which mutants that no test noticed would be refused by the type check of `make check`.

`None` for an argument that may not be None is most of what survives the tests, and nobody could
merge it. Each survivor is written into a copy of the package, and mypy, kept running, is asked.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

CORE = Path("syncd/core")
_COPIED = ("syncd", "connectors", "config", "mutants", "tests")
_DMYPY = Path(sys.executable).with_name("dmypy")


def refused(names: Sequence[str], *, root: Path, scratch: Path) -> Iterator[str]:
    """Those of the mutants that mypy refuses, one by one; `scratch` is made and overwritten."""
    shutil.rmtree(scratch, ignore_errors=True)
    for name in _COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, scratch / name, ignore=ignored)
    shutil.copy(root / "pyproject.toml", scratch)
    # mutmut reads and writes below the working directory.
    with contextlib.chdir(scratch):
        apply = importlib.import_module("mutmut.mutation.diff_apply").apply_mutant
        if not _is_sound():
            raise RuntimeError("the core has type errors as it is")
        try:
            for name in names:
                file = CORE / f"{name.split('.')[2]}.py"
                original = file.read_bytes()
                apply(name)
                is_sound = _is_sound()
                file.write_bytes(original)
                if not is_sound:
                    yield name
        finally:
            _dmypy("stop")


def _is_sound() -> bool:
    return _dmypy("run", "--", "--strict", os.fspath(CORE)) == 0


def _dmypy(*words: str) -> int:
    return subprocess.run([_DMYPY, *words], capture_output=True, check=False).returncode
