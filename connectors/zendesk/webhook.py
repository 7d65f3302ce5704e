"""What a webhook of Zendesk's proves, once its signature does. Pure: bytes and time are handed in.

The body is a snapshot of the ticket's fields, made when the event happened and sent whenever
Zendesk gets to it. So it may be old, and it never confirms its own stamp: a later change of the
same second is in none of its fields. It names new comments without carrying their HTML.
A trigger's call only tells that its ticket moved: its placeholders are not escaped, so that no
text may be among them.
Which type proves what stands in `event_types`; a type that is not there moves nothing by itself.
https://developer.zendesk.com/documentation/webhooks/verifying/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from connectors.zendesk import wire
from connectors.zendesk.event_types import ENDS, EVENT_TYPES, PREFIX, Proof
from connectors.zendesk.mapping import second_of, to_ticket, to_time
from connectors.zendesk.status_names import UNNAMED, StatusNames
from syncd.core.errors import Unauthentic, Unintelligible
from syncd.core.model import CommentId, ConnectionName, Sighting, StatusUpdate, Ticket, TicketId
from syncd.ports import Heard

SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
#: How far a signature's time may be from ours. Zendesk documents no bound, and does not say whether
#: a repeated delivery is signed anew; a real one came eight minutes after its event. The time does
#: not protect the mirror, to which an old body is no news: it bounds what a recorded one can cost.
FRESHNESS = timedelta(minutes=15)
LARGEST_BODY_BYTES = 1024 * 1024
_SUBJECT = "zen:ticket:"
_HAS_SECONDS = re.compile(r"[T ]\d\d:?\d\d:?\d\d")
#: The beginnings of the types, known or not, that are about a comment.
_OF_COMMENTS = ("comment", "attachment")


def read_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    connection: ConnectionName,
    base_url: str,
    now: datetime,
    freshness: timedelta = FRESHNESS,
    names: StatusNames = UNNAMED,
) -> Heard:
    """The sighting in a webhook, or none for an event that no pair could follow.

    Where it does not tell the status by the names in use, it only says that the ticket moved.

    Raises `Unauthentic` for a wrong or stale signature, `Unintelligible` for a signed riddle.
    """
    verify(headers, body, secret=secret, now=now, freshness=freshness)
    try:
        call = _trigger_call(body)
        if call is not None:
            return Heard(sightings=(_moved(call, sent_at=to_time(headers[TIMESTAMP])),))
        return _heard(wire.decode(body, wire.Webhook), base_url, names)
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


def _trigger_call(body: bytes) -> wire.TriggerCall | None:
    try:
        return wire.decode(body, wire.TriggerCall)
    except msgspec.MsgspecError:
        return None


def _moved(call: wire.TriggerCall, *, sent_at: datetime) -> Sighting:
    """A trigger's call proves no more than that its ticket moved. Raises ValueError."""
    if not str(call.ticket_id).isdecimal():
        raise ValueError("a trigger's call names no ticket")
    try:
        # A placeholder may give no seconds: then it was some time in that minute.
        text = call.updated_at or ""
        moved_at = second_of(to_time(text)) + (0 if _HAS_SECONDS.search(text) else 59)
    except ValueError:
        moved_at = second_of(sent_at)
    return Sighting(ticket_id=TicketId(str(call.ticket_id)), moved_at=moved_at)


def _heard(webhook: wire.Webhook, base_url: str, names: StatusNames) -> Heard:
    if not webhook.type.startswith(PREFIX):
        return Heard()
    kind = webhook.type.removeprefix(PREFIX)
    proof = EVENT_TYPES.get(kind)
    if proof is Proof.NOTHING:
        return Heard()
    if proof is None:
        return Heard(sightings=_rumour(kind, webhook, base_url, names), is_unknown=True)
    return Heard(sightings=(_sighting(kind, proof, webhook, base_url, names),))


def _rumour(
    kind: str, webhook: wire.Webhook, base_url: str, names: StatusNames
) -> tuple[Sighting, ...]:
    """What a type that is not in the vendor's list may say: its fields if they are as ever."""
    proof = Proof.MENDED if kind.startswith(_OF_COMMENTS) else Proof.FIELDS
    try:
        return (_sighting(kind, proof, webhook, base_url, names),)
    except (ValueError, msgspec.MsgspecError):
        number = _subject_id(webhook)
        if number is None:
            return ()
        return (Sighting(ticket_id=TicketId(number), hinted=(CommentId(f":{kind}"),)),)


def _sighting(
    kind: str, proof: Proof, webhook: wire.Webhook, base_url: str, names: StatusNames
) -> Sighting:
    row = _row(webhook.detail)
    if _subject_id(webhook) not in (None, str(row.id)):
        raise ValueError("the event's subject is another ticket than its detail")
    ticket_id, hinted = TicketId(str(row.id)), _hinted(kind, proof, webhook.event)
    if kind not in ENDS and not names.is_told(row.status, row.custom_status_id):
        moved_at = second_of(to_time(row.updated_at))
        return Sighting(ticket_id=ticket_id, hinted=hinted, moved_at=moved_at)
    ticket = to_ticket(row, seen_at=None, people={}, base_url=base_url, names=names)
    is_told = _tells_status(kind, webhook.event, row, names)
    return Sighting(
        ticket_id=ticket_id,
        ticket=_ended(kind, webhook.event, ticket),
        hinted=hinted,
        status_update=_status_update(webhook, ticket) if is_told else None,
    )


def _ended(kind: str, event: wire.Loose, ticket: Ticket) -> Ticket:
    if kind not in ENDS:
        return ticket
    target = str(event.get("target_ticket_id") or "")
    is_told = kind == "merged" and target.isdecimal()
    return replace(ticket, end=ENDS[kind], merged_into=TicketId(target) if is_told else None)


def _subject_id(webhook: wire.Webhook) -> str | None:
    """The ticket's number in the envelope's subject; None where that is of another form."""
    subject = webhook.subject or ""
    number = subject.removeprefix(_SUBJECT)
    return number if subject != number and number.isdecimal() else None


def _row(detail: wire.Loose) -> wire.Ticket:
    row = msgspec.convert(detail, wire.Ticket)
    # Not by the name that it has everywhere else.
    row.custom_status_id = detail.get("custom_status")
    row.status = {"ARCHIVED": "closed", "SCRUBBED": "deleted"}.get(row.status, row.status.lower())
    return row


def _hinted(kind: str, proof: Proof, event: wire.Loose) -> tuple[CommentId, ...]:
    comment = event.get("comment")
    number = str(comment.get("id") or "") if isinstance(comment, dict) else ""
    if proof is Proof.MENDED:
        # The comment may be known: no comment has such an id, so the thread is read again.
        return (CommentId(f"{number}:{kind}"),)
    return (CommentId(number),) if proof is Proof.COMMENT and number else ()


def _tells_status(kind: str, event: wire.Loose, row: wire.Ticket, names: StatusNames) -> bool:
    """Whether the event is the change that gave the ticket the status that its detail shows."""
    current, before = event.get("current"), event.get("previous")
    if kind == "status_changed":
        return isinstance(current, str) and current.lower() == row.status
    is_named = names.is_named(current) or names.is_named(before)
    return kind == "custom_status_changed" and is_named and current == row.custom_status_id


def _status_update(webhook: wire.Webhook, ticket: Ticket) -> StatusUpdate | None:
    second = ticket.updated_at
    at = second if webhook.time is None else to_time(webhook.time)
    if second_of(at) < second_of(second):
        # The snapshot is younger than the event: somebody else may have come in between.
        return None
    actor = webhook.detail.get("actor_id")
    return StatusUpdate(
        status=ticket.status,
        update_id=None,
        actor_id=None if actor is None else str(actor),
        at=second,
    )
