"""Every error says what a person can do, and the reaction table says what syncd does."""

from __future__ import annotations

import ast
import inspect

import pytest

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
def test_the_docs_name_every_error(error: type[errors.SyncdError]) -> None:
    page = file_or_pending("docs/operations.md").read_text(encoding="utf-8")
    assert f"`{error.__name__}`" in page or error.__name__ in GROUPS
