"""Which pairs want a run now: the rows are the queue, whoever else was to wake them."""

from __future__ import annotations

from datetime import datetime

from syncd.core.model import LinkName, PairId
from syncd.store import tables
from syncd.store.rows import to_moment_or_none
from syncd.store.statement import Session, Statement

_DUE = Statement(
    f"""
    SELECT pair.id, pair.not_before, pair.lease_until
    FROM (
        SELECT id FROM pair WHERE {tables.IS_DUE}
        UNION
        SELECT pair_id FROM operation WHERE state = 'sent'
    ) AS due
    JOIN pair ON pair.id = due.id AND pair.state = 'active'
    LEFT JOIN link_state ON link_state.link = pair.link
    LEFT JOIN link_pause ON link_pause.link = pair.link
    WHERE link_state.link IS NULL AND link_pause.link IS NULL
      AND (:link IS NULL OR pair.link = :link)
      AND (pair.marked_gen > pair.done_gen AND pair.quiet_gen = pair.marked_gen) = :is_quiet
    ORDER BY pair.id
    """  # noqa: S608 - a constant of ours
)


def load_due(
    session: Session, *, now: datetime, link: LinkName | None, is_quiet: bool
) -> list[tuple[PairId, datetime | None]]:
    """Active pairs that are dirty or have a write on its way, with the end of back-off or lease."""
    due: list[tuple[PairId, datetime | None]] = []
    asked = {"link": link, "is_quiet": is_quiet}
    for pair_id, not_before, lease_until in session.rows(_DUE, asked):
        ends = (to_moment_or_none(not_before), to_moment_or_none(lease_until))
        ahead = [end for end in ends if end is not None and end > now]
        due.append((PairId(pair_id), max(ahead, default=None)))
    return due
