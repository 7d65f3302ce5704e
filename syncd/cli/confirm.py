"""`syncd confirm`: look at a mass change that stopped a link, and let it pass.

What would reach the other desk is shown first, pair by pair; only what was shown is let pass.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import opening
from syncd.cli.failure import Refused
from syncd.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    FormatOption,
    LinkArgument,
    ReasonOption,
)
from syncd.cli.pair_columns import PAIR, TICKETS, pair_cells
from syncd.cli.plain import visible
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.cli.sureness import YesOption, require_yes
from syncd.core.mass_change import MASS_CHANGE, PendingChange
from syncd.core.model import LinkName, Side
from syncd.core.work import Park

_CHANGES = (
    PAIR,
    *TICKETS,
    Column(key="side", title="by"),
    Column(key="change", title="change"),
    Column(key="before", title="from"),
    Column(key="after", title="to"),
    Column(key="at", title="at", is_whole=True),
)


def confirm(
    link: LinkArgument,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would happen; ask and do nothing.")
    ] = False,
    yes: YesOption = False,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
    form: FormatOption = Format.TABLE,
) -> None:
    """Let a mass change pass that stopped a link: many tickets closed, deleted and so on at once.

    Shows what would reach the other desk and asks. Was it an accident, do not confirm: put it right
    on the desk where it happened (reopen, restore), and run this again; it then shows what is left,
    which may be nothing, and lets the link go on. What people wrote meanwhile travels in its order.
    """
    name, park, changes = asyncio.run(_pending(config, link))
    show(_report(name, park, changes), form, now=opening.now())
    if dry_run:
        return
    require_yes(f"Let {_said(changes)} of link {name} pass?", is_sure=yes)
    typer.echo(visible(asyncio.run(_confirm(config, name, changes, reason))), err=True)


async def _pending(path: Path, text: str) -> tuple[LinkName, Park, Sequence[PendingChange]]:
    name = opening.known_link(text, opening.outline(path))
    config = opening.load_and_warn(path)
    opening.require_store(config.store)
    async with opening.connected(config) as made, opening.reading(config.store) as store:
        park = (await store.parked_links()).get(name)
        if park is None or park.reason != MASS_CHANGE:
            raise Refused(
                f"link {name} is not stopped by a mass change",
                hint=f"`syncd parked --link {name}` says what is stopped, and why.",
            )
        link = made.links.find(name)
        assert link is not None  # noqa: S101 - the file names it
        has_views = link.capabilities[Side.PLATFORM].has_views
        return name, park, await store.pending_changes(link.policy, has_views=has_views)


async def _confirm(
    path: Path, link: LinkName, changes: Sequence[PendingChange], reason: str
) -> str:
    async with opening.acting(opening.outline(path).store) as store:
        if await store.confirm_link(
            link, changes, actor=opening.actor(), reason=reason, now=opening.now()
        ):
            return f"link {link}: goes on, with {_said(changes)}"
    return f"link {link}: somebody else has confirmed it meanwhile"


def _said(changes: Sequence[PendingChange]) -> str:
    return f"{len(changes)} change{'' if len(changes) == 1 else 's'}"


def _report(link: LinkName, park: Park, changes: Sequence[PendingChange]) -> Report:
    counts = Counter(f"{c.change.kind} by the {c.change.side}" for c in changes)
    sheet = Sheet(
        key="changes",
        title=f"What would reach the other desk of {link}",
        columns=_CHANGES,
        rows=[_row(link, change) for change in changes],
        none="Nothing is left of it: confirming only lets the link go on.",
    )
    facts: Row = {"link": link, "reason": park.reason, "counts": dict(sorted(counts.items()))}
    notes = tuple(f"{count} {what}" for what, count in sorted(counts.items()))
    return Report(sheets=(sheet,), facts=facts, notes=notes)


def _row(link: LinkName, found: PendingChange) -> Row:
    change = found.change
    return {
        **pair_cells(found.pair_id, link, found.tickets),
        "side": change.side.value,
        "change": change.kind.value,
        "before": change.before,
        "after": change.after,
        "at": change.at,
    }
