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


def _add(command: Callable[..., None], example: str, *, name: str | None = None) -> None:
    """Mount a command; its docstring is its help, with the lines of a paragraph joined."""
    text = inspect.cleandoc(command.__doc__ or "")
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    app.command(name, help="\n\n".join(paragraphs), epilog=f"Example: {example}")(command)


_add(run, "`syncd run -c /etc/syncd/syncd.yaml`")
_add(check, "`syncd check --online`")
_add(doctor, "`syncd doctor`, `syncd doctor --offline`, or `syncd doctor acme --format json`")
_add(status, "`syncd status --watch`, or `syncd status --stale --link acme-postgres`")
_add(plan, "`syncd plan 17`, or `syncd plan acme-postgres/4711 --format json`")
_add(backfill, "`syncd backfill acme-postgres --since 30d --dry-run`, then without `--dry-run`")
_add(conflicts, "`syncd conflicts --since 7d --format csv > conflicts.csv`")
_add(parked, "`syncd parked --link acme-postgres --held`")
_add(inspect_pair, "`syncd inspect 17`, or `syncd inspect acme-postgres/4711 --format json`")
_add(retry, "`syncd retry 17 18`, or `syncd retry --link acme-postgres`")
_add(release, "`syncd release 17 360001234`")
_add(ignore, "`syncd ignore 17`, or `syncd ignore 17 comment:partner:501 --yes`")
_add(park, '`syncd park 17 --reason "two customers in one ticket"`')
_add(replay, "`syncd replay 17`, then `syncd plan 17`")
_add(unlink, '`syncd unlink acme-postgres/4711 --reason "opened by mistake"`')
_add(backup, "`syncd backup /var/backups/syncd-$(date +%F).db`")
_add(restore, "`syncd restore /var/backups/syncd-2027-01-14.db`, then `syncd recover`")
_add(recover, "`syncd recover --dry-run`, then `syncd recover`")
_add(export, "`syncd export /var/backups/mappings.jsonl`, or `syncd export | jq .tickets`")
_add(
    import_,
    "`syncd import mappings.jsonl --dry-run`, then `syncd import mappings.jsonl`",
    name="import",
)
_add(purge, "`syncd purge --dry-run`, then `syncd purge` every night")
_add(forget, "`syncd forget heroku/u1004 --dry-run`, or `syncd forget - --yes < name.txt`")
_add(pause, '`syncd pause acme-postgres --reason "acme moves to another group"`')
_add(resume, "`syncd resume acme-postgres`")
_add(confirm, "`syncd confirm acme-postgres --dry-run`, then without `--dry-run`")
_add(trail, "`syncd trail acme-postgres`, or `syncd trail 17 --format json`")
app.add_typer(alarms.app, name="alarms")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(configuration.app, name="config")
app.add_typer(sandbox.app, name="sandbox")

_add(demo, "`syncd demo --keep`")
