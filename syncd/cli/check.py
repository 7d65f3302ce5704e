"""`syncd check`: is the configuration sound, and do the desks let us do what it asks for?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.asking import ask
from syncd.cli.exit_code import ExitCode
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from config.loaded import Config

_PROBLEMS = (
    Column(key="severity", title=""),
    Column(key="line", title="line", is_number=True),
    Column(key="path", title="where"),
    Column(key="message", title="what"),
    Column(key="hint", title="to do"),
)
_CONNECTIONS = (
    Column(key="connection", title="connection"),
    Column(key="kind", title="kind"),
    Column(key="label", title="label"),
    Column(key="webhooks_at", title="webhooks arrive at", is_optional=True),
)
_LINKS = (
    Column(key="link", title="link"),
    Column(key="view", title="platform / view"),
    Column(key="partner", title="partner"),
    Column(key="pairs", title="pairs", is_number=True),
)
_DESKS = (
    Column(key="connection", title="connection"),
    Column(key="check", title="check"),
    Column(key="is_ok", title="ok"),
    Column(key="message", title="what"),
    Column(key="hint", title="to do"),
)


def check(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask each desk what the credential may do.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Check the configuration: every problem at once, with its line and what to do.

    Nothing is written, neither here nor on a desk. Ends with 2 when the file cannot be used, with 3
    when a desk cannot be asked, with 1 when it refuses the credential or the credential lacks a
    right.
    """
    try:
        loaded = opening.load_config(config)
    except ConfigError as error:
        if form is not Format.TABLE:
            report = Report(sheets=(_problems(error.problems),), facts=_facts(config, False))
            show(report, form, now=opening.now())
        raise
    pairs = asyncio.run(_pair_counts(loaded.config))
    desks: list[Row] = []
    code = ExitCode.OK
    if online:
        desks, code = asyncio.run(ask(loaded.config))
    sheets = [
        _problems(loaded.warnings),
        Sheet(key="connections", title="", columns=_CONNECTIONS, rows=_connections(loaded.config)),
        Sheet(key="links", title="", columns=_LINKS, rows=_links(loaded.config, pairs)),
    ]
    if online:
        # The answer to the question asked comes first in CSV, too.
        sheets.insert(0, Sheet(key="desks", title="", columns=_DESKS, rows=desks))
    fresh = [name for name in loaded.config.links if not pairs.get(name)]
    report = Report(
        sheets=tuple(sheets),
        facts=_facts(config, True),
        notes=tuple(
            f"Link {name} has no pairs yet. New tickets come by themselves; `syncd backfill {name}`"
            " takes over those that its view already holds."
            for name in fresh
        ),
    )
    show(report, form, now=opening.now())
    raise typer.Exit(code)


def _facts(path: Path, is_usable: bool) -> Row:
    return {"file": str(path), "is_usable": is_usable}


def _problems(problems: Sequence[Problem]) -> Sheet:
    rows: list[Row] = [
        {
            "severity": "warning" if problem.is_warning else "error",
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "path": problem.path,
            "message": problem.message,
            "hint": problem.hint,
        }
        for problem in problems
    ]
    return Sheet(key="problems", title="", columns=_PROBLEMS, rows=rows, none="No problems.")


def _connections(config: Config) -> list[Row]:
    public = config.server.public_url
    return [
        {
            "connection": name,
            "kind": settings.kind,
            "label": config.label(name),
            "webhooks_at": f"{public}{config.webhook_path(name)}"
            if settings.has_webhooks and public
            else None,
        }
        for name, settings in config.connections.items()
    ]


def _links(config: Config, pairs: dict[str, int]) -> list[Row]:
    return [
        {
            "link": name,
            "view": f"{link.platform.connection}/{link.platform.view}",
            "partner": link.partner.connection,
            "pairs": pairs.get(name, 0),
        }
        for name, link in config.links.items()
    ]


async def _pair_counts(config: Config) -> dict[str, int]:
    if not opening.store_exists(config.store):
        return {}
    async with opening.reading(config.store) as store:
        return {summary.link: summary.pairs for summary in await store.summaries()}
