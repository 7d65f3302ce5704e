"""Who set which status when, on both desks: what the checker knows of it, from them alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

#: What a status means, in words of the checker's own.
MEANS = {
    "Open": "open",
    "With customer": "waits",
    "Closed": "done",
    "new": "open",
    "open": "open",
    "hold": "open",
    "pending": "waits",
    "solved": "done",
    "closed": "done",
    "deleted": "gone",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A ticket's status changed."""

    at: float
    #: False for people, and for what a desk does by itself.
    is_syncd: bool
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Overwritten:
    """What a person set, syncd replaced, and the other desk never showed."""

    at: float
    until: float
    value: str
    by: str


def _lost(earlier: Move, later: Move) -> Overwritten:
    return Overwritten(at=earlier.at, until=later.at, value=earlier.after, by=later.after)


def _brought(move: Move, *, is_guarded: bool) -> str:
    """What the other desk's ticket is to mean after a move."""
    means = MEANS[move.after]
    return "waits" if is_guarded and means == "done" else means


@dataclass(slots=True)
class Statuses:
    """All moves of all tickets, each ticket's in their order."""

    moves: dict[tuple[str, str], list[Move]] = field(default_factory=dict)

    def add(self, desk: str, ticket_id: str, move: Move) -> None:
        """One more."""
        self.moves.setdefault((desk, ticket_id), []).append(move)

    def overwritten(
        self,
        here: tuple[str, str],
        there: tuple[str, str],
        lag_seconds: float,
        *,
        guarded: Set[tuple[str, float]] = frozenset(),
    ) -> Sequence[Overwritten]:
        """Statuses that people set on one ticket of a pair and that never came to the other.

        `guarded` are desks and moments of answers that close: the close guard makes of the end
        that the ticket waits for the customer.
        """
        found: list[Overwritten] = []
        moves = self.moves.get(here, [])
        for earlier, later in itertools.pairwise(moves):
            if earlier.is_syncd or not later.is_syncd or earlier.after != later.before:
                continue
            value = MEANS[earlier.after]
            if value in (MEANS[earlier.before], MEANS[later.after]):
                # Another word for what it was.
                continue
            if value in self._common(here, there, earlier.at):
                # There and back again, before syncd looked.
                continue
            if self._was_left(there, value, earlier.at - lag_seconds, earlier.at, guarded):
                # Known as the other's news when it came, so that both meant the same for a while.
                continue
            if value not in self._shown(there, earlier.at, later.at):
                found.append(_lost(earlier, later))
        return found

    def _common(self, here: tuple[str, str], there: tuple[str, str], until: float) -> set[str]:
        """What both meant at once since syncd last moved one of them: it may be what it knows."""
        moves = [(move, key) for key in (here, there) for move in self.moves.get(key, [])]
        moves.sort(key=lambda one: one[0].at)
        means = {
            key: MEANS[self.moves[key][0].before] for key in (here, there) if key in self.moves
        }
        means.setdefault(there, means[here])
        common = {means[here]} if means[here] == means[there] else set[str]()
        for move, key in moves:
            if move.at >= until:
                break
            means[key] = MEANS[move.after]
            if move.is_syncd:
                common = set()
            if means[here] == means[there]:
                common.add(means[here])
        return common

    def _was_left(
        self,
        ticket: tuple[str, str],
        value: str,
        since: float,
        until: float,
        guarded: Set[tuple[str, float]],
    ) -> bool:
        """Whether a ticket came to show it in that time, and people moved on from there."""
        moves = [one for one in self.moves.get(ticket, []) if since <= one.at <= until]
        desk, _ = ticket
        return any(
            not then.is_syncd and value == _brought(first, is_guarded=(desk, first.at) in guarded)
            for first, then in itertools.pairwise(moves)
        )

    def _shown(self, ticket: tuple[str, str], since: float, until: float) -> set[str]:
        """What a ticket's status meant at any moment of a time."""
        shown: set[str] = set()
        for move in self.moves.get(ticket, []):
            if move.at <= since:
                shown = {MEANS[move.after]}
            elif move.at <= until:
                shown |= {MEANS[move.before], MEANS[move.after]}
            else:
                shown.add(MEANS[move.before])
                break
        return shown
