"""Between rows and core values, both ways; the only module that knows how a column holds a value.

What goes in comes out equal. Pure functions of values: they neither read nor write the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from syncd.core.agreed import (
    Base,
    CommentMapping,
    HandOff,
    OwedNote,
    RefusedStatus,
    StatusBase,
    TagBase,
)
from syncd.core.model import (
    Ball,
    Comment,
    CommentId,
    Conflict,
    End,
    LinkName,
    PairId,
    Person,
    Role,
    Side,
    Sighting,
    StatusUpdate,
    Ticket,
    TicketId,
    Transition,
)
from syncd.core.report import ConflictRow
from syncd.core.work import Pair, PairState

# Decoders are made here, by one thread: msgspec must not learn a type in several threads at once.
_ENCODE = msgspec.json.Encoder(order="deterministic").encode
_SIGHTING = msgspec.json.Decoder(Sighting).decode
_STRINGS = msgspec.json.Decoder(frozenset[str]).decode
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_STATUS_UPDATE = msgspec.json.Decoder(StatusUpdate).decode
_STATUS_BASE = msgspec.json.Decoder(StatusBase).decode
_REFUSED = msgspec.json.Decoder(dict[Side, RefusedStatus]).decode
_TAG_BASE = msgspec.json.Decoder(TagBase).decode
_HAND_OFF = msgspec.json.Decoder(HandOff).decode
_OWED = msgspec.json.Decoder(tuple[OwedNote, ...]).decode
_COMMENT = msgspec.json.Decoder(Comment).decode
_COMMENTS = msgspec.json.Decoder(tuple[Comment, ...]).decode
_MAPPINGS = msgspec.json.Decoder(tuple[CommentMapping, ...]).decode
_TICKET_IDS = msgspec.json.Decoder(frozenset[TicketId]).decode
_COMMENT_IDS = msgspec.json.Decoder(frozenset[CommentId]).decode


# --- small values --------------------------------------------------------------------------------


def moment(at: datetime) -> str:
    """An aware moment as text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment_or_none(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def to_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def packed(value: object) -> str:
    """The value as JSON, the same for equal values; sets are sorted."""
    return _ENCODE(value).decode()


def writable(sighting: Sighting) -> Sighting:
    """The sighting without lone surrogates, which JSON can bring and no database can hold."""
    try:
        _ENCODE(sighting)
    except UnicodeEncodeError:
        return _SIGHTING(_ENCODE(_mended(msgspec.to_builtins(sighting))))
    return sighting


def _mended(value: Any) -> Any:  # plain JSON values, nested at will
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list() | tuple():
            return [_mended(part) for part in value]
        case dict():
            return {key: _mended(part) for key, part in value.items()}
        case _:
            return value


# --- the mirror ----------------------------------------------------------------------------------


def person_values(connection_ref: int, person: Person) -> dict[str, object]:
    return {
        "connection_ref": connection_ref,
        "person_id": person.person_id,
        "name": person.name,
        "role": person.role.value,
    }


def ticket_values(connection_ref: int, ticket: Ticket) -> dict[str, object]:
    """All columns of `ticket`; the requester as the key of their `person` row."""
    requester = ticket.requester
    update = ticket.status_update
    return {
        "connection_ref": connection_ref,
        "ticket_id": ticket.ticket_id,
        "subject": ticket.subject,
        "status": ticket.status,
        "tags": packed(ticket.tags),
        "person_id": requester.person_id,
        "name": requester.name,
        "role": requester.role.value,
        "created_at": moment(ticket.created_at),
        "updated_at": moment(ticket.updated_at),
        "precondition": ticket.precondition,
        "is_confirmed": ticket.is_confirmed,
        "fields_as_of": ticket.fields_as_of,
        "comments_as_of": ticket.comments_as_of,
        "is_stale": ticket.is_stale,
        "hinted": packed(ticket.hinted),
        "views": packed(ticket.views),
        "metadata_json": packed(ticket.metadata),
        "metadata_as_of": moment_or_none(ticket.metadata_as_of),
        "url": ticket.url,
        "end": ticket.end.value,
        "merged_into": ticket.merged_into,
        "follow_ups": packed(ticket.follow_ups),
        "status_update": None if update is None else packed(update),
    }


def to_ticket(row: sqlite3.Row) -> Ticket:
    """A row of `ticket` joined with its requester's `person_id`, `name` and `role`."""
    update = row["status_update"]
    merged_into = row["merged_into"]
    return Ticket(
        ticket_id=TicketId(row["ticket_id"]),
        subject=row["subject"],
        status=row["status"],
        tags=_STRINGS(row["tags"]),
        requester=Person(person_id=row["person_id"], name=row["name"], role=Role(row["role"])),
        created_at=to_moment(row["created_at"]),
        updated_at=to_moment(row["updated_at"]),
        precondition=row["precondition"],
        is_confirmed=bool(row["is_confirmed"]),
        fields_as_of=row["fields_as_of"],
        comments_as_of=row["comments_as_of"],
        is_stale=bool(row["is_stale"]),
        hinted=_COMMENT_IDS(row["hinted"]),
        views=_STRINGS(row["views"]),
        metadata=_PAIRS(row["metadata_json"]),
        metadata_as_of=to_moment_or_none(row["metadata_as_of"]),
        url=row["url"],
        end=End(row["end"]),
        merged_into=None if merged_into is None else TicketId(merged_into),
        follow_ups=to_ticket_ids(row["follow_ups"]),
        status_update=None if update is None else _STATUS_UPDATE(update),
    )


def to_ticket_ids(text: str) -> frozenset[TicketId]:
    return _TICKET_IDS(text)


def comment_values(connection_ref: int, ticket_ref: int, comment: Comment) -> dict[str, object]:
    """All columns of `comment`; the author as the key of their `person` row."""
    author = comment.author
    return {
        "connection_ref": connection_ref,
        "ticket_ref": ticket_ref,
        "comment_id": comment.comment_id,
        "update_id": comment.update_id,
        "person_id": author.person_id,
        "name": author.name,
        "role": author.role.value,
        "writer_id": comment.writer_id,
        "audience": comment.audience.value,
        "views": None if comment.views is None else packed(comment.views),
        "created_at": moment(comment.created_at),
        "position": comment.position,
        "stamp": comment.stamp,
        "is_redacted": comment.is_redacted,
        "was_public": comment.was_public,
        "html": comment.html,
    }


#: A comment with its author and attachments as JSON in the core's own shape, from a query over
#: `comment` and `person`: SQLite puts it together and msgspec takes it apart, both in C.
COMMENT_JSON = """
    json_object(
        'comment_id', comment.comment_id,
        'update_id', comment.update_id,
        'author', json_object(
            'person_id', person.person_id, 'name', person.name, 'role', person.role
        ),
        'writer_id', comment.writer_id,
        'audience', comment.audience,
        'views', json(comment.views),
        'html', comment.html,
        'created_at', comment.created_at,
        'position', comment.position,
        'attachments', json((
            SELECT json_group_array(json_object(
                'attachment_id', attachment_id, 'name', name, 'size', size,
                'content_type', content_type, 'url', url,
                'scan', coalesce(scan, 'unknown'), 'source', coalesce(source, '')
            ))
            FROM (SELECT * FROM attachment WHERE comment_ref = comment.id ORDER BY ordinal)
        )),
        'stamp', comment.stamp,
        'is_redacted', json(iif(comment.is_redacted, 'true', 'false')),
        'was_public', json(iif(comment.was_public, 'true', 'false'))
    )
    """


def to_comment(text: str) -> Comment:
    """One `COMMENT_JSON`."""
    return _COMMENT(text)


def to_comments(text: str) -> tuple[Comment, ...]:
    """An array of `COMMENT_JSON`."""
    return _COMMENTS(text)


# --- what was agreed -----------------------------------------------------------------------------


def base_values(pair_id: PairId, base: Base) -> dict[str, object]:
    """All columns of `base`; the comment map has rows of its own."""
    status = base.status
    return {
        "pair_id": pair_id,
        "agreed": None if status is None else status.agreed.value,
        "status": None if status is None else packed(status),
        "tags": packed(base.tags),
        "hand_off_state": base.hand_off.state.value,
        "hand_off": packed(base.hand_off),
        "owed": packed(base.owed),
        "released": packed(base.released),
    }


def to_base(row: sqlite3.Row) -> Base:
    """A row of `base` with the pair's `mappings` as an array of `MAPPING_JSON`."""
    status = row["status"]
    return Base(
        status=None if status is None else to_status_base(status),
        tags=_TAG_BASE(row["tags"]),
        comments=to_mappings(row["mappings"]),
        hand_off=to_hand_off(row),
        owed=_OWED(row["owed"]),
        released=to_released(row),
    )


def to_status_base(text: str) -> StatusBase:
    """The column `status` of `base`; one of an older syncd lacks what came later."""
    return _STATUS_BASE(text)


def to_refused(text: str) -> Mapping[Side, RefusedStatus]:
    """The part of `status` that holds what desks refused."""
    return _REFUSED(text)


def to_hand_off(row: sqlite3.Row) -> HandOff:
    return _HAND_OFF(row["hand_off"])


def to_released(row: sqlite3.Row) -> frozenset[CommentId]:
    return _COMMENT_IDS(row["released"])


def mapping_values(pair_id: PairId, mapping: CommentMapping) -> dict[str, object]:
    return {
        "pair_id": pair_id,
        "origin": mapping.origin.value,
        "comment_id": mapping.comment_id,
        "copy_id": mapping.copy_id,
        "kind": mapping.kind.value,
        "audience": mapping.audience.value,
        "note_key": mapping.note_key,
        "is_redacted": mapping.is_redacted,
    }


#: One row of `comment_map` as JSON in the core's own shape.
MAPPING_JSON = """
    json_object(
        'kind', kind, 'origin', origin, 'comment_id', comment_id, 'copy_id', copy_id,
        'audience', audience, 'note_key', note_key,
        'is_redacted', json(iif(is_redacted, 'true', 'false'))
    )
    """


def to_mappings(text: str) -> tuple[CommentMapping, ...]:
    """An array of `MAPPING_JSON`."""
    return _MAPPINGS(text)


# --- pairs and records ---------------------------------------------------------------------------


def to_pair(row: sqlite3.Row) -> Pair:
    """A row of `pair` with its newest tickets and, as `link_*`, the stop of its link if any."""
    state = PairState(row["state"])
    reason, hint, parked_at = row["reason"], row["hint"], row["parked_at"]
    if state is PairState.ACTIVE and row["link_reason"] is not None:
        state = PairState.PARKED
        reason, hint, parked_at = row["link_reason"], row["link_hint"], row["link_parked_at"]
    ball = row["ball"]
    return Pair(
        pair_id=PairId(row["id"]),
        link=LinkName(row["link"]),
        state=state,
        tickets=to_tickets(row),
        is_silent_birth=bool(row["is_silent_birth"]),
        marked_gen=row["marked_gen"],
        done_gen=row["done_gen"],
        quiet_gen=row["quiet_gen"],
        not_before=to_moment_or_none(row["not_before"]),
        tries=row["tries"],
        reason=reason,
        hint=hint,
        parked_at=to_moment_or_none(parked_at),
        ball=None if ball is None else Ball(ball),
        ball_since=to_moment_or_none(row["ball_since"]),
        linked_since=to_moment(row["linked_since"]),
        revision=row["revision"],
        is_paused=bool(row["is_paused"]),
        is_doubtful=bool(row["is_doubtful"]),
    )


def to_tickets(row: sqlite3.Row) -> Mapping[Side, TicketId | None]:
    """The newest ticket of each side from `platform_ticket` and `partner_ticket`."""
    platform, partner = row["platform_ticket"], row["partner_ticket"]
    return {
        Side.PLATFORM: None if platform is None else TicketId(platform),
        Side.PARTNER: None if partner is None else TicketId(partner),
    }


def conflict_values(pair_id: PairId, conflict: Conflict, *, seen_at: str) -> dict[str, object]:
    return {
        "pair_id": pair_id,
        "name": conflict.name,
        "base": conflict.base,
        "platform": conflict.platform,
        "partner": conflict.partner,
        "result": conflict.result,
        "rule": conflict.rule,
        "seen_at": seen_at,
    }


def to_conflict(row: sqlite3.Row) -> ConflictRow:
    return ConflictRow(
        pair_id=PairId(row["pair_id"]),
        link=LinkName(row["link"]),
        tickets=to_tickets(row),
        conflict=Conflict(
            name=row["name"],
            base=row["base"],
            platform=row["platform"],
            partner=row["partner"],
            result=row["result"],
            rule=row["rule"],
        ),
        seen_at=to_moment(row["seen_at"]),
    )


def transition_values(
    pair_id: PairId, transition: Transition, *, seen_at: str
) -> dict[str, object]:
    return {
        "pair_id": pair_id,
        "name": transition.name,
        "side": None if transition.side is None else transition.side.value,
        "before": transition.before,
        "after": transition.after,
        "actor": transition.actor.value,
        "at": moment_or_none(transition.at),
        "seen_at": seen_at,
    }


def hand_off_values(pair_id: PairId, hand_off: HandOff, *, seen_at: str) -> dict[str, object]:
    return {
        "pair_id": pair_id,
        "turn": hand_off.turn,
        "state": hand_off.state.value,
        "comment_id": hand_off.comment_id,
        "asked_by": hand_off.by,
        "offered_at": moment_or_none(hand_off.offered_at),
        "seen_at": seen_at,
    }
