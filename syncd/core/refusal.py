"""A status that a desk refuses waits by itself: the pair goes on without it.

It stays owed, and is held back until the ticket on that desk is changed by somebody else, a person
asks for another try, or nobody wants it any more. Whoever wanted it gets one note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from syncd.core.agreed import Base, RefusedStatus, StatusBase
from syncd.core.model import Side, Snapshot, Status
from syncd.core.notes import NoteKind, note
from syncd.core.operations import Operation, UpdateTicket
from syncd.core.owing import owe
from syncd.core.policy import LinkPolicy
from syncd.core.status import owed_status


def is_refused(status: StatusBase, side: Side, raw: str | None) -> bool:
    """Whether the desk of `side` refused this value, and nothing has happened since."""
    refused = status.refused.get(side)
    return refused is not None and refused.status == raw and not refused.is_due


def refuse_status(
    base: Base, operation: Operation, target: Snapshot, lacks: tuple[str, ...], policy: LinkPolicy
) -> Base | None:
    """The base after a desk refused the status of a write; None when the write had none.

    What else the write carried is still owed, and is planned again without the status.
    """
    if not isinstance(operation, UpdateTicket) or operation.status is None or base.status is None:
        return None
    side, as_of = operation.side, target.ticket.fields_as_of
    before = base.status.refused.get(side)
    is_same = before is not None and before.status == operation.status
    since = before.since if before is not None and is_same else as_of
    refused = RefusedStatus(status=operation.status, as_of=as_of, since=since, lacks=lacks)
    status = replace(base.status, refused={**base.status.refused, side: refused})
    told = note(
        NoteKind.STATUS_REFUSED,
        desk=policy.platform_name if side is Side.PLATFORM else policy.partner_name,
        status=operation.status,
        fields=", ".join(lacks),
        url=target.ticket.url,
    )
    base = replace(base, status=status)
    return owe(base, told, side.other, f"{operation.status}-{since}")


def follow_refusals(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    *,
    siblings: Iterable[Status] = (),
) -> Base:
    """Forget what is owed no more; what somebody may have mended meanwhile becomes due."""
    if base.status is None or not base.status.refused:
        return base
    siblings = tuple(siblings)
    kept = {
        side: _followed(refused, snapshots[side])
        for side, refused in base.status.refused.items()
        if owed_status(base.status, side, policy.statuses, siblings=siblings) == refused.status
    }
    return replace(base, status=replace(base.status, refused=kept))


def _followed(refused: RefusedStatus, snapshot: Snapshot) -> RefusedStatus:
    has_moved = snapshot.ticket.fields_as_of > refused.as_of
    return replace(refused, is_due=True) if has_moved else refused


def accept(status: StatusBase, side: Side) -> StatusBase:
    """The desk took the status."""
    return replace(status, refused={s: r for s, r in status.refused.items() if s is not side})


def write_beside(status: StatusBase, side: Side, as_of: int | None) -> StatusBase:
    """Our own write moved the ticket to `as_of`: nobody has mended anything by that.

    None when it is not known whether others wrote as well; then another try does no harm.
    """
    refused = status.refused.get(side)
    if refused is None or as_of is None or refused.is_due:
        return status
    moved = replace(refused, as_of=max(refused.as_of, as_of))
    return replace(status, refused={**status.refused, side: moved})
