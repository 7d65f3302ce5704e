"""What the two copies must become: everything that is decided before anything is written.

A decision is a new base. It is durable before its first operation leaves, so that a run cut short
anywhere goes on with the same decision instead of making another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core import turns
from syncd.core.adoption import adopt, name_notes
from syncd.core.agreed import Base, CommentMapping, HandOffState, Known
from syncd.core.capabilities import Capabilities
from syncd.core.draft import part_source
from syncd.core.ends import desk_name, recover
from syncd.core.file_map import without_withdrawn
from syncd.core.guard import guard_note, guarded
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    Conflict,
    Held,
    Role,
    Side,
    Snapshot,
    Status,
    TicketId,
    Transition,
)
from syncd.core.notes import NoteKind, note
from syncd.core.owing import owe, owe_conflict
from syncd.core.policy import LinkPolicy
from syncd.core.redaction import follow_redactions
from syncd.core.refusal import follow_refusals
from syncd.core.status import decide_status
from syncd.core.tags import decide_tags, unheld_tags
from syncd.core.thread import audience_for, is_read_at_home, news


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What a plan must know beside the tickets; values, so that it can be made again."""

    #: Names the pair in operation ids; the same for ever, also after a restored backup.
    pair_key: str
    #: The birth is a backfill's: history is imported, nobody is notified.
    is_silent: bool = False
    #: A backfill on an existing pair: public comments are reported and left, and nobody is mailed.
    is_quiet: bool = False
    #: What is found is history: an old hand-off is not run, even where public comments are sent.
    is_historic: bool = False
    #: An offered hand-off has waited too long for the platform.
    is_hand_off_late: bool = False
    #: What other pairs of the same platform ticket ask for.
    siblings: tuple[Status, ...] = ()
    #: Owed files whose next try has come, and those that were tried for long enough, by their keys.
    due_files: frozenset[str] = frozenset()
    late_files: frozenset[str] = frozenset()
    #: Follow-ups of the partner's tickets that are not the pair's.
    strays: tuple[TicketId, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The base after deciding, what travels, and what must be put on record."""

    base: Base
    #: Comments to copy to each side, in the other desk's order.
    travelling: Mapping[Side, tuple[Comment, ...]]
    conflicts: tuple[Conflict, ...] = ()
    transitions: tuple[Transition, ...] = ()
    held: tuple[Held, ...] = ()
    #: Public comments that a quiet run leaves for a live one.
    left_out: tuple[Held, ...] = ()


def decide(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    *,
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
    circumstances: Circumstances,
) -> Decision:
    """Take everything both desks show into the base.

    Both snapshots carry known statuses; the caller has parked the pair otherwise.
    """
    before = base
    base = adopt(
        base,
        snapshots,
        policy=policy,
        capabilities=capabilities,
        pair_key=circumstances.pair_key,
    )
    base, restored = recover(base, snapshots, policy)
    transitions: list[Transition] = [*restored]
    if turns.has_left_unseen(before, base):
        turn = turns.confirm(base, policy)
        base = turn.base
        transitions += turn.transitions
    if capabilities[Side.PLATFORM].has_views:
        turn = turns.follow_views(base, snapshots[Side.PLATFORM], policy)
        base = turn.base
        transitions += turn.transitions
    if circumstances.is_hand_off_late:
        base = turns.be_late(base, policy)
    was_away = base.hand_off.is_away
    threads = _Threads(policy, circumstances, snapshots)
    for side in Side:
        base = threads.read(base, side)
    is_new_offer = base.hand_off.state is HandOffState.OFFERED and not was_away
    base, conflicts, moved = _decide_status(
        base, snapshots, policy, siblings=circumstances.siblings, is_new_offer=is_new_offer
    )
    given_at = snapshots[Side.PLATFORM].ticket.updated_at
    base = turns.tell_closed(before, base, policy, at=given_at)
    base = follow_refusals(base, snapshots, policy, siblings=circumstances.siblings)
    base = replace(
        base,
        tags=decide_tags(
            base.tags,
            {side: snapshot.ticket for side, snapshot in snapshots.items()},
            policy=policy,
            capabilities=capabilities,
        ),
    )
    base = _report_unheld(base, snapshots, policy, capabilities)
    base = _follow_restrictions(base, snapshots, policy, capabilities)
    base = follow_redactions(base, snapshots, policy)
    base = name_notes(base, circumstances.pair_key)
    base = without_withdrawn(base, snapshots, policy)
    return Decision(
        base=base,
        travelling={side: tuple(threads.travelling[side]) for side in Side},
        conflicts=conflicts,
        transitions=(*transitions, *threads.transitions, *moved),
        held=tuple(threads.held),
        left_out=tuple(threads.left_out),
    )


class _Threads:
    """One look at both threads; collects what travels, what stays and what waits."""

    def __init__(
        self,
        policy: LinkPolicy,
        circumstances: Circumstances,
        snapshots: Mapping[Side, Snapshot],
    ) -> None:
        self._policy = policy
        self._circumstances = circumstances
        self._snapshots = snapshots
        self.travelling: dict[Side, list[Comment]] = {side: [] for side in Side}
        self.transitions: list[Transition] = []
        self.held: list[Held] = []
        self.left_out: list[Held] = []

    def read(self, base: Base, side: Side) -> Base:
        """Take the news of one side into the base, in order; stop at the first that must wait."""
        snapshot = self._snapshots[side]
        for comment in news(base, side, snapshot):
            if audience_for(comment, side, self._policy) is Audience.LOCAL:
                base = self._keep(base, side, comment)
                continue
            if self._is_left_out(comment):
                self.left_out.append(_held(side, comment, "public_in_backfill"))
                break
            base, is_held = self._read_for_hand_off(base, side, comment)
            if is_held:
                self.held.append(_held(side, comment, "public_hand_off_phrase"))
                break
            self.travelling[side.other].append(comment)
        return base

    def _keep(self, base: Base, side: Side, comment: Comment) -> Base:
        """The base with a comment that stays where it is, and what it orders all the same."""
        is_order = is_read_at_home(comment, side, self._policy)
        if is_order and not turns.was_obeyed(base, comment):
            turn = self._read_as_order(base, comment)
            self.transitions += turn.transitions
            base = turn.base
        return _map(base, side, comment, Known.LOCAL)

    def _is_left_out(self, comment: Comment) -> bool:
        return self._circumstances.is_quiet and comment.audience is Audience.PUBLIC

    def _read_for_hand_off(self, base: Base, side: Side, comment: Comment) -> tuple[Base, bool]:
        if side is not Side.PARTNER or turns.was_obeyed(base, comment):
            return base, False
        turn = self._read_as_order(base, comment)
        # Planned again after each operation, what leaves no trace in the base would be counted each
        # time; it is counted when the comment is next to travel.
        if turn.base != base or not self.travelling[side.other]:
            self.transitions += turn.transitions
        return turn.base, turn.is_held

    def _read_as_order(self, base: Base, comment: Comment) -> turns.Turn:
        return turns.read_partner_comment(
            base,
            comment,
            policy=self._policy,
            platform=self._snapshots[Side.PLATFORM].ticket,
            is_historic=self._circumstances.is_historic,
        )


def _held(side: Side, comment: Comment, reason: str) -> Held:
    return Held(side=side, comment_id=comment.comment_id, reason=reason)


def _map(base: Base, side: Side, comment: Comment, kind: Known) -> Base:
    mapping = CommentMapping(
        kind=kind, origin=side, comment_id=comment.comment_id, audience=comment.audience
    )
    return replace(base, comments=(*base.comments, mapping))


def _decide_status(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    *,
    siblings: tuple[Status, ...],
    is_new_offer: bool,
) -> tuple[Base, tuple[Conflict, ...], list[Transition]]:
    is_away = base.hand_off.is_away
    guards = guarded(base, snapshots, policy, siblings=siblings)
    decision = decide_status(
        base.status,
        {side: snapshot.ticket.status for side, snapshot in snapshots.items()},
        statuses=policy.statuses,
        rule=policy.status_rule,
        guarded=guards,
        mute=_mute(base, snapshots[Side.PLATFORM].ticket.status, policy, siblings),
        siblings=siblings,
    )
    moved = [_status_moved(side, base, snapshots[side]) for side in sorted(decision.changed)]
    base = replace(base, status=decision.base)
    for side, meant in guards.items():
        is_muted = is_away and side is Side.PARTNER
        is_news = side in decision.changed or meant is Status.OPEN
        if decision.base.agreed is meant and is_news and not is_muted:
            due = guard_note(meant, snapshots[side].ticket.status, side, policy)
            base = owe(base, due, side, _update_name(snapshots[side]))
    if is_new_offer:
        offered = replace(decision.base, agreed=Status.OPEN, by=Side.PARTNER)
        base = replace(base, status=offered)
    if is_away and (Side.PARTNER in decision.changed or is_new_offer):
        base = turns.hold_open(base, snapshots[Side.PARTNER].ticket.status, policy)
    if decision.conflict is None:
        return base, (), moved
    return _tell_loser(base, decision.conflict, snapshots, policy), (decision.conflict,), moved


def _mute(
    base: Base, shown: str, policy: LinkPolicy, siblings: tuple[Status, ...]
) -> frozenset[Side]:
    """The sides whose change of the status has no effect.

    On its way to the platform's staff a ticket stays open: what a pair of the same ticket wished
    and had written meanwhile is no decision of theirs.
    """
    if not base.hand_off.is_away:
        return frozenset()
    is_on_its_way = base.hand_off.state is HandOffState.OFFERED
    if is_on_its_way and policy.statuses.meaning(Side.PLATFORM, shown) in siblings:
        return frozenset(Side)
    return frozenset({Side.PARTNER})


def _update_name(snapshot: Snapshot) -> str:
    """What tells this change of the status from every other one of the ticket."""
    ticket = snapshot.ticket
    update = ticket.status_update
    if update is None:
        return f"as-of-{ticket.fields_as_of}"
    return update.update_id or update.at.isoformat()


def _tell_loser(
    base: Base, conflict: Conflict, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy
) -> Base:
    """A status that is moved against the person who set it comes with a note."""
    agreed = Status(conflict.result)
    for side in Side:
        if policy.statuses.meaning(side, snapshots[side].ticket.status) is not agreed:
            kept = policy.statuses.raw(side, agreed)
            about = _update_name(snapshots[side])
            base = owe_conflict(base, conflict, side, kept=kept, policy=policy, about=about)
    return base


def _status_moved(side: Side, base: Base, snapshot: Snapshot) -> Transition:
    before = base.status.seen[side] if base.status else ""
    ticket = snapshot.ticket
    update = ticket.status_update
    return Transition(
        name="status",
        side=side,
        before=before,
        after=ticket.status,
        actor=Role.UNKNOWN,
        at=update.at if update else ticket.updated_at,
    )


def _report_unheld(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
) -> Base:
    for side, snapshot in snapshots.items():
        if not capabilities[side.other].has_narrow_tags:
            continue
        for tag in sorted(unheld_tags(snapshot.ticket, policy)):
            desk = policy.partner_name if side is Side.PLATFORM else policy.platform_name
            base = owe(base, note(NoteKind.TAG_UNHELD, tag=tag, desk=desk), side, tag)
    return base


def _follow_restrictions(
    base: Base,
    snapshots: Mapping[Side, Snapshot],
    policy: LinkPolicy,
    capabilities: Mapping[Side, Capabilities],
) -> Base:
    """Where an original was made private and the copy's desk cannot follow, say so there, once."""
    mappings = list(base.comments)
    for found in narrowed(base, snapshots):
        side, comment = found.origin, found.comment
        if side is Side.PARTNER:
            base = turns.hint_made_private(base, comment, policy)
        if capabilities[side.other].can_restrict:
            continue
        mappings[found.index] = replace(mappings[found.index], audience=comment.audience)
        desk = desk_name(side, policy)
        told = note(
            NoteKind.COMMENT_MADE_PRIVATE,
            desk=desk,
            author=comment.author.name or desk,
            at=comment.created_at,
            url=snapshots[side].ticket.url,
        )
        base = owe(base, told, side.other, comment.comment_id)
    return replace(base, comments=tuple(mappings))


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowed:
    """A comment made private by now, and a public copy of it or of a part of it."""

    origin: Side
    comment: Comment
    copy_id: CommentId
    #: Place of the copy in the comment map.
    index: int


def narrowed(base: Base, snapshots: Mapping[Side, Snapshot]) -> tuple[Narrowed, ...]:
    """Public copies whose original is private by now."""
    public = [
        (index, mapping)
        for index, mapping in enumerate(base.comments)
        if mapping.audience is Audience.PUBLIC and mapping.kind in (Known.COPIED, Known.NOTE)
    ]
    hidden = {
        (side, comment.comment_id): comment
        for side, snapshot in snapshots.items()
        for comment in snapshot.comments
        if comment.audience is not Audience.PUBLIC
    }
    found = []
    for index, mapping in public:
        origin, original_id, copy_id = _original(mapping)
        comment = hidden.get((origin, original_id))
        if comment is not None and copy_id is not None:
            copied = Narrowed(origin=origin, comment=comment, copy_id=copy_id, index=index)
            found.append(copied)
    return tuple(found)


def _original(mapping: CommentMapping) -> tuple[Side, CommentId, CommentId | None]:
    """Which comment a row of the map copies, and the copy's own id."""
    if mapping.kind is Known.COPIED:
        return mapping.origin, mapping.comment_id, mapping.copy_id
    # Of our notes, only the parts of a long comment are ever public.
    return mapping.origin.other, part_source(mapping.note_key or ""), mapping.comment_id
