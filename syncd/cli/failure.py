"""What a command says when it cannot go on, and the exit code that goes with it.

An error that was foreseen is one message and what to do; a bug is a name and a place. Neither shows
a traceback, because its lines could hold ticket text.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from syncd.cli.exit_code import ExitCode
from syncd.cli.plain import visible
from syncd.core.errors import (
    ConfigError,
    RemoteError,
    StoreError,
    StoreOlder,
    StoreTooNew,
    SyncdError,
)

_PACKAGES = Path(__file__).parents[2]
_FRAMES = 5


class Refused(SyncdError):
    """What was asked for cannot be done: it names something that does not exist."""

    default_hint = "`syncd COMMAND --help` shows how it is meant."


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An error as a person gets it."""

    code: ExitCode
    lines: tuple[str, ...]
    hint: str


class GuardedGroup(TyperGroup):
    """The commands, with every error turned into a message and an exit code."""

    # The context has another name in each release of typer.
    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            _look_away()
            raise typer.Exit(ExitCode.OK) from None
        except Exception as error:
            if _is_typers(error):
                raise
            failure = explain(error)
            tell(failure)
            raise typer.Exit(failure.code) from None


def explain(error: BaseException) -> Failure:
    """What to say of an error; of several at once, the first counts."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConfigError):
        lines = tuple(str(problem) for problem in error.problems)
        return Failure(code=ExitCode.USAGE, lines=lines, hint=error.hint)
    if isinstance(error, SyncdError):
        return Failure(code=code_of(type(error)), lines=(str(error),), hint=error.hint)
    return Failure(
        code=ExitCode.BUG,
        lines=(f"a bug in syncd: {type(error).__name__}", *_places(error)),
        hint="Report it with these lines, the command and the output of `syncd --version`.",
    )


def tell(failure: Failure) -> None:
    """Print a failure on standard error; in systemd's journal each line has its priority."""
    mark = _mark("error")
    typer.echo(mark, err=True, nl=False)
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False, color=_has_colour())
    typer.echo(f"\n{mark}".join(map(visible, (*failure.lines, failure.hint))), err=True)


def warn(line: str) -> None:
    """Print something on standard error that a person should know and may leave."""
    typer.echo(_mark("warning"), err=True, nl=False)
    typer.secho("warning: ", fg="yellow", err=True, nl=False, color=_has_colour())
    typer.echo(visible(line), err=True)


def _mark(level: str) -> str:
    from syncd.log import journal_mark

    return journal_mark(sys.stderr, level)


def code_of(kind: type[SyncdError]) -> ExitCode:
    """With what a command ends that meets such an error."""
    if issubclass(kind, RemoteError):
        return ExitCode.DESK
    if issubclass(kind, StoreTooNew | StoreOlder):
        return ExitCode.STORE_AGE
    if issubclass(kind, StoreError):
        return ExitCode.STORE
    return ExitCode.USAGE if issubclass(kind, Refused | ConfigError) else ExitCode.ATTENTION


def _places(error: BaseException) -> tuple[str, ...]:
    """The last few places on the way to the error: files, lines and functions, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return tuple(f"  at {_file(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames)


def _file(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(_PACKAGES)) if path.is_relative_to(_PACKAGES) else path.name


def _is_typers(error: Exception) -> bool:
    """Whether typer itself knows how to end on it: an exit, or a wrong command line."""
    return hasattr(error, "exit_code") or isinstance(error, typer.Abort | EOFError)


def _has_colour() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def _look_away() -> None:
    """Let what is still to be flushed go nowhere, or Python complains at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
