"""`syncd doctor`: what the desks lack of that which syncd needs, and the commands that add it.

Nothing is changed, here or on a desk: a person runs the commands. Where a desk's API does not show
enough, a program that its administrator runs on the desk's machine tells the rest.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from syncd.cli import opening
from syncd.cli.asking import ask_desks, code_of, policies_of, rows_of
from syncd.cli.completion import connection_names
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.report import Column, Format, Report, Row, Sheet, put, show

if TYPE_CHECKING:
    from config.loaded import Config
    from syncd.app import Parts
    from syncd.examiner import Examiner

_COLUMNS = (
    Column(key="connection", title="connection"),
    Column(key="check", title="check"),
    Column(key="is_ok", title="ok"),
    Column(key="message", title="what"),
    Column(key="hint", title="to do", is_optional=True),
    Column(key="remedy", only=Format.CSV),
)
_STDIN = Path("-")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    rows: list[Row]
    code: ExitCode
    #: Connections of which a program on the desk's machine could tell more.
    untold: tuple[str, ...]


def doctor(
    connection: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONNECTION]",
            help="Only this one; by default all.",
            autocompletion=connection_names,
        ),
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    script: Annotated[
        bool,
        typer.Option(
            "--script",
            help="Print the program that examines the desk on its own machine; it changes nothing.",
        ),
    ] = False,
    told: Annotated[
        Path | None,
        typer.Option("--told", metavar="FILE", help="What that program told; `-` reads it here."),
    ] = None,
    scrip: Annotated[
        bool,
        typer.Option(
            "--scrip", help="Print the program that has the desk call us; it holds the secret."
        ),
    ] = False,
    commands: Annotated[
        bool, typer.Option("--commands", help="Print only the commands that add what is missing.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Say which rights, fields and webhooks a desk lacks, why each matters, and what adds it.

    Changes nothing. Ends with 1 when something is missing, with 3 when a desk cannot be asked. Not
    every desk tells all of it to a caller: `--script` prints a program to run on the desk's own
    machine, and `--told` reads its answer.
    """
    if script or scrip or told is not None:
        _require_one(connection)
    loaded = opening.load_and_warn(config)
    names = _names(loaded, connection)
    if script or scrip:
        put(asyncio.run(_program(loaded, names[0], is_scrip=scrip)))
        return
    text = None if told is None else _read(told)
    seen = asyncio.run(_look(loaded, names, text))
    if commands:
        put("".join(f"{line}\n" for line in _remedies(seen.rows)))
        raise typer.Exit(seen.code)
    sheet = Sheet(key="findings", title="", columns=_COLUMNS, rows=seen.rows)
    show(Report(sheets=(sheet,), notes=_notes(seen)), form, now=opening.now())
    raise typer.Exit(seen.code)


def _require_one(connection: str | None) -> None:
    if connection is None:
        raise Refused(
            "nobody said which connection", hint="Name it: `syncd doctor CONNECTION --script`."
        )


def _names(config: Config, connection: str | None) -> Sequence[str]:
    if connection is None:
        return tuple(config.connections)
    if connection not in config.connections:
        known = ", ".join(config.connections)
        raise Refused(f"there is no connection {connection}", hint=f"The connections are: {known}.")
    return (connection,)


def _read(told: Path) -> str:
    try:
        return sys.stdin.read() if told == _STDIN else told.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise Refused(f"{told} cannot be read", hint="Give the file with its answer.") from error


async def _look(config: Config, names: Sequence[str], told: str | None) -> _Seen:
    async with opening.connected(config) as made:
        rows, code = await ask_desks(made, names)
        if told is not None:
            results = _required_examiner(config, made, names[0]).judge(told)
            rows += rows_of(names[0], results)
            code = max(code, code_of(results))
        untold = [name for name in names if told is None and _examiner(config, made, name)]
    return _Seen(rows=rows, code=code, untold=tuple(untold))


async def _program(config: Config, name: str, *, is_scrip: bool) -> str:
    async with opening.connected(config) as made:
        examiner = _required_examiner(config, made, name)
    text = examiner.scrip() if is_scrip else examiner.script()
    if text is None:
        raise Refused(
            f"{name} has no webhook configured",
            hint="Give it a `webhook_secret`, and the server a `public_url`.",
        )
    return text


def _required_examiner(config: Config, made: Parts, name: str) -> Examiner:
    found = _examiner(config, made, name)
    if found is None:
        raise Refused(
            f"{name} tells everything by its API: there is nothing to run on its machine",
            hint=f"`syncd doctor {name}` asks it.",
        )
    return found


def _examiner(config: Config, made: Parts, name: str) -> Examiner | None:
    from connectors import registry
    from syncd.core.model import ConnectionName

    connector = made.connectors[ConnectionName(name)]
    settings = config.connections[ConnectionName(name)]
    module = registry.examiner_of(settings.kind)
    if module is None:
        return None
    policies = policies_of(made, connector)
    endpoint = config.webhook_endpoint(connector.name)
    return cast("Examiner", module.examine(name, settings, policies, endpoint=endpoint))


def _remedies(rows: Sequence[Row]) -> list[str]:
    """Every command once, in the order in which they are to be run."""
    return list(dict.fromkeys(str(row["remedy"]) for row in rows if row["remedy"]))


def _notes(seen: _Seen) -> tuple[str, ...]:
    notes = []
    remedies = _remedies(seen.rows)
    if remedies:
        notes.append("Whoever administers the desk adds what is missing, on its machine, with:")
        notes += [f"  {line}" for line in remedies]
    notes += [
        f"Of {name} the rest is known to its own machine alone. There, as the user that it runs as:"
        f" `syncd doctor {name} --script | perl - > told.json`;"
        f" then here: `syncd doctor {name} --told told.json`."
        for name in seen.untold
    ]
    return tuple(notes)
