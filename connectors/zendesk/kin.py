"""How tickets of one account are related: what `via` says of merges and follow-ups. Pure.

Neither key is promised where it is looked for, so nothing is believed but an id where one belongs.
https://developer.zendesk.com/documentation/ticketing/reference-guides/via-object-reference/
"""

from __future__ import annotations

from typing import Any


def is_merge(via: Any) -> bool:
    """Whether something came by a merge."""
    return bool(_rel(via) == "merge")


def merged_with(via: Any) -> str | None:
    """The ticket at the other end of a merge; None for anything else, or for several."""
    return _other_end(via) if is_merge(via) else None


def followed(via: Any) -> str | None:
    """The closed ticket from which a new one goes on; None for one that begins by itself."""
    return _other_end(via) if _rel(via) == "follow_up" else None


def _rel(via: Any) -> Any:
    return _part(_part(via, "source"), "rel")


def _other_end(via: Any) -> str | None:
    origin = _part(_part(via, "source"), "from")
    several = _part(origin, "ticket_ids")
    number = several[0] if isinstance(several, list) and len(several) == 1 else None
    number = _part(origin, "ticket_id") or number
    return str(number) if str(number or "").isdecimal() else None


def _part(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
