"""The bodies of our writes. Pure: equal intents give equal bytes, which makes repeating safe.

`public` is in every comment: Zendesk fills a missing one with the ticket's first visibility.
Foreign text holds no `{{placeholder}}` when it leaves: Zendesk would expand it for the customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.richtext import plain_characters, sanitise, without_placeholders
from connectors.zendesk import wire
from connectors.zendesk.mapping import STAMP_KEY, to_stamp
from syncd.core.model import Audience
from syncd.core.operations import CreateTicket, Draft, Intent, UpdateTicket

#: Zendesk cuts what is longer without a word; the rest is for the wrapper that it adds.
LARGEST_BODY_BYTES = 65_000
#: An empty comment is no comment to Zendesk, and would never be found again.
_EMPTY = "<p>…</p>"


def body_of(draft: Draft) -> str:
    """The HTML that is sent for a comment."""
    return without_placeholders(sanitise(draft.html)) or _EMPTY


def is_too_long(draft: Draft) -> bool:
    """Whether Zendesk would cut the comment: markup and broken placeholders count as well."""
    return len(body_of(draft).encode()) > LARGEST_BODY_BYTES


def creation(op: CreateTicket, intent: Intent, *, placed: Mapping[str, int]) -> bytes:
    """`POST /tickets`: the first message alone; `placed` are ids of group, brand and so on."""
    ticket = _new_ticket(op, placed) | {"metadata": {STAMP_KEY: intent.stamp}}
    if op.comments:
        ticket["comment"] = _comment(op.comments[0])
    return wire.encode({"ticket": ticket})


def silent_creation(op: CreateTicket, *, placed: Mapping[str, int], not_after: datetime) -> bytes:
    """`POST /imports/tickets`: the history with its times, untold; it takes no metadata.

    A time after `not_after`, the present by the desk's clock, would have the whole import
    refused; it is left out, and the desk puts its own.
    """
    ticket = _new_ticket(op, placed)
    ticket["comments"] = [_imported(draft, not_after) for draft in op.comments]
    told = [draft.occurred_at for draft in op.comments if draft.occurred_at is not None]
    times = [at for at in told if at <= not_after]
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


def _new_ticket(op: CreateTicket, placed: Mapping[str, int]) -> wire.Loose:
    return {
        "external_id": op.external_id,
        "subject": without_placeholders(plain_characters(op.subject)),
        "status": op.status,
        "tags": sorted(op.tags),
        # Without an address the desk cannot mail the customer around the platform.
        "requester": {"name": plain_characters(op.requester.name).strip() or "Customer"},
        **placed,
    }


def _comment(draft: Draft) -> wire.Loose:
    return {"html_body": body_of(draft), "public": draft.audience is Audience.PUBLIC}


def _imported(draft: Draft, not_after: datetime) -> wire.Loose:
    comment = _comment(draft)
    if draft.occurred_at is not None and draft.occurred_at <= not_after:
        comment["created_at"] = to_stamp(draft.occurred_at)
    return comment
