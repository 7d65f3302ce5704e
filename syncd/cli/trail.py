"""`syncd trail`: what people did by hand, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from syncd.cli import opening
from syncd.cli.completion import link_names
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption
from syncd.cli.pair_columns import LINK, PAIR
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.core.model import LinkName
from syncd.core.report import DeedRow

COLUMNS = (
    Column(key="at", title="when", is_whole=True),
    Column(key="who", title="who", is_whole=True),
    Column(key="verb", title="did"),
    Column(key="subject", title="to"),
    LINK,
    Column(key=PAIR.key, only=Format.CSV),
    Column(key="reason", title="why", is_optional=True),
)


def trail(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="[PAIR|LINK]",
            help="A pair's number, LINK/TICKET, or a link with its pairs.",
            autocompletion=link_names,
        ),
    ] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most this many.")
    ] = 1000,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what people did by hand, newest first: who, when, what, and the reason they gave.

    What syncd does by itself is in its log; the desks keep what it wrote there.
    """
    found = opening.outline(config)
    rows = asyncio.run(_read(found, subject, limit))
    sheet = Sheet(key="trail", title="", columns=COLUMNS, rows=deed_rows(rows), none="No deeds.")
    notes = (f"Only the newest {limit}; `--limit` shows more.",) if len(rows) == limit else ()
    show(Report(sheets=(sheet,), notes=notes), form, now=opening.now())


def deed_rows(rows: Sequence[DeedRow]) -> list[Row]:
    """The cells of these columns."""
    return [
        {
            "at": row.at,
            "who": row.actor,
            "verb": row.verb,
            "subject": row.subject,
            "link": row.link,
            "pair": row.pair_id,
            "reason": row.reason,
        }
        for row in rows
    ]


async def _read(found: opening.Outline, subject: str | None, limit: int) -> Sequence[DeedRow]:
    async with opening.reading(found.store) as store:
        if subject is None:
            return await store.deeds(limit=limit)
        if subject in found.links:
            return await store.deeds(link=LinkName(subject), limit=limit)
        pair = await opening.find_pair(store, subject)
        return await store.deeds(pair_id=pair.pair_id, limit=limit)
