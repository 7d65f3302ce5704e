"""What a webhook of the platform proves, once its signature does.

Pure: the time is handed in. A webhook is one entry of the change feed; a repeated or late one
proves no more than it did before, so how fresh it must be may forgive clocks that differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.platform import wire
from connectors.platform.mapping import to_sightings
from connectors.signature import SignatureHeaders, verify
from syncd.core.errors import Unintelligible
from syncd.core.model import ConnectionName
from syncd.ports import Heard

TIMESTAMP = "platform-webhook-timestamp"
SIGNATURE = "platform-webhook-signature"
_NAMED = SignatureHeaders(timestamp=TIMESTAMP, signature=SIGNATURE)


def read_webhook(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    connection: ConnectionName,
    now: datetime,
) -> Heard:
    """The sighting in a webhook. Header names in lower case.

    Raises `Unauthentic` for a wrong or stale signature, `Unintelligible` for a signed riddle.
    """
    verify(headers, body, named=_NAMED, secret=secret, now=now)
    try:
        change = wire.read_change(body)
    except wire.NotAsDocumented as error:
        raise Unintelligible(str(error), connection=connection, action="webhook") from error
    return Heard(sightings=tuple(to_sightings([change])))
