"""A file as a tree that knows where each value stands.

What a value was before YAML 1.1 read it (`no`, `0777`, `1:30`) stays known, so that a check can
say "quote it".
How the tree comes to be is `config.parse`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from syncd.core.errors import Problem

Path: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scalar:
    """One value; `raw` is what the file says, `value` what YAML 1.1 reads."""

    line: int
    column: int
    raw: str
    value: bool | int | float | str | None
    is_quoted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list."""

    line: int
    column: int
    items: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """A mapping, with each key as a value of its own so that its place is known."""

    line: int
    column: int
    entries: dict[str, tuple[Scalar, Node]]


Node: TypeAlias = Scalar | Items | Entries


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file as far as it could be read; `root` is None when it could not."""

    file: str
    root: Node | None
    problems: tuple[Problem, ...] = ()

    def place(self, path: Path, *, of_key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path`, or of the nearest thing around it in the file."""
        node, place = self.root, (1, 1)
        if node is not None:
            place = (node.line, node.column)
        for index, part in enumerate(path):
            if isinstance(node, Entries) and isinstance(part, str) and part in node.entries:
                key, node = node.entries[part]
                wants_key = of_key and index == len(path) - 1
                place = (key.line, key.column) if wants_key else (node.line, node.column)
            elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
                node = node.items[part]
                place = (node.line, node.column)
            else:
                break
        return place

    def node(self, path: Path) -> Node | None:
        """What the file has at exactly this path."""
        node = self.root
        for part in path:
            if isinstance(node, Entries) and isinstance(part, str) and part in node.entries:
                node = node.entries[part][1]
            elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
                node = node.items[part]
            else:
                return None
        return node

    def values(self) -> Value:
        """The whole as plain data; the caller owns it."""
        return None if self.root is None else _plain(self.root)


def _plain(node: Node) -> Value:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    return {key: _plain(value) for key, (_, value) in node.entries.items()}


def reading(scalar: Scalar) -> str:
    """What YAML 1.1 takes an unquoted value for, in words."""
    if scalar.value is None:
        return "nothing"
    if isinstance(scalar.value, bool):
        return "true" if scalar.value else "false"
    return "a number" if isinstance(scalar.value, int | float) else "text"
