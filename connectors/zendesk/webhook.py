"""What a webhook of Zendesk's proves, once its signature does. Pure: bytes and time are handed in.

The body is a snapshot of the ticket's fields, made when the event happened and sent whenever
Zendesk gets to it. So it may be old, and it never confirms its own stamp: a later change of the
same second is in none of its fields. It names new comments without carrying their HTML.
https://developer.zendesk.com/documentation/webhooks/verifying/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from connectors.zendesk import wire
from connectors.zendesk.mapping import second_of, to_ticket, to_time
from syncd.core.errors import Unauthentic, Unintelligible
from syncd.core.model import (
    CommentId,
    ConnectionName,
    End,
    Sighting,
    StatusUpdate,
    TicketId,
)

SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
#: Zendesk documents no bound; a real delivery came eight minutes after its event.
FRESHNESS = timedelta(minutes=15)
LARGEST_BODY_BYTES = 1024 * 1024
_PREFIX = "zen:event-type:ticket."
_ENDS = {
    "marked_as_spam": End.SPAM,
    "merged": End.MERGED,
    "permanently_deleted": End.DELETED,
    "soft_deleted": End.DELETED,
}
#: These change a comment that is known: no comment has such an id, so the thread is read again.
_MENDING = frozenset(
    {"attachment_redacted_from_comment", "comment_made_private", "comment_redacted"}
)


def read_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    connection: ConnectionName,
    base_url: str,
    now: datetime,
    freshness: timedelta = FRESHNESS,
) -> tuple[Sighting, ...]:
    """The sighting in a webhook, or none for events that are not a ticket's.

    Raises `Unauthentic` for a wrong or stale signature, `Unintelligible` for a signed riddle.
    """
    verify(headers, body, secret=secret, now=now, freshness=freshness)
    try:
        webhook = wire.decode(body, wire.Webhook)
        if not webhook.type.startswith(_PREFIX):
            return ()
        return (_sighting(webhook.type.removeprefix(_PREFIX), webhook, base_url),)
    except (ValueError, msgspec.MsgspecError):
        # The cause is left out: it quotes the ticket.
        raise Unintelligible(
            "a signed webhook is not as documented", connection=connection, action="read webhook"
        ) from None


def verify(
    headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime, freshness: timedelta
) -> None:
    """Return if the holder of the secret signed these bytes just now, else raise `Unauthentic`."""
    if len(body) > LARGEST_BODY_BYTES:
        raise Unauthentic("the webhook is larger than any that Zendesk sends")
    timestamp = headers.get(TIMESTAMP, "")
    signed = timestamp.encode("utf-8", "replace") + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    # As bytes: of text, `compare_digest` takes ASCII only, and a header may hold anything.
    given = headers.get(SIGNATURE, "").encode("utf-8", "replace")
    if not secret or not hmac.compare_digest(given, base64.b64encode(digest)):
        raise Unauthentic("the webhook's signature does not fit")
    try:
        age = now - to_time(timestamp)
    except (ValueError, OverflowError):
        raise Unauthentic("the webhook's timestamp is no time") from None
    if abs(age) > freshness:
        raise Unauthentic(
            "the webhook's timestamp is too far from this machine's time",
            hint="Set this machine's clock by NTP; polling goes on meanwhile.",
        )


def _sighting(kind: str, webhook: wire.Webhook, base_url: str) -> Sighting:
    row = _row(webhook.detail)
    ticket = to_ticket(row, seen_at=None, people={}, base_url=base_url)
    if kind in _ENDS:
        ticket = replace(ticket, end=_ENDS[kind])
    return Sighting(
        ticket_id=TicketId(str(row.id)),
        ticket=ticket,
        hinted=_hinted(kind, webhook.event),
        status_update=_status_update(kind, webhook, status=ticket.status, second=ticket.updated_at),
    )


def _row(detail: wire.Loose) -> wire.Ticket:
    row = msgspec.convert(detail, wire.Ticket)
    row.status = {"ARCHIVED": "closed", "SCRUBBED": "deleted"}.get(row.status, row.status.lower())
    return row


def _hinted(kind: str, event: wire.Loose) -> tuple[CommentId, ...]:
    comment = event.get("comment")
    number = str(comment.get("id") or "") if isinstance(comment, dict) else ""
    if kind == "comment_added" and number:
        return (CommentId(number),)
    return (CommentId(f"{number}:{kind}"),) if kind in _MENDING else ()


def _status_update(
    kind: str, webhook: wire.Webhook, *, status: str, second: datetime
) -> StatusUpdate | None:
    current = webhook.event.get("current")
    if kind != "status_changed" or not isinstance(current, str) or current.lower() != status:
        return None
    at = second if webhook.time is None else to_time(webhook.time)
    if second_of(at) < second_of(second):
        # The snapshot is younger than the event: somebody else may have come in between.
        return None
    actor = webhook.detail.get("actor_id")
    return StatusUpdate(
        status=status, update_id=None, actor_id=None if actor is None else str(actor), at=second
    )
