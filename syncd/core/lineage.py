"""Where a pair goes on when the partner's ticket is closed for good: a follow-up, or a merge's
target.

The thread of a pair is that of all its tickets: what an old one still has to say travels as ever.
A successor is followed only if it is the same customer's and nobody else's: a merge could mix the
words of two. Of a merge's target only what is written after the merge is ours to pass on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from syncd.core.agreed import Base, CommentMapping, Known, OwedNote
from syncd.core.capabilities import Capabilities
from syncd.core.decision import Circumstances, Decision
from syncd.core.draft import draft_note, writable
from syncd.core.ends import Stop, desk_name
from syncd.core.model import End, Held, Side, Snapshot, Status, Ticket, TicketId, Transition
from syncd.core.notes import NoteKind, note
from syncd.core.operations import CreateTicket, Draft, Operation, UpdateTicket, note_op
from syncd.core.owing import note_key, owe
from syncd.core.policy import LinkPolicy
from syncd.core.refusal import accept
from syncd.core.thread import news
from syncd.core.turns import wants_ball_tag

#: After these a ticket takes no write any more.
CLOSED = (End.FINAL, End.MERGED)


class Kin(StrEnum):
    """How a ticket came into a pair's lineage."""

    FOLLOW_UP = "follow_up"
    MERGED = "merged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Successor:
    """A ticket that may be the pair's next one; somebody must look at it first."""

    side: Side
    kin: Kin
    #: None when it is not known where a merged ticket went.
    ticket_id: TicketId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Succession:
    """How a pair goes on from here: writes, or a look at a successor, or a wait for a person."""

    operations: tuple[Operation, ...] = ()
    successor: Successor | None = None
    #: The old thread must be known to its end before it is left.
    needs_thread: bool = False
    left_out: tuple[Held, ...] = ()


def without_merge(base: Base, snapshots: Mapping[Side, Snapshot]) -> Mapping[Side, Snapshot]:
    """The snapshots with a merged ticket as it was before: that the merge closed it is nobody's
    wish.
    """
    partner = snapshots.get(Side.PARTNER)
    if partner is None or partner.ticket.end is not End.MERGED or base.status is None:
        return snapshots
    side = Side.PARTNER
    tags = base.tags.seen.get(side, frozenset()) | base.tags.kept.get(side, frozenset())
    ticket = replace(
        partner.ticket,
        status=base.status.seen.get(side, partner.ticket.status),
        status_update=None,
        tags=tags,
    )
    return {**snapshots, side: replace(partner, ticket=ticket)}


def go_on(
    owed: Sequence[Operation],
    decision: Decision,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    circumstances: Circumstances,
) -> Succession:
    """What becomes of the writes that are owed, when the partner's ticket may not be the last."""
    partner = snapshots[Side.PARTNER].ticket
    strays = circumstances.strays
    if partner.end is End.ALIVE and (owed or not strays):
        return Succession(operations=tuple(owed))
    first = tuple(operation for operation in owed if operation.side is Side.PLATFORM)
    to_partner = tuple(operation for operation in owed if operation.side is Side.PARTNER)
    is_known = partner.comments_as_of >= partner.fields_as_of
    if strays or partner.end is End.MERGED:
        if first:
            # A refusal is told before the pair stops for it.
            return Succession(operations=first)
        kin = Kin.FOLLOW_UP if strays else Kin.MERGED
        ticket_id = strays[0] if strays else partner.merged_into
        successor = Successor(side=Side.PARTNER, kin=kin, ticket_id=ticket_id)
        return Succession(successor=successor) if is_known else Succession(needs_thread=True)
    if not _is_worth_a_ticket(to_partner, decision.base):
        return Succession(operations=first)
    if circumstances.is_quiet:
        return Succession(operations=first, left_out=tuple(_left_out(to_partner)))
    if not is_known:
        return Succession(needs_thread=True)
    create = follow_up(
        to_partner,
        decision.base,
        snapshots,
        policy=policy,
        capabilities=capabilities[Side.PARTNER],
        circumstances=circumstances,
    )
    return Succession(operations=(*first, create))


def _is_worth_a_ticket(owed: Iterable[Operation], base: Base) -> bool:
    """Notes and tags alone are not; nor is a status that the partner has no say in."""
    return any(
        isinstance(operation, UpdateTicket)
        and (
            (operation.comment is not None and _is_copy(operation.comment))
            or (operation.status is not None and not base.hand_off.is_away)
        )
        for operation in owed
    )


def _is_copy(draft: Draft) -> bool:
    """Whether the draft carries somebody's words: a copy, a part of one, or a digest."""
    is_part = (draft.note_key or "").startswith("part:")
    return draft.source_id is not None or is_part or bool(draft.digested_ids)


def _left_out(owed: Iterable[Operation]) -> Iterable[Held]:
    for operation in owed:
        draft = operation.comment if isinstance(operation, UpdateTicket) else None
        if draft is not None and draft.source_id is not None:
            yield Held(
                side=Side.PLATFORM,
                comment_id=draft.source_id,
                reason="closed_in_backfill",
            )


def follow_up(
    owed: Sequence[Operation],
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Capabilities,
    circumstances: Circumstances,
) -> CreateTicket:
    """The ticket that goes on from a closed one, opened with the first words that are owed.

    Its operation is that of the comment it carries, so a stamp tells what was copied, and its
    external id names the closed ticket, so a listing tells it from its predecessor.
    """
    side = Side.PARTNER
    closed = snapshots[side].ticket
    drafts = [
        (operation.op_id, operation.comment)
        for operation in owed
        if isinstance(operation, UpdateTicket)
        and operation.comment is not None
        and _is_copy(operation.comment)
    ]
    # The caller found a status owed, so there is one.
    assert base.status is not None  # noqa: S101
    # Solving may need what a new ticket lacks, and would then keep the words from coming at all.
    agreed = base.status.agreed
    status = policy.statuses.raw(side, Status.OPEN if agreed is Status.CLOSED else agreed)
    if drafts:
        op, draft = drafts[0]
    else:
        opening = _opening(closed, snapshots[Side.PLATFORM].ticket, policy)
        draft = draft_note(opening, policy=policy, capabilities=capabilities)
        op = note_op(circumstances.pair_key, side, opening.key)
    tags: frozenset[str] = frozenset()
    if capabilities.has_tags:
        ball = {policy.ball_tag} if wants_ball_tag(base) else set()
        tags = base.tags.agreed | frozenset(policy.partner_tags) | ball
    return CreateTicket(
        op_id=op,
        side=side,
        external_id=f"{circumstances.pair_key}/{closed.ticket_id}",
        subject=writable(snapshots[Side.PLATFORM].ticket.subject),
        status=status,
        tags=tags,
        # The very same person, so that nobody new is made.
        requester=closed.requester,
        comments=(draft,),
        placement=policy.placement,
        follow_up_of=closed.ticket_id,
    )


def _opening(closed: Ticket, platform: Ticket, policy: LinkPolicy) -> OwedNote:
    told = note(
        NoteKind.FOLLOW_UP, platform=policy.platform_name, status=platform.status, url=closed.url
    )
    key = note_key(told.kind, Side.PARTNER, closed.ticket_id)
    return OwedNote(key=key, side=Side.PARTNER, kind=told.kind.value, facts=told.facts)


# --- successors ----------------------------------------------------------------------------------


def refuse(
    successor: Successor, predecessor: Ticket, found: Snapshot | None, *, is_held: bool
) -> Stop | None:
    """Why a ticket that was looked at is not followed; None when it is.

    `found` is None when it cannot be read; `is_held` when it belongs to another pair, or the
    predecessor is alive and two would go on at once.
    """
    name = successor.ticket_id or "unknown"
    if successor.ticket_id is None:
        problem = "it is not known where it was merged into"
    elif found is None:
        problem = f"ticket {name} cannot be read"
    elif not _is_same_person(predecessor, found.ticket):
        problem = f"ticket {name} is another requester's"
    elif predecessor.end is End.ALIVE:
        problem = f"ticket {predecessor.ticket_id} goes on as well as ticket {name}"
    elif is_held:
        problem = f"ticket {name} is in another pair"
    else:
        return None
    word = "merge" if successor.kin is Kin.MERGED else "follow-up"
    hints = {
        Kin.MERGED: "Go on in a new ticket, or mend its requester and `syncd retry PAIR`.",
        Kin.FOLLOW_UP: "Answer what it says by hand; after `syncd retry PAIR` it is left alone.",
    }
    reason = {Kin.MERGED: "ticket_merged", Kin.FOLLOW_UP: "follow_up"}[successor.kin]
    return Stop(
        reason=f"{successor.side.value}_{reason}",
        hint=f"The {word} was not followed: {problem}. {hints[successor.kin]}",
    )


def _is_same_person(one: Ticket, other: Ticket) -> bool:
    person_id = one.requester.person_id
    return person_id.isdecimal() and person_id == other.requester.person_id


def tell_refused(base: Base, successor: Successor, url: str, policy: LinkPolicy) -> Base:
    """The base with the other side told, once, of a successor that is not followed."""
    kinds = {
        Kin.MERGED: NoteKind.MERGE_NOT_FOLLOWED,
        Kin.FOLLOW_UP: NoteKind.FOLLOW_UP_NOT_FOLLOWED,
    }
    told = note(kinds[successor.kin], desk=desk_name(successor.side, policy), url=url)
    return owe(base, told, successor.side.other, successor.ticket_id or "unknown")


def join(
    base: Base, kin: Kin, predecessor: Snapshot, found: Snapshot, policy: LinkPolicy
) -> tuple[Base, Transition]:
    """The base of a pair that goes on in `found`.

    The comment map goes on; tags are met anew, so that nothing is removed for not being there.
    """
    side = Side.PARTNER
    ticket = found.ticket
    tags = replace(
        base.tags,
        seen=_without(base.tags.seen, side),
        kept=_without(base.tags.kept, side),
        owed_add=_without(base.tags.owed_add, side),
        owed_remove=_without(base.tags.owed_remove, side),
    )
    hand_off = replace(base.hand_off, is_tag_set=policy.ball_tag in ticket.tags)
    # What the old ticket refused, the new one was never asked.
    status = accept(base.status, side) if base.status is not None else None
    base = replace(base, tags=tags, hand_off=hand_off, status=status)
    if kin is Kin.MERGED:
        base = _keep_apart(base, found, since=_ended_at(predecessor.ticket))
        told = note(NoteKind.TICKET_MERGED, desk=desk_name(side, policy), url=ticket.url)
        base = owe(base, told, side.other, ticket.ticket_id)
    return base, moved(predecessor.ticket.ticket_id, ticket.ticket_id)


def moved(before: TicketId | None, after: TicketId) -> Transition:
    """What the timeline says when a pair goes on in another ticket of the partner's."""
    return Transition(name="lineage", side=Side.PARTNER, before=before or "", after=after)


def _ended_at(ticket: Ticket) -> datetime:
    update = ticket.status_update
    return update.at if update is not None else ticket.updated_at


def _keep_apart(base: Base, found: Snapshot, *, since: datetime) -> Base:
    """What stood in the target before the merge is another conversation: it never travels.

    Both times are of one desk. A comment of the very second counts as older: it may be a
    stranger's.
    """
    older = [
        CommentMapping(
            kind=Known.HISTORIC,
            origin=Side.PARTNER,
            comment_id=comment.comment_id,
            audience=comment.audience,
        )
        for comment in news(base, Side.PARTNER, found)
        if comment.created_at.replace(microsecond=0) <= since
    ]
    return replace(base, comments=(*base.comments, *older))


def _without(tags: Mapping[Side, frozenset[str]], side: Side) -> dict[Side, frozenset[str]]:
    return {s: held for s, held in tags.items() if s is not side}
