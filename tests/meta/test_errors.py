"""Every error says what a person can do, and the reaction table says what syncd does."""

from __future__ import annotations

import ast
import inspect

import pytest

from syncd.cli.error_reference import render
from syncd.core import errors
from tests.meta.project import file_or_pending, module_or_pending

ERRORS = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.SyncdError) and error.__module__ == errors.__name__
]
# Never raised themselves: they group those below them, which have the reactions.
GROUPS = {error.__name__ for error in ERRORS if any(error in other.__bases__ for other in ERRORS)}


def names(errors: list[type[errors.SyncdError]]) -> list[str]:
    """Ids for parametrised tests."""
    return [error.__name__ for error in errors]


@pytest.mark.parametrize("error", ERRORS, ids=names(ERRORS))
def test_every_error_has_a_hint_for_a_person(error: type[errors.SyncdError]) -> None:
    assert error.default_hint.strip().endswith((".", "'."))


@pytest.mark.parametrize("error", ERRORS, ids=names(ERRORS))
def test_every_error_has_a_reaction(error: type[errors.SyncdError]) -> None:
    reaction = module_or_pending("syncd.core.reaction")
    tree = ast.parse(inspect.getsource(reaction))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert error.__name__ in used | GROUPS


@pytest.mark.parametrize("error", ERRORS, ids=names(ERRORS))
def test_the_docs_have_a_section_for_every_error(error: type[errors.SyncdError]) -> None:
    page = file_or_pending("docs/errors.md").read_text(encoding="utf-8")
    assert f"\n## `{error.__name__}`\n" in page or error.__name__ in GROUPS


def test_the_page_of_errors_is_what_the_errors_say() -> None:
    page = file_or_pending("docs/errors.md").read_text(encoding="utf-8")
    assert render() == page, "write it anew: python -m syncd.cli.error_reference > docs/errors.md"
