"""Intents as the journal keeps them: JSON with a version and the operation's kind by name.

A newer syncd reads what an older one wrote: kinds are never renamed, fields only added, with a
default.
A payload from a newer one is refused rather than half understood.
"""

from __future__ import annotations

import sqlite3

import msgspec

from syncd.core.errors import StoreTooNew
from syncd.core.model import CommentId, ConnectionName, PairId, Stamp
from syncd.core.operations import CreateTicket, Intent, Operation, RestrictComment, UpdateTicket
from syncd.store.rows import moment, packed, to_moment

VERSION = 1

_KINDS: dict[str, type[Operation]] = {
    "create_ticket": CreateTicket,
    "update_ticket": UpdateTicket,
    "restrict_comment": RestrictComment,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class _Payload(msgspec.Struct, kw_only=True, frozen=True):
    """What the journal's columns do not hold of an intent."""

    version: int
    kind: str
    op: msgspec.Raw
    precondition: str | None
    tags_before: frozenset[str]
    status_before: str | None
    highest_comment_id: CommentId | None
    known_ids: frozenset[CommentId]
    company: int = 1


class _Head(msgspec.Struct, frozen=True):
    version: int


# Made here, by one thread: readers that had msgspec learn a type at once would end the process.
_HEAD = msgspec.json.Decoder(_Head).decode
_PAYLOAD = msgspec.json.Decoder(_Payload).decode
_OPERATIONS = {name: msgspec.json.Decoder(kind).decode for name, kind in _KINDS.items()}


def intent_values(connection_ref: int, intent: Intent) -> dict[str, object]:
    """All columns of an `operation` that is about to leave."""
    kind = _NAMES[type(intent.op)]
    payload = _Payload(
        version=VERSION,
        kind=kind,
        op=msgspec.Raw(packed(intent.op).encode()),
        precondition=intent.precondition,
        tags_before=intent.tags_before,
        status_before=intent.status_before,
        highest_comment_id=intent.highest_comment_id,
        known_ids=intent.known_ids,
        company=intent.company,
    )
    return {
        "pair_id": intent.pair_id,
        "op_id": intent.op.op_id,
        "kind": kind,
        "side": intent.op.side.value,
        "connection_ref": connection_ref,
        "stamp": intent.stamp,
        "state": "sent",
        "attempt": intent.attempt,
        "sent_at": moment(intent.sent_at),
        "settled_at": None,
        "comment_ids": None,
        "payload": packed(payload),
        "is_hop": intent.is_hop,
    }


def to_intent(row: sqlite3.Row) -> Intent:
    """A row of `operation` that is `sent`, with its `connection` by name."""
    text: str = row["payload"]
    version = _HEAD(text).version
    if version > VERSION:
        raise StoreTooNew(f"the journal of pair {row['pair_id']} has version {version}")
    payload = _PAYLOAD(text)
    return Intent(
        op=_OPERATIONS[payload.kind](payload.op),
        pair_id=PairId(row["pair_id"]),
        connection=ConnectionName(row["connection"]),
        stamp=Stamp(row["stamp"]),
        precondition=payload.precondition,
        tags_before=payload.tags_before,
        status_before=payload.status_before,
        highest_comment_id=payload.highest_comment_id,
        known_ids=payload.known_ids,
        company=payload.company,
        attempt=row["attempt"],
        sent_at=to_moment(row["sent_at"]),
        is_hop=bool(row["is_hop"]),
    )
