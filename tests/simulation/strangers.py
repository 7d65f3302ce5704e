"""Promise 10: of tickets that are nobody's here, webhooks may tell what they like.

How many come is the desk's affair. In memory a connection has the last few thousand; in the store
none is kept, and none has a pair.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Wrong = Callable[[int, str], None]

_PROMISE = 10
#: By connection, as docs/invariants.md has it.
_MOST_REMEMBERED = 4096
#: The id of a stranger's ticket, by the desk's kind, as ids are there.
PLATFORM_ID = "KFREMD{0:06}"
PARTNER_ID = "77{0:08}"
_PATTERNS = (re.compile(r"KFREMD\d{6}"), re.compile(r"\b77\d{8}\b"))
#: What leads from the daemon's parts to the rest of the process, this test's own parts included.
_DOORS = (types.ModuleType, type, types.FrameType, asyncio.Future, asyncio.AbstractEventLoop)
_FOREIGN = ("tests.", "asyncio.", "_asyncio", "logging", "structlog")


class Strangers:
    """Looks for them in one history."""

    def __init__(self, wrong: Wrong) -> None:
        self._wrong = wrong

    def look(self, daemon: object) -> None:
        """A crowd has been: how many of them are in the daemon's memory."""
        found: list[set[str]] = [set() for _ in _PATTERNS]
        for text in _texts(daemon):
            for pattern, ids in zip(_PATTERNS, found, strict=True):
                ids.update(pattern.findall(text))
        for ids in found:
            if len(ids) > _MOST_REMEMBERED:
                self._wrong(_PROMISE, "a webhook's ticket is remembered for ever")

    def check(self, store: Iterable[str], pairs: Iterable[str]) -> None:
        """At the end: the store's rows as text, and the platform's tickets that have pairs."""
        if any(pattern.search(line) for line in store for pattern in _PATTERNS):
            self._wrong(_PROMISE, "a stranger's ticket is kept in the store")
        if any(pattern.search(ticket_id) for ticket_id in pairs for pattern in _PATTERNS):
            self._wrong(_PROMISE, "a stranger's ticket has a pair")


def _texts(root: object) -> Iterator[str]:
    """Every text that is reachable from the daemon's parts."""
    seen: set[int] = set()
    ahead: list[Any] = [root]
    while ahead:
        one = ahead.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, str):
            yield one
        elif not _is_door(one):
            ahead += _behind(one)


def _is_door(one: object) -> bool:
    return isinstance(one, _DOORS) or type(one).__module__.startswith(_FOREIGN)


def _behind(one: object) -> Iterable[object]:
    if isinstance(one, types.FunctionType):
        # Its globals are those of a whole module.
        return [*(one.__closure__ or ()), *(one.__defaults__ or ())]
    if isinstance(one, functools.partial):
        return [one.func, *one.args, *one.keywords.values()]
    return gc.get_referents(one)
