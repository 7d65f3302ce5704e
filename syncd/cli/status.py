"""`syncd status`: whether all is well, how the links are doing, and who waits for an answer."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import opening
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Refused, explain
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, LinkOption
from syncd.cli.pair_columns import LINK, PAIR, TICKETS, pair_cells
from syncd.cli.report import Column, Format, Report, Row, Sheet, as_tables, console, put, show
from syncd.cli.status_report import Gathered, status_report
from syncd.cli.status_screen import one_screen
from syncd.core.errors import SyncdError
from syncd.core.model import LinkName
from syncd.core.report import StaleRow
from syncd.core.verdict import Level

_STALE = (
    PAIR,
    LINK,
    *TICKETS,
    Column(key="ball", title="ball"),
    Column(key="waiting_since", title="customer asked", is_age=True),
)


def status(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale", help="Instead: open pairs whose customer waits for a public answer."
        ),
    ] = False,
    link: LinkOption = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--all", "-a", help="Every link and connection, however long; a pipe has them anyway."
        ),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", "-w", help="Keep it on the screen, worst first; Ctrl-C ends it."),
    ] = False,
    every: Annotated[
        float,
        typer.Option(
            "--every", metavar="SECONDS", min=0.2, help="The pause of `--watch` between two looks."
        ),
    ] = 2.0,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="For monitoring: one line and its figures; end with 0 where all is well, 1 for a"
            " warning, 2 for something critical, 3 where nobody can tell.",
        ),
    ] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="End with 1 when a pair or a link is stopped or paused.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show whether all is well, each link and each connection, on one screen.

    `level` is ok, warning or critical, and `trouble` says why. Of a link, `waiting` counts pairs
    with changes still to be delivered, `lag to` says how long the oldest of them has waited for
    that side, `sent` counts writes whose answer is not recorded yet, `importing` those of them
    whose comments the desk's feed has still to name, `ball` who must act next, `status waits for`
    the fields that a desk wants filled in before it takes a status.

    Of a connection, `missed` counts changes that polling found and no webhook announced. Of each of
    its quotas, `used` and `of ours` are what syncd used of its share in the present window, `left
    for all` is what the desk says; `429s` counts since the daemon's start how often it refused for
    it. Without a daemon there is only what the store remembers.

    Below stands what the daemon did since its start: runs of pairs, writes by state in the journal,
    webhooks and how many changes polling had to repair, requests by status, how long commits took,
    and the busiest endpoints. `--format json` has all of it.

    A terminal gets one screen, what is wrong first, and is told what had no room; `--all` and a
    pipe get everything.

    With `--stale`, whoever waited longest comes first.

    It ends with 0 whatever it has to tell; `--check` and `--fail` end with what they found.
    """
    if check:
        raise typer.Exit(_checked(config, link, form))
    found = opening.outline(config)
    asked = opening.require_link(link, found)
    if stale:
        rows = asyncio.run(_stale(found, asked))
        nobody = "No customer waits for an answer."
        sheet = Sheet(key="stale", title="", columns=_STALE, rows=_waiting(rows), none=nobody)
        show(Report(sheets=(sheet,)), form, now=opening.now())
        return
    if watch:
        _watch(found, asked, form, every)
        return
    gathered = asyncio.run(_gather(found, asked))
    report = status_report(gathered)
    terminal = console()
    if form is Format.TABLE and terminal.is_terminal and not whole:
        drawn = partial(as_tables, terminal=terminal, now=gathered.now)
        # The line of the prompt stays free.
        put(drawn(one_screen(report, height=terminal.height - 1, drawn=drawn)))
    else:
        show(report, form, now=gathered.now)
    if fail and gathered.is_stopped:
        raise typer.Exit(ExitCode.ATTENTION)


def _checked(config: Path, link: str | None, form: Format) -> Level:
    """Print what monitoring wants, and say with what to end; an error is a judgement, too."""
    from syncd.cli.plugin_line import plugin_lines, unknown_lines

    try:
        found = opening.outline(config)
        gathered = asyncio.run(_gather(found, opening.require_link(link, found)))
    except SyncdError as error:
        failure = explain(error)
        put(unknown_lines(failure.lines, failure.hint))
        return Level.UNKNOWN
    if form is Format.TABLE:
        put(plugin_lines(gathered))
    else:
        show(status_report(gathered), form, now=gathered.now)
    return gathered.verdict().level


def _watch(found: opening.Outline, link: LinkName | None, form: Format, seconds: float) -> None:
    """Draw the tables again and again, in place, until a person has seen enough."""
    if form is not Format.TABLE or not sys.stdout.isatty():
        raise Refused(
            "--watch draws tables on a terminal",
            hint="In a pipe or a script run `syncd status --format json` as often as you like.",
        )
    from rich.live import Live
    from rich.text import Text

    terminal = console()
    pause = threading.Event()
    try:
        with Live(console=terminal, screen=True, auto_refresh=False) as live:
            while True:
                gathered = asyncio.run(_gather(found, link))
                drawn = partial(as_tables, terminal=console(), now=gathered.now)
                fitted = one_screen(status_report(gathered), height=terminal.height, drawn=drawn)
                text = Text.from_ansi(drawn(fitted), no_wrap=True, overflow="crop")
                live.update(text, refresh=True)
                pause.wait(seconds)
    except KeyboardInterrupt:
        return


async def _gather(found: opening.Outline, link: LinkName | None) -> Gathered:
    from syncd.cli.daemon_word import daemon_word

    word = await asyncio.to_thread(daemon_word, found.listen)
    async with opening.reading(found.store) as store:
        figures = {one.link: one for one in await store.figures()}
        summaries = {one.link: one for one in await store.summaries()}
        refused, feeds = await store.refused(), await store.feeds()
        webhooks = await store.webhooks()
    # A link that left the file still has its pairs; one without pairs is still a link.
    names = [*found.links, *(name for name in summaries if name not in found.links)]
    return Gathered(
        now=opening.now(),
        names=[name for name in names if link in (None, name)],
        figures=figures,
        summaries=summaries,
        refused=refused,
        feeds=feeds,
        webhooks=webhooks,
        word=word,
        listen=found.listen,
    )


async def _stale(found: opening.Outline, link: LinkName | None) -> Sequence[StaleRow]:
    async with opening.reading(found.store) as store:
        return await store.stale(link=link)


def _waiting(rows: Sequence[StaleRow]) -> list[Row]:
    return [
        {
            **pair_cells(row.pair_id, row.link, row.tickets),
            "ball": row.ball,
            "waiting_since": row.waiting_since,
        }
        for row in rows
    ]
