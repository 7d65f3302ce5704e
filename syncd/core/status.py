"""What becomes of the status when neither, one or both sides changed it.

A status moves only because somebody changed it since the base, never because two sides merely differ.
Three rules alone move it against its last author: hand-off, close guard, conflict policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from syncd.core.model import Conflict, Side, Status, StatusBase
from syncd.core.policy import StatusMap, StatusRule


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusDecision:
    """The status base after the decision, who changed it, and the conflict if both did."""

    base: StatusBase
    changed: frozenset[Side]
    conflict: Conflict | None = None


def changed_sides(
    base: StatusBase, shown: Mapping[Side, str], statuses: StatusMap
) -> frozenset[Side]:
    """The sides whose raw value moved to another meaning than the one they last showed."""
    changed = set()
    for side, raw in shown.items():
        before = base.seen.get(side)
        if before is None or raw == before:
            continue
        if statuses.meaning(side, raw) != statuses.meaning(side, before) or _is_behind(
            base, side, before, statuses
        ):
            changed.add(side)
    return frozenset(changed)


def _is_behind(base: StatusBase, side: Side, raw: str, statuses: StatusMap) -> bool:
    return statuses.meaning(side, raw) is not base.agreed


def decide_status(
    base: StatusBase,
    shown: Mapping[Side, str],
    *,
    statuses: StatusMap,
    rule: StatusRule,
    guarded: Mapping[Side, Status] | None = None,
    mute: frozenset[Side] = frozenset(),
) -> StatusDecision:
    """Three-way merge of the status.

    `guarded` replaces what a side's change means (the close guard); changes of sides in `mute` are taken
    note of and have no effect (a handed-off partner).
    """
    guarded = guarded or {}
    changed = changed_sides(base, shown, statuses)
    seen = {**base.seen, **shown}
    wishes = {
        side: guarded.get(side) or _known(statuses, side, shown[side])
        for side in sorted(changed - mute)
    }
    if not wishes:
        return StatusDecision(base=replace(base, seen=seen), changed=changed)
    values = set(wishes.values())
    if len(values) == 1:
        # One side changed, or both to the same: nothing to argue about.
        agreed = values.pop()
        return StatusDecision(base=_agree(base, seen, agreed), changed=changed)
    agreed = resolve(wishes, rule)
    conflict = Conflict(
        name="status",
        base=base.agreed.value,
        platform=shown[Side.PLATFORM],
        partner=shown[Side.PARTNER],
        result=agreed.value,
        rule=rule.value,
    )
    return StatusDecision(base=_agree(base, seen, agreed), changed=changed, conflict=conflict)


def _agree(base: StatusBase, seen: Mapping[Side, str], agreed: Status) -> StatusBase:
    return replace(base, agreed=agreed, seen=seen, is_let_be=False)


def resolve(wishes: Mapping[Side, Status], rule: StatusRule) -> Status:
    """Which of two wishes wins under a link's rule."""
    if rule is StatusRule.MORE_OPEN:
        return most_open(wishes.values())
    return wishes[Side.PLATFORM if rule is StatusRule.PLATFORM else Side.PARTNER]


def _known(statuses: StatusMap, side: Side, raw: str) -> Status:
    meaning = statuses.meaning(side, raw)
    # The plan parks a pair with an unmapped status before it comes here.
    assert meaning is not None  # noqa: S101
    return meaning


def most_open(statuses: Iterable[Status]) -> Status:
    """The most open of several statuses."""
    return max(statuses, key=lambda status: status.openness)


def owed_status(
    base: StatusBase, side: Side, statuses: StatusMap, *, siblings: Iterable[Status] = ()
) -> str | None:
    """The raw value that `side` must still be given, or None when it already means what was agreed.

    On a platform ticket with several pairs the most open of them counts.
    """
    if side is Side.PARTNER and base.is_let_be:
        return None
    agreed = most_open((base.agreed, *siblings)) if side is Side.PLATFORM else base.agreed
    raw = base.seen.get(side)
    if raw is None or statuses.meaning(side, raw) is agreed:
        return None
    return statuses.raw(side, agreed)
