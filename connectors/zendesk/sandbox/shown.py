"""The account as `/_sandbox/state` shows it: for tests and people to compare, no vendor's form."""

from __future__ import annotations

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.records import SYSTEM_ID, Audit, Comment, Json, Ticket
from connectors.zendesk.sandbox.wire import stamp


def shown_account(account: Account) -> Json:
    """Everything but files' contents."""
    return {
        "now": account.time.now(),
        "tickets": [shown_ticket(ticket, account) for ticket in account.tickets.values()],
        "users": [
            {
                "id": user.id,
                "name": user.name,
                "email": user.email,
                "role": user.role,
                "external_id": user.external_id,
                "tags": user.tags,
            }
            for user in account.users.values()
        ],
        "groups": {group.name: group.id for group in account.groups.values()},
        "brands": {brand.name: brand.id for brand in account.brands.values()},
        "notifications": [
            {
                "ticket_id": one.ticket_id,
                "user_id": one.user_id,
                "to": one.to,
                "reason": one.reason,
                "comment_id": one.comment_id,
                "at": stamp(one.at),
            }
            for one in account.notifications
        ],
    }


def shown_ticket(ticket: Ticket, account: Account) -> Json:
    """One ticket with its thread and its history of changes."""
    return {
        "id": ticket.id,
        **ticket.values,
        "status": ticket.status,
        "tags": ticket.tags,
        "custom_fields": {str(key): value for key, value in ticket.custom.items()},
        "submitter_id": ticket.submitter_id,
        "is_public": ticket.is_public,
        "via": ticket.via.as_json(),
        "created_at": stamp(ticket.created_at),
        "updated_at": stamp(ticket.updated_at),
        "generated_timestamp": ticket.generated_at,
        "followup_ids": ticket.followup_ids,
        "is_deleted": ticket.deleted_at is not None,
        "is_scrubbed": ticket.is_scrubbed,
        "comments": [_comment(comment, account) for comment in ticket.comments],
        "audits": [_audit(audit) for audit in ticket.audits],
    }


def _comment(comment: Comment, account: Account) -> Json:
    author = account.users.get(comment.author_id)
    return {
        "id": comment.id,
        "author": {
            "id": comment.author_id,
            "name": author.name if author else "System",
            "role": author.role if author else "system",
        },
        "public": comment.is_public,
        "html_body": comment.html_body,
        "body": comment.body,
        "created_at": stamp(comment.created_at),
        "audit_id": comment.audit_id,
        "via": comment.via.as_json(),
        "attachments": [
            {"id": one.id, "file_name": one.file_name, "size": len(one.content)}
            for one in comment.attachments
        ],
    }


def _audit(audit: Audit) -> Json:
    return {
        "id": audit.id,
        "author_id": audit.author_id,
        "is_system": audit.author_id == SYSTEM_ID,
        "created_at": stamp(audit.created_at),
        "channel": audit.via.channel,
        "metadata": audit.metadata["custom"],
        "changes": [event.data for event in audit.events if event.kind == "Change"],
    }
