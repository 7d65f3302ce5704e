"""Every command teaches by an example that it would take, and every group of commands says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from syncd.cli import app

#: `syncd …` between backticks, as the epilogs have them.
EXAMPLE = re.compile(r"`(syncd [^`]*)`")


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(words), command
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _commands(child, (*words, name))


COMMANDS = dict(_commands(typer.main.get_command(app), ("syncd",)))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_example_of_itself(name: str) -> None:
    epilog = COMMANDS[name].epilog or ""
    assert epilog.startswith("Example: `")
    assert any(example.startswith(name) for example in EXAMPLE.findall(epilog))


def test_a_group_has_an_example_of_one_of_its_commands() -> None:
    root: Any = typer.main.get_command(app)
    groups = {n: each for n, each in root.commands.items() if getattr(each, "commands", None)}
    assert {"alarms", "webhooks", "config", "sandbox"} <= groups.keys()
    for words, group in [("syncd", root), *((f"syncd {n}", each) for n, each in groups.items())]:
        epilog = group.epilog or ""
        assert epilog.startswith("Example: `"), words
        for example in EXAMPLE.findall(epilog):
            assert any(example.startswith(f"{words} ") and example.startswith(n) for n in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_uses_options_that_there_are(name: str) -> None:
    for example in EXAMPLE.findall(COMMANDS[name].epilog or ""):
        of = max((each for each in COMMANDS if example.startswith(each)), key=len)
        known = {
            option for each in COMMANDS[of].params for option in (*each.opts, *each.secondary_opts)
        }
        used = set(re.findall(r"(?<= )--?[a-z][a-z-]*", example.partition(" > ")[0]))
        used = {option for option in used if not re.search(rf"\$\([^)]*{option}", example)}
        assert used - known == set(), example


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_says_what_each_option_does(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").partition("\n")[0].endswith((".", ":"))
    speechless = [
        each.name for each in command.params if not (each.help or "").endswith((".", "`"))
    ]
    assert [name for name in speechless if name != "help"] == []
