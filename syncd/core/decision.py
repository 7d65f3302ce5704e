"""What the two copies must become: everything that is decided before anything is written.

A decision is a new base. It is durable before its first operation leaves, so that a run cut short anywhere
goes on with the same decision instead of making another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core import turns
from syncd.core.model import (
    Audience,
    Base,
    Capabilities,
    Comment,
    CommentId,
    CommentMapping,
    Conflict,
    HandOffState,
    Held,
    Known,
    LinkName,
    OpId,
    Role,
    Side,
    Snapshot,
    Status,
    Transition,
)
from syncd.core.notes import NoteKind, note
from syncd.core.operations import op_id
from syncd.core.owing import owe
from syncd.core.policy import LinkPolicy
from syncd.core.stamp import read_stamp
from syncd.core.status import decide_status
from syncd.core.tags import decide_tags, unheld_tags
from syncd.core.thread import audience_for, is_answered_and_closed, known_ids, news


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What a plan must know beside the tickets; all of it values, so that a plan can be made again."""

    #: Names the pair in operation ids; the same for ever, also after a restored backup.
    pair_key: str
    #: The birth is a backfill's: history is imported, nobody is notified.
    is_silent: bool = False
    #: A backfill on an existing pair: public comments are reported, old hand-offs are not run.
    is_quiet: bool = False
    #: An offered hand-off has waited too long for the platform.
    is_hand_off_late: bool = False
    #: What other pairs of the same platform ticket ask for.
    siblings: tuple[Status, ...] = ()


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


def copy_op(pair_key: str, target: Side, source_id: CommentId) -> OpId:
    """The id of the operation that copies a comment, whenever it is planned."""
    return op_id(pair_key, target.value, "copy", source_id)


def note_op(pair_key: str, target: Side, key: str) -> OpId:
    """The id of the operation that writes a note, whenever it is planned."""
    return op_id(pair_key, target.value, "note", key)


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
    base = adopt_stamped(base, snapshots, policy.link, circumstances.pair_key)
    transitions: list[Transition] = []
    was_away = base.hand_off.is_away
    if capabilities[Side.PLATFORM].has_views:
        turn = turns.follow_views(base, snapshots[Side.PLATFORM], policy)
        base = turn.base
        transitions += turn.transitions
    if circumstances.is_hand_off_late:
        base = turns.be_late(base, policy)
    threads = _Threads(policy, circumstances, snapshots)
    for side in Side:
        base = threads.read(base, side)
    is_new_offer = base.hand_off.state is HandOffState.OFFERED and not was_away
    base, conflicts, moved = _decide_status(base, snapshots, policy, is_new_offer=is_new_offer)
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
                base = _map(base, side, comment, Known.LOCAL)
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

    def _is_left_out(self, comment: Comment) -> bool:
        return self._circumstances.is_quiet and comment.audience is Audience.PUBLIC

    def _read_for_hand_off(self, base: Base, side: Side, comment: Comment) -> tuple[Base, bool]:
        # A comment that an earlier run already took for the offer is not read twice.
        if side is not Side.PARTNER or base.hand_off.comment_id == comment.comment_id:
            return base, False
        turn = turns.read_partner_comment(
            base,
            comment,
            policy=self._policy,
            platform=self._snapshots[Side.PLATFORM].ticket,
            is_historic=self._circumstances.is_quiet,
        )
        if not self.travelling[side.other]:
            # Planned again after each operation, a comment further back would be counted each time.
            self.transitions += turn.transitions
        return turn.base, turn.is_held


def _held(side: Side, comment: Comment, reason: str) -> Held:
    return Held(side=side, comment_id=comment.comment_id, reason=reason)


def _map(base: Base, side: Side, comment: Comment, kind: Known) -> Base:
    mapping = CommentMapping(
        kind=kind, origin=side, comment_id=comment.comment_id, audience=comment.audience
    )
    return replace(base, comments=(*base.comments, mapping))


def adopt_stamped(
    base: Base, snapshots: Mapping[Side, Snapshot], link: LinkName, pair_key: str
) -> Base:
    """Recognise writes of ours by their stamp, whatever the comment map has forgotten.

    Nothing that carries this link's stamp is ever news.
    """
    for target in Side:
        if target not in snapshots:
            continue
        explained = known_ids(base, target)
        stamped = [
            (comment, stamp[1])
            for comment in snapshots[target].comments
            if comment.comment_id not in explained
            and comment.stamp is not None
            and (stamp := read_stamp(comment.stamp)) is not None
            and stamp[0] == link
        ]
        if stamped:
            base = _adopt(base, target, stamped, snapshots.get(target.other), pair_key)
    return base


def _adopt(
    base: Base,
    target: Side,
    stamped: list[tuple[Comment, OpId]],
    other: Snapshot | None,
    pair_key: str,
) -> Base:
    originals = news(base, target.other, other) if other is not None else ()
    copies = {copy_op(pair_key, target, c.comment_id): c for c in originals}
    notes = {note_op(pair_key, target, n.key): n.key for n in base.owed if n.side is target}
    for comment, operation in stamped:
        original = copies.get(operation)
        if original is not None:
            mapping = CommentMapping(
                kind=Known.COPIED,
                origin=target.other,
                comment_id=original.comment_id,
                copy_id=comment.comment_id,
                audience=original.audience,
            )
        else:
            mapping = CommentMapping(
                kind=Known.NOTE,
                origin=target,
                comment_id=comment.comment_id,
                audience=comment.audience,
                note_key=notes.get(operation, f"stamp:{operation}"),
            )
        base = replace(
            base,
            comments=(*base.comments, mapping),
            owed=tuple(n for n in base.owed if n.key != mapping.note_key or n.side is not target),
        )
    return base


def _decide_status(
    base: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy, *, is_new_offer: bool
) -> tuple[Base, tuple[Conflict, ...], list[Transition]]:
    if base.status is None:
        return base, (), []
    before = base.status
    shown = {side: snapshot.ticket.status for side, snapshot in snapshots.items()}
    guarded = _guarded(snapshots, policy)
    decision = decide_status(
        before,
        shown,
        statuses=policy.statuses,
        rule=policy.status_rule,
        guarded=guarded,
        mute=frozenset({Side.PARTNER}) if base.hand_off.is_away else frozenset(),
    )
    base = replace(base, status=decision.base)
    is_away = base.hand_off.is_away
    for side in sorted(decision.changed & guarded.keys()):
        is_muted = is_away and side is Side.PARTNER
        if decision.base.agreed is Status.WITH_CUSTOMER and not is_muted:
            about = _update_name(snapshots[side])
            base = owe(base, note(NoteKind.CLOSE_GUARD), side, about)
    if is_new_offer:
        base = replace(base, status=replace(decision.base, agreed=Status.OPEN))
    if is_away and (Side.PARTNER in decision.changed or is_new_offer):
        base = turns.hold_open(base, snapshots[Side.PARTNER].ticket, policy)
    if decision.conflict is not None:
        base = _tell_loser(base, decision.conflict, snapshots, policy)
    conflicts = (decision.conflict,) if decision.conflict else ()
    moved = [
        _status_moved(side, before.seen.get(side, ""), snapshots[side])
        for side in sorted(decision.changed)
    ]
    return base, conflicts, moved


def _update_name(snapshot: Snapshot) -> str:
    update = snapshot.ticket.status_update
    return (update.update_id or update.at.isoformat()) if update else ""


def _tell_loser(
    base: Base, conflict: Conflict, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy
) -> Base:
    """A status that is moved against the person who set it comes with a note."""
    agreed = base.status.agreed if base.status else None
    for side in Side:
        if policy.statuses.meaning(side, snapshots[side].ticket.status) is agreed:
            continue
        lost = note(
            NoteKind.STATUS_CONFLICT,
            platform=policy.platform_name,
            platform_status=conflict.platform,
            partner=policy.partner_name,
            partner_status=conflict.partner,
            kept=policy.statuses.raw(side, agreed) if agreed else "",
        )
        base = owe(base, lost, side, _update_name(snapshots[side]))
    return base


def _guarded(snapshots: Mapping[Side, Snapshot], policy: LinkPolicy) -> dict[Side, Status]:
    if not policy.has_close_guard:
        return {}
    return {
        side: Status.WITH_CUSTOMER
        for side, snapshot in snapshots.items()
        if policy.statuses.meaning(side, snapshot.ticket.status) is Status.CLOSED
        and is_answered_and_closed(snapshot)
    }


def _status_moved(side: Side, before: str, snapshot: Snapshot) -> Transition:
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
    for side, comment, index in narrowed(base, snapshots):
        if capabilities[side.other].can_restrict:
            continue
        mappings[index] = replace(mappings[index], audience=comment.audience)
        desk = policy.platform_name if side is Side.PLATFORM else policy.partner_name
        told = note(
            NoteKind.COMMENT_MADE_PRIVATE,
            desk=desk,
            author=comment.author.name or desk,
            at=comment.created_at,
            url=snapshots[side].ticket.url,
        )
        base = owe(base, told, side.other, comment.comment_id)
    return replace(base, comments=tuple(mappings))


def narrowed(
    base: Base, snapshots: Mapping[Side, Snapshot]
) -> tuple[tuple[Side, Comment, int], ...]:
    """Copied public comments whose original is private by now, with their place in the comment map."""
    shown = {
        side: {c.comment_id: c for c in snapshot.comments} for side, snapshot in snapshots.items()
    }
    found = []
    for index, mapping in enumerate(base.comments):
        if mapping.kind is not Known.COPIED or mapping.audience is not Audience.PUBLIC:
            continue
        comment = shown.get(mapping.origin, {}).get(mapping.comment_id)
        if comment is not None and comment.audience is not Audience.PUBLIC:
            found.append((mapping.origin, comment, index))
    return tuple(found)
