"""`syncd plan`: a dry run of one pair, every write and every overwrite, and nothing written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, PairArgument
from syncd.cli.report import Format, show

if TYPE_CHECKING:
    from syncd.engine.preview import Preview


def plan(
    pair: PairArgument,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    text: Annotated[
        bool, typer.Option("--text", help="Also show the text of the comments to be written.")
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show what a run of one pair would write and overwrite, without writing anything.

    It plans from the store and asks a desk only for what the plan lacks. Comments that are held
    back are shown with the reason.
    """
    from syncd.cli import planned

    found = asyncio.run(_preview(config, pair))
    report = planned.report(found.pair, found.plan, sent_count=found.sent_count, with_text=text)
    show(report, form, now=opening.now())


async def _preview(path: Path, name: str) -> Preview:
    config = opening.load_and_warn(path)
    opening.require_store(config.store)
    async with opening.connected(config) as made, opening.reading(config.store) as store:
        from syncd.engine.preview import preview

        pair = await opening.find_pair(store, name)
        found = await preview(pair.pair_id, store=store, links=made.links, clock=made.clock)
    if found is None:
        raise Refused(
            f"pair {pair.pair_id} belongs to link {pair.link}, which is not configured",
            hint="Add the link again, or leave the pair at rest.",
        )
    return found
