"""Notes owed: decided now, written later, once.

A note's key names what it is about; a key that is owed or was written is never owed again.
"""

from __future__ import annotations

from dataclasses import replace

from syncd.core.agreed import Base, OwedNote
from syncd.core.model import Conflict, Side
from syncd.core.notes import Note, NoteKind, note
from syncd.core.policy import LinkPolicy
from syncd.core.thread import note_keys


def owe(base: Base, due: Note, side: Side, about: str) -> Base:
    """The base with one more note owed to `side`, unless the same was owed or written before."""
    if was_noted(base, due.kind, side, about):
        return base
    owed = OwedNote(
        key=note_key(due.kind, side, about),
        side=side,
        kind=due.kind.value,
        facts=due.facts,
        rows=due.rows,
    )
    return replace(base, owed=(*base.owed, owed))


def owe_conflict(
    base: Base, conflict: Conflict, side: Side, *, kept: str, policy: LinkPolicy, about: str
) -> Base:
    """Tell `side` that its status lost against the other's; `kept` is the raw value that stays."""
    lost = note(
        NoteKind.STATUS_CONFLICT,
        platform=policy.platform_name,
        platform_status=conflict.platform,
        partner=policy.partner_name,
        partner_status=conflict.partner,
        kept=kept,
    )
    return owe(base, lost, side, about)


def note_key(kind: NoteKind, side: Side, about: str) -> str:
    """What makes a note once-only."""
    return f"{kind.value}:{about}@{side.value}"


def was_noted(base: Base, kind: NoteKind, side: Side, about: str) -> bool:
    """Whether the note was written or is owed."""
    key = note_key(kind, side, about)
    return key in note_keys(base) or any(owed.key == key for owed in base.owed)
