"""Forget a person: their names, and what they wrote that is still here, for an erasure request.

Pairs go on working: ids of people, tickets and comments stay, as pseudonyms that only a desk can
turn into somebody. What waits for its delivery stays until it is delivered. The desks still hold
the person; a ticket that is read anew there brings the name back, so they are to be cleaned first.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from syncd.core.errors import LeaseLost
from syncd.core.model import ConnectionName, LinkName, PairId, Side, TicketId
from syncd.store import trail
from syncd.store.by_hand import by_hand
from syncd.store.file import path_of
from syncd.store.finding_people import Somebody, find_people
from syncd.store.placing import loud
from syncd.store.rows import moment, packed
from syncd.store.scrubbing import Scrubbed, scrub
from syncd.store.statement import Session, Statement

#: Stands where a name stood.
ERASED = "(erased)"

_REFS = "SELECT value FROM json_each(:refs)"
_TICKETS = Statement(
    f"""
    SELECT DISTINCT held.pair_id, held.link, held.side, connection.name AS connection,
        held.ticket_id, held.connection_ref,
        coalesce(ticket.requester_ref IN ({_REFS}), 0) AS is_requester,
        EXISTS (
            SELECT 1 FROM comment
            WHERE comment.ticket_ref = ticket.id AND comment.author_ref IN ({_REFS})
        ) AS is_author
    FROM pair_ticket AS held
    JOIN connection ON connection.id = held.connection_ref
    LEFT JOIN ticket
      ON ticket.connection_ref = held.connection_ref AND ticket.ticket_id = held.ticket_id
    ORDER BY held.pair_id, held.side, held.id
    """  # noqa: S608 - constants of ours
)
_BUSY = Statement(
    """
    SELECT id FROM pair
    WHERE id IN (SELECT value FROM json_each(:pair_ids))
      AND lease_token IS NOT NULL AND lease_until > :now
    LIMIT 1
    """
)
#: Whoever planned with what stood there looks again.
_REVISE = Statement(
    "UPDATE pair SET revision = revision + 1 WHERE id IN (SELECT value FROM json_each(:pair_ids))"
)
_ADD_NAMELESS = Statement(
    f"""
    INSERT INTO person (connection_ref, person_id, name, role)
    SELECT DISTINCT connection_ref, person_id, :erased, role FROM person WHERE id IN ({_REFS})
    ON CONFLICT DO NOTHING
    """  # noqa: S608
)
_NAMELESS = """
    SELECT nameless.id FROM person AS named JOIN person AS nameless
      ON nameless.connection_ref = named.connection_ref
     AND nameless.person_id = named.person_id AND nameless.role = named.role
     AND nameless.name = :erased
    WHERE named.id = {column}
"""
_REPOINT = tuple(
    Statement(
        f"UPDATE {table} SET {column} = ({_NAMELESS.format(column=f'{table}.{column}')})"  # noqa: S608
        f" WHERE {column} IN ({_REFS})"
    )
    for table, column in (("ticket", "requester_ref"), ("comment", "author_ref"))
)
_DROP_NAMED = Statement(f"DELETE FROM person WHERE id IN ({_REFS}) AND name != :erased")  # noqa: S608
_THEIRS = f"SELECT id FROM comment WHERE author_ref IN ({_REFS}) AND html IS NULL"  # noqa: S608
#: With the copies of those, and the comments in which a file of theirs followed.
_THEIRS_AND_COPIES = f"""
    {_THEIRS}
    UNION SELECT copy.id
    FROM comment AS mine
    JOIN ticket ON ticket.id = mine.ticket_ref
    JOIN pair_ticket AS held
      ON held.connection_ref = ticket.connection_ref AND held.ticket_id = ticket.ticket_id
    JOIN (
        SELECT pair_id, origin, comment_id, copy_id FROM comment_map
        UNION SELECT pair_id, origin, comment_id, copy_comment_id FROM file_map
    ) AS map
      ON map.pair_id = held.pair_id AND map.origin = held.side
     AND map.comment_id = mine.comment_id
    JOIN pair_ticket AS twin ON twin.pair_id = held.pair_id AND twin.side != held.side
    JOIN ticket AS there
      ON there.connection_ref = twin.connection_ref AND there.ticket_id = twin.ticket_id
    JOIN comment AS copy ON copy.ticket_ref = there.id AND copy.comment_id = map.copy_id
    WHERE mine.author_ref IN ({_REFS}) AND copy.html IS NULL
"""  # noqa: S608
_EMPTY_FILES = Statement(
    f"""
    UPDATE attachment SET name = :erased, url = '', source = NULL
    WHERE comment_ref IN ({_THEIRS_AND_COPIES}) AND name != :erased
    """  # noqa: S608
)
_EMPTY_FILE_MAP = Statement(
    f"""
    UPDATE file_map
    SET file = json_set(file, '$.name', :erased, '$.url', '', '$.source', '')
    WHERE state IN ('carried', 'refused') AND EXISTS (
        SELECT 1 FROM comment
        JOIN ticket ON ticket.id = comment.ticket_ref
        JOIN pair_ticket AS held
          ON held.connection_ref = ticket.connection_ref AND held.ticket_id = ticket.ticket_id
        WHERE comment.id IN ({_THEIRS}) AND held.pair_id = file_map.pair_id
          AND held.side = file_map.origin AND comment.comment_id = file_map.comment_id
    )
    """  # noqa: S608
)
#: Unless the twin, which is to have it, is still to be made.
_EMPTY_SUBJECTS = Statement(
    f"""
    UPDATE ticket SET subject = :erased
    WHERE requester_ref IN ({_REFS}) AND subject != :erased AND NOT EXISTS (
        SELECT 1 FROM pair_ticket AS held
        WHERE held.connection_ref = ticket.connection_ref AND held.ticket_id = ticket.ticket_id
          AND NOT EXISTS (
            SELECT 1 FROM pair_ticket AS twin
            WHERE twin.pair_id = held.pair_id AND twin.side = 'partner'
          )
    )
    """  # noqa: S608
)
_COUNT_WAITING = Statement(
    f"""
    SELECT (SELECT count(*) FROM comment WHERE author_ref IN ({_REFS}) AND html IS NOT NULL) + (
        SELECT count(*) FROM operation
        WHERE state = 'sent' AND pair_id IN (SELECT value FROM json_each(:pair_ids))
    )
    """  # noqa: S608
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A ticket that is about the person, or in which they wrote; the desk still has it."""

    pair_id: PairId
    link: LinkName
    side: Side
    connection: ConnectionName
    ticket_id: TicketId
    #: `requester`, `author`, or `twin` of such a ticket.
    role: str


@dataclass(kw_only=True, slots=True)
class Forgotten:
    """What was done, or would be."""

    people: tuple[Somebody, ...]
    places: tuple[Place, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    #: Bodies and writes that are on their way: forgotten when they are delivered.
    waiting: int = 0
    #: Other files that still hold the person: copies of the store beside it.
    copies: tuple[Path, ...] = ()
    scrubbed: Scrubbed | None = None


def forget(
    location: str | os.PathLike[str],
    people: Sequence[Somebody],
    *,
    words: Iterable[str] = (),
    actor: str,
    now: datetime,
    reason: str = "",
    is_dry: bool = False,
) -> Forgotten:
    """Forget some people who are one person, beside a daemon or without one.

    `words` are what else names them, such as an address. Raises `StoreError`, and `LeaseLost` while
    a run has one of their pairs.
    """
    path = path_of(location)
    done = Forgotten(people=tuple(people), copies=tuple(_copies(path)))
    with loud(path), by_hand(path) as hand:
        with hand.transaction(is_dry=is_dry) as session:
            work = _Forgetting(session, people, words)
            done.places = work.places
            work.require_idle(now)
            done.counts, done.waiting = work.run()
            trail.forgot(session, tickets=len(work.places), actor=actor, reason=reason, now=now)
        if not is_dry:
            done.scrubbed = scrub(hand.connection, path)
    return done


def people_of(location: str | os.PathLike[str], wanted: str) -> list[Somebody]:
    """Whom a desk's id, a name or an address names; see `find_people`. Raises `StoreError`."""
    path = path_of(location)
    with loud(path), by_hand(path) as hand:
        return find_people(hand.session, wanted)


def _copies(path: Path) -> Iterator[Path]:
    for ending in ("schema-*", "replaced-*"):
        yield from sorted(path.parent.glob(f"{path.name}.{ending}"))


class _Forgetting:
    """One person, in one transaction."""

    def __init__(self, session: Session, people: Sequence[Somebody], words: Iterable[str]) -> None:
        self._session = session
        self._people = people
        names = {name for person in people for name in person.names}
        self._words = {word.strip() for word in (*names, *words)} - {"", ERASED}
        refs = [ref for person in people for ref in person.refs]
        self._values = {"refs": packed(refs), "erased": ERASED}
        self.places = tuple(self._find_places())
        self._pair_ids = packed(sorted({place.pair_id for place in self.places}))

    def require_idle(self, now: datetime) -> None:
        asked = {"pair_ids": self._pair_ids, "now": moment(now)}
        busy = self._session.row(_BUSY, asked)
        if busy is not None:
            raise LeaseLost(f"pair {busy['id']} is being run", hint="Try again in a moment.")

    def run(self) -> tuple[dict[str, int], int]:
        """How many rows changed, by kind, and how much still waits."""
        session, values = self._session, self._values
        waiting = session.number(
            _COUNT_WAITING, {"refs": values["refs"], "pair_ids": self._pair_ids}
        )
        counts = {
            "subjects": session.run(_EMPTY_SUBJECTS, values),
            "files": session.run(_EMPTY_FILES, values) + session.run(_EMPTY_FILE_MAP, values),
        }
        session.run(_ADD_NAMELESS, values)
        for statement in _REPOINT:
            session.run(statement, values)
        counts["names"] = session.run(_DROP_NAMED, values)
        counts["ids"] = sum(self._rename(person) for person in self._people)
        counts["mentions"] = sum(self._blank(*place) for place in _TEXTS)
        session.run(_REVISE, {"pair_ids": self._pair_ids})
        return counts, waiting

    def _find_places(self) -> Iterator[Place]:
        rows = self._session.rows(_TICKETS, {"refs": self._values["refs"]})
        about = {row["pair_id"] for row in rows if row["is_requester"] or row["is_author"]}
        for row in rows:
            if row["pair_id"] in about:
                role = "author" if row["is_author"] else "twin"
                yield Place(
                    pair_id=PairId(row["pair_id"]),
                    link=LinkName(row["link"]),
                    side=Side(row["side"]),
                    connection=ConnectionName(row["connection"]),
                    ticket_id=TicketId(row["ticket_id"]),
                    role="requester" if row["is_requester"] else role,
                )

    def _rename(self, person: Somebody) -> int:
        """An id that is a name or an address itself becomes one that says nothing."""
        if "@" not in person.person_id and not self._pattern(self._words).search(person.person_id):
            return 0
        values = {
            "connection_ref": person.connection_ref,
            "old": person.person_id,
            "new": f"erased-{secrets.token_hex(6)}",
        }
        return sum(self._session.run(statement, values) for statement in _RENAME)

    def _blank(self, table: str, column: str, is_theirs: str) -> int:
        """Take the words out of one column's text; a single name only where it is surely theirs."""
        key = "rowid"
        sure = {word for word in self._words if "@" in word or " " in word}
        count = 0
        for words, where in ((self._words, is_theirs), (sure, "1")):
            if not words or not where:
                continue
            pattern = self._pattern(words)
            asked = {"pair_ids": self._pair_ids} if ":pair_ids" in where else {}
            found = self._session.rows(
                Statement(f"SELECT {key} AS key, {column} AS text FROM {table} WHERE {where}"),  # noqa: S608
                asked,
            )
            update = Statement(f"UPDATE {table} SET {column} = :text WHERE {key} = :key")  # noqa: S608
            for row in _with_text(found):
                text = pattern.sub(ERASED, row["text"])
                if text != row["text"]:
                    count += self._session.run(update, {"text": text, "key": row["key"]})
        return count

    @staticmethod
    def _pattern(words: Iterable[str]) -> re.Pattern[str]:
        spelt = {form for word in words for form in (word, json.dumps(word)[1:-1], _as_json(word))}
        ends = "|".join(re.escape(word) for word in sorted(spelt, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{ends})(?!\w)" if spelt else r"(?!)", re.IGNORECASE)


def _as_json(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)[1:-1]


def _with_text(rows: Iterable[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    return (row for row in rows if isinstance(row["text"], str) and row["text"])


_RENAME = (
    Statement(
        "UPDATE person SET person_id = :new WHERE connection_ref = :connection_ref"
        " AND person_id = :old"
    ),
    Statement(
        """
        UPDATE comment SET writer_id = :new
        WHERE writer_id = :old AND ticket_ref IN (
            SELECT id FROM ticket WHERE connection_ref = :connection_ref
        )
        """
    ),
    Statement(
        """
        UPDATE ticket SET status_update = json_set(status_update, '$.actor_id', :new)
        WHERE connection_ref = :connection_ref
          AND json_extract(status_update, '$.actor_id') = :old
        """
    ),
)
_BY_PAIR = "pair_id IN (SELECT value FROM json_each(:pair_ids))"
_BY_TICKET = f"""(connection_ref, ticket_id) IN (
    SELECT connection_ref, ticket_id FROM pair_ticket WHERE {_BY_PAIR}
)"""  # noqa: S608
#: Column by column, where a name may stand in a text, and which rows are surely about the person.
#: Never tags or statuses: what is shared would be taken for somebody's change.
_TEXTS = (
    ("ticket", "subject", _BY_TICKET),
    ("ticket", "metadata_json", _BY_TICKET),
    ("ticket", "url", _BY_TICKET),
    ("attachment", "name", ""),
    ("attachment", "url", ""),
    ("attachment", "source", ""),
    ("file_map", "file", f"{_BY_PAIR} AND state IN ('carried', 'refused')"),
    ("base", "hand_off", _BY_PAIR),
    ("base", "owed", _BY_PAIR),
    ("hand_off", "asked_by", _BY_PAIR),
    ("pair", "hint", "id IN (SELECT value FROM json_each(:pair_ids))"),
    ("link_state", "hint", ""),
    ("link_pause", "reason", ""),
    ("audit_trail", "object", _BY_PAIR),
    ("audit_trail", "reason", _BY_PAIR),
)
