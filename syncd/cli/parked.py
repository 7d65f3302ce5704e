"""`syncd parked`: what stopped and waits for a person, and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, FormatOption, LinkOption
from syncd.cli.pair_columns import LINK, PAIR, TICKETS, pair_cells
from syncd.cli.report import Column, Format, Report, Row, Sheet, show
from syncd.core.errors import Refusal
from syncd.core.model import Held, LinkName
from syncd.core.report import RefusedRow
from syncd.core.work import Pair, PairState, Park, Pause

if TYPE_CHECKING:
    from syncd.app import Parts
    from syncd.ports import Store

_PARKED = (
    Column(key="what", title="what"),
    LINK,
    PAIR,
    *TICKETS,
    Column(key="comment", title="comment", is_optional=True),
    Column(key="reason", title="reason"),
    Column(key="since", title="since", is_age=True),
    Column(key="hint", title="to do"),
)


def parked(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    link: LinkOption = None,
    held: Annotated[
        bool,
        typer.Option(
            "--held",
            help="Also comments that wait for a person; looks at every active pair in the store.",
        ),
    ] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Show the pairs and links that are stopped until a person acts, and what to do.

    A link that a person has paused is among them. A line about a status is of a pair that goes on:
    only its status waits.
    When it is mended, `syncd retry PAIR` lets a pair go on. With `--held`, also the comments that
    are held back; `syncd release PAIR COMMENT` lets one travel.
    """
    found = opening.outline(config)
    asked = opening.require_link(link, found)
    rows = asyncio.run(_stopped(found, asked))
    if held:
        rows += asyncio.run(_held(config, asked))
    sheet = Sheet(key="parked", title="", columns=_PARKED, rows=rows, none="Nothing is parked.")
    notes = () if held else ("Comments that are held back: `syncd parked --held`.",)
    show(Report(sheets=(sheet,), notes=notes), form, now=opening.now())


async def _stopped(found: opening.Outline, link: LinkName | None) -> list[Row]:
    async with opening.reading(found.store) as store:
        links, paused = await store.parked_links(), await store.paused_links()
        pairs = await store.find_pairs(link=link, state=PairState.PARKED, limit=opening.ALL)
        refused = await store.refused(link=link)
    alone = [_pair(pair) for pair in pairs if not opening.is_stopped_by_link(pair, links)]
    return [*_links(links, link), *_paused(paused, link), *alone, *map(_status, refused)]


def _links(links: Mapping[LinkName, Park], link: LinkName | None) -> list[Row]:
    return [
        {"what": "link", "link": name, "reason": park.reason, "hint": park.hint}
        for name, park in links.items()
        if link in (None, name)
    ]


def _paused(links: Mapping[LinkName, Pause], link: LinkName | None) -> list[Row]:
    return [
        {
            "what": "link",
            "link": name,
            "reason": "paused",
            "since": pause.paused_at,
            "hint": f"`syncd resume {name}` lets it go on; `syncd trail {name}` says by whom.",
        }
        for name, pause in links.items()
        if link in (None, name)
    ]


def _pair(pair: Pair) -> Row:
    return {
        **_whose("pair", pair),
        "reason": pair.reason,
        "since": pair.parked_at,
        "hint": pair.hint,
    }


def _status(row: RefusedRow) -> Row:
    wants = f"status waits for {', '.join(row.refused.lacks)}" if row.refused.lacks else "it waits"
    return {
        **pair_cells(row.pair_id, row.link, row.tickets),
        "what": "status",
        "side": row.side.value,
        "reason": Refusal.STATUS.value,
        "waits_for": list(row.refused.lacks),
        "hint": f"The {row.side}'s desk does not take {row.refused.status!r}: {wants}. Mend the"
        f" ticket there; a change tries it again, as does `syncd retry {row.pair_id}`.",
    }


def _whose(what: str, pair: Pair) -> Row:
    return {"what": what, **pair_cells(pair.pair_id, pair.link, pair.tickets)}


async def _held(path: Path, link: LinkName | None) -> list[Row]:
    config = opening.load_and_warn(path)
    async with opening.connected(config) as made, opening.reading(config.store) as store:
        return [
            {
                **_whose("comment", pair),
                "comment": held.comment_id,
                "side": held.side,
                "reason": held.reason,
                "hint": f"Make it private on the {held.side}'s desk, or"
                f" `syncd release {pair.pair_id} {held.comment_id} --side {held.side}`.",
            }
            async for pair, waiting in _plans(made, store, link)
            for held in waiting
        ]


async def _plans(
    made: Parts, store: Store, link: LinkName | None
) -> AsyncIterator[tuple[Pair, Sequence[Held]]]:
    """Plan every active pair from the mirror alone; one that needs a read first is passed over."""
    from syncd.engine.work import Work

    async for pairs in store.open_pairs():
        for pair in pairs:
            configured = made.links.find(pair.link)
            if configured is None or link not in (None, pair.link):
                continue
            run = await store.load_run(pair.pair_id)
            if run is not None:
                work = Work(run, configured, is_quiet=False)
                yield pair, work.plan(made.clock.now()).held
