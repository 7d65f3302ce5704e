"""What an answered write changes in the base.

The base takes over what was agreed and written, never what a later look shows: a person's edit made while
the write was under way stays a change that the next plan sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from syncd.core import turns
from syncd.core.model import (
    Audience,
    Base,
    CommentId,
    CommentMapping,
    Conflict,
    HandOffState,
    Known,
    Side,
    StatusBase,
    Ticket,
    Transition,
)
from syncd.core.operations import (
    Answer,
    CreateTicket,
    Draft,
    Intent,
    RestrictComment,
    UpdateTicket,
)
from syncd.core.plan import Stop
from syncd.core.policy import LinkPolicy
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


def settle(base: Base, intent: Intent, answer: Answer, *, policy: LinkPolicy) -> Settlement:
    """Take the answer to one write into the base."""
    operation = intent.op
    if isinstance(operation, RestrictComment):
        return Settlement(base=_restricted(base, operation))
    drafts = _drafts(operation)
    if len(answer.comment_ids) != len(drafts):
        hint = "The desk accepted a comment and did not name it; compare both tickets."
        return Settlement(base=base, stop=Stop(reason="comment_without_id", hint=hint))
    base = _map_drafts(base, operation.side, drafts, answer.comment_ids)
    is_leak = any(
        stored is Audience.PUBLIC and draft.audience is not Audience.PUBLIC
        for draft, stored in zip(drafts, answer.stored, strict=False)
    )
    shown = answer.sighting.ticket
    if shown is None:
        return Settlement(base=base, is_leak=is_leak)
    if isinstance(operation, CreateTicket):
        return Settlement(base=_created(base, operation, shown, policy), is_leak=is_leak)
    return replace(
        _updated(base, intent, operation, answer, shown=shown, policy=policy), is_leak=is_leak
    )


def _drafts(operation: CreateTicket | UpdateTicket) -> tuple[Draft, ...]:
    if isinstance(operation, CreateTicket):
        return operation.comments
    return (operation.comment,) if operation.comment is not None else ()


def _map_drafts(
    base: Base, side: Side, drafts: tuple[Draft, ...], comment_ids: tuple[CommentId, ...]
) -> Base:
    mappings: list[CommentMapping] = []
    for draft, comment_id in zip(drafts, comment_ids, strict=True):
        mappings.extend(_mappings(side, draft, comment_id))
    written = {draft.note_key for draft in drafts if draft.note_key is not None}
    owed = tuple(note for note in base.owed if note.key not in written)
    return replace(base, comments=(*base.comments, *mappings), owed=owed)


def _mappings(side: Side, draft: Draft, comment_id: CommentId) -> list[CommentMapping]:
    if draft.source_id is not None:
        return [
            CommentMapping(
                kind=Known.COPIED,
                origin=side.other,
                comment_id=draft.source_id,
                copy_id=comment_id,
                audience=draft.audience,
            )
        ]
    note = CommentMapping(
        kind=Known.NOTE,
        origin=side,
        comment_id=comment_id,
        audience=draft.audience,
        note_key=draft.note_key,
    )
    digested = [
        CommentMapping(
            kind=Known.HISTORIC, origin=side.other, comment_id=source, audience=Audience.SHARED
        )
        for source in draft.digested_ids
    ]
    return [note, *digested]


def _restricted(base: Base, operation: RestrictComment) -> Base:
    return replace(
        base,
        comments=tuple(
            replace(mapping, audience=Audience.SHARED)
            if mapping.copy_id == operation.comment_id and mapping.origin is operation.side.other
            else mapping
            for mapping in base.comments
        ),
    )


def _created(base: Base, operation: CreateTicket, shown: Ticket, policy: LinkPolicy) -> Base:
    if base.status is not None:
        # Should the desk have made something else of our status, the next plan sees it as its change.
        seen = {**base.status.seen, operation.side: operation.status}
        base = replace(base, status=replace(base.status, seen=seen))
    own = frozenset(fold(tag) for tag in policy.partner_tags)
    wanted = frozenset(fold(tag) for tag in operation.tags) - own
    kept = shared_spelling(shown.tags, policy) - wanted
    return replace(
        base,
        tags=replace(
            base.tags,
            seen={**base.tags.seen, operation.side: wanted},
            kept={**base.tags.kept, operation.side: kept} if kept else base.tags.kept,
        ),
    )


def _updated(
    base: Base,
    intent: Intent,
    operation: UpdateTicket,
    answer: Answer,
    *,
    shown: Ticket,
    policy: LinkPolicy,
) -> Settlement:
    conflicts: list[Conflict] = []
    transitions: list[Transition] = []
    base, refused = _settle_tags(base, intent, operation, shown, policy)
    if operation.status is not None and base.status is not None:
        base, conflict = _settle_status(
            base, base.status, intent, operation, answer=answer, policy=policy
        )
        conflicts += [conflict] if conflict else []
    base, repair = _settle_overwritten_tags(base, intent, operation, answer)
    conflicts += [repair] if repair else []
    has_left = operation.leave_view is not None and operation.leave_view not in shown.views
    if has_left and base.hand_off.state is HandOffState.OFFERED:
        turn = turns.confirm(base, policy)
        base, transitions = turn.base, list(turn.transitions)
    stop = None
    if operation.leave_view is not None and operation.leave_view in shown.views:
        hint = "The platform accepted the hand-off and kept the ticket in the view; ask its staff."
        stop = Stop(reason="hand_off_without_effect", hint=hint)
    elif refused:
        hint = "The desk does not keep a tag that the link shares; take it out of `tags: share`."
        stop = Stop(reason="tag_refused", hint=hint)
    return Settlement(
        base=base, conflicts=tuple(conflicts), transitions=tuple(transitions), stop=stop
    )


def _settle_status(
    base: Base,
    status: StatusBase,
    intent: Intent,
    operation: UpdateTicket,
    *,
    answer: Answer,
    policy: LinkPolicy,
) -> tuple[Base, Conflict | None]:
    side = operation.side
    written = operation.status or ""
    after = replace(status, seen={**status.seen, side: written})
    replaced = answer.replaced_status
    theirs = policy.statuses.meaning(side, replaced) if replaced is not None else None
    if replaced in (None, intent.status_before, written) or theirs is None:
        return replace(base, status=after), None
    # Somebody changed it in the moment before our write: argue it out as if it had been seen in time.
    winner = resolve({side: theirs, side.other: status.agreed}, policy.status_rule)
    conflict = Conflict(
        name="status",
        base=intent.status_before or "",
        platform=replaced or "" if side is Side.PLATFORM else written,
        partner=replaced or "" if side is Side.PARTNER else written,
        result=winner.value,
        rule="overwritten",
    )
    return replace(base, status=replace(after, agreed=winner)), conflict


def _settle_tags(
    base: Base, intent: Intent, operation: UpdateTicket, shown: Ticket, policy: LinkPolicy
) -> tuple[Base, bool]:
    """What the desk added by itself stays there; what it refuses to hold is told."""
    side = operation.side
    tags = base.tags
    before = shared_spelling(intent.tags_before, policy)
    removed = {fold(tag) for tag in operation.remove_tags}
    expected = (before - removed) | shared_spelling(operation.add_tags, policy)
    after = shared_spelling(shown.tags, policy)
    kept = (tags.kept.get(side, frozenset()) | (after - expected)) & after
    has_delta = bool(operation.add_tags or operation.remove_tags)
    seen = expected - kept if has_delta else tags.seen.get(side, frozenset())
    tags = replace(
        tags,
        seen={**tags.seen, side: seen},
        kept={s: k for s, k in {**tags.kept, side: kept}.items() if k},
        owed_add=_without(tags.owed_add, side) if has_delta else tags.owed_add,
        owed_remove=_without(tags.owed_remove, side) if has_delta else tags.owed_remove,
    )
    hand_off = base.hand_off
    if side is Side.PARTNER and policy.ball_tag in operation.add_tags | operation.remove_tags:
        hand_off = replace(hand_off, is_tag_set=policy.ball_tag in operation.add_tags)
    is_refused = bool(shared_spelling(operation.add_tags, policy) - after)
    return replace(base, tags=tags, hand_off=hand_off), is_refused


def _without(owed: Mapping[Side, frozenset[str]], side: Side) -> Mapping[Side, frozenset[str]]:
    return {s: tags for s, tags in owed.items() if s is not side}


def _settle_overwritten_tags(
    base: Base, intent: Intent, operation: UpdateTicket, answer: Answer
) -> tuple[Base, Conflict | None]:
    """A desk that replaces all tags at once may have undone a change made in the moment before."""
    replaced = answer.replaced_tags
    if replaced is None or replaced == intent.tags_before:
        return base, None
    side = operation.side
    add = replaced - intent.tags_before - operation.remove_tags
    remove = intent.tags_before - replaced - operation.add_tags
    if not add and not remove:
        return base, None
    tags = base.tags
    conflict = Conflict(
        name="tags",
        base=" ".join(sorted(intent.tags_before)),
        platform=" ".join(sorted(replaced)) if side is Side.PLATFORM else "",
        partner=" ".join(sorted(replaced)) if side is Side.PARTNER else "",
        result="merged",
        rule="overwritten",
    )
    tags = replace(
        tags,
        owed_add={**tags.owed_add, side: add},
        owed_remove={**tags.owed_remove, side: remove},
    )
    return replace(base, tags=tags), conflict
