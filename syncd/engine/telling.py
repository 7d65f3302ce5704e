"""What a run, and what died beside all runs, puts on record, as lines of the log; values of tickets
stay out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from syncd.core.ends import LOST
from syncd.core.model import Held, LinkName, PairId
from syncd.core.operations import Intent
from syncd.core.work import Pair, Park, Step
from syncd.log import logger, place_of


def tell(step: Step, pair_id: PairId) -> None:
    """Log the conflicts and transitions of a step."""
    for conflict in step.conflicts:
        logger().info("conflict.recorded", pair=pair_id, name=conflict.name, rule=conflict.rule)
    for moved in step.transitions:
        if moved.name == "hand_off":
            logger().info("hand_off.moved", pair=pair_id, before=moved.before, after=moved.after)
        elif moved.name == "lineage":
            logger().info("lineage.moved", pair=pair_id, before=moved.before, after=moved.after)
        elif moved.name == "end" and moved.after not in LOST:
            logger().info("ticket.restored", pair=pair_id, side=moved.side, before=moved.before)


def tell_held(comments: Iterable[Held], pair: Pair) -> None:
    """Warn of comments that wait for a person from now on."""
    for held in comments:
        logger().warning(
            "comment.held",
            pair=pair.pair_id,
            link=pair.link,
            side=held.side.value,
            comment_id=held.comment_id,
            reason=held.reason,
        )


def tell_leak(intent: Intent, link: LinkName) -> None:
    """Raise the alarm: a private comment came out public."""
    logger().critical(
        "link.leaked",
        link=link,
        pair=intent.pair_id,
        side=intent.op.side.value,
        op_id=intent.op.op_id,
    )


def tell_parked(park: Park, pair: Pair) -> None:
    """A pair stops until a person acts."""
    logger().error(
        "pair.parked", pair=pair.pair_id, link=pair.link, reason=park.reason, hint=park.hint
    )


def tell_stopped(park: Park, link: LinkName) -> None:
    """A whole link stops until a person acts."""
    logger().critical("link.stopped", link=link, reason=park.reason, hint=park.hint)


def tell_stray(loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
    """A loop's exception handler: what died with nobody waiting for it, by type and place.

    The loop's own handler would print the error's words, and those of the call that raised it.
    """
    del loop
    error = context.get("exception")
    if isinstance(error, BaseException):
        logger().error("task.failed", reason=type(error).__name__, place=place_of(error))
    else:
        logger().error("task.failed", reason="unknown", place="?")
