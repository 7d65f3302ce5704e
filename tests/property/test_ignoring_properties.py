"""What a person leaves is never planned again, and nothing else follows from leaving it."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.agreed import Base
from syncd.core.decision import Circumstances
from syncd.core.ignoring import leave_operation
from syncd.core.model import Side, Snapshot
from syncd.core.operations import Operation, RestrictComment, UpdateTicket
from syncd.core.plan import plan
from syncd.core.policy import LinkPolicy
from syncd.core.tags import fold
from tests.property.test_plan_properties import DESKS, drafts, planned
from tests.support.arbitrary import bases, both, policies, situations

#: More than the largest thread and all that can be owed beside it.
_ENOUGH = 200


def debts(operations: tuple[Operation, ...]) -> set[tuple[Side, str, str]]:
    """Everything that some writes would bring, each under a name of its own."""
    found: set[tuple[Side, str, str]] = set()
    for operation in operations:
        side = operation.side
        if isinstance(operation, RestrictComment):
            found.add((side, "restrict", operation.comment_id))
        if isinstance(operation, UpdateTicket):
            draft = operation.comment
            if draft is not None:
                found.add(
                    (
                        side,
                        "copy" if draft.source_id else "note",
                        draft.source_id or draft.note_key or "",
                    )
                )
            if operation.status is not None:
                found.add((side, "status", operation.status))
            found |= {(side, "add", fold(tag)) for tag in operation.add_tags}
            found |= {(side, "remove", fold(tag)) for tag in operation.remove_tags}
            if operation.leave_view is not None:
                found.add((side, "leave", operation.leave_view))
    return found


@given(base=bases, shown=both, policy=policies, circumstances=situations, pick=st.integers(0, 99))
def test_what_is_left_is_not_owed_and_nothing_new_is(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
    pick: int,
) -> None:
    decided = planned(base, shown, policy, circumstances)
    updates = [op for op in decided.operations if isinstance(op, UpdateTicket | RestrictComment)]
    if not updates:
        return
    operation = updates[pick % len(updates)]
    left = leave_operation(decided.base, operation, policy)
    assert left is not None
    assert left.what
    again = planned(left.base, shown, policy, circumstances)
    assert again.conflicts == ()
    assert not debts(again.operations) & debts((operation,))
    # How much of a newborn's history goes as one digest depends on how much there is.
    has_digest = any(draft.digested_ids for _, draft in drafts(decided.operations))
    if getattr(operation, "leave_view", None) is None and not has_digest:
        assert debts(again.operations) <= debts(decided.operations)


@given(base=bases, shown=both, policy=policies, circumstances=situations)
def test_when_all_is_left_the_pair_is_quiet(
    base: Base,
    shown: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    circumstances: Circumstances,
) -> None:
    for _ in range(_ENOUGH):
        decided = plan(base, shown, policy=policy, capabilities=DESKS, circumstances=circumstances)
        updates = [
            op for op in decided.operations if isinstance(op, UpdateTicket | RestrictComment)
        ]
        if not updates:
            return
        left = leave_operation(decided.base, updates[0], policy)
        assert left is not None
        base = left.base
    raise AssertionError("there is always something more to leave")
