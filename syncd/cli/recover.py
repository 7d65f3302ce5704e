"""`syncd recover`: find on both desks what an older store has forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.completion import pair_beginnings
from syncd.cli.exit_code import ExitCode
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, ReasonOption
from syncd.cli.pair_columns import PAIR, TICKETS, pair_cells
from syncd.cli.progress import count_bar
from syncd.cli.report import Column, Format, Report, Row, Sheet, show

if TYPE_CHECKING:
    from syncd.core.work import StoreAge
    from syncd.engine.recover import RecoverReport
    from syncd.ports import Store

_FOUND = (
    PAIR,
    *TICKETS,
    Column(key="comments", title="comments of ours", is_number=True),
    Column(key="tickets", title="tickets of ours", is_number=True),
    Column(key="in_doubt", title="in doubt"),
)


def recover(
    pair: Annotated[
        str | None,
        typer.Argument(
            metavar="[PAIR]",
            help="Only this pair: its number, or LINK/TICKET with its ticket on either desk.",
            autocompletion=pair_beginnings,
        ),
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be found; write nothing.")
    ] = False,
    ours: Annotated[
        bool,
        typer.Option(
            "--ours", help="With PAIR: what cannot be told apart there was written by syncd."
        ),
    ] = False,
    reason: ReasonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Find on both desks what an older store has forgotten: after `syncd restore`, or a lost disk.

    Nothing is written to a desk. Every pair is doubtful from then on, and nothing is written for
    it before its comments of ours are known, by their stamps, or by their author and their text; a
    pair in which that cannot be told is parked. Pairs that have not moved cost two requests for a
    hundred. It may be stopped at any time and run again; what is left the daemon does itself.
    The daemon must not run. Ends with 1 when a pair was parked.
    """
    if ours and pair is None:
        raise Refused("--ours is about one pair", hint="`syncd recover PAIR --ours`")
    report, parked = asyncio.run(_run(config, pair, is_dry=dry_run, is_ours=ours, reason=reason))
    show(report, form, now=opening.now())
    raise typer.Exit(ExitCode.ATTENTION if parked else ExitCode.OK)


async def _run(
    path: Path, name: str | None, *, is_dry: bool, is_ours: bool, reason: str
) -> tuple[Report, int]:
    from syncd.engine.recover import Recover

    config = opening.load_and_warn(path)
    opening.require_store(config.store)
    actor = opening.actor()
    async with opening.working(config, owner="daemon", is_recovering=True) as made:
        before = await made.store.age()
        work = Recover(
            store=made.store,
            links=made.links,
            reconciler=made.reconciler,
            clock=made.clock,
            is_dry=is_dry,
        )
        if name is not None:
            found = await opening.find_pair(made.store, name)
            result = await work.pair(found, is_ours=is_ours, actor=actor, reason=reason)
        else:
            await work.begin(actor=actor, reason=reason)
            with count_bar("recover") as progress:
                result = await work.run(
                    progress=lambda report: progress(report.handled, report.total)
                )
        return await _report(made.store, before, result, is_dry=is_dry), result.parked


async def _report(store: Store, before: StoreAge, result: RecoverReport, *, is_dry: bool) -> Report:
    facts: Row = {
        "was_older": before.is_older,
        "is_dry_run": is_dry,
        "pairs": result.total,
        "not_moved": result.unmoved,
        "recovered": result.recovered,
        "comments_of_ours": result.comments,
        "tickets_of_ours": result.tickets,
        "parked": result.parked,
        "without_a_link": result.unlinked,
    }
    rows: list[Row] = []
    for pair_id, recovered in sorted(result.found.items()):
        (pair,) = await store.find_pairs(pair_id=pair_id)
        rows.append(
            {
                **pair_cells(pair_id, pair.link, pair.tickets),
                "comments": recovered.comments,
                "tickets": recovered.tickets,
                "in_doubt": [f"{side} {comment}" for side, comment in recovered.doubtful],
            }
        )
    sheet = Sheet(key="found", title="What the store had forgotten", columns=_FOUND, rows=rows)
    return Report(sheets=(sheet,), facts=facts, notes=tuple(_notes(result, is_dry=is_dry)))


def _notes(result: RecoverReport, *, is_dry: bool) -> Iterator[str]:
    if result.parked:
        yield "In some pairs a person must say who wrote what: `syncd parked` tells which."
    if result.unlinked:
        yield "Pairs whose link is not in the file stay doubtful until it is."
    if not is_dry:
        yield "`syncd run` goes on from here, and catches up with what has happened since."
