"""Pairs whose twins were imported and whose comments have no names yet.

Many imports share a request, and its answer names tickets only. The desk's event feed names the
comments a minute later: to the daemon's feed, or to whoever walks it from the first import on.
"""

from __future__ import annotations

from collections.abc import Collection

from syncd.core.errors import RemoteError
from syncd.core.model import PairId, Side
from syncd.core.operations import CreateTicket
from syncd.core.work import Run
from syncd.engine.health import Health
from syncd.engine.intake import Intake
from syncd.engine.links import Link
from syncd.engine.outcome import Imported

#: Beyond what the number of pairs suggests; a walk that is longer costs more than it saves.
_SPARE_PAGES = 5


def imported_in(run: Run) -> Imported | None:
    """The twin of a pair that was imported and whose comments have no names yet."""
    for intent in run.sent:
        ticket_id = run.pair.tickets[intent.op.side]
        if isinstance(intent.op, CreateTicket) and ticket_id is not None:
            return Imported(ticket_id=ticket_id, sent_at=intent.sent_at)
    return None


class Importing:
    """Those of one link's backfill, and the walk that names their comments."""

    def __init__(self, link: Link, *, intake: Intake, health: Health) -> None:
        self._link = link
        self._intake = intake
        self._health = health
        self._imported: dict[PairId, Imported] = {}
        self._cursor: str | None = None

    def __len__(self) -> int:
        return len(self._imported)

    def add(self, pair_id: PairId, imported: Imported) -> None:
        """A pair that waits for names."""
        self._imported[pair_id] = imported

    def take(self, named: Collection[PairId] | None = None) -> list[PairId]:
        """Those of `named`, or all; they count as importing no longer."""
        taken = sorted(self._imported if named is None else self._imported.keys() & set(named))
        for pair_id in taken:
            del self._imported[pair_id]
        return taken

    async def read(self, *, is_last: bool) -> frozenset[PairId]:
        """Walk the feed to its end; the pairs of which it told. A desk's error ends the walk.

        The last walk also says of each ticket how far the feed reaches without having told of it.
        """
        connector = self._link.connectors[Side.PARTNER]
        told: set[PairId] = set()
        since = min(imported.sent_at for imported in self._imported.values())
        about = [imported.ticket_id for imported in self._imported.values()] if is_last else []
        for _ in range(len(self._imported) + _SPARE_PAGES):
            try:
                page = await connector.read_arrivals(self._cursor, since=since, about=about)
            except RemoteError as error:
                self._health.failed(error)
                break
            told |= await self._intake.take(
                connector.name, page.sightings, backfill=self._link.name, is_waking=False
            )
            self._cursor = page.cursor
            if page.is_end:
                break
        return frozenset(told)
