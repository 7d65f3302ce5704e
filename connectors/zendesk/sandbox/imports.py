"""Imports: a ticket with its history and times, without triggers, mails or SLA.

The only way to keep a comment's own time.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/
"""

from __future__ import annotations

from datetime import datetime

from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.compose import Composing, NewComment
from connectors.zendesk.sandbox.errors import invalid_field
from connectors.zendesk.sandbox.people import requester_of
from connectors.zendesk.sandbox.records import Json, Ticket, User, Via
from connectors.zendesk.sandbox.update import Updates
from connectors.zendesk.sandbox.wire import ticket_json

IMPORTED = Via(channel="api", rel="import")


class Imports:
    """Imports tickets into one account."""

    def __init__(self, account: Account, updates: Updates) -> None:
        self._account = account
        self._updates = updates
        self._composing = Composing(account)

    def one(self, given: Json, actor: User, base_url: str) -> Json:
        """Import one ticket and return its wire form. Raises Refusal, then nothing is kept."""
        requester = requester_of(self._account, given, actor)
        draft = self._updates.drafting.of_new(given, requester)
        ticket_id = self._account.new_ticket_id()
        comments = self._comments(given, {**draft.values, "id": ticket_id}, actor)
        now = self._account.second()
        created_at = self._time(given.get("created_at"), "created_at", now)
        solved_at = given.get("solved_at")
        ticket = Ticket(
            id=ticket_id,
            values=draft.values,
            custom=draft.custom,
            submitter_id=int(given.get("submitter_id") or actor.id),
            via=IMPORTED,
            created_at=created_at,
            updated_at=self._time(given.get("updated_at"), "updated_at", now),
            generated_at=now,
            born=self._account.time.now(),
            solved_at=self._time(solved_at, "solved_at", now) if solved_at else None,
        )
        self._account.tickets[ticket_id] = ticket
        first = self._updates.open_audit(ticket, actor, IMPORTED, draft.metadata)
        for number, (comment, at) in enumerate(comments):
            audit = first if number == 0 else self._updates.open_audit(ticket, actor, IMPORTED)
            audit.created_at = at
            self._updates.add_comment(ticket, audit, comment)
            if number == 0:
                self._updates.describe_creation(ticket, audit)
        for audit in ticket.audits:
            self._updates.kept(ticket, audit, is_new=audit is first)
        return ticket_json(ticket, self._account, base_url)

    def _comments(self, given: Json, values: Json, actor: User) -> list[tuple[NewComment, int]]:
        rows = given.get("comments") or [given.get("comment") or {"body": given.get("description")}]
        now = self._account.second()
        made: list[tuple[NewComment, int]] = []
        for given_row in rows:
            row = given_row if isinstance(given_row, dict) else {"body": given_row}
            comment = self._composing.comment(
                {**row, "public": row.get("public", True)}, ticket=None, values=values, actor=actor
            )
            if comment is None:
                raise invalid_field("base", "Comment: cannot be blank", "BlankValue")
            at = self._time(row.get("created_at"), "comments", now)
            if at > now:
                raise invalid_field("comments", "Comments: created_at cannot be in the future")
            made.append((comment, at))
        return made

    @staticmethod
    def _time(value: object, name: str, default: int) -> int:
        if value is None:
            return default
        try:
            return max(0, int(datetime.fromisoformat(str(value)).timestamp()))
        except ValueError:
            raise invalid_field(name, f"{name}: is not a valid time", "InvalidValue") from None
