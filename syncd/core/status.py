"""What becomes of the status when neither, one or both sides changed it.

A status moves only because somebody changed it since the base, never because two sides merely
differ. Three rules alone move it against its last author: hand-off, close guard, conflict policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from syncd.core.agreed import StatusBase
from syncd.core.model import Conflict, Side, Status
from syncd.core.policy import StatusMap, StatusRule


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusDecision:
    """The status base after the decision, who changed it, and the conflict if both did."""

    base: StatusBase
    changed: frozenset[Side] = frozenset()
    conflict: Conflict | None = None


def changed_sides(
    base: StatusBase, shown: Mapping[Side, str], statuses: StatusMap
) -> frozenset[Side]:
    """The sides whose raw value moved to another meaning than the one they last showed."""
    return frozenset(
        side
        for side, raw in shown.items()
        if side in base.seen
        and statuses.meaning(side, raw) is not statuses.meaning(side, base.seen[side])
    )


def decide_status(
    base: StatusBase | None,
    shown: Mapping[Side, str],
    *,
    statuses: StatusMap,
    rule: StatusRule,
    guarded: Mapping[Side, Status] | None = None,
    mute: frozenset[Side] = frozenset(),
    siblings: Iterable[Status] = (),
) -> StatusDecision:
    """Three-way merge of the status.

    `guarded` replaces what a side's change means (the close guard), and opens again what that side
    had changed before; changes of sides in `mute` are taken note of and have no effect (a
    handed-off partner).
    Without a base, both sides count as changed: nobody knows any more who was first.
    """
    guarded = guarded or {}
    changed = frozenset(shown) if base is None else changed_sides(base, shown, statuses)
    wishes = {
        side: guarded.get(side) or _known(statuses, side, shown[side])
        for side in sorted((changed | _recalled(base, guarded)) - mute)
    }
    if base is None:
        # Where nobody has a say, the ticket is on its way to staff, and open.
        agreed = most_open(wishes.values()) if wishes else Status.OPEN
        return _decide(StatusBase(agreed=agreed), shown, wishes, rule)
    wishes |= _undelivered(base, wishes, statuses, tuple(siblings))
    decision = _decide(base, shown, wishes, rule)
    return replace(decision, changed=changed)


def _recalled(base: StatusBase | None, guarded: Mapping[Side, Status]) -> set[Side]:
    """The side whose change is agreed on, and no longer meant as it was."""
    by = None if base is None else base.by
    return {by} if by is not None and guarded.get(by) is Status.OPEN else set()


def has_arrived(base: StatusBase | None, raw: str, side: Side, statuses: StatusMap) -> bool:
    """Whether a side that showed something else shows what was agreed: mostly a write of ours whose
    answer was lost, and no news whoever did it.
    """
    if base is None or side not in base.seen:
        return False
    meaning = statuses.meaning(side, raw)
    return meaning is base.agreed and meaning is not statuses.meaning(side, base.seen[side])


def _undelivered(
    base: StatusBase,
    wishes: Mapping[Side, Status],
    statuses: StatusMap,
    siblings: tuple[Status, ...],
) -> dict[Side, Status]:
    """What the other side wished and the side that changed now had not been given yet.

    Whoever changed it could not know, so both are heard, as if they had been seen at once.
    """
    by = base.by
    if by is None or by in wishes or by.other not in wishes:
        return {}
    is_owed = owed_status(base, by.other, statuses, siblings=siblings) is not None
    return {by: base.agreed} if is_owed else {}


def _decide(
    base: StatusBase, shown: Mapping[Side, str], wishes: Mapping[Side, Status], rule: StatusRule
) -> StatusDecision:
    seen = {**base.seen, **shown}
    if not wishes:
        return StatusDecision(base=replace(base, seen=seen))
    values = set(wishes.values())
    if len(values) == 1:
        # One side changed, or both to the same: nothing to argue about.
        by = next(iter(wishes)) if len(wishes) == 1 else None
        return StatusDecision(base=_agree(base, seen, values.pop(), by))
    agreed = resolve(wishes, rule)
    winner = next(side for side, wish in wishes.items() if wish is agreed)
    conflict = Conflict(
        name="status",
        base=base.agreed.value if base.seen else "",
        platform=shown[Side.PLATFORM],
        partner=shown[Side.PARTNER],
        result=agreed.value,
        rule=rule.value,
    )
    return StatusDecision(base=_agree(base, seen, agreed, winner), conflict=conflict)


def _agree(
    base: StatusBase, seen: Mapping[Side, str], agreed: Status, by: Side | None
) -> StatusBase:
    return replace(base, agreed=agreed, seen=seen, by=by, is_let_be=False, left=frozenset())


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
    if side in base.left or (side is Side.PARTNER and base.is_let_be):
        return None
    agreed = most_open((base.agreed, *siblings)) if side is Side.PLATFORM else base.agreed
    raw = base.seen.get(side)
    if raw is None or statuses.meaning(side, raw) is agreed:
        return None
    return statuses.raw(side, agreed)
