"""Stamps: how a write of ours says whose it is, wherever a desk lets it.

A stamp names its link and its operation, so that a comment written for one link is news for
another.
"""

from __future__ import annotations

from syncd.core.model import LinkName, OpId, Stamp

_PREFIX = "syncd"


def stamp_for(link: LinkName, op_id: OpId) -> Stamp:
    """The stamp of an operation; at most 128 characters, safe in URLs, headers and JSON."""
    return Stamp(f"{_PREFIX}:{link}:{op_id}")


def read_stamp(text: str) -> tuple[LinkName, OpId] | None:
    """The link and operation that a stamp names; None for a text that is no stamp."""
    prefix, _, rest = text.partition(":")
    link, separator, operation = rest.rpartition(":")
    if prefix != _PREFIX or not separator or not link or not operation:
        return None
    return LinkName(link), OpId(operation)
