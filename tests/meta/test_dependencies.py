"""The lock holds what is declared, each package by its hash, and names no place to fetch from."""

from __future__ import annotations

import re
import tomllib

from tests.meta.project import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_lock_covers_every_declared_package() -> None:
    declared = [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ]
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
    assert [name for name in map(_name, declared) if name not in locked] == []


def test_every_locked_package_has_a_hash() -> None:
    packages = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert "://" not in LOCK
    assert re.search(r"^\s*--?(?:index|extra|find|trusted)", LOCK, re.MULTILINE) is None


def test_declared_packages_have_lower_bounds_only() -> None:
    declared = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ]
    assert [one for one in declared if re.search(r"[<~!]|==", one)] == []


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()
