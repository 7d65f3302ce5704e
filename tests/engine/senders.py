"""Whoever may call syncd's doors: each desk's way to sign a webhook, as its vendor tells it.

Written from the vendors' pages and from what Request Tracker's scrip does, not from what reads it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Headers = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """One desk with its secret. A moment is Unix seconds of the test's clock."""

    connection: str
    secret: str
    #: The names of its two headers, and how it writes a moment and signs it with a body.
    timestamp: str
    signature: str
    moment: Callable[[float], str]
    sign: Callable[[str, str, bytes], str]

    @property
    def path(self) -> str:
        """Where it knocks."""
        return f"/webhooks/{self.connection}"

    def signed(self, body: bytes, *, at: float) -> Headers:
        """What goes with a body that was sent at a moment."""
        moment = self.moment(at)
        return {self.timestamp: moment, self.signature: self.sign(self.secret, moment, body)}


def platform(secret: str) -> Sender:
    """The platform."""
    return Sender(
        connection="heroku",
        secret=secret,
        timestamp="platform-webhook-timestamp",
        signature="platform-webhook-signature",
        moment=_seconds,
        sign=_in_hex,
    )


def zendesk(secret: str) -> Sender:
    """A partner's Zendesk."""
    return Sender(
        connection="acme",
        secret=secret,
        timestamp="x-zendesk-webhook-signature-timestamp",
        signature="x-zendesk-webhook-signature",
        moment=utc_text,
        sign=_in_base64,
    )


def request_tracker(secret: str) -> Sender:
    """A Request Tracker with our scrip."""
    return Sender(
        connection="rt",
        secret=secret,
        timestamp="x-syncd-timestamp",
        signature="x-syncd-signature",
        moment=_seconds,
        sign=_in_hex,
    )


def utc_text(at: float) -> str:
    """A moment as Zendesk writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(at: float) -> str:
    return str(int(at))


def _in_hex(secret: str, moment: str, body: bytes) -> str:
    signed = moment.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _in_base64(secret: str, moment: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), moment.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
