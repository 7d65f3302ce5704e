"""The plan: what must be written where, as data.

`plan` is a function of values and never fails on what a desk shows: it asks for a read, parks, or
plans. Whoever applies it performs the first operation of a side and plans again; the rest tells a
person what will follow. After the last operation a new plan is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core.agreed import Base, HandOffState
from syncd.core.birth import bear
from syncd.core.capabilities import Capabilities
from syncd.core.decision import Circumstances, decide
from syncd.core.ends import LOST, Stop, lose
from syncd.core.errors import Refusal
from syncd.core.lineage import Successor, go_on, without_merge
from syncd.core.model import Conflict, End, Held, Side, Snapshot, Transition
from syncd.core.operations import Operation
from syncd.core.policy import LinkPolicy
from syncd.core.status import changed_sides
from syncd.core.thread import is_explained, lacks_body
from syncd.core.writes import Writes


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """A read without which nothing can be decided."""

    side: Side
    fields: bool = False
    thread: bool = False
    #: The thread from its beginning: a body is missing that was read before.
    is_whole_thread: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything one look at a pair leads to."""

    base: Base
    operations: tuple[Operation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    transitions: tuple[Transition, ...] = ()
    held: tuple[Held, ...] = ()
    left_out: tuple[Held, ...] = ()
    needs: tuple[Need, ...] = ()
    stop: Stop | None = None
    #: A ticket to look at, in which the pair may go on.
    successor: Successor | None = None
    #: The pair has nothing left to follow.
    ends_pair: bool = False


def plan(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    circumstances: Circumstances,
) -> Plan:
    """Decide, then list what must be written.

    A side without a snapshot has no ticket: the partner's is then born, the platform's must be
    read.
    """
    snapshots = {side: snapshots[side] for side in Side if side in snapshots}
    if Side.PLATFORM not in snapshots:
        return Plan(base=base, needs=(Need(side=Side.PLATFORM, fields=True, thread=True),))
    back = _maybe_back(snapshots)
    if back:
        return Plan(base=base, needs=back)
    lost = lose(
        base,
        snapshots,
        policy=policy,
        capabilities=capabilities,
        pair_key=circumstances.pair_key,
    )
    if lost is not None:
        return Plan(
            base=lost.base,
            operations=lost.operations,
            transitions=lost.transitions,
            stop=lost.stop,
        )
    snapshots = without_merge(base, snapshots)
    stop = _stop(snapshots, policy)
    if stop is not None:
        return Plan(base=base, stop=stop)
    if Side.PARTNER not in snapshots:
        if base.status is not None and Side.PARTNER in base.status.seen:
            # It was there: another birth would make a second twin.
            return Plan(base=base, needs=(Need(side=Side.PARTNER, fields=True, thread=True),))
        return _birth(base, snapshots[Side.PLATFORM], policy, capabilities, circumstances)
    needs = _needs(base, snapshots, policy)
    if needs:
        return Plan(base=base, needs=needs)
    return _both(base, snapshots, policy, capabilities, circumstances)


def _both(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    circumstances: Circumstances,
) -> Plan:
    """The plan of a pair whose tickets are both known, and neither has gone away."""
    decision = decide(
        base,
        snapshots,
        policy=policy,
        capabilities=capabilities,
        circumstances=circumstances,
    )
    writes = Writes(decision, snapshots, policy, capabilities, circumstances)
    owed = tuple(operation for side in Side for operation in writes.to(side))
    made = Plan(
        base=decision.base,
        conflicts=decision.conflicts,
        transitions=decision.transitions,
        held=decision.held,
        left_out=decision.left_out,
    )
    if _is_over(decision.base, snapshots):
        return replace(made, ends_pair=True)
    if snapshots[Side.PLATFORM].ticket.end is End.FINAL:
        open_ones = tuple(operation for operation in owed if operation.side is Side.PARTNER)
        # What the other side is still owed is written before a person is asked.
        stop = _final(Side.PLATFORM) if owed and not open_ones else None
        return replace(made, operations=open_ones, stop=stop)
    onward = go_on(
        owed,
        decision,
        snapshots,
        policy=policy,
        capabilities=capabilities,
        circumstances=circumstances,
    )
    if onward.needs_thread:
        return Plan(base=base, needs=(Need(side=Side.PARTNER, thread=True),))
    is_silent = not onward.operations and onward.successor is None
    return replace(
        made,
        operations=onward.operations,
        successor=onward.successor,
        stop=_full(writes) if is_silent else None,
        left_out=(*made.left_out, *onward.left_out),
    )


def _is_over(base: Base, snapshots: Mapping[Side, Snapshot]) -> bool:
    """Whether the pair has said its last words, or nobody can take them any more."""
    is_deaf = snapshots[Side.PARTNER].ticket.end is not End.ALIVE
    return base.hand_off.state is HandOffState.ENDED and (is_deaf or not base.owed)


def _stop(snapshots: Mapping[Side, Snapshot], policy: LinkPolicy) -> Stop | None:
    for side, snapshot in snapshots.items():
        ticket = snapshot.ticket
        if ticket.end is End.MERGED and side is Side.PLATFORM:
            return Stop(
                reason="platform_ticket_merged",
                hint="Following a merge could mix two customers; look at both tickets.",
            )
        if policy.statuses.meaning(side, ticket.status) is None:
            return Stop(
                reason="unmapped_status",
                hint=f"The {side.value} status {ticket.status!r} is in no `status:` line of the"
                " link; add it, then `syncd retry PAIR`.",
            )
    return None


def _final(side: Side) -> Stop:
    """A ticket that can never be written again and is owed a write needs a person."""
    return Stop(
        reason=f"{side.value}_ticket_final",
        hint="The ticket is closed for good on its desk; open a follow-up there.",
    )


def _full(writes: Writes) -> Stop | None:
    """Why comments cannot be written that are owed; None when none is kept out."""
    full = [side for side in Side if writes.keeps_out_comments(side)]
    if not full:
        return None
    side = full[0]
    return Stop(
        reason=Refusal.COMMENT_LIMIT.value,
        hint=f"The {side.value}'s ticket holds as many comments as its desk allows: close it there"
        " and go on in a follow-up.",
    )


def _needs(base: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy) -> tuple[Need, ...]:
    shown = {side: snapshot.ticket.status for side, snapshot in snapshots.items()}
    moved = changed_sides(base.status, shown, policy.statuses) if base.status else frozenset()
    needs = []
    for side, snapshot in snapshots.items():
        ticket = snapshot.ticket
        is_bodiless = lacks_body(base, side, snapshot, policy)
        thread = (
            is_bodiless
            or ticket.comments_as_of == 0
            or ticket.is_comment_hinted
            or (side in moved and not is_explained(ticket))
        )
        if thread or ticket.is_stale:
            needs.append(
                Need(
                    side=side,
                    fields=ticket.is_stale,
                    thread=thread,
                    is_whole_thread=is_bodiless,
                )
            )
    return tuple(needs)


def _maybe_back(snapshots: Mapping[Side, Snapshot]) -> tuple[Need, ...]:
    """Tickets that went away, and of which something was told since: are they back?"""
    return tuple(
        Need(side=side, fields=True)
        for side, snapshot in snapshots.items()
        if snapshot.ticket.end in LOST and snapshot.ticket.is_stale
    )


def _birth(
    base: Base,
    platform: Snapshot,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    circumstances: Circumstances,
) -> Plan:
    ticket = platform.ticket
    if capabilities[Side.PLATFORM].has_views and policy.view not in ticket.views:
        # It left the view before its twin was born: there is nothing to keep in step.
        return Plan(base=base, ends_pair=True)
    is_unread = ticket.comments_as_of == 0 or ticket.is_comment_hinted
    is_bodiless = lacks_body(base, Side.PLATFORM, platform, policy)
    if is_unread or is_bodiless or ticket.is_stale:
        need = Need(
            side=Side.PLATFORM, fields=ticket.is_stale, thread=True, is_whole_thread=is_bodiless
        )
        return Plan(base=base, needs=(need,))
    born = bear(
        base,
        platform,
        policy=policy,
        capabilities=capabilities,
        circumstances=circumstances,
    )
    if born.operation is None:
        return Plan(base=base)
    return Plan(base=born.base, operations=(born.operation,), transitions=born.transitions)
