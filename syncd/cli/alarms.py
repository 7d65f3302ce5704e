"""`syncd alarms`: what people are told of now, and whether messages arrive.

`list` reads the record that the daemon keeps; `test` sends, with the shell's secrets and network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.completion import route_names
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.core.alarm import Alarm
from syncd.core.alarm_words import remedy, summary

if TYPE_CHECKING:
    from config.loaded import Config

app = typer.Typer(
    no_args_is_help=True,
    help="See what people are told of, and try the routes.",
    epilog="Example: `syncd alarms list`, or `syncd alarms test`",
)

_ALARMS = (
    Column(key="kind", title="kind"),
    Column(key="connection", title="connection", is_optional=True),
    Column(key="link", title="link", is_optional=True),
    Column(key="since", title="since", is_age=True),
    Column(key="count", title="count", is_number=True),
    Column(key="what", title="what"),
    Column(key="reason", title="reason", is_optional=True),
    Column(key="pairs", title="pairs", is_optional=True),
    Column(key="told", title="told to"),
    Column(key="waits_for", title="still to be told", is_optional=True),
    Column(key="over_at", title="over", is_age=True, is_optional=True),
    Column(key="hint", title="what helps"),
)
_ROUTES = (
    Column(key="route", title="route"),
    Column(key="is_sent", title="sent"),
    Column(key="hint", title="to do", is_optional=True),
)
_HINTS = {
    "sent": "",
    "refused": "The service did not take it: look at the address, its password and the network.",
    "silent": "The service did not answer within a minute: look at host, port and firewall.",
}


@app.command("list", epilog="Example: `syncd alarms list`, or `syncd alarms list --format json`")
def list_alarms(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    past: Annotated[
        bool, typer.Option("--past", help="Also those that are over, of the last thirty days.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what is wrong now, since when, and who was told.

    It is the daemon's record, which it keeps while the file has `alarms.routes`. Ends with 1 while
    something is wrong.
    """
    found = opening.outline(config)
    alarms = asyncio.run(_alarms(found.store, past))
    rows = [_row(alarm) for alarm in alarms]
    sheet = Sheet(key="alarms", title="", columns=_ALARMS, rows=rows, none="No alarm is on.")
    notes = () if found.has_routes else ("Nobody is told: the file has no `alarms.routes`.",)
    show(Report(sheets=(sheet,), notes=notes), form, now=opening.now())
    if any(alarm.over_at is None for alarm in alarms):
        raise typer.Exit(ExitCode.ATTENTION)


@app.command(
    "test", epilog="Example: `syncd alarms test`, or `syncd alarms test on-call --format json`"
)
def try_routes(
    route: Annotated[
        str | None,
        typer.Argument(
            metavar="[ROUTE]", help="Only this one; by default all.", autocompletion=route_names
        ),
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    form: FormatOption = Format.TABLE,
) -> None:
    """Send a test message over every route, and say which services took it.

    Whether it arrived where people look is theirs to say. Ends with 1 when one was not taken. No
    address is shown.
    """
    loaded = opening.load_and_warn(config)
    names = _names(loaded, route)
    outcomes = asyncio.run(_send(loaded, names))
    rows: list[Row] = [
        {"route": name, "is_sent": outcome == "sent", "outcome": outcome, "hint": _HINTS[outcome]}
        for name, outcome in zip(names, outcomes, strict=True)
    ]
    sheet = Sheet(key="routes", title="", columns=_ROUTES, rows=rows)
    show(Report(sheets=(sheet,)), form, now=opening.now())
    if any(not row["is_sent"] for row in rows):
        raise typer.Exit(ExitCode.ATTENTION)


def _names(config: Config, route: str | None) -> Sequence[str]:
    """The routes that are meant; raises `Refused`."""
    known = list(config.alarms.routes or {})
    if not known:
        raise Refused(
            "the file has no `alarms.routes`",
            hint="Add one, as docs/operations.md shows; then nobody has to watch.",
        )
    if route is not None and route not in known:
        raise Refused(f"there is no route {route}", hint=f"The routes are: {', '.join(known)}.")
    return known if route is None else [route]


async def _send(config: Config, names: Sequence[str]) -> Sequence[str]:
    from syncd.alarms.post import Post
    from syncd.alarms.routes import addresses_of, name_of
    from syncd.core.alarm_words import trial

    post, called = Post(addresses_of(config)), name_of(config)
    sent = await asyncio.gather(*(post.send(name, trial(name, name=called)) for name in names))
    return [outcome.value for outcome in sent]


async def _alarms(store: str, has_over: bool) -> Sequence[Alarm]:
    async with opening.reading(store) as opened:
        return await opened.alarms(has_over=has_over)


def _row(alarm: Alarm) -> Row:
    condition = alarm.condition
    told = sorted(alarm.told.items())
    return {
        "kind": condition.cause.kind.value,
        "connection": condition.cause.connection,
        "link": condition.cause.link,
        "since": condition.since,
        "count": condition.count,
        "what": summary(condition),
        "reason": condition.reason or None,
        "pairs": [str(pair) for pair in condition.pairs],
        "told": [name for name, each in told if each.told_at is not None],
        "told_at": {name: each.told_at for name, each in told if each.told_at is not None},
        "waits_for": [name for name, each in told if not each.is_over and _waits(alarm, name)],
        "over_at": alarm.over_at,
        "hint": remedy(condition) if alarm.over_at is None else None,
    }


def _waits(alarm: Alarm, route: str) -> bool:
    """Whether a route does not know yet that it began, or that it is over."""
    return alarm.told[route].told_at is None or alarm.over_at is not None
