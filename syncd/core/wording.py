"""What every language must say: the kinds of notes that syncd writes, and the facts they carry.

The words themselves are in `notes_en`, `notes_ja` and `notes_de`; `notes` puts facts into them.
A note's text is plain: each line becomes a paragraph, the first one a heading. `$name` stands for a
fact; a line naming a fact that a note does not carry is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncd.core.attachment import AttachmentReason
from syncd.core.model import Role


class NoteKind(StrEnum):
    """Every note that syncd writes; the value is the key for own wording in the configuration."""

    #: The platform's metadata, as the first note on the partner's ticket.
    CONTEXT = "context"
    #: Heads the older history, which follows in the same comment.
    DIGEST = "digest"
    #: Goes with a hand-off whose own words stay with the partner; for the platform's staff.
    HAND_OFF_ORDERED = "hand_off_ordered"
    #: The platform confirmed the hand-off.
    HANDED = "handed"
    #: Escalated to the partner again.
    RESUMED = "resumed"
    #: Escalated to the partner again while it is closed: nobody there is asked to act.
    RESUMED_CLOSED = "resumed_closed"
    #: The platform's staff took the ticket without a hand-off.
    WITHDRAWN = "withdrawn"
    #: Escalated to another partner; this pair ends.
    ENDED = "ended"
    ALREADY_WITH_PLATFORM = "already_with_platform"
    NEAR_MISS = "near_miss"
    #: The phrase in a language that the link does not list.
    UNLISTED = "unlisted"
    #: A public comment that is nothing but the phrase: not relayed.
    PUBLIC_PHRASE_HELD = "public_phrase_held"
    PUBLIC_PHRASE_SENT = "public_phrase_sent"
    #: A comment with the phrase that became private only later.
    MADE_PRIVATE = "made_private"
    REFUSED_CLOSED = "refused_closed"
    HAND_OFF_LATE = "hand_off_late"
    #: A status changed while the ticket is with the platform, and was set back.
    STAY_OPEN = "stay_open"
    CLOSE_GUARD = "close_guard"
    #: A status was set before a message of the customer's had arrived; the ticket stays open.
    UNREAD_MESSAGE = "unread_message"
    STATUS_CONFLICT = "status_conflict"
    #: The other desk would not take a status; it waits.
    STATUS_REFUSED = "status_refused"
    #: A backfill met an old hand-off.
    HISTORIC = "historic"
    TAG_UNHELD = "tag_unheld"
    COMMENT_EDITED = "comment_edited"
    COMMENT_REDACTED = "comment_redacted"
    COMMENT_MADE_PRIVATE = "comment_made_private"
    #: The other copy was deleted or marked as spam; this one stays.
    TICKET_DELETED = "ticket_deleted"
    TICKET_RESTORED = "ticket_restored"
    #: The partner's ticket was merged, and the pair goes on in the target.
    TICKET_MERGED = "ticket_merged"
    MERGE_NOT_FOLLOWED = "merge_not_followed"
    #: Opens a follow-up that begins with no one's words.
    FOLLOW_UP = "follow_up"
    FOLLOW_UP_NOT_FOLLOWED = "follow_up_not_followed"


@dataclass(frozen=True, slots=True)
class FactNames:
    """The facts that a kind of note always carries, and those that it may carry."""

    required: frozenset[str]
    optional: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        return self.required | self.optional


def _facts(required: str = "", optional: str = "") -> FactNames:
    return FactNames(frozenset(required.split()), frozenset(optional.split()))


#: `at` is when the comment was written or the change made; `desk` names where that was; `url` leads
#: to the ticket there; `rows` is the table of metadata; `text` is quoted.
FACT_NAMES: Mapping[NoteKind, FactNames] = {
    NoteKind.CONTEXT: _facts("platform as_of", "rows url"),
    NoteKind.DIGEST: _facts("platform count", "url"),
    NoteKind.HAND_OFF_ORDERED: _facts("platform partner who at"),
    NoteKind.HANDED: _facts("platform who at", "count comment"),
    NoteKind.RESUMED: _facts("platform partner at", "who"),
    NoteKind.RESUMED_CLOSED: _facts("partner at"),
    NoteKind.WITHDRAWN: _facts("platform partner at", "who"),
    NoteKind.ENDED: _facts("platform at"),
    NoteKind.ALREADY_WITH_PLATFORM: _facts("platform since", "reader"),
    NoteKind.NEAR_MISS: _facts("platform phrase"),
    NoteKind.UNLISTED: _facts("platform phrase written"),
    NoteKind.PUBLIC_PHRASE_HELD: _facts("platform phrase"),
    NoteKind.PUBLIC_PHRASE_SENT: _facts("platform phrase"),
    NoteKind.MADE_PRIVATE: _facts("platform phrase"),
    NoteKind.REFUSED_CLOSED: _facts("platform", "url"),
    NoteKind.HAND_OFF_LATE: _facts("platform minutes", "at url"),
    NoteKind.STAY_OPEN: _facts("platform status"),
    NoteKind.CLOSE_GUARD: _facts(),
    NoteKind.UNREAD_MESSAGE: _facts("status kept"),
    NoteKind.STATUS_CONFLICT: _facts("platform platform_status partner partner_status kept"),
    NoteKind.STATUS_REFUSED: _facts("desk status", "fields url"),
    NoteKind.HISTORIC: _facts("platform phrase at", "owner"),
    NoteKind.TAG_UNHELD: _facts("tag desk"),
    NoteKind.COMMENT_EDITED: _facts("desk author at", "text url"),
    NoteKind.COMMENT_REDACTED: _facts("desk author at", "url"),
    NoteKind.COMMENT_MADE_PRIVATE: _facts("desk author at", "url"),
    NoteKind.TICKET_DELETED: _facts("desk"),
    NoteKind.TICKET_RESTORED: _facts("desk"),
    NoteKind.TICKET_MERGED: _facts("desk", "url"),
    NoteKind.MERGE_NOT_FOLLOWED: _facts("desk", "url"),
    NoteKind.FOLLOW_UP: _facts("platform status", "url"),
    NoteKind.FOLLOW_UP_NOT_FOLLOWED: _facts("desk", "url"),
}


#: The lines above a copy that a link may word for itself, and the facts that each must name: the
#: author and the time have no other place on a desk that needs the line.
LINE_FACTS: Mapping[str, FactNames] = {
    "attribution": _facts("author role at"),
    "attribution_without_role": _facts("author at"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """Everything that syncd can say in one language."""

    notes: Mapping[NoteKind, str]
    #: Roles without a word of their own here are not named.
    roles: Mapping[Role, str]
    nameless: str
    #: With `$author`, `$role`, `$at`.
    attribution: str
    #: With `$author`, `$at`.
    attribution_without_role: str
    #: With `$name`, `$size`, `$reason`.
    attachment: str
    #: With `$url`; follows `attachment` where there is one.
    attachment_link: str
    attachment_reasons: Mapping[AttachmentReason, str]
    #: With `$name`, `$size`; for a file that follows its comment.
    attachment_late: str
    #: With `$name`, `$at`: which comment it follows.
    attachment_of: str
    #: With `$number`, `$count`.
    part: str
    #: Who could read a comment, in a digest.
    public: str
    private: str
    #: Stands for the address of a link that gives access to whoever holds it.
    withheld_link: str
    decimal_mark: str
