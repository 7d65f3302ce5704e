"""What a webhook of RT proves, once its signature does: that a ticket moved, and nothing more.

Pure: the time is handed in. The scrip that calls tells ids only; what happened is read. A repeated
or late one proves no more than it did before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from connectors.request_tracker import wire
from connectors.request_tracker.mapping import AUDIENCES, hint
from connectors.signature import SignatureHeaders, verify
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName
from syncd.ports import Heard

TIMESTAMP = "x-syncd-timestamp"
SIGNATURE = "x-syncd-signature"
_NAMED = SignatureHeaders(timestamp=TIMESTAMP, signature=SIGNATURE)


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
) -> Heard:
    """The hint in a webhook. Header names in lower case.

    Raises `Unauthentic` for a wrong or stale signature, `Unintelligible` for a signed riddle.
    """
    verify(headers, body, named=_NAMED, secret=secret, now=now)
    try:
        event = wire.read(_Event, body)
    except wire.NotAsDocumented as error:
        raise Unintelligible(str(error), connection=connection, action="webhook") from error
    if event.ticket < 1 or event.transaction < 1:
        raise Unintelligible("a number below 1", connection=connection, action="webhook")
    is_comment = event.type in AUDIENCES
    return Heard(sightings=(hint(event.ticket, event.transaction, is_comment=is_comment),))
