"""Tickets that went away: the other side is told once, the pair parks, and nothing is deleted.

A ticket that comes back lets its pair go on by itself, and the other side is told that, too.
Tickets that go on elsewhere, closed for good or merged, are `lineage`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from syncd.core.adoption import adopt, name_notes
from syncd.core.agreed import Base, OwedNote
from syncd.core.capabilities import Capabilities
from syncd.core.draft import draft_note
from syncd.core.model import End, Side, Snapshot, Ticket, TicketId, Transition
from syncd.core.notes import NoteKind, note
from syncd.core.operations import UpdateTicket, note_op
from syncd.core.owing import note_key, owe, was_noted
from syncd.core.policy import LinkPolicy
from syncd.core.thread import note_keys

#: From these a ticket may come back.
LOST = (End.DELETED, End.GONE, End.SPAM)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why a person must look; `reason` is a fixed word."""

    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """What follows from a ticket that went away: a note to the other side, and then the stop."""

    base: Base
    operations: tuple[UpdateTicket, ...] = ()
    transitions: tuple[Transition, ...] = ()
    stop: Stop | None = None


def lost_reason(side: Side, end: End) -> str:
    """The word under which a pair parks whose ticket on `side` went away."""
    return f"{side.value}_ticket_{end.value}"


#: A pair that is parked for one of these goes on once both tickets are there again.
PASSING_REASONS = frozenset(lost_reason(side, end) for side in Side for end in LOST)


def lose(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    pair_key: str,
) -> Loss | None:
    """What to do about a ticket that is deleted, spam or gone; None while all are there."""
    lost = [side for side, snapshot in snapshots.items() if snapshot.ticket.end in LOST]
    if not lost:
        return None
    side = lost[0]
    end = snapshots[side].ticket.end
    stop = Stop(
        reason=lost_reason(side, end),
        hint="The other copy was left as it is. Restore the ticket and both go on by themselves.",
    )
    other = snapshots.get(side.other)
    if other is None or other.ticket.end is not End.ALIVE:
        return Loss(base=base, stop=stop)
    base = adopt(
        base, {side.other: other}, policy=policy, capabilities=capabilities, pair_key=pair_key
    )
    told = note(NoteKind.TICKET_DELETED, desk=desk_name(side, policy))
    about = _round(base, side, snapshots[side].ticket)
    is_new = not was_noted(base, NoteKind.TICKET_DELETED, side.other, about)
    base = name_notes(owe(base, told, side.other, about), pair_key)
    key = note_key(NoteKind.TICKET_DELETED, side.other, about)
    owed = [due for due in base.owed if due.key == key]
    moved = (_moved(side, End.ALIVE, end),) if is_new else ()
    operations = note_updates(
        owed, other.ticket, policy=policy, capabilities=capabilities[side.other], pair_key=pair_key
    )
    return Loss(
        base=base,
        operations=operations,
        transitions=moved,
        stop=None if operations else stop,
    )


def recover(
    base: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy
) -> tuple[Base, tuple[Transition, ...]]:
    """The base once a ticket that had gone away is back, of which the other side is told."""
    transitions: list[Transition] = []
    for side, snapshot in snapshots.items():
        about = _round(base, side, snapshot.ticket)
        if not was_noted(base, NoteKind.TICKET_DELETED, side.other, about):
            continue
        transitions.append(_moved(side, End.DELETED, snapshot.ticket.end))
        key = note_key(NoteKind.TICKET_DELETED, side.other, about)
        if key not in note_keys(base):
            # It came back before anybody was told.
            base = replace(base, owed=tuple(due for due in base.owed if due.key != key))
            continue
        back = note(NoteKind.TICKET_RESTORED, desk=desk_name(side, policy))
        base = owe(base, back, side.other, about)
    return base, tuple(transitions)


def note_updates(
    owed: Iterable[OwedNote],
    ticket: Ticket,
    *,
    policy: LinkPolicy,
    capabilities: Capabilities,
    pair_key: str,
) -> tuple[UpdateTicket, ...]:
    """The writes that bring notes to a ticket, and nothing beside them."""
    return tuple(
        UpdateTicket(
            op_id=note_op(pair_key, due.side, due.key),
            side=due.side,
            ticket_id=ticket.ticket_id,
            comment=draft_note(due, policy=policy, capabilities=capabilities),
        )
        for due in owed
    )


def desk_name(side: Side, policy: LinkPolicy) -> str:
    """How people of the other side call the desk."""
    return policy.platform_name if side is Side.PLATFORM else policy.partner_name


def _round(base: Base, side: Side, ticket: Ticket) -> str:
    """Names this going away of the ticket: it may be restored, and deleted again."""
    ticket_id: TicketId = ticket.ticket_id
    number = 0
    while was_noted(base, NoteKind.TICKET_RESTORED, side.other, f"{ticket_id}-{number}"):
        number += 1
    return f"{ticket_id}-{number}"


def _moved(side: Side, before: End, after: End) -> Transition:
    return Transition(name="end", side=side, before=before.value, after=after.value)
