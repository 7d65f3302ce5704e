"""What each HTTP status means, as one table that a connector may override row by row.

The table says what happened on the desk; what follows for a read and for a write is in `client`:
a write that may have landed is never called anything but `OutcomeUnknown`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncd.core.errors import Refusal

#: Codes and field names of vendors look like this; ticket text, addresses and secrets do not.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


class Meaning(StrEnum):
    """What a status says."""

    DONE = "done"
    #: Broken or overloaded: a read may be tried again, a write may have landed.
    BROKEN = "broken"
    WAIT = "wait"
    STALE = "stale"
    REJECTED = "rejected"
    #: No such thing: one ticket, or the whole address.
    MISSING = "missing"
    #: The write names an uploaded file that is no more.
    SPENT = "spent"
    UNAUTHORISED = "unauthorised"
    #: Nothing that this API answers: a redirect, a proxy's page.
    RIDDLE = "riddle"


MEANINGS: Mapping[int, Meaning] = {
    400: Meaning.REJECTED,
    401: Meaning.UNAUTHORISED,
    403: Meaning.UNAUTHORISED,
    404: Meaning.MISSING,
    408: Meaning.BROKEN,
    409: Meaning.STALE,
    410: Meaning.MISSING,
    412: Meaning.STALE,
    413: Meaning.REJECTED,
    422: Meaning.REJECTED,
    429: Meaning.WAIT,
}

_REST = {2: Meaning.DONE, 3: Meaning.RIDDLE, 4: Meaning.REJECTED, 5: Meaning.BROKEN}


def meaning_of(status: int, table: Mapping[int, Meaning] = MEANINGS) -> Meaning:
    """The row of a status, else that of its hundred; anything outside 200-599 is a riddle."""
    return table.get(status) or _REST.get(status // 100, Meaning.RIDDLE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What a vendor's error body says that may be repeated: names only, never sentences."""

    code: str | None = None
    fields: tuple[str, ...] = ()
    #: Our own words for a case that we know.
    hint: str = ""
    #: Where the body says more than the status.
    meaning: Meaning | None = None
    #: What a rejection is about.
    refusal: Refusal = Refusal.OTHER
    #: The fields that must be filled in first, by the desk's ids.
    lacks: tuple[str, ...] = ()


def is_word(value: object) -> bool:
    """Whether a value from an error body may be shown: one short word, no address."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def no_explanation(status: int, body: bytes) -> Explanation:
    """For desks whose error bodies are not read."""
    del status, body
    return Explanation()
