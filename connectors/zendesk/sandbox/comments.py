"""The thread of a ticket: comments, audits, and what may still be done to a written comment.

https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import not_found
from connectors.zendesk.sandbox.lifecycle import Lifecycle
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.records import Comment, Json, Ticket, User, Via
from connectors.zendesk.sandbox.request import find_ticket, json_object, number_in_path
from connectors.zendesk.sandbox.wire import (
    attachment_json,
    audit_json,
    comment_json,
    user_json,
)


class CommentRoutes:
    """Comment and audit endpoints of one account."""

    def __init__(self, account: Account, lifecycle: Lifecycle, who: Callable[[], User]) -> None:
        self._account = account
        self._lifecycle = lifecycle
        self._who = who

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        ticket = "/api/v2/tickets/{id}"
        comment = f"{ticket}/comments/{{comment_id}}"
        file = f"{comment}/attachments/{{attachment_id}}"
        return [
            Route("GET", f"{ticket}/comments", self.comments),
            Route("GET", f"{ticket}/audits", self.audits),
            Route("GET", f"{ticket}/audits/{{audit_id}}", self.audit),
            Route("PUT", f"{comment}/make_private", self.make_private),
            Route("PUT", f"{comment}/redact", self.redact),
            Route("PUT", f"{file}/redact", self.redact_attachment),
        ]

    def comments(self, call: Call) -> Reply:
        """The comments, oldest first unless sorted otherwise."""
        ticket = find_ticket(self._account, call)
        ordered = ticket.comments[::-1] if _is_descending(call) else ticket.comments
        page = page_of(call, ordered, lambda comment: comment.id)
        rows = [comment_json(one, ticket, self._account, call.base_url) for one in page.rows]
        authors = (comment.author_id for comment in page.rows)
        return json_reply(200, {"comments": rows, **page.around} | self._users(call, authors))

    def audits(self, call: Call) -> Reply:
        """The updates, each with its comment, changes and actor; oldest first unless sorted."""
        ticket = find_ticket(self._account, call)
        ordered = ticket.audits[::-1] if _is_descending(call) else ticket.audits
        page = page_of(call, ordered, lambda audit: audit.id)
        rows = [audit_json(one, self._account, call.base_url) for one in page.rows]
        people = [one.author_id for one in page.rows]
        people += [e.comment.author_id for one in page.rows for e in one.events if e.comment]
        return json_reply(200, {"audits": rows, **page.around} | self._users(call, people))

    def audit(self, call: Call) -> Reply:
        """One update."""
        ticket, audit_id = find_ticket(self._account, call), number_in_path(call, "audit_id")
        audit = next((one for one in ticket.audits if one.id == audit_id), None)
        if audit is None:
            raise not_found()
        return json_reply(200, {"audit": audit_json(audit, self._account, call.base_url)})

    def make_private(self, call: Call) -> Reply:
        """Make a public comment private, for good."""
        ticket, comment = self._comment(call)
        self._lifecycle.make_private(ticket, comment, self._who(), Via())
        return json_reply(200, "")

    def redact(self, call: Call) -> Reply:
        """Black out a text."""
        ticket, comment = self._comment(call)
        text = str(json_object(call).get("text") or "")
        self._lifecycle.redact(ticket, comment, text, self._who(), Via())
        row = comment_json(comment, ticket, self._account, call.base_url)
        return json_reply(200, {"comment": row})

    def redact_attachment(self, call: Call) -> Reply:
        """Empty a file."""
        ticket, comment = self._comment(call)
        attachment_id = number_in_path(call, "attachment_id")
        self._lifecycle.redact_attachment(ticket, comment, attachment_id, self._who(), Via())
        found = next(one for one in comment.attachments if one.id == attachment_id)
        return json_reply(200, {"attachment": attachment_json(found, call.base_url)})

    def _comment(self, call: Call) -> tuple[Ticket, Comment]:
        ticket = find_ticket(self._account, call)
        comment = self._account.comment(ticket, number_in_path(call, "comment_id"))
        if comment is None:
            raise not_found()
        return ticket, comment

    def _users(self, call: Call, ids: Iterable[int]) -> Json:
        if "users" not in (call.value("include") or "").split(","):
            return {}
        known = [user for one in sorted(set(ids)) if (user := self._account.users.get(one))]
        return {"users": [user_json(user, call.base_url) for user in known]}


def _is_descending(call: Call) -> bool:
    return call.value("sort") == "-created_at" or call.value("sort_order") == "desc"
