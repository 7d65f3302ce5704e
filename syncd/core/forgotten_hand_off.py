"""The hand-offs that a store has forgotten, worked out from what stands on both desks.

An order whose copy is on the platform's desk was carried out in the same write, unless the platform
refused it. It was confirmed if a note says so, or if the ticket is out of the view and nobody has
ordered anything since. Orders are read as `turns` reads them, so that what they led to is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core import turns
from syncd.core.agreed import Base, HandOff, HandOffState, Known
from syncd.core.model import Comment, CommentId, Side, Snapshot
from syncd.core.notes import NoteKind
from syncd.core.operations import note_op
from syncd.core.owing import note_key
from syncd.core.policy import LinkPolicy


def replay_hand_offs(
    base: Base, before: Base, snapshots: Mapping[Side, Snapshot], policy: LinkPolicy, pair_key: str
) -> Base:
    """The base with the hand-offs of the partner's comments that are mapped in it and were not
    `before`; views are followed by whoever plans next.
    """
    partner, platform = snapshots.get(Side.PARTNER), snapshots.get(Side.PLATFORM)
    if partner is None or platform is None:
        return base
    copied = _copied(base) - _copied(before)
    if base.hand_off.state is HandOffState.OFFERED and base.hand_off.comment_id in copied:
        base = turns.confirm(base, policy).base
    orders = [
        offered
        for comment in partner.comments
        if comment.comment_id in copied
        and (offered := _offered(base, comment, platform, policy)) is not None
    ]
    is_gone = policy.view not in platform.ticket.views
    for number, offered in enumerate(orders, start=1):
        is_last = number == len(orders)
        if not _was_told(base, offered, pair_key) and not (is_last and is_gone):
            continue
        # Between two that were carried out it was given back.
        turn = base.hand_off.turn + (2 if base.hand_off.is_away else 1)
        base = turns.confirm(replace(base, hand_off=replace(offered, turn=turn)), policy).base
    is_tag_set = policy.ball_tag in partner.ticket.tags
    return replace(base, hand_off=replace(base.hand_off, is_tag_set=is_tag_set))


def _copied(base: Base) -> frozenset[CommentId]:
    return frozenset(
        mapping.comment_id
        for mapping in base.comments
        if mapping.kind is Known.COPIED and mapping.origin is Side.PARTNER
    )


def _offered(
    base: Base, comment: Comment, platform: Snapshot, policy: LinkPolicy
) -> HandOff | None:
    """The hand-off that a comment asks for where the ticket is with the partner."""
    here = replace(base, hand_off=HandOff(turn=base.hand_off.turn))
    turn = turns.read_partner_comment(
        here, comment, policy=policy, platform=platform.ticket, is_historic=False
    )
    offered = turn.base.hand_off
    return offered if offered.state is HandOffState.OFFERED else None


def _was_told(base: Base, offered: HandOff, pair_key: str) -> bool:
    """Whether the note that confirms a hand-off stands on a desk."""
    keys = {
        name
        for side in Side
        for key in (note_key(NoteKind.HANDED, side, offered.comment_id or ""),)
        for name in (key, f"stamp:{note_op(pair_key, side, key)}")
    }
    return any(mapping.note_key in keys for mapping in base.comments)
