"""The hand-off: what a partner's comment with the phrase leads to, and what the platform's views
say back.

The partner offers, the platform confirms by taking the ticket out of the partner's view, and only
then it is handed. Rows are those of the case table in docs/hand-off.md; each has its test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from syncd.core import handoff
from syncd.core.agreed import Base, HandOff, HandOffState, Known
from syncd.core.handoff import Verdict
from syncd.core.model import (
    Audience,
    Comment,
    CommentId,
    Side,
    Snapshot,
    Status,
    Ticket,
    Transition,
)
from syncd.core.notes import Note, NoteKind, note
from syncd.core.owing import note_key, owe, was_noted
from syncd.core.policy import LinkPolicy
from syncd.core.thread import is_read_at_home, note_keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The base after one look, and what it adds to the timeline."""

    base: Base
    transitions: tuple[Transition, ...] = ()
    #: The comment waits for a person, and those behind it with it.
    is_held: bool = False


def follow_views(base: Base, platform: Snapshot, policy: LinkPolicy) -> Turn:
    """What the platform's views say: handed, taken back, given again, or to another partner."""
    state = base.hand_off.state
    views = platform.ticket.views
    at = platform.ticket.updated_at
    if policy.view in views:
        is_here = state in (HandOffState.NONE, HandOffState.OFFERED)
        return Turn(base=base) if is_here else _resume(base, policy, at)
    if state is HandOffState.ENDED:
        return Turn(base=base)
    confirmed = confirm(base, policy) if state is HandOffState.OFFERED else Turn(base=base)
    if views & policy.other_views:
        ended = _end(confirmed.base, policy, at)
        return replace(ended, transitions=(*confirmed.transitions, *ended.transitions))
    return _withdraw(base, policy, at) if state is HandOffState.NONE else confirmed


def confirm(base: Base, policy: LinkPolicy) -> Turn:
    """The platform took the ticket: tell both desks, and only now."""
    before = base.hand_off
    base = replace(base, hand_off=replace(before, state=HandOffState.HANDED, is_late=False))
    handed = note(
        NoteKind.HANDED,
        platform=policy.platform_name,
        who=before.by or policy.partner_name,
        at=before.offered_at,
        count=sum(1 for m in base.comments if m.kind is Known.COPIED),
        comment=before.comment_id,
    )
    for side in Side:
        base = owe(base, handed, side, _about(before))
    return Turn(base=base, transitions=(_moved(before, HandOffState.HANDED),))


def has_left_unseen(before: Base, after: Base) -> bool:
    """Whether what goes with the offer was just found: the leave went in the same write."""
    offer = before.hand_off.comment_id
    if before.hand_off.state is not HandOffState.OFFERED or offer is None:
        return False
    return _is_carried(after, offer) and not _is_carried(before, offer)


def _is_carried(base: Base, comment_id: CommentId) -> bool:
    """Whether the platform has the order's copy, or the note that stands for it."""
    return order_key(comment_id) in note_keys(base) or any(
        m.kind is Known.COPIED and m.origin is Side.PARTNER and m.comment_id == comment_id
        for m in base.comments
    )


def order_key(comment_id: CommentId) -> str:
    """The note that stands on the platform's desk for an order whose words stay at home."""
    return note_key(NoteKind.HAND_OFF_ORDERED, Side.PLATFORM, comment_id)


def _about(hand_off: HandOff) -> str:
    return hand_off.comment_id or f"turn-{hand_off.turn}"


def _resume(base: Base, policy: LinkPolicy, at: datetime) -> Turn:
    before = base.hand_off
    after = HandOff(turn=before.turn + 1, is_tag_set=before.is_tag_set)
    base = replace(base, hand_off=after)
    resumed = note(
        NoteKind.RESUMED, platform=policy.platform_name, partner=policy.partner_name, at=at
    )
    base = owe(base, resumed, Side.PARTNER, f"turn-{after.turn}")
    if base.status is not None:
        # The partner's say counts again from now; what it showed meanwhile is not a change.
        base = replace(base, status=replace(base.status, is_let_be=False))
    return Turn(base=base, transitions=(_moved(before, HandOffState.NONE),))


def tell_closed(before: Base, base: Base, policy: LinkPolicy, *, at: datetime) -> Base:
    """Staff who just gave a closed ticket back are told that nobody is asked to act, once.

    A note on a solved ticket is in no queue, and one that is closed for good takes none.
    """
    after = base.hand_off
    is_given_back = after.state is HandOffState.NONE and after.turn > before.hand_off.turn
    if not is_given_back or base.status is None or base.status.agreed is not Status.CLOSED:
        return base
    told = note(NoteKind.RESUMED_CLOSED, partner=policy.partner_name, at=at)
    return owe(base, told, Side.PLATFORM, f"turn-{after.turn}")


def _withdraw(base: Base, policy: LinkPolicy, at: datetime) -> Turn:
    before = base.hand_off
    after = HandOff(
        state=HandOffState.WITHDRAWN, turn=before.turn + 1, is_tag_set=before.is_tag_set
    )
    base = replace(base, hand_off=after)
    withdrawn = note(
        NoteKind.WITHDRAWN, platform=policy.platform_name, partner=policy.partner_name, at=at
    )
    base = owe(base, withdrawn, Side.PARTNER, f"turn-{after.turn}")
    return Turn(base=base, transitions=(_moved(before, HandOffState.WITHDRAWN),))


def _end(base: Base, policy: LinkPolicy, at: datetime) -> Turn:
    before = base.hand_off
    base = replace(base, hand_off=replace(before, state=HandOffState.ENDED))
    ended = note(NoteKind.ENDED, platform=policy.platform_name, at=at)
    base = owe(base, ended, Side.PARTNER, f"turn-{before.turn}")
    return Turn(base=base, transitions=(_moved(before, HandOffState.ENDED),))


def _moved(before: HandOff, after: HandOffState) -> Transition:
    return Transition(name="hand_off", side=None, before=before.state.value, after=after.value)


def be_late(base: Base, policy: LinkPolicy) -> Base:
    """The platform has not confirmed in time: say so loudly, once (row 39)."""
    hand_off = base.hand_off
    if hand_off.state is not HandOffState.OFFERED or hand_off.is_late:
        return base
    late = note(
        NoteKind.HAND_OFF_LATE,
        platform=policy.platform_name,
        minutes=policy.confirm_minutes,
        at=hand_off.offered_at,
    )
    base = replace(base, hand_off=replace(hand_off, is_late=True))
    return owe(base, late, Side.PARTNER, _about(hand_off))


def was_obeyed(base: Base, comment: Comment) -> bool:
    """Whether the comment is the present offer, or an earlier one that the platform confirmed.

    It stays unmapped until its copy is written, and must not hand over once more meanwhile.
    """
    about = comment.comment_id
    return base.hand_off.comment_id == about or was_noted(
        base, NoteKind.HANDED, Side.PARTNER, about
    )


def hint_made_private(base: Base, comment: Comment, policy: LinkPolicy) -> Base:
    """Row 21 for a comment that travelled while it was public: only writing it privately counts."""
    if not was_noted(base, NoteKind.PUBLIC_PHRASE_SENT, Side.PARTNER, comment.comment_id):
        return base
    hint = _phrase_note(NoteKind.MADE_PRIVATE, None, policy)
    return owe(base, hint, Side.PARTNER, comment.comment_id)


def read_partner_comment(
    base: Base,
    comment: Comment,
    *,
    policy: LinkPolicy,
    platform: Ticket,
    is_historic: bool,
) -> Turn:
    """What a new comment by the partner means for the hand-off; whether it travels is not said."""
    if comment.html is None or not policy.hand_off_phrases:
        return Turn(base=base)
    reading = handoff.read(comment.html, policy.hand_off_phrases)
    if reading.verdict is Verdict.NOTHING:
        return Turn(base=base)
    if not policy.may_hand_off(comment):
        # Rows 24, 27: a customer, a light agent or an automation must not steer. Counted, not
        # answered.
        return Turn(base=base, transitions=(_ignored(comment),))
    if comment.audience is Audience.PUBLIC:
        return _read_public(base, comment, reading, policy)
    if reading.verdict is not Verdict.HAND_OFF:
        return Turn(base=_hint(base, comment, reading, policy))
    return _read_order(base, comment, policy=policy, platform=platform, is_historic=is_historic)


def _ignored(comment: Comment) -> Transition:
    return Transition(
        name="hand_off.ignored",
        side=Side.PARTNER,
        before="",
        after=comment.comment_id,
        actor=comment.author.role,
        at=comment.created_at,
    )


def _phrase_note(kind: NoteKind, phrase: str | None, policy: LinkPolicy) -> Note:
    shown = phrase or policy.hand_off_phrases[0]
    return note(kind, platform=policy.platform_name, phrase=shown)


def _read_public(
    base: Base, comment: Comment, reading: handoff.Reading, policy: LinkPolicy
) -> Turn:
    if reading.verdict is not Verdict.HAND_OFF or comment.comment_id in base.released:
        return Turn(base=base)
    if not reading.is_alone:
        # Row 20: the text goes to the customer as written; the line alone does not hand over.
        sent = _phrase_note(NoteKind.PUBLIC_PHRASE_SENT, reading.phrase, policy)
        return Turn(base=owe(base, sent, Side.PARTNER, comment.comment_id))
    held = _phrase_note(NoteKind.PUBLIC_PHRASE_HELD, reading.phrase, policy)
    return Turn(base=owe(base, held, Side.PARTNER, comment.comment_id), is_held=True)


def _hint(base: Base, comment: Comment, reading: handoff.Reading, policy: LinkPolicy) -> Base:
    if base.hand_off.is_away:
        # The ticket is gone already: "not handed back" would be untrue.
        return base
    if reading.verdict is Verdict.UNLISTED:
        hint = note(
            NoteKind.UNLISTED,
            platform=policy.platform_name,
            phrase=policy.hand_off_phrases[0],
            written=reading.phrase,
        )
    else:
        hint = _phrase_note(NoteKind.NEAR_MISS, reading.phrase, policy)
    return owe(base, hint, Side.PARTNER, comment.comment_id)


def _read_order(
    base: Base,
    comment: Comment,
    *,
    policy: LinkPolicy,
    platform: Ticket,
    is_historic: bool,
) -> Turn:
    about = comment.comment_id
    refusal = _refusal(base, comment, policy, platform, is_historic=is_historic)
    if refusal is not None:
        return Turn(base=owe(base, refusal, Side.PARTNER, about))
    before = base.hand_off
    offered = HandOff(
        state=HandOffState.OFFERED,
        comment_id=about,
        by=comment.author.name,
        offered_at=comment.created_at,
        is_tag_set=before.is_tag_set,
        turn=before.turn + 1,
    )
    if is_read_at_home(comment, Side.PARTNER, policy):
        ordered = note(
            NoteKind.HAND_OFF_ORDERED,
            platform=policy.platform_name,
            partner=policy.partner_name,
            who=comment.author.name or policy.partner_name,
            at=comment.created_at,
        )
        base = owe(base, ordered, Side.PLATFORM, about)
    moved = replace(
        _moved(before, HandOffState.OFFERED),
        side=Side.PARTNER,
        actor=comment.author.role,
        at=comment.created_at,
    )
    return Turn(base=replace(base, hand_off=offered), transitions=(moved,))


def _refusal(
    base: Base, comment: Comment, policy: LinkPolicy, platform: Ticket, *, is_historic: bool
) -> Note | None:
    """The note that says why a well-formed order is not carried out; None when it is.

    What was refused stays refused, should the comment be read again before its copy is written.
    """
    name = policy.platform_name
    said = _said(base, comment)
    if is_historic or NoteKind.HISTORIC in said:
        phrase = policy.hand_off_phrases[0]
        owner = name if base.hand_off.is_away else policy.partner_name
        return note(
            NoteKind.HISTORIC, platform=name, phrase=phrase, at=comment.created_at, owner=owner
        )
    if comment.was_public or said & {NoteKind.PUBLIC_PHRASE_HELD, NoteKind.PUBLIC_PHRASE_SENT}:
        # Row 21: only writing it privately counts; making it private later does not.
        return _phrase_note(NoteKind.MADE_PRIVATE, None, policy)
    if base.hand_off.is_away or NoteKind.ALREADY_WITH_PLATFORM in said:
        since = base.hand_off.offered_at or platform.updated_at
        reader = None if is_read_at_home(comment, Side.PARTNER, policy) else name
        return note(NoteKind.ALREADY_WITH_PLATFORM, platform=name, since=since, reader=reader)
    is_closed = policy.statuses.meaning(Side.PLATFORM, platform.status) is Status.CLOSED
    if is_closed or NoteKind.REFUSED_CLOSED in said:
        return note(NoteKind.REFUSED_CLOSED, platform=name, url=platform.url)
    return None


def _said(base: Base, comment: Comment) -> set[NoteKind]:
    """What the partner was told about this comment before."""
    return {
        kind
        for kind in (
            NoteKind.HISTORIC,
            NoteKind.PUBLIC_PHRASE_HELD,
            NoteKind.PUBLIC_PHRASE_SENT,
            NoteKind.ALREADY_WITH_PLATFORM,
            NoteKind.REFUSED_CLOSED,
        )
        if was_noted(base, kind, Side.PARTNER, comment.comment_id)
    }


def wants_ball_tag(base: Base) -> bool:
    """Whether the partner's desk must show that the ball is with the platform."""
    return base.hand_off.state in (HandOffState.HANDED, HandOffState.WITHDRAWN)


def hold_open(base: Base, shown: str, policy: LinkPolicy) -> Base:
    """The partner set `shown` on a ticket that is or goes with the platform: back, once.

    A second change of mind is left alone until the platform moves the ticket or gives it back.
    """
    status = base.status
    hand_off = base.hand_off
    if status is None or policy.statuses.meaning(Side.PARTNER, shown) is status.agreed:
        return base
    if hand_off.state is HandOffState.ENDED:
        # Told that it may close its copy, the partner does.
        return base
    if hand_off.is_reopened:
        return replace(base, status=replace(status, is_let_be=True))
    base = replace(base, hand_off=replace(hand_off, is_reopened=True))
    stay = note(NoteKind.STAY_OPEN, platform=policy.platform_name, status=shown)
    return owe(base, stay, Side.PARTNER, f"turn-{hand_off.turn}")
