"""`syncd doctor`: the first thing to type when something is wrong.

Looks at this machine and at every desk, and says what is wrong, why it matters and the command that
mends it. Nothing is changed, here or on a desk. Where a desk's API does not show enough, a program
that its administrator runs on the desk's machine tells the rest.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import examining, opening
from syncd.cli.completion import connection_names
from syncd.cli.config_place import or_the_services
from syncd.cli.diagnoses import code_of, print_commands, print_diagnoses
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.progress import count_bar
from syncd.cli.report import Format, Row, put
from syncd.core.errors import ConfigError

if TYPE_CHECKING:
    from config.loaded import Config
    from syncd.app import Parts
    from syncd.checkup.desks import Asked
    from syncd.doctor.diagnosis import Diagnosis

_WITHIN_SECONDS = 20.0
#: A command of ours without a shell's own signs.
_OURS = re.compile(r"syncd [^|;&<>$`]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What was found, and the connections of which a program on their machine could tell more."""

    diagnoses: list[Diagnosis]
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """How desks are asked; `told` is what a program on the desk's own machine told."""

    within_seconds: float
    is_online: bool
    told: str | None = None


def doctor(
    connection: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONNECTION]",
            help="Only this desk; by default all, and this machine.",
            autocompletion=connection_names,
        ),
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    online: Annotated[
        bool,
        typer.Option("--online/--offline", help="Whether to ask the desks, all at once."),
    ] = True,
    within: Annotated[
        float,
        typer.Option(
            "--within", metavar="SECONDS", min=1.0, help="The time for each desk, and the store."
        ),
    ] = _WITHIN_SECONDS,
    has_all: Annotated[
        bool, typer.Option("--all", help="Also list what is well; one desk's and JSON have it.")
    ] = False,
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
        bool, typer.Option("--commands", help="Print only the commands that mend what is wrong.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Say what is wrong, why it matters, and the command that mends it.

    Looks at the configuration, secrets, file rights, store, disk, daemon and service here; at each
    desk's line, certificate, clock, rights, webhook and quota. Changes nothing. Run it as the
    service's user or as root: others cannot read the store. docs/doctor.md lists every finding.

    Ends with 0 when nobody has to act, else with the largest of 1 (something needs a person), 2
    (the file cannot be used), 3 (a desk cannot be asked), 4 (the store cannot be used). Not every
    desk tells all of it to a caller: `--script` prints a program to run on the desk's own machine,
    and `--told` reads its answer.
    """
    if script or scrip or told is not None:
        _require_one(connection)
    if connection is not None:
        loaded = opening.load_and_warn(config)
        _require_known(loaded, connection)
        if script or scrip:
            put(asyncio.run(examining.program(loaded, connection, is_scrip=scrip)))
            return
        text = None if told is None else examining.read(told)
        wish = _Wish(within_seconds=within, is_online=online, told=text)
        seen = _of_desks(loaded, (connection,), wish)
    else:
        seen = _of_all(config, _Wish(within_seconds=within, is_online=online))
    # One desk's list is short.
    has_all = has_all or connection is not None
    _finish(seen, config, form, is_online=online, has_all=has_all, is_for_shell=commands)


def _finish(
    seen: _Seen,
    config: Path,
    form: Format,
    *,
    is_online: bool,
    has_all: bool,
    is_for_shell: bool,
) -> None:
    from syncd.doctor.diagnosis import in_order

    ordered = in_order([_naming(one, config) for one in seen.diagnoses])
    if is_for_shell:
        print_commands(ordered)
    else:
        facts: Row = {"file": str(config), "is_online": is_online}
        print_diagnoses(ordered, form, facts=facts, notes=_notes(seen), has_all=has_all)
    raise typer.Exit(code_of(ordered))


def _require_one(connection: str | None) -> None:
    if connection is None:
        raise Refused(
            "nobody said which connection", hint="Name it: `syncd doctor CONNECTION --script`."
        )


def _require_known(config: Config, connection: str) -> None:
    if connection not in config.connections:
        known = ", ".join(config.connections)
        raise Refused(f"there is no connection {connection}", hint=f"The connections are: {known}.")


def _of_all(path: Path, wish: _Wish) -> _Seen:
    """This machine, and every desk where the file can be used."""
    from syncd.cli.checkup import look_here

    config: Config | None = None
    try:
        loaded = opening.load_config(path)
        config, problems = loaded.config, loaded.warnings
    except ConfigError as error:
        problems = error.problems
    here = look_here(path, config, problems, within_seconds=wish.within_seconds)
    if config is None:
        return _Seen(diagnoses=here)
    desks = _of_desks(config, tuple(config.connections), wish)
    return _Seen(diagnoses=here + desks.diagnoses, untold=desks.untold)


def _of_desks(config: Config, names: Sequence[str], wish: _Wish) -> _Seen:
    if not wish.is_online and wish.told is None:
        return _Seen(diagnoses=[])
    return asyncio.run(_asked(config, names, wish))


async def _asked(config: Config, names: Sequence[str], wish: _Wish) -> _Seen:
    from syncd.doctor.desk import judge_results

    diagnoses: list[Diagnosis] = []
    async with opening.connected(config) as made:
        if wish.is_online:
            diagnoses += _judged(await _ask(made, names, wish.within_seconds))
        if wish.told is not None:
            results = examining.judge(config, made, names[0], wish.told)
            diagnoses += judge_results(names[0], results)
            return _Seen(diagnoses=diagnoses)
        can_tell = [name for name in names if examining.examiner(config, made, name)]
    return _Seen(diagnoses=diagnoses, untold=tuple(can_tell))


async def _ask(made: Parts, names: Sequence[str], within_seconds: float) -> Sequence[Asked]:
    from syncd.checkup.desks import ask_desks
    from syncd.cli.checkup import is_answering

    is_daemon_there = await asyncio.to_thread(is_answering, made.config.server.listen)
    done: list[str] = []
    with count_bar("Asking desks") as show:

        def count(name: str) -> None:
            done.append(name)
            show(len(done), len(names))

        return await ask_desks(
            made,
            names,
            within_seconds=within_seconds,
            is_daemon_there=is_daemon_there,
            told=count,
        )


def _judged(asked: Sequence[Asked]) -> list[Diagnosis]:
    from syncd.doctor.budget import judge_budgets
    from syncd.doctor.desk import judge_clocks, judge_desk, skew_of
    from syncd.doctor.webhook import judge_webhook

    found: list[Diagnosis] = []
    for one in asked:
        found += judge_desk(one.desk)
        found += judge_webhook(one.hook) if one.hook is not None else ()
        found += judge_budgets(one.budgets)
    skews = {one.desk.connection: skew_of(one.desk.contacts) for one in asked}
    return [*found, *judge_clocks(skews)]


def _naming(one: Diagnosis, config: Path) -> Diagnosis:
    """A command of ours names the file that was looked at, unless it would find it by itself."""
    is_found = config == or_the_services(DEFAULT_CONFIG) or "SYNCD_CONFIG" in os.environ
    if is_found or not _OURS.fullmatch(one.remedy):
        return one
    return replace(one, remedy=f"{one.remedy} --config {shlex.quote(str(config))}")


def _notes(seen: _Seen) -> tuple[str, ...]:
    return tuple(
        f"Of {name} the rest is known to its own machine alone. There, as the user that it runs as:"
        f" `syncd doctor {name} --script | perl - > told.json`;"
        f" then here: `syncd doctor {name} --told told.json`."
        for name in seen.untold
    )
