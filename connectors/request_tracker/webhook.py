"""What a webhook of RT proves, once its signature does: that a ticket moved, and nothing more.

Pure: the time is handed in. The scrip that calls tells ids only; what happened is read. A repeated
or late one proves no more than it did before.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.request_tracker import wire
from connectors.request_tracker.mapping import AUDIENCES, hint
from syncd.core.errors import Unauthentic, Unintelligible
from syncd.core.model import ConnectionName
from syncd.ports import Heard

TIMESTAMP = "x-syncd-timestamp"
SIGNATURE = "x-syncd-signature"
FRESHNESS = timedelta(minutes=15)

_SCHEME = "v1="
#: Digits of a Unix time in the year 33658; longer ones are no time.
_LONGEST_TIMESTAMP = 12


class _Event(Struct, frozen=True, kw_only=True):
    type: str
    ticket: int
    transaction: int


def read_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    connection: ConnectionName,
    now: datetime,
    freshness: timedelta = FRESHNESS,
) -> Heard:
    """The hint in a webhook. Header names in lower case.

    Raises `Unauthentic` for a wrong or stale signature, `Unintelligible` for a signed riddle.
    """
    verify(headers, body, secret=secret, now=now, freshness=freshness)
    try:
        event = wire.read(_Event, body)
    except wire.NotAsDocumented as error:
        raise Unintelligible(str(error), connection=connection, action="webhook") from error
    if event.ticket < 1 or event.transaction < 1:
        raise Unintelligible("a number below 1", connection=connection, action="webhook")
    is_comment = event.type in AUDIENCES
    return Heard(sightings=(hint(event.ticket, event.transaction, is_comment=is_comment),))


def verify(
    headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime, freshness: timedelta
) -> None:
    """Return if the holder of the secret signed these bytes just now, else raise `Unauthentic`."""
    timestamp = headers.get(TIMESTAMP, "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise Unauthentic("the webhook has no timestamp")
    signed = timestamp.encode() + b"." + body
    expected = _SCHEME + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    # As bytes: of text, `compare_digest` takes ASCII only, and a header may hold anything.
    given = headers.get(SIGNATURE, "").encode("utf-8", "replace")
    if not secret or not hmac.compare_digest(given, expected.encode()):
        raise Unauthentic("the webhook's signature does not fit")
    if abs(now.timestamp() - int(timestamp)) > freshness.total_seconds():
        raise Unauthentic(
            "the webhook's timestamp is too far from this machine's time",
            hint="Set the clocks of both machines by NTP; polling goes on meanwhile.",
        )
