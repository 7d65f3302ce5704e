"""What the shell completes, asked as bash asks, with the script that syncd installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from syncd.cli import app
from tests.support.config_files import SMALLEST

BASH = shutil.which("bash") or "bash"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the program on its path, the installed script, and a configuration."""
    program = tmp_path / "bin" / "syncd"
    program.parent.mkdir()
    start = f'exec {sys.executable} -c "from syncd.cli import main; main()" "$@"'
    program.write_text(f"#!{BASH}\n{start}\n", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "syncd.yaml").write_text(SMALLEST, encoding="utf-8")
    said = shell(tmp_path, "syncd --install-completion bash")
    assert "bash completion installed" in said
    return tmp_path


def shell(home: Path, script: str) -> str:
    """What a bash of a person's own prints; nothing may come on its standard error."""
    done = subprocess.run(
        [BASH, "--noprofile", "--norc", "-c", script],
        cwd=home,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("SYNCD")},
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def offered(home: Path, *words: str) -> list[str]:
    """What Tab offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    script = (
        f". {home}/.bash_completions/syncd.sh\nCOMP_WORDS=({line})\n"
        f"COMP_CWORD={len(words) - 1}\n_syncd_completion syncd\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    return shell(home, script).split()


def test_the_shell_completes_commands_and_names_of_the_configuration(home: Path) -> None:
    assert {"park", "parked", "pause"} <= set(offered(home, "syncd", "pa"))
    assert offered(home, "syncd", "sandbox", "z") == ["zendesk"]
    assert offered(home, "syncd", "pause", "") == ["db"]
    assert offered(home, "syncd", "status", "--link", "d") == ["db"]
    assert offered(home, "syncd", "webhooks", "secret", "") == ["heroku", "acme"]
    assert offered(home, "syncd", "plan", "d") == ["db/"]
    assert set(offered(home, "syncd", "status", "--format", "")) == {"table", "json", "csv"}


def test_the_routes_of_the_alarms_are_offered_where_there_are_some(home: Path) -> None:
    assert offered(home, "syncd", "alarms", "test", "") == []
    routes = "alarms: {routes: {on-call: {to: a}, ops: {to: b}}}\n"
    (home / "syncd.yaml").write_text(SMALLEST + routes, encoding="utf-8")
    assert offered(home, "syncd", "alarms", "test", "") == ["on-call", "ops"]
    assert offered(home, "syncd", "alarms", "test", "op") == ["ops"]
    (home / "syncd.yaml").write_text("alarms: [routes]\n", encoding="utf-8")
    assert offered(home, "syncd", "alarms", "test", "") == []


def test_a_file_named_earlier_on_the_line_is_the_one_that_is_read(home: Path) -> None:
    (home / "other.yaml").write_text(SMALLEST.replace("db:", "other-db:"), encoding="utf-8")
    assert offered(home, "syncd", "pause", "-c", "other.yaml", "") == ["other-db"]


@pytest.mark.parametrize("text", [None, "links: [", "links: 7", "\x00", "links: {a: !x b}"])
def test_a_file_that_cannot_be_read_offers_nothing_and_says_nothing(
    text: str | None, home: Path
) -> None:
    (home / "syncd.yaml").unlink()
    if text is not None:
        (home / "syncd.yaml").write_text(text, encoding="utf-8")
    assert offered(home, "syncd", "pause", "") in ([], ["a"])


def test_every_argument_that_names_something_of_the_file_is_completed() -> None:
    named = {"LINK", "CONNECTION", "PAIR"}
    silent = [
        f"{' '.join(words)}: {each.name}"
        for words, command in leaves(typer.main.get_command(app), ())
        for each in command.params
        if named & set((each.metavar or "").strip(".[]").replace("]...", "").split("|"))
        and each._custom_shell_complete is None
    ]
    assert silent == []


def leaves(command: Any, words: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(words, command)]
    return [leaf for name, child in children.items() for leaf in leaves(child, (*words, name))]
