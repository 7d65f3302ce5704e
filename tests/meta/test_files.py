"""Every file is small, named for one thing, introduces itself, and is of no one machine."""

from __future__ import annotations

import ast
import re

from tests.meta.project import ROOT, all_files, product_files, relative

LINE_BUDGET = 450
# A file here is allowed past the budget, with its reason. Empty is the aim.
OVER_BUDGET: dict[str, str] = {}

SHAPELESS_NAMES = {"base", "common", "helpers", "manager", "misc", "utils"}

# In two halves, so that this file does not name them either.
REGISTRY_HOSTS = tuple(
    ".".join(halves)
    for halves in (
        ("pypi", "org"),
        ("files.pythonhosted", "org"),
        ("registry.npmjs", "org"),
        ("deb.debian", "org"),
        ("proxy.golang", "org"),
        ("crates", "io"),
    )
)
HOME_OF_ONE_MACHINE = re.compile(r"(?<![\w.$}])/(?:work|root|home|Users|opt/pypi)/\w")


def test_every_product_file_stays_within_its_budget() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in product_files()
    }
    too_long = {
        name: count
        for name, count in lengths.items()
        if count > LINE_BUDGET and name not in OVER_BUDGET
    }
    assert too_long == {}, f"more than {LINE_BUDGET} lines: split along a word of docs/glossary.md"
    assert [name for name in OVER_BUDGET if lengths.get(name, 0) <= LINE_BUDGET] == []


def test_every_product_module_is_named_for_one_thing() -> None:
    shapeless = [
        relative(path)
        for path in product_files()
        if SHAPELESS_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)
    ]
    assert shapeless == []


def test_every_product_module_opens_with_what_it_promises() -> None:
    speechless = []
    for path in product_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        opening = (ast.get_docstring(tree) or "").split("\n\n")[0].rstrip()
        is_sentence = opening.endswith((".", ":", "?")) and not opening.startswith("This module")
        # An empty __init__.py has nothing to promise.
        if tree.body and not is_sentence:
            speechless.append(relative(path))
    assert speechless == [], "the module docstring opens with a full sentence"


def test_no_part_is_replaced_by_a_mock() -> None:
    mocked = []
    for path in all_files(".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported: list[str] = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [f"{node.module}.{alias.name}" for alias in node.names]
            if any(name.startswith(("unittest.mock", "mock.")) for name in imported):
                mocked.append(relative(path))
    assert mocked == []


def test_no_file_names_a_package_registry_or_a_folder_of_one_machine() -> None:
    found = []
    for path in all_files():
        # Bytes of a picture that are no text say nothing either.
        text = path.read_text(encoding="utf-8", errors="ignore")
        names = [host for host in REGISTRY_HOSTS if host in text]
        names += HOME_OF_ONE_MACHINE.findall(text)
        found += [f"{relative(path)}: {name}" for name in names]
    assert found == []
