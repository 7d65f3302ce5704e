"""The bodies of our writes. Pure: equal intents give equal bytes, which makes repeating safe.

`public` is in every comment: Zendesk fills a missing one with the ticket's first visibility.
Foreign text holds no `{{placeholder}}` when it leaves: Zendesk would expand it for the customer.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.richtext import plain_characters, sanitise, without_placeholders
from connectors.zendesk import wire
from connectors.zendesk.mapping import STAMP_KEY, to_stamp
from syncd.core.model import Audience
from syncd.core.operations import CreateTicket, Draft, Intent, UpdateTicket

#: An empty comment is no comment to Zendesk, and would never be found again.
_EMPTY = "<p>…</p>"


def body_of(draft: Draft) -> str:
    """The HTML that is sent for a comment."""
    return without_placeholders(sanitise(draft.html)) or _EMPTY


def creation(op: CreateTicket, intent: Intent, *, placed: Mapping[str, int]) -> bytes:
    """`POST /tickets`: the first message alone; `placed` are ids of group, brand and so on."""
    ticket = _new_ticket(op, intent, placed)
    if op.comments:
        ticket["comment"] = _comment(op.comments[0])
    return wire.encode({"ticket": ticket})


def silent_creation(op: CreateTicket, intent: Intent, *, placed: Mapping[str, int]) -> bytes:
    """`POST /imports/tickets`: the history with its times, and nobody is told."""
    ticket = _new_ticket(op, intent, placed)
    ticket["comments"] = [_imported(draft) for draft in op.comments]
    times = [draft.occurred_at for draft in op.comments if draft.occurred_at is not None]
    if times:
        ticket["created_at"] = to_stamp(min(times))
    return wire.encode({"ticket": ticket})


def update(op: UpdateTicket, intent: Intent) -> bytes:
    """`PUT /tickets/{id}`: everything of one operation, under the stamp it was planned from."""
    ticket: wire.Loose = {"metadata": {STAMP_KEY: intent.stamp}}
    if intent.precondition is not None:
        ticket |= {"safe_update": True, "updated_stamp": intent.precondition}
    if op.status is not None:
        ticket["status"] = op.status
    tags = tags_after(op, intent)
    if tags != intent.tags_before:
        # A ticket's tags can only be replaced as a whole; the stamp makes that safe.
        ticket["tags"] = sorted(tags)
    if op.comment is not None:
        ticket["comment"] = _comment(op.comment)
    return wire.encode({"ticket": ticket})


def tags_after(op: UpdateTicket, intent: Intent) -> frozenset[str]:
    """The ticket's whole tag set after the update."""
    return (intent.tags_before | op.add_tags) - op.remove_tags


def _new_ticket(op: CreateTicket, intent: Intent, placed: Mapping[str, int]) -> wire.Loose:
    return {
        "external_id": op.external_id,
        "subject": without_placeholders(plain_characters(op.subject)),
        "status": op.status,
        "tags": sorted(op.tags),
        # Without an address the desk cannot mail the customer around the platform.
        "requester": {"name": plain_characters(op.requester.name).strip() or "Customer"},
        "metadata": {STAMP_KEY: intent.stamp},
        **placed,
    }


def _comment(draft: Draft) -> wire.Loose:
    return {"html_body": body_of(draft), "public": draft.audience is Audience.PUBLIC}


def _imported(draft: Draft) -> wire.Loose:
    comment = _comment(draft)
    if draft.occurred_at is not None:
        comment["created_at"] = to_stamp(draft.occurred_at)
    return comment
