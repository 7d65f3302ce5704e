"""What an update means to webhook subscribers: event types, their payloads, the envelope.

The ticket's snapshot shows ids as strings and status, priority and type in upper case.
https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.records import Audit, Comment, Json, Ticket
from connectors.zendesk.sandbox.wire import stamp

EVENT_PREFIX: Final = "zen:event-type:ticket."
VERSION: Final = "2022-11-06"

# A changed field and the event type that tells of it.
_CHANGED: Final = {
    "status": "status_changed",
    "priority": "priority_changed",
    "type": "type_changed",
    "subject": "subject_changed",
    "group_id": "group_assignment_changed",
    "assignee_id": "agent_assignment_changed",
    "requester_id": "requester_changed",
    "organization_id": "organization_changed",
    "brand_id": "brand_changed",
    "external_id": "external_id_changed",
    "custom_status_id": "custom_status_changed",
}
_UPPER: Final = {"status", "priority", "type"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One event type of one update."""

    type: str
    event: Json
    detail: Json
    ticket_id: int
    at: float
    position: int
    count: int

    def envelope(self, event_id: str, account: Account) -> Json:
        """The body of the delivery."""
        sequence = {"id": event_id.upper(), "position": self.position, "total": self.count}
        moment = datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds")
        return {
            "account_id": account.settings.account_id,
            "detail": self.detail,
            "event": {**self.event, "meta": {"sequence": sequence}},
            "id": event_id,
            "subject": f"zen:ticket:{self.ticket_id}",
            "time": moment.replace("+00:00", "000Z"),
            "type": f"{EVENT_PREFIX}{self.type}",
            "zendesk_event_version": VERSION,
        }


def happenings(ticket: Ticket, audit: Audit, account: Account, *, is_new: bool) -> list[Happening]:
    """The events of one audit, each type once."""
    found: dict[str, Json] = {}
    if is_new:
        found["created"] = {}
    for kind, event in _of_events(audit, account):
        if is_new and kind != "comment_added":
            continue
        if is_new and not account.settings.created_sends_comment_added:
            continue
        found[kind] = _merged(found.get(kind), event)
    for kind, event in list(found.items()):
        if kind == "tags_changed":
            found[kind] = _tag_delta(event)
    detail = _detail(ticket, audit)
    return [
        Happening(
            type=kind,
            event=event,
            detail=detail,
            ticket_id=ticket.id,
            at=account.time.now(),
            position=position,
            count=len(found),
        )
        for position, (kind, event) in enumerate(found.items(), start=1)
    ]


def _of_events(audit: Audit, account: Account) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    for event in audit.events:
        data = event.data
        if event.comment is not None:
            found.append(("comment_added", {"comment": _comment(event.comment, account)}))
            if event.comment.via.rel == "merge" and _is_closing(audit):
                target = dict(event.comment.via.origin)["ticket_id"]
                found.append(("merged", {"target_ticket_id": str(target)}))
        elif event.kind == "CommentPrivacyChange":
            found.append(("comment_made_private", {"comment": {"id": str(data["comment_id"])}}))
        elif event.kind in ("CommentRedaction", "AttachmentRedaction"):
            found.append(("comment_redacted", {"comment": {"id": str(data["comment_id"])}}))
        elif audit.is_spam and data.get("value") == "deleted":
            found.append(("marked_as_spam", {}))
        elif event.kind == "Change":
            found.append(_of_change(data))
    return found


def _is_closing(audit: Audit) -> bool:
    return any(event.data.get("value") == "closed" for event in audit.events)


def _of_change(data: Json) -> tuple[str, Json]:
    name, after, before = data["field_name"], data["value"], data["previous_value"]
    if name == "status" and "deleted" in (after, before):
        return ("soft_deleted" if after == "deleted" else "undeleted"), {}
    if name in _UPPER:
        after, before = _upper(after), _upper(before)
    change = {"current": after, "previous": before}
    if name == "tags":
        return "tags_changed", change
    if name.isdigit():
        return "custom_field_changed", {**change, "field": {"id": name}}
    return _CHANGED.get(name, f"{name}_changed"), change


def _merged(first: Json | None, second: Json) -> Json:
    """Two changes of one field in one update are one change from the first to the last value."""
    if first is None or "previous" not in first:
        return second
    return {**second, "previous": first["previous"]}


def _tag_delta(change: Json) -> Json:
    after, before = set(change["current"]), set(change["previous"])
    return {"tags_added": sorted(after - before), "tags_removed": sorted(before - after)}


def _comment(comment: Comment, account: Account) -> Json:
    author = account.users[comment.author_id]
    return {
        "author": {"id": str(author.id), "is_staff": author.is_agent, "name": author.name},
        "body": comment.body,
        "id": str(comment.id),
        "is_public": comment.is_public,
    }


def _detail(ticket: Ticket, audit: Audit) -> Json:
    values = ticket.values
    ids = ("assignee_id", "brand_id", "group_id", "organization_id", "requester_id")
    return {
        "actor_id": str(audit.author_id),
        "created_at": stamp(ticket.created_at),
        "custom_status": str(values["custom_status_id"]),
        "description": ticket.comments[0].body if ticket.comments else "",
        "external_id": values["external_id"],
        "form_id": str(values["ticket_form_id"]),
        "id": str(ticket.id),
        "is_public": ticket.is_public,
        "priority": _upper(values["priority"]),
        "status": _upper("scrubbed" if ticket.is_scrubbed else ticket.status),
        "subject": values["subject"],
        "submitter_id": str(ticket.submitter_id),
        "tags": ticket.tags,
        "type": _upper(values["type"]),
        "updated_at": stamp(ticket.updated_at),
        "via": {"channel": "web_service" if audit.via.channel == "api" else audit.via.channel},
        **{name: None if values[name] is None else str(values[name]) for name in ids},
    }


def _upper(value: object) -> str | None:
    return str(value).upper() if value else None
