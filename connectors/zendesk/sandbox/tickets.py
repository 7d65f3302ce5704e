"""The ticket endpoints: show, list, create, update, delete, restore, tags.

https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.draft import unpermitted
from connectors.zendesk.sandbox.errors import (
    idempotency_mismatch,
    invalid_attribute,
    not_found,
    too_many_values,
)
from connectors.zendesk.sandbox.lifecycle import Lifecycle
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.people import requester_of
from connectors.zendesk.sandbox.records import Json, Ticket, User, Via
from connectors.zendesk.sandbox.request import (
    find_ticket,
    json_object,
    number_in_path,
    ticket_body,
)
from connectors.zendesk.sandbox.text import as_tag_list
from connectors.zendesk.sandbox.update import Updates
from connectors.zendesk.sandbox.wire import group_json, stamp, ticket_json, user_json

IDEMPOTENCY_SECONDS: Final = 2 * 3600
LONGEST_KEY: Final = 255
MOST_IDS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class _Remembered:
    body_hash: str
    reply: Reply
    until: int


class TicketRoutes:
    """Ticket endpoints of one account."""

    def __init__(
        self, account: Account, updates: Updates, lifecycle: Lifecycle, who: Callable[[], User]
    ) -> None:
        self._account = account
        self._updates = updates
        self._lifecycle = lifecycle
        self._who = who
        self._remembered: dict[str, _Remembered] = {}

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        one = "/api/v2/tickets/{id}"
        return [
            Route("GET", "/api/v2/tickets/show_many", self.show_many),
            Route("GET", "/api/v2/tickets", self.index),
            Route("POST", "/api/v2/tickets", self.create),
            Route("GET", one, self.show),
            Route("PUT", one, self.update),
            Route("DELETE", one, self.delete),
            Route("GET", f"{one}/tags", self.show_tags),
            Route("PUT", f"{one}/tags", self.change_tags),
            Route("POST", f"{one}/tags", self.change_tags),
            Route("DELETE", f"{one}/tags", self.change_tags),
            Route("GET", "/api/v2/deleted_tickets", self.deleted),
            Route("PUT", "/api/v2/deleted_tickets/{id}/restore", self.restore),
            Route("GET", "/api/v2/search", self.search),
        ]

    def show(self, call: Call) -> Reply:
        """One ticket."""
        ticket = find_ticket(self._account, call)
        row = ticket_json(ticket, self._account, call.base_url)
        return json_reply(200, {"ticket": row} | self._sideloads(call, [ticket]))

    def show_many(self, call: Call) -> Reply:
        """Up to 100 tickets by id, in the order of ids; those not there are left out."""
        asked = [part for part in (call.value("ids") or "").split(",") if part.strip()]
        if len(asked) > MOST_IDS:
            raise too_many_values(MOST_IDS)
        try:
            ids = sorted({int(part) for part in asked})
        except ValueError:
            raise invalid_attribute("ids", "Invalid parameter: ids must be integers") from None
        tickets = [ticket for one in ids if (ticket := self._account.ticket(one)) is not None]
        rows = [ticket_json(ticket, self._account, call.base_url) for ticket in tickets]
        around = {"count": len(rows), "next_page": None, "previous_page": None}
        return json_reply(200, {"tickets": rows, **around} | self._sideloads(call, tickets))

    def index(self, call: Call) -> Reply:
        """Tickets that are not deleted, by cursor or offset; `external_id` filters."""
        tickets = self._account.listed_tickets(self._account.settings.listing_lag_seconds)
        if (external_id := call.value("external_id")) is not None:
            tickets = [t for t in tickets if t.values["external_id"] == external_id]
        by_cursor = call.value("page[size]") is not None
        key = call.value("sort") if by_cursor else call.value("sort_by")
        is_descending = (key or "").startswith("-") or call.value("sort_order") == "desc"
        tickets.sort(key=_sort_key((key or "").lstrip("-")), reverse=is_descending)
        page = page_of(call, tickets, lambda ticket: ticket.id)
        has_fields = not page.is_cursor
        rows = [
            ticket_json(ticket, self._account, call.base_url, has_fields=has_fields)
            for ticket in page.rows
        ]
        return json_reply(200, {"tickets": rows, **page.around} | self._sideloads(call, page.rows))

    def create(self, call: Call) -> Reply:
        """A new ticket; an Idempotency-Key makes repeating it harmless for two hours."""
        key = call.headers.get("idempotency-key")
        if key is None:
            return self._create(call)
        if len(key) > LONGEST_KEY:
            raise invalid_attribute("Idempotency-Key", "It must not exceed 255 characters")
        body_hash = hashlib.sha256(call.body).hexdigest()
        known = self._remembered.get(key)
        if known is not None and known.until > self._account.second():
            if known.body_hash != body_hash:
                raise idempotency_mismatch()
            return _with(known.reply, "x-idempotency-lookup", "hit")
        reply = self._create(call)
        until = self._account.second() + IDEMPOTENCY_SECONDS
        self._remembered[key] = _Remembered(body_hash=body_hash, reply=reply, until=until)
        return _with(reply, "x-idempotency-lookup", "miss")

    def update(self, call: Call) -> Reply:
        """Status, tags, fields and a comment in one update."""
        ticket, given = find_ticket(self._account, call), ticket_body(call)
        done = self._updates.carry_out(ticket, given, self._who(), Via(), base_url=call.base_url)
        return _warned(json_reply(200, done.answer), given)

    def delete(self, call: Call) -> Reply:
        """Put a ticket among the deleted ones."""
        self._lifecycle.delete(find_ticket(self._account, call), self._who(), Via())
        return Reply(status=204)

    def show_tags(self, call: Call) -> Reply:
        """A ticket's tags."""
        return json_reply(200, {"tags": find_ticket(self._account, call).tags})

    def change_tags(self, call: Call) -> Reply:
        """PUT adds, POST sets, DELETE removes; safe updates are honoured."""
        ticket, given = find_ticket(self._account, call), json_object(call)
        tags = as_tag_list(given.get("tags", call.value("tags")))
        wanted: Json = {
            "PUT": {"additional_tags": tags},
            "POST": {"tags": tags},
            "DELETE": {"remove_tags": tags},
        }[call.method]
        guard = {key: given[key] for key in ("safe_update", "updated_stamp") if key in given}
        self._updates.carry_out(ticket, wanted | guard, self._who(), Via())
        return json_reply(201 if call.method == "POST" else 200, {"tags": ticket.tags})

    def deleted(self, call: Call) -> Reply:
        """Tickets deleted and not yet scrubbed."""
        gone = [
            ticket
            for ticket in self._account.tickets.values()
            if ticket.deleted_at is not None and not ticket.is_scrubbed
        ]
        page = page_of(call, gone, lambda ticket: ticket.id)
        rows = [
            {
                "id": ticket.id,
                "subject": ticket.values["subject"],
                "actor": self._actor(ticket.deleted_by),
                "deleted_at": stamp(ticket.deleted_at),
                "previous_state": ticket.values["status"],
            }
            for ticket in page.rows
        ]
        return json_reply(200, {"deleted_tickets": rows, **page.around})

    def restore(self, call: Call) -> Reply:
        """Bring a deleted ticket back."""
        ticket = self._account.tickets.get(number_in_path(call))
        if ticket is None or ticket.deleted_at is None or ticket.is_scrubbed:
            raise not_found()
        self._lifecycle.restore(ticket, self._who(), Via())
        return json_reply(200, "")

    def search(self, call: Call) -> Reply:
        """Tickets whose words are asked for; offset paging, minutes behind."""
        words = [w for w in (call.value("query") or "").split() if not w.startswith("type:")]
        listed = self._account.listed_tickets(self._account.settings.search_lag_seconds)
        found = [ticket for ticket in listed if all(_matches(ticket, word) for word in words)]
        page = page_of(call, found, lambda ticket: ticket.id)
        rows = [
            ticket_json(ticket, self._account, call.base_url) | {"result_type": "ticket"}
            for ticket in page.rows
        ]
        return json_reply(200, {"results": rows, "facets": None, **page.around})

    def _create(self, call: Call) -> Reply:
        given, actor = ticket_body(call), self._who()
        source_id = given.get("via_followup_source_id")
        via = Via()
        if source_id is not None:
            given, via = self._lifecycle.follow_up(given, int(source_id))
        requester = requester_of(self._account, given, actor)
        done = self._updates.create(given, actor, via, requester=requester, base_url=call.base_url)
        if source_id is not None:
            self._account.tickets[int(source_id)].followup_ids.append(done.ticket.id)
        done.answer["ticket"]["generated_timestamp"] = 0
        location = ("location", str(done.answer["ticket"]["url"]))
        return _warned(json_reply(201, done.answer, [location]), given)

    def _actor(self, user_id: int | None) -> Json:
        user = self._account.users.get(user_id or 0)
        return {"id": user_id, "name": user.name if user else "System"}

    def _sideloads(self, call: Call, tickets: list[Ticket]) -> Json:
        wanted = set((call.value("include") or "").split(","))
        loads: Json = {}
        if "users" in wanted:
            ids = {t.values[key] for t in tickets for key in ("requester_id", "assignee_id")}
            ids |= {t.submitter_id for t in tickets}
            users = [u for one in ids if (u := self._account.users.get(one or 0)) is not None]
            loads["users"] = [user_json(user, call.base_url) for user in users]
        if "groups" in wanted:
            used = {t.values["group_id"] for t in tickets}
            groups = [g for g in self._account.groups.values() if g.id in used]
            loads["groups"] = [group_json(g, call.base_url, is_default=False) for g in groups]
        return loads


def _with(reply: Reply, name: str, value: str) -> Reply:
    return replace(reply, headers=(*reply.headers, (name, value)))


def _warned(reply: Reply, given: Json) -> Reply:
    if dropped := unpermitted(given):
        return _with(reply, "x-zendesk-api-warn", f"Removed restricted keys {dropped}")
    return reply


def _sort_key(name: str) -> Callable[[Ticket], Any]:
    if name == "updated_at":
        return lambda ticket: (ticket.updated_at, ticket.id)
    if name == "status":
        return lambda ticket: (ticket.status, ticket.id)
    return lambda ticket: ticket.id


def _matches(ticket: Ticket, word: str) -> bool:
    key, _, value = word.partition(":")
    if not value:
        text = [ticket.values["subject"], *(comment.body for comment in ticket.comments)]
        return any(word.lower() in part.lower() for part in text)
    if key == "tags":
        return value in ticket.tags
    return str(ticket.values.get(key, ticket.status if key == "status" else None)) == value
