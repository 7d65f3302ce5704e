"""The bodies of our writes. Pure: equal intents give equal bytes, which makes repeating safe.

`public` is in every comment: Zendesk fills a missing one with the ticket's first visibility.
Foreign text holds no `{{placeholder}}` when it leaves: Zendesk would expand it for the customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.richtext import for_desk, plain_characters, without_placeholders
from connectors.zendesk import wire
from connectors.zendesk.byline import OURSELVES, Byline
from connectors.zendesk.customers import shown_name
from connectors.zendesk.mapping import STAMP_KEY, to_stamp
from syncd.core.errors import Rejected
from syncd.core.model import Audience
from syncd.core.operations import CreateTicket, Draft, Intent, Operation, UpdateTicket

#: Zendesk cuts what is longer without a word; the rest is for the wrapper that it adds.
LARGEST_BODY_BYTES = 65_000
#: An empty comment is no comment to Zendesk, and would never be found again.
_EMPTY = "<p>…</p>"


def body_of(draft: Draft, *, is_plain: bool = False) -> str:
    """The HTML that is sent for a comment; a plain one without its attribution line."""
    html = draft.html.removeprefix(draft.attribution) if is_plain else draft.html
    return without_placeholders(for_desk(html)) or _EMPTY


def is_too_long(draft: Draft) -> bool:
    """Whether Zendesk would cut the comment: markup and broken placeholders count as well."""
    return len(body_of(draft).encode()) > LARGEST_BODY_BYTES


def refuse_what_would_be_cut(op: Operation, *, connection: str) -> None:
    """Raises `Rejected` for a comment that Zendesk would shorten without a word."""
    drafts = op.comments if isinstance(op, CreateTicket) else ()
    if isinstance(op, UpdateTicket) and op.comment is not None:
        drafts = (op.comment,)
    if any(is_too_long(draft) for draft in drafts):
        raise Rejected(
            "the comment is longer than Zendesk keeps",
            connection=connection,
            action="write comment",
            field="html_body",
            hint="Zendesk would cut it at 64 KB without a word; shorten it at its origin.",
        )


def refuse_what_would_be_heard(op: UpdateTicket, *, connection: str) -> None:
    """Raises `Rejected` for a silent update with a public comment: nothing makes that silent."""
    if op.is_silent and op.comment is not None and op.comment.audience is Audience.PUBLIC:
        raise Rejected(
            "a public comment cannot be added silently",
            connection=connection,
            action="update ticket",
            hint="Zendesk would notify the customer; `--notify` of the backfill allows it.",
        )


def creation(
    op: CreateTicket,
    intent: Intent,
    *,
    placed: Mapping[str, Any],
    requester: wire.Loose | None = None,
    byline: Byline = OURSELVES,
) -> bytes:
    """`POST /tickets`: the first message alone.

    `placed` are ids of group, brand and so on, values of fields, and the status if it is not the
    operation's own word; without a `requester` Zendesk makes one of the customer's name.
    """
    ticket = _new_ticket(op, placed, requester) | {"metadata": {STAMP_KEY: intent.stamp}}
    if op.comments:
        ticket["comment"] = _comment(op.comments[0], byline)
        if byline.author_id is not None:
            # Whoever submitted a ticket is the author of its first comment, whatever that says.
            ticket["submitter_id"] = byline.author_id
    return wire.encode({"ticket": ticket})


def imported_ticket(
    op: CreateTicket,
    *,
    placed: Mapping[str, Any],
    not_after: datetime,
    requester: wire.Loose | None = None,
    bylines: Mapping[int, Byline] | None = None,
) -> wire.Loose:
    """A ticket to be imported: the history with its times, untold; it takes no metadata.

    A time after `not_after`, the present by the desk's clock, would have the whole import
    refused; it is left out, and the desk puts its own.
    """
    ticket = _new_ticket(op, placed, requester)
    under = bylines or {}
    ticket["comments"] = [
        _imported(draft, not_after, under.get(place, OURSELVES))
        for place, draft in enumerate(op.comments)
    ]
    told = [draft.occurred_at for draft in op.comments if draft.occurred_at is not None]
    times = [at for at in told if at <= not_after]
    if times:
        ticket["created_at"] = to_stamp(min(times))
    return ticket


def one_import(ticket: wire.Loose) -> bytes:
    """`POST /imports/tickets`: one ticket that is ready."""
    return wire.encode({"ticket": ticket})


def many_imports(tickets: Sequence[wire.Loose]) -> bytes:
    """`POST /imports/tickets/create_many`: up to a hundred of them."""
    return wire.encode({"tickets": tickets})


def update(
    op: UpdateTicket,
    intent: Intent,
    *,
    byline: Byline = OURSELVES,
    status: wire.Loose | None = None,
) -> bytes:
    """`PUT /tickets/{id}`: everything of one operation, under the stamp it was planned from.

    `status` is the key that sets it, where that is not the operation's own word.
    """
    return one_ticket(updated_ticket(op, intent, byline=byline, status=status))


def one_ticket(ticket: wire.Loose) -> bytes:
    """`PUT /tickets/{id}`: changes that are ready."""
    return wire.encode({"ticket": ticket})


def many_updates(tickets: Sequence[wire.Loose]) -> bytes:
    """`PUT /tickets/update_many`: up to a hundred tickets, each with its `id`."""
    return wire.encode({"tickets": tickets})


def updated_ticket(
    op: UpdateTicket,
    intent: Intent,
    *,
    byline: Byline = OURSELVES,
    status: wire.Loose | None = None,
) -> wire.Loose:
    """What changes of one ticket; `status` as in `update`."""
    ticket: wire.Loose = {"metadata": {STAMP_KEY: intent.stamp}}
    if intent.precondition is not None:
        ticket |= {"safe_update": True, "updated_stamp": intent.precondition}
    if status is not None:
        ticket |= status
    elif (word := op.status or byline.status) is not None:
        ticket["status"] = word
    tags = tags_after(op, intent)
    if tags != intent.tags_before:
        # A ticket's tags can only be replaced as a whole; the stamp makes that safe.
        ticket["tags"] = sorted(tags)
    if op.comment is not None:
        ticket["comment"] = _comment(op.comment, byline)
    return ticket


def tags_after(op: UpdateTicket, intent: Intent) -> frozenset[str]:
    """The ticket's whole tag set after the update."""
    return (intent.tags_before | op.add_tags) - op.remove_tags


def _new_ticket(
    op: CreateTicket, placed: Mapping[str, Any], requester: wire.Loose | None
) -> wire.Loose:
    return {
        "external_id": op.external_id,
        "subject": without_placeholders(plain_characters(op.subject)),
        **({} if "custom_status_id" in placed else {"status": op.status}),
        "tags": sorted(op.tags),
        **_requester(op, requester),
        **placed,
    }


def _requester(op: CreateTicket, requester: wire.Loose | None) -> wire.Loose:
    if op.follow_up_of is None:
        # Without an address the desk cannot mail the customer around the platform.
        return requester or {"requester": {"name": shown_name(op.requester.name)}}
    # The closed ticket's own requester, so that nobody new is made.
    source = {"via_followup_source_id": int(op.follow_up_of)}
    person_id = op.requester.person_id
    return source | ({"requester_id": int(person_id)} if person_id.isdecimal() else {})


def _comment(draft: Draft, byline: Byline) -> wire.Loose:
    html = body_of(draft, is_plain=byline.is_plain)
    comment: wire.Loose = {"html_body": html, "public": draft.audience is Audience.PUBLIC}
    if byline.author_id is not None:
        comment["author_id"] = byline.author_id
    if draft.uploads:
        comment["uploads"] = list(draft.uploads)
    return comment


def _imported(draft: Draft, not_after: datetime, byline: Byline) -> wire.Loose:
    comment = _comment(draft, byline)
    if draft.occurred_at is not None and draft.occurred_at <= not_after:
        comment["created_at"] = to_stamp(draft.occurred_at)
    return comment
