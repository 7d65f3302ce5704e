"""What one webhook leads to at the floor: one write, and a read first where its text is not in it.

The bodies have syncd's shape and size; nothing in them was decided.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """Where a desk is and what opens it."""

    address: str
    authorization: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A GET whose answer the write needs."""

    connection: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """A PUT."""

    connection: str
    path: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a webhook asks for; `counterpart` is the ticket on the other desk."""

    kind: str
    connection: str
    ticket_id: str
    counterpart: tuple[str, str]
    event: Json


def wanted(
    platform: str, connection: str, body: Json, pairs: dict[tuple[str, str], tuple[str, str]]
) -> Wanted | None:
    """What to do about a webhook; None for whatever is nobody's ticket or of no interest."""
    if connection == platform:
        key, event = (connection, body["ticket"]["id"]), body["update"]
        kind = "comment" if event["comment"] is not None else ""
        if event["actor"]["role"] == "integration":
            kind = ""
    else:
        key, event = (connection, str(body["detail"]["id"])), body["event"]
        kind = {"comment_added": "comment", "tags_changed": "tags"}.get(
            body["type"].rpartition(".")[2], ""
        )
        if kind == "tags" and not any(t.startswith("product-") for t in event["tags_added"]):
            kind = ""
        if kind == "comment" and event["comment"]["author"]["name"] == "syncd":
            kind = ""
    counterpart = pairs.get(key)
    if not kind or counterpart is None:
        return None
    return Wanted(
        kind=kind, connection=connection, ticket_id=key[1], counterpart=counterpart, event=event
    )


def read_of(platform: str, one: Wanted) -> Read | None:
    """The read before the write: Zendesk's webhooks carry no HTML."""
    if one.connection == platform or one.kind != "comment":
        return None
    query = "include=users&page%5Bsize%5D=100&sort=-created_at"
    return Read(connection=one.connection, path=f"/api/v2/tickets/{one.ticket_id}/audits?{query}")


def write_of(platform: str, one: Wanted, shown: bytes | None) -> Write:
    """The write that carries it over."""
    connection, ticket_id = one.counterpart
    if one.connection == platform:
        comment = one.event["comment"]
        who, at = one.event["actor"]["name"], one.event["at"]
        html = f"<p><em>{who} · {at[:16]} UTC</em></p>{comment['body_html']}"
        value: Json = {
            "ticket": {
                # As long as a stamp that would be checked; checking it would be logic.
                "metadata": {"stamp": f"floor:view00:{uuid.uuid4().hex}", "unchecked": f"{at:>36}"},
                "comment": {"html_body": html, "public": True},
            }
        }
        path = f"/api/v2/tickets/{ticket_id}"
    else:
        value = {**_update(one, shown), "notify": True}
        path = f"/tickets/{ticket_id}/updates/{uuid.uuid4().hex}"
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Write(connection=connection, path=path, body=body)


def _update(one: Wanted, shown: bytes | None) -> Json:
    if shown is None:
        return {"tags": {"add": one.event["tags_added"]}}
    page = json.loads(shown)
    comment = next(
        event for audit in page["audits"] for event in audit["events"] if event["type"] == "Comment"
    )
    names = {user["id"]: user["name"] for user in page["users"]}
    return {
        "comment": {
            "visibility": "public" if comment["public"] else "private",
            # Without the wrapper that Zendesk puts around every comment.
            "body_html": comment["html_body"].partition(">")[2].rpartition("</div>")[0],
            "author": {"name": names[comment["author_id"]], "role": "partner"},
            "occurred_at": page["audits"][0]["created_at"],
        }
    }
