"""The repository as the meta tests see it: its files, its docs, and its modules once they exist.

Reads the folder itself, not git, so that a change is judged before it is committed, and an
unpacked archive too.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("syncd", "connectors", "config")
# Of the folders with a leading dot only this one is ours; the others are tools' and git's.
DOT_FOLDERS = {".ci"}
LEFTOVERS = {"__pycache__", "build", "dist", "htmlcov", "site", "var"}


def all_files(*suffixes: str) -> Iterator[Path]:
    """Every file of the project, or those with one of the suffixes, in stable order."""
    for path in _walk(ROOT):
        if not suffixes or path.suffix in suffixes:
            yield path


def product_files() -> Iterator[Path]:
    """The Python files that go into the wheel."""
    for package in PACKAGES:
        yield from (path for path in _walk(ROOT / package) if path.suffix == ".py")


def relative(path: Path) -> str:
    """The path as a person writes it, from the repository's root."""
    return path.relative_to(ROOT).as_posix()


def user_docs() -> str:
    """All that a user reads: the README and docs/, without the decisions' records."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages if page.exists())


def module_or_pending(name: str) -> ModuleType:
    """Import the module, or skip as pending where it is not written yet; a broken import fails."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name and (name == missing.name or name.startswith(f"{missing.name}.")):
            pytest.skip(f"pending: {name} does not exist yet")
        raise


def attribute_or_pending(module: ModuleType, name: str) -> object:
    """The module's attribute, or a skip as pending where it is not written yet."""
    if not hasattr(module, name):
        pytest.skip(f"pending: {module.__name__}.{name} does not exist yet")
    return getattr(module, name)


def file_or_pending(name: str) -> Path:
    """The file, or a skip as pending where it is not written yet."""
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"pending: {name} does not exist yet")
    return path


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name in LEFTOVERS or path.name.endswith(".egg-info"):
                continue
            if path.name.startswith(".") and path.name not in DOT_FOLDERS:
                continue
            yield from _walk(path)
        elif not path.name.startswith(".coverage") and path.name != ".git":
            # What a coverage run leaves, or a second checkout, holds the paths of this machine.
            yield path
