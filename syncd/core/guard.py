"""What a status means that was set together with an answer, or without the customer's message.

Two cases in which a close is not taken at its word, each with a note to whoever made it: closed in
the update that answers, the ticket waits for the customer; set before a message of the customer's
was there to read, it stays open. What follows for the other desk is decided by `status`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncd.core.agreed import Base, StatusBase
from syncd.core.model import Audience, Role, Side, Snapshot, Status
from syncd.core.notes import Note, NoteKind, note
from syncd.core.policy import LinkPolicy
from syncd.core.status import changed_sides, owed_status
from syncd.core.thread import audience_for, is_answered_and_closed, news


def guarded(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    *,
    siblings: Iterable[Status] = (),
) -> dict[Side, Status]:
    """What a side's change of the status means instead of what it says.

    `OPEN` is also what a change means that was agreed on and has not come to the other desk yet.
    Empty where the link has no close guard. Both snapshots carry known statuses.
    """
    if not policy.has_close_guard:
        return {}
    shown = {side: snapshot.ticket.status for side, snapshot in snapshots.items()}
    meant = {side: policy.statuses.meaning(side, raw) for side, raw in shown.items()}
    found = {
        side: Status.WITH_CUSTOMER
        for side, snapshot in snapshots.items()
        if meant[side] is Status.CLOSED and is_answered_and_closed(base, side, snapshot)
    }
    for side in _news(base.status, shown, policy, tuple(siblings)):
        # A desk that does not show the ticket as open has moved on from the message by itself.
        is_less_open = meant[side] is not Status.OPEN and meant[side.other] is Status.OPEN
        if is_less_open and _has_unread(base, side, snapshots, policy):
            found[side] = Status.OPEN
    return found


def _news(
    status: StatusBase | None,
    shown: Mapping[Side, str],
    policy: LinkPolicy,
    siblings: tuple[Status, ...],
) -> frozenset[Side]:
    """The sides whose change the other desk does not show yet."""
    if status is None:
        return frozenset()
    changed = changed_sides(status, shown, policy.statuses)
    if status.by is None:
        return changed
    owed = owed_status(status, status.by.other, policy.statuses, siblings=siblings)
    return changed if owed is None else changed | {status.by}


def guard_note(meant: Status, shown: str, side: Side, policy: LinkPolicy) -> Note:
    """What whoever set the status `shown` on `side` is told, which means `meant` instead."""
    if meant is Status.OPEN:
        kept = policy.statuses.raw(side, meant)
        return note(NoteKind.UNREAD_MESSAGE, status=shown, kept=kept)
    return note(NoteKind.CLOSE_GUARD)


def _has_unread(
    base: Base, side: Side, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy
) -> bool:
    """Whether a message of the customer's is on its way to `side`, where nobody can have read it.

    A copy that is there was there when the status was set: one that comes later is refused by the
    desk as stale, and is on its way again.
    """
    return any(
        comment.author.role is Role.CUSTOMER
        and audience_for(comment, side.other, policy) is Audience.PUBLIC
        for comment in news(base, side.other, snapshots[side.other])
    )
