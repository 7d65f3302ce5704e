"""The locks hold what is declared, each package by its hash, and name no place to fetch from."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from tests.meta.project import PACKAGES, ROOT, product_files

#: What runs, and what tests and checks need beside it.
LOCKS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("requirements.lock", "requirements-dev.lock")
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(lock: str) -> dict[str, str]:
    """Versions by name."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))


def test_the_locks_cover_every_declared_package_and_no_more_than_it_takes_to_run() -> None:
    runs = {_name(one) for one in PROJECT["project"]["dependencies"]}
    dev = {_name(one) for one in PROJECT["project"]["optional-dependencies"]["dev"]}
    builds = {_name(one) for one in PROJECT["build-system"]["requires"]}
    own, all_of_them = map(locked, LOCKS.values())
    assert runs - own.keys() == set()
    assert (runs | dev | builds) - all_of_them.keys() == set()
    assert dev & own.keys() == set()


def test_what_runs_is_what_was_tested() -> None:
    own, all_of_them = map(locked, LOCKS.values())
    assert own.items() <= all_of_them.items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str) -> None:
    packages = re.split(r"^(?=[a-z0-9])", LOCKS[name], flags=re.MULTILINE)[1:]
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_place_to_fetch_from(name: str) -> None:
    assert "://" not in LOCKS[name]
    assert re.search(r"^\s*--?(?:index|extra|find|trusted)", LOCKS[name], re.MULTILINE) is None


def test_declared_packages_have_lower_bounds_only() -> None:
    declared = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ]
    assert [one for one in declared if re.search(r"[<~!]|==", one)] == []


def test_whatever_is_imported_is_declared() -> None:
    """A package that comes by another's grace goes when the other no longer wants it."""
    declared = {_name(one) for one in PROJECT["project"]["dependencies"]}
    known = packages_distributions()
    foreign = set(_imported()) - set(sys.stdlib_module_names) - set(PACKAGES)
    assert "httpx" in foreign
    owners = {name: {_name(each) for each in known.get(name, [name])} for name in foreign}
    assert {name: each for name, each in owners.items() if not each & declared} == {}


def _imported() -> Iterator[str]:
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()
