"""Promise 11: what was said before syncd came arrives without a sound, and with its times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from tests.simulation.desks import Desks
from tests.simulation.ledger import Ledger, Said

Wrong = Callable[[int, str], None]

_PROMISE = 11


class Silence:
    """Watches over the history of one history: of tickets on which nothing has happened since."""

    def __init__(self, desks: Desks, ledger: Ledger, wrong: Wrong, *, history_until: float) -> None:
        """`history_until` is when syncd was started first."""
        self._desks = desks
        self._ledger = ledger
        self._wrong = wrong
        self._until = history_until
        #: Each text's time by the clock of the platform.
        self._written_at: dict[int, datetime] = {}
        #: Desk, ticket and comment of what a backfill brought and nobody may hear of.
        self._silent: set[tuple[str, int, int]] = set()

    def written(self, numbers: Sequence[int], at: datetime) -> None:
        """Texts were seen for the first time, on the platform."""
        for number in numbers:
            self._written_at.setdefault(number, at)

    def brought(self, partner: str, ticket_id: int, comment: Any, copied: Sequence[Said]) -> None:
        """A comment by syncd came to a partner's desk."""
        mine = [said for said in copied if self._is_history(said)]
        if not mine:
            return
        self._silent.add((partner, ticket_id, comment.id))
        if len(copied) == 1 and (at := self._written_at.get(mine[0].number)) is not None:
            # Several in one are a digest, which has a time of its own.
            late = comment.created_at - int(at.timestamp())
            if late:
                number = mine[0].number
                self._wrong(
                    _PROMISE, f"text {number} is {late} s too late on {partner} {ticket_id}"
                )

    def check(self) -> None:
        """At the end: who was mailed."""
        for name, sandbox in self._desks.partners.items():
            for mail in sandbox.desk.account.notifications:
                if (name, mail.ticket_id, mail.comment_id) in self._silent:
                    self._wrong(_PROMISE, f"somebody was mailed history of {name} {mail.ticket_id}")

    def _is_history(self, said: Said) -> bool:
        """Said before syncd was there, on a ticket on which nothing has happened since."""
        since = self._until
        if said.at >= since:
            return False
        ledger = self._ledger
        later = [(one.ticket, one.at) for one in ledger.said.values()]
        later += [(one.ticket, one.at) for one in ledger.settings]
        later += [(one.ticket, one.at) for one in ledger.fates]
        return not any(ticket == said.ticket and at >= since for ticket, at in later)
