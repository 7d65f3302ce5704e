"""From a decision to writes: each request carries all that can go with it.

A comment, the status and the tags of one side share one request; several comments go one by one,
in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.agreed import HandOffState, OwedNote
from syncd.core.capabilities import Capabilities
from syncd.core.decision import Circumstances, Decision, narrowed
from syncd.core.draft import draft_copy, draft_digest, draft_note, writable_draft
from syncd.core.file_map import follow_ups
from syncd.core.model import Comment, End, OpId, Side, Snapshot
from syncd.core.notes import NoteKind
from syncd.core.operations import (
    Draft,
    Operation,
    RestrictComment,
    UpdateTicket,
    copy_op,
    note_op,
    op_id,
)
from syncd.core.policy import LinkPolicy
from syncd.core.refusal import is_refused
from syncd.core.status import owed_status
from syncd.core.tags import TagDelta, owed_tags
from syncd.core.thread import note_keys
from syncd.core.turns import order_key, wants_ball_tag


class Writes:
    """Turns a decision into writes, each carrying all that can go with it in one request."""

    def __init__(
        self,
        decision: Decision,
        snapshots: Mapping[Side, Snapshot],
        policy: LinkPolicy,
        capabilities: Mapping[Side, Capabilities],
        circumstances: Circumstances,
    ) -> None:
        self._base = decision.base
        self._travelling = decision.travelling
        self._snapshots = snapshots
        self._policy = policy
        self._capabilities = capabilities
        self._circumstances = circumstances

    def to(self, side: Side) -> tuple[Operation, ...]:
        """The writes that one side is owed, in order; the fields ride on one of the comments."""
        drafts = [] if self._is_full(side) else self._drafts(side)
        leaving = self._leaving_index(side, drafts)
        status = self._status(side)
        tags = self._tags(side)
        must_leave = self._must_leave(side) and leaving is None
        # Where the comment that asked has been copied already, the fields go alone, and first.
        last = None if must_leave else len(drafts) - 1
        carrier = last if leaving is None else leaving
        updates: list[Operation] = [
            self._update(
                side,
                draft,
                status if index == carrier else None,
                tags if index == carrier else TagDelta(),
                leave=index == leaving,
            )
            for index, draft in enumerate(drafts)
        ]
        if must_leave or (not drafts and (status is not None or tags)):
            fields = self._update(side, None, status, tags, leave=must_leave)
            updates.insert(0, fields)
        return (*updates, *self._restrictions(side), *self._follow_ups(side))

    def _follow_ups(self, side: Side) -> tuple[Operation, ...]:
        """Late files, each by itself: nothing else waits for them."""
        circumstances = self._circumstances
        drafts = follow_ups(
            self._base,
            side,
            self._snapshots[side.other],
            due=circumstances.due_files,
            late=circumstances.late_files,
            is_quiet=circumstances.is_quiet,
            policy=self._policy,
            capabilities=self._capabilities[side],
        )
        return tuple(
            self._update(side, writable_draft(draft), None, TagDelta(), leave=False)
            for draft in drafts
        )

    def keeps_out_comments(self, side: Side) -> bool:
        """Whether a comment is owed to a ticket that can hold no more of them."""
        return self._is_full(side) and bool(self._drafts(side))

    def _is_full(self, side: Side) -> bool:
        limit = self._capabilities[side].max_comments
        shown = self._snapshots[side]
        if limit is None or shown.ticket.end is not End.ALIVE:
            # A closed one takes nothing anyhow, and what goes on from it has room.
            return False
        return len(shown.comments) - shown.earlier_count >= limit

    def _drafts(self, side: Side) -> list[Draft]:
        capabilities = self._capabilities[side]
        drafts = [draft for group in self._groups(side) for draft in self._copies(group, side)]
        return drafts + [
            draft_note(owed, policy=self._policy, capabilities=capabilities)
            for owed in self._base.owed
            if owed.side is side and not self._is_premature(owed)
        ]

    def _is_premature(self, owed: OwedNote) -> bool:
        """Nobody is told that the platform has the ticket before the platform has confirmed it."""
        is_offered = self._base.hand_off.state is HandOffState.OFFERED
        return is_offered and owed.kind == NoteKind.STAY_OPEN.value

    def _groups(self, side: Side) -> list[tuple[Comment, ...]]:
        """Single comments to copy; a group of several is older history, to go as one digest."""
        travelling = self._travelling[side]
        limit = self._policy.history_limit
        if side is not Side.PARTNER or len(travelling) <= limit or not self._is_newborn():
            return [(comment,) for comment in travelling]
        older = len(travelling) - limit
        return [travelling[:older], *((comment,) for comment in travelling[older:])]

    def _is_newborn(self) -> bool:
        """The context note closes a birth; until it is written, what waits is history."""
        return any(owed.kind == NoteKind.CONTEXT.value for owed in self._base.owed)

    def _copies(self, group: tuple[Comment, ...], side: Side) -> tuple[Draft, ...]:
        capabilities = self._capabilities[side]
        if len(group) > 1:
            url = self._snapshots[side.other].ticket.url
            digest = draft_digest(
                group, side, url=url, policy=self._policy, capabilities=capabilities
            )
            return (digest,)
        drafts = draft_copy(group[0], side, policy=self._policy, capabilities=capabilities)
        written = note_keys(self._base)
        return tuple(draft for draft in drafts if draft.note_key not in written)

    def _must_leave(self, side: Side) -> bool:
        return (
            side is Side.PLATFORM
            and self._base.hand_off.state is HandOffState.OFFERED
            and self._policy.view in self._snapshots[side].ticket.views
        )

    def _leaving_index(self, side: Side, drafts: list[Draft]) -> int | None:
        """Which draft takes the ticket out of the view: what stands for the comment that asked."""
        wanted = self._base.hand_off.comment_id
        if wanted is None or not self._must_leave(side):
            return None
        for index, draft in enumerate(drafts):
            if draft.source_id == wanted or draft.note_key == order_key(wanted):
                return index
        return None

    def _has_ended(self) -> bool:
        """Whether the pair has only its last words to say."""
        return self._base.hand_off.state is HandOffState.ENDED

    def _status(self, side: Side) -> str | None:
        if self._base.status is None or self._has_ended():
            return None
        siblings = self._circumstances.siblings
        owed = owed_status(self._base.status, side, self._policy.statuses, siblings=siblings)
        return None if is_refused(self._base.status, side, owed) else owed

    def _tags(self, side: Side) -> TagDelta:
        if not self._capabilities[side].has_tags:
            return TagDelta()
        ticket = self._snapshots[side].ticket
        delta = TagDelta() if self._has_ended() else owed_tags(self._base.tags, side, ticket)
        if side is not Side.PARTNER or wants_ball_tag(self._base) is self._base.hand_off.is_tag_set:
            return delta
        tag = frozenset({self._policy.ball_tag})
        if wants_ball_tag(self._base):
            return replace(delta, add=delta.add | tag)
        return replace(delta, remove=delta.remove | tag)

    def _update(
        self, side: Side, draft: Draft | None, status: str | None, tags: TagDelta, *, leave: bool
    ) -> UpdateTicket:
        ticket = self._snapshots[side].ticket
        return UpdateTicket(
            op_id=self._op_id(side, draft, status, tags, leave=leave),
            side=side,
            ticket_id=ticket.ticket_id,
            comment=draft,
            status=status,
            add_tags=tags.add,
            remove_tags=tags.remove,
            leave_view=self._policy.view if leave else None,
            is_silent=self._circumstances.is_quiet,
        )

    def _op_id(
        self, side: Side, draft: Draft | None, status: str | None, tags: TagDelta, *, leave: bool
    ) -> OpId:
        pair_key = self._circumstances.pair_key
        if draft is not None and draft.source_id is not None:
            return copy_op(pair_key, side, draft.source_id)
        if draft is not None and draft.note_key is not None:
            return note_op(pair_key, side, draft.note_key)
        # Fields alone have no name of their own: the state that they leave is part of their
        # identity.
        return op_id(
            pair_key,
            side.value,
            "fields",
            self._snapshots[side].ticket.precondition,
            status or "",
            *sorted(f"+{tag}" for tag in tags.add),
            *sorted(f"-{tag}" for tag in tags.remove),
            "leave" if leave else "",
        )

    def _restrictions(self, side: Side) -> tuple[Operation, ...]:
        if not self._capabilities[side].can_restrict:
            return ()
        pair_key = self._circumstances.pair_key
        return tuple(
            RestrictComment(
                op_id=op_id(pair_key, side.value, "restrict", found.copy_id),
                side=side,
                ticket_id=self._snapshots[side].ticket.ticket_id,
                comment_id=found.copy_id,
                source_id=found.comment.comment_id,
            )
            for found in narrowed(self._base, self._snapshots)
            if found.origin is not side
        )
