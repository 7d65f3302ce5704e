"""Which verbs end which stop: for every reason for which a pair parks, and what waits by itself."""

from __future__ import annotations

from collections.abc import Mapping

from syncd.core.ends import PASSING_REASONS
from syncd.core.inspection import Inspection
from syncd.core.work import UNLINKED, PairState

#: After the mending that the hint names, `retry`; `ignore` leaves what stands in the way as it is;
#: `unlink` ends the pair.
WAYS_ON: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(sorted(PASSING_REASONS), ("retry", "unlink")),
    "by_hand": ("retry", "unlink"),
    "unmapped_status": ("retry", "unlink"),
    "partner_ticket_merged": ("retry", "unlink"),
    "partner_follow_up": ("retry", "ignore"),
    "platform_ticket_merged": ("unlink",),
    "platform_set_back": ("retry", "unlink"),
    "partner_set_back": ("retry", "unlink"),
    "platform_ticket_final": ("retry", "ignore", "unlink"),
    "loop": ("retry", "unlink"),
    "refused": ("retry", "ignore"),
    "status_refused": ("retry", "ignore"),
    "comment_limit": ("retry", "ignore"),
    "user_suspended": ("retry", "ignore"),
    "visibility_unknown": ("retry", "ignore"),
    "comment_not_public": ("retry", "ignore"),
    "ambiguous_write": ("retry", "ignore"),
    "ambiguous_recovery": ("retry", "recover"),
    "comment_without_id": ("ignore", "retry"),
    "hand_off_without_effect": ("retry", "ignore"),
    "tag_refused": ("retry", "ignore"),
    "unintelligible": ("retry", "unlink"),
    "bug": ("retry", "unlink"),
}


def next_step(found: Inspection) -> str:
    """What a person can do now, in one line."""
    pair = found.run.pair
    number = pair.pair_id
    if pair.state is PairState.ENDED:
        if pair.reason == UNLINKED:
            return f"Unlinked. `syncd backfill {pair.link}` takes its ticket over again."
        return "It has ended. Nothing to do."
    if found.stop is not None:
        return f"Its whole link is stopped: `syncd parked --link {pair.link}`."
    if pair.state is PairState.PARKED:
        verbs = WAYS_ON.get(pair.reason, ("retry", "unlink"))
        ways = ", or ".join(f"`syncd {verb} {number}`" for verb in verbs)
        return f"{pair.hint} Then: {ways}."
    if found.pause is not None:
        return f"Its link is paused: `syncd resume {pair.link}`."
    return _active(found)


def _active(found: Inspection) -> str:
    pair, status = found.run.pair, found.run.base.status
    if found.run.sent:
        return "A write waits for its answer; syncd looks for it by itself."
    if status is not None and status.refused:
        return (
            f"Its status waits: mend the ticket, or `syncd retry {pair.pair_id}`, or"
            f" `syncd ignore {pair.pair_id}`. The rest goes on."
        )
    if pair.is_dirty:
        return f"It is due: `syncd plan {pair.pair_id}` shows what would be written."
    return "Nothing waits."
