"""One line of an export of mappings: what a reader finds there, and what an import believes.

JSON, one object a line, told apart by `type`; the first line says the version. docs/mappings.md is
the format's description for readers outside. A change that an older syncd could misread is another
version; nothing is renamed within one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from syncd.core.agreed import (
    Base,
    CommentMapping,
    FileMapping,
    HandOff,
    OwedNote,
    StatusBase,
    TagBase,
)
from syncd.core.model import Ball, CommentId, Side
from syncd.core.work import PairState

FORMAT = "syncd mappings"
VERSION = 1

At: TypeAlias = Annotated[datetime, Meta(tz=True)]
_Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
_Count: TypeAlias = Annotated[int, Meta(ge=0)]


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="header"):
    """The first line. The counts tell a file that was cut off."""

    format: str = FORMAT
    version: int = VERSION
    made_by: str
    made_at: At
    #: Only this link's pairs are there; None for all.
    link: str | None
    cursors: _Count
    links: _Count
    pairs: _Count


class CursorLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="cursor"):
    """Where a connection's change feed goes on."""

    connection: _Name
    feed: _Name
    cursor: str
    moved_at: At


class Stop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why syncd stopped a whole link."""

    reason: str
    hint: str
    at: At


class Rest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who paused a link, and why."""

    reason: str
    actor: str
    at: At


class LinkLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="link"):
    """A link that is stopped or paused; others have no line."""

    link: _Name
    stop: Stop | None
    pause: Rest | None


class Held(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ticket of a pair."""

    side: Side
    connection: _Name
    ticket: _Name
    kind: Literal["first", "follow_up", "merged"]
    added_at: At


class Agreed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both sides last agreed on, and what was decided and is not written everywhere yet."""

    status: StatusBase | None
    tags: TagBase
    hand_off: HandOff
    owed: tuple[OwedNote, ...]
    released: frozenset[CommentId]


class PairLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pair"):
    """A pair with its lineage and its comment map."""

    pair: Annotated[int, Meta(ge=1, le=2**62)]
    link: _Name
    state: PairState
    reason: str
    hint: str
    parked_at: At | None
    linked_since: At
    is_silent_birth: bool
    #: Only a backfill may run it.
    is_quiet: bool
    ball: Ball | None
    ball_since: At | None
    #: Of each side in the order they came; the newest one is worked on.
    tickets: Annotated[tuple[Held, ...], Meta(min_length=1, max_length=1_000)]
    #: None before the first agreement.
    agreed: Agreed | None
    #: In the order in which they became known.
    comments: tuple[CommentMapping, ...]
    files: tuple[FileMapping, ...]

    def base(self) -> Base:
        """The agreement as the core has it."""
        agreed = self.agreed
        if agreed is None:
            return Base(comments=self.comments, files=self.files)
        return Base(
            status=agreed.status,
            tags=agreed.tags,
            comments=self.comments,
            files=self.files,
            hand_off=agreed.hand_off,
            owed=agreed.owed,
            released=agreed.released,
        )

    def flaws(self) -> Iterator[str]:
        """What no pair can be."""
        places: dict[Side, set[str]] = {}
        seen: set[tuple[str, str]] = set()
        for held in self.tickets:
            places.setdefault(held.side, set()).add(held.connection)
            if (held.connection, held.ticket) in seen:
                yield f"ticket {held.ticket} at {held.connection} twice in one pair"
            seen.add((held.connection, held.ticket))
        if Side.PLATFORM not in places:
            yield "a pair without a ticket at the platform"
        if any(len(names) > 1 for names in places.values()):
            yield "one side at two connections"
        known = [(mapping.origin, mapping.comment_id) for mapping in self.comments]
        if len(set(known)) < len(known):
            yield "a comment twice in one map"
        copies = [(m.origin, m.copy_id) for m in self.comments if m.copy_id is not None]
        if self.agreed is None and known:
            yield "a comment map without an agreement"
        # One digest, or one part after another, may stand for several comments; never for both.
        if {(side.other, copy) for side, copy in copies} & set(known):
            yield "a copy that is copied on"


Line: TypeAlias = Header | CursorLine | LinkLine | PairLine

_ENCODE = msgspec.json.Encoder(order="deterministic").encode
_DECODE = msgspec.json.Decoder(Header | CursorLine | LinkLine | PairLine).decode


class _Head(Struct, frozen=True):
    format: str = ""
    version: int = 0


_HEAD = msgspec.json.Decoder(_Head).decode


class Unreadable(ValueError):
    """A line that is not of this format; says why, for a person."""


def encoded(line: Line) -> bytes:
    """The line with its end."""
    return _ENCODE(line) + b"\n"


def decoded(text: bytes) -> Line:
    """Raises `Unreadable`."""
    try:
        line: Line = _DECODE(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    return line


def decoded_header(text: bytes) -> Header:
    """The first line. Raises `Unreadable`, for another version before anything else."""
    try:
        head = _HEAD(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        head = _Head()
    if head.format != FORMAT:
        raise Unreadable("this is no export of syncd's mappings")
    if head.version != VERSION:
        raise Unreadable(f"version {head.version}; this syncd reads version {VERSION}")
    line = decoded(text)
    if not isinstance(line, Header):
        raise Unreadable("the first line is no header")
    return line
