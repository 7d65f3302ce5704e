"""`syncd webhooks`: whether the desks call us on a change, and how to make them.

What a desk has is read from the desk; the daemon need not run. Nothing is ever removed there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.completion import connection_names
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.report import Column, Format, Report, Row, Sheet, put
from syncd.cli.report import show as show_report
from syncd.core.errors import RemoteError
from syncd.core.hook import HINTS, HookFault, HookView
from syncd.core.model import ConnectionName

if TYPE_CHECKING:
    from config.loaded import Config
    from syncd.hook_desk import HookDesk
    from syncd.ports import Connector

app = typer.Typer(
    no_args_is_help=True,
    help="See and mend the webhooks by which desks call us.",
    epilog="Example: `syncd webhooks show`, then `syncd webhooks ensure --dry-run`",
)

_COLUMNS = (
    Column(key="connection", title="connection"),
    Column(key="endpoint", title="leads to"),
    Column(key="webhook", title="webhook", is_optional=True),
    Column(key="is_sound", title="sound"),
    Column(key="faults", title="faults", is_optional=True),
    Column(key="failed_status", title="last failure", is_number=True, is_optional=True),
    Column(key="deeds", title="mended by", is_optional=True),
    Column(key="elsewhere", title="namesakes lead to", is_optional=True),
    Column(key="hint", title="to do", is_optional=True),
)
#: How a fault is mended, as one reads it in the report.
_DEEDS = {
    HookFault.MISSING: "create",
    HookFault.DISABLED: "switch on",
    HookFault.LACKS_EVENTS: "add events",
    HookFault.WRONG_SECRET: "send secret",
}
#: `show` judges the deliveries of the last quarter of an hour.
_RECENT_SECONDS = 900.0

ConnectionArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONNECTION]",
        help="Only this one; by default all with webhooks.",
        autocompletion=connection_names,
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """What to do beside looking."""

    is_mending: bool = False
    is_dry: bool = False
    may_move: bool = False
    is_doubted: bool = False


@app.command(epilog="Example: `syncd webhooks show`, or `syncd webhooks show acme --format json`")
def show(
    connection: ConnectionArgument = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what the desks have, and what is wrong with it.

    Ends with 1 when a webhook is not sound, with 3 when a desk cannot be asked.
    """
    _run(config, connection, _Wish(), form)


@app.command(
    epilog="Example: `syncd webhooks ensure acme --dry-run`, then without `--dry-run`;"
    " a second time it writes nothing"
)
def ensure(
    connection: ConnectionArgument = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")
    ] = False,
    move: Annotated[
        bool,
        typer.Option(
            "--move",
            help="Where there is none, lead the one of our name here that leads elsewhere.",
        ),
    ] = False,
    new_secret: Annotated[
        bool,
        typer.Option(
            "--new-secret", help="The secret in the file is new: send it to desks that take ours."
        ),
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Create the webhook that leads to this installation, or mend it: address, events, status.

    Found is mended, missing is made, sound is left alone. Ends with 1 when a person has to do the
    rest, or with `--dry-run` when there is something to do; with 3 when a desk cannot be asked.
    """
    wish = _Wish(is_mending=True, is_dry=dry_run, may_move=move, is_doubted=new_secret)
    _run(config, connection, wish, form)


@app.command(epilog="Example: `syncd webhooks secret acme > acme-webhook`, after `umask 077`")
def secret(
    connection: Annotated[
        str,
        typer.Argument(
            metavar="CONNECTION", help="The connection's name.", autocompletion=connection_names
        ),
    ],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print the secret with which a desk signs its webhooks, and nothing else.

    It belongs where the connection's `webhook_secret` looks for it. With `webhooks: managed` nobody
    has to know it.
    """
    put(asyncio.run(_secret(config, connection)) + "\n")


def _run(path: Path, connection: str | None, wish: _Wish, form: Format) -> None:
    rows, code = asyncio.run(_look(path, connection, wish))
    sheet = Sheet(
        key="webhooks", title="", columns=_COLUMNS, rows=rows, none="No connection has webhooks."
    )
    facts: Row = {"is_dry_run": wish.is_dry} if wish.is_mending else {}
    show_report(Report(sheets=(sheet,), facts=facts), form, now=opening.now())
    raise typer.Exit(code)


async def _look(path: Path, connection: str | None, wish: _Wish) -> tuple[Sequence[Row], ExitCode]:
    config = opening.load_and_warn(path)
    names = _names(config, connection)
    async with opening.connected(config) as made:
        asked = [_look_at(config, made.connectors[name], wish) for name in names]
        answers = await asyncio.gather(*asked)
    return [row for row, _ in answers], max((code for _, code in answers), default=ExitCode.OK)


async def _look_at(config: Config, connector: Connector, wish: _Wish) -> tuple[Row, ExitCode]:
    endpoint = config.webhook_endpoint(connector.name) or ""
    row: dict[str, object] = {"connection": connector.name, "endpoint": endpoint}
    hook = connector.hook
    if hook is None:
        hint = "Make it at the desk yourself: syncd cannot look after this kind's."
        return _row(row, is_sound=None, hint=hint), ExitCode.OK
    try:
        view, deeds = await _ensured(hook, endpoint, wish)
    except RemoteError as error:
        return _row(row, is_sound=None, hint=f"{error}. {error.hint}"), ExitCode.DESK
    hints = [HINTS[fault] for fault in view.faults]
    is_used = config.connections[connector.name].has_webhooks
    if view.is_sound and not is_used:
        hints.append("Set `webhooks: managed` or a `webhook_secret`, or syncd does not listen.")
    if HookFault.MISSING in view.faults and len(view.elsewhere) == 1:
        hints.append("If the one of our name is this installation's old one, `--move` it.")
    if wish.is_dry and deeds:
        hints = ["Nothing was written: run it again without `--dry-run`."]
    done = _row(
        row,
        webhook=view.hook_id,
        is_sound=view.is_sound,
        faults=[fault.value for fault in view.faults],
        failed_status=view.failed_status,
        deeds=deeds,
        elsewhere=list(view.elsewhere),
        hint=" ".join(hints),
    )
    return done, ExitCode.OK if view.is_sound else ExitCode.ATTENTION


async def _ensured(hook: HookDesk, endpoint: str, wish: _Wish) -> tuple[HookView, list[str]]:
    """What the desk has in the end, and what was or would be written."""
    within = 0.0 if wish.is_mending else _RECENT_SECONDS
    view = await hook.look(endpoint, is_doubted=wish.is_doubted, within_seconds=within)
    if not wish.is_mending:
        return view, []
    mendable = [fault for fault in view.faults if fault in view.mendable]
    if wish.is_doubted and HookFault.WRONG_SECRET in view.faults:
        mendable.append(HookFault.WRONG_SECRET)
    is_moved = mendable and wish.may_move and len(view.elsewhere) == 1
    deeds = [
        "move" if is_moved and fault is HookFault.MISSING else _DEEDS[fault] for fault in mendable
    ]
    if wish.is_dry or not deeds:
        return view, deeds
    await hook.mend(view, may_move=wish.may_move)
    after = await hook.look(endpoint)
    done = [deed for deed, fault in zip(deeds, mendable, strict=True) if fault not in after.faults]
    return after, done


async def _secret(path: Path, connection: str) -> str:
    config = opening.load_and_warn(path)
    (name,) = _names(config, connection)
    async with opening.connected(config) as made:
        hook = made.connectors[name].hook
        told = None
        if hook is not None:
            told = await hook.reveal(await hook.look(config.webhook_endpoint(name) or ""))
    if told is None:
        raise Refused(
            f"there is no webhook of {name} to sign anything",
            hint=f"`syncd webhooks ensure {name}` makes it.",
        )
    return told


def _names(config: Config, connection: str | None) -> Sequence[ConnectionName]:
    """The connections that are meant; raises `Refused`."""
    if connection is not None and connection not in config.connections:
        known = ", ".join(config.connections)
        raise Refused(f"there is no connection {connection}", hint=f"The connections are: {known}.")
    names = [
        name
        for name, settings in config.connections.items()
        if (settings.has_webhooks if connection is None else name == connection)
    ]
    if names and config.server.public_url is None:
        raise Refused(
            "nobody knows where desks reach this installation",
            hint="Add `server: {public_url: https://...}` to the file.",
        )
    return names


def _row(first: dict[str, object], **cells: object) -> Row:
    row: Row = {**first, **cells}  # type: ignore[dict-item]
    return row
