"""Zendesk's word about a request that it took without some of it, told once.

`x-zendesk-api-warn` names the parameters that were dropped. A name is told only if the request
really had it, so that nothing of anybody's text can come to the log that way.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from connectors.http import Request
from syncd.core.model import ConnectionName
from syncd.log import logger

WARNING = "x-zendesk-api-warn"
#: Beyond so many different ones nothing is told any more.
_MOST = 100
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Warnings:
    """The warnings that one account has given since the start."""

    def __init__(self, name: ConnectionName) -> None:
        self._name = name
        self._told: set[str] = set()

    def heed(self, request: Request, headers: Mapping[str, str]) -> None:
        """Log a warning that was not given before."""
        value = headers.get(WARNING)
        if value is None or value in self._told or len(self._told) >= _MOST:
            return
        self._told.add(value)
        dropped = sorted(set(_WORD.findall(value.lower())) & set(_names(request)))
        logger().warning(
            "connection.warned", connection=self._name, action=request.action, dropped=dropped
        )


def _names(request: Request) -> Iterator[str]:
    yield from (name for name, _ in request.query)
    if request.body is not None:
        with contextlib.suppress(msgspec.DecodeError):
            yield from _keys(msgspec.json.decode(request.body))


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _keys(part)
    elif isinstance(value, list):
        for part in value:
            yield from _keys(part)
