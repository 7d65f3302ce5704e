"""What people did, written down when a desk took it: the only memory that the checker trusts.

Every text holds one word that stands nowhere else, so that it can be found wherever it went.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

WORD = re.compile(r"zq(\d+)qz")


def word(number: int) -> str:
    """The word of a text."""
    return f"zq{number}qz"


def words_in(text: str) -> list[int]:
    """Which texts' words stand here, in their order."""
    return [int(found) for found in WORD.findall(text)]


@dataclass(kw_only=True, slots=True)
class Said:
    """One comment by a person."""

    number: int
    at: float
    #: The ticket's number in the script.
    ticket: int
    #: The desk it was written on.
    desk: str
    who: str
    #: public, shared (private, for these partners), staff (the platform's own), or local.
    to: str
    partners: tuple[str, ...] = ()
    #: Of a partner's ticket or of the platform's, and of the comment where the desk tells.
    ticket_id: str = ""
    comment_id: int = 0
    #: Holds a line that hands the ticket over.
    is_hand_off: bool = False
    #: Public, and nothing but the phrase: to be held back. No word of its own is in it.
    is_bare_phrase: bool = False
    made_private_at: float | None = None
    redacted_at: float | None = None
    files: tuple[str, ...] = ()
    #: Nobody wrote it: a machine answered what syncd had written.
    is_machine: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Set:
    """A person set a status, or added or removed a tag."""

    at: float
    ticket: int
    desk: str
    ticket_id: str
    what: str
    value: str
    before: str
    #: A public answer went along in the same update.
    is_answer: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """Something was done to a whole ticket: deleted, restored, merged, taken out of a view, ..."""

    at: float
    ticket: int
    desk: str
    ticket_id: str
    what: str
    other: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LetGo:
    """A person let a pair go on that had stopped, by the pair's number and its tickets."""

    at: float
    pair_id: str
    link: str
    platform: str
    reason: str


@dataclass(slots=True)
class Ledger:
    """Everything that people did in a history."""

    said: dict[int, Said] = field(default_factory=dict)
    settings: list[Set] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    let_go: list[LetGo] = field(default_factory=list)
    #: The platform's ids of the script's tickets.
    tickets: dict[int, str] = field(default_factory=dict)
    #: How often people did something that a desk took, by what it was.
    deeds: dict[str, int] = field(default_factory=dict)
    #: What the person who runs syncd asked of it; no operations.
    commands: Counter[str] = field(default_factory=Counter)
    #: Events that nobody could carry out, such as an answer on a ticket that is not there yet.
    skipped: int = 0

    def count(self, what: str) -> None:
        """One more deed."""
        self.deeds[what] = self.deeds.get(what, 0) + 1

    def fates_of(self, ticket: int) -> set[str]:
        """What was done to a ticket as a whole."""
        return {fate.what for fate in self.fates if fate.ticket == ticket}
