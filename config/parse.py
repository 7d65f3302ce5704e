"""Read YAML into a `Document`, and refuse what is not plain data.

Every key is text, no key comes twice, there are no tags, and aliases cannot grow a small file
into a large tree. Dates stay text. Whether keys and values make sense is for `config.load`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from config.document import Document, Entries, Items, Node, Scalar, reading
from config.problem import BEGIN_HINT
from syncd.core.errors import Problem

#: Far above any real file; below what could keep the daemon from starting.
MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_VALUES = 50_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_YAML = "tag:yaml.org,2002:"
_READ_AS = {f"{_YAML}{name}" for name in ("bool", "int", "float", "null")}

#: What the parser says, in parts of its own words, and what to tell a person. The parser's sentence
#: is never repeated whole: it quotes the file, and it may have stumbled over a password.
_SYNTAX = (
    ("escape", "a backslash in double quotes with no meaning", "double it, or use single quotes"),
    ("cannot start any token", "a value begins with a character that YAML reserves", "quote it"),
    (
        "mapping values are not allowed",
        "a second ': ' in one value",
        "quote the value, or mend its indentation",
    ),
    ("expected ':'", "a key without ': ' after it", "add ': ', or close the quote before"),
    ("block end", "the indentation fits no line above", "align it with its neighbours"),
    ("expected key", "the indentation fits no line above", "align it with its neighbours"),
    ("unexpected end of stream", "a quote is not closed", "close it"),
    ("quoted scalar", "a quote is not closed", "close it"),
    ("flow sequence", "a '[' is not closed, or a comma is missing", "add ']' or ','"),
    ("flow mapping", "a '{' is not closed, or a comma is missing", "add '}' or ','"),
    ("alias", "a value begins with '*', which YAML reserves", "quote it"),
    ("anchor", "a value begins with '&', which YAML reserves", "quote it"),
    ("tag", "a value begins with '!' or '%', which YAML reserves", "quote it"),
    ("directive", "a line begins with '%', which YAML reserves", "quote it"),
)


def read(text: bytes, *, file: str) -> Document:
    """Read one document. Never raises for what is in it: `Document.problems` tells."""
    if len(text) > MAX_BYTES:
        return _refused(
            file, f"larger than {MAX_BYTES // 1000} kB", "split it, or drop what it repeats"
        )
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = text.count(b"\n", 0, exc.start) + 1
        return _refused(file, "not UTF-8 text", "save it as UTF-8", line=line)
    builder = _Builder(file=file)
    try:
        root = builder.build(yaml.parse(decoded, Loader=_LOADER))
    except _Stop:
        root = None
    except yaml.MarkedYAMLError as exc:
        builder.syntax(exc, decoded)
        root = None
    except yaml.YAMLError:
        builder.add(
            (1, 1), "a character that text files do not have", "remove it, or write it as an escape"
        )
        root = None
    return Document(file=file, root=root, problems=tuple(builder.problems))


def _refused(file: str, message: str, hint: str, *, line: int = 1) -> Document:
    problem = Problem(file=file, line=line, column=1, message=message, hint=hint)
    return Document(file=file, root=None, problems=(problem,))


class _Stop(Exception):
    """The rest cannot be read; the problem is already noted."""


_AT_BEGIN = {words for _, words, _ in _SYNTAX if "not closed" in words or "a key without" in words}


@dataclass(kw_only=True)
class _Builder:
    """Makes the tree from parser events, with a bound on depth and size."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    _anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    _count: int = 0

    def build(self, events: Iterator[Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                self._stop(event, "a second document begins here", "remove the '---' line")
            if isinstance(event, NodeEvent):
                root = self._node(event, events, depth=0)
        if root is None or (isinstance(root, Scalar) and root.value is None):
            self.add((1, 1), "the file is empty", BEGIN_HINT)
            raise _Stop
        return root

    def add(self, place: tuple[int, int], message: str, hint: str) -> None:
        line, column = place
        self.problems.append(
            Problem(file=self.file, line=line, column=column, message=message, hint=hint)
        )

    def syntax(self, error: yaml.MarkedYAMLError, text: str) -> None:
        said = f"{error.problem or ''} {error.context or ''}".lower()
        known = ((message, hint) for words, message, hint in _SYNTAX if words in said)
        unknown = ("not valid YAML", "check quotes, brackets and indentation around here")
        message, hint = next(known, unknown)
        # What is missing is noticed later; it has to be added where the thing begins.
        marks = [error.problem_mark, error.context_mark]
        mark = next(filter(None, reversed(marks) if message in _AT_BEGIN else marks), None)
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        lines = text.splitlines()
        if "\t" in (lines[line] if line < len(lines) else "")[column : column + 1]:
            message, hint = "a tab stands where only blanks may", "indent with blanks"
        self.add((line + 1, column + 1), message, hint)

    def _stop(self, event: Event, message: str, hint: str) -> NoReturn:
        self.add(_place(event), message, hint)
        raise _Stop

    def _node(self, event: Event, events: Iterator[Event], *, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._stop(event, f"nested more than {MAX_DEPTH} deep", "check the brackets")
        before = self._count
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._grow(event, 1)
        node: Node
        if isinstance(event, ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self._items(event, events, depth=depth)
        elif isinstance(event, MappingStartEvent):
            node = self._entries(event, events, depth=depth)
        else:
            self._stop(event, "not valid YAML", "check the brackets around here")
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _grow(self, event: Event, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            self._stop(
                event, f"more than {MAX_VALUES} values, aliases counted in full", "repeat less"
            )

    def _alias(self, event: AliasEvent) -> Node:
        known = self._anchors.get(event.anchor or "")
        if known is None:
            self._stop(
                event, "an alias ('*') to an anchor that is not above it", "quote it if it is text"
            )
        node, count = known
        self._grow(event, count)
        return node

    def _scalar(self, event: ScalarEvent) -> Scalar:
        line, column = _place(event)
        self._refuse_tag(event)
        value: bool | int | float | str | None = event.value
        if event.implicit[0]:
            tag = _RESOLVER.resolve(  # type: ignore[no-untyped-call]
                yaml.ScalarNode, event.value, (True, False)
            )
            if tag in _READ_AS:
                value = self._read_as(tag, event)
        return Scalar(
            line=line,
            column=column,
            raw=event.value,
            value=value,
            is_quoted=not event.implicit[0],
        )

    def _read_as(self, tag: str, event: ScalarEvent) -> bool | int | float | str | None:
        try:
            read: bool | int | float | None = _CONSTRUCTOR.construct_object(
                yaml.ScalarNode(tag, event.value)
            )
        except (ValueError, OverflowError):
            # YAML 1.1's pattern for numbers allows `0x_` and numbers of any length.
            self.add(_place(event), "looks like a number and is none", "quote it if it is text")
            return str(event.value)
        return read

    def _refuse_tag(self, event: ScalarEvent | SequenceStartEvent | MappingStartEvent) -> None:
        if event.tag not in {None, "!"}:
            self.add(_place(event), "a YAML tag ('!')", "remove it; quote the value if it is text")

    def _items(self, event: SequenceStartEvent, events: Iterator[Event], *, depth: int) -> Items:
        self._refuse_tag(event)
        line, column = _place(event)
        items: list[Node] = []
        for inner in events:
            if isinstance(inner, SequenceEndEvent):
                break
            items.append(self._node(inner, events, depth=depth + 1))
        return Items(line=line, column=column, items=tuple(items))

    def _entries(self, event: MappingStartEvent, events: Iterator[Event], *, depth: int) -> Entries:
        self._refuse_tag(event)
        line, column = _place(event)
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: dict[str, tuple[Scalar, Node]] = {}
        for inner in events:
            if isinstance(inner, MappingEndEvent):
                break
            key = self._node(inner, events, depth=depth + 1)
            value = self._node(next(events), events, depth=depth + 1)
            if not isinstance(key, Scalar):
                self.add((key.line, key.column), "a key that is not text", "use plain text as key")
            elif key.raw == "<<" and not key.is_quoted:
                self._merge(value, into=merged)
            else:
                self._keep(key, value, into=own)
        return Entries(line=line, column=column, entries={**merged, **own})

    def _keep(self, key: Scalar, value: Node, *, into: dict[str, tuple[Scalar, Node]]) -> None:
        place = (key.line, key.column)
        if not isinstance(key.value, str):
            kind = reading(key)
            self.add(place, f"YAML reads this key as {kind}, not as text", "put quotes around it")
        if key.raw in into:
            first = into[key.raw][0].line
            self.add(place, f"the same key stands in line {first} already", "keep one of the two")
        else:
            into[key.raw] = (key, value)

    def _merge(self, value: Node, *, into: dict[str, tuple[Scalar, Node]]) -> None:
        for source in value.items if isinstance(value, Items) else (value,):
            if isinstance(source, Entries):
                into.update({k: v for k, v in source.entries.items() if k not in into})
            else:
                self.add(
                    (source.line, source.column),
                    "'<<' merges mappings only",
                    "name a mapping's anchor",
                )


def _place(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
