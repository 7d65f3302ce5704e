"""All commands under one roof.

Nothing here or in a command's module imports the daemon, the store or a connector before a command
runs: `syncd --help` stays quick.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from syncd import __version__
from syncd.cli import alarms, configuration, sandbox, webhooks
from syncd.cli.backfill import backfill
from syncd.cli.backup import backup, restore
from syncd.cli.check import check
from syncd.cli.confirm import confirm
from syncd.cli.conflicts import conflicts
from syncd.cli.deeds import park, replay, unlink
from syncd.cli.demo.command import demo
from syncd.cli.doctor import doctor
from syncd.cli.failure import GuardedGroup
from syncd.cli.forget import forget
from syncd.cli.ignore import ignore
from syncd.cli.inspection import inspect as inspect_pair
from syncd.cli.mappings import export, import_
from syncd.cli.parked import parked
from syncd.cli.pause import pause, resume
from syncd.cli.plan import plan
from syncd.cli.purge import purge
from syncd.cli.recover import recover
from syncd.cli.retry import release, retry
from syncd.cli.run import run
from syncd.cli.status import status
from syncd.cli.trail import trail

app = typer.Typer(
    name="syncd",
    cls=GuardedGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Example: `syncd demo` shows what it does; `syncd config example > syncd.yaml`, then"
    " `syncd check`, begins your own.",
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"syncd {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Keep support tickets identical between a platform's desk and its partners' Zendesks."""


#: What `syncd --help` lists together.
_SERVICE = "The service"
_LOOK = "Look"
_DECIDE = "Decide about pairs and links"
_DATA = "Data"
_TRY = "Try it"


def _add(
    command: Callable[..., None], example: str, *, panel: str, name: str | None = None
) -> None:
    """Mount a command; its docstring is its help, with the lines of a paragraph joined."""
    text = inspect.cleandoc(command.__doc__ or "")
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    app.command(
        name,
        help="\n\n".join(paragraphs),
        epilog=f"Example: {example}",
        rich_help_panel=panel,
    )(command)


_add(run, "`syncd run -c /etc/syncd/syncd.yaml`", panel=_SERVICE)
_add(check, "`syncd check --online`", panel=_SERVICE)
_add(
    doctor,
    "`syncd doctor`, `syncd doctor --offline`, or `syncd doctor acme --format json`",
    panel=_SERVICE,
)
app.add_typer(configuration.app, name="config", rich_help_panel=_SERVICE)
app.add_typer(alarms.app, name="alarms", rich_help_panel=_SERVICE)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=_SERVICE)
_add(status, "`syncd status --watch`, or `syncd status --stale --link acme-postgres`", panel=_LOOK)
_add(conflicts, "`syncd conflicts --since 7d --format csv > conflicts.csv`", panel=_LOOK)
_add(parked, "`syncd parked --link acme-postgres --held`", panel=_LOOK)
_add(
    inspect_pair,
    "`syncd inspect 17`, or `syncd inspect acme-postgres/4711 --format json`",
    panel=_LOOK,
)
_add(plan, "`syncd plan 17`, or `syncd plan acme-postgres/4711 --format json`", panel=_LOOK)
_add(trail, "`syncd trail acme-postgres`, or `syncd trail 17 --format json`", panel=_LOOK)
_add(retry, "`syncd retry 17 18`, or `syncd retry --link acme-postgres`", panel=_DECIDE)
_add(release, "`syncd release 17 360001234`", panel=_DECIDE)
_add(ignore, "`syncd ignore 17`, or `syncd ignore 17 comment:partner:501 --yes`", panel=_DECIDE)
_add(park, '`syncd park 17 --reason "two customers in one ticket"`', panel=_DECIDE)
_add(replay, "`syncd replay 17`, then `syncd plan 17`", panel=_DECIDE)
_add(unlink, '`syncd unlink acme-postgres/4711 --reason "opened by mistake"`', panel=_DECIDE)
_add(pause, '`syncd pause acme-postgres --reason "acme moves to another group"`', panel=_DECIDE)
_add(resume, "`syncd resume acme-postgres`", panel=_DECIDE)
_add(confirm, "`syncd confirm acme-postgres --dry-run`, then without `--dry-run`", panel=_DECIDE)
_add(
    backfill,
    "`syncd backfill acme-postgres --since 30d --dry-run`, then without `--dry-run`",
    panel=_DATA,
)
_add(
    backup,
    "`syncd backup /var/backups/syncd-$(date +%F).db`, or `syncd backup --into /var/backups/syncd"
    " --keep 14`",
    panel=_DATA,
)
_add(restore, "`syncd restore /var/backups/syncd-2027-01-14.db`, then `syncd recover`", panel=_DATA)
_add(recover, "`syncd recover --dry-run`, then `syncd recover`", panel=_DATA)
_add(
    export,
    "`syncd export /var/backups/mappings.jsonl`, or `syncd export | jq .tickets`",
    panel=_DATA,
)
_add(
    import_,
    "`syncd import mappings.jsonl --dry-run`, then `syncd import mappings.jsonl`",
    panel=_DATA,
    name="import",
)
_add(purge, "`syncd purge --dry-run`, then `syncd purge` every night", panel=_DATA)
_add(
    forget,
    "`syncd forget heroku/u1004 --dry-run`, or `syncd forget - --yes < name.txt`",
    panel=_DATA,
)
_add(demo, "`syncd demo --keep`", panel=_TRY)
app.add_typer(sandbox.app, name="sandbox", rich_help_panel=_TRY)
