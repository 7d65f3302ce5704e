"""Zendesk's ticket event types, and what each proves about a ticket.

Every type of the vendor's list is here, so that one that is not is new. All bodies carry the
ticket's fields; a type is wanted only where it tells of something that a pair could follow.
https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from syncd.core.model import End

PREFIX = "zen:event-type:ticket."


class Proof(StrEnum):
    """What a webhook of a type says beyond that the ticket exists."""

    #: The ticket's fields as they were then.
    FIELDS = "fields"
    #: The fields, and that there is a comment of that id.
    COMMENT = "comment"
    #: The fields, and that a comment is not what it was: its thread has to be read again.
    MENDED = "mended"
    #: The fields, and how the ticket ended.
    END = "end"
    #: Nothing that a pair could follow.
    NOTHING = "nothing"


EVENT_TYPES: Mapping[str, Proof] = {
    "agent_assignment_changed": Proof.NOTHING,
    "attachment_linked_to_comment": Proof.COMMENT,
    "attachment_redacted_from_comment": Proof.MENDED,
    "brand_changed": Proof.NOTHING,
    "comment_added": Proof.COMMENT,
    "comment_made_private": Proof.MENDED,
    "comment_redacted": Proof.MENDED,
    "created": Proof.FIELDS,
    "csat_received": Proof.NOTHING,
    "csat_requested": Proof.NOTHING,
    # An option of a drop-down is a tag as well, which stays on its side.
    "custom_field_changed": Proof.NOTHING,
    # A named one is the ticket's status, and one of another category moves it.
    "custom_status_changed": Proof.FIELDS,
    # The first comment's text, which only a redaction changes; that has a type of its own.
    "description_changed": Proof.NOTHING,
    "email_ccs_changed": Proof.NOTHING,
    "external_id_changed": Proof.NOTHING,
    "followers_changed": Proof.NOTHING,
    "form_changed": Proof.NOTHING,
    "group_assignment_changed": Proof.NOTHING,
    "marked_as_spam": Proof.END,
    "merged": Proof.END,
    "next_sla_breach_changed": Proof.NOTHING,
    "ola_policy_changed": Proof.NOTHING,
    "organization_changed": Proof.NOTHING,
    "permanently_deleted": Proof.END,
    "priority_changed": Proof.NOTHING,
    "problem_link_changed": Proof.NOTHING,
    # A merge is followed only where the requester stays the same.
    "requester_changed": Proof.FIELDS,
    "schedule_changed": Proof.NOTHING,
    "sla_policy_changed": Proof.NOTHING,
    "soft_deleted": Proof.END,
    "status_changed": Proof.FIELDS,
    "subject_changed": Proof.FIELDS,
    "submitter_changed": Proof.NOTHING,
    "tags_changed": Proof.FIELDS,
    "task_due_at_changed": Proof.NOTHING,
    "type_changed": Proof.NOTHING,
    # The status of the fields tells that the ticket is back.
    "undeleted": Proof.FIELDS,
}

#: How a ticket ended, by the type that says so.
ENDS: Mapping[str, End] = {
    "marked_as_spam": End.SPAM,
    "merged": End.MERGED,
    "permanently_deleted": End.DELETED,
    "soft_deleted": End.DELETED,
}

#: What a subscription asks for: nothing that would be thrown away.
SUBSCRIPTIONS: frozenset[str] = frozenset(
    PREFIX + name for name, proof in EVENT_TYPES.items() if proof is not Proof.NOTHING
)
