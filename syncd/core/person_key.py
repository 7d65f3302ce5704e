"""One name for one person of a platform on one partner's desk, which tells nobody who it is.

The same customer is so one user there, on whatever ticket. Two partners get different keys, and two
platforms' numbers never meet; no address is in it, so none can be guessed from it.
"""

from __future__ import annotations

from syncd.core.model import ConnectionName, Person
from syncd.core.operations import op_id


def person_key(platform: ConnectionName, partner: ConnectionName, person: Person) -> str:
    """32 hexadecimal digits; empty for somebody whom the platform gives no id."""
    if not person.person_id:
        return ""
    return op_id("person", platform, partner, person.person_id)
