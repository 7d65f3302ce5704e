"""The page docs/cli.md, written from the commands themselves: it cannot grow old.

`python -m syncd.cli.reference > docs/cli.md` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from syncd.cli.exit_code import ExitCode
from syncd.cli.report import put
from syncd.cli.root import app

_INTRODUCTION = """\
# Commands

Written by `python -m syncd.cli.reference`; a test compares it with the program.

`syncd COMMAND --help` says the same.
`syncd --install-completion` teaches your shell (bash, zsh, fish, PowerShell) to complete \
commands, options, and the names of links and connections in your configuration; \
`syncd --show-completion` prints the script, for an installation of your own.
The configuration is the file that `--config` or `SYNCD_CONFIG` names, else `./syncd.yaml`, else \
the service's, `/etc/syncd/syncd.yaml`.
`status`, `conflicts`, `parked`, `retry` and `release` read nothing of it but `store:` and the \
links' names: no secret has to be at hand (`parked --held` needs it all).

Reports come as tables, with `--format json` as one object, with `--format csv` as their first \
table.
Times are UTC.
Reports go to standard output, everything else to standard error.
Colours and progress bars are for terminals: in a pipe or with `NO_COLOR` there are none.
What desks hold is shown harmlessly: control characters are spelled out (`\\x1b`), and a CSV cell \
that a spreadsheet would compute begins with an apostrophe.
"""


def render() -> str:
    """The whole page."""
    # Typer brings its own copy of click, or uses the real one, depending on its age: by shape only.
    root: Any = typer.main.get_command(app)
    sections = [_section(("syncd", *words), command) for words, command in _leaves(root, ())]
    parts = [_INTRODUCTION, _exit_codes(), *sections]
    return "\n".join(parts)


def _exit_codes() -> str:
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    plugin = (
        "`syncd status --check` ends as monitoring plugins do: 0 OK, 1 WARNING, 2 CRITICAL, "
        "3 UNKNOWN."
    )
    table = ["| code | meaning |", "| --- | --- |", *rows]
    return "\n".join(["## Exit codes", "", *table, "", plugin, ""])


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield words, command
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _leaves(child, (*words, name))


def _section(words: tuple[str, ...], command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    name = " ".join(words)
    usage = " ".join([name, *(_metavar(each) for each in arguments), "[OPTIONS]"])
    lines = [f"## `{name}`", "", f"    {usage}", "", *_paragraphs(command.help)]
    rows = [
        *(_row(f"`{_metavar(each)}`", each.help) for each in arguments),
        *(_row(_names(each), f"{each.help}{_default(each)}") for each in options),
    ]
    if rows:
        lines += ["| | |", "| --- | --- |", *rows, ""]
    return "\n".join([*lines, *_paragraphs(command.epilog)])


def _paragraphs(text: str | None) -> list[str]:
    """The text as Markdown: one sentence a line."""
    return [
        line
        for paragraph in (text or "").split("\n\n")
        if paragraph
        for line in (re.sub(r"(?<=\.) (?=[A-Z])", "\n", " ".join(paragraph.split())), "")
    ]


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _names(option: Any) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    return ", ".join(f"`{name}{value if name.startswith('--') else ''}`" for name in option.opts)


def _default(option: Any) -> str:
    default = option.default
    if not option.metavar or default in (None, (), ""):
        return ""
    return f" By default `{getattr(default, 'value', default)}`."


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


if __name__ == "__main__":
    put(render())
