"""`syncd conflicts`: what both sides changed at once, with both values."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from syncd.cli import opening
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, LinkOption
from syncd.cli.pair_columns import LINK, PAIR, TICKETS, pair_cells
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.cli.since import SINCE_HELP, since
from syncd.core.model import LinkName
from syncd.core.report import ConflictRow

_CONFLICTS = (
    Column(key="seen_at", title="seen", is_whole=True),
    LINK,
    PAIR,
    *TICKETS,
    Column(key="value", title="value"),
    Column(key="base", title="before"),
    Column(key="platform", title="platform said"),
    Column(key="partner", title="partner said"),
    Column(key="result", title="became"),
    Column(key="rule", title="by rule"),
)


def conflicts(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    link: LinkOption = None,
    since_text: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help=f"Only those seen since then. {SINCE_HELP}"),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most this many.")
    ] = 1000,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show the conflicts on record, newest first.

    A conflict is a status or a tag that both desks changed at once; the link's rule decided, and
    both values are kept. Comments never conflict: each of them travels.
    """
    found = opening.outline(config)
    asked = opening.require_link(link, found)
    begins_at = since(since_text, opening.now())
    rows = asyncio.run(_recorded(found, asked, begins_at, limit))
    sheet = Sheet(
        key="conflicts", title="", columns=_CONFLICTS, rows=_rows(rows), none="No conflicts."
    )
    is_cut = len(rows) == limit
    notes = (f"Only the newest {limit}; `--limit` shows more.",) if is_cut else ()
    show(Report(sheets=(sheet,), notes=notes), form, now=opening.now())


async def _recorded(
    found: opening.Outline, link: LinkName | None, begins_at: datetime | None, limit: int
) -> Sequence[ConflictRow]:
    async with opening.reading(found.store) as store:
        return await store.conflicts(link=link, since=begins_at, limit=limit)


def _rows(found: Sequence[ConflictRow]) -> list[Row]:
    return [
        {
            "seen_at": row.seen_at,
            **pair_cells(row.pair_id, row.link, row.tickets),
            "value": row.conflict.name,
            "base": row.conflict.base,
            "platform": row.conflict.platform,
            "partner": row.conflict.partner,
            "result": row.conflict.result,
            "rule": row.conflict.rule,
        }
        for row in found
    ]
