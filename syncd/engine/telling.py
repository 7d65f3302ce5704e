"""What a run puts on record, as lines of the log; values of tickets stay out."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.core.ends import LOST
from syncd.core.model import Held, LinkName, PairId
from syncd.core.operations import Intent
from syncd.core.work import Pair, Park, Step
from syncd.log import logger


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
