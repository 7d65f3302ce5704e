"""`syncd purge`: let go of what is over for longer than the configuration keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, ReasonOption
from syncd.cli.progress import count_bar
from syncd.cli.report import Column, Format, Report, Row, Sheet, show

if TYPE_CHECKING:
    from syncd.store.purging import Purged
    from syncd.store.scrubbing import Scrubbed

_COLUMNS = (
    Column(key="kind", title="kind"),
    Column(key="rows", title="rows", is_number=True),
)


def purge(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go; write nothing.")
    ] = False,
    reason: ReasonOption = "",
    form: FormatOption = Format.TABLE,
) -> None:
    """Let go of what the `retention:` section keeps no longer: what ended pairs held, settled
    writes, old history, old deeds.

    Works beside a running daemon; run it daily, from a timer. Tickets and comments of ended pairs
    stay known by their numbers, so that one that comes back is not doubled. What goes is
    overwritten in the file and in its log; docs/data.md says what is held and for how long.
    """
    from syncd.store.purging import purge as purge_store

    found, periods = opening.outline(config), opening.periods(config)
    opening.require_store(found.store)
    with count_bar("purge") as progress:
        purged = purge_store(
            found.store,
            periods,
            actor=opening.actor(),
            now=opening.now(),
            reason=reason,
            is_dry=dry_run,
            progress=progress,
        )
    show(_report(purged, is_dry=dry_run), form, now=opening.now())


def _report(purged: Purged, *, is_dry: bool) -> Report:
    rows: list[Row] = [
        {"kind": kind.replace("_", " "), "rows": count}
        for kind, count in sorted(purged.counts.items())
        if count
    ]
    facts: Row = {"is_dry_run": is_dry, "ended_pairs": purged.pairs}
    sheet = Sheet(key="purged", title="", columns=_COLUMNS, rows=rows, none="Nothing is that old.")
    return Report(sheets=(sheet,), facts=facts, notes=scrub_notes(purged.scrubbed))


def scrub_notes(scrubbed: Scrubbed | None) -> tuple[str, ...]:
    """What is still to be done so that no byte is left."""
    notes = []
    if scrubbed is not None and not scrubbed.is_rewritten:
        notes.append(
            "The file is too large to be written anew beside a daemon: what went is overwritten,"
            " but pieces may be left. Stop the daemon once and run it again."
        )
    if scrubbed is not None and not scrubbed.is_log_empty:
        notes.append("Somebody still reads: the daemon empties the log within a minute.")
    return tuple(notes)
