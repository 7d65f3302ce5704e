"""What the account's own rules do: triggers after an update, mails, the closing automation.

Triggers write into the audit of the update that set them off, under the channel `rule`.
Every mail the desk would send is a `Notification`; nothing leaves the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.records import (
    Audit,
    Comment,
    Notification,
    Ticket,
    User,
    Via,
)
from connectors.zendesk.sandbox.settings import Trigger

if TYPE_CHECKING:
    from connectors.zendesk.sandbox.update import Updates

FIRST_TRIGGER_ID = 33144692260001


class BusinessRules:
    """The rules of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def run(self, ticket: Ticket, audit: Audit, updates: Updates, *, is_new: bool) -> bool:
        """Let every matching trigger act; True when one of them changed the ticket."""
        is_answered = self._is_public_answer(audit)
        has_changed = False
        for number, trigger in enumerate(self._account.settings.triggers):
            if (trigger.on == "create") != is_new or not trigger.is_active:
                continue
            if not set(trigger.not_with_tags).isdisjoint(ticket.tags):
                continue
            if trigger.is_after_public_answer and not is_answered:
                continue
            via = _rule(number, trigger.title)
            if changes := self._set(ticket, trigger):
                updates.record_changes(audit, changes, via)
                has_changed = True
            if trigger.is_mail:
                self._mail(ticket, audit, updates, trigger, via)
        return has_changed

    def close_solved(self, updates: Updates) -> None:
        """The automation: solved tickets close after a while, under an audit of the system."""
        settings, time = self._account.settings, self._account.time
        if settings.close_solved_after_seconds is None:
            return
        before = time.now() - time.shrunk(settings.close_solved_after_seconds)
        via = _rule(len(settings.triggers), "Close solved tickets")
        for ticket in list(self._account.live_tickets()):
            if ticket.status != "solved" or (ticket.solved_at or 0) > before:
                continue
            audit = updates.open_audit(ticket, None, via)
            updates.change(ticket, audit, "status", "closed")
            updates.stamp(ticket)
            updates.kept(ticket, audit)

    def _set(self, ticket: Ticket, trigger: Trigger) -> list[tuple[str, Any, Any]]:
        fields = dict(trigger.set_fields)
        options = {
            option
            for custom in self._account.settings.custom_fields
            if custom.field_id in fields and custom.kind == "tagger"
            for option in custom.options
        }
        before = ticket.tags
        changes: list[tuple[str, Any, Any]] = []
        added = set(trigger.add_tags)
        for field_id, value in fields.items():
            # A trigger fills in what is empty; it never takes a person's choice away.
            if ticket.custom.get(field_id) is None:
                changes.append((str(field_id), None, value))
                ticket.custom[field_id] = value
                added |= {value} & options
        if trigger.set_status not in (None, ticket.status):
            changes.append(("status", ticket.status, trigger.set_status))
            ticket.values["status"] = trigger.set_status
        after = sorted({*before, *added} - set(trigger.remove_tags))
        if after != before:
            changes.append(("tags", before, after))
            ticket.values["tags"] = after
        return changes

    def _mail(
        self, ticket: Ticket, audit: Audit, updates: Updates, trigger: Trigger, via: Via
    ) -> None:
        comment = _comment(audit)
        if comment is None or not comment.is_public:
            return
        receivers = [
            user
            for user_id in (ticket.values["requester_id"], *ticket.values["email_cc_ids"])
            if (user := self._account.users.get(user_id)) is not None
            and self._is_reachable(user, comment)
        ]
        for user in receivers:
            self._account.notifications.append(
                Notification(
                    ticket_id=ticket.id,
                    user_id=user.id,
                    to=user.email or "",
                    reason=trigger.title,
                    comment_id=comment.id,
                    at=audit.created_at,
                )
            )
        if receivers:
            updates.add_event(
                audit,
                "Notification",
                {
                    "recipients": [user.id for user in receivers],
                    "subject": f"[{self._account.settings.subdomain}] Re: {{{{ticket.title}}}}",
                    "body": "{{ticket.comments_formatted}}",
                },
                via,
            )

    def _is_public_answer(self, audit: Audit) -> bool:
        comment = _comment(audit)
        return (
            comment is not None
            and comment.is_public
            and self._account.users[comment.author_id].is_agent
        )

    @staticmethod
    def _is_reachable(user: User, comment: Comment) -> bool:
        return user.email is not None and not user.is_suspended and user.id != comment.author_id


def _comment(audit: Audit) -> Comment | None:
    return next((event.comment for event in audit.events if event.comment is not None), None)


def _rule(number: int, title: str) -> Via:
    rule_id = FIRST_TRIGGER_ID + number
    return Via(channel="rule", rel="trigger", origin=(("id", rule_id), ("title", title)))
