"""Webhooks: who wants which changes, and the signed parcels that carry them.

Losing, doubling and reordering is the courier's mischief; by default it behaves.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.platform.sandbox import wire
from connectors.platform.sandbox.model import Token, Update, Webhook
from connectors.platform.sandbox.new_update import invalid_by
from connectors.platform.sandbox.refusal import invalid
from connectors.platform.sandbox.register import Register
from connectors.sandbox import Attempt, Courier, Parcel, SandboxTime

Event = Literal["comment", "status", "tags", "views", "subject"]
EVENTS: tuple[Event, ...] = ("comment", "status", "tags", "views", "subject")
LAST_ATTEMPT = 12
LONGEST_PAUSE_SECONDS = 3600.0


class _NewWebhook(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    url: str
    secret: Annotated[str, Field(min_length=16, max_length=200, pattern=r"^[\x21-\x7e]+$")]
    events: Annotated[list[Event], Field(min_length=1)] = list(EVENTS)


def back_off(attempt: Attempt) -> float | None:
    """1, 2, 4 ... seconds up to an hour, twelve attempts in all."""
    if attempt.number >= LAST_ATTEMPT:
        return None
    return float(min(2.0 ** (attempt.number - 1), LONGEST_PAUSE_SECONDS))


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `Platform-Webhook-Signature`."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def read_new_webhook(
    value: dict[str, Any], *, webhook_id: str, token: Token, register: Register
) -> Webhook:
    """What the token wants to have posted where. Raises Refusal."""
    try:
        new = _NewWebhook.model_validate(value)
    except ValidationError as error:
        raise invalid_by(error) from error
    if not _is_allowed(new.url):
        raise invalid("url", "Must be https, or http to a loopback address.")
    return Webhook(
        id=webhook_id,
        token_id=token.id,
        url=new.url,
        secret=new.secret,
        events=tuple(dict.fromkeys(new.events)) if "events" in new.model_fields_set else None,
        created_at=register.now_at(),
    )


def webhook_json(webhook: Webhook) -> dict[str, object]:
    """The webhook without its secret."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events or EVENTS),
        "created_at": wire.time_json(webhook.created_at),
    }


@dataclass(kw_only=True, slots=True)
class Hooks:
    """All webhooks of all tokens."""

    register: Register
    time: SandboxTime
    courier: Courier
    # Post, and wait for the first attempt, before the answer of the write goes out.
    is_before_answer: bool = False
    webhooks: dict[tuple[str, str], Webhook] = field(default_factory=dict)

    def announce(self, update: Update) -> None:
        """Post one update to everybody who wants it and may know of it."""
        for webhook in self.webhooks.values():
            token = self.register.tokens[webhook.token_id]
            ticket = self.register.visible(token, update.ticket_id)
            if ticket is None:
                continue
            change = wire.change_json(update, ticket, token)
            if webhook.events is None or _touched(change) & set(webhook.events):
                self._post(webhook, change)

    async def settle(self) -> None:
        """Before a write's answer: wait for the first attempts, if that is switched on."""
        if self.is_before_answer:
            await self.courier.first_attempts()

    def _post(self, webhook: Webhook, change: dict[str, object]) -> None:
        parcel_id = self.register.new_id()

        def sign(body: bytes) -> Mapping[str, str]:
            timestamp = str(int(self.time.now()))
            return {
                "platform-webhook-id": parcel_id,
                "platform-webhook-timestamp": timestamp,
                "platform-webhook-signature": signature(webhook.secret, timestamp, body),
            }

        body = json.dumps(change, ensure_ascii=False, separators=(",", ":")).encode()
        self.courier.post(Parcel(parcel_id=parcel_id, url=webhook.url, body=body, sign=sign))


def _touched(change: dict[str, object]) -> set[str]:
    update = change["update"]
    return {name for name in EVENTS if isinstance(update, dict) and update[name] is not None}


def _is_allowed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
