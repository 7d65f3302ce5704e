"""The Zendesk in miniature, put together: who calls, what it costs, who answers.

The vendor's order is kept: credentials, scope, role, quota, then the endpoint. Everything the
account holds is in `account.py`; the rules of tickets are in `draft.py`, `update.py`,
`business.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import httpx

from connectors.sandbox import Call, Handler, Reply, Route, Router, SandboxTime, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.acting import Acting
from connectors.zendesk.sandbox.auth import Credentials, check_scope
from connectors.zendesk.sandbox.comments import CommentRoutes
from connectors.zendesk.sandbox.custom_statuses import CustomStatusRoutes
from connectors.zendesk.sandbox.errors import (
    Refusal,
    forbidden,
    invalid_attribute,
    no_endpoint,
    not_authenticated,
)
from connectors.zendesk.sandbox.export import Exports
from connectors.zendesk.sandbox.fields import FieldRoutes
from connectors.zendesk.sandbox.files import CONTENT_PATH, FileRoutes, scan_files
from connectors.zendesk.sandbox.imports import Imports
from connectors.zendesk.sandbox.jobs import JobRoutes
from connectors.zendesk.sandbox.lifecycle import Lifecycle
from connectors.zendesk.sandbox.people import PeopleRoutes
from connectors.zendesk.sandbox.quota import Quota
from connectors.zendesk.sandbox.records import User
from connectors.zendesk.sandbox.rules import RuleRoutes
from connectors.zendesk.sandbox.settings import ZendeskSettings
from connectors.zendesk.sandbox.shown import shown_account
from connectors.zendesk.sandbox.tickets import TicketRoutes
from connectors.zendesk.sandbox.update import Updates
from connectors.zendesk.sandbox.webhooks import Webhooks

ADMIN_ONLY: Final = ("/api/v2/incremental/", "/api/v2/imports/", "/api/v2/webhooks")
# How long an answer may wait for its own webhooks.
PATIENCE_SECONDS: Final = 5.0


class ZendeskDesk:
    """One account behind the chassis."""

    name = "zendesk"

    def __init__(
        self,
        settings: ZendeskSettings | None = None,
        time: SandboxTime | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Webhooks go out over the `transport`, or over the machine's own network."""
        self._transport = transport
        self.time = time or SandboxTime()
        self._first_settings = settings or ZendeskSettings()
        self._caller: User | None = None
        self._request_count = 0
        self.quota = Quota(self.time)
        self._retired: list[Webhooks] = []
        self._build()

    def serve(self, call: Call, handler: Handler | None) -> Reply:
        """Answer one API call in the vendor's words."""
        self._request_count += 1
        self._caller = None
        try:
            self._tick()
            reply = self._serve(call, handler)
        except Refusal as refusal:
            reply = refusal.reply
        common = self._common_headers(call, reply)
        return replace(reply, headers=(*reply.headers, *common), user=self._caller_label())

    def _caller_label(self) -> str | None:
        caller = self._caller
        return None if caller is None else caller.email or caller.name

    async def settle(self) -> None:
        """Deliver webhooks before the answer goes out, where the account is set so."""
        if self.account.settings.webhook_before_answer:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self.webhooks.courier.first_attempts()
            except TimeoutError:
                return

    def state(self) -> dict[str, object]:
        """Tickets, people, notifications, webhooks, quotas."""
        self._tick()
        return {
            **shown_account(self.account),
            **self.webhooks.state(),
            "quota": self.quota.state(),
        }

    def reset(self) -> None:
        """A fresh account with the settings it was made with."""
        self.webhooks.courier.drop_all()
        self._retired.append(self.webhooks)
        self.quota.forget()
        self._build()

    async def close(self) -> None:
        """Stop delivering webhooks."""
        for webhooks in (*self._retired, self.webhooks):
            await webhooks.courier.close()

    def _build(self) -> None:
        self.account = Account(self._first_settings, self.time)
        self.webhooks = Webhooks(self.account, self._transport)
        self.credentials = Credentials(self.account)
        self.updates = Updates(account=self.account, on_kept=self.webhooks.on_kept)
        lifecycle = Lifecycle(self.account, self.updates)
        imports = Imports(self.account, self.updates)
        self._jobs = JobRoutes(self.account, self.updates, lifecycle, imports, self._who)
        self.router = Router(
            self._routes(
                # Jobs first: `update_many` is no ticket's number.
                self._jobs.routes(),
                TicketRoutes(self.account, self.updates, lifecycle, self._who).routes(),
                CommentRoutes(self.account, lifecycle, self._who).routes(),
                Exports(self.account).routes(),
                FieldRoutes(self.account).routes(),
                CustomStatusRoutes(self.account).routes(),
                PeopleRoutes(self.account, lambda: self._caller).routes(),
                FileRoutes(self.account).routes(),
                RuleRoutes(self.account).routes(),
                self.webhooks.routes(),
            ),
            optional_suffix=".json",
        )
        acting = Acting(self.account, self.updates, lifecycle, self.quota, lambda: self.credentials)
        self.controls = Router(acting.routes())

    def _routes(self, *groups: Iterable[Route]) -> list[Route]:
        own = [
            Route("POST", "/oauth/tokens", self.credentials.grant),
            Route("GET", "/api/v2/oauth/tokens/current", self._current_token),
        ]
        return own + [route for group in groups for route in group]

    def _current_token(self, call: Call) -> Reply:
        return json_reply(200, self.credentials.current(call))

    def _who(self) -> User:
        # Every handler that asks runs after `_serve` has let a caller in.
        if self._caller is None:
            raise not_authenticated()
        return self._caller

    def _tick(self) -> None:
        self._jobs.tick()
        scan_files(self.account)
        self.updates.rules.close_solved(self.updates)

    def _serve(self, call: Call, handler: Handler | None) -> Reply:
        if call.template == "/oauth/tokens" and handler is not None:
            return handler(call)
        settings = self.account.settings
        if handler is not None and self._is_open(call):
            return handler(call)
        self._caller, scopes = self.credentials.caller(call)
        check_scope(call, scopes)
        if not self._caller.is_agent and call.template != "/api/v2/users/me":
            raise forbidden()
        if self._caller.role != "admin" and call.path.startswith(ADMIN_ONLY):
            raise forbidden()
        rules = self.quota.take(call, self._caller.id, settings)
        try:
            if handler is None:
                raise no_endpoint()
            reply = handler(call)
        except Refusal as refusal:
            reply = refusal.reply
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # A value of the wrong shape: the vendor refuses it, in words of its own.
            reply = invalid_attribute("request", repr(error)).reply
        return replace(reply, headers=(*reply.headers, *self.quota.headers(rules, settings)))

    def _is_open(self, call: Call) -> bool:
        """Whether the endpoint answers callers without credentials."""
        if "authorization" in call.headers:
            return False
        is_file = call.template == CONTENT_PATH and not self.account.settings.attachments_need_auth
        return is_file or call.template == "/api/v2/users/me"

    def _common_headers(self, call: Call, reply: Reply) -> list[tuple[str, str]]:
        headers = [
            ("x-request-id", f"{self.account.settings.account_id:x}-{self._request_count:012x}"),
            ("x-zendesk-api-version", "v2"),
            ("x-runtime", "0.012345"),
        ]
        if call.method == "GET" and reply.status == HTTPStatus.OK:
            # Weak by nature; the vendor documents no conditional requests.
            digest = hashlib.sha256(reply.body).hexdigest()[:32]
            headers += [
                ("etag", f'W/"{digest}"'),
                ("cache-control", "max-age=0, private, must-revalidate"),
            ]
        return headers
