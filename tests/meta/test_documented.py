"""The docs name all that a person can type or will read: commands, keys, events, targets."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from types import ModuleType

import typer
from pydantic import BaseModel

from syncd.core.alarm import AlarmKind
from tests.meta.project import (
    ROOT,
    attribute_or_pending,
    file_or_pending,
    module_or_pending,
    product_files,
    relative,
    user_docs,
)

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def test_the_docs_name_every_command_of_the_cli() -> None:
    app = attribute_or_pending(module_or_pending("syncd.cli"), "app")
    assert isinstance(app, typer.Typer)
    root = typer.main.get_command(app)
    commands = [" ".join(("syncd", *words)) for words in _leaves(root, ())]
    assert len(commands) > 1
    docs = user_docs()
    assert [command for command in commands if not re.search(rf"{command}\b", docs)] == []


def test_the_docs_name_every_key_of_the_configuration() -> None:
    keys = {
        field.alias or name
        for module in _settings_modules()
        for _, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, BaseModel) and model.__module__ == module.__name__
        for name, field in model.model_fields.items()
    }
    assert keys
    page = file_or_pending("docs/configuration.md").read_text(encoding="utf-8")
    assert sorted(key for key in keys if not re.search(rf"\b{re.escape(key)}\b", page)) == []


def test_the_handbook_has_a_line_for_every_log_event_and_for_no_other() -> None:
    page = file_or_pending("docs/operations.md").read_text(encoding="utf-8")
    log = page.partition("\n## The log\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \| ([^|]+) \|$", log, re.MULTILINE)
    assert sorted(event for event, _, _ in rows) == sorted(_events())
    # What it means, and what to do about it, be that nothing.
    assert [event for event, *told in rows if not all(text.strip(" .") for text in told)] == []


def test_the_handbook_has_a_row_for_every_kind_of_alarm_and_for_no_other() -> None:
    page = file_or_pending("docs/operations.md").read_text(encoding="utf-8")
    alarms = page.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \|$", alarms, re.MULTILINE)
    assert sorted(kind for kind, _, _ in rows) == sorted(kind.value for kind in AlarmKind)


def test_every_logged_event_is_in_the_list() -> None:
    events = _events()
    unlisted = [
        f"{relative(path)}: {event}"
        for path in product_files()
        for event in _logged(ast.parse(path.read_text(encoding="utf-8")))
        if event not in events
    ]
    assert unlisted == []


def test_every_event_in_the_list_is_logged_somewhere() -> None:
    # By its name alone: some are chosen first and logged a line later.
    said = {
        node.value
        for path in product_files()
        if relative(path) != "syncd/log.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(_events() - said) == []


def test_an_event_is_a_dotted_past_tense_name() -> None:
    shape = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
    assert [event for event in _events() if not shape.fullmatch(event)] == []


def test_the_docs_name_only_make_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z-]+)`", user_docs() + contributing))
    assert named - targets == set()


def _leaves(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    # By its shape: typer brings its own copy of click, or uses the real one, depending on its age.
    children = getattr(command, "commands", None)
    if children is None:
        yield words
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _leaves(child, (*words, name))


def _settings_modules() -> Iterator[ModuleType]:
    """The modules whose models make up the configuration file, the connectors' part included."""
    yield module_or_pending("syncd.settings")
    for path in sorted((ROOT / "config").rglob("*.py")):
        name = relative(path.with_suffix("")).replace("/", ".").removesuffix(".__init__")
        yield module_or_pending(name)
    for path in sorted((ROOT / "connectors").glob("*/settings.py")):
        yield module_or_pending(f"connectors.{path.parent.name}.settings")


def _events() -> set[str]:
    events = attribute_or_pending(module_or_pending("syncd.log"), "EVENTS")
    assert isinstance(events, Iterable)
    return {str(event) for event in events}


def _logged(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=logger, attr=method),
                args=[ast.Constant(value=str(event)), *_],
            ) if method in LOG_METHODS and re.search(r"log(ger)?\b", ast.unparse(logger)):
                yield event
