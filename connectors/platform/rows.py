"""Rows of pages, decoded one by one, so that a bad one does not hide the others.

Of a row that cannot be read but names its ticket a hint remains: it makes the ticket's thread be
read, and if that cannot be read either, one pair is parked instead of a whole feed stopped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Raw

from connectors.platform import wire
from connectors.platform.mapping import (
    to_field_sighting,
    to_hint,
    to_sighting,
    to_sightings,
)
from syncd.core.model import Sighting

#: Stands for the unknown comment in the hint of a ticket's row; no update has such an id.
UNREADABLE = "(unreadable)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What a page proves, and how many of its rows prove nothing at all."""

    sightings: tuple[Sighting, ...]
    dropped_count: int = 0


def change_rows(raws: Iterable[Raw]) -> Rows:
    """The entries of the change feed."""
    changes: list[wire.Change] = []
    hints: list[Sighting] = []
    dropped_count = 0
    for raw in raws:
        try:
            changes.append(wire.read_change(raw))
        except wire.NotAsDocumented:
            hint = _change_hint(raw)
            hints += hint
            dropped_count += not hint
    return Rows(sightings=(*to_sightings(changes), *hints), dropped_count=dropped_count)


def ticket_rows(raws: Iterable[Raw], threads: Iterable[Raw] = ()) -> Rows:
    """The tickets of a listing, read as they are now: one that has moved may hide a comment.

    A ticket whose thread came along whole is known whole.
    """
    brought = _by_ticket(threads)
    sightings: list[Sighting] = []
    dropped_count = 0
    for raw in raws:
        try:
            ticket = wire.read(wire.Ticket, raw)
            thread = brought.get(ticket.id)
            if thread is not None and wire.is_whole(thread, ticket):
                sightings.append(to_sighting(ticket, thread.updates, after=0, is_read=True))
            else:
                sightings.append(to_field_sighting(ticket, is_read=True))
        except wire.NotAsDocumented:
            hint = _ticket_hint(raw)
            sightings += hint
            dropped_count += not hint
    return Rows(sightings=tuple(sightings), dropped_count=dropped_count)


def _by_ticket(raws: Iterable[Raw]) -> dict[str, wire.Thread]:
    """One that cannot be read is read again by itself, and its ticket then says why."""
    found: dict[str, wire.Thread] = {}
    for raw in raws:
        with contextlib.suppress(wire.NotAsDocumented):
            thread = wire.read(wire.Thread, raw)
            found[thread.ticket_id] = thread
    return found


def _change_hint(raw: Raw) -> list[Sighting]:
    try:
        named = wire.read(wire.NamedChange, raw)
    except wire.NotAsDocumented:
        return []
    return [to_hint(named.ticket.id, named.update.id)]


def _ticket_hint(raw: Raw) -> list[Sighting]:
    try:
        named = wire.read(wire.Named, raw)
    except wire.NotAsDocumented:
        return []
    return [to_hint(named.id, UNREADABLE)]
