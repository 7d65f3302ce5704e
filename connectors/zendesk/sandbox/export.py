"""The incremental exports: tickets by cursor or by time, and ticket events by time.

The most recent minute is withheld, and only whole seconds that are over are shown, so that no
change slips in behind a cursor. Time-based pages repeat their boundary second.
https://developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api/
"""

from __future__ import annotations

import base64
import binascii
import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from connectors.sandbox import Call, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_attribute, too_recent
from connectors.zendesk.sandbox.paging import number, url
from connectors.zendesk.sandbox.records import Audit, Event, Json, Ticket
from connectors.zendesk.sandbox.wire import (
    comment_child_json,
    group_json,
    metadata_json,
    stamp,
    ticket_json,
    user_json,
)

T = TypeVar("T")

# What the events feed calls a channel.
_CHANNEL = {"api": "Web service", "web": "Web form", "email": "Mail", "rule": "Rule"}


class Exports:
    """Export endpoints of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        prefix = "/api/v2/incremental"
        return [
            Route("GET", f"{prefix}/tickets/cursor", self.tickets_by_cursor),
            Route("GET", f"{prefix}/tickets", self.tickets_by_time),
            Route("GET", f"{prefix}/ticket_events", self.ticket_events),
        ]

    def tickets_by_cursor(self, call: Call) -> Reply:
        """Tickets after a cursor; `after_cursor` is there at the end of the stream too."""
        cursor = call.value("cursor")
        place = _place(cursor) if cursor else (self._start_time(call), 0)
        size = self._page_size(call)
        ready = [row for row in self._tickets(call) if (row.generated_at, row.id) > place]
        page = ready[:size]
        if page:
            place = (page[-1].generated_at, page[-1].id)
        after = base64.b64encode(f"{place[0]}.0||{place[1]}|".encode()).decode()
        answer: Json = {
            "tickets": [self._ticket(row, call) for row in page],
            "after_url": url(call, cursor=after, start_time=None),
            "after_cursor": after,
            "before_url": None,
            "before_cursor": None,
            "end_of_stream": len(ready) <= size,
        }
        return json_reply(200, answer | self._sideloads(call, page))

    def tickets_by_time(self, call: Call) -> Reply:
        """Tickets from a time on, boundary second again and again."""
        start = self._start_time(call)
        ready = [row for row in self._tickets(call) if row.generated_at >= start]
        page, around = self._by_time(call, start, ready, lambda row: row.generated_at)
        answer = {"tickets": [self._ticket(row, call) for row in page]} | around
        return json_reply(200, answer | self._sideloads(call, page))

    def ticket_events(self, call: Call) -> Reply:
        """Audits from a time on, as events with their children."""
        start = self._start_time(call)
        feed = self._account.feed
        first = bisect_left(feed, start, key=lambda audit: audit.recorded_at)
        last = bisect_left(feed, self._end(), key=lambda audit: audit.recorded_at)
        ready = [audit for audit in feed[first:last] if self._is_shown(audit)]
        page, around = self._by_time(call, start, ready, lambda audit: audit.recorded_at)
        has_comments = "comment_events" in (call.value("include") or "").split(",")
        events = [self._event(audit, call, has_comments=has_comments) for audit in page]
        return json_reply(200, {"ticket_events": events} | around)

    def _end(self) -> int:
        """The first second that is withheld."""
        time = self._account.time
        withheld = time.shrunk(self._account.settings.withheld_seconds)
        return math.floor(time.now() - withheld)

    def _start_time(self, call: Call) -> int:
        start = number(call, "start_time", -1)
        if start < 0:
            raise invalid_attribute("start_time", "Invalid parameter: start_time is required")
        time = self._account.time
        youngest = self._account.settings.youngest_start_seconds
        if start > time.now() - time.shrunk(youngest):
            raise too_recent(youngest)
        return start

    def _tickets(self, call: Call) -> list[Ticket]:
        end = self._end()
        has_deleted = call.value("exclude_deleted") != "true"
        ready = [
            ticket
            for ticket in self._account.tickets.values()
            if ticket.generated_at < end and (has_deleted or ticket.deleted_at is None)
        ]
        return sorted(ready, key=lambda ticket: (ticket.generated_at, ticket.id))

    def _by_time(
        self, call: Call, start: int, ready: Sequence[T], second: Callable[[T], int]
    ) -> tuple[list[T], Json]:
        size = self._page_size(call)
        page = list(ready[:size])
        end: int | None = second(page[-1]) if page else None
        if page and second(page[0]) == end and len(ready) > size:
            # One second fills the page: it is stretched to hold all of it, and moves on.
            page = [row for row in ready if second(row) == end]
            end = second(page[-1]) + 1
        if end is None and self._account.settings.empty_page_has_end_time:
            end = start
        around = {
            "count": len(page),
            "end_of_stream": len(page) == len(ready),
            "end_time": end,
            "next_page": url(call, start_time=end) if end is not None else None,
        }
        return page, around

    def _ticket(self, ticket: Ticket, call: Call) -> Json:
        row = ticket_json(ticket, self._account, call.base_url)
        row["generated_timestamp"] = ticket.generated_at
        if "comment_count" in _includes(call):
            row["comment_count"] = len(ticket.comments)
        return row

    def _sideloads(self, call: Call, page: Sequence[Ticket]) -> Json:
        wanted, account, loads = _includes(call), self._account, Json()
        if "users" in wanted:
            people = {t.values["requester_id"] for t in page} | {t.submitter_id for t in page}
            people |= {t.values["assignee_id"] for t in page} - {None}
            known = [account.users[one] for one in sorted(people) if one in account.users]
            loads["users"] = [user_json(user, call.base_url) for user in known]
        if "groups" in wanted:
            used = {t.values["group_id"] for t in page}
            loads["groups"] = [
                group_json(group, call.base_url, is_default=False)
                for group in account.groups.values()
                if group.id in used
            ]
        return loads

    def _page_size(self, call: Call) -> int:
        largest = self._account.settings.export_page_rows
        return max(1, min(largest, number(call, "per_page", largest)))

    def _is_shown(self, audit: Audit) -> bool:
        return self._account.settings.import_shows_in_events or audit.via.rel != "import"

    def _event(self, audit: Audit, call: Call, *, has_comments: bool) -> Json:
        children = [self._child(event, audit, call, has_comments) for event in audit.events]
        return {
            "id": audit.id,
            "ticket_id": audit.ticket_id,
            "timestamp": audit.recorded_at,
            "created_at": stamp(audit.created_at),
            "updater_id": audit.author_id,
            "via": _CHANNEL.get(audit.via.channel, audit.via.channel),
            "via_reference_id": None,
            "system": audit.metadata["system"],
            "metadata": metadata_json(audit, self._account)["custom"],
            "event_type": "Audit",
            "child_events": children,
        }

    def _child(self, event: Event, audit: Audit, call: Call, has_comments: bool) -> Json:
        if event.comment is not None and has_comments:
            return comment_child_json(event.comment, call.base_url)
        via = event.via or audit.via
        is_object = self._account.settings.child_via_is_object
        child: Json = {
            "id": event.id,
            "via": via.as_json() if is_object else _CHANNEL.get(via.channel, via.channel),
            "via_reference_id": None,
            "event_type": event.kind,
        }
        if event.comment is not None:
            return child | {"comment_present": True, "comment_public": event.comment.is_public}
        if event.kind in ("Create", "Change"):
            return child | self._changed(event)
        return child | event.data

    def _changed(self, event: Event) -> Json:
        name, value = event.data["field_name"], event.data["value"]
        child: Json = {name: value}
        if name.isdigit():
            child = {"custom_ticket_fields": {name: value}}
        if event.kind == "Change":
            before = event.data["previous_value"]
            child["previous_value"] = before
            if name == "tags" and self._account.settings.tag_children_have_deltas:
                child["added_tags"] = sorted(set(value) - set(before))
                child["removed_tags"] = sorted(set(before) - set(value))
        return child


def _includes(call: Call) -> set[str]:
    return set((call.value("include") or "").split(","))


def _place(cursor: str) -> tuple[int, int]:
    try:
        second, _, rest = base64.b64decode(cursor).decode().partition(".0||")
        return int(second), int(rest.rstrip("|"))
    except (binascii.Error, ValueError):
        raise invalid_attribute("cursor", "Invalid parameter: cursor is invalid") from None
