"""What an answered write changes in the base.

The base takes over what was agreed and written, never what a later look shows: a person's edit
made while the write was under way stays a change that the next plan sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core import turns
from syncd.core.agreed import Base, CommentMapping, HandOff, HandOffState, StatusBase, TagBase
from syncd.core.comment_map import take_written
from syncd.core.ends import Stop
from syncd.core.file_map import take_files
from syncd.core.model import Audience, Conflict, Side, Status, Ticket, Transition
from syncd.core.operations import (
    Answer,
    CreateTicket,
    Draft,
    Intent,
    RestrictComment,
    UpdateTicket,
    drafts_of,
)
from syncd.core.owing import owe_conflict
from syncd.core.policy import LinkPolicy
from syncd.core.refusal import accept, write_beside
from syncd.core.status import resolve
from syncd.core.tags import fold, shared_spelling


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """The base after a write, what goes on record, and whether a person must look."""

    base: Base
    conflicts: tuple[Conflict, ...] = ()
    transitions: tuple[Transition, ...] = ()
    stop: Stop | None = None
    #: A comment that had to stay private came out public: the link stops and the alarm is raised.
    is_leak: bool = False


def settle(
    base: Base, intent: Intent, answer: Answer, *, policy: LinkPolicy, is_found: bool = False
) -> Settlement:
    """Take the answer to one write into the base.

    `is_found` says that the answer was lost and the write found later: the ticket that it shows may
    have moved on since, so nothing in it is taken for the desk's own doing.
    """
    operation = intent.op
    if isinstance(operation, RestrictComment):
        return Settlement(base=restricted(base, operation))
    is_found = is_found or answer.is_read_later
    if not answer.is_named:
        return _begun(base, intent, answer, policy, is_found=is_found)
    drafts = drafts_of(operation)
    if len(answer.comment_ids) != len(drafts):
        hint = "The desk accepted a comment and did not name it; compare both tickets."
        return Settlement(base=base, stop=Stop(reason="comment_without_id", hint=hint))
    written = list(zip(drafts, answer.comment_ids, strict=True))
    base = take_written(base, operation.side, written)
    base = take_files(
        base,
        operation.side,
        written,
        {comment.comment_id: comment for comment in answer.sighting.comments},
        is_silent=operation.is_silent,
    )
    is_leak = any(
        stored is Audience.PUBLIC and draft.audience is not Audience.PUBLIC
        for draft, stored in zip(drafts, answer.stored, strict=False)
    )
    settlement = _settled(base, intent, answer, policy, is_found=is_found)
    stop = _stored_otherwise(drafts, answer) or settlement.stop
    return replace(settlement, is_leak=is_leak, stop=stop)


def _settled(
    base: Base, intent: Intent, answer: Answer, policy: LinkPolicy, *, is_found: bool
) -> Settlement:
    operation, shown = intent.op, answer.sighting.ticket
    assert not isinstance(operation, RestrictComment)  # noqa: S101 - settled by the caller
    if isinstance(operation, CreateTicket):
        return Settlement(base=_created(base, operation, None if is_found else shown, policy))
    if shown is None:
        # What the fields became is unknown: the mirror still shows the old ones, and so must we.
        return Settlement(base=base)
    return _Update(intent, operation, answer, shown, policy, is_found=is_found).settle(base)


def _stored_otherwise(drafts: tuple[Draft, ...], answer: Answer) -> Stop | None:
    """A comment that is not surely private where it must be, or that hides from its readers."""
    for draft, stored in zip(drafts, answer.stored, strict=False):
        if stored is None and draft.audience is not Audience.PUBLIC:
            hint = "The desk does not say who can read a private comment of ours; look at it there."
            return Stop(reason="visibility_unknown", hint=hint)
        if stored not in (None, Audience.PUBLIC) and draft.audience is Audience.PUBLIC:
            hint = (
                "The desk made a public comment of ours private: give the connection's user a role"
                " that may write public comments, and tell the customer there."
            )
            return Stop(reason="comment_not_public", hint=hint)
    return None


def _begun(
    base: Base, intent: Intent, answer: Answer, policy: LinkPolicy, *, is_found: bool
) -> Settlement:
    """What the ticket shows before anybody can tell which of its comments are which.

    Taken in once more with the names, which changes nothing then.
    """
    if answer.sighting.ticket is None:
        return Settlement(base=base)
    return _settled(base, intent, answer, policy, is_found=is_found)


def restricted(base: Base, operation: RestrictComment) -> Base:
    """The base in which the copy counts as private."""

    def is_it(mapping: CommentMapping) -> bool:
        is_note = mapping.origin is operation.side
        return operation.comment_id == (mapping.comment_id if is_note else mapping.copy_id)

    return replace(
        base,
        comments=tuple(
            replace(mapping, audience=Audience.SHARED) if is_it(mapping) else mapping
            for mapping in base.comments
        ),
    )


def _created(base: Base, operation: CreateTicket, shown: Ticket | None, policy: LinkPolicy) -> Base:
    if base.status is not None:
        # Should the desk have made something else of our status, the next plan sees its change.
        seen = {**base.status.seen, operation.side: operation.status}
        status = accept(base.status, operation.side)
        base = replace(base, status=replace(status, seen=seen))
    own = frozenset(fold(tag) for tag in (policy.ball_tag, *policy.partner_tags))
    wanted = frozenset(fold(tag) for tag in operation.tags) - own
    kept = shared_spelling(shown.tags, policy) - wanted if shown is not None else frozenset()
    ball = replace(base.hand_off, is_tag_set=policy.ball_tag in operation.tags)
    return replace(
        base,
        hand_off=ball,
        tags=replace(
            base.tags,
            seen={**base.tags.seen, operation.side: wanted},
            kept={**base.tags.kept, operation.side: kept} if kept else base.tags.kept,
        ),
    )


class _Update:
    """One update, what was known when it left, and what its answer shows."""

    def __init__(
        self,
        intent: Intent,
        operation: UpdateTicket,
        answer: Answer,
        shown: Ticket,
        policy: LinkPolicy,
        *,
        is_found: bool,
    ) -> None:
        self._intent = intent
        self._operation = operation
        self._side = operation.side
        self._answer = answer
        self._shown = shown
        self._policy = policy
        self._is_found = is_found

    def settle(self, base: Base) -> Settlement:
        base, is_refused = self._tags(base)
        base, status_conflict = self._status(base)
        base, tags_conflict = self._overwritten_tags(base)
        base, transitions, stop = self._leave(base)
        if stop is None and is_refused:
            hint = (
                "The desk does not keep a tag that the link shares; take it out of `tags: share`."
            )
            stop = Stop(reason="tag_refused", hint=hint)
        conflicts = (status_conflict, tags_conflict)
        return Settlement(
            base=base,
            conflicts=tuple(conflict for conflict in conflicts if conflict is not None),
            transitions=transitions,
            stop=stop,
        )

    def _leave(self, base: Base) -> tuple[Base, tuple[Transition, ...], Stop | None]:
        view = self._operation.leave_view
        if view is None:
            return base, (), None
        if view in self._shown.views and not self._is_found:
            hint = "The platform accepted the hand-off and kept the ticket in the view; ask it why."
            return base, (), Stop(reason="hand_off_without_effect", hint=hint)
        if base.hand_off.state is not HandOffState.OFFERED:
            return base, (), None
        # Found in the view again, it was handed over and has been escalated anew since.
        turn = turns.confirm(base, self._policy)
        return turn.base, turn.transitions, None

    def _status(self, base: Base) -> tuple[Base, Conflict | None]:
        written = self._operation.status
        if base.status is None:
            return base, None
        if written is None:
            as_of = None if self._is_found else self._shown.fields_as_of
            return replace(base, status=write_beside(base.status, self._side, as_of)), None
        status = accept(base.status, self._side)
        status = replace(status, seen={**status.seen, self._side: written})
        base = replace(base, status=status)
        replaced = self._answer.replaced_status
        if replaced is None or replaced in (self._intent.status_before, written):
            return base, None
        theirs = self._policy.statuses.meaning(self._side, replaced)
        before = self._policy.statuses.meaning(self._side, self._intent.status_before or "")
        if theirs is None or theirs is before:
            return base, None
        return self._argue(base, status, written, replaced, theirs)

    def _argue(
        self, base: Base, status: StatusBase, written: str, replaced: str, theirs: Status
    ) -> tuple[Base, Conflict | None]:
        """Somebody changed it in the moment before our write: as if it had been seen in time."""
        side = self._side
        is_muted = base.hand_off.is_away and side is Side.PARTNER
        wishes = {side: theirs, side.other: status.agreed}
        winner = status.agreed if is_muted else resolve(wishes, self._policy.status_rule)
        if is_muted:
            base = turns.hold_open(base, replaced, self._policy)
        if theirs is status.agreed:
            return base, None
        conflict = Conflict(
            name="status",
            base=self._intent.status_before or "",
            platform=replaced if side is Side.PLATFORM else written,
            partner=replaced if side is Side.PARTNER else written,
            result=winner.value,
            rule="overwritten",
        )
        if is_muted:
            return base, conflict
        if winner is theirs:
            base = replace(base, status=replace(status, agreed=winner, by=side))
        loser = side.other if winner is theirs else side
        kept = self._policy.statuses.raw(loser, winner)
        about = f"op-{self._operation.op_id}"
        base = owe_conflict(base, conflict, loser, kept=kept, policy=self._policy, about=about)
        return base, conflict

    def _tags(self, base: Base) -> tuple[Base, bool]:
        """What the desk added by itself stays there; what it refuses to hold is told."""
        side, operation, policy = self._side, self._operation, self._policy
        tags = base.tags
        added = shared_spelling(operation.add_tags, policy)
        removed = {fold(tag) for tag in operation.remove_tags}
        after = shared_spelling(self._shown.tags, policy)
        before = self._tags_before()
        own = frozenset[str]()
        if before is not None and not self._is_found:
            own = after - (shared_spelling(before, policy) - removed) - added
        expected = (shared_spelling(self._intent.tags_before, policy) - removed) | added
        kept = (tags.kept.get(side, frozenset()) | own) & after
        tags = replace(tags, kept={s: k for s, k in {**tags.kept, side: kept}.items() if k})
        if operation.add_tags or operation.remove_tags:
            tags = replace(
                tags,
                seen={**tags.seen, side: expected - kept},
                owed_add=_without(tags.owed_add, side),
                owed_remove=_without(tags.owed_remove, side),
            )
        base = replace(base, tags=tags, hand_off=self._ball_tag(base.hand_off))
        return base, bool(added - after) and not self._is_found

    def _tags_before(self) -> frozenset[str] | None:
        """The desk's tags in the moment before our write; None when nobody can tell.

        Only a write of fields is refused when somebody was faster. A comment goes all the same, and
        what its answer shows may be that person's.
        """
        operation = self._operation
        if operation.status is None and not operation.add_tags and not operation.remove_tags:
            return self._answer.replaced_tags
        return self._intent.tags_before

    def _ball_tag(self, hand_off: HandOff) -> HandOff:
        tag, operation = self._policy.ball_tag, self._operation
        if self._side is Side.PARTNER and tag in operation.add_tags | operation.remove_tags:
            return replace(hand_off, is_tag_set=tag in operation.add_tags)
        return hand_off

    def _overwritten_tags(self, base: Base) -> tuple[Base, Conflict | None]:
        """A desk that replaces all tags at once may have undone a change of the moment before."""
        side, before, operation = self._side, self._intent.tags_before, self._operation
        replaced = self._answer.replaced_tags
        ours = operation.add_tags | operation.remove_tags
        if replaced is None or not ours:
            return base, None
        add, remove = replaced - before - ours, before - replaced - ours
        if not add and not remove:
            return base, None
        shown = " ".join(sorted(replaced))
        conflict = Conflict(
            name="tags",
            base=" ".join(sorted(before)),
            platform=shown if side is Side.PLATFORM else "",
            partner=shown if side is Side.PARTNER else "",
            result="merged",
            rule="overwritten",
        )
        return replace(base, tags=self._repaired(base.tags, add, remove)), conflict

    def _repaired(self, tags: TagBase, add: frozenset[str], remove: frozenset[str]) -> TagBase:
        """A shared tag is a person's change like any other; the rest is given back on its side."""
        side = self._side
        kept = tags.kept.get(side, frozenset())
        shared_add = shared_spelling(add, self._policy)
        shared_remove = shared_spelling(remove, self._policy) - kept
        return replace(
            tags,
            agreed=(tags.agreed - shared_remove) | shared_add,
            owed_add={**tags.owed_add, side: _others(add, shared_add)},
            owed_remove={**tags.owed_remove, side: _others(remove, shared_remove)},
        )


def _others(tags: frozenset[str], shared: frozenset[str]) -> frozenset[str]:
    return frozenset(tag for tag in tags if fold(tag) not in shared)


def _without(owed: Mapping[Side, frozenset[str]], side: Side) -> Mapping[Side, frozenset[str]]:
    return {s: tags for s, tags in owed.items() if s is not side}
