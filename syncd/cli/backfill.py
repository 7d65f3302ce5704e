"""`syncd backfill`: take over what a link's view already holds, once and silently."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, LinkArgument
from syncd.cli.pair_columns import PAIR, TICKETS, pair_cells
from syncd.cli.progress import ticket_bar
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.cli.since import SINCE_HELP, rounded_since
from syncd.core.model import LinkName, PairId
from syncd.core.work import Pair

if TYPE_CHECKING:
    from syncd.app import Parts
    from syncd.engine.backfill import Backfill, BackfillReport
    from syncd.ports import Store

_LEFT_OUT = (
    PAIR,
    *TICKETS,
    Column(key="side", title="written on"),
    Column(key="comment", title="first comment not sent"),
    Column(key="reason", title="why"),
)


def backfill(
    link: LinkArgument,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="WHEN",
            help=f"Only tickets changed since then. {SINCE_HELP}"
            " A span counts from the start of its day or hour.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be done; write nothing.")
    ] = False,
    notify: Annotated[
        bool,
        typer.Option(
            "--notify", help="Also send public comments that are missing on existing tickets."
        ),
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Take over the tickets that a link's view already holds.

    Their twins are imported with their history, so no customer is notified; old hand-offs are not
    run. It may be stopped at any time: run again with the same `--since`, it goes on. A running
    daemon may stay up. Ends with 1 when a pair was parked on the way.
    """
    begins_at = rounded_since(since, opening.now())
    report, result = asyncio.run(_run(config, link, begins_at, is_dry=dry_run, is_notifying=notify))
    show(report, form, now=opening.now())
    raise typer.Exit(ExitCode.ATTENTION if result.parked else ExitCode.OK)


async def _run(
    path: Path, name: str, since: datetime | None, *, is_dry: bool, is_notifying: bool
) -> tuple[Report, BackfillReport]:
    config = opening.load_and_warn(path)
    outline = opening.Outline(store=config.store, links=tuple(config.links))
    link = opening.require_link(name, outline) or LinkName(name)
    async with contextlib.AsyncExitStack() as stack:
        if is_dry:
            made = await stack.enter_async_context(opening.connected(config))
            store = made.store
            if opening.store_exists(config.store):
                store = await stack.enter_async_context(opening.reading(config.store))
        else:
            owner = f"backfill-{link}"
            made = await stack.enter_async_context(opening.working(config, owner=owner))
            store = made.store
            await _require_running(store, link)
        work = partial(_backfill, made, store, link, is_notifying=is_notifying)
        result = await _walk(work, since, is_dry=is_dry)
        pairs = await _pairs(store, result)
    return _report(link, since, result, pairs, is_dry=is_dry), result


async def _require_running(store: Store, link: LinkName) -> None:
    """Raises `Refused` for a link that must not be written for."""
    if link in await store.paused_links():
        raise Refused(f"link {link} is paused", hint=f"`syncd resume {link}`, then run it again.")
    if link in await store.parked_links():
        raise Refused(f"link {link} is stopped", hint="`syncd parked` says why and what to do.")


async def _walk(
    work: Callable[[], Backfill], since: datetime | None, *, is_dry: bool
) -> BackfillReport:
    with ticket_bar() as bar:
        total = None
        if is_dry or bar.is_shown:
            # A request for a hundred tickets tells how long all of them will take.
            with bar.walk("counting", is_counting=True) as progress:
                counted = await work().preview(since=since, progress=progress)
            if is_dry:
                return counted
            total = counted.seen
        with bar.walk("backfill", total=total) as progress:
            return await work().run(since=since, progress=progress)


def _backfill(made: Parts, store: Store, name: LinkName, *, is_notifying: bool) -> Backfill:
    from syncd.engine.backfill import Backfill

    link = made.links.find(name)
    assert link is not None  # noqa: S101 - the configuration has it, and the links come from there
    return Backfill(
        link,
        store=store,
        intake=made.intake,
        reconciler=made.reconciler,
        clock=made.clock,
        is_notifying=is_notifying,
    )


async def _pairs(store: Store, result: BackfillReport) -> dict[PairId, Pair]:
    found = [await store.find_pairs(pair_id=pair_id) for pair_id in sorted(result.left_out)]
    return {pair.pair_id: pair for pairs in found for pair in pairs}


def _report(
    link: LinkName,
    since: datetime | None,
    result: BackfillReport,
    pairs: dict[PairId, Pair],
    *,
    is_dry: bool,
) -> Report:
    facts: dict[str, str | int | datetime | None] = {
        "link": link,
        "since": since,
        "is_dry_run": is_dry,
        "tickets_seen": result.seen,
        "tickets_in_view": result.total,
        "not_wanted": result.filtered,
        "unreadable": result.unreadable,
        "new_pairs": result.born,
        "existing_pairs": result.existing,
    }
    if not is_dry:
        facts |= {
            "pairs_in_step": result.done,
            "pairs_waiting": result.waiting,
            "pairs_parked": result.parked,
            "writes": result.writes,
        }
    rows: list[Row] = [
        {
            **pair_cells(pair_id, link, pairs[pair_id].tickets),
            "side": held.side,
            "comment": held.comment_id,
            "reason": held.reason,
        }
        for pair_id in sorted(pairs)
        for held in result.left_out[pair_id]
    ]
    sheet = Sheet(
        key="left_out", title="Public comments that were not sent", columns=_LEFT_OUT, rows=rows
    )
    return Report(sheets=(sheet,), facts=facts, notes=tuple(_notes(link, result)))


def _notes(link: LinkName, result: BackfillReport) -> Iterator[str]:
    if result.left_out:
        yield (
            "Public comments missing on existing tickets were not sent, nor those behind them:"
            f" `syncd backfill {link} --notify` sends them, and customers hear of it."
        )
    if result.waiting:
        yield (
            "Some pairs wait for a desk: run it again."
            " Those that somebody has just changed are brought into step by the daemon."
        )
    if result.parked:
        yield f"Some pairs were parked: `syncd parked --link {link}` says why."
