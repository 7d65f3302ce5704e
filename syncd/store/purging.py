"""What nobody needs any more goes: settled writes, old history and deeds, all that an ended pair
kept but the ids by which a ticket that comes back is known.

An ended pair may go on: its ticket can be escalated again, and must not get a second twin. So its
row, its lineage and its comment map stay, as numbers; the mirror is read again then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.store import trail
from syncd.store.by_hand import Hand, by_hand
from syncd.store.file import path_of
from syncd.store.placing import loud
from syncd.store.rows import moment, packed
from syncd.store.scrubbing import Scrubbed, scrub
from syncd.store.statement import Statement

Progress = Callable[[int, int], None]

#: In one transaction: a daemon's commits wait no longer than for that.
_TOGETHER = 2_000
_PAIRS_TOGETHER = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Periods:
    """How long what is over stays."""

    ended_pairs: timedelta
    journal: timedelta
    history: timedelta
    trail: timedelta


@dataclass(kw_only=True, slots=True)
class Purged:
    """What went, or would: rows by kind."""

    counts: dict[str, int] = field(default_factory=dict)
    #: Ended pairs of which anything went.
    pairs: int = 0
    #: None where nothing was to be overwritten.
    scrubbed: Scrubbed | None = None

    def add(self, kind: str, count: int) -> None:
        """Some more of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + count


#: Of every pair, by its age alone. Writes on their way stay.
_OLD = (
    ("operation", "operations", "state != 'sent' AND settled_at < :journal"),
    ("timeline", "transitions", "seen_at < :history"),
    ("conflict", "conflicts", "seen_at < :history"),
    ("hand_off", "hand_offs", "seen_at < :history"),
    ("audit_trail", "deeds", "at < :trail"),
)
_OVER = "SELECT value FROM json_each(:pair_ids)"
#: Tickets that no other pair holds any more.
_LEFT_TICKETS = f"""
    SELECT ticket.id FROM ticket JOIN pair_ticket AS held
      ON held.connection_ref = ticket.connection_ref AND held.ticket_id = ticket.ticket_id
    WHERE held.pair_id IN ({_OVER}) AND NOT EXISTS (
        SELECT 1 FROM pair_ticket AS other
        JOIN pair ON pair.id = other.pair_id
        WHERE other.connection_ref = held.connection_ref AND other.ticket_id = held.ticket_id
          AND other.pair_id NOT IN ({_OVER})
    )
"""  # noqa: S608 - constants of ours
_LEFT_COMMENTS = f"SELECT id FROM comment WHERE ticket_ref IN ({_LEFT_TICKETS})"  # noqa: S608
_OF_ENDED = (
    ("attachment", "files", f"comment_ref IN ({_LEFT_COMMENTS})"),
    ("comment", "comments", f"ticket_ref IN ({_LEFT_TICKETS})"),
    ("ticket", "tickets", f"id IN ({_LEFT_TICKETS})"),
    ("operation", "operations", f"state != 'sent' AND pair_id IN ({_OVER})"),
    ("timeline", "transitions", f"pair_id IN ({_OVER})"),
    ("conflict", "conflicts", f"pair_id IN ({_OVER})"),
    ("hand_off", "hand_offs", f"pair_id IN ({_OVER})"),
    ("drastic_change", "drastic_changes", f"pair_id IN ({_OVER})"),
)
#: Names of people who asked for a hand-off, and of files; what is still owed keeps its own.
_EMPTY = (
    Statement(
        f"""
        UPDATE base SET hand_off = json_set(hand_off, '$.by', '')
        WHERE pair_id IN ({_OVER}) AND json_extract(hand_off, '$.by') != ''
        """  # noqa: S608
    ),
    Statement(
        f"""
        UPDATE file_map
        SET file = json_set(file, '$.name', 'file', '$.url', '', '$.source', '')
        WHERE pair_id IN ({_OVER}) AND state IN ('carried', 'refused')
        """  # noqa: S608
    ),
    Statement(f"UPDATE pair SET hint = '' WHERE id IN ({_OVER}) AND hint != ''"),  # noqa: S608
)
_NOBODYS = (
    "id NOT IN (SELECT requester_ref FROM ticket) AND id NOT IN (SELECT author_ref FROM comment)"
)
#: With its last sign of life, as far as anything tells.
_ENDED = Statement(
    """
    SELECT pair.id FROM pair
    WHERE pair.state = 'ended' AND max(
        pair.linked_since, coalesce(pair.ball_since, ''),
        coalesce((SELECT max(added_at) FROM pair_ticket WHERE pair_id = pair.id), ''),
        coalesce((SELECT max(seen_at) FROM timeline WHERE pair_id = pair.id), ''),
        coalesce((SELECT max(seen_at) FROM hand_off WHERE pair_id = pair.id), ''),
        coalesce((SELECT max(sent_at) FROM operation WHERE pair_id = pair.id), ''),
        coalesce((SELECT max(at) FROM audit_trail WHERE pair_id = pair.id), ''),
        coalesce((
            SELECT max(ticket.updated_at) FROM ticket JOIN pair_ticket AS held
              ON held.connection_ref = ticket.connection_ref AND held.ticket_id = ticket.ticket_id
            WHERE held.pair_id = pair.id
        ), '')
    ) < :ended_pairs
      AND NOT EXISTS (SELECT 1 FROM operation WHERE pair_id = pair.id AND state = 'sent')
    ORDER BY pair.id
    """
)


def purge(
    location: str | os.PathLike[str],
    periods: Periods,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    is_dry: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Purged:
    """Let go of what is older than the periods, beside a daemon or without one. Raises
    `StoreError`.
    """
    path = path_of(location)
    before = {
        "ended_pairs": moment(now - periods.ended_pairs),
        "journal": moment(now - periods.journal),
        "history": moment(now - periods.history),
        "trail": moment(now - periods.trail),
    }
    purged = Purged()
    with loud(path), by_hand(path) as hand:
        work = _Purge(hand, purged, is_dry=is_dry)
        ended = [row["id"] for row in hand.session.rows(_ENDED, before)]
        for start in range(0, len(ended), _PAIRS_TOGETHER):
            progress(start, len(ended))
            work.empty(ended[start : start + _PAIRS_TOGETHER])
        progress(len(ended), len(ended))
        for table, kind, where in _OLD:
            work.drop(table, kind, where, before)
        if not is_dry:
            work.drop("person", "people", _NOBODYS, {})
        rows = sum(purged.counts.values())
        if not is_dry and rows:
            with hand.transaction() as session:
                trail.purged(session, rows=rows, actor=actor, reason=reason, now=now)
        if not is_dry:
            purged.scrubbed = scrub(hand.connection, path, is_needed=rows > 0)
    return purged


class _Purge:
    """One walk over what is over."""

    def __init__(self, hand: Hand, purged: Purged, *, is_dry: bool) -> None:
        self._hand = hand
        self._purged = purged
        self._is_dry = is_dry

    def empty(self, pair_ids: Sequence[int]) -> None:
        """Leave nothing of some ended pairs but their ids."""
        values = {"pair_ids": packed(pair_ids)}
        before = sum(self._purged.counts.values())
        for table, kind, where in _OF_ENDED:
            self.drop(table, kind, where, values)
        if not self._is_dry:
            with self._hand.transaction() as session:
                for statement in _EMPTY:
                    session.run(statement, values)
        if sum(self._purged.counts.values()) > before:
            self._purged.pairs += len(pair_ids)

    def drop(self, table: str, kind: str, where: str, values: dict[str, str]) -> None:
        """Delete what fits, some at a time; or count it."""
        asked = {key: value for key, value in values.items() if f":{key}" in where}
        if self._is_dry:
            count = Statement(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608
            self._purged.add(kind, self._hand.session.number(count, asked))
            return
        for count_of_some in self._some(table, where, asked):
            self._purged.add(kind, count_of_some)

    def _some(self, table: str, where: str, asked: dict[str, str]) -> Iterator[int]:
        statement = Statement(
            f"""
            DELETE FROM {table}
            WHERE rowid IN (SELECT rowid FROM {table} WHERE {where} LIMIT {_TOGETHER})
            """  # noqa: S608
        )
        while True:
            with self._hand.transaction() as session:
                count = session.run(statement, asked)
            yield count
            if count < _TOGETHER:
                return
