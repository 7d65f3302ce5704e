"""The vendor's JSON for what the account holds, key by key as recordings and the OpenAPI file show.

Where the two differ the recordings win, because the desk in miniature stands for the real one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.records import (
    Attachment,
    Audit,
    Comment,
    Event,
    Job,
    Json,
    Named,
    Ticket,
    User,
)


def stamp(second: int | None) -> str | None:
    """A whole second as the desk writes it."""
    return None if second is None else datetime.fromtimestamp(second, UTC).strftime(STAMP)


STAMP = "%Y-%m-%dT%H:%M:%SZ"
LIGHT_AGENT_ROLE = 33144692270001


def ticket_json(
    ticket: Ticket, account: Account, base_url: str, *, has_fields: bool = True
) -> Json:
    """A ticket in an answer or a listing."""
    values = dict(ticket.values)
    customs: list[Json] = [{"id": key, "value": value} for key, value in ticket.custom.items()]
    subject = "SCRUBBED" if ticket.is_scrubbed else values["subject"]
    first = ticket.comments[0].body if ticket.comments else ""
    return {
        "url": f"{base_url}/api/v2/tickets/{ticket.id}.json",
        "id": ticket.id,
        "external_id": values["external_id"],
        "via": ticket.via.as_json(),
        "created_at": stamp(ticket.created_at),
        "updated_at": stamp(ticket.updated_at),
        "type": values["type"],
        "subject": subject,
        "raw_subject": subject,
        "description": "X" if ticket.is_scrubbed else first,
        "priority": values["priority"],
        "status": ticket.status,
        "recipient": values["recipient"],
        "requester_id": values["requester_id"],
        "submitter_id": ticket.submitter_id,
        "assignee_id": values["assignee_id"],
        "organization_id": values["organization_id"],
        "group_id": values["group_id"],
        "collaborator_ids": values["collaborator_ids"],
        "follower_ids": values["follower_ids"],
        "email_cc_ids": values["email_cc_ids"],
        "forum_topic_id": None,
        "problem_id": values["problem_id"],
        "has_incidents": False,
        "is_public": ticket.is_public,
        "due_at": values["due_at"],
        "tags": ticket.tags,
        "custom_fields": customs,
        "satisfaction_rating": {"score": "unoffered"},
        "sharing_agreement_ids": values["sharing_agreement_ids"],
        "custom_status_id": values["custom_status_id"],
        "encoded_id": f"{ticket.id:06X}-{account.settings.account_id % 9999:04d}",
        **({"fields": customs} if has_fields else {}),
        "followup_ids": ticket.followup_ids,
        "ticket_form_id": values["ticket_form_id"],
        "brand_id": values["brand_id"],
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }


def comment_json(comment: Comment, ticket: Ticket, account: Account, base_url: str) -> Json:
    """A comment in the comment listing."""
    return {
        **_comment_text(comment, base_url),
        "id": comment.id,
        "type": "Comment",
        "via": comment.via.as_json(),
        "created_at": stamp(comment.created_at),
        "metadata": metadata_json(_audit_of(comment, ticket), account),
    }


def comment_child_json(comment: Comment, base_url: str) -> Json:
    """A comment in the events feed, with the sideload."""
    return {
        **_comment_text(comment, base_url),
        "id": comment.id,
        "via": comment.via.as_json(),
        "via_reference_id": None,
        "type": "Comment",
        "created_at": stamp(comment.created_at),
        "event_type": "Comment",
    }


def audit_json(audit: Audit, account: Account, base_url: str) -> Json:
    """An audit, in an answer or in the audits listing."""
    return {
        "id": audit.id,
        "ticket_id": audit.ticket_id,
        "created_at": stamp(audit.created_at),
        "author_id": audit.author_id,
        "metadata": metadata_json(audit, account),
        "events": [event_json(event, base_url) for event in audit.events],
        "via": audit.via.as_json(),
    }


def event_json(event: Event, base_url: str) -> Json:
    """One line of an audit."""
    via = {"via": event.via.as_json()} if event.via is not None else {}
    if event.comment is not None:
        text = _comment_text(event.comment, base_url)
        return {"id": event.id, "type": "Comment", **text, **via}
    return {"id": event.id, "type": event.kind, **event.data, **via}


def metadata_json(audit: Audit | None, account: Account) -> Json:
    """An audit's metadata; what was written with it shows only where the account lets it."""
    if audit is None or not account.settings.metadata_readable:
        return {"system": {}, "custom": {}}
    return {"system": audit.metadata["system"], "custom": audit.metadata["custom"]}


def attachment_json(attachment: Attachment, base_url: str) -> Json:
    """A file."""
    url = f"{base_url}/attachments/token/{attachment.key}/?name={quote(attachment.file_name)}"
    return {
        "url": f"{base_url}/api/v2/attachments/{attachment.id}.json",
        "id": attachment.id,
        "file_name": attachment.file_name,
        "content_url": url,
        "mapped_content_url": url,
        "content_type": attachment.content_type,
        "size": len(attachment.content),
        "width": None,
        "height": None,
        "inline": attachment.is_inline,
        "deleted": attachment.is_deleted,
        "malware_access_override": False,
        "malware_scan_result": attachment.scan_result,
        "thumbnails": [],
    }


def user_json(user: User, base_url: str) -> Json:
    """A user as an admin sees it."""
    role = "agent" if user.role == "light_agent" else user.role
    return {
        "id": user.id,
        "url": f"{base_url}/api/v2/users/{user.id}.json",
        "name": user.name,
        "email": user.email,
        "created_at": stamp(user.created_at),
        "updated_at": stamp(user.updated_at),
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": user.organization_id,
        "role": role,
        "verified": user.is_verified,
        "external_id": user.external_id,
        "tags": user.tags,
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": None,
        "notes": None,
        "role_type": {"light_agent": 1, "admin": 4, "agent": 0}.get(user.role),
        "custom_role_id": LIGHT_AGENT_ROLE if user.role == "light_agent" else None,
        "moderator": user.role == "admin",
        "ticket_restriction": None if user.is_agent else "requested",
        "only_private_comments": user.role == "light_agent",
        "restricted_agent": False,
        "suspended": user.is_suspended,
        "default_group_id": user.group_ids[0] if user.group_ids else None,
        "report_csv": user.role == "admin",
        "user_fields": {},
    }


def anonymous_json() -> Json:
    """Who `users/me` is for a caller without credentials."""
    return {
        "id": None,
        "name": "Anonymous user",
        "email": "invalid@example.com",
        "role": "end-user",
        "verified": False,
        "active": True,
    }


def group_json(group: Named, base_url: str, *, is_default: bool) -> Json:
    """A group."""
    return {
        "url": f"{base_url}/api/v2/groups/{group.id}.json",
        "id": group.id,
        "is_public": True,
        "name": group.name,
        "description": "",
        "default": is_default,
        "deleted": False,
        "created_at": stamp(group.created_at),
        "updated_at": stamp(group.created_at),
    }


def brand_json(brand: Named, base_url: str, subdomain: str, *, is_default: bool) -> Json:
    """A brand."""
    return {
        "url": f"{base_url}/api/v2/brands/{brand.id}.json",
        "id": brand.id,
        "name": brand.name,
        "brand_url": base_url,
        "subdomain": subdomain,
        "host_mapping": None,
        "has_help_center": False,
        "active": True,
        "default": is_default,
        "is_deleted": False,
        "ticket_form_ids": [],
        "created_at": stamp(brand.created_at),
        "updated_at": stamp(brand.created_at),
    }


def job_json(job: Job, base_url: str) -> Json:
    """A bulk request's status."""
    return {
        "id": job.id,
        "job_type": job.kind,
        "url": f"{base_url}/api/v2/job_statuses/{job.id}.json",
        "total": job.total,
        "progress": job.total if job.status == "completed" else None,
        "status": job.status,
        "message": job.message,
        "results": job.results,
    }


def _comment_text(comment: Comment, base_url: str) -> Json:
    return {
        "author_id": comment.author_id,
        "body": comment.body,
        "html_body": comment.html_body,
        "plain_body": comment.plain_body,
        "public": comment.is_public,
        "attachments": [attachment_json(one, base_url) for one in comment.attachments],
        "audit_id": comment.audit_id,
    }


def _audit_of(comment: Comment, ticket: Ticket) -> Audit | None:
    return next((audit for audit in ticket.audits if audit.id == comment.audit_id), None)
