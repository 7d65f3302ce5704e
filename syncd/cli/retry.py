"""`syncd retry` and `syncd release`: let what stopped go on, when a person has seen to it.

Both go into the store's audit trail with the name of whoever asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.completion import link_names, pair_beginnings
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, PairArgument, ReasonOption
from syncd.cli.plain import visible
from syncd.core.mass_change import MASS_CHANGE
from syncd.core.model import CommentId, LinkName, Side
from syncd.core.work import Pair, PairState, Park

if TYPE_CHECKING:
    from syncd.ports import Store

_PAIR_HELP = "A pair's number, or LINK/TICKET with its ticket on either desk."


def retry(
    pairs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PAIR]...", help=_PAIR_HELP, autocompletion=pair_beginnings),
    ] = None,
    *,
    link: Annotated[
        str | None,
        typer.Option(
            "--link",
            "-l",
            metavar="LINK",
            help="The link itself and all its parked pairs.",
            autocompletion=link_names,
        ),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="All parked pairs; a stopped link must still be named by `--link`."
        ),
    ] = False,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let parked pairs go on; a running daemon takes them up within seconds.

    A status that a desk refused is tried again. A pair that is not parked but waits after an error
    is tried again at once.
    """
    if sum((bool(pairs), link is not None, every)) != 1:
        raise typer.BadParameter("Name pairs, or give --link LINK or --all.")
    found = opening.outline(config)
    asked = opening.require_link(link, found)
    for line in asyncio.run(_retry(found, pairs or [], asked, reason)):
        typer.echo(visible(line))


def release(
    pair: PairArgument,
    comment: Annotated[
        str, typer.Argument(metavar="COMMENT", help="The held comment's id on its own desk.")
    ],
    *,
    side: Annotated[
        Side,
        typer.Option(
            "--side", metavar="platform|partner", help="Whose desk the comment was written on."
        ),
    ] = Side.PARTNER,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let a held comment travel as it is, with those that wait behind it.

    `syncd parked --held` and `syncd plan PAIR` show which comments are held, and why.
    """
    found = opening.outline(config)
    line = asyncio.run(_release(found, pair, CommentId(comment), side, reason))
    typer.echo(visible(line))


async def _retry(
    found: opening.Outline, names: Sequence[str], link: LinkName | None, reason: str
) -> list[str]:
    said = []
    async with opening.acting(found.store) as store:
        if names:
            chosen: Sequence[Pair] = [await opening.find_pair(store, name) for name in names]
            return [await _retry_pair(store, pair, reason) for pair in chosen]
        if link is not None and await store.unpark_link(
            link, actor=opening.actor(), reason=reason, now=opening.now()
        ):
            said.append(f"link {link}: goes on")
        stopped = await store.parked_links()
        said += [
            f"link {name}: is stopped as a whole; `{_way_on(name, park)}`"
            for name, park in stopped.items()
            if link in (None, name)
        ]
        chosen = await store.find_pairs(link=link, state=PairState.PARKED, limit=opening.ALL)
        parked = {pair.pair_id for pair in chosen}
        waiting = {row.pair_id for row in await store.refused(link=link)} - parked
        chosen = [*chosen, *[await opening.find_pair(store, str(one)) for one in sorted(waiting)]]
        said += [
            await _retry_pair(store, pair, reason)
            for pair in chosen
            if not opening.is_stopped_by_link(pair, stopped)
        ]
    return said or ["Nothing was parked."]


def _way_on(link: LinkName, park: Park) -> str:
    is_asked = park.reason == MASS_CHANGE
    return f"syncd confirm {link}" if is_asked else f"syncd retry --link {link}"


async def _retry_pair(store: Store, pair: Pair, reason: str) -> str:
    name = f"pair {pair.pair_id} ({pair.link})"
    if pair.state is PairState.ENDED:
        return f"{name}: has ended; nothing to do"
    if await store.unpark(pair.pair_id, actor=opening.actor(), reason=reason, now=opening.now()):
        return f"{name}: goes on"
    if pair.state is PairState.PARKED:
        return f"{name}: rests with its link; `syncd retry --link {pair.link}`"
    await store.mark([pair.pair_id], now=opening.now())
    return f"{name}: was not parked; runs at once"


async def _release(
    found: opening.Outline, name: str, comment: CommentId, side: Side, reason: str
) -> str:
    async with opening.acting(found.store) as store:
        pair = await opening.find_pair(store, name)
        if await store.release_comment(
            pair.pair_id,
            side,
            comment,
            actor=opening.actor(),
            reason=reason,
            now=opening.now(),
        ):
            return f"comment {comment} of pair {pair.pair_id}: released"
    raise Refused(
        f"pair {pair.pair_id} holds no comment {comment} back on the {side}'s side",
        hint=f"`syncd plan {pair.pair_id}` shows what is held; `--side` names the desk.",
    )
