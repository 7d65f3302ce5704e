"""Notes owed: decided now, written later, once.

A note's key names what it is about; a key that is owed or was written is never owed again.
"""

from __future__ import annotations

from dataclasses import replace

from syncd.core.model import Base, OwedNote, Side
from syncd.core.notes import Note, NoteKind
from syncd.core.thread import note_keys


def owe(base: Base, note: Note, side: Side, about: str) -> Base:
    """The base with one more note owed to `side`, unless the same was owed or written before."""
    if was_noted(base, note.kind, side, about):
        return base
    owed = OwedNote(
        key=note_key(note.kind, side, about),
        side=side,
        kind=note.kind.value,
        facts=note.facts,
        rows=note.rows,
    )
    return replace(base, owed=(*base.owed, owed))


def note_key(kind: NoteKind, side: Side, about: str) -> str:
    """What makes a note once-only."""
    return f"{kind.value}:{about}@{side.value}"


def was_noted(base: Base, kind: NoteKind, side: Side, about: str) -> bool:
    """Whether the note was written or is owed."""
    key = note_key(kind, side, about)
    return key in note_keys(base) or any(owed.key == key for owed in base.owed)
