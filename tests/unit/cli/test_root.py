"""The tree of commands, what it costs to ask for help, and how errors end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import syncd
from syncd.cli import app
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import GuardedGroup, explain
from syncd.core.errors import (
    ConfigError,
    OutcomeUnknown,
    Problem,
    StoreTooNew,
    Unauthorised,
    Unreachable,
)
from tests.unit.cli.stage import NO_SECRETS, Stage

# pydantic is missing here because typer itself uses it.
HEAVY = ("alembic", "httpx", "requests", "sqlalchemy", "sqlmodel", "structlog", "uvicorn", "yaml")
COMMANDS = [
    "run", "check", "status", "plan", "backfill", "conflicts", "parked", "retry", "release",
    "config schema", "sandbox zendesk", "sandbox platform", "webhooks show", "webhooks ensure",
    "webhooks secret",
]  # fmt: skip


def test_the_version_is_the_packages() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"syncd {syncd.__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_teaches_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Example: `syncd" in result.stdout
    assert f"syncd {command}" in " ".join(result.stdout.partition("Example:")[2].split())


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["plan", "--help"]])
def test_asking_for_help_loads_neither_daemon_nor_store(words: list[str]) -> None:
    code = (
        "import sys\nfrom syncd.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        f"print('LOADED', [name for name in {HEAVY} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "LOADED []"


def test_no_command_prints_the_help_and_ends_as_a_wrong_command_line() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "backfill" in result.output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError((Problem(message="no"),)), ExitCode.USAGE),
        (Unreachable("no answer", connection="acme", action="read"), ExitCode.DESK),
        (Unauthorised("refused", connection="acme", action="read"), ExitCode.DESK),
        (OutcomeUnknown("no answer", connection="acme", action="write"), ExitCode.DESK),
        (StoreTooNew("newer"), ExitCode.STORE_AGE),
        (ExceptionGroup("workers", [StoreTooNew("newer")]), ExitCode.STORE_AGE),
        (KeyError("ticket text"), ExitCode.BUG),
    ],
)
def test_an_error_has_its_exit_code_and_says_what_to_do(error: Exception, code: int) -> None:
    failure = explain(error)
    assert failure.code == code
    assert failure.hint
    assert "ticket text" not in "".join(failure.lines)


def an_app(error: BaseException) -> typer.Typer:
    failing = typer.Typer(cls=GuardedGroup, pretty_exceptions_enable=False)

    @failing.callback()
    def root() -> None:
        """There is a group, as in the real one."""

    @failing.command()
    def fail() -> None:
        raise error

    return failing


def test_a_bug_is_a_name_and_a_place_without_the_values() -> None:
    result = CliRunner().invoke(an_app(ValueError("the customer's words")), ["fail"])
    assert result.exit_code == 70
    assert "ValueError" in result.stderr
    assert "test_root.py" in result.stderr
    assert " fail" in result.stderr
    assert "Report it" in result.stderr
    assert "customer's words" not in result.output
    assert "Traceback" not in result.output


def test_an_error_message_is_printed_without_its_escape_codes() -> None:
    error = Unreachable("answered \x1b[2J[red]x", connection="acme", action="read")
    result = CliRunner().invoke(an_app(error), ["fail"])
    assert result.exit_code == 3
    assert "answered \\x1b[2J[red]x" in result.stderr
    assert error.hint in result.stderr
    assert result.stdout == ""


def test_in_the_journal_every_line_of_an_error_is_one(tmp_path: Path) -> None:
    """A process of its own, because a runner's standard error is no stream of the system's."""
    (tmp_path / "syncd.yaml").write_text("version: 2\nlinks: []\n", "utf-8")
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as out:
        found = os.fstat(writing)
        subprocess.run(
            [sys.executable, "-m", "syncd", "run", "--config", str(tmp_path / "syncd.yaml")],
            stderr=writing,
            check=False,
            timeout=60,
            env={**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"},
        )
        os.close(writing)
        lines = out.read().splitlines()
    assert len(lines) > 2
    assert [line for line in lines if not line.startswith("<3>")] == []


def test_an_interruption_has_its_own_code() -> None:
    assert CliRunner().invoke(an_app(KeyboardInterrupt()), ["fail"]).exit_code == 130


def test_a_reader_who_leaves_early_is_no_error(stage: Stage) -> None:
    command = f"{sys.executable} -m syncd config schema | head -c 1"
    run = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],  # noqa: S607
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "{", "")


def test_the_schema_is_printed_as_json(stage: Stage) -> None:
    result = stage.type("config", "schema", secrets=NO_SECRETS)
    assert result.exit_code == 0
    assert '"$schema"' in result.stdout
