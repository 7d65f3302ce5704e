"""The ticket event types that a webhook may subscribe to, and how many may stand beside them.

https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connectors.zendesk.sandbox.errors import invalid_field

PREFIX: Final = "zen:event-type:ticket."
#: Called by triggers and automations instead; never together with events.
BY_TRIGGER: Final = "conditional_ticket_events"
TICKET_EVENTS: Final = frozenset(
    """
    agent_assignment_changed attachment_linked_to_comment attachment_redacted_from_comment
    brand_changed comment_added comment_made_private comment_redacted created csat_received
    csat_requested custom_field_changed custom_status_changed description_changed email_ccs_changed
    external_id_changed followers_changed form_changed group_assignment_changed marked_as_spam
    merged next_sla_breach_changed ola_policy_changed organization_changed permanently_deleted
    priority_changed problem_link_changed requester_changed schedule_changed sla_policy_changed
    soft_deleted status_changed subject_changed submitter_changed tags_changed task_due_at_changed
    type_changed undeleted
    """.split()
)


def checked(subscriptions: Sequence[str], *, before: Sequence[str] | None = None) -> list[str]:
    """The subscriptions, if a webhook may have them. Raises Refusal.

    `before` is what it has: the connection method of a webhook is fixed after its creation.
    """
    is_by_trigger = BY_TRIGGER in subscriptions
    if is_by_trigger and len(subscriptions) > 1:
        raise invalid_field("subscriptions", "Subscriptions: events and triggers do not mix")
    if before is not None and is_by_trigger != (BY_TRIGGER in before):
        raise invalid_field("subscriptions", "Subscriptions: connection method cannot be changed")
    for name in subscriptions:
        kind = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and kind not in TICKET_EVENTS:
            raise invalid_field("subscriptions", f"Subscriptions: {name} is not valid")
    return list(subscriptions)
