"""The sentences of RT's query language that are asked; names in them cannot end their quotes.

Times never occur: RT reads them in the time zone of whoever asks, whatever zone they name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence


def quoted(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def any_of(clauses: Iterable[str]) -> str:
    """Either of them."""
    return "(" + " OR ".join(clauses) + ")"


def of_queues(queues: Sequence[str], *, after: int) -> str:
    """All transactions of the tickets that are in some queues now, after one."""
    held = any_of(f"TicketQueue = {quoted(name)}" for name in queues)
    return f"ObjectType = 'RT::Ticket' AND {held} AND id > {after}"


def of_ticket(ticket_id: int) -> str:
    """The transactions of one ticket, without those of tickets that were merged into it."""
    return f"ObjectType = 'RT::Ticket' AND TicketId = {ticket_id}"


def with_stamp(ticket_id: int, field: str, stamp: str) -> str:
    """The transactions of one ticket that carry a stamp."""
    return f"{of_ticket(ticket_id)} AND CF.{{{field}}} = {quoted(stamp)}"


def tickets(ticket_ids: Iterable[int]) -> str:
    """Tickets by their numbers; RT leaves out the deleted and the merged."""
    return any_of(f"id = {number}" for number in ticket_ids)


def in_queue(queue: str, *, after: int) -> str:
    """The tickets in a queue now, behind one in the order of their creation."""
    return f"Queue = {quoted(queue)} AND id > {after}"


def newest(moved: Iterable[tuple[int, str]]) -> str:
    """The transactions of tickets since each one's last update, in RT's own words for the time."""
    return any_of(f"(TicketId = {number} AND Created >= {quoted(at)})" for number, at in moved)


def moves(ticket_ids: Iterable[int], *, after: int) -> str:
    """The transactions after one that took tickets from queue to queue."""
    held = any_of(f"TicketId = {number}" for number in ticket_ids)
    return f"{held} AND id > {after} AND Type = 'Set' AND Field = 'Queue'"


def deletions(ticket_ids: Iterable[int]) -> str:
    """The transactions that deleted tickets."""
    held = any_of(f"TicketId = {number}" for number in ticket_ids)
    return f"({held} AND Type = 'Status' AND NewValue = 'deleted')"


def parts_of(transactions: Iterable[int]) -> str:
    """The attachments of transactions, in the other of RT's two languages."""
    return json.dumps(
        [{"field": "TransactionId", "operator": "IN", "value": [str(n) for n in transactions]}]
    )


def texts_of(transactions: Iterable[int]) -> str:
    """Their texts, and the roots of those that have several parts."""
    more = [
        {"field": "Filename", "operator": "IS", "value": "NULL"},
        {"field": "ContentType", "operator": "STARTSWITH", "value": "text/"},
        {
            "field": "ContentType",
            "operator": "STARTSWITH",
            "value": "multipart/",
            "entry_aggregator": "OR",
        },
    ]
    return json.dumps([*json.loads(parts_of(transactions)), *more])


def part(attachment_id: int) -> str:
    """One attachment."""
    return json.dumps([{"field": "id", "value": str(attachment_id)}])
