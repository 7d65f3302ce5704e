"""Webhook signatures of senders who are told how to sign: HMAC-SHA256 over a time and the body.

`v1=` and the hex digest of `TIME.BODY`, in two headers whose names are each connector's own. Pure:
the time is handed in. What the signed bytes say is for the connector to read.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.core.errors import Unauthentic

#: Repeated or late webhooks prove no more than they did before, so clocks that differ are forgiven.
FRESHNESS = timedelta(minutes=15)

_SCHEME = "v1="
#: Digits of a Unix time in the year 33658; longer ones are no time.
_LONGEST_TIMESTAMP = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureHeaders:
    """The headers' names, in lower case."""

    timestamp: str
    signature: str


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    named: SignatureHeaders,
    secret: str,
    now: datetime,
) -> None:
    """Return if the holder of the secret signed these bytes just now, else raise `Unauthentic`.

    Header names in lower case. An empty secret proves nothing, whatever was signed with it.
    """
    timestamp = headers.get(named.timestamp, "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise Unauthentic("the webhook has no timestamp")
    signed = timestamp.encode() + b"." + body
    expected = _SCHEME + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    # As bytes: of text, `compare_digest` takes ASCII only, and a header may hold anything.
    given = headers.get(named.signature, "").encode("utf-8", "replace")
    if not secret or not hmac.compare_digest(given, expected.encode()):
        raise Unauthentic("the webhook's signature does not fit")
    if abs(now.timestamp() - int(timestamp)) > FRESHNESS.total_seconds():
        raise Unauthentic(
            "the webhook's timestamp is too far from this machine's time",
            hint="Set the clocks of both machines by NTP; polling goes on meanwhile.",
        )
