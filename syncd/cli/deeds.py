"""`syncd park`, `replay` and `unlink`: stop a pair, look at it afresh, or end it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import opening
from syncd.cli.completion import pair_beginnings
from syncd.cli.failure import Refused
from syncd.cli.options import DEFAULT_CONFIG, ConfigOption, PairArgument, ReasonOption
from syncd.cli.plain import visible
from syncd.cli.sureness import YesOption, require_yes, when_idle
from syncd.core.work import BY_HAND, Pair, PairState, Park

if TYPE_CHECKING:
    from syncd.ports import Store

#: A hint is shown on one line.
_LONGEST_REASON = 200


def park(
    pair: PairArgument,
    *,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            metavar="TEXT",
            help="Why, for `syncd parked` and the audit trail; no ticket text, please.",
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Stop one pair until somebody lets it go on with `syncd retry PAIR`.

    Nothing more is written to its tickets; what people write there is remembered. A write that has
    left is let come to its end.
    """
    found = opening.outline(config)
    typer.echo(visible(asyncio.run(_park(found, pair, reason))))


def replay(
    pairs: Annotated[
        list[str],
        typer.Argument(
            metavar="PAIR...",
            help="A pair's number, or LINK/TICKET; or several.",
            autocompletion=pair_beginnings,
        ),
    ],
    *,
    reason: ReasonOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Have pairs read afresh from both desks, comments included, and planned from that.

    For when the mirror is in doubt. What was delivered is known by the comment map and is not
    delivered again. A running daemon begins within seconds; it costs a pair some four reads.
    """
    found = opening.outline(config)
    for line in asyncio.run(_replay(found, pairs, reason)):
        typer.echo(visible(line))


def unlink(
    pair: PairArgument,
    *,
    reason: ReasonOption = "",
    yes: YesOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a pair: no effect in either direction any more.

    Both tickets stay as they are, and no note tells of it. What people write afterwards does not
    travel, and no feed brings the pair back. To undo it, `syncd backfill LINK` takes over what the
    link's view holds, this ticket with its old twin included.
    """
    found = opening.outline(config)
    typer.echo(visible(asyncio.run(_unlink(found, pair, reason, is_sure=yes))))


async def _park(found: opening.Outline, name: str, reason: str) -> str:
    async with opening.acting(found.store) as store:
        pair = await opening.find_pair(store, name)
        hint = (
            f"Parked by a person: {reason[:_LONGEST_REASON]}."
            f" `syncd retry {pair.pair_id}` lets it go on."
        )
        is_parked = await store.park(
            pair.pair_id,
            Park(reason=BY_HAND, hint=hint),
            actor=opening.actor(),
            reason=reason,
            now=opening.now(),
        )
    if is_parked:
        return f"{_name(pair)}: parked; `syncd retry {pair.pair_id}` lets it go on"
    if pair.state is PairState.ENDED:
        return f"{_name(pair)}: has ended; nothing to do"
    return f"{_name(pair)}: was parked already; `syncd inspect {pair.pair_id}` says why"


async def _replay(found: opening.Outline, names: Sequence[str], reason: str) -> list[str]:
    async with opening.acting(found.store) as store:
        pairs = [await opening.find_pair(store, name) for name in names]
        return [await _replay_one(store, pair, reason) for pair in pairs]


async def _replay_one(store: Store, pair: Pair, reason: str) -> str:
    is_marked = await store.replay(
        pair.pair_id, actor=opening.actor(), reason=reason, now=opening.now()
    )
    if not is_marked:
        return f"{_name(pair)}: has ended; nothing to do"
    if pair.state is PairState.PARKED:
        return f"{_name(pair)}: is read afresh when it goes on; it is parked, see `syncd parked`"
    if pair.is_paused:
        return f"{_name(pair)}: is read afresh when its link is resumed"
    return f"{_name(pair)}: is read afresh at once"


async def _unlink(found: opening.Outline, name: str, reason: str, *, is_sure: bool) -> str:
    async with opening.acting(found.store) as store:
        pair = await opening.find_pair(store, name)
        if pair.state is PairState.ENDED:
            raise Refused(
                f"{_name(pair)} has ended already",
                hint=f"`syncd inspect {pair.pair_id}` shows how it went.",
            )
        require_yes(
            f"Unlink {_name(pair)}? Nothing travels between its tickets then.", is_sure=is_sure
        )
        await when_idle(
            lambda: store.unlink(
                pair.pair_id, actor=opening.actor(), reason=reason, now=opening.now()
            )
        )
    return f"{_name(pair)}: unlinked; `syncd backfill {pair.link}` would take it over again"


def _name(pair: Pair) -> str:
    return f"pair {pair.pair_id} ({pair.link})"
