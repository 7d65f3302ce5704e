"""The JSON of the contract, as one token may see it.

Here, and only here, is decided what a token sees: the names of its own views, the comments meant
for them or written by itself, and the requester's address with the scope for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from connectors.platform.sandbox.model import (
    Attachment,
    Comment,
    Delta,
    Person,
    Step,
    Ticket,
    Token,
    Update,
)

#: A listing brings no longer thread along, and no more text than this.
MOST_LISTED_UPDATES = 100
MOST_THREAD_CHARACTERS = 4_000_000


def time_json(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def ticket_json(ticket: Ticket, token: Token) -> dict[str, object]:
    """The ticket as it is now."""
    requester = person_json(ticket.requester)
    if "requesters:email" in token.scopes and ticket.requester.email:
        requester["email"] = ticket.requester.email
    return {
        "id": ticket.id,
        "number": ticket.number,
        "url": ticket_url(ticket),
        "subject": ticket.subject,
        "status": ticket.status,
        "tags": list(ticket.tags),
        "views": _own(ticket.views, token),
        "requester": requester,
        "metadata": dict(ticket.metadata),
        "metadata_as_of": time_json(ticket.metadata_as_of) if ticket.metadata_as_of else None,
        "version": ticket.version,
        "created_at": time_json(ticket.created_at),
        "updated_at": time_json(ticket.updated_at),
    }


def ticket_url(ticket: Ticket) -> str:
    """The page where people read the ticket."""
    return f"https://support.platform.example/tickets/{ticket.number}"


def update_json(update: Update, token: Token) -> dict[str, object]:
    """The update, without the comment when that is not for this token."""
    comment = update.comment
    is_shown = comment is not None and may_read(comment, update.actor, token)
    return {
        "id": update.id,
        "ticket_id": update.ticket_id,
        "version": update.version,
        "actor": person_json(update.actor),
        "via": update.via,
        "at": time_json(update.at),
        "comment": _comment_json(update.id, comment, token) if comment and is_shown else None,
        "status": step_json(update.status),
        "tags": delta_json(update.tags),
        "views": delta_json(
            Delta(
                added=tuple(_own(update.views.added, token)),
                removed=tuple(_own(update.views.removed, token)),
            )
        ),
        "subject": step_json(update.subject),
    }


def threads_json(tickets: Iterable[Ticket], token: Token) -> list[dict[str, object]]:
    """The threads of a page, as many as fit; the long ones are left for a request of their own."""
    threads: list[dict[str, object]] = []
    size = 0
    for ticket in tickets:
        said = (update.comment for update in ticket.updates)
        size += sum(len(comment.body_html) for comment in said if comment is not None)
        if size > MOST_THREAD_CHARACTERS:
            break
        if len(ticket.updates) <= MOST_LISTED_UPDATES:
            updates = [update_json(update, token) for update in ticket.updates]
            threads.append({"ticket_id": ticket.id, "updates": updates})
    return threads


def change_json(update: Update, ticket: Ticket, token: Token) -> dict[str, object]:
    """One entry of the feed, and the body of a webhook."""
    return {
        "position": str(update.position),
        "ticket": ticket_json(ticket, token),
        "update": update_json(update, token),
    }


def may_read(comment: Comment, actor: Person, token: Token) -> bool:
    """Public, or meant for one of the token's views, or written by the token itself."""
    return (
        token.is_staff
        or comment.visibility == "public"
        or bool(comment.views & token.views)
        or actor.id == token.id
    )


def person_json(person: Person) -> dict[str, object]:
    """A person without an address."""
    named: dict[str, object] = {"name": person.name, "role": person.role}
    return named if person.id is None else {"id": person.id, **named}


def step_json(step: Step | None) -> dict[str, object] | None:
    """A field's way from one value to another."""
    return None if step is None else {"from": step.before, "to": step.after}


def delta_json(delta: Delta) -> dict[str, object] | None:
    """Names that came and went; None when there are none."""
    return {"added": list(delta.added), "removed": list(delta.removed)} if delta else None


def attachment_json(attachment: Attachment) -> dict[str, object]:
    """An attachment by reference."""
    return {
        "id": attachment.id,
        "name": attachment.name,
        "size": attachment.size,
        "content_type": attachment.content_type,
        "url": attachment.url,
    }


def _comment_json(update_id: str, comment: Comment, token: Token) -> dict[str, object]:
    return {
        "id": update_id,
        "author": person_json(comment.author),
        "visibility": comment.visibility,
        "views": _own(sorted(comment.views), token),
        "body_html": comment.body_html,
        "occurred_at": time_json(comment.occurred_at) if comment.occurred_at else None,
        "attachments": [attachment_json(one) for one in comment.attachments],
    }


def _own(views: Iterable[str], token: Token) -> list[str]:
    return [view for view in views if token.is_staff or view in token.views]
