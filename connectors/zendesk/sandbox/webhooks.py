"""Webhooks of the account: their records, the events an update makes, signed delivery.

One delivery per event type and update; order, arrival and singleness are not promised. A failing
receiver is tried again only as the vendor documents, and a circuit breaker pauses deliveries.
https://developer.zendesk.com/api-reference/webhooks/introduction/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httpx

from connectors.sandbox import Attempt, Call, Courier, Mischief, Parcel, Reply, Route, json_reply
from connectors.zendesk.sandbox.account import Account
from connectors.zendesk.sandbox.errors import invalid_field, not_found
from connectors.zendesk.sandbox.event_list import BY_TRIGGER, checked
from connectors.zendesk.sandbox.happening import EVENT_PREFIX, Happening, happenings
from connectors.zendesk.sandbox.invocations import Invocations
from connectors.zendesk.sandbox.paging import page_of
from connectors.zendesk.sandbox.records import Audit, Json, Ticket
from connectors.zendesk.sandbox.request import named_object
from connectors.zendesk.sandbox.wire import stamp

# Vendor seconds between tries after a time-out or a 409; the vendor names none.
RETRY_SECONDS: Final = 15.0
TIMEOUT_TRIES, CONFLICT_TRIES = 6, 4
LONGEST_RETRY_AFTER: Final = 60.0
# Circuit breaker: share of errors, absolute errors, and how many requests it needs to judge.
WINDOW_SECONDS, ERROR_SHARE, ERROR_COUNT, FEWEST, PAUSE_SECONDS = 300.0, 0.7, 1000, 100, 5.0


@dataclass(kw_only=True, slots=True)
class Webhook:
    """One subscription."""

    id: str
    name: str
    endpoint: str
    subscriptions: list[str]
    secret: str
    created_at: int
    number: int
    status: str = "active"
    http_method: str = "POST"
    request_format: str = "json"

    def as_json(self) -> Json:
        """The wire form."""
        return {
            "id": self.id,
            "name": self.name,
            "description": None,
            "endpoint": self.endpoint,
            "status": self.status,
            "http_method": self.http_method,
            "request_format": self.request_format,
            "subscriptions": self.subscriptions,
            "authentication": None,
            "custom_headers": None,
            "external_source": None,
            "created_at": stamp(self.created_at),
            "created_by": "33144692244371",
            "updated_at": stamp(self.created_at),
            "updated_by": "33144692244371",
        }


@dataclass(kw_only=True, slots=True)
class Breaker:
    """Stops deliveries for a moment when most of them fail."""

    account: Account
    _results: deque[tuple[float, bool]] = field(default_factory=deque)
    _broken_until: float = 0.0

    def note(self, attempt: Attempt) -> None:
        """Count one attempt."""
        time = self.account.time
        is_error = attempt.status is None or attempt.status >= HTTPStatus.BAD_REQUEST
        self._results.append((time.now(), is_error))
        oldest = time.now() - time.shrunk(WINDOW_SECONDS)
        while self._results and self._results[0][0] < oldest:
            self._results.popleft()
        errors = sum(is_bad for _, is_bad in self._results)
        total = len(self._results)
        if errors > ERROR_COUNT or (total >= FEWEST and errors >= ERROR_SHARE * total):
            self._broken_until = time.now() + time.shrunk(PAUSE_SECONDS)

    def pause_seconds(self) -> float:
        """Vendor seconds to wait before the next attempt."""
        if self.account.settings.webhook_is_tripped:
            return PAUSE_SECONDS
        return max(0.0, self._broken_until - self.account.time.now()) * self.account.time.scale


class Webhooks:
    """Webhook endpoints and deliveries of one account."""

    def __init__(self, account: Account, transport: httpx.AsyncBaseTransport | None) -> None:
        self._account = account
        self._hooks: dict[str, Webhook] = {}
        self._count = 0
        breaker = Breaker(account=account)
        self.pause_seconds = breaker.pause_seconds
        self.courier = Courier(
            time=account.time,
            retry=retry_seconds,
            timeout_seconds=account.settings.webhook_timeout_seconds,
            pause_seconds=breaker.pause_seconds,
            on_attempt=breaker.note,
            seed=account.settings.seed,
            transport=transport,
        )
        self._invocations = Invocations(self.courier, lambda: breaker.pause_seconds() > 0)

    def routes(self) -> list[Route]:
        """The vendor's paths."""
        one = "/api/v2/webhooks/{id}"
        return [
            Route("GET", "/api/v2/webhooks", self.index),
            Route("POST", "/api/v2/webhooks", self.create),
            Route("GET", one, self.show),
            Route("PUT", one, self.update),
            Route("PATCH", one, self.update),
            Route("DELETE", one, self.delete),
            Route("GET", f"{one}/signing_secret", self.show_secret),
            Route("POST", f"{one}/signing_secret", self.reset_secret),
            Route("GET", f"{one}/invocations", self.invocations),
        ]

    def on_kept(self, ticket: Ticket, audit: Audit, is_new: bool) -> None:
        """Send what an update means to whoever subscribed to it."""
        receivers = [hook for hook in self._hooks.values() if hook.status == "active"]
        if not receivers:
            return
        settings = self._account.settings
        if audit.via.rel == "import" and not settings.import_fires_webhooks:
            return
        self.courier.timeout_seconds = settings.webhook_timeout_seconds
        self.courier.mischief = Mischief(
            loss=settings.webhook_loss,
            duplicate=settings.webhook_duplicate,
            reorder=settings.webhook_reorder,
        )
        made = happenings(ticket, audit, self._account, is_new=is_new)
        for hook in receivers:
            for happening in made:
                if f"{EVENT_PREFIX}{happening.type}" in hook.subscriptions:
                    self._post(hook, happening)
        self._call_by_trigger(receivers, ticket, audit)

    def _call_by_trigger(self, hooks: list[Webhook], ticket: Ticket, audit: Audit) -> None:
        settings, ours = self._account.settings, self._account.integration
        is_ours = ours is not None and audit.author_id == ours.id
        if settings.trigger_tag not in ticket.tags or is_ours:
            return
        body = settings.trigger_body.replace("{{ticket.id}}", str(ticket.id))
        at = stamp(ticket.updated_at) or ""
        body = body.replace("{{ticket.updated_at_with_timestamp}}", at)
        for hook in hooks:
            if BY_TRIGGER in hook.subscriptions:
                self._send(hook, self._new_event_id(hook), body.encode())

    def create(self, call: Call) -> Reply:
        """A new webhook; its connection method is fixed from then on."""
        given = named_object(call, "webhook")
        if not str(given.get("endpoint", "")).startswith(("http://", "https://")):
            raise invalid_field("endpoint", "Endpoint: is invalid")
        self._count += 1
        hook = Webhook(
            id=f"01SANDBOX{self._count:017d}",
            name=str(given.get("name", "")),
            endpoint=str(given["endpoint"]),
            subscriptions=checked(given.get("subscriptions") or [BY_TRIGGER]),
            secret=self._new_secret(),
            created_at=self._account.second(),
            number=self._count,
            status=str(given.get("status", "active")),
        )
        self._hooks[hook.id] = hook
        return json_reply(201, {"webhook": hook.as_json()})

    def index(self, call: Call) -> Reply:
        """All webhooks, by cursor."""
        page = page_of(call, list(self._hooks.values()), lambda hook: hook.number)
        return json_reply(200, {"webhooks": [hook.as_json() for hook in page.rows], **page.around})

    def show(self, call: Call) -> Reply:
        """One webhook."""
        return json_reply(200, {"webhook": self._hook(call).as_json()})

    def update(self, call: Call) -> Reply:
        """Change name, endpoint, status or subscriptions."""
        hook, given = self._hook(call), named_object(call, "webhook")
        if "subscriptions" in given:
            checked(given["subscriptions"], before=hook.subscriptions)
        for name in ("name", "endpoint", "status", "subscriptions"):
            if name in given:
                setattr(hook, name, given[name])
        return Reply(status=204)

    def delete(self, call: Call) -> Reply:
        """Forget a webhook."""
        del self._hooks[self._hook(call).id]
        return Reply(status=204)

    def show_secret(self, call: Call) -> Reply:
        """The secret deliveries are signed with."""
        secret = {"secret": self._hook(call).secret, "algorithm": "SHA256"}
        return json_reply(200, {"signing_secret": secret})

    def reset_secret(self, call: Call) -> Reply:
        """A new secret."""
        self._count += 1
        self._hook(call).secret = self._new_secret()
        return json_reply(
            201, {"signing_secret": {"secret": self._hook(call).secret, "algorithm": "SHA256"}}
        )

    def invocations(self, call: Call) -> Reply:
        """What was sent to a webhook, and how that ended."""
        return self._invocations.index(call, self._hook(call).id)

    def state(self) -> Json:
        """Webhooks and what became of their deliveries."""
        return {
            "webhooks": [hook.as_json() for hook in self._hooks.values()],
            "deliveries": [
                {"id": d.parcel_id, "url": d.url, "fate": d.fate, "statuses": d.statuses}
                for d in self.courier.deliveries
            ],
        }

    def _hook(self, call: Call) -> Webhook:
        hook = self._hooks.get(call.parameters["id"])
        if hook is None:
            raise not_found()
        return hook

    def _new_secret(self) -> str:
        seed = f"{self._account.settings.subdomain}:{self._count}".encode()
        return base64.b64encode(hashlib.sha256(seed).digest()).decode()

    def _post(self, hook: Webhook, happening: Happening) -> None:
        event_id = self._new_event_id(hook)
        body = json.dumps(happening.envelope(event_id, self._account), ensure_ascii=False).encode()
        self._send(hook, event_id, body)

    def _new_event_id(self, hook: Webhook) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{hook.id}:{self._account.new_id()}"))

    def _send(self, hook: Webhook, event_id: str, body: bytes) -> None:
        def sign(raw: bytes) -> Mapping[str, str]:
            at = stamp(self._account.second()) or ""
            digest = hmac.new(hook.secret.encode(), at.encode() + raw, hashlib.sha256).digest()
            return {
                "user-agent": "Zendesk Webhook",
                "x-zendesk-account-id": str(self._account.settings.account_id),
                "x-zendesk-webhook-id": hook.id,
                "x-zendesk-webhook-invocation-id": f"01INVOKED{event_id[:17].upper()}",
                "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
                "x-zendesk-webhook-signature-timestamp": at,
            }

        self._invocations.note(event_id, hook.id)
        self.courier.post(Parcel(parcel_id=event_id, url=hook.endpoint, body=body, sign=sign))


def retry_seconds(attempt: Attempt) -> float | None:
    """Vendor seconds until the next try, None for no more.

    Time-outs five times, 409 three times, 429 and 503 only with a Retry-After under a minute.
    """
    if attempt.is_timeout:
        return RETRY_SECONDS if attempt.number < TIMEOUT_TRIES else None
    if attempt.status == HTTPStatus.CONFLICT:
        return RETRY_SECONDS if attempt.number < CONFLICT_TRIES else None
    if attempt.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = attempt.retry_after_seconds
        if wait is not None and wait < LONGEST_RETRY_AFTER and attempt.number < TIMEOUT_TRIES:
            return wait
    return None
