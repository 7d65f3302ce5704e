"""A platform's JSON values with defaults, as its API would send them."""

from __future__ import annotations

import json
from typing import Any

from connectors.platform import wire

Json = dict[str, Any]

AT = "2027-01-15T08:00:00.250000Z"


def ticket_json(**members: Any) -> Json:
    """A ticket in one view at version 7."""
    return {
        "id": "t1",
        "number": 1,
        "url": "https://support.platform.example/tickets/1",
        "subject": "Cannot connect",
        "status": "Open",
        "tags": ["urgent"],
        "views": ["acme-postgres"],
        "requester": {"id": "p1", "name": "Mia Keller", "role": "customer"},
        "metadata": {"plan": "premium", "app": "shop"},
        "metadata_as_of": AT,
        "version": 7,
        "created_at": AT,
        "updated_at": AT,
        **members,
    }


def comment_json(**members: Any) -> Json:
    """A customer's public comment."""
    return {
        "id": "u7",
        "author": {"id": "p1", "name": "Mia Keller", "role": "customer"},
        "visibility": "public",
        "views": [],
        "body_html": "<p>Hello</p>",
        "occurred_at": None,
        "attachments": [],
        **members,
    }


def update_json(**members: Any) -> Json:
    """The update that brought the ticket to version 7, without any change in it."""
    return {
        "id": "u7",
        "ticket_id": "t1",
        "version": 7,
        "actor": {"id": "p1", "name": "Mia Keller", "role": "customer"},
        "via": "web",
        "at": AT,
        "comment": None,
        "status": None,
        "tags": None,
        "views": None,
        "subject": None,
        **members,
    }


def status_step(to: str, before: str | None = "Open") -> Json:
    return {"from": before, "to": to}


def a_ticket(**members: Any) -> wire.Ticket:
    return wire.read(wire.Ticket, _encoded(ticket_json(**members)))


def an_update(**members: Any) -> wire.Update:
    return wire.read(wire.Update, _encoded(update_json(**members)))


def a_change(*, ticket_version: int = 7, **members: Any) -> wire.Change:
    update = update_json(**members)
    ticket = ticket_json(id=update["ticket_id"], version=ticket_version)
    return wire.read_change(_encoded({"position": "1", "ticket": ticket, "update": update}))


def _encoded(value: Json) -> bytes:
    return json.dumps(value).encode()
