"""The hand-offs that a store has forgotten, worked out from what stands on both desks.

An order whose copy is on the platform's desk was carried out in the same write, unless the platform
refused it. It was confirmed if a note says so, or if the ticket is out of the view and nobody has
ordered anything since. An order whose words stay at home has no copy: notes alone tell what became
of it, and where their names are lost it is not obeyed, but told as history.
Orders are read as `turns` reads them, so that what they led to is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core import turns
from syncd.core.agreed import Base, CommentMapping, HandOff, HandOffState, Known
from syncd.core.model import Comment, CommentId, Side, Snapshot, Status
from syncd.core.notes import NoteKind
from syncd.core.operations import note_op
from syncd.core.owing import note_key
from syncd.core.policy import LinkPolicy
from syncd.core.recognition import kind_in
from syncd.core.thread import is_read_at_home, known_ids

#: What the partner was told where an order was read and not carried out.
_REFUSALS = frozenset(
    {
        NoteKind.HISTORIC,
        NoteKind.MADE_PRIVATE,
        NoteKind.ALREADY_WITH_PLATFORM,
        NoteKind.REFUSED_CLOSED,
    }
)
_ORDERED = frozenset({NoteKind.HAND_OFF_ORDERED})
_CARRIED_OUT = _ORDERED | {NoteKind.HANDED}
#: One of these stands on a desk for each order that was read and whose words stayed at home.
_OF_ORDERS = _REFUSALS | _ORDERED


def replay_hand_offs(
    base: Base, before: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy, pair_key: str
) -> Base:
    """The base with the hand-offs of the partner's comments that are mapped in it and were not
    `before`, and of those whose words stay at home; views are followed by whoever plans next.
    """
    partner, platform = snapshots.get(Side.PARTNER), snapshots.get(Side.PLATFORM)
    if partner is None or platform is None:
        return base
    replay = _Replay(before, partner, platform, policy, pair_key)
    base = replay.carry_out(replay.settle_offer(base))
    is_tag_set = policy.ball_tag in partner.ticket.tags
    return replace(base, hand_off=replace(base.hand_off, is_tag_set=is_tag_set))


@dataclass(frozen=True, slots=True)
class _Order:
    """A comment that asked for a hand-off, and what it led to."""

    comment: Comment
    offered: HandOff
    is_at_home: bool


class _Replay:
    """What the partner ordered while nobody remembers, in order."""

    def __init__(
        self,
        before: Base,
        partner: Snapshot,
        platform: Snapshot,
        policy: LinkPolicy,
        pair_key: str,
    ) -> None:
        self._before = before
        self._partner = partner
        self._platform = platform
        self._policy = policy
        self._pair_key = pair_key
        self._is_gone = policy.view not in platform.ticket.views

    def settle_offer(self, base: Base) -> Base:
        """The base with an offer confirmed that the store remembers, and the desks know better."""
        offer = base.hand_off.comment_id
        if base.hand_off.state is not HandOffState.OFFERED or offer is None:
            return base
        is_copied = offer in _copied(base) - _copied(self._before)
        is_noted = self._was_noted(base, offer, _CARRIED_OUT)
        was_noted = self._was_noted(self._before, offer, _CARRIED_OUT)
        is_kept = any(note.key == turns.order_key(offer) for note in base.owed)
        is_nameless = is_kept and self._has_nameless(base, _ORDERED)
        if is_copied or (is_noted and not was_noted) or is_nameless:
            return turns.confirm(base, self._policy).base
        return base

    def carry_out(self, base: Base) -> Base:
        """The base after all that was ordered and carried out."""
        orders = self._orders(base)
        for number, order in enumerate(orders, start=1):
            is_last = number == len(orders)
            about = order.comment.comment_id
            if self._was_noted(base, about, _REFUSALS) or _is_carried_out(base, about):
                base = _keep(base, order)
            elif self._was_noted(base, about, _CARRIED_OUT) or (is_last and self._is_gone):
                base = turns.confirm(_keep(_offered(base, order), order), self._policy).base
            elif order.is_at_home and self._has_nameless(base, _OF_ORDERS):
                base = _keep(self._read(base, order.comment, is_historic=True), order)
        return base

    def _orders(self, base: Base) -> list[_Order]:
        copied = _copied(base) - _copied(self._before)
        known = known_ids(base, Side.PARTNER)
        found = []
        for comment in self._partner.comments:
            is_at_home = comment.comment_id not in known and is_read_at_home(
                comment, Side.PARTNER, self._policy
            )
            if comment.comment_id not in copied and not is_at_home:
                continue
            here = replace(base, hand_off=HandOff(turn=base.hand_off.turn))
            offered = self._read(here, comment, is_historic=False).hand_off
            if offered.state is HandOffState.OFFERED:
                found.append(_Order(comment, offered, is_at_home))
        return found

    def _read(self, base: Base, comment: Comment, *, is_historic: bool) -> Base:
        # Closed by now, it may have been open when the order came; a refusal would have left a
        # note.
        status = self._policy.statuses.raw(Side.PLATFORM, Status.OPEN)
        return turns.read_partner_comment(
            base,
            comment,
            policy=self._policy,
            platform=replace(self._platform.ticket, status=status),
            is_historic=is_historic,
        ).base

    def _was_noted(self, base: Base, about: CommentId, kinds: frozenset[NoteKind]) -> bool:
        """Whether one of these notes about a comment stands on a desk."""
        keys = {
            name
            for side in Side
            for kind in kinds
            for key in (note_key(kind, side, about),)
            for name in (key, f"stamp:{note_op(self._pair_key, side, key)}")
        }
        return any(mapping.note_key in keys for mapping in base.comments)

    def _has_nameless(self, base: Base, kinds: frozenset[NoteKind]) -> bool:
        """Whether such a note was just found, and nobody can tell about which comment."""
        known = {(mapping.origin, mapping.comment_id) for mapping in self._before.comments}
        return any(
            kind_in(mapping) in kinds and (mapping.origin, mapping.comment_id) not in known
            for mapping in base.comments
        )


def _copied(base: Base) -> frozenset[CommentId]:
    return frozenset(
        mapping.comment_id
        for mapping in base.comments
        if mapping.kind is Known.COPIED and mapping.origin is Side.PARTNER
    )


def _is_carried_out(base: Base, about: CommentId) -> bool:
    """Whether the hand-off that the base knows is this one, and no longer an offer."""
    return base.hand_off.comment_id == about and base.hand_off.state is not HandOffState.OFFERED


def _offered(base: Base, order: _Order) -> Base:
    """The base with the offer, unless it knows this very one."""
    known = base.hand_off
    if known.comment_id == order.comment.comment_id:
        return base
    # Between two that were carried out it was given back.
    turn = known.turn + (2 if known.is_away else 1)
    return replace(base, hand_off=replace(order.offered, turn=turn))


def _keep(base: Base, order: _Order) -> Base:
    """The base in which an order whose words stay at home is news no more."""
    if not order.is_at_home:
        return base
    kept = CommentMapping(
        kind=Known.LOCAL,
        origin=Side.PARTNER,
        comment_id=order.comment.comment_id,
        audience=order.comment.audience,
    )
    return replace(base, comments=(*base.comments, kept))
