"""The public contract, `docs/platform-api.yaml`, on top of the register.

A handler knows its caller from the `Authorization` header; `service` has already refused a call
without one. Everything a handler refuses is raised before anything is changed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from connectors.platform.sandbox import wire
from connectors.platform.sandbox.feed import Feed
from connectors.platform.sandbox.file_api import FileApi
from connectors.platform.sandbox.hooks import Hooks, read_new_webhook, webhook_json
from connectors.platform.sandbox.model import Intent, Ticket, Token, Update, Used
from connectors.platform.sandbox.new_update import read_json, read_new_update
from connectors.platform.sandbox.query import (
    cursor_number,
    if_match,
    is_included,
    statuses_of,
    time_of,
    view_of,
    whole_number,
)
from connectors.platform.sandbox.refusal import Refusal, bad_request, invalid, not_found
from connectors.platform.sandbox.register import Register
from connectors.sandbox import Call, Reply, Route, json_reply

UPDATE_ID = re.compile(r"[A-Za-z0-9._:~-]{1,128}")
WEBHOOK_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
TAG_LIMIT = 200
BATCH_LIMIT = 100


class PlatformApi:
    """Handlers of the contract's operations."""

    def __init__(self, *, register: Register, feed: Feed, hooks: Hooks) -> None:
        self._register = register
        self._feed = feed
        self._hooks = hooks

    def routes(self) -> list[Route]:
        """Every operation of the contract."""
        return [
            Route("GET", "/me", self.me),
            Route("GET", "/tickets", self.list_tickets),
            Route("GET", "/tickets:batch", self.batch),
            Route("GET", "/tickets/{ticket_id}", self.get_ticket),
            Route("GET", "/tickets/{ticket_id}/updates", self.list_updates),
            Route("PUT", "/tickets/{ticket_id}/updates/{update_id}", self.put_update),
            *FileApi(self._register, self._with_scope).routes(),
            Route("GET", "/changes", self.changes),
            Route("PUT", "/webhooks/{webhook_id}", self.put_webhook),
            Route("GET", "/webhooks/{webhook_id}", self.get_webhook),
            Route("DELETE", "/webhooks/{webhook_id}", self.delete_webhook),
        ]

    def caller(self, call: Call) -> Token:
        """Whose token the call carries. Raises Refusal (401)."""
        scheme, _, secret = call.headers.get("authorization", "").partition(" ")
        token = self._register.token_by_secret(secret.strip())
        if scheme.lower() != "bearer" or token is None:
            headers = (("www-authenticate", "Bearer"),)
            raise Refusal(401, "token_invalid", "Send a valid bearer token.", headers=headers)
        return token

    def me(self, call: Call) -> Reply:
        """The token's account."""
        token = self.caller(call)
        return json_reply(
            200,
            {
                "id": token.id,
                "name": token.name,
                "views": sorted(token.views),
                "scopes": sorted(token.scopes),
                "server_time": wire.time_json(self._register.now_at()),
            },
        )

    def list_tickets(self, call: Call) -> Reply:
        """A page of tickets, oldest first."""
        token = self._with_scope(call, "tickets:read")
        view, statuses, since_at = (
            view_of(call, token),
            statuses_of(call),
            time_of(call, "updated_since"),
        )
        start = cursor_number(call.value("cursor") or "0")
        limit = whole_number(call, "limit", default=50, least=1, most=100)
        has_threads = is_included(call, "updates")
        page: list[Ticket] = []
        has_more = False
        for ticket in self._register.since_number(start):
            if not ticket.seen_views & token.views:
                continue
            if view is not None and view not in ticket.views:
                continue
            if ticket.status not in statuses or (since_at and ticket.updated_at < since_at):
                continue
            if len(page) == limit:
                has_more = True
                break
            page.append(ticket)
        body: dict[str, object] = {
            "tickets": [wire.ticket_json(ticket, token) for ticket in page],
            "next_cursor": str(page[-1].number) if has_more else None,
            "more": has_more,
        }
        if has_threads:
            body["threads"] = wire.threads_json(page, token)
        return json_reply(200, body)

    def batch(self, call: Call) -> Reply:
        """Tickets by id; the unknown are left out."""
        token = self._with_scope(call, "tickets:read")
        ids = list(dict.fromkeys(one for one in (call.value("ids") or "").split(",") if one))
        if not 1 <= len(ids) <= BATCH_LIMIT:
            raise bad_request("ids", "From 1 to 100 ids, separated by commas.")
        found = (self._register.visible(token, ticket_id) for ticket_id in ids)
        tickets = [wire.ticket_json(ticket, token) for ticket in found if ticket is not None]
        return json_reply(200, {"tickets": tickets})

    def get_ticket(self, call: Call) -> Reply:
        """One ticket as it is now."""
        token = self._with_scope(call, "tickets:read")
        ticket = self._ticket(call, token)
        return json_reply(200, {"ticket": wire.ticket_json(ticket, token)}, _etag(ticket))

    def list_updates(self, call: Call) -> Reply:
        """The ticket's updates in order, and the ticket."""
        token = self._with_scope(call, "tickets:read")
        ticket = self._ticket(call, token)
        after = whole_number(call, "after_version", default=0, least=0, most=2**53)
        limit = whole_number(call, "limit", default=100, least=1, most=500)
        updates = ticket.updates[after : after + limit]
        body = {
            "ticket": wire.ticket_json(ticket, token),
            "updates": [wire.update_json(update, token) for update in updates],
            "more": after + limit < ticket.version,
        }
        return json_reply(200, body, _etag(ticket))

    def put_update(self, call: Call) -> Reply:
        """Change a ticket, exactly once."""
        token = self._with_scope(call, "tickets:write")
        ticket = self._ticket(call, token)
        update_id = call.parameters["update_id"]
        if not UPDATE_ID.fullmatch(update_id):
            raise bad_request("update_id", "1 to 128 letters, digits, or any of . _ : ~ -")
        wanted_version = if_match(call)
        value, canonical = read_json(call.body)
        intent = read_new_update(value, token)
        # The id before the version: a repetition must be answered although it moved the version.
        if used := ticket.used_ids.get(update_id):
            if (used.writer_id, used.body) != (token.id, canonical):
                raise Refusal(409, "update_id_reused", "This id belongs to another update.")
            return _update_reply(200, ticket, used.update, token)
        _refuse_by_state(ticket, intent, token, wanted_version)
        intent = self._with_files(intent, value, token)
        update = self._register.commit(ticket, intent, update_id)
        ticket.used_ids[update_id] = Used(writer_id=token.id, body=canonical, update=update)
        return _update_reply(200 if update is None else 201, ticket, update, token)

    def changes(self, call: Call) -> Reply:
        """A page of the feed."""
        token = self._with_scope(call, "tickets:read")
        limit = whole_number(call, "limit", default=100, least=1, most=500)
        wait_seconds = whole_number(call, "wait_seconds", default=0, least=0, most=30)
        after = self._feed.position(call.value("cursor"))
        if call.value("cursor") is None:
            wait_seconds = 0
        return self._feed.answer(token, after, limit, wait_seconds)

    def put_webhook(self, call: Call) -> Reply:
        """Create or replace a webhook."""
        token = self._with_scope(call, "webhooks")
        webhook_id = call.parameters["webhook_id"]
        if not WEBHOOK_ID.fullmatch(webhook_id):
            raise bad_request("webhook_id", "1 to 64 letters, digits, or any of . _ ~ -")
        value, _ = read_json(call.body)
        webhook = read_new_webhook(
            value, webhook_id=webhook_id, token=token, register=self._register
        )
        is_new = (token.id, webhook_id) not in self._hooks.webhooks
        self._hooks.webhooks[token.id, webhook_id] = webhook
        return json_reply(201 if is_new else 200, {"webhook": webhook_json(webhook)})

    def get_webhook(self, call: Call) -> Reply:
        """Read a webhook."""
        token = self._with_scope(call, "webhooks")
        webhook = self._hooks.webhooks.get((token.id, call.parameters["webhook_id"]))
        if webhook is None:
            raise not_found()
        return json_reply(200, {"webhook": webhook_json(webhook)})

    def delete_webhook(self, call: Call) -> Reply:
        """Remove a webhook, if there is one."""
        token = self._with_scope(call, "webhooks")
        self._hooks.webhooks.pop((token.id, call.parameters["webhook_id"]), None)
        return Reply(status=204)

    def _with_files(self, intent: Intent, value: dict[str, Any], token: Token) -> Intent:
        """The intent with the files that its comment takes. Raises Refusal."""
        if intent.comment is None:
            return intent
        ids = value["comment"].get("attachments", [])
        files = self._register.files.of_comment(token, ids, self._register.now_at())
        self._register.files.take(files)
        return replace(intent, comment=replace(intent.comment, attachments=files))

    def _with_scope(self, call: Call, scope: str) -> Token:
        token = self.caller(call)
        if scope not in token.scopes:
            raise Refusal(403, "scope_missing", f"This token lacks the scope {scope}.")
        return token

    def _ticket(self, call: Call, token: Token) -> Ticket:
        ticket = self._register.visible(token, call.parameters["ticket_id"])
        if ticket is None:
            raise not_found()
        return ticket


def _refuse_by_state(
    ticket: Ticket, intent: Intent, token: Token, wanted_version: int | None
) -> None:
    if wanted_version is not None and wanted_version != ticket.version:
        raise Refusal(
            412,
            "version_mismatch",
            "The ticket has moved on; read it and decide again.",
            version=ticket.version,
            headers=_etag(ticket),
        )
    is_status_changed = intent.status not in (None, ticket.status)
    if is_status_changed and not token.views & {*ticket.views, *intent.add_views}:
        message = "The ticket has left this token's views; its status is for others to set."
        raise Refusal(409, "not_in_view", message, field="status")
    tags = ({*ticket.tags} - {*intent.remove_tags}) | {*intent.add_tags}
    if intent.add_tags and len(tags) > TAG_LIMIT:
        raise invalid("tags.add", "A ticket may have at most 200 tags.", "too_many_tags")


def _update_reply(status: int, ticket: Ticket, update: Update | None, token: Token) -> Reply:
    body = {
        "ticket": wire.ticket_json(ticket, token),
        "update": wire.update_json(update, token) if update else None,
    }
    return json_reply(status, body, _etag(ticket))


def _etag(ticket: Ticket) -> tuple[tuple[str, str], ...]:
    return (("etag", f'"{ticket.version}"'),)
