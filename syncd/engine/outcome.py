"""How a run of a pair ended: one value, so that nobody has to read errors beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.core.model import Held, TicketId


class Result(StrEnum):
    """How a run ended."""

    IDLE = "idle"
    DONE = "done"
    WAITING = "waiting"
    PARKED = "parked"
    ENDED = "ended"
    #: Too many pairs of its link run already; it has not begun, and keeps its turn.
    CROWDED = "crowded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """A twin whose comments have no names yet, and when it was sent, by our clock."""

    ticket_id: TicketId
    sent_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the controller must know of a run: whether to come back, and when."""

    result: Result
    #: The pair was marked again meanwhile, or has more to write than one run may.
    is_dirty: bool = False
    retry_at: datetime | None = None
    writes: int = 0
    #: Parked for a fault of ours.
    is_bug: bool = False
    held: tuple[Held, ...] = ()
    left_out: tuple[Held, ...] = ()
    #: The twin was imported, and the desk's feed has still to name its comments.
    imported: Imported | None = None
