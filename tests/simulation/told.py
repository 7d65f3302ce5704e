"""What syncd tells people at the end of a history, as values: what the checker holds it to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PairSeen:
    """What syncd tells people of a pair."""

    pair_id: str
    link: str
    platform: str
    partner: str
    state: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConflictSeen:
    """A conflict that syncd shows."""

    link: str
    platform: str
    what: str
    values: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What syncd tells, and what it did while nothing happened."""

    is_at_rest: bool
    failures: Sequence[str]
    pairs: Sequence[PairSeen] = ()
    conflicts: Sequence[ConflictSeen] = ()
    #: Pairs whose status a desk would not take, by link and platform's ticket.
    refused: frozenset[tuple[str, str]] = frozenset()
    #: Desk, method and template of what was asked while nobody did anything.
    quiet: Sequence[tuple[str, str, str]] = ()
    log: str = ""
    secrets: Sequence[str] = ()
    #: The rows of the store as text, where strangers have been.
    store: Sequence[str] = ()
    kills: int = 0
