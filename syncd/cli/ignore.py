"""`syncd ignore`: a person decides that one thing is left as it is, and the pair goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, PairArgument, ReasonOption
from syncd.cli.plain import visible
from syncd.cli.sureness import YesOption, require_yes, when_idle

if TYPE_CHECKING:
    from syncd.app import Parts
    from syncd.core.model import PairId
    from syncd.core.work import Ignored
    from syncd.ports import Store


def ignore(
    pair: PairArgument,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]",
            help="One thing that waits, by its name in `syncd inspect PAIR`, such as"
            " comment:partner:501 or status:partner; by default, what it is parked for.",
        ),
    ] = None,
    *,
    reason: ReasonOption = "",
    yes: YesOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Leave what stands in a pair's way as it is on both desks, for good, and let the pair go on.

    A write that a desk refuses is not made: its comment, note, status or tags stay where they are.
    Of a lost write of which the desk shows several, all stay. What people write afterwards travels
    as ever. Where nothing can be left (a status without a meaning, a ticket that is gone), it says
    what to do instead.
    """
    found = opening.outline(config)
    opening.require_store(found.store)
    line = asyncio.run(_ignore(config, found, pair, what, reason, is_sure=yes))
    typer.echo(visible(line))


async def _ignore(
    path: Path,
    found: opening.Outline,
    name: str,
    what: str | None,
    reason: str,
    *,
    is_sure: bool,
) -> str:
    config = opening.load_and_warn(path)
    async with opening.connected(config) as made, opening.acting(found.store) as store:
        pair_id = (await opening.find_pair(store, name)).pair_id
        left = await _proposed(made, store, pair_id, what)
        told = "; ".join(left.what)
        require_yes(f"Leave for good, of pair {pair_id}: {told}?", is_sure=is_sure)
        is_done = await when_idle(
            lambda: store.ignore(
                pair_id, left, actor=opening.actor(), reason=reason, now=opening.now()
            )
        )
    if not is_done:
        raise Refused(f"pair {pair_id} has moved on meanwhile", hint="Look again, and repeat it.")
    return f"pair {pair_id}: goes on without {told}"


async def _proposed(made: Parts, store: Store, pair_id: PairId, what: str | None) -> Ignored:
    """Raises `Refused` where nothing can be left."""
    from syncd.engine.ignoring import propose

    inspection = await store.inspect(pair_id)
    assert inspection is not None  # noqa: S101 - it was found by its number
    pair = inspection.run.pair
    link = made.links.find(pair.link)
    if link is None:
        raise Refused(
            f"pair {pair_id} belongs to link {pair.link}, which is not configured",
            hint="Add the link again, or `syncd unlink` the pair.",
        )
    proposal = await propose(inspection, link, clock=made.clock, name=what)
    if proposal.ignored is None:
        hint = proposal.hint.replace("PAIR", str(pair_id))
        raise Refused(f"nothing of pair {pair_id} can be left as it is", hint=hint)
    return proposal.ignored
