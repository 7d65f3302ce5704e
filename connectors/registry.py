"""Which package speaks to which kind of desk, imported only when a file names it.

A kind of this project is a word in `KINDS`; anybody else's is its package's dotted name.
A kind's package has a module `settings` with a class `Settings`, made from `ConnectionSettings`.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable
from types import ModuleType

from syncd.ports import Connector
from syncd.settings import ConnectionSettings

KINDS = {
    "platform": "connectors.platform",
    "request_tracker": "connectors.request_tracker",
    "zendesk": "connectors.zendesk",
}

_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")


class UnknownKind(LookupError):
    """No connector of that kind can be imported; the message says why."""


def names() -> tuple[str, ...]:
    """The kinds that need no dotted name."""
    return tuple(sorted(KINDS))


def load(kind: str, module: str) -> ModuleType:
    """Import one module of a kind's package, such as `connector`. Raises `UnknownKind`."""
    package = KINDS.get(kind, kind)
    if _DOTTED.fullmatch(package) is None:
        raise UnknownKind("no connector of this kind; the kinds are " + ", ".join(names()))
    try:
        return importlib.import_module(f"{package}.{module}")
    except ImportError as exc:
        raise UnknownKind(f"`{package}.{module}` cannot be imported; is it installed?") from exc


def connect(kind: str) -> Callable[..., Connector]:
    """What makes the connectors of a kind. Raises `UnknownKind`."""
    made: Callable[..., Connector] = load(kind, "connector").connect
    return made


def settings_of(kind: str) -> type[ConnectionSettings]:
    """The settings class of a kind. Raises `UnknownKind`."""
    found = getattr(load(kind, "settings"), "Settings", None)
    if not (isinstance(found, type) and issubclass(found, ConnectionSettings)):
        raise UnknownKind("its `settings` module has no `Settings` made from `ConnectionSettings`")
    lacking = sorted(found.__abstractmethods__)
    if lacking:
        raise UnknownKind(f"its `Settings` lacks {', '.join(f'`{name}`' for name in lacking)}")
    return found


def examiner_of(kind: str) -> ModuleType | None:
    """The module that has such a desk examined on its own machine; None for most kinds."""
    package = KINDS.get(kind, kind)
    if _DOTTED.fullmatch(package) is None or not importlib.util.find_spec(f"{package}.examiner"):
        return None
    return load(kind, "examiner")
